//! What a log says in the place of a capture: for each claim the line that makes it, and the nearest that does not.
use crate::diagnose::{Confidence, Finding, Level};

/// What is found in these lines alone.
fn found(lines: &[&str]) -> Vec<Finding> {
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let input = crate::capture::Input::bytes("log", text.as_bytes());
    crate::analyse(&crate::Case::one(input)).expect("it is read").findings
}

/// How loud that rule says it, how sure, and with how many lines.
fn said(rule: &str, lines: &[&str]) -> Option<(Level, Confidence, usize)> {
    let found = found(lines);
    let finding = found.iter().find(|finding| finding.rule == rule)?;
    Some((finding.level, finding.confidence, finding.evidence.len()))
}

/// Lines of bluetoothd, behind its first one.
fn daemon<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let first = ["bluetoothd[1]: Bluetooth daemon 5.82"];
    first.into_iter().chain(lines.iter().copied()).collect()
}

const SUSPECT: Option<(Level, Confidence, usize)> = Some((Level::Suspect, Confidence::Medium, 1));
const CAUSE: Option<(Level, Confidence, usize)> = Some((Level::Cause, Confidence::Medium, 1));
const ENDS: &str = "bluetoothd[1]: Terminating";

/// The answer of a call, as a program prints it.
fn answered(error: &str) -> Vec<String> {
    vec![
        "2025-09-04 15:33:20,100 INFO app: Connecting to F0:12:7C:AA:00:01".into(),
        format!(
            "2025-09-04 15:33:20,300 ERROR app: Communication with F0:12:7C:AA:00:01 failed: {error}"
        ),
    ]
}

