//! bleak's lines (BlueZ backend), in whichever format Python's logging writes them, and the exceptions that end a
//! traceback.
use super::claim::{Asker, FailedAt, Failure, Kind, What};
use super::reader::{Memory, Message, Reader, Said};

pub(super) const READER: Reader =
    Reader { kind: Kind::Bleak, marks: &["bleak", "Error", "CancelledError", "Exception"], read };

fn read(line: &Message<'_>, _: &Memory) -> Option<Said> {
    if line.form.is_none() {
        return exception(line.text).map(Said::from);
    }
    line.author.starts_with("bleak.").then_some(())?;
    Some(library(line.text)?.into())
}

fn library(text: &str) -> Option<What> {
    let has = |words: &str| text.contains(words);
    Some(if has("Connecting to BlueZ path ") {
        What::ConnectAsked(Asker::Stack)
    } else if has("Pairing to BLE device @ ") {
        What::PairAsked
    } else if has("retry due to le-connection-abort-by-local") {
        What::Failed { how: Failure::AbortByLocal, by: FailedAt::Retry }
    } else if has("PropertiesChanged (") {
        changed(text)?
    } else if has("InterfacesRemoved (") && removes_adapter(text) {
        What::AdapterGone
    } else if has("InterfacesAdded (") && has("org.bluez.GattService1") {
        What::ServiceExported
    } else if has("Connecting to device @ ") || has("skipping calling \"Connect\"") {
        What::Aside
    } else {
        return None;
    })
}

/// A change of a device's or an adapter's properties: `'Connected': <dbus_fast.signature.Variant ('b', True)>`,
/// in old versions `'Connected': ('b', True)`.
fn changed(text: &str) -> Option<What> {
    let is = |property: &str| {
        let (_, behind) = text.split_once(property)?;
        // Up to the next property.
        let value = behind.get(..64.min(behind.len())).unwrap_or(behind);
        let value = value.split(")").next()?;
        if value.contains("True") {
            Some(true)
        } else if value.contains("False") {
            Some(false)
        } else {
            None
        }
    };
    if text.contains("org.bluez.Adapter1") {
        return match is("'Powered': ")? {
            true => Some(What::PoweredOn),
            false => Some(What::PoweredOff),
        };
    }
    text.contains("org.bluez.Device1").then_some(())?;
    if let Some(connected) = is("'Connected': ") {
        return Some(if connected {
            What::Connected
        } else {
            What::Disconnected(super::claim::Reason::Unsaid)
        });
    }
    if is("'ServicesResolved': ") == Some(true) {
        return Some(What::ServicesResolved);
    }
    (is("'Paired': ") == Some(true)).then_some(What::Paired)
}

/// Whether a line such as `InterfacesRemoved (/): ['/org/bluez/hci0', …` is about an adapter, not about one of its devices.
fn removes_adapter(text: &str) -> bool {
    let Some((_, behind)) = text.split_once("'/org/bluez/hci") else { return false };
    let behind = behind.trim_start_matches(|c: char| c.is_ascii_digit());
    behind.starts_with('\'')
}

/// The last line of a traceback: `module.Exception: text`.
fn exception(text: &str) -> Option<What> {
    let name = text.split([':', ' ']).next()?;
    let known =
        ["bleak.", "bleak_retry_connector.", "habluetooth.", "dbus_fast.", "asyncio.exceptions."];
    let plain = name.ends_with("Error") && !name.contains('.') && name.len() < 40;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte));
    let ends = text.get(name.len()..)?;
    let is_exception = (known.iter().any(|module| name.starts_with(module)) || plain)
        && is_name
        && (ends.is_empty() || ends.starts_with(':'));
    if is_exception && is_denied(text) {
        return Some(What::Denied);
    }
    is_exception.then(|| What::Failed { how: failure(text), by: FailedAt::Exception })
}

