use super::att_transaction_timeout_30s::question;
use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{Handle, Pdu};
use crate::time::Span;
use crate::timeline::{Connection, EndedBy, Pending, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "att-request-unanswered",
    title: "A request was open, and the host gave up waiting",
    basis: Basis::Laboratory,
    silences: &["zombie-link-data-silence", "connection-cancelled-by-app"],
    docs: "\
## What it means
A request was sent, the link lived on, no answer came, and the host ended the link before the 30 s of ATT were over.

## How it shows
An ATT, SMP or signalling request without answer for three seconds or more, then our own Disconnect command.

## What else it could be
After 29.5 s it is the ATT timeout itself. A link that was lost leaves requests open too: a consequence.

## What to do
Find out why the peer does not answer this one request; avoid it if you can; in firmware answer every request.",
    sources: &["laboratory: servers that stop answering"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(10_000).into()),
        Case::silent("the nearest other trace", || example(1_000).into()),
    ],
};

fn example(wait: u32) -> Trace {
    Trace::new()
        .up()
        .mtu()
        .discovery(2)
        .att(Direction::Sent, Pdu::ReadRequest { attribute_handle: Handle(3) })
        .wait_ms(wait)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Leave that request out if the program sends it; give the device more time if it is slow (up to 30 s are allowed).",
    ),
    Remedy::any(
        "In the device's firmware answer every request, with an Error Response if nothing else.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.by == EndedBy::Host)?;
    let open = connection
        .open_requests
        .iter()
        .filter(|o| o.by == Direction::Sent && matches!(o.pending, Pending::Att(_)))
        .max_by_key(|o| o.age)?;
    let age =
        open.age.filter(|age| *age >= Span::from_ms(3_000) && *age < Span::from_ms(29_500))?;
    if connection.cut_packets > 0 || !connection.peer_heard() {
        return None;
    }
    let name = question(connection, open);
    let (frame, text) = see::ended(end);
    Some(
        Verdict::cause(format!("The device did not answer this host's {name}; the link lived on, and this host gave up after {age}."))
            .sure(Confidence::Medium)
            .sees(open.frame, format!("{name}, without answer"))
            .sees(end.command_frame?, "this host hangs up")
            .sees(frame, text)
            .rules_out("supervision-timeout-0x08", "the link was alive until this host ended it")
            .settled_by("Wait 30 s once: does the answer come late, or never?")
            .try_these(remedies(scene, REMEDIES)),
    )
}
