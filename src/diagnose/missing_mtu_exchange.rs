use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    see,
};
use crate::packet::Direction::Sent;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Detail, Mtu, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "missing-mtu-exchange",
    title: "No side asked for a larger MTU, and a long value did not fit",
    basis: Basis::Laboratory,
    silences: &["long-write-mtu-mismatch", "connection-cancelled-by-app"],
    docs: "\
## What it means
Neither side asked for an MTU, so one packet carries at most 20 bytes of a value. The host had more to write, had to split
the value into prepared writes, and the device refused them or the length.

## How it shows
No Exchange MTU Request on the whole link; Prepare Write refused with 0x06 or 0x0D, or a write refused with 0x0D.

## What else it could be
A missing exchange without such a refusal is only a difference between host stacks. It can never be the reason for 0x3E. If
an exchange took place and its value is too small, it is `long-write-mtu-mismatch`.

## What to do
Ask for the MTU before the first long write, or send at most 20 bytes at a time.",
    sources: &["matter-js/matterjs-server#1006", "BlueZ src/shared/gatt-client.c: long writes"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "a piece of a long value is refused", || {
            prepared(up(), ErrorCode::REQUEST_NOT_SUPPORTED).into()
        })
        .about(&[1])
        .saying("Request Not Supported (0x06)"),
        Case::cause(Confidence::Medium, "a piece is refused for its length", || {
            prepared(up(), ErrorCode::INVALID_VALUE_LENGTH).into()
        }),
        Case::cause(Confidence::High, "the working link exchanges the MTU", || {
            let works = Trace::new().up().mtu().discovery(0x0a).write(3, &[7; 60]).wait_ms(900);
            let fails = prepared(up(), ErrorCode::REQUEST_NOT_SUPPORTED);
            Example::pair(works.hangs_up(HUNG_UP), fails)
        })
        .saying("the working link exchanges the MTU: 517 asked, in force: 247"),
        Case::silent("the short value is taken", || up().write(3, &[7; 18]).hangs_up(HUNG_UP).into()),
        Case::silent("a piece is refused for a full queue", || {
            prepared(up(), ErrorCode::PREPARE_QUEUE_FULL).into()
        }),
        Case::cause(Confidence::Medium, "a write that fills the packet is refused for its length", || {
            written(&[7; 20], ErrorCode::INVALID_VALUE_LENGTH).into()
        })
        .pins(&["FULL"]),
        Case::silent("a write one byte shorter is refused for its length", || {
            written(&[7; 19], ErrorCode::INVALID_VALUE_LENGTH).into()
        })
        .pins(&["FULL"]),
        Case::silent("a write that fills the packet is not supported", || {
            written(&[7; 20], ErrorCode::REQUEST_NOT_SUPPORTED).into()
        }),
        Case::silent("this host asked for an MTU", || {
            prepared(Trace::new().up().mtu(), ErrorCode::REQUEST_NOT_SUPPORTED).into()
        }),
        Case::silent("the device asked for an MTU", || {
            let trace = up().from_peer(&[0x02, 5, 2], &[0x03, 5, 2]);
            prepared(trace, ErrorCode::REQUEST_NOT_SUPPORTED).into()
        }),
        Case::silent("the link was up before the capture began", || {
            prepared(Trace::new().discovery(0x0a), ErrorCode::REQUEST_NOT_SUPPORTED).into()
        }),
        Case::silent("this host refuses what the device writes", || {
            let trace = up().from_peer(&[0x16, 3, 0, 0, 0, 7], &[0x01, 0x16, 3, 0, 0x06]);
            trace.hangs_up(HUNG_UP).into()
        }),

        Case::silent("the device asked for the MTU", || {
            let link = Trace::new().up().from_peer(&[0x02, 5, 2], &[0x03, 5, 2]);
            prepared(link, ErrorCode::REQUEST_NOT_SUPPORTED).into()
        }),
        Case::silent("this host asked, and got no answer", || {
            let link = Trace::new().up().att(Sent, Pdu::ExchangeMtuRequest { client_rx_mtu: 517 });
            prepared(link.wait_ms(500), ErrorCode::REQUEST_NOT_SUPPORTED).into()
        }),
        Case::silent("a read is refused for the same reason", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            let refused = up().refused(read, ErrorCode::INVALID_VALUE_LENGTH);
            refused.wait_ms(500).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the device writes a long value to this host, which refuses its length", || {
            let value: Vec<u8> = [0x12, 3, 0].into_iter().chain([7; 20]).collect();
            let asked = up().from_peer(&value, &[0x01, 0x12, 3, 0, 0x0d]);
            asked.wait_ms(500).hangs_up(HUNG_UP).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

fn up() -> Trace {
    Trace::new().up().discovery(0x0a)
}

fn prepared(trace: Trace, error: ErrorCode) -> Trace {
    let piece = Pdu::PrepareWriteRequest {
        attribute_handle: Handle(3),
        value_offset: 0,
        part_attribute_value: &[7; 18],
    };
    trace.refused(piece, error).wait_ms(500).hangs_up(HUNG_UP)
}

fn written(value: &[u8], error: ErrorCode) -> Trace {
    let write = Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: value };
    up().refused(write, error).wait_ms(500).hangs_up(HUNG_UP)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Send the Exchange MTU Request from the program, if it has a socket of its own; or write through bluetoothd, which asks for 517 by itself.",
    ),
    Remedy::on(
        &[Stack::Android],
        "Call `BluetoothGatt.requestMtu(517)` and wait for `onMtuChanged` before the first long write.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp],
        "Call `ble_gattc_exchange_mtu()` (NimBLE) or `esp_ble_gattc_send_mtu_req()` (Bluedroid) after the connection.",
    ),
    Remedy::on(&[Stack::Zephyr], "Call `bt_gatt_exchange_mtu()` after the connection."),
    Remedy::any("Write at most 20 bytes at a time, if the device's protocol allows it."),
];

