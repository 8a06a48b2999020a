//! A transcript of bluetoothctl: no clock of any kind, the prompt before each message.
use super::bleak::{failure, is_denied};
use super::claim::{Asker, FailedAt, Failure, Kind, Reason, What};
use super::reader::{Memory, Message, Reader, Said, behind, decimal};

pub(super) const READER: Reader = Reader {
    kind: Kind::Bluetoothctl,
    marks: &[
        "Attempting to",
        "Device ",
        "Connection successful",
        "Failed to",
        "eir_len",
        "disconnected with reason",
        "auth failed",
        "connect failed",
        "Pairing successful",
        "Disconnection successful",
    ],
    read,
};

fn read(line: &Message<'_>, _: &Memory) -> Option<Said> {
    if line.form.is_some() {
        return None;
    }
    Some(meaning(unprompted(line.text))?.into())
}

/// The message without the prompts before it: `[bluetoothctl]> `, `[NAME]> `, `[bluetooth]# `.
fn unprompted(text: &str) -> &str {
    let mut text = text;
    while let Some((_, behind)) = text.split_once("]> ").or_else(|| text.split_once("]# ")) {
        text = behind;
    }
    text.trim()
}

fn meaning(text: &str) -> Option<What> {
    let has = |words: &str| text.contains(words);
    let ends = |words: &str| text.ends_with(words);
    let changed = text.strip_prefix("[CHG] ").unwrap_or(text);
    if changed.starts_with("Device ") {
        return Some(if ends(" Connected: yes") {
            What::Connected
        } else if ends(" Connected: no") {
            What::Disconnected(Reason::Unsaid)
        } else if ends(" ServicesResolved: yes") {
            What::ServicesResolved
        } else if ends(" Paired: yes") || ends(" Bonded: yes") {
            What::Paired
        } else if ends(" not available") {
            What::Failed { how: Failure::DeviceNotFound, by: FailedAt::Call }
        } else {
            return None;
        });
    }
    // What mgmt says, printed as it comes.
    if text.starts_with("hci") {
        let number =
            |words| behind(text, words).and_then(decimal).and_then(|n| u8::try_from(n).ok());
        return Some(if has(" connected eir_len") {
            What::Connected
        } else if let Some(reason) = number("disconnected with reason ") {
            What::Disconnected(Reason::Mgmt(reason))
        } else if has(" connect failed") {
            What::ConnectFailed(number("status ").map_or(Reason::Unsaid, Reason::Mgmt))
        } else if has(" auth failed") {
            What::PairingFailed
        } else {
            return None;
        });
    }
    Some(if text.starts_with("Attempting to connect to ") {
        What::ConnectAsked(Asker::Stack)
    } else if text.starts_with("Attempting to pair with ") {
        What::PairAsked
    } else if text.starts_with("Connection successful") {
        What::ConnectAnswered
    } else if text.starts_with("Pairing successful")
        || text.starts_with("Disconnection successful")
        || text.starts_with("Successful disconnected")
    {
        What::Aside
    } else if text.starts_with("Failed to connect: ") || text.starts_with("Failed to pair: ") {
        if is_denied(text) {
            What::Denied
        } else {
            What::Failed { how: failure(text), by: FailedAt::Call }
        }
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_behind_any_number_of_prompts() {
        let at = |text| meaning(unprompted(text));
        assert_eq!(
            at("[bluetoothctl]> [LabSensor]> [CHG] Device F0:12:7C:AA:00:01 Connected: yes"),
            Some(What::Connected)
        );
        assert_eq!(
            at("[bluetoothctl]> hci0 F0:12:7C:AA:00:01 type LE Random disconnected with reason 3"),
            Some(What::Disconnected(Reason::Mgmt(3)))
        );
        assert_eq!(
            at("Failed to pair: org.bluez.Error.AuthenticationFailed"),
            Some(What::Failed { how: Failure::Authentication, by: FailedAt::Call })
        );
        assert_eq!(at("Device F0:12:7C:AA:00:01 (random)"), None);
        assert_eq!(at("[bluetoothctl]> power on"), None);
    }
}
