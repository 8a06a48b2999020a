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
        covers: |k| !k.central && !matches!(k.procedure, Notify | Indicate) && att(k.procedure),
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

/// Whether attributes of this type are the hosts' own business, whatever the application wants: the GATT service's
/// own, the device's name and looks. Who reads, writes or subscribes to them does so before any data passes.
pub fn of_the_host(uuid: Uuid) -> bool {
    is_gatt_own(uuid) || is_gap(uuid)
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

    /// The reason that reports give; `None` where a step that is missing matters.
    fn why(procedure: Procedure, central: bool, what: What) -> Option<&'static str> {
        absence(&Key { procedure, central, what })
    }

    fn short(uuid: u16) -> What {
        What::Uuid(Uuid::Short(uuid))
    }

    #[test]
    fn each_habit_covers_its_own_steps() {
        let covers = |procedure, central, what, words: &str| {
            let why = why(procedure, central, what).unwrap_or("no habit");
            assert!(why.contains(words), "{procedure} {what:?}: {why}");
        };
        covers(Version, true, What::Nothing, "read the peer's version");
        covers(Features, true, What::Nothing, "read the peer's features");
        covers(DataLength, true, What::Nothing, "sets the data length");
        covers(Phy, true, What::Nothing, "change the PHY");
        covers(ParameterUpdate, true, What::Nothing, "shortens the interval");
        covers(ParameterUpdate, false, What::Nothing, "asks for its own parameters");
        covers(ExchangeMtu, true, What::Nothing, "exchanges the MTU");
        covers(Indicate, true, short(0x2a05), "Service Changed");
        covers(Pair, true, What::SecurityRequest, "a wish for security");
        covers(Other, true, What::Hci(0x2016), "housekeeping");
        covers(Scan, true, What::On(true), "scanning");
        covers(Scan, true, What::On(false), "scanning");
        for procedure in
            [DiscoverServices, DiscoverIncludes, DiscoverCharacteristics, DiscoverDescriptors]
        {
            covers(procedure, true, What::Type(0x2800), "discover in full");
        }
        for uuid in [0x2a05, 0x2b29, 0x2b2a, 0x2b3a] {
            covers(Read, true, short(uuid), "GATT service's own");
            covers(Write, true, short(uuid), "subscribes to Service Changed");
            covers(Subscribe, true, short(uuid), "subscribes to Service Changed");
            assert!(of_the_host(Uuid::Short(uuid)));
        }
        for uuid in [0x2a00, 0x2a01, 0x2a04, 0x2aa6, 0x2ac9] {
            covers(Read, true, short(uuid), "name and appearance");
            assert!(of_the_host(Uuid::Short(uuid)));
            assert_eq!(why(Write, true, short(uuid)), None, "nobody writes these by itself");
        }
        assert!(!of_the_host(Uuid::Short(0x2a19)) && !of_the_host(Uuid::Full([0; 16])));
        for procedure in [Read, Write, WriteCommand, Subscribe] {
            covers(procedure, false, VENDOR, "looks at the host's own services");
        }
        for pushed in [Notify, Indicate] {
            assert_eq!(why(pushed, false, VENDOR), None, "what it pushes, it was asked for");
        }
        covers(Indicate, false, short(0x2a05), "Service Changed");
        assert_eq!(why(Notify, false, short(0x2a05)), None);
        assert_eq!(why(Indicate, true, VENDOR), None);
        assert_eq!(why(WriteCommand, true, short(0x2b29)), None);
        for procedure in [Connect, Disconnect, Encrypt, Pair, Channel, Other] {
            assert_eq!(why(procedure, false, What::Nothing), None, "{procedure}");
        }
        assert_eq!(why(Other, true, What::Hci(0x57)), None);
        assert_eq!(why(Other, true, What::Att(0x57)), None);
    }

    #[test]
    fn what_does_not_depend_on_the_order_may_stand_elsewhere() {
        let at = |procedure, what| place(&key(procedure, what)).is_some();
        for procedure in [Encrypt, Notify, Indicate, Read, Version] {
            assert!(at(procedure, VENDOR), "{procedure}");
        }
        for procedure in [Write, WriteCommand, Subscribe, Connect, Pair] {
            assert!(!at(procedure, VENDOR), "{procedure}");
        }
    }

    #[test]
    fn the_attribute_protocol_has_these_operations() {
        let kinds = [
            ExchangeMtu,
            DiscoverServices,
            DiscoverIncludes,
            DiscoverCharacteristics,
            DiscoverDescriptors,
            Read,
            Write,
            WriteCommand,
            Subscribe,
            Notify,
            Indicate,
        ];
        assert!(kinds.iter().all(|kind| att(*kind)));
        for other in [Connect, Disconnect, Pair, Encrypt, Channel, ParameterUpdate, Scan, Other] {
            assert!(!att(other) && !discovery(other), "{other}");
        }
        assert!(discovery(DiscoverIncludes) && !discovery(Read));
    }

    #[test]
    fn an_application_works_with_what_is_not_the_hosts() {
        let works = |procedure, central, what| application(&Key { procedure, central, what });
        for procedure in [Read, Write, WriteCommand, Subscribe] {
            assert!(works(procedure, true, VENDOR), "{procedure}");
            assert!(!works(procedure, false, VENDOR), "the peer's application");
            assert!(!works(procedure, true, short(0x2a00)));
            assert!(!works(procedure, true, short(0x2b29)));
        }
        assert!(!works(Notify, true, VENDOR) && !works(Encrypt, true, What::Nothing));
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
