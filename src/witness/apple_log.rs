//! The unified log of macOS and iOS: what `bluetoothd` there says, as `log show` prints it or Console copies it.
//!
//! Its numbers are HCI's, with 700 added: 722 is 0x16, 762 is 0x3E.
use super::claim::{Asker, Kind, Reason, What};
use super::head::Form;
use super::reader::{Memory, Message, Reader, Said, behind, decimal, hexadecimal};

pub(super) const READER: Reader = Reader { kind: Kind::AppleLog, marks: &["bluetoothd"], read };

/// What is added to a code of HCI.
const BASE: u32 = 700;

fn read(line: &Message<'_>, _: &Memory) -> Option<Said> {
    (line.form? == Form::Apple).then_some(())?;
    let handle = behind(line.text, "handle=").and_then(hexadecimal);
    let handle = handle.and_then(|handle| u16::try_from(handle).ok()).filter(|handle| *handle != 0);
    Some(Said::from(meaning(line.text)?).on(handle))
}

fn meaning(text: &str) -> Option<What> {
    let number = |words: &str| behind(text, words).and_then(decimal);
    let has = |words: &str| text.contains(words);
    Some(if has("disconnection complete reason ") {
        What::Disconnected(number("disconnection complete reason ").map_or(Reason::Unsaid, reason))
    } else if has("handleConnectionCompleteCallback") {
        match number("status=")? {
            0 => What::Connected,
            status => What::ConnectFailed(reason(status)),
        }
    } else if has("Device connecting - {") {
        What::ConnectAsked(Asker::Stack)
    } else if has("_GATT_LE_DisconnectedCB") || has("Disconnected from device") {
        // The same event again, for another part of the daemon.
        What::Aside
    } else {
        return None;
    })
}

/// A status as a code of HCI. What is below the base is a number of Apple's own.
fn reason(status: u32) -> Reason {
    let code = status.checked_sub(BASE).and_then(|code| u8::try_from(code).ok());
    code.map_or(Reason::Unsaid, Reason::Hci)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood() {
        for (text, what) in [
            (
                "LE ConnManager disconnection complete reason 722 address=<private> localRole=Master",
                What::Disconnected(Reason::Hci(0x16)),
            ),
            (
                "handleConnectionCompleteCallback address=Public 02:00:00:00:00:01 handle=0x0 status=702 connectionIsActive=0",
                What::ConnectFailed(Reason::Hci(0x02)),
            ),
            (
                "handleConnectionCompleteCallback address=Public 02:00:00:00:00:01 handle=0x41 status=0 connectionIsActive=1",
                What::Connected,
            ),
            (
                "Device connecting - {cbuuid: 0BB0, result: 0, adv-addr: 02:00:00:00:00:01-Public}",
                What::ConnectAsked(Asker::Stack),
            ),
            (
                "LE ConnManager disconnection complete reason 12 address=<private>",
                What::Disconnected(Reason::Unsaid),
            ),
        ] {
            assert_eq!(meaning(text), Some(what), "{text}");
        }
        assert_eq!(meaning("session asked to scan"), None);
        assert_eq!(meaning("handleConnectionCompleteCallback address="), None);
    }
}
