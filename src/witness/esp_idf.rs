//! ESP-IDF's Bluedroid and its examples: handle and reason in hexadecimal, one line for each registered client.
use super::claim::{Asker, FailedAt, Failure, Kind, Reason, What};
use super::head::Form;
use super::reader::{
    Memory, Message, Reader, Said, address_at, behind, decimal, either, hexadecimal,
};

pub(super) const READER: Reader =
    Reader { kind: Kind::EspIdf, marks: &["BT_HCI", "BT_APPL", "GATTC", "gattc"], read };

fn read(line: &Message<'_>, _: &Memory) -> Option<Said> {
    (line.form == Some(Form::EspIdf)).then_some(())?;
    if line.author.starts_with("NimBLE") {
        return None;
    }
    let handle = ["hdl=", "hdl "].iter().find_map(|word| behind(line.text, word));
    let handle = handle.and_then(either).and_then(|n| u16::try_from(n).ok());
    Some(Said::from(meaning(line.text)?).on(handle))
}

fn meaning(text: &str) -> Option<What> {
    let has = |words: &str| text.contains(words);
    let hci = |words: &str| behind(text, words).and_then(hexadecimal);
    Some(if has("hci cmd send: disconnect") {
        What::HangUpAsked
    } else if has("disc complete: ") || has("DiscCmpl evt") {
        reason_of(hci("rsn ").or_else(|| hci("rsn="))?)
    } else if has("gattc_conn_cb") && !has("connected=1") {
        reason_of(hci("rsn=").or_else(|| hci("reason="))?)
    } else if let Some(reason) = behind(text, "ESP_GATTC_DISCONNECT_EVT, reason = ") {
        reason_of(either(reason)?)
    } else if has("ESP_GATTC_CONNECT_EVT") || text.starts_with("open success") {
        What::Connected
    } else if text.starts_with("connect to the remote device") {
        What::ConnectAsked(Asker::Stack)
    } else if let Some(size) = behind(text, "MTU ").and_then(decimal).filter(|_| has("CFG_MTU_EVT"))
    {
        What::Mtu(u16::try_from(size).ok()?)
    } else if has("ESP_GATTC_SEARCH_CMPL_EVT") {
        What::ServicesResolved
    } else if has("open failed") {
        What::Failed { how: Failure::Gatt133, by: FailedAt::Call }
    } else if address_at(text, b" :").is_some() {
        What::AddressNamed
    } else {
        return None;
    })
}

/// 0x100 is ESP-IDF's own number: the request was cancelled locally.
fn reason_of(code: u32) -> What {
    match u8::try_from(code) {
        Ok(code) => What::Disconnected(Reason::Hci(code)),
        Err(_) if code == 0x100 => What::ConnectFailed(Reason::Cancelled),
        Err(_) => What::Disconnected(Reason::Unsaid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood() {
        for (text, what) in [
            (
                "hcif disc complete: hdl 0x40, rsn 0x13 dev_find 1",
                Some(What::Disconnected(Reason::Hci(0x13))),
            ),
            ("DiscCmpl evt: hdl=3, rsn=0x3e", Some(What::Disconnected(Reason::Hci(0x3e)))),
            (
                "gattc_conn_cb: if=3 st=0 id=3 rsn=0x100",
                Some(What::ConnectFailed(Reason::Cancelled)),
            ),
            (
                "bta_gattc_conn_cback() - cif=1 connected=0 conn_id=1 reason=0x003e",
                Some(What::Disconnected(Reason::Hci(0x3e))),
            ),
            ("ESP_GATTC_DISCONNECT_EVT, reason = 62", Some(What::Disconnected(Reason::Hci(62)))),
            ("hci cmd send: disconnect: hdl 0x40, rsn:0x13", Some(What::HangUpAsked)),
            ("f0 12 7c aa 00 01", Some(What::AddressNamed)),
            ("stop scan successfully", None),
        ] {
            assert_eq!(meaning(text), what, "{text}");
        }
    }
}
