//! The kernel's lines: dmesg, and the journal's `-k`; with dynamic debug, its handlers of HCI events.
use super::claim::{Kind, Radio, Reason, What};
use super::reader::{Memory, Message, Reader, Said, adapter, behind, hexadecimal};
use crate::packet::Opcode;

pub(super) const READER: Reader =
    Reader { kind: Kind::Kernel, marks: &["Bluetooth: ", "kernel: ", ": hci"], read };

fn read(line: &Message<'_>, _: &Memory) -> Option<Said> {
    (line.author == "kernel").then_some(())?;
    let over = adapter(line.text).map_or(Radio::Unsaid, Radio::Adapter);
    Some(Said::from(meaning(line.text)?).over(over))
}

fn meaning(text: &str) -> Option<What> {
    if let Some(text) = text.strip_prefix("Bluetooth: ") {
        return Some(
            if let Some(opcode) = behind(text, "command ").and_then(hexadecimal)
                && text.contains("tx timeout")
            {
                What::CommandTimeout(Opcode(u16::try_from(opcode).ok()?))
            } else if let Some(opcode) = behind(text, "Opcode ").and_then(hexadecimal)
                && text.contains("failed: -110")
            {
                What::CommandTimeout(Opcode(u16::try_from(opcode).ok()?))
            } else if let Some(code) = behind(text, "hardware error ").and_then(hexadecimal) {
                What::HardwareError(u8::try_from(code).ok()?)
            } else {
                What::Aside
            },
        );
    }
    let (handler, rest) = text.split_once(": hci")?;
    let succeeded = rest.contains("status 0x00");
    Some(match handler {
        "hci_le_conn_complete_evt" | "hci_le_enh_conn_complete_evt" | "le_conn_complete_evt"
            if succeeded =>
        {
            What::Connected
        }
        "hci_disconn_complete_evt" if succeeded => What::Disconnected(Reason::Unsaid),
        "hci_cs_le_create_conn"
        | "hci_cs_disconnect"
        | "hci_conn_failed"
        | "hci_disconnect"
        | "hci_abort_conn"
        | "hci_le_conn_failed"
        | "hci_encrypt_change_evt"
        | "mgmt_device_disconnected" => What::Aside,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood() {
        assert_eq!(
            meaning("Bluetooth: hci0: command 0x0406 tx timeout"),
            Some(What::CommandTimeout(Opcode(0x0406)))
        );
        assert_eq!(
            meaning("Bluetooth: hci0: Opcode 0x200e failed: -110"),
            Some(What::CommandTimeout(Opcode(0x200e)))
        );
        assert_eq!(meaning("Bluetooth: hci0: hardware error 0x03"), Some(What::HardwareError(3)));
        assert_eq!(meaning("Bluetooth: MGMT ver 1.23"), Some(What::Aside));
        assert_eq!(meaning("hci_le_conn_complete_evt: hci0: status 0x00"), Some(What::Connected));
        // 0x3e is the event's code here, and not the error.
        assert_eq!(meaning("hci_event_packet: hci0: event 0x3e"), None);
        assert_eq!(meaning("usb 1-1.2: new device"), None);
    }
}
