use super::named::Named;
use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::att::{Handle, Pdu};
use crate::packet::{Direction, Status};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Pending, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "client-never-answers-indication",
    title: "The other side never confirmed an indication of this host",
    basis: Basis::Real,
    silences: &["zombie-link-data-silence", "connection-cancelled-by-app", "unexplained-end"],
    docs: "\
## What it means
This host is the server and sent an indication (Service Changed, as a rule). The other side must confirm it within 30 s and did
not. After that the server may send no further indication on this link, and many stacks end it.

## How it shows
A Handle Value Indication sent by this host, no confirmation for 29.5 s or more, while the link lived.

## What else it could be
A request of this host that is not answered is `att-transaction-timeout-30s`. A lost link leaves indications unconfirmed too.

## What to do
Find out why the client does not confirm: a client that is busy pairing, or that subscribed in an earlier life and forgot it. In the
server: notify where no confirmation is needed.",
    sources: &["Core Specification, Vol 3, Part F, 3.3.3", "real captures: two clients that never confirm Service Changed"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "the link ends 30 s after the indication", || {
            open(30_000).disconnected(HUNG_UP).into()
        })
        .about(&[1])
        .saying("indication of attribute 0x0008"),
        Case::cause(Confidence::High, "29.6 s after it", || open(29_600).hangs_up(HUNG_UP).into())
            .pins(&["TIMEOUT"]),
        Case::silent("29.4 s after it", || open(29_350).hangs_up(HUNG_UP).into())
            .pins(&["TIMEOUT"]),
        Case::silent("the other side confirms", || {
            let link = Trace::new().connected_as(1, 24, 0, 72).features();
            link.to_peer(&[0x1d, 8, 0, 1, 0, 9, 0], &[0x1e]).wait_ms(40_000).into()
        }),
        Case::silent("the link was lost", || {
            open(30_000).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("the capture ends before anything came of it", || open(30_000).into()),
        Case::silent("it is this host that does not confirm", || {
            let link = Trace::new().up().mtu();
            let link = link.acl(Direction::Received, 4, &[0x1d, 8, 0, 1]);
            link.wait_ms(30_000).disconnected(HUNG_UP).into()
        }),
        Case::silent("it is a request that is open", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            let link = Trace::new().up().mtu().att(Direction::Sent, read);
            link.wait_ms(30_000).hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::High, "exactly 29.5 s after it", || {
            open(0).after_us(29_500_000).disconnected(HUNG_UP).into()
        }),
        Case::silent("a moment sooner", || {
            open(0).after_us(29_499_999).disconnected(HUNG_UP).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// A central connects to us, and we indicate.
fn open(ms: u32) -> Trace {
    let link = Trace::new().connected_as(1, 24, 0, 72).features();
    link.acl(Direction::Sent, 4, &[0x1d, 8, 0, 1, 0, 9, 0]).wait_ms(ms)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Notify instead of indicating where the value need not be confirmed, and indicate only to clients that subscribed on this link.",
    ),
    Remedy::any(
        "In the client: confirm each indication at once, before anything is done with its value.",
    ),
];

/// The specification allows 30 s; clocks and the host's own delay may shorten what is seen.
const TIMEOUT: Span = Span::from_ms(29_500);

/// An indication without its confirmation.
#[derive(Debug)]
struct Unconfirmed {
    indication: Named,
    age: Span,
    end: End,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let open = connection
        .open_requests
        .iter()
        .find(|o| o.by == Direction::Sent && o.pending == Pending::Att(Pdu::INDICATION))?;
    let age = open.age.filter(|age| *age >= TIMEOUT)?;
    let end = connection.end.clone()?;
    let lost = matches!(
        end.reason,
        Status::CONNECTION_TIMEOUT | Status::LL_RESPONSE_TIMEOUT | Status::MIC_FAILURE
    );
    if lost || connection.cut_packets > 0 || scene.capture().lost_packets_of(connection) {
        return None;
    }
    let step = connection.steps.iter().find(|s| s.frame == open.frame)?;
    let indication = Named::of(scene, connection, step);
    Some(Verdict::cause(Unconfirmed { indication, age, end }).sure(Confidence::High))
}

impl Facts for Unconfirmed {
    fn says(&self) -> Text {
        text!(
            "The other side never confirmed this host's {}, and {} later the link ended. Until a confirmation comes this host's server may send no other indication.",
            self.indication.request(),
            self.age
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let line = text!("{}, never confirmed", self.indication.request());
        vec![Sight::here(self.indication.step.frame, line), see::link_ended(&self.end)]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("supervision-timeout-0x08", "the link was alive until it was ended")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec!["Does the other side confirm an indication that comes later, when it is idle?".into()]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
