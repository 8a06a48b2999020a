use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Detail, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "long-write-mtu-mismatch",
    title: "The value is longer than this connection's MTU allows, and the device takes no long writes",
    basis: Basis::Laboratory,
    silences: &["write-type-mismatch", "connection-cancelled-by-app"],
    docs: "\
## What it means
A value longer than MTU minus 3 is written in pieces (Prepare Write). This device does not support that, or not for this value.
On a host with a larger MTU the same value fits into one write.

## How it shows
Prepare Write refused with 0x06, 0x0D or 0x09, and an MTU that is smaller than on the side that works.

## What else it could be
0x0D on an ordinary write means that the value itself has the wrong length.

## What to do
Split the value in the application to MTU minus 3, or get a larger MTU.",
    sources: &["BlueZ src/shared/gatt-client.c (long writes)", "Core Specification, Vol 3, Part F, 3.4.6"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "a piece of a long value is refused for its length", || {
            prepared(up(247), ErrorCode::INVALID_VALUE_LENGTH).into()
        })
        .about(&[1])
        .saying("(the MTU is 247)"),
        Case::cause(Confidence::High, "the device takes no long writes", || {
            prepared(up(247), ErrorCode::REQUEST_NOT_SUPPORTED).into()
        }),
        Case::cause(Confidence::High, "no MTU was exchanged, and its queue is full", || {
            prepared(Trace::new().up(), ErrorCode::PREPARE_QUEUE_FULL).into()
        })
        .saying("no MTU was exchanged, so it is 23"),
        Case::cause(Confidence::Medium, "what was exchanged before the capture began is not known", || {
            prepared(Trace::new().write(3, &[1]), ErrorCode::INVALID_VALUE_LENGTH).into()
        })
        .saying("its MTU was settled before the capture began"),
        Case::cause(Confidence::High, "the working host has a larger MTU", || {
            Example::pair(works(247), prepared(up(100), ErrorCode::INVALID_VALUE_LENGTH))
        })
        .saying("the working host has an MTU of 247"),
        Case::cause(Confidence::High, "the working host has the same MTU", || {
            Example::pair(works(100), prepared(up(100), ErrorCode::INVALID_VALUE_LENGTH))
        })
        .not_saying("the working host has"),
        Case::silent("an ordinary write is refused for its length", || {
            let write = Pdu::WriteRequest { attribute_handle: VALUE, attribute_value: &[1; 18] };
            let trace = up(247).refused(write, ErrorCode::INVALID_VALUE_LENGTH);
            trace.hangs_up(HUNG_UP).into()
        }),
        Case::silent("a piece is refused for want of a right", || {
            prepared(up(247), ErrorCode::WRITE_NOT_PERMITTED).into()
        }),
        Case::silent("this host refuses what the device writes", || {
            let trace = up(247).from_peer(&[0x16, 3, 0, 0, 0, 7], &[0x01, 0x16, 3, 0, 0x06]);
            trace.hangs_up(HUNG_UP).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;
const VALUE: Handle = Handle(0x10);

fn up(mtu: u16) -> Trace {
    let request = Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
    Trace::new().up().exchange(request, Pdu::ExchangeMtuResponse { server_rx_mtu: mtu })
}

fn prepared(trace: Trace, error: ErrorCode) -> Trace {
    let piece = Pdu::PrepareWriteRequest {
        attribute_handle: VALUE,
        value_offset: 0,
        part_attribute_value: &[1; 18],
    };
    trace.refused(piece, error).hangs_up(HUNG_UP)
}

fn works(mtu: u16) -> Trace {
    up(mtu).write(VALUE.0, &[1; 18]).wait_ms(900).hangs_up(HUNG_UP)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(&[Stack::BlueZ], "Split the value to `client.mtu_size - 3` in the program (bleak)."),
    Remedy::on(&[Stack::Noble], "Split the value to `peripheral.mtu - 3` bytes in the program."),
    Remedy::on(
        &[Stack::Android],
        "Call `requestMtu(517)` before writing, and split to the MTU that the callback reports, minus 3.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Exchange the MTU first (`ble_gattc_exchange_mtu`, `esp_ble_gattc_send_mtu_req`, `bt_gatt_exchange_mtu`) and split to MTU minus 3.",
    ),
];

/// The error codes of a device that does not accept long writes, or not this one.
const CODES: [ErrorCode; 3] = [
    ErrorCode::REQUEST_NOT_SUPPORTED,
    ErrorCode::INVALID_VALUE_LENGTH,
    ErrorCode::PREPARE_QUEUE_FULL,
];

/// Most refused pieces that are shown.
const SHOWN: usize = 3;

/// A value that was written in pieces and refused.
#[derive(Debug)]
struct LongWrite {
    attribute: Handle,
    mtu: Option<u16>,
    /// What was exchanged before the capture began does not show.
    start_seen: bool,
    /// Never empty.
    refused: Vec<Refused>,
    /// The working host's larger MTU.
    theirs: Option<(u32, u16)>,
}

/// A piece, the answer to it, and the error.
#[derive(Clone, Copy, Debug)]
struct Refused {
    frame: u32,
    answer_frame: u32,
    code: ErrorCode,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let refused = |step: &Step| {
        let code = CODES.into_iter().find(|code| step.status == Some(code.0))?;
        let piece = step.by == Direction::Sent
            && matches!(step.detail, Detail::Write { prepared: true, .. });
        let refused = Refused { frame: step.frame, answer_frame: step.last.frame, code };
        piece.then_some((Handle(step.attribute), refused))
    };
    let all: Vec<(Handle, Refused)> = connection.steps.iter().filter_map(refused).collect();
    let (attribute, _) = *all.first()?;
    let mtu = connection.mtu.and_then(|mtu| mtu.effective());
    let theirs = scene.reference().and_then(|reference| reference.mtu).and_then(|theirs| {
        let effective = theirs.effective().filter(|effective| Some(*effective) > mtu)?;
        Some((theirs.answer.unwrap_or(theirs.seen).frame, effective))
    });
    let facts = LongWrite {
        attribute,
        mtu,
        start_seen: connection.start_seen,
        refused: all.into_iter().map(|(_, refused)| refused).take(SHOWN).collect(),
        theirs,
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for LongWrite {
    fn says(&self) -> Text {
        let mtu = match self.mtu {
            Some(mtu) => text!("the MTU is {}", mtu),
            None if self.start_seen => "no MTU was exchanged, so it is 23".into(),
            None => "its MTU was settled before the capture began".into(),
        };
        text!(
            "A value for attribute {} did not fit into one packet ({}); the host wrote it in pieces, and the device refused: {}.",
            self.attribute,
            mtu,
            self.refused.first().map(|refused| refused.code)
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let refused = self.refused.iter().flat_map(|Refused { frame, answer_frame, code }| {
            [
                Sight::here(*frame, "Prepare Write Request"),
                Sight::here(*answer_frame, text!("Error Response: {}", *code)),
            ]
        });
        let theirs = self.theirs.map(|(frame, mtu)| {
            Sight::in_reference(frame, text!("the working host has an MTU of {}", mtu))
        });
        refused.chain(theirs).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "write-type-mismatch",
            "the error is about the length, not about the kind of write",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
