use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, Scene, Sight, Verdict, see};
use crate::packet::{Direction, Status, att};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, OddityKind, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "late-host-write",
    title: "The host wrote into a link that was never established",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The host sent ATT requests as soon as the controller reported the link, before anything from the device was heard, or even after
the link's end. They could not arrive. This is a consequence of the dead link and not its cause, but it explains an MTU request
without an answer and a program that hangs.

## How it shows
ATT sent on a handle on which nothing was ever received, and that ended with 0x3E.

## What else it could be
If any ATT response came on that handle, the link was alive and the rule does not apply.

## What to do
Treat `connect` as provisional until the first answer came: give it a second, then disconnect and try again.",
    sources: &["noble/noble#474, #751", "noble, onLeConnComplete: the MTU request is queued at Connection Complete"],
    check: Check::Connection(check),
    cases: &[
        Case::note(Confidence::High, "it asks for the MTU 2 ms after the link was reported", || {
            gives_up(asks(link().wait_ms(2))).into()
        })
        .about(&[1])
        .saying("first ATT request 2.1 ms after the link was reported"),
        Case::note(Confidence::High, "it asks after the link has ended", || {
            asks(gives_up(link())).into()
        })
        .saying("ATT sent after the link had ended"),
        Case::silent("it sends nothing on ATT", || gives_up(link()).into()),
        Case::silent("the device answered", || gives_up(asks(link().features())).into()),
        Case::silent("the link ended for another reason", || {
            let link = asks(link().wait_ms(2)).wait_ms(315);
            link.disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("the device connected to us", || {
            gives_up(asks(Trace::new().connected_as(1, 39, 0, 42))).into()
        }),
        Case::silent("nobody asked for the link, and nothing is sent on it", || {
            gives_up(Trace::new().advertises(0).connected()).into()
        }),
    ],
};

fn link() -> Trace {
    Trace::new().advertises(0).create().connected()
}

fn asks(trace: Trace) -> Trace {
    trace.att(Direction::Sent, att::Pdu::ExchangeMtuRequest { client_rx_mtu: 256 })
}

fn gives_up(trace: Trace) -> Trace {
    trace.wait_ms(315).disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "Do not trust `connect` alone: wait up to 1 s for the first answer (`mtu` event or discovery), else `disconnect()` and retry.",
    ),
    Remedy::no_use(
        "Sending ATT earlier, later or more often: nothing can arrive on a link that the device never joined.",
    ),
];

/// ATT that this host sent where nobody could hear it.
#[derive(Debug)]
struct SentInVain {
    first: Option<FirstRequest>,
    /// Sent when the link had already ended.
    late_frame: Option<u32>,
    end: End,
}

#[derive(Debug)]
struct FirstRequest {
    frame: u32,
    /// Since the link was reported.
    after: Option<Span>,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref()?;
    let dead = connection.never_heard() && end.reason == Status::FAILED_TO_BE_ESTABLISHED;
    if !dead || connection.role != Some(Role::Central) {
        return None;
    }
    let late = connection.oddities.iter().find(|o| o.kind == OddityKind::AttAfterDisconnect);
    // Nothing was received: it is this host's.
    let first = connection.first_att;
    if late.is_none() && first.is_none() {
        return None;
    }
    let facts = SentInVain {
        first: first
            .map(|first| FirstRequest { frame: first.frame, after: connection.after(first.at) }),
        late_frame: late.map(|late| late.frame),
        end: end.clone(),
    };
    Some(Verdict::note(facts).sure(Confidence::High))
}

impl Facts for SentInVain {
    fn says(&self) -> Text {
        text!(
            "The host sent ATT although nothing from the device had been heard on this link. It could not be answered: a consequence of the dead link, not its cause."
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let first = self.first.iter().map(|FirstRequest { frame, after }| {
            let after = after.map(|after| text!(" {} after the link was reported", after));
            Sight::here(*frame, text!("first ATT request{}", after))
        });
        let late = self.late_frame.map(|f| Sight::here(f, "ATT sent after the link had ended"));
        first.chain(late).chain([see::link_ended(&self.end)]).collect()
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
