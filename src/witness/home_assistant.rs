//! Home Assistant's own Bluetooth loggers: habluetooth, the ESPHome proxies' client.
use super::claim::{FailedAt, Failure, Kind, Radio, Reason, What};
use super::reader::{Memory, Message, Reader, Said, adapter, adapter_address, behind, decimal};
use super::retry_connector::radio;

pub(super) const READER: Reader = Reader {
    kind: Kind::HomeAssistant,
    marks: &["habluetooth", "esphome.bluetooth", "bleak_esphome"],
    read,
};

fn read(line: &Message<'_>, _: &Memory) -> Option<Said> {
    if line.author.starts_with("habluetooth") {
        return paths(line.text);
    }
    // The short word first: few authors have it, and it is found fast.
    line.author.contains("esphome").then_some(())?;
    let proxies =
        line.author.contains("esphome.bluetooth") || line.author.contains("bleak_esphome");
    proxies.then_some(())?;
    proxy(line.text).map(|what| Said::from(what).over(Radio::Proxy))
}

fn paths(text: &str) -> Option<Said> {
    let has = |words: &str| text.contains(words);
    let what = if has(": Connecting via ") || has("Found ") && has("connection path") {
        What::PathChosen
    } else if has("Connected via ") {
        What::Aside
    } else if has("Failed to connect via ") {
        What::Failed { how: Failure::Other, by: FailedAt::Retry }
    } else {
        return None;
    };
    let via = behind(text, " via ").or_else(|| behind(text, "order: "));
    let over = via.map(|via| match adapter(via.split(' ').next().unwrap_or(via)) {
        Some(number) => Radio::Adapter(number),
        None => radio(text),
    });
    let mut said = Said::from(what).over(over.unwrap_or_default());
    said.adapter_address = via.and_then(adapter_address);
    Some(said)
}

/// `NAME - ADDR: Connection state changed to connected=False mtu=0 error=62`: decimal.
fn proxy(text: &str) -> Option<What> {
    if let Some(state) = behind(text, "Connection state changed to connected=") {
        if state.starts_with("True") {
            return Some(What::Connected);
        }
        let error = behind(state, "error=").and_then(decimal);
        let reason = error.and_then(|n| u8::try_from(n).ok()).filter(|n| *n != 0);
        return Some(What::Disconnected(reason.map_or(Reason::Unsaid, Reason::Hci)));
    }
    let failed = text.contains("Error ESP_GATT") || text.contains("Failed to connect");
    failed.then_some(What::Failed { how: Failure::Other, by: FailedAt::Retry })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_that_is_taken_names_its_adapter() {
        let text = "F0:12:7C:AA:00:01 - LabSensor -> /org/bluez/hci1: Connecting via hci1 (B8:27:EB:12:34:57) [BleakBackend.BLUEZ_DBUS] (last rssi: -57)";
        let said = paths(text).unwrap();
        assert_eq!((said.what, said.radio), (What::PathChosen, Radio::Adapter(1)));
        assert_eq!(said.adapter_address, "B8:27:EB:12:34:57".parse().ok());
        assert_eq!(
            proxy("hall: L - A: Connection state changed to connected=False mtu=0 error=62"),
            Some(What::Disconnected(Reason::Hci(62)))
        );
        assert_eq!(proxy("Sending ping"), None);
    }
}
