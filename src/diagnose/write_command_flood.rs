use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, End, EndedBy, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "write-command-flood",
    title: "The host sent more packets than the controller has buffers",
    basis: Basis::Laboratory,
    silences: &["supervision-timeout-0x08", "short-supervision-timeout-linux-420ms", "ncp-starvation"],
    docs: "\
## What it means
A controller says how many packets it can hold. The host must wait for Number Of Completed Packets before it sends more. This
host did not wait, with writes without response as a rule; controllers then drop packets, stall, or crash.

## How it shows
Packets sent minus packets acknowledged exceed the number in LE Read Buffer Size, and afterwards the link or the controller
fails.

## What else it could be
Where the buffer number is not in the capture, nothing can be said. Packets that the device itself drops do not show here.

## What to do
Honour the credits: use a stack that queues; write with response every few packets; pace the writes.",
    sources: &["noble/noble#703, #373", "Core Specification, Vol 4, Part E, 4.1.1"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "twice as many packets as there are buffers", || {
            lost(writes(8)).into()
        })
        .pins(&["FLOOD"]),
        Case::cause(Confidence::Medium, "seven packets for four buffers", || lost(writes(7)).into())
            .pins(&["FLOOD"]),
        Case::cause(Confidence::Medium, "six packets for four buffers, and the link is lost", || {
            lost(writes(6)).into()
        })
        .about(&[1])
        .saying("up to 6 packets outstanding"),
        Case::cause(Confidence::Medium, "one packet more than there are buffers", || {
            lost(writes(5)).into()
        }),
        Case::silent("all four buffers are in use", || lost(writes(4)).into()),
        Case::silent("this host hangs up", || {
            writes(6).wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("all packets were acknowledged in the end", || {
            lost(writes(6).acknowledged(6)).into()
        }),
        Case::silent("how many buffers there are is not known", || {
            lost(Trace::new().up().mtu().acknowledged(1).writes_at_once(6)).into()
        }),
        Case::silent("the link is up when the capture ends", || {
            writes(6).wait_ms(500).advertises(0).into()
        }),
        Case::cause(Confidence::Medium, "one packet was never acknowledged", || {
            lost(writes(6).acknowledged(5)).into()
        }),
    ],
};

/// A controller with four buffers, and so many packets at once.
fn writes(packets: u8) -> Trace {
    Trace::new().buffers(4).up().mtu().acknowledged(1).writes_at_once(packets)
}

fn lost(trace: Trace) -> Trace {
    trace.wait_ms(500).disconnected(Status::CONNECTION_TIMEOUT)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "Update noble (its queue honours the controller's buffers since the fix of #703), and write with response every few packets.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Go through bluetoothd (AcquireWrite or WriteValue), which honours the controller's buffers; do not write to the HCI socket beside it.",
    ),
    Remedy::any("Write with response every 8th to 16th packet, or pause 10-20 ms between writes."),
];

/// So many times the controller's buffers are no slip of the count.
const FLOOD: u32 = 2;

/// More packets than the controller can hold.
#[derive(Debug)]
struct Flood {
    buffers: u16,
    first_frame: u32,
    most: u32,
    most_frame: u32,
    end: End,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let credits = &connection.credits;
    // Without harm it is the host's own affair; and our own hanging up is no harm.
    let end = connection.end.as_ref().filter(|end| end.by != EndedBy::Host)?;
    let adapter = scene.capture().adapters.iter().find(|a| a.index == connection.adapter)?;
    let (_, buffers) = adapter.le_buffers?;
    let facts = Flood {
        buffers,
        first_frame: credits.overrun_frame?,
        most: credits.most_outstanding,
        most_frame: credits.most_outstanding_frame,
        end: end.clone(),
    };
    // A count of completed packets that the recording lost leaves a few outstanding for ever.
    let flood = facts.most >= FLOOD * u32::from(buffers);
    let sure = if flood { Confidence::High } else { Confidence::Medium };
    (credits.outstanding() > 0).then(|| Verdict::cause(facts).sure(sure))
}

impl Facts for Flood {
    fn says(&self) -> Text {
        text!(
            "This host had up to {} packets outstanding where the controller has {} buffers; then the link failed.",
            self.most,
            self.buffers
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let first = text!("the first packet beyond the controller's {} buffers", self.buffers);
        vec![
            Sight::here(self.first_frame, first),
            Sight::here(self.most_frame, text!("{} packets outstanding", self.most)),
            see::link_ended(&self.end),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "supervision-timeout-0x08",
            "the loss follows the flood; the radio need not be at fault",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat with a pause of 20 ms between the writes.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