fn said_of_answer(rule: &str, error: &str) -> Option<(Level, Confidence, usize)> {
    let lines = answered(error);
    said(rule, &lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_bus_without_a_daemon_says_so() {
    let gone = "[org.freedesktop.DBus.Error.ServiceUnknown] The name org.bluez was not provided by any .service files";
    assert_eq!(said_of_answer("local-stack-stopped", gone), CAUSE);
    let other = "[org.bluez.Error.NotAuthorized] Not authorized";
    assert_eq!(said_of_answer("local-stack-stopped", other), None);
}

#[test]
fn a_connect_that_is_refused_for_an_older_one() {
    let busy = "[org.bluez.Error.InProgress] In Progress";
    assert_eq!(said_of_answer("inprogress-stale-connect", busy), CAUSE);
    let other = "[org.bluez.Error.Failed] le-connection-abort-by-local";
    assert_eq!(said_of_answer("inprogress-stale-connect", other), None);
}

/// A daemon that ends switches the adapter off as well: that is no fault.
#[test]
fn an_adapter_is_switched_off_while_the_daemon_lives() {
    let rule = "suspend-or-power";
    let off =
        "bluetoothd[1]: src/adapter.c:adapter_stop() adapter /org/bluez/hci0 has been disabled";
    assert_eq!(said(rule, &daemon(&[off])), SUSPECT);
    assert_eq!(said(rule, &daemon(&[off, ENDS])), SUSPECT);
    assert_eq!(said(rule, &daemon(&[ENDS, off])), None);
    assert_eq!(said(rule, &daemon(&[ENDS])), None);
    assert_eq!(said_of_answer(rule, "[org.bluez.Error.NotReady] Resource Not Ready"), SUSPECT);
    assert_eq!(said_of_answer(rule, "[org.bluez.Error.NotAuthorized] Not authorized"), None);
}

#[test]
fn an_adapter_is_lost_while_the_daemon_lives() {
    let rule = "adapter-removed";
    let gone = "bluetoothd[1]: src/adapter.c:adapter_remove() Removing adapter /org/bluez/hci0";
    let other = "bluetoothd[1]: src/adapter.c:index_removed() index 1";
    assert_eq!(said(rule, &daemon(&[gone])), SUSPECT);
    assert_eq!(said(rule, &daemon(&[gone, other])), SUSPECT, "the first line tells it");
    assert_eq!(said(rule, &daemon(&[gone, ENDS])), SUSPECT);
    assert_eq!(said(rule, &daemon(&[ENDS, gone])), None);
    assert_eq!(said(rule, &daemon(&[ENDS])), None);
}

/// The daemon's reason 1 is a timeout, and nothing else; 3 is the device.
#[test]
fn a_timeout_is_told_by_its_number() {
    let rule = "supervision-timeout-0x08";
    let ended = |reason: u8| {
        format!(
            "bluetoothd[1]: src/adapter.c:dev_disconnected() Device F0:12:7C:AA:00:01 disconnected, reason {reason}"
        )
    };
    let of = |reason| said(rule, &daemon(&[&ended(reason)]));
    assert_eq!([0, 1, 2, 3].map(of), [None, SUSPECT, None, None]);
    let esp = |reason: &str| {
        let line = format!(
            "[12:00:00][D][esp32_ble_client:172]: [0] [F0:12:7C:AA:00:01] ESP_GATTC_DISCONNECT_EVT, reason {reason}"
        );
        said(rule, &[&line])
    };
    assert_eq!(["0x08", "0x13", "0x3e"].map(esp), [CAUSE, None, None], "HCI's own number");
}

#[test]
fn a_hardware_error_of_the_kernel_s_log() {
    let rule = "controller-hardware-error";
    let line = "[  100.500000] Bluetooth: hci0: hardware error 0x03";
    assert_eq!(said(rule, &[line]), SUSPECT);
    // Three lines are enough to prove it.
    assert_eq!(said(rule, &[line; 5]), Some((Level::Suspect, Confidence::Medium, 3)));
    assert_eq!(said(rule, &["[  100.500000] Bluetooth: hci0: command 0x0406 tx timeout"]), None);
}

/// 38, Function not implemented, is what the kernel makes of 0x3E alone.
#[test]
fn links_that_were_never_established_are_counted() {
    let rule = "never-heard-peer";
    let fails = [
        "bluetoothd[1]: src/device.c:device_connect_le() Connection attempt to: F0:12:7C:AA:00:01",
        "bluetoothd[1]: src/device.c:att_connect_cb() connect to F0:12:7C:AA:00:01: Function not implemented (38)",
    ];
    assert_eq!(said(rule, &daemon(&fails)), SUSPECT);
    let says = |times: usize| found(&daemon(&fails.repeat(times)))[0].says.to_string();
    assert!(says(1).starts_with("1 link ended"), "{}", says(1));
    assert!(says(4).starts_with("4 links ended"), "{}", says(4));
    assert_eq!(said(rule, &daemon(&fails.repeat(4))).map(|(.., lines)| lines), Some(3));
    let reset = [
        fails[0],
        "bluetoothd[1]: src/device.c:att_connect_cb() connect to F0:12:7C:AA:00:01: Connection reset by peer (104)",
    ];
    assert_eq!(said(rule, &daemon(&reset)), None);
}

/// A link that comes up, and ends that many milliseconds later, each from another second of the journal on.
fn journal(lived: &[u32], reason: u8) -> Vec<String> {
    let at = |second: usize, ms: u32| {
        let ms = second as u32 * 10_000 + ms;
        let (minutes, seconds, ms) = (ms / 60_000, ms / 1_000 % 60, ms % 1_000);
        format!("2025-06-20T09:{minutes:02}:{seconds:02}.{ms:03}000+0000 pi bluetoothd[512]: ")
    };
    let of = |(n, lived): (usize, &u32)| {
        [
            at(n, 0) + "src/device.c:device_connect_le() Connection attempt to: F0:12:7C:AA:00:01",
            at(n, 100)
                + "src/adapter.c:connected_callback() hci0 device F0:12:7C:AA:00:01 connected eir_len 14",
            at(n, 100 + lived)
                + &format!(
                    "src/adapter.c:dev_disconnected() Device F0:12:7C:AA:00:01 disconnected, reason {reason}"
                ),
        ]
    };
    lived.iter().enumerate().flat_map(of).collect()
}

/// Two links at least that the device ends within three seconds.
#[test]
fn a_device_that_hangs_up_early_again_and_again() {
    let of = |lived: &[u32], reason| {
        let lines = journal(lived, reason);
        said("peer-hangs-up-on-deadline", &lines.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let two = Some((Level::Suspect, Confidence::Low, 2));
    assert_eq!(of(&[423, 424], 3), two);
    assert_eq!(of(&[423], 3), None, "once is chance");
    assert_eq!(of(&[3_000, 2_999], 3), two);
    assert_eq!(of(&[3_001, 423], 3), None);
    assert_eq!(of(&[1, 423], 3), two);
    assert_eq!(of(&[0, 423], 3), None, "the two lines have one time");
    assert_eq!(of(&[423, 424], 2), None, "this host ended them");
    assert_eq!(of(&[423, 424, 425, 426], 3), Some((Level::Suspect, Confidence::Low, 3)));
}

#[test]
fn a_link_that_a_program_hangs_up_has_no_deadline() {
    let line = |at: &str, rest: &str| {
        format!("[12:00:{at}][D][esp32_ble_client:172]: [0] [F0:12:7C:AA:00:01] {rest}")
    };
    let of = |asked: bool| {
        let link = |at: u32| {
            let mut lines = vec![
                line(&format!("{at:02}.000"), "0x01 Connecting"),
                line(&format!("{at:02}.100"), "ESP_GATTC_OPEN_EVT"),
                line(&format!("{at:02}.100"), "Connection open"),
            ];
            if asked {
                lines.push(line(&format!("{at:02}.500"), "Disconnecting"));
            }
            lines.push(line(&format!("{at:02}.600"), "ESP_GATTC_DISCONNECT_EVT, reason 0x13"));
            lines
        };
        let lines: Vec<String> = [10, 20].into_iter().flat_map(link).collect();
        said("peer-hangs-up-on-deadline", &lines.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(of(false), Some((Level::Suspect, Confidence::Low, 2)));
    assert_eq!(of(true), None);
}

/// Reason 4 is a failed authentication: of a bond, unless somebody was just pairing.
#[test]
fn a_bond_is_lost_where_nobody_was_pairing() {
    let rule = "pin-or-key-missing-0x06";
    let asks =
        "bluetoothd[1]: src/device.c:device_connect_le() Connection attempt to: F0:12:7C:AA:00:01";
    let ended = |reason: u8| {
        format!(
            "bluetoothd[1]: src/adapter.c:dev_disconnected() Device F0:12:7C:AA:00:01 disconnected, reason {reason}"
        )
    };
    assert_eq!(said(rule, &daemon(&[asks, &ended(4)])), SUSPECT);
    assert_eq!(said(rule, &daemon(&[asks, &ended(3)])), None);
    let agent = "bluetoothd[1]: src/device.c:new_auth() Requesting agent authentication for F0:12:7C:AA:00:01";
    assert_eq!(said(rule, &daemon(&[asks, agent, &ended(4)])), None);
}

#[test]
fn a_pairing_without_an_agent() {
    let none = "bluetoothd[1]: src/device.c:new_auth() No agent available for request type 2";
    let asked = "bluetoothd[1]: src/device.c:new_auth() Requesting agent authentication for F0:12:7C:AA:00:01";
    assert_eq!(said("no-pairing-agent", &daemon(&[none])), SUSPECT);
    assert_eq!(said("no-pairing-agent", &daemon(&[asked])), None);
}

/// The MTU exchange (0x02) is the first request: without its answer nothing was ever usable.
#[test]
fn a_request_that_timed_out_is_the_first_one_or_a_later_one() {
    let late = |opcode: &str| {
        let line = format!(
            "bluetoothd[1]: src/shared/att.c:timeout_cb() (chan 0x5579e5049830) Operation timed out: {opcode}"
        );
        let lines = daemon(&[&line]);
        ["att-transaction-timeout-30s", "never-usable-connection"].map(|rule| said(rule, &lines))
    };
    assert_eq!(late("0x12"), [SUSPECT, None]);
    assert_eq!(late("0x02"), [None, Some((Level::Suspect, Confidence::Low, 1))]);
    assert_eq!(late("0x01"), [SUSPECT, None]);
    assert_eq!(late("0x04"), [SUSPECT, None]);
}

/// Status 8 of mgmt is a timeout of the connect request.
#[test]
fn a_connect_request_that_nobody_answered() {
    let failed = |status: u8| {
        let line = format!(
            "bluetoothd[1]: src/adapter.c:connect_failed_callback() hci0 F0:12:7C:AA:00:01 status {status}"
        );
        said("create-conn-timeout-cancel", &daemon(&[&line]))
    };
    assert_eq!([4, 7, 8, 9].map(failed), [None, None, SUSPECT, None]);
}

/// Beside a capture a log speaks for itself where its times are those of the capture.
#[test]
fn beside_a_capture_a_log_without_times_says_nothing_by_itself() {
    use crate::diagnose::{Example, Scene, diagnose};
    use crate::trace::Trace;
    let rules = |log: &'static str| {
        let up = Trace::new().wait_ms(200).up().mtu().wait_ms(3_000);
        let example = Example::with_log(up, log);
        let captures = [example.subject.run()];
        let testimonies = &example.testimonies(&captures);
        let scene = Scene { captures: &captures, testimonies, subject: 0, comparison: None };
        diagnose(&scene).iter().any(|finding| finding.rule == "inprogress-stale-connect")
    };
    assert!(rules("\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:21,000 ERROR app: Communication with C0:00:00:00:00:01 failed: [org.bluez.Error.InProgress] In Progress
"));
    assert!(!rules(
        "\
bluetoothd[1]: Bluetooth daemon 5.82
bluetoothd[1]: src/device.c:device_connect_le() Connection attempt to: C0:00:00:00:00:01
bluetoothd[1]: [:1.33:error] < org.bluez.Error.InProgress [#2]
"
    ));
}
