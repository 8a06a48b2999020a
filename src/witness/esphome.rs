//! ESPHome's components: the Bluetooth proxy and its client. `[SLOT] [ADDR] message`.
use super::claim::{Asker, FailedAt, Failure, Kind, Reason, What};
use super::head::Form;
use super::reader::{Memory, Message, Reader, Said, behind, decimal, either, hexadecimal};

pub(super) const READER: Reader =
    Reader { kind: Kind::Esphome, marks: &["esp32_ble", "bluetooth_proxy", "ble_client"], read };

fn read(line: &Message<'_>, _: &Memory) -> Option<Said> {
    (line.form == Some(Form::Esphome)).then_some(())?;
    let ours = ["esp32_ble_client", "bluetooth_proxy", "ble_client"];
    ours.iter().any(|name| line.author.starts_with(name)).then_some(())?;
    Some(meaning(line.text)?.into())
}

fn meaning(text: &str) -> Option<What> {
    let has = |words: &str| text.contains(words);
    Some(if has("] Connecting v") {
        What::ConnectAsked(Asker::Program)
    } else if has("0x00 Connecting") || has("0x01 Connecting") || has("Attempting BLE connection") {
        What::ConnectAsked(Asker::Stack)
    } else if has("ESP_GATTC_OPEN_EVT in ") {
        What::Aside
    } else if has("ESP_GATTC_CONNECT_EVT")
        || has("ESP_GATTC_OPEN_EVT")
        || text.ends_with("Connection open")
    {
        What::Connected
    } else if let Some(size) = behind(text, ", mtu ").and_then(decimal).filter(|_| has("cfg_mtu")) {
        What::Mtu(u16::try_from(size).ok()?)
    } else if has("Service discovery complete") {
        What::ServicesResolved
    } else if has("] Disconnecting") {
        What::HangUpAsked
    } else if let Some(number) = behind(text, "ESP_GATTC_DISCONNECT_EVT, reason ") {
        disconnected(number)?
    } else if has("Remote closed during discovery") {
        What::Disconnected(Reason::Hci(0x13))
    } else if has("Connection open error, status=") {
        What::Failed { how: Failure::Gatt133, by: FailedAt::Call }
    } else {
        return None;
    })
}

/// Hexadecimal since 2025.8; before, decimal or hexadecimal without `0x`, which two digits do not tell.
fn disconnected(number: &str) -> Option<What> {
    let marked = number.starts_with("0x");
    let reason = match either(number)? {
        0x100 if marked => return Some(What::ConnectFailed(Reason::Cancelled)),
        256 => return Some(What::ConnectFailed(Reason::Cancelled)),
        code if marked => Reason::Hci(u8::try_from(code).ok()?),
        // 62 and 19 are no reasons in hexadecimal, 3e and 13 none in decimal.
        62 => Reason::Hci(0x3e),
        19 => Reason::Hci(0x13),
        8 => Reason::Hci(0x08),
        _ if hexadecimal(number) == Some(0x3e) => Reason::Hci(0x3e),
        _ => Reason::Unsaid,
    };
    Some(What::Disconnected(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood() {
        for (text, what) in [
            (
                "[0] [F0:12:7C:AA:00:01] Connecting v3 without cache",
                Some(What::ConnectAsked(Asker::Program)),
            ),
            ("[0] [F0:12:7C:AA:00:01] 0x01 Connecting", Some(What::ConnectAsked(Asker::Stack))),
            ("[0] [F0:12:7C:AA:00:01] cfg_mtu status 0, mtu 247", Some(What::Mtu(247))),
            (
                "[0] [F0:12:7C:AA:00:01] ESP_GATTC_DISCONNECT_EVT, reason 0x3e",
                Some(What::Disconnected(Reason::Hci(0x3e))),
            ),
            (
                "[0] [F0:12:7C:AA:00:01] ESP_GATTC_DISCONNECT_EVT, reason 62",
                Some(What::Disconnected(Reason::Hci(0x3e))),
            ),
            (
                "[0] [F0:12:7C:AA:00:01] ESP_GATTC_DISCONNECT_EVT, reason 14",
                Some(What::Disconnected(Reason::Unsaid)),
            ),
            (
                "[0] [F0:12:7C:AA:00:01] ESP_GATTC_DISCONNECT_EVT, reason 0x100",
                Some(What::ConnectFailed(Reason::Cancelled)),
            ),
            ("connecting: 0, discovered: 1", None),
        ] {
            assert_eq!(meaning(text), what, "{text}");
        }
    }
}