/// The longest value that fits into one packet when no MTU was exchanged: a write this long may have been more.
const FULL: u64 = 20;

/// Writes that did not fit into the smallest MTU.
#[derive(Debug)]
struct NoMtu {
    /// Never empty.
    refused: Vec<Step>,
    first_att_frame: Option<u32>,
    /// The working link's exchange.
    theirs: Option<Mtu>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    // An exchange without an answer is one, too.
    if connection.mtu.is_some() || connection.enhanced_att > 0 || !connection.start_seen {
        return None;
    }
    let refused = connection.steps.iter().filter(|step| too_long(step));
    let facts = NoMtu {
        refused: refused.take(super::see::SHOWN).cloned().collect(),
        first_att_frame: connection.first_att.map(|first| first.frame),
        theirs: scene.reference().and_then(|reference| reference.mtu),
    };
    facts.refused.first()?;
    let confidence = if facts.theirs.is_some() { Confidence::High } else { Confidence::Medium };
    Some(Verdict::cause(facts).sure(confidence))
}

/// A write that failed for its length, or for having to be split.
fn too_long(step: &Step) -> bool {
    let code = step.status.map(ErrorCode);
    let length = code == Some(ErrorCode::INVALID_VALUE_LENGTH);
    step.by == Sent
        && match step.detail {
            Detail::Write { prepared: true, .. } => {
                length || code == Some(ErrorCode::REQUEST_NOT_SUPPORTED)
            }
            _ => length && step.bytes >= FULL,
        }
}

impl Facts for NoMtu {
    fn says(&self) -> Text {
        text!(
            "No side asked for a larger MTU on this link, so 20 bytes fit into one packet. This host had a longer value, and the device refused it with {}.",
            self.refused.first().and_then(|step| step.status).map(ErrorCode)
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let refused = self.refused.iter().flat_map(|step| {
            let code = step.status.map(ErrorCode);
            [
                Sight::here(step.frame, see::request(step)),
                Sight::here(step.last.frame, text!("Error Response: {}", code)),
            ]
        });
        let first = self.first_att_frame.map(|frame| {
            Sight::here(frame, "first ATT packet; no Exchange MTU Request before or after it")
        });
        let theirs = self.theirs.map(|mtu| {
            let effective = mtu.effective().map(|effective| text!(", in force: {}", effective));
            let text =
                text!("the working link exchanges the MTU: {} asked{}", mtu.requested, effective);
            Sight::in_reference(mtu.frame, text)
        });
        refused.chain(first).chain(theirs).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "the device was heard and answered ATT")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat with an MTU exchange before the write.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
