use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{Handle, Pdu};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, End, OddityKind, Pending, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "gatt-busy-parallel-requests",
    title: "The host sent a second request before the first was answered",
    basis: Basis::Laboratory,
    silences: &["att-request-unanswered", "att-transaction-timeout-30s", "never-usable-connection", "immediate-0x13-after-first-att"],
    docs: "\
## What it means
ATT allows one open request at a time in each direction. This host sent another before the answer came; many devices then stop
answering altogether.

## How it shows
Two or more requests open on the same bearer, then no answer, an error, or the end of the link.

## What else it could be
Requests in opposite directions, or on different (EATT) bearers, are allowed.

## What to do
Send one request at a time: wait for each answer in the program, or use a stack that queues.",
    sources: &["Core Specification, Vol 3, Part F, 3.3.2"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "three reads before the first is answered", || {
            let link = two(Trace::new().up().mtu(), Direction::Sent).att(Direction::Sent, read(7));
            link.hangs_up(HUNG_UP).into()
        })
        .about(&[1])
        .saying("3 requests stayed without answer")
        .pins(&["PROVED"]),
        Case::cause(Confidence::Medium, "a second read before the first is answered", || {
            two(Trace::new().up().mtu(), Direction::Sent).hangs_up(HUNG_UP).into()
        })
        .about(&[1])
        .saying("2 requests stayed without answer")
        .pins(&["FEWEST", "PROVED"]),
        Case::silent("the second request is the peer's", || {
            two(Trace::new().up().mtu(), Direction::Received).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the first is answered after all", || {
            let link = Trace::new().up().mtu().att(Direction::Sent, read(3));
            let link = link.att(Direction::Sent, read(5)).wait_ms(50);
            let link = link.att(Direction::Received, Pdu::ReadResponse { attribute_value: &[1] });
            link.wait_ms(10_000).hangs_up(HUNG_UP).into()
        })
        .pins(&["FEWEST"]),
        Case::silent("the link was up before the capture began", || {
            two(Trace::new().mtu(), Direction::Sent).hangs_up(HUNG_UP).into()
        }),

        Case::silent("one request of each side stays open", || {
            let link = Trace::new().up().mtu().att(Direction::Sent, read(3));
            let link = link.att(Direction::Sent, read(5)).wait_ms(50);
            let link = link.att(Direction::Received, Pdu::ReadResponse { attribute_value: &[1] });
            link.att(Direction::Received, read(7)).wait_ms(10_000).hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::Medium, "the request that came too early is shown", || {
            two(Trace::new().up().mtu(), Direction::Sent).hangs_up(HUNG_UP).into()
        })
        .saying("sent before the answer to the one before"),
        Case::cause(Confidence::Medium, "the device asks twice at once before this host does", || {
            let device = Trace::new().up().mtu().att(Direction::Received, read(3));
            let device = device.att(Direction::Received, read(5)).wait_ms(100);
            two(device, Direction::Sent).hangs_up(HUNG_UP).into()
        })
        .saying("sent before the answer to the one before"),
        Case::silent("a request and an indication of this host are open", || {
            let link = Trace::new().up().mtu().att(Direction::Sent, read(3));
            let link = link.att(Direction::Sent, read(5)).wait_ms(50);
            let link = link.att(Direction::Received, Pdu::ReadResponse { attribute_value: &[1] });
            let link = link.acl(Direction::Sent, 4, &[0x1d, 8, 0, 1]);
            link.wait_ms(10_000).hangs_up(HUNG_UP).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

fn read(handle: u16) -> Pdu<'static> {
    Pdu::ReadRequest { attribute_handle: Handle(handle) }
}

/// Our read, a second one of either side, and no answers.
fn two(link: Trace, second: Direction) -> Trace {
    link.att(Direction::Sent, read(3)).att(second, read(5)).wait_ms(10_000)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "Await each operation before the next; update noble if it sends them in parallel by itself.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Look for a second program that writes to an L2CAP or HCI socket beside BlueZ, which queues by itself.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Start the next GATT procedure in the callback of the one before.",
    ),
];

/// With one request open there is nothing that two of them could have broken.
const FEWEST: usize = 2;

/// An answer that the recording lost leaves one request open, beside the one that the link ended with.
const PROVED: usize = 3;

/// Most open requests that are shown.
const SHOWN: usize = 3;

/// Requests that were open at the same time, and stayed so.
#[derive(Debug)]
struct Parallel {
    count: usize,
    /// Frames of the first of them.
    open: Vec<u32>,
    /// The one that came too early.
    early: u32,
    end: Option<End>,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let odd = connection.oddities.iter().find(|o| {
        o.kind == OddityKind::SecondRequestInFlight
            && connection.steps.iter().any(|s| s.frame == o.frame && s.by == Direction::Sent)
    })?;
    let open = connection.open_requests.iter().filter(|o| {
        o.by == Direction::Sent
            && matches!(o.pending, Pending::Att(code) if code != Pdu::INDICATION)
    });
    let open: Vec<u32> = open.map(|o| o.frame).collect();
    if open.len() < FEWEST || !connection.start_seen || connection.enhanced_att > 0 {
        return None;
    }
    let (count, end) = (open.len(), connection.end.clone());
    let open = open.into_iter().take(SHOWN).collect();
    let sure = if count >= PROVED { Confidence::High } else { Confidence::Medium };
    Some(Verdict::cause(Parallel { count, open, early: odd.frame, end }).sure(sure))
}

impl Facts for Parallel {
    fn says(&self) -> Text {
        text!(
            "This host sent a request while another was still open, which ATT forbids; {} requests stayed without answer.",
            self.count
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let open = self.open.iter().map(|frame| {
            let early = "sent before the answer to the one before";
            let text = if *frame == self.early { early } else { "request without answer" };
            Sight::here(*frame, text)
        });
        let end = self.end.as_ref().map(|end| {
            let frame = end.command_frame().unwrap_or(end.frame);
            Sight::here(frame, text!("the link ends: {}", end.reason))
        });
        open.chain(end).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "att-request-unanswered",
            "the silence follows this host's own violation",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
