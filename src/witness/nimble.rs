//! NimBLE, on ESP-IDF and on Arduino. Reasons are 0x200 plus HCI's, in decimal; values stand on the next line.
use super::claim::{Asker, FailedAt, Failure, Kind, Reason, What};
use super::head::Form;
use super::reader::{Memory, Message, Reader, Said, address_at, behind, decimal};

pub(super) const READER: Reader = Reader { kind: Kind::NimBle, marks: &["NimBLE"], read };

/// Where HCI's codes begin among NimBLE's return codes.
const HCI_BASE: u32 = 0x200;

fn read(line: &Message<'_>, _: &Memory) -> Option<Said> {
    (line.form == Some(Form::EspIdf) && line.author.starts_with("NimBLE")).then_some(())?;
    let handle = behind(line.text, "conn_handle=").and_then(decimal);
    let handle = handle.and_then(|n| u16::try_from(n).ok());
    Some(Said::from(meaning(line.text.trim_matches('"'))?).on(handle))
}

fn meaning(text: &str) -> Option<What> {
    let has = |words: &str| text.contains(words);
    Some(if has("GAP procedure initiated: connect") {
        What::ConnectAsked(Asker::Stack)
    } else if has("GAP procedure initiated: terminate") {
        What::HangUpAsked
    } else if let Some(status) = behind(text, "connection established; status=").and_then(decimal) {
        match status {
            0 => What::Connected,
            _ => What::ConnectFailed(hci(status)),
        }
    } else if text.starts_with("Connected event") || text.starts_with("Connection established") {
        What::Connected
    } else if let Some(size) =
        behind(text, "mtu=").and_then(decimal).filter(|_| has("mtu update event"))
    {
        What::Mtu(u16::try_from(size).ok()?)
    } else if let Some(reason) = behind(text, "disconnect; reason=").and_then(decimal) {
        What::Disconnected(hci(reason))
    } else if let Some(status) = behind(text, "Connection failed; status=").and_then(decimal) {
        match hci(status) {
            Reason::Hci(_) => What::Failed { how: Failure::Other, by: FailedAt::Call },
            reason => What::ConnectFailed(reason),
        }
    } else if address_at(text.trim(), b":").is_some() {
        What::AddressNamed
    } else {
        return None;
    })
}

/// 574 is HCI's 0x3e. Below 0x200 are codes of the host, such as 13, a timeout.
fn hci(code: u32) -> Reason {
    let hci = code.checked_sub(HCI_BASE).and_then(|code| u8::try_from(code).ok());
    hci.map_or(Reason::Unsaid, Reason::Hci)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood() {
        for (text, what) in [
            ("disconnect; reason=574 ", Some(What::Disconnected(Reason::Hci(0x3e)))),
            ("disconnect; reason=531, ", Some(What::Disconnected(Reason::Hci(0x13)))),
            ("Error: Connection failed; status=13", Some(What::ConnectFailed(Reason::Unsaid))),
            ("connection established; status=0 ", Some(What::Connected)),
            ("mtu update event; conn_handle=64 cid=4 mtu=247", Some(What::Mtu(247))),
            ("f0:12:7c:aa:00:01", Some(What::AddressNamed)),
            ("peer_addr_type=1 peer_addr=", None),
        ] {
            assert_eq!(meaning(text), what, "{text}");
        }
    }
}
