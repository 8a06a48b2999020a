//! What differs between host stacks as a rule, and means nothing by itself.
//!
//! Measured on real connections; one row a habit, with the reason that reports
//! give. A failed, refused or unanswered step is never a habit.
use super::key::{Key, What};
use crate::packet::att::Uuid;
use crate::timeline::Procedure::{self, *};

/// A kind of step that one host takes and another does not, or takes elsewhere.
pub struct Habit {
    covers: fn(&Key) -> bool,
    pub why: &'static str,
}

/// Steps that may be missing, extra or moved between two host stacks.
pub const HABITS: &[Habit] = &[
    Habit {
        covers: |k| k.procedure == Version,
        why: "Apple and Android read the peer's version, BlueZ does not",
    },
    Habit {
        covers: |k| k.procedure == Features,
        why: "hosts read the peer's features at different moments, or not at all",
    },
    Habit {
        covers: |k| k.procedure == DataLength,
        why: "Android sets the data length after the MTU; elsewhere the controller does",
    },
    Habit { covers: |k| k.procedure == Phy, why: "some controllers change the PHY by themselves" },
    Habit {
        covers: |k| k.procedure == ParameterUpdate && k.central,
        why: "Android shortens the interval for discovery and restores it",
    },
    Habit {
        covers: |k| k.procedure == ParameterUpdate,
        why: "the peer asks for its own parameters when the host's do not suit it",
    },
    Habit {
        covers: |k| k.procedure == ExchangeMtu,
        why: "who exchanges the MTU, when, and with which value is the host's habit",
    },
    Habit {
        covers: |k| discovery(k.procedure),
        why: "hosts discover in full, by UUID, or from a cache",
    },
    Habit {
        covers: |k| k.procedure == Read && gatt_own(k),
        why: "BlueZ and newer Androids read the GATT service's own characteristics",
    },
    Habit {
        covers: |k| k.procedure == Read && gap(k),
        why: "hosts read the device name and appearance by themselves",
    },
    Habit {
        covers: |k| matches!(k.procedure, Write | Subscribe) && gatt_own(k),
        why: "the host itself subscribes to Service Changed and names its features",
    },
    Habit {
        covers: |k| {
            !k.central && k.procedure != Notify && k.procedure != Disconnect && att(k.procedure)
        },
        why: "the peer looks at the host's own services",
    },
    Habit {
        covers: |k| k.procedure == Indicate && gatt_own(k),
        why: "Service Changed is indicated by the server as it sees fit",
    },
    Habit {
        covers: |k| k.what == What::SecurityRequest,
        why: "a wish for security; what matters is what follows",
    },
    Habit {
        covers: |k| matches!(k.what, What::Hci(code) if code != AUTHENTICATED_PAYLOAD_EXPIRED),
        why: "commands of the controller's own housekeeping",
    },
    Habit {
        covers: |k| k.procedure == Scan,
        why: "scanning around a connection is the host's habit",
    },
];

const AUTHENTICATED_PAYLOAD_EXPIRED: u16 = 0x57;

/// Why a step may be missing or extra; `None` where that matters.
pub fn absence(key: &Key) -> Option<&'static str> {
    HABITS.iter().find(|habit| (habit.covers)(key)).map(|habit| habit.why)
}

/// Why a step may stand elsewhere in the order; `None` where that matters.
pub fn place(key: &Key) -> Option<&'static str> {
    match key.procedure {
        Encrypt => Some("a stored key encrypts before ATT on some hosts, after it on others"),
        Notify | Indicate => Some("the peer pushes values when it has them"),
        Read => Some("reads do not depend on each other"),
        _ => absence(key),
    }
}

/// Discovery of whatever kind.
pub fn discovery(procedure: Procedure) -> bool {
    matches!(
        procedure,
        DiscoverServices | DiscoverIncludes | DiscoverCharacteristics | DiscoverDescriptors
    )
}

