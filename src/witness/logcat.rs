//! Android's logcat: the app's BluetoothGatt, the GATT service, and the stack below it.
use super::claim::{Asker, FailedAt, Failure, Kind, Reason, What};
use super::head::Form;
use super::reader::{Memory, Message, Reader, Said, behind, decimal, hexadecimal};

pub(super) const READER: Reader = Reader {
    kind: Kind::Logcat,
    marks: &["BluetoothGatt", "BtGatt", "bta_gattc", "btm_sec", "bt_btif", "bt_stack"],
    read,
};

fn read(line: &Message<'_>, _: &Memory) -> Option<Said> {
    (line.form == Some(Form::Logcat)).then_some(())?;
    let handle = behind(line.text, "handle:").and_then(decimal);
    let handle = handle.and_then(|n| u16::try_from(n).ok());
    Some(Said::from(meaning(line.text)?).on(handle))
}

fn meaning(text: &str) -> Option<What> {
    let has = |words: &str| text.contains(words);
    let starts = |words: &str| text.starts_with(words);
    let status =
        || ["status=", "Status="].iter().find_map(|word| behind(text, word)).and_then(decimal);
    Some(if starts("connect() - device: ") {
        What::ConnectAsked(Asker::Program)
    } else if starts("clientConnect() - address=") {
        What::ConnectAsked(Asker::Stack)
    } else if starts("onConnected() - ") {
        What::Connected
    } else if starts("onClientConnectionState() - ") {
        state(status()?)
    } else if let Some(size) =
        behind(text, "mtu=").and_then(decimal).filter(|_| has("onConfigureMTU"))
    {
        What::Mtu(u16::try_from(size).ok()?)
    } else if starts("onSearchComplete()") && status() == Some(0) {
        What::ServicesResolved
    } else if starts("cancelOpen() - device: ") || starts("disconnect() - device: ") {
        What::HangUpAsked
    } else if has("bta_gattc_conn_cback") && has("connected=0") {
        let code = behind(text, "reason=").and_then(hexadecimal)?;
        match u8::try_from(code) {
            Ok(code) => What::Disconnected(Reason::Hci(code)),
            Err(_) => What::ConnectFailed(Reason::Cancelled),
        }
    } else if has("btm_sec_disconnected") {
        let code = behind(text, "reason:").and_then(decimal)?;
        What::Disconnected(Reason::Hci(u8::try_from(code).ok()?))
    } else {
        return None;
    })
}

/// `status=0` is both "connected" and "I hung up": which one, the link's state at that moment tells.
fn state(status: u32) -> What {
    match status {
        0 => What::UpOrDown,
        133 => What::Failed { how: Failure::Gatt133, by: FailedAt::Program },
        status => What::Disconnected(u8::try_from(status).map_or(Reason::Unsaid, Reason::Hci)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood() {
        for (text, what) in [
            (
                "connect() - device: F0:12:7C:AA:00:01, auto: false",
                Some(What::ConnectAsked(Asker::Program)),
            ),
            (
                "onClientConnectionState() - status=133 clientIf=6 device=F0:12:7C:AA:00:01",
                Some(What::Failed { how: Failure::Gatt133, by: FailedAt::Program }),
            ),
            (
                "onClientConnectionState() - status=8 clientIf=6 device=F0:12:7C:AA:00:01",
                Some(What::Disconnected(Reason::Hci(8))),
            ),
            (
                "bta_gattc_conn_cback() - cif=3 connected=0 conn_id=3 reason=0x0013",
                Some(What::Disconnected(Reason::Hci(0x13))),
            ),
            (
                "btm_sec_disconnected clearing pending flag handle:64 reason:22",
                Some(What::Disconnected(Reason::Hci(22))),
            ),
            ("registerApp()", None),
        ] {
            assert_eq!(meaning(text), what, "{text}");
        }
    }
}
