//! The situations that this project was started for, walked through as their owner would: two files
//! (or one), one command, and what the first screen must then say. The whole reports are snapshots.
#![cfg(feature = "cli")]
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use std::path::Path;
use std::process::Command;

fn printed(files: &[&str], options: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab");
    let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .env("COLUMNS", "80")
        .args(options)
        .args(files.iter().map(|f| folder.join(f)))
        .output()
        .expect("the program runs");
    // 2 where the second capture holds no connection to compare with: a finding all the same.
    assert!(matches!(output.status.code(), Some(1 | 2)), "{files:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The first screen holds all of these; the report nowhere any of those.
fn walk(name: &str, files: &[&str], says: &[&str], never: &[&str]) {
    let report = printed(files, &["--full"]);
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let screen = flat(&printed(files, &[]));
    for part in says {
        assert!(screen.contains(part), "{name}: no `{part}` on the first screen\n{screen}");
    }
    for part in never {
        assert!(!flat(&report).contains(part), "{name}: `{part}`\n{report}");
    }
    insta::assert_snapshot!(name, report);
}

/// A light that works from macOS and gives 0x3E on a Pi: never blamed on ATT.
#[test]
fn a_light_that_fails_with_0x3e_on_a_pi() {
    needs!("fixtures/lab/EXPECTED.tsv");
    walk(
        "light-0x3e",
        &["A2/20c-mac-good.pklg", "B-bluez5.66/b04-failed-establish-3e.btsnoop"],
        &[
            "hcidiff explain never-heard-peer",
            "never answered (0x3e, \"error 62\"), 3 of 4 tries",
            "no missing or late ATT packet can be the cause",
            "not missing-mtu-exchange",
        ],
        &["CAUSE The host exchanged no MTU"],
    );
}

/// The same light heard, and then hung up for lack of an early write: here the missing packet matters.
#[test]
fn a_light_that_was_heard_and_hung_up_for_lack_of_an_early_write() {
    needs!("fixtures/lab/EXPECTED.tsv");
    walk(
        "light-kicked",
        &["A2/20c-mac-good.pklg", "B-bluez5.66/b02-kick.btsnoop"],
        &[
            "hcidiff explain peer-hangs-up-on-deadline",
            "the working host had done by then",
            "only 20c-mac-good does Write 0x004c",
            "not never-heard-peer",
        ],
        &["[never-heard-peer]"],
    );
}

/// An update that dies during erase, and resumes.
#[test]
fn an_update_that_dies_during_erase_and_resumes() {
    needs!("fixtures/lab/EXPECTED.tsv");
    walk(
        "update-erase",
        &["A2/46b-ota-erase-survives.btsnoop", "A2/46-ota-erase.btsnoop"],
        &["hcidiff explain ota-erase-silence", "supervision timeout"],
        &["[peer-hangs-up-on-deadline]"],
    );
}

/// A phantom: connected, and never usable.
#[test]
fn a_phantom_connection() {
    needs!("fixtures/lab/EXPECTED.tsv");
    walk(
        "phantom",
        &["A/13-phantom.btsnoop"],
        &["hcidiff explain never-usable-connection", "never usable"],
        &["[never-heard-peer]"],
    );
}

/// A zombie: the link lives, the data have stopped.
#[test]
fn a_zombie_connection() {
    needs!("fixtures/lab/EXPECTED.tsv");
    walk(
        "zombie",
        &["A/12-lively.btsnoop", "A/12-zombie.btsnoop"],
        &["hcidiff explain zombie-link-data-silence", "the link stayed up"],
        &["[never-heard-peer]"],
    );
}

/// A saturated adapter, and a connect that was refused because another is still under way.
#[test]
fn a_saturated_adapter_and_a_stale_attempt() {
    needs!("fixtures/lab/EXPECTED.tsv");
    walk(
        "saturated",
        &["A/14-limit-and-disallowed.btsnoop"],
        &[
            "hcidiff explain create-conn-status-error",
            "Command Disallowed (0x0c): another request was pending",
        ],
        &["[never-heard-peer]"],
    );
    // The device that this host also reached comes first. The other refusal is another story, told on its own,
    // and so is the stale attempt.
    let report = printed(&["A/14-limit-and-disallowed.btsnoop"], &["--full"]);
    let flat = report.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "#4, 1 of 2 attempts) [create-conn-status-error]",
        "Connection Limit Exceeded (0x09): it has no link left",
        "[inprogress-stale-connect]",
    ] {
        assert!(flat.contains(part), "no `{part}`\n{report}");
    }
}

/// A manual attempt works, the service's fails, and the capture shows why: it used another radio.
#[test]
fn an_attempt_that_used_another_radio() {
    needs!("fixtures/lab/EXPECTED.tsv");
    walk(
        "another-radio",
        &["A2/20-apple-good.pklg", "A2/61-only-scan.btsnoop"],
        &["hcidiff explain attempt-not-in-this-capture"],
        &["[never-heard-peer]", "[create-conn-timeout-cancel]"],
    );
}

/// A HID peripheral that pulls its services while the host is connected: no whim of the host.
#[test]
fn a_peripheral_that_pulls_its_services() {
    needs!("fixtures/lab/EXPECTED.tsv");
    walk(
        "services-pulled",
        &["B-bluez5.66/b10-hid-good.btsnoop", "B-bluez5.66/b10-hid-shutdown.btsnoop"],
        &["hcidiff explain service-changed-on-exit", "Service Changed indication sent"],
        &["[supervision-timeout-0x08]"],
    );
}