/// What a failure's words mean, whoever says them. `Other` where they are not known.
pub(super) fn failure(text: &str) -> Failure {
    let has = |words: &str| text.contains(words);
    if has("abort-by-local") {
        Failure::AbortByLocal
    } else if has("InProgress") || has("In Progress") {
        Failure::InProgress
    } else if has("connection-canceled") {
        Failure::Cancelled
    } else if has("haracteristic") && has("was not found") {
        Failure::CharacteristicNotFound
    } else if has("was not found") || has("' not found") || has("NotFoundError") {
        Failure::DeviceNotFound
    } else if has("failed to discover services") {
        Failure::LostInDiscovery
    } else if has("Service Discovery has not been performed") {
        Failure::NotDiscovered
    } else if has("nlikely") || has("UNLIKELY") {
        Failure::UnlikelyError
    } else if has("No powered Bluetooth adapter")
        || has("Input/output error")
        || has("NotReady")
        || has("Resource Not Ready")
    {
        Failure::AdapterOff
    } else if has("ChildExited")
        || has("ServiceUnknown")
        || has("NameHasNoOwner")
        || has("was not provided by any .service")
    {
        Failure::NoDaemon
    } else if has("Authentication") || has("auth") && has("fail") {
        Failure::Authentication
    } else if has("OutOfConnectionSlots") || has("out of connection slots") || has("NO_RESOURCES") {
        Failure::NoSlot
    } else if has("status=133") || has("status 133") || has("GATT_ERROR") {
        Failure::Gatt133
    } else if has("Timeout")
        || has("timed out")
        || has("Timed out")
        || has("CancelledError")
        || text.trim_end().ends_with("failed:")
    {
        Failure::TimedOut
    } else {
        Failure::Other
    }
}

/// Whether a failure's words say that a policy refused the call before any daemon saw it.
pub(super) fn is_denied(text: &str) -> bool {
    text.contains("Error.AccessDenied") || text.contains("An AppArmor policy prevents this sender")
}

#[cfg(test)]
mod tests {
    use super::super::claim::Reason;
    use super::*;

    #[test]
    fn properties_of_old_and_new_versions_are_read() {
        let path = "received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_F0_12_7C_AA_00_01): ['org.bluez.Device1', {";
        for (values, what) in [
            ("'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]", Some(What::Connected)),
            ("'Connected': ('b', True)}, []]", Some(What::Connected)),
            (
                "'ServicesResolved': <dbus_fast.signature.Variant ('b', False)>, 'Connected': <dbus_fast.signature.Variant ('b', False)>}",
                Some(What::Disconnected(Reason::Unsaid)),
            ),
            (
                "'UUIDs': <x>, 'ServicesResolved': <dbus_fast.signature.Variant ('b', True)>}",
                Some(What::ServicesResolved),
            ),
            ("'RSSI': <dbus_fast.signature.Variant ('n', -57)>}, []]", None),
        ] {
            assert_eq!(library(&format!("{path}{values}")), what, "{values}");
        }
        assert_eq!(
            library(
                "received D-Bus signal: InterfacesRemoved (/): ['/org/bluez/hci0', ['org.bluez.Adapter1']]"
            ),
            Some(What::AdapterGone)
        );
        assert_eq!(
            library(
                "received D-Bus signal: InterfacesRemoved (/): ['/org/bluez/hci0/dev_F0', ['x']]"
            ),
            None
        );
    }

    #[test]
    fn an_exception_is_one_by_its_place_and_name() {
        let at = |text| match exception(text) {
            Some(What::Failed { how, .. }) => Some(how),
            _ => None,
        };
        assert_eq!(at("TimeoutError"), Some(Failure::TimedOut));
        assert_eq!(
            at("bleak.exc.BleakDBusError: [org.bluez.Error.InProgress] In Progress"),
            Some(Failure::InProgress)
        );
        assert_eq!(
            at(
                "bleak.exc.BleakDeviceNotFoundError: Device with address F0:12:7C:AA:00:01 was not found."
            ),
            Some(Failure::DeviceNotFound)
        );
        assert_eq!(
            at("bleak.exc.BleakCharacteristicNotFoundError: Characteristic 8F was not found!"),
            Some(Failure::CharacteristicNotFound)
        );
        // Source lines of a traceback are code, not messages.
        for text in [
            "    self.address, f\"Device with address {self.address} was not found.\"",
            "raise BleakError(",
            "Error",
            "ErrorText here",
        ] {
            assert!(exception(text).is_none() || text == "Error", "{text}");
        }
    }
}
