use super::named::{Elsewhere, Named, elsewhere};
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    see,
};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{Handle, Pdu};
use crate::packet::hci::{Command, LeEvent};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, EndedBy, OpenRequest, Outcome, Pending, Stack};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "att-transaction-timeout-30s",
    title: "A request was never answered, and the 30 s of ATT ran out",
    basis: Basis::Real,
    silences: &["att-request-unanswered", "never-usable-connection", "zombie-link-data-silence", "connection-cancelled-by-app", "remote-user-terminated-idle"],
    docs: "\
## What it means
A request was sent and its answer never came, while the link lived. After 30 s the bearer is dead by the specification, and the
side that waited hangs up. BlueZ does so 32 s after the request: 30 s and two more of the kernel.

## How it shows
An ATT request of either side, or an indication of the peer, without response for at least 29.5 s, then a Disconnect of the
requester (Disconnection Complete 0x16), or 0x13 from the peer where the peer was the one who waited.

## What else it could be
A link-layer procedure that is never finished takes 40 s and ends with 0x22. A lost link ends with 0x08. An indication of this
host's own server is `client-never-answers-indication`.

## What to do
Find out why the server does not answer this one request. Avoid it if you can: BlueZ reads 0x2A00 and 0x2A01 and writes the
Service Changed CCCD by itself; one unanswered request blocks everything behind it.",
    sources: &["Core Specification, Vol 3, Part F, 3.3.3", "BlueZ src/shared/att.c: ATT_TIMEOUT_INTERVAL", "bluez/bluez#153", "measured: 32.02 to 32.08 s on BlueZ"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "a read is open for 30 s, and this host hangs up", || {
            open(30_000).hangs_up(HUNG_UP).into()
        })
        .about(&[1])
        .saying("read of attribute 0x0010"),
        Case::cause(Confidence::High, "open for 29.51 s", || open(29_510).hangs_up(HUNG_UP).into())
            .pins(&["TIMEOUT"]),
        Case::silent("open for 29.4 s", || open(29_400).hangs_up(HUNG_UP).into())
            .pins(&["TIMEOUT"]),
        Case::cause(Confidence::High, "the attribute's name is known from this link", || {
            let link = Trace::new().up().mtu().discovery(2).att(Direction::Sent, READ_VALUE);
            link.wait_ms(30_000).hangs_up(HUNG_UP).into()
        })
        .saying("attribute 0x0003 (Battery Level, 0x2A19)"),
        Case::cause(Confidence::High, "the working host never sends it", || {
            let works = Trace::new().up().mtu().wait_ms(40_000).hangs_up(HUNG_UP);
            Example::pair(works, open(30_000).hangs_up(HUNG_UP))
        })
        .saying("The working side never sends it."),
        Case::cause(Confidence::High, "the working host sends it and is answered", || {
            let works = Trace::new().up().mtu().to_peer(&[0x0a, 0x10, 0], &[0x0b, 1]);
            Example::pair(works.wait_ms(9_000).hangs_up(HUNG_UP), open(30_000).hangs_up(HUNG_UP))
        })
        .saying("is answered after 50"),
        Case::cause(Confidence::High, "the peer's request is open, and the peer hangs up", || {
            let link = Trace::new().up().mtu().acl(Direction::Received, 4, &[0x0a, 3, 0]);
            link.wait_ms(30_000).disconnected(HUNG_UP).into()
        })
        .saying("This host never answered"),
        Case::cause(Confidence::High, "open for 39 s", || open(39_000).hangs_up(HUNG_UP).into())
            .pins(&["GIVEN_UP"]),
        Case::cause(Confidence::Medium, "open for 41 s", || open(41_000).hangs_up(HUNG_UP).into())
            .pins(&["GIVEN_UP"]),
        Case::cause(Confidence::Medium, "this host waits, and the device hangs up", || {
            open(30_000).disconnected(HUNG_UP).into()
        }),
        Case::silent("the next request is answered", || {
            open(50).write(0x12, &[1]).wait_ms(31_000).hangs_up(HUNG_UP).into()
        }),
        // `smp-timeout-30s` speaks for both then.
        Case::outweighed("a pairing was open for 29.1 s as well", || {
            paired(29_100).into()
        })
        .pins(&["PAIRING"]),
        Case::cause(Confidence::Medium, "a pairing was open for 28.9 s as well", || {
            paired(28_880).into()
        })
        .pins(&["PAIRING"]),
        Case::silent("the link was lost", || {
            open(30_000).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("the link is still up", || open(30_000).into()),
        Case::silent("it is an indication of this host", || {
            let link = Trace::new().up().mtu().acl(Direction::Sent, 4, &[0x1d, 8, 0, 1]);
            link.wait_ms(30_000).hangs_up(HUNG_UP).into()
        }),

        Case::cause(Confidence::High, "what was asked is named once", || {
            open(30_000).hangs_up(HUNG_UP).into()
        })
        .saying("Read Request, read of attribute 0x0010"),
        Case::cause(Confidence::High, "a name that says what was asked already is not said twice", || {
            let asks = Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
            let link = Trace::new().up().discovery(2).att(Direction::Sent, asks);
            link.wait_ms(30_000).hangs_up(HUNG_UP).into()
        })
        .not_saying("Request, Exchange MTU Request"),
        Case::cause(Confidence::High, "an indication of the device is open", || {
            let link = Trace::new().up().mtu().acl(Direction::Received, 4, &[0x1d, 8, 0, 1]);
            link.wait_ms(30_000).disconnected(HUNG_UP).into()
        })
        .saying("This host never answered"),
        Case::silent("only a pairing is open", || {
            let link = Trace::new().up().mtu().asks_to_pair();
            link.wait_ms(30_000).hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::High, "the device went on asking this host, and was answered", || {
            let asked = open(10_000).from_peer(&[0x0a, 3, 0], &[0x0b, 7]);
            asked.wait_ms(20_000).hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::High, "open for exactly 29.5 s", || for_us(29_500_000).into()),
        Case::silent("open for a moment less", || for_us(29_499_999).into()),
        Case::cause(Confidence::High, "open for exactly 40 s", || for_us(40_000_000).into()),
        Case::cause(Confidence::Medium, "open for a moment more", || for_us(40_000_001).into()),
        Case::outweighed("a pairing was open for exactly 29 s as well", || {
            let link = open(1_000).asks_to_pair().after_us(29_000_000);
            link.disconnected(HUNG_UP).into()
        }),
        Case::cause(Confidence::Medium, "a pairing was open for a moment less than that", || {
            let link = open(1_000).asks_to_pair().after_us(28_999_999);
            link.disconnected(HUNG_UP).into()
        }),
        Case::cause(Confidence::High, "this host went on with a change of the parameters, which is no request on ATT", || {
            let asked = open(1_000).taken(Command::LeConnectionUpdate {
                connection_handle: HANDLE,
                connection_interval_min: 24,
                connection_interval_max: 24,
                max_latency: 0,
                supervision_timeout: 100,
                min_ce_length: 0,
                max_ce_length: 0,
            });
            let updated = asked.wait_ms(300).le(LeEvent::ConnectionUpdateComplete {
                status: Status::SUCCESS,
                connection_handle: HANDLE,
                connection_interval: 24,
                peripheral_latency: 0,
                supervision_timeout: 100,
            });
            updated.wait_ms(29_000).hangs_up(HUNG_UP).into()
        }),
        // `gatt-busy-parallel-requests` says what comes first.
        Case::outweighed("this host went on, and nothing was answered any more", || {
            let write = Pdu::WriteRequest { attribute_handle: Handle(0x12), attribute_value: &[1] };
            open(10_000).att(Direction::Sent, write).wait_ms(20_000).hangs_up(HUNG_UP).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;
const READ_VALUE: Pdu<'static> = Pdu::ReadRequest { attribute_handle: Handle(3) };

/// A read that nobody answers.
fn open(ms: u32) -> Trace {
    let read = Pdu::ReadRequest { attribute_handle: Handle(0x10) };
    Trace::new().up().mtu().att(Direction::Sent, read).wait_ms(ms)
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

/// A request that is open for 30 s, and a pairing for that long.
fn paired(ms: u32) -> Trace {
    open(30_000 - ms).asks_to_pair().wait_ms(ms).disconnected(HUNG_UP)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Keep BlueZ from asking, for a test: stop the service and run `bluetoothd --noplugin=gap,deviceinfo,battery`.",
    ),
    Remedy::firmware("answer every request, with an Error Response if nothing else."),
    Remedy::no_use("A longer supervision timeout: the link was alive all the time."),
];

/// The specification allows 30 s; clocks and the host's own delay may shorten what is seen.
const TIMEOUT: Span = Span::from_ms(29_500);

/// BlueZ hangs up 32 s after the request. Who hangs up much later may have another reason.
const GIVEN_UP: Span = Span::from_ms(40_000);

/// A pairing that was open for so long explains the end equally well: its timer is 30 s too.
const PAIRING: Span = Span::from_ms(29_000);

/// A request that was never answered.
#[derive(Debug)]
struct Expired {
    question: Question,
    ours: bool,
    age: Span,
    elsewhere: Option<Elsewhere>,
    end: End,
}

/// A request that was open at the end.
#[derive(Clone, Debug)]
pub struct Question {
    pub frame: u32,
    name: &'static str,
    /// Its step, where the timeline still had room for it.
    pub named: Option<Named>,
}

impl Question {
    pub fn of(scene: &Scene<'_>, connection: &Connection, open: &OpenRequest) -> Self {
        let name = match open.pending {
            Pending::Att(opcode) => Pdu::name_of(opcode).unwrap_or("request"),
            _ => "request",
        };
        let step = connection.steps.iter().find(|s| s.frame == open.frame);
        let named = step.map(|step| Named::of(scene, connection, step));
        Self { frame: open.frame, name, named }
    }

    /// How it reads in a sentence: the specification's name, and what it asked for.
    pub fn says(&self) -> Text {
        match self.named.as_ref().map(Named::request) {
            Some(request) if request.to_string().starts_with(self.name) => request,
            Some(request) => text!("{}, {}", self.name, request),
            None => self.name.into(),
        }
    }

    /// What the working side did of the same.
    pub fn elsewhere(&self, scene: &Scene<'_>, connection: &Connection) -> Option<Elsewhere> {
        elsewhere(scene, connection, &self.named.as_ref()?.step)
    }
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let open = connection
        .open_requests
        .iter()
        .filter(|o| {
            // Our own indications have a rule of their own: there we are the server.
            let indication = o.pending == Pending::Att(Pdu::INDICATION);
            matches!(o.pending, Pending::Att(_)) && !(indication && o.by == Direction::Sent)
        })
        .max_by_key(|o| o.age)?;
    let age = open.age.filter(|age| *age >= TIMEOUT)?;
    // A capture that is still going on, or cut packets that may hold the answer, prove nothing.
    let end = connection.end.clone()?;
    let lost = matches!(
        end.reason,
        Status::CONNECTION_TIMEOUT | Status::LL_RESPONSE_TIMEOUT | Status::MIC_FAILURE
    );
    if lost {
        return None;
    }
    let pairing = connection
        .open_requests
        .iter()
        .any(|o| matches!(o.pending, Pending::Smp(_)) && o.age.is_some_and(|age| age >= PAIRING));
    // Who went on and was answered had not been kept waiting: the recording lost that answer.
    let went_on = connection.steps.iter().any(|s| {
        s.is_att() && s.by == open.by && s.comes_after(open.frame) && s.outcome == Outcome::Ok
    });
    if went_on && connection.enhanced_att == 0 {
        return None;
    }
    let question = Question::of(scene, connection, open);
    let elsewhere = question.elsewhere(scene, connection);
    let ours = open.by == Direction::Sent;
    // Only the one who waited hangs up because of it, and does so soon.
    let waited = end.by == if ours { EndedBy::Host } else { EndedBy::Peer };
    let sure = if waited && age <= GIVEN_UP { Confidence::High } else { Confidence::Medium };
    let facts = Expired { question, ours, age, elsewhere, end };
    Some(match pairing {
        // `smp-timeout-30s` names both, in the place of this one.
        true => Verdict::suspect(facts),
        false => Verdict::cause(facts).sure(sure),
    })
}

impl Facts for Expired {
    fn says(&self) -> Text {
        let (name, age) = (self.question.says(), self.age);
        if self.ours {
            text!(
                "The device never answered this host's {}.{} {} later the connection was given up; everything behind that request was blocked.",
                name,
                self.elsewhere.map(Elsewhere::says),
                age
            )
        } else {
            text!(
                "This host never answered the peer's {}, and {} later the connection ended.",
                name,
                age
            )
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let asked = text!("{}, never answered", self.question.says());
        let hangs_up =
            self.end.command_frame().map(|frame| Sight::here(frame, "this host hangs up"));
        let theirs = self.elsewhere.and_then(Elsewhere::frame);
        let theirs =
            theirs.map(|frame| Sight::in_reference(frame, "the working side sends the same"));
        let asked = std::iter::once(Sight::here(self.question.frame, asked));
        asked.chain(hangs_up).chain([see::link_ended(&self.end)]).chain(theirs).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new(
                "supervision-timeout-0x08",
                "the link was alive until it was ended on purpose",
            ),
            RuledOut::new("ll-response-timeout-40s", "no link-layer procedure was open"),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![
            "Send the same request alone, right after connecting: does the device ever answer it?"
                .into(),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On an enhanced bearer the answers to later requests say nothing of the one that is open on another.
    #[test]
    fn a_host_with_several_bearers_may_go_on() {
        let asked = open(50).write(0x12, &[1]).wait_ms(31_000).hangs_up(HUNG_UP);
        let mut captures = [asked.run()];
        let said = |captures: &[crate::timeline::Capture]| {
            let scene = Scene { captures, testimonies: &[], subject: 0, comparison: None };
            check(&scene, &captures[0].connections[0]).is_some()
        };
        assert!(!said(&captures));
        captures[0].connections[0].enhanced_att = 1;
        assert!(said(&captures));
    }
}
