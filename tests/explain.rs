//! `explain` as people use it: words of the command line, standard input, whole logs.
#![cfg(feature = "cli")]
mod common;

use hcidiff::explain;

/// What people type or paste, each with the card that must come first.
#[test]
fn what_people_have_leads_to_its_card() {
    let table = include_str!("explain.tsv");
    let mut wrong = Vec::new();
    let mut rows = 0;
    for row in table.lines().filter(|line| !line.starts_with('#')) {
        let (question, card) = row.split_once('\t').expect("two columns");
        rows += 1;
        let found = explain::cards(question);
        if found.first().map(String::as_str) != Some(card) {
            wrong.push(format!("{question}: {card} expected, {found:?} found"));
        }
    }
    assert!(rows >= 200, "{rows}");
    assert!(wrong.is_empty(), "{} of {rows}:\n{}", wrong.len(), wrong.join("\n"));
}

fn said(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut all = vec!["explain"];
    all.extend(arguments);
    common::piped(&all, input.as_bytes())
}

#[test]
fn all_words_of_the_line_are_one_question() {
    let (code, together, _) = said(&["error 62"], "");
    assert_eq!(code, 0);
    assert_eq!(said(&["error", "62"], "").1, together);
    assert_eq!(said(&[], "error 62\n").1, together);
    assert_eq!(said(&["-"], "error 62").1, together);
    // A log's words may look like options.
    let (code, out, _) = said(&["failed:", "-110"], "");
    assert_eq!(code, 0);
    assert!(out.contains("[errno:110]"), "{out}");
}

#[test]
fn nothing_to_explain_lists_what_there_is() {
    let (code, out, _) = said(&[], "");
    assert_eq!(code, 0);
    for part in ["never-heard-peer", "le-connection-abort-by-local", "hci:0x3e", "word:mtu"] {
        assert!(out.contains(part), "{part}");
    }
}

#[test]
fn a_near_miss_is_told_and_nonsense_too() {
    let (code, out, err) = said(&["le-connection-abort-by-locl"], "");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("hcidiff explain le-connection-abort-by-local"), "{err}");
    let (code, _, err) = said(&["flux", "compensator\u{1b}[2J"], "");
    assert_eq!(code, 2);
    assert!(err.contains("flux compensator\\x1b[2J") && err.contains("hcidiff explain"), "{err}");
}

#[test]
fn cards_read_well() {
    for (name, question) in [
        ("error-62", "error 62"),
        ("reason-3", "reason 3"),
        ("status-14", "status 14"),
        ("number-8", "8"),
        ("reset-by-peer", "Connection reset by peer"),
        ("proxy", "ESP_GATT_CONN_FAIL_ESTABLISH"),
        ("nimble-574", "NimBLE 574"),
    ] {
        insta::assert_snapshot!(name, said(&[question], "").1);
    }
}

/// A host's log: the lines that say something, each with its meaning; the rest is not repeated.
#[test]
fn a_log_is_annotated_line_by_line() {
    let log = "\
bluetoothd[992]: src/device.c:device_connect_le() Connection attempt to: AA:BB:CC:DD:EE:01
bluetoothd[992]: src/adapter.c:connected_callback() hci0 device AA:BB:CC:DD:EE:01 connected eir_len 31
bluetoothd[992]: src/device.c:att_connect_cb() connect to AA:BB:CC:DD:EE:01: Function not implemented (38)
bluetoothd[992]: src/adapter.c:dev_disconnected() Device AA:BB:CC:DD:EE:01 disconnected, reason 0
bluetoothd[992]: src/adapter.c:bonding_attempt_complete() hci0 bdaddr AA:BB:CC:DD:EE:01 type 1 status 0xe
bluetoothd[992]: src/device.c:device_bonding_failed() status 14
2026-11-28 10:00:01,123 DEBUG bleak.backends.bluezdbus.client: retry due to le-connection-abort-by-local
nginx[1]: GET /index.html status 200
bluetoothd[992]: src/device.c:btd_device_set_temporary() Automatic connection disabled
bleak.exc.BleakError: Service Discovery has not been performed yet
PROXY: Lamp - AA:BB:CC:DD:EE:01: Connection state changed to connected=False mtu=0 error=62
I (8123) NimBLE: disconnect; reason=531
";
    let (code, out, err) = said(&[], log);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!("log", out);
}

#[test]
fn a_log_without_anything_known_says_so() {
    let (code, out, err) = said(&[], "one\ntwo\nthree\n");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("3 lines"), "{err}");
}
