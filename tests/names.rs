//! Our numbers against Wireshark's: tables typed by hand are held against tables typed by others.
//!
//! Needs tshark 4.0 (Debian: apt-get install tshark); other versions word some names differently.
use hcidiff::packet::hci::{Event, LeEvent, names};
use hcidiff::packet::{Opcode, Status, att, signal, smp};
use std::process::Command;

/// Names that Wireshark words so differently that no rule brings them together. Theirs, ours.
const REWORDED: &[(&str, &str)] = &[
    ("ACL Connection Already Exists", "Connection Already Exists"),
    ("Change Local Name", "Write Local Name"),
    (
        "Coarse Clock Adjustment Rejected but Will Try to Adjust Using Clock Dragging",
        "Coarse Clock Adjustment Rejected",
    ),
    ("Connect Complete", "Connection Complete"),
    ("Connect Request", "Connection Request"),
    (
        "Cross-transport Key Derivation/Generation not allowed",
        "Cross-Transport Key Derivation Not Allowed",
    ),
    ("Directed Advertising Timeout", "Advertising Timeout"),
    ("Disconnect Complete", "Disconnection Complete"),
    (
        "Improper Client Characteristic Configuration Descriptor",
        "Client Characteristic Configuration Descriptor Improperly Configured",
    ),
    ("Insufficient Encryption Key Size", "Encryption Key Size Too Short"),
    ("LE Direct Advertising Report", "LE Directed Advertising Report"),
    ("LE Flow Control Credit", "Flow Control Credit Indication"),
    ("LE Read Advertising Channel Tx Power", "LE Read Advertising Physical Channel Tx Power"),
    ("LE Set Advertise Enable", "LE Set Advertising Enable"),
    ("LE Start Encryption", "LE Enable Encryption"),
    ("LMP Error Transaction Collision/LL Procedure Collision", "LMP/LL Procedure Collision"),
    ("Pairing Keypress Notification", "Keypress Notification"),
    // Of Command Status alone.
    ("Pending", "Success"),
    ("Read Remote Supported Features", "Read Remote Supported Features Complete"),
    ("Unsupported Remote/LMP Feature", "Unsupported Remote Feature"),
];

const FIELDS: &[&str] = &[
    "bthci_cmd.opcode",
    "bthci_evt.code",
    "bthci_evt.le_meta_subevent",
    "bthci_evt.status",
    "btatt.opcode",
    "btatt.error_code",
    "btsmp.opcode",
    "btsmp.reason",
    "btl2cap.cmd_code",
];

/// One name of `tshark -G values`: field, number, name.
fn wireshark() -> Option<Vec<(String, u32, String)>> {
    let version = Command::new("tshark").arg("--version").output().ok()?;
    if !version.stdout.starts_with(b"TShark (Wireshark) 4.0.") {
        return None;
    }
    let output = Command::new("tshark").args(["-G", "values"]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let names = text.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        let (kind, field) = (columns.next()?, columns.next()?);
        let number = columns.next()?;
        let number = match number.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        (kind == "V").then(|| Some((field.to_owned(), number, columns.next()?.to_owned())))?
    });
    Some(names.collect())
}

fn ours(field: &str, number: u32) -> Option<&'static str> {
    let byte = u8::try_from(number).ok();
    match field {
        "bthci_cmd.opcode" => Opcode(number.try_into().ok()?).name(),
        "bthci_evt.code" => Event::name_of(byte?).or_else(|| names::event(byte?)),
        "bthci_evt.le_meta_subevent" => LeEvent::name_of(byte?).or_else(|| names::subevent(byte?)),
        "bthci_evt.status" => Status(byte?).name(),
        "btatt.opcode" => att::Pdu::name_of(byte?),
        "btatt.error_code" => att::ErrorCode(byte?).name(),
        "btsmp.opcode" => smp::Pdu::name_of(byte?),
        "btsmp.reason" => smp::Reason(byte?).name(),
        "btl2cap.cmd_code" => signal::Pdu::name_of(byte?),
        _ => None,
    }
}

/// Errors from here on mean what their service says, and Wireshark lists them for each.
fn application(field: &str, number: u32) -> bool {
    field == "btatt.error_code" && (0x80..0xfc).contains(&number)
}

/// Letters and digits, in today's words.
fn plain(name: &str) -> String {
    let name = name.to_lowercase().replace("master", "central").replace("slave", "peripheral");
    let name = name.replace("white list", "filter accept list").replace("[v1]", "");
    name.chars().filter(|c| c.is_ascii_alphanumeric()).collect()
}

#[test]
fn numbers_have_the_names_that_wireshark_gives_them() {
    let Some(theirs) = wireshark() else { return eprintln!("no tshark 4.0: skipped") };
    let (mut same, mut wrong) = (0, Vec::new());
    for (field, number, name) in &theirs {
        if !FIELDS.contains(&field.as_str()) || application(field, *number) {
            continue;
        }
        if let Some(ours) = ours(field, *number) {
            if plain(ours) == plain(name) || REWORDED.contains(&(name, ours)) {
                same += 1;
            } else {
                wrong.push(format!("{field} {number:#x}\t(\"{name}\", \"{ours}\"),"));
            }
        } else {
            wrong.push(format!("MISSING {field} {number:#x} {name}"));
        }
    }
    assert!(wrong.is_empty(), "{same} agree\n{}", wrong.join("\n"));
    assert!(same > 500, "{same}");
}
