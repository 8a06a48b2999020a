//! Texts that strangers pasted, where they are at hand: the same session in two forms says the
//! same, and prose that only looks like a capture is none.
#![cfg(feature = "cli")]
mod common;

use common::events;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Packets of the controller, each as what no text may get wrong.
fn packets(path: &Path) -> Vec<[String; 4]> {
    events(path)
        .iter()
        .filter(|event| {
            !["note", "mgmt", "opaque"].contains(&event["layer"].as_str().unwrap_or(""))
        })
        .map(|event| ["layer", "name", "handle", "direction"].map(|key| event[key].to_string()))
        .collect()
}

/// Text and binary of one session, as the catalogue pairs them.
const TWINS: &[(&str, &str)] = &[
    (
        "btmon_text/lkml-bt_d2a6cb4547_good_typescript.log",
        "btsnoop_monitor_2001/lkml-bt_d2a6cb4547_good_btsnoop.log",
    ),
    (
        "btmon_text/lkml-bt_d2a6cb4547_bad_typescript.log",
        "btsnoop_monitor_2001/lkml-bt_d2a6cb4547_bad_btsnoop.log",
    ),
    (
        "btmon_text/lkml-bt_1a07a10232_hcitrace.txt",
        "btsnoop_monitor_2001/lkml-bt_1a07a10232_hcitrace.snoop",
    ),
];

#[test]
fn one_session_in_two_forms_has_the_same_packets() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    if !folder.exists() {
        eprintln!("no real captures here: skipped");
        return;
    }
    for (text, binary) in TWINS {
        let (said, meant) = (packets(&folder.join(text)), packets(&folder.join(binary)));
        // Every one of these texts was cut off before its session ended.
        assert!(said.len() >= 30 && said.len() <= meant.len(), "{text}: {} packets", said.len());
        assert!(meant.len() - said.len() < 8, "{text}: {} of {}", said.len(), meant.len());
        for (at, (said, meant)) in said.iter().zip(&meant).enumerate() {
            assert_eq!(said, meant, "{text}, packet {at}");
        }
    }
}

/// What is read of a connection may be missing in text, and is never another number.
#[test]
fn one_session_in_two_forms_has_no_two_values() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    if !folder.exists() {
        eprintln!("no real captures here: skipped");
        return;
    }
    let hci = |path: PathBuf| -> Vec<Value> {
        let hidden = ["note", "mgmt", "opaque"];
        let of_controller =
            |event: &Value| !hidden.contains(&event["layer"].as_str().unwrap_or_default());
        events(&path).into_iter().filter(of_controller).collect()
    };
    let mut whole = 0;
    for (text, binary) in TWINS {
        for (said, meant) in hci(folder.join(text)).iter().zip(&hci(folder.join(binary))) {
            if said["cut"] == false {
                assert_eq!(said["fields"], meant["fields"], "{text}: {said}");
                whole += 1;
            }
        }
    }
    assert!(whole > 700, "{whole} whole packets");
}

fn refused(text: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .args(["events", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(text.as_bytes()).expect("the program reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    let says = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && says.contains("it looks like"), "{text}\n{says}");
}

#[test]
fn prose_is_not_taken_for_a_capture() {
    for text in [
        "# Notes\n\n* Malformed input must be refused\n* Unknown packet types are kept\n",
        "Dear list,\n\n> ACL: deny all by default\n> SCO: none\n\nRegards\n",
        "*** Settings ***\n= 1.123456\n= Note: this is none\n@ MGMT Open: who knows\n",
        "> On Monday somebody wrote:\n> HCI Event: see the chapter on events\n",
        "Nov 21 10:00:00 host bluetoothd[677]: src/main.c:main() Entering main loop\n\
         Nov 21 10:00:00 host kernel: Bluetooth: hci0: command 0x0c03 tx timeout\n",
    ] {
        refused(text);
    }
}
