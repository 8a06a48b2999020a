use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "ncp-starvation",
    title: "The controller stopped taking packets",
    basis: Basis::Laboratory,
    silences: &["zombie-link-data-silence", "att-request-unanswered", "connection-cancelled-by-app"],
    docs: "\
## What it means
The host filled the controller's buffers, and the controller acknowledged nothing more: the peer does not take the packets
(busy with its flash), or the controller is stuck. The host cannot send anything until that changes; it may still receive.

## How it shows
Exactly as many packets outstanding as the controller has buffers, and no Number Of Completed Packets for many seconds, while
the link lives.

## What else it could be
On a link that is lost (0x08) packets are outstanding too: a consequence.

## What to do
Send shorter bursts and wait for answers; give the device time; a longer supervision timeout; other controller firmware.",
    sources: &["Core Specification, Vol 4, Part E, 4.1.1", "laboratory: a peer that stops acknowledging"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "four buffers are full for 20 s", || {
            stuck(4).wait_ms(20_000).hangs_up(HUNG_UP).into()
        })
        .about(&[1])
        .saying("4 are outstanding")
        .not_saying("the device was still heard"),
        Case::silent("they are full for 1 s", || stuck(4).wait_ms(1_000).hangs_up(HUNG_UP).into()),
        Case::cause(Confidence::Medium, "they are full for 5.01 s", || {
            stuck(4).wait_ms(5_010).hangs_up(HUNG_UP).into()
        })
        .pins(&["STUCK"]),
        Case::silent("they are full for 4.99 s", || {
            stuck(4).wait_ms(4_990).hangs_up(HUNG_UP).into()
        })
        .pins(&["STUCK"]),
        Case::cause(Confidence::Medium, "the device is still heard", || {
            stuck(4).wait_ms(10_000).notified(3, &[1]).wait_ms(10_000).hangs_up(HUNG_UP).into()
        })
        .saying("the device was still heard"),
        Case::cause(Confidence::Medium, "the link is up when the capture ends", || {
            stuck(4).wait_ms(20_000).advertises(0).into()
        })
        .not_saying("the link ends"),
        Case::silent("one buffer is free", || stuck(3).wait_ms(20_000).hangs_up(HUNG_UP).into()),
        Case::silent("the link is lost", || {
            stuck(4).wait_ms(20_000).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("the device leaves a link-layer procedure open", || {
            stuck(4).wait_ms(40_000).disconnected(Status::LL_RESPONSE_TIMEOUT).into()
        }),
        Case::silent("how many buffers there are is not known", || {
            let trace = Trace::new().up().mtu().acknowledged(1).writes_at_once(4);
            trace.wait_ms(20_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the controller never acknowledged anything", || {
            let trace = Trace::new().buffers(4).up().writes_at_once(4);
            trace.wait_ms(20_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the link was up before the capture began", || {
            let trace = Trace::new().buffers(4).mtu().acknowledged(1).writes_at_once(4);
            trace.wait_ms(20_000).hangs_up(HUNG_UP).into()
        }),
        // The oldest of the four is 0.3 ms older than the last.
        Case::cause(Confidence::Medium, "they are full for exactly 5 s", || {
            stuck(4).after_us(5_000_000 - 300).hangs_up(HUNG_UP).into()
        })
        .pins(&["STUCK"]),
        Case::silent("they are full for a moment less", || {
            stuck(4).after_us(4_999_999 - 300).hangs_up(HUNG_UP).into()
        })
        .pins(&["STUCK"]),
        Case::cause(Confidence::Medium, "the device leaves a link whose buffers are full", || {
            stuck(4).wait_ms(20_000).disconnected(HUNG_UP).into()
        }),
        Case::cause(Confidence::Medium, "the controller has one buffer, and it is full", || {
            let trace = Trace::new().buffers(1).up().mtu().acknowledged(1).writes_at_once(1);
            trace.wait_ms(20_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the controller names no buffer of its own for LE", || {
            let trace = Trace::new().buffers(0).up().mtu().acknowledged(1).writes_at_once(4);
            trace.wait_ms(20_000).hangs_up(HUNG_UP).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// A controller with four buffers, and so many packets that it does not acknowledge.
fn stuck(packets: u8) -> Trace {
    Trace::new().buffers(4).up().mtu().acknowledged(1).writes_at_once(packets)
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Send shorter bursts: write with response every 8th to 16th packet, and wait for the device's own acknowledgement.",
    ),
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Test with another adapter: if it flows there, the controller was stuck.",
    ),
];

/// A device may be busy for a while, with its flash as a rule. This is longer.
const STUCK: Span = Span::from_ms(5_000);

/// Full buffers that did not empty.
#[derive(Debug)]
struct Starved {
    buffers: u16,
    outstanding: u64,
    stuck: Span,
    /// The last acknowledgement, and the oldest packet without one.
    completed_frame: u32,
    stuck_frame: u32,
    /// Where the device was heard after that.
    heard_frame: Option<u32>,
    end: Option<(u32, Status)>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let credits = &connection.credits;
    let adapter = scene.capture().adapters.iter().find(|a| a.index == connection.adapter)?;
    let (_, buffers) = adapter.le_buffers?;
    let lost = matches!(
        connection.reason(),
        Some(
            Status::CONNECTION_TIMEOUT
                | Status::FAILED_TO_BE_ESTABLISHED
                | Status::LL_RESPONSE_TIMEOUT
        )
    );
    let stuck =
        see::given_up_at(connection).since(credits.stuck?.at).filter(|stuck| *stuck >= STUCK)?;
    let completed_frame = credits.last_completed?.frame;
    if lost || buffers == 0 || credits.outstanding() < u64::from(buffers) || !connection.start_seen
    {
        return None;
    }
    let heard = connection.last_heard.filter(|heard| heard.seen.frame > completed_frame);
    let facts = Starved {
        buffers,
        outstanding: credits.outstanding(),
        stuck,
        completed_frame,
        stuck_frame: credits.stuck?.frame,
        heard_frame: heard.map(|heard| heard.seen.frame),
        end: connection.end.as_ref().map(|e| (e.command_frame().unwrap_or(e.frame), e.reason)),
    };
    Some(Verdict::cause(facts).sure(Confidence::Medium))
}

impl Facts for Starved {
    fn says(&self) -> Text {
        text!(
            "All {} buffers of the controller were full and it acknowledged nothing for {}: this host could not send any more.",
            self.buffers,
            self.stuck
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let oldest = text!(
            "the oldest packet that was never acknowledged; {} are outstanding",
            self.outstanding
        );
        let mut sights = vec![
            Sight::here(self.completed_frame, "the last Number Of Completed Packets"),
            Sight::here(self.stuck_frame, oldest),
        ];
        sights.extend(self.heard_frame.map(|frame| {
            Sight::here(frame, "the device was still heard: the link lives in the other direction")
        }));
        let end = self.end;
        sights.extend(end.map(|(f, reason)| Sight::here(f, text!("the link ends: {}", reason))));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("supervision-timeout-0x08", "the link did not end for want of packets")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "Repeat with another adapter, and with pauses between the writes: which of both helps tells the peer from the controller."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
