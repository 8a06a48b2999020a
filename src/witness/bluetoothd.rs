//! bluetoothd's own lines, as journald, syslog or its standard error have them (`bluetoothd -n -d`).
use super::claim::{Asker, FailedAt, Failure, Kind, Reason, What};
use super::reader::{Memory, Message, Reader, Said, behind, bracketed, decimal, hexadecimal};
use crate::redact::HIDDEN;

pub(super) const READER: Reader = Reader { kind: Kind::Bluetoothd, marks: &["bluetoothd"], read };

fn read(line: &Message<'_>, _: &Memory) -> Option<Said> {
    (line.author == "bluetoothd").then_some(())?;
    Some(meaning(line.text)?.into())
}

/// What a message of bluetoothd means. The same messages stand in a btsnoop file's user logging.
pub(super) fn meaning(text: &str) -> Option<What> {
    // `[0x55f8884e6b90] src/shared/…`: the pointer tells nothing here, and may have been taken out.
    let pointed =
        text.strip_prefix('[').filter(|rest| rest.starts_with("0x") || rest.starts_with(HIDDEN));
    let text = pointed.and_then(|pointer| behind(pointer, "] ")).unwrap_or(text);
    let Some((function, rest)) = function(text) else { return plain(text) };
    let number = |words: &str| behind(rest, words).and_then(decimal);
    let mgmt = |words: &str| {
        Some(number(words).and_then(|n| u8::try_from(n).ok()).map_or(Reason::Unsaid, Reason::Mgmt))
    };
    let errno = || {
        let number = bracketed(rest).and_then(|number| u16::try_from(number).ok());
        Some(number.map_or(Reason::Unsaid, Reason::Errno))
    };
    let what = match function {
        "start_discovery" if rest.contains("sender") => What::ScanStarted,
        "device_found_callback" => What::Heard,
        "device_connect_le" => {
            behind(rest, "Connection attempt to")?;
            What::ConnectAsked(Asker::Stack)
        }
        "connected_callback" if rest.contains(" connected") => What::Connected,
        "connect_failed_callback" => What::ConnectFailed(mgmt("status ")?),
        "att_connect_cb" if rest.contains("connect to ") => What::BearerFailed(errno()?),
        "dev_disconnected" => What::Disconnected(mgmt("reason ")?),
        "att_disconnected_cb" if rest.ends_with(')') => What::BearerClosed(errno()?),
        "exchange_mtu_cb" => What::Mtu(u16::try_from(number("MTU: ")?).ok()?),
        "gatt_client_ready_cb" => match behind(rest, "status: ")? {
            ended if ended.starts_with("success") => What::DiscoveryEnded { ok: true },
            _ => What::DiscoveryEnded { ok: false },
        },
        "timeout_cb" => {
            let opcode = hexadecimal(behind(rest, "Operation timed out: ")?)?;
            What::RequestTimedOut(u8::try_from(opcode).ok()?)
        }
        "new_auth" if rest.contains("No agent available") => What::NoAgent,
        "new_auth" => What::AgentAsked,
        "adapter_stop" if rest.contains("has been disabled") => What::PoweredOff,
        "adapter_unregister" | "adapter_remove" | "index_removed" => What::AdapterGone,
        "rfkill_event" => match number("soft ")? {
            0 => What::Aside,
            _ => What::PoweredOff,
        },
        // `status 14` comes after every disconnect, paired or not.
        "device_bonding_complete" | "bonding_attempt_complete" | "device_bonding_failed" => {
            What::Aside
        }
        _ => return plain(rest),
    };
    Some(what)
}

/// `src/device.c:device_connect_le() message`.
fn function(text: &str) -> Option<(&str, &str)> {
    let (file, rest) = text.split_once(".c:")?;
    let is_file = !file.is_empty() && !file.contains([' ', ':']);
    let (function, rest) = rest.split_once("()").filter(|_| is_file)?;
    Some((function, rest.trim_start()))
}

fn plain(text: &str) -> Option<What> {
    let starts = |words: &str| text.starts_with(words);
    // The daemon's own traffic on the D-Bus: `[:1.33:error] < org.bluez.Error.InProgress [#2]`.
    if starts("[:") && text.contains(":error] < org.bluez.Error.InProgress") {
        return Some(What::Failed { how: Failure::InProgress, by: FailedAt::Call });
    }
    Some(if starts("Bluetooth daemon ") {
        What::DaemonStarted
    } else if starts("Terminating") || text == "Exit" || starts("Stopping SDP server") {
        What::DaemonStopped
    } else if text.contains("No agent available for request") {
        What::NoAgent
    } else if text.contains("Calling Agent.") || text.contains("Requesting agent authentication") {
        What::AgentAsked
    } else if starts("No matching connection for device") {
        // No fault: it follows this host's own ordinary disconnect.
        What::Aside
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood() {
        for (text, what) in [
            (
                "src/device.c:device_connect_le() Connection attempt to: F0:12:7C:AA:00:01",
                What::ConnectAsked(Asker::Stack),
            ),
            (
                "src/adapter.c:connected_callback() hci0 device F0:12:7C:AA:00:01 connected eir_len 14",
                What::Connected,
            ),
            (
                "src/adapter.c:connect_failed_callback() hci0 F0:12:7C:AA:00:01 status 8",
                What::ConnectFailed(Reason::Mgmt(8)),
            ),
            (
                "src/device.c:att_connect_cb() connect to F0:12:7C:AA:00:01: Function not implemented (38)",
                What::BearerFailed(Reason::Errno(38)),
            ),
            (
                "src/adapter.c:dev_disconnected() Device F0:12:7C:AA:00:01 disconnected, reason 3",
                What::Disconnected(Reason::Mgmt(3)),
            ),
            (
                "src/device.c:att_disconnected_cb() Connection reset by peer (104)",
                What::BearerClosed(Reason::Errno(104)),
            ),
            (
                "[(not shown)] src/shared/gatt-client.c:exchange_mtu_cb() MTU exchange complete, with MTU: 247",
                What::Mtu(247),
            ),
            (
                "[0x5646a69782b0] src/shared/gatt-client.c:exchange_mtu_cb() MTU exchange complete, with MTU: 247",
                What::Mtu(247),
            ),
            (
                "src/device.c:gatt_client_ready_cb() status: failed, error: 0",
                What::DiscoveryEnded { ok: false },
            ),
            (
                "src/shared/att.c:timeout_cb() (chan 0x5579e5049830) Operation timed out: 0x12",
                What::RequestTimedOut(0x12),
            ),
            (
                "src/rfkill.c:rfkill_event() RFKILL event idx 0 type 2 op 2 soft 1 hard 0",
                What::PoweredOff,
            ),
            (
                "src/device.c:new_auth() Requesting agent authentication for F0:12:7C:AA:00:01",
                What::AgentAsked,
            ),
            ("src/device.c:new_auth() No agent available for request type 2", What::NoAgent),
            ("src/device.c:device_bonding_complete() bonding (nil) status 0x0e", What::Aside),
            ("Bluetooth daemon 5.82", What::DaemonStarted),
            ("Terminating", What::DaemonStopped),
        ] {
            assert_eq!(meaning(text), Some(what), "{text}");
        }
        for text in [
            "src/adapter.c:trigger_start_discovery()",
            "",
            "[signal] org.freedesktop.DBus.ObjectManager.InterfacesAdded",
            "Terminal",
            "src/a.c:timeout_cb() Operation timed out: ",
        ] {
            assert_eq!(meaning(text), None, "{text}");
        }
    }
}