/// Operations of the attribute protocol.
pub fn att(procedure: Procedure) -> bool {
    discovery(procedure)
        || matches!(
            procedure,
            ExchangeMtu | Read | Write | WriteCommand | Subscribe | Notify | Indicate
        )
}

/// Characteristics of the GATT service itself.
fn gatt_own(key: &Key) -> bool {
    key.uuid().is_some_and(is_gatt_own)
}

fn is_gatt_own(uuid: Uuid) -> bool {
    matches!(uuid, Uuid::Short(0x2a05 | 0x2b29 | 0x2b2a | 0x2b3a))
}

/// Characteristics of the Generic Access service.
fn gap(key: &Key) -> bool {
    key.uuid().is_some_and(is_gap)
}

fn is_gap(uuid: Uuid) -> bool {
    matches!(uuid, Uuid::Short(0x2a00 | 0x2a01 | 0x2a04 | 0x2aa6 | 0x2ac9))
}

/// Characteristics that hosts read, write and subscribe to by themselves, whatever the application wants.
pub fn of_the_host(uuid: Uuid) -> bool {
    is_gatt_own(uuid) || is_gap(uuid)
}

/// Whether attributes of this type are the hosts' own business: the GATT service's own, the device's name and looks.
/// Who reads or writes them does so before any data passes.
pub fn housekeeping(uuid: Uuid) -> bool {
    matches!(
        uuid,
        Uuid::Short(0x2a05 | 0x2b29 | 0x2b2a | 0x2b3a | 0x2a00 | 0x2a01 | 0x2a04 | 0x2aa6 | 0x2ac9)
    )
}

/// Something that the application, not the host, does with the device.
pub fn application(key: &Key) -> bool {
    matches!(key.procedure, Read | Write | WriteCommand | Subscribe)
        && key.central
        && !gap(key)
        && !gatt_own(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Procedure;

    fn key(procedure: Procedure, what: What) -> Key {
        Key { procedure, central: true, what }
    }

    const VENDOR: What = What::Uuid(Uuid::Full([7; 16]));

    #[test]
    fn what_applications_do_is_no_habit() {
        for procedure in [Write, Subscribe, Read] {
            for what in [VENDOR, What::Handle(9), What::Uuid(Uuid::Short(0x2a19))] {
                assert_eq!(absence(&key(procedure, what)), None, "{procedure}");
                assert!(application(&key(procedure, what)));
            }
        }
        for procedure in [Connect, Disconnect, Pair, Encrypt, Notify] {
            assert_eq!(absence(&key(procedure, What::Nothing)), None, "{procedure}");
        }
        assert_eq!(absence(&key(Other, What::Hci(AUTHENTICATED_PAYLOAD_EXPIRED))), None);
        assert_eq!(place(&key(Write, VENDOR)), None);
    }

    #[test]
    fn what_hosts_do_by_themselves_is() {
        let habits = [
            key(Version, What::Nothing),
            key(ExchangeMtu, What::Nothing),
            key(DiscoverServices, What::Type(0x2800)),
            key(Read, What::Uuid(Uuid::Short(0x2a00))),
            key(Read, What::Uuid(Uuid::Short(0x2b2a))),
            key(Subscribe, What::Uuid(Uuid::Short(0x2a05))),
            key(Write, What::Uuid(Uuid::Short(0x2b29))),
            key(Pair, What::SecurityRequest),
        ];
        for habit in habits {
            assert!(absence(&habit).is_some(), "{habit:?}");
            assert!(!application(&habit));
        }
        assert!(place(&key(Encrypt, What::Nothing)).is_some());
    }

    #[test]
    fn every_row_gives_a_reason_of_its_own() {
        let mut reasons: Vec<&str> = HABITS.iter().map(|habit| habit.why).collect();
        assert!(reasons.iter().all(|why| why.len() > 20));
        reasons.sort_unstable();
        reasons.dedup();
        assert_eq!(reasons.len(), HABITS.len());
    }
}
