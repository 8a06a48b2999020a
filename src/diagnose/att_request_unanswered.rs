use super::att_transaction_timeout_30s::Question;
use super::named::Elsewhere;
use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{Handle, Pdu};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, EndedBy, Pending, Stack};
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
An ATT request without answer for three seconds or more, then our own Disconnect command.

## What else it could be
After 29.5 s it is the ATT timeout itself. A link that was lost leaves requests open too: a consequence.

## What to do
Find out why the peer does not answer this one request; avoid it if you can; in firmware answer every request.",
    sources: &["laboratory: servers that stop answering"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "a read is open for 10 s, and this host hangs up", || {
            open(10_000).hangs_up(HUNG_UP).into()
        })
        .about(&[1])
        .saying("read of attribute 0x0003 (Battery Level, 0x2A19)"),
        Case::cause(Confidence::Medium, "open for 3 s", || open(2_960).hangs_up(HUNG_UP).into())
            .pins(&["SHORTEST"]),
        Case::silent("open for 2.9 s", || open(2_800).hangs_up(HUNG_UP).into())
            .pins(&["SHORTEST"]),
        Case::cause(Confidence::Medium, "open for 29.4 s", || open(29_400).hangs_up(HUNG_UP).into())
            .pins(&["LONGEST"]),
        Case::silent("open for 29.6 s: the ATT timeout says more", || {
            open(29_600).hangs_up(HUNG_UP).into()
        })
        .pins(&["LONGEST"]),
        Case::silent("the device hangs up", || open(10_000).disconnected(HUNG_UP).into()),
        Case::silent("it is the peer's request", || {
            let link = Trace::new().up().mtu().acl(Direction::Received, 4, &[0x0a, 3, 0]);
            link.wait_ms(10_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("nothing was ever heard", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            let link = Trace::new().create().connected().att(Direction::Sent, read);
            link.wait_ms(10_000).hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::Medium, "open for exactly 3 s", || for_us(3_000_000).into()),
        Case::silent("open for exactly 29.5 s", || for_us(29_500_000).into()),
        Case::cause(Confidence::Medium, "open for a little less than 29.5 s", || {
            for_us(29_499_999).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// A read that is open for so long.
fn open(ms: u32) -> Trace {
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    Trace::new().up().mtu().discovery(2).att(Direction::Sent, read).wait_ms(ms)
}

/// A read that is open for exactly so long when the link ends.
fn for_us(us: u32) -> Trace {
    let hang_up = crate::packet::hci::Command::Disconnect {
        connection_handle: crate::trace::HANDLE,
        reason: HUNG_UP,
    };
    let link = open(0).after_us(us - 50_000).taken(hang_up);
    link.after_us(49_900).disconnected(Status::LOCAL_HOST_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Leave that request out if the program sends it; give the device more time if it is slow (up to 30 s are allowed).",
    ),
    Remedy::firmware("answer every request, with an Error Response if nothing else."),
];

/// A device may take its time: a shorter wait says nothing.
const SHORTEST: Span = Span::from_ms(3_000);

/// From here on it is the timeout of ATT itself.
const LONGEST: Span = Span::from_ms(29_500);

/// A request that was open when this host gave up.
#[derive(Debug)]
struct GaveUp {
    question: Question,
    age: Span,
    elsewhere: Option<Elsewhere>,
    command_frame: u32,
    end: End,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.clone().filter(|end| end.by == EndedBy::Host)?;
    let open = connection
        .open_requests
        .iter()
        .filter(|o| o.by == Direction::Sent && matches!(o.pending, Pending::Att(_)))
        .max_by_key(|o| o.age)?;
    let age = open.age.filter(|age| *age >= SHORTEST && *age < LONGEST)?;
    if !connection.peer_heard() {
        return None;
    }
    let question = Question::of(scene, connection, open);
    let elsewhere = question.elsewhere(scene, connection);
    let command_frame = end.command_frame()?;
    let facts = GaveUp { question, age, elsewhere, command_frame, end };
    Some(Verdict::cause(facts).sure(Confidence::Medium))
}

impl Facts for GaveUp {
    fn says(&self) -> Text {
        text!(
            "The device did not answer this host's {}; the link lived on, and this host gave up after {}.{}",
            self.question.says(),
            self.age,
            self.elsewhere.map(Elsewhere::says)
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let theirs = self.elsewhere.and_then(Elsewhere::frame);
        let theirs =
            theirs.map(|frame| Sight::in_reference(frame, "the working side sends the same"));
        let here = [
            Sight::here(self.question.frame, text!("{}, without answer", self.question.says())),
            Sight::here(self.command_frame, "this host hangs up"),
            see::link_ended(&self.end),
        ];
        here.into_iter().chain(theirs).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "supervision-timeout-0x08",
            "the link was alive until this host ended it",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec!["Wait 30 s once: does the answer come late, or never?".into()]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
