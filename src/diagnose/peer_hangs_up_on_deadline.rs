use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    orders, see,
};
use crate::packet::Direction;
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Outcome, Procedure, Role, Sighting, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "peer-hangs-up-on-deadline",
    title: "The device hangs up after a fixed time, while the host is still busy",
    basis: Basis::Laboratory,
    silences: &["att-request-unanswered", "insufficient-auth-no-pairing", "discovery-order-or-volume-difference"],
    docs: "\
## What it means
The device was heard, talked, and then ended the link itself, after the same time in every try. It waits for something, a
login or a first write, and does not get it in time because the host is busy with other things, full discovery as a rule.

## How it shows
Disconnection Complete 0x13 (0x14, 0x15) without our command; connect-to-disconnect the same within ten percent over two or
more tries, under ten seconds; traffic flowed until the end, and the last packet differs from try to try.

## What else it could be
The same packet before every end points to that packet (`immediate-0x13-after-first-att`). A link that was idle before the end
points to an inactivity timer (`remote-user-terminated-idle`). A peer that was never heard points to the radio.

## What to do
Do first what the working host had done by then: application writes and subscriptions first. Use known handles or discovery
by UUID; let the host cache the services after one success. Ask the vendor for the deadline.",
    sources: &["laboratory: a device that hangs up after 400 ms unless its unlock characteristic is written"],
    check: Check::Device(check),
    cases: &[
        Case::cause(Confidence::Medium, "twice after the same time, at another packet", || {
            tries(0, 0).into()
        })
        .about(&[1, 2])
        .saying("In 2 tries"),
        Case::cause(Confidence::High, "another host's link outlived that time", || {
            Example::pair(works(), tries(0, 0))
        })
        .saying("and this one had not: write of attribute 0x0003"),
        Case::suspect(Confidence::Low, "once, and another host's link outlived that time", || {
            Example::pair(works(), one(Trace::new(), 0))
        })
        .saying("One try cannot show"),
        Case::silent("once, with nothing to compare", || one(Trace::new(), 0).into()),
        Case::cause(Confidence::Medium, "lengths 9 percent from their mean", || {
            tries(0, 70).into()
        })
        .pins(&["see::SPREAD_PERCENT"]),
        Case::silent("lengths 11 percent from their mean", || tries(0, 87).into())
            .pins(&["see::SPREAD_PERCENT"]),
        Case::cause(Confidence::Medium, "idle for 0.99 s of 9.9 s before each end", || {
            long(8_600, 990).into()
        })
        .pins(&["LONGEST_IDLE"]),
        Case::silent("idle for 1.01 s before each end", || long(8_600, 1_010).into())
            .pins(&["LONGEST_IDLE"]),
        Case::cause(Confidence::Medium, "links of 9.9 s", || long(9_500, 50).into())
            .pins(&["LONGEST_LIFE"]),
        Case::silent("links of 10.1 s", || long(9_700, 50).into()).pins(&["LONGEST_LIFE"]),
        Case::silent("idle for more than half of the link's life", || tries(500, 0).into()),
        Case::suspect(Confidence::Low, "the last packets were values of the device: it may have been done", || {
            values().into()
        })
        .saying("may have been done"),
        Case::cause(Confidence::Medium, "values of the device, and then a request of this host", || {
            let first = Trace::new().up().discovery(2).notified(9, &[1]).mtu().wait_ms(10);
            let two = first.disconnected(HUNG_UP).wait_ms(2_000).up().notified(9, &[1]).mtu();
            two.discovery(2).wait_ms(10).disconnected(HUNG_UP).into()
        })
        .not_saying("may have been done"),
        Case::silent("the same packet before every end", || {
            let link = Trace::new().up().discovery(2).wait_ms(60).disconnected(HUNG_UP);
            link.repeated(2, 2_000).into()
        }),
        Case::silent("the device connected to us", || {
            let link = Trace::new().connected_as(1, 39, 0, 42).mtu().wait_ms(10);
            link.disconnected(HUNG_UP).repeated(2, 2_000).into()
        }),
        Case::silent("our host ended the links", || {
            let link = Trace::new().up().discovery(2).mtu().hangs_up(HUNG_UP).wait_ms(2_000);
            link.up().mtu().discovery(2).hangs_up(HUNG_UP).into()
        }),

        Case::silent("the working link lasted no longer", || {
            let works = Trace::new().up().write(3, &[1]).hangs_up(HUNG_UP);
            Example::pair(works, one(Trace::new(), 0))
        }),
        Case::silent("the device's wish was left open", || {
            let wish = crate::packet::smp::Pdu::SecurityRequest { auth_req: 1 };
            let asks = |link: Trace| link.up().smp(Direction::Received, wish);
            let first = asks(Trace::new()).discovery(2).mtu().wait_ms(10).disconnected(HUNG_UP);
            let second = asks(first.wait_ms(2_000)).mtu().discovery(2).wait_ms(10);
            second.disconnected(HUNG_UP).into()
        }),
        Case::silent("a pairing failed on the links", || {
            let failed = crate::packet::smp::Pdu::PairingFailed {
                reason: crate::packet::smp::Reason::PAIRING_NOT_SUPPORTED,
            };
            let pairs = |link: Trace| link.up().asks_to_pair().smp(Direction::Received, failed);
            let first = pairs(Trace::new()).discovery(2).mtu().wait_ms(10).disconnected(HUNG_UP);
            let second = pairs(first.wait_ms(2_000)).mtu().discovery(2).wait_ms(10);
            second.disconnected(HUNG_UP).into()
        }),
        Case::cause(Confidence::Medium, "a pairing went well on the links", || {
            let pairs = |link: Trace| {
                let paired = link.up().asks_to_pair().answers_pairing().wait_ms(20);
                paired.encrypts().wait_ms(20).encryption(Status::SUCCESS)
            };
            let first = pairs(Trace::new()).discovery(2).mtu().wait_ms(10).disconnected(HUNG_UP);
            let second = pairs(first.wait_ms(2_000)).mtu().discovery(2).wait_ms(10);
            second.disconnected(HUNG_UP).into()
        }),
        Case::cause(Confidence::High, "what the working host had not done by then is not told", || {
            let works = Trace::new().up().discovery(2).wait_ms(4_000).write(3, &[1]);
            Example::pair(works.wait_ms(1_000).hangs_up(HUNG_UP), tries(0, 0))
        })
        .not_saying("this one had not"),
        Case::cause(Confidence::High, "what the working host was refused is not told", || {
            let write = crate::packet::att::Pdu::WriteRequest {
                attribute_handle: crate::packet::att::Handle(3),
                attribute_value: &[1],
            };
            let denied = crate::packet::att::ErrorCode::WRITE_NOT_PERMITTED;
            let works = Trace::new().up().refused(write, denied).discovery(2).wait_ms(5_000);
            Example::pair(works.hangs_up(HUNG_UP), tries(0, 0))
        })
        .not_saying("this one had not"),
        Case::cause(Confidence::High, "what the device wrote is not what the working host had done", || {
            let works = Trace::new().up().from_peer(&[0x12, 3, 0, 1], &[0x13]).discovery(2);
            Example::pair(works.wait_ms(5_000).hangs_up(HUNG_UP), tries(0, 0))
        })
        .not_saying("this one had not"),
        Case::cause(Confidence::High, "what this host had written too is not told", || {
            let first = Trace::new().up().write(3, &[1]).discovery(2).mtu().wait_ms(10);
            let second = first.disconnected(HUNG_UP).wait_ms(2_000).up().mtu().write(3, &[1]);
            let tries = second.discovery(2).wait_ms(10).disconnected(HUNG_UP);
            Example::pair(works(), tries)
        })
        .not_saying("this one had not"),
        Case::cause(Confidence::High, "it had written something else, and the device had written that to it", || {
            let busy = |link: Trace| link.write(9, &[1]).from_peer(&[0x12, 3, 0, 1], &[0x13]);
            let first = busy(Trace::new().up()).discovery(2).mtu().wait_ms(10);
            let second = busy(first.disconnected(HUNG_UP).wait_ms(2_000).up().mtu());
            Example::pair(works(), second.discovery(2).wait_ms(10).disconnected(HUNG_UP))
        })
        .saying("this one had not: write of attribute 0x0003"),
        Case::cause(Confidence::High, "a discovery is nothing that a device waits for", || {
            let works = Trace::new().up().by_wire(&[0x08, 1, 0, 6, 0, 0x00, 0x2a], 0x09, &[3, 9, 0, 7]);
            Example::pair(works.wait_ms(5_000).hangs_up(HUNG_UP), tries(0, 0))
        })
        .not_saying("this one had not"),
        Case::silent("twice of three tries after the same time", || {
            tries(0, 0).wait_ms(2_000).up().mtu().discovery(2).wait_ms(700).mtu().wait_ms(10).disconnected(HUNG_UP).into()
        }),
        Case::cause(Confidence::Medium, "idle for 45 percent of the link's life", || {
            tries(320, 0).into()
        }),
        Case::cause(Confidence::Medium, "idle for a little less than half of the link's life", || {
            exactly(0, five() - 1).into()
        }),
        Case::silent("idle for exactly half of the link's life", || exactly(0, five()).into()),
        Case::silent("idle for exactly 1 s of 9.9 s", || exactly(8_600, 1_000_000).into()),
        Case::cause(Confidence::Medium, "links of a little less than 10 s", || {
            exactly(9_000, 999_999 - five()).into()
        }),
        Case::silent("links of exactly 10 s", || exactly(9_000, 1_000_000 - five()).into()),
        Case::cause(Confidence::High, "the working link is still up when its capture ends", || {
            let works = Trace::new().up().write(3, &[1]).discovery(2).wait_ms(5_000);
            Example::pair(works.done(crate::packet::hci::Command::ReadBdAddr {}), tries(0, 0))
        })
        .saying("this one had not: write of attribute 0x0003"),
        Case::cause(Confidence::High, "the working host writes in the moment of the connection", || {
            let works = Trace::new().create().connected().after_us(0).writes_to(3, 1).features();
            Example::pair(works.discovery(2).wait_ms(5_000).hangs_up(HUNG_UP), tries(0, 0))
        })
        .saying("this one had not: write command of attribute 0x0003"),
        Case::cause(Confidence::High, "the working host's write is answered when the deadline is over", || {
            Example::pair(wrote_by(five() + 10_100), tries(0, 0))
        })
        .saying("this one had not: write of attribute 0x0003"),
        Case::cause(Confidence::High, "the working host's write is answered a moment later", || {
            Example::pair(wrote_by(five() + 10_101), tries(0, 0))
        })
        .not_saying("this one had not"),
        Case::silent("the same question one connection interval before each end", || {
            asked_before(48_750).into()
        }),
        Case::cause(Confidence::Medium, "the same question, too late to be the reason", || {
            asked_before(48_749).into()
        }),
        Case::cause(Confidence::High, "values of the device came last, and another host's link outlived that time", || {
            Example::pair(works(), values())
        })
        .not_saying("may have been done"),
        Case::cause(Confidence::Medium, "the other capture is of the other end: no other host is seen", || {
            let other = Trace::new().connected_as(1, 39, 0, 42).from_peer(&[0x12, 3, 0, 1], &[0x13]);
            Example::pair(other.wait_ms(5_000).disconnected(HUNG_UP), tries(0, 0))
        }),
        Case::suspect(Confidence::Low, "once, a while after the last packet", || {
            Example::pair(works(), one(Trace::new(), 60))
        })
        .saying("One try cannot show"),
        Case::cause(Confidence::Medium, "the same question, and one of the ends came too soon for an answer to it", || {
            let first = asked_before_once(60_000).wait_ms(2_000);
            first.followed_by(asked_before_once(10_000)).into()
        }),
        Case::cause(Confidence::High, "this host was refused what the working host wrote", || {
            use crate::packet::att::{ErrorCode, Handle, Pdu};
            let write = Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: &[1] };
            let busy = |link: Trace| link.refused(write, ErrorCode::WRITE_NOT_PERMITTED);
            let first = busy(Trace::new().up()).discovery(2).mtu().wait_ms(10);
            let second = busy(first.disconnected(HUNG_UP).wait_ms(2_000).up().mtu());
            Example::pair(works(), second.discovery(2).wait_ms(10).disconnected(HUNG_UP))
        })
        .saying("this one had not: write of attribute 0x0003"),
        Case::cause(Confidence::High, "this host had only read what the working host wrote", || {
            use crate::packet::att::{Handle, Pdu};
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            let busy = |link: Trace| link.exchange(read, Pdu::ReadResponse { attribute_value: &[1] });
            let first = busy(Trace::new().up()).discovery(2).mtu().wait_ms(10);
            let second = busy(first.disconnected(HUNG_UP).wait_ms(2_000).up().mtu());
            Example::pair(works(), second.discovery(2).wait_ms(10).disconnected(HUNG_UP))
        })
        .saying("this one had not: write of attribute 0x0003"),
        Case::cause(Confidence::Medium, "this host's own values came last", || {
            let first = Trace::new().up().discovery(2).mtu().notified_by_us(9, &[1]).wait_ms(10);
            let second = first.disconnected(HUNG_UP).wait_ms(2_000).up().mtu().discovery(2);
            second.notified_by_us(9, &[1]).wait_ms(10).disconnected(HUNG_UP).into()
        })
        .not_saying("may have been done"),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// A link that does one thing and then another, and ends `ms` after that.
fn one(before: Trace, ms: u32) -> Trace {
    before.up().discovery(2).mtu().wait_ms(10 + ms).disconnected(HUNG_UP)
}

/// Two links, each ending at another packet; both with a pause before the end, the second with some more.
fn tries(pause: u32, more: u32) -> Trace {
    let second = one(Trace::new(), pause).wait_ms(2_000).up().mtu().wait_ms(more).discovery(2);
    second.wait_ms(10 + pause).disconnected(HUNG_UP)
}

/// Two links that work for `busy` milliseconds, then are idle, then end.
fn long(busy: u32, idle: u32) -> Trace {
    let first = Trace::new().up().discovery(2).wait_ms(busy).mtu().wait_ms(idle);
    let second = first.disconnected(HUNG_UP).wait_ms(2_000).up().mtu().wait_ms(busy).discovery(2);
    second.wait_ms(idle).disconnected(HUNG_UP)
}

/// Five exchanges are over so many microseconds after the connection.
fn five() -> u32 {
    341_300
}

/// Two links of five exchanges, `busy` milliseconds more, and an end that comes exactly so long after the last answer.
fn exactly(busy: u32, idle_us: u32) -> Trace {
    let first = Trace::new().up().discovery(2).wait_ms(busy).mtu().after_us(idle_us);
    let second = first.disconnected(HUNG_UP).wait_ms(2_000).up().mtu().wait_ms(busy).discovery(2);
    second.after_us(idle_us).disconnected(HUNG_UP)
}

/// A host whose write is answered exactly so long after the connection.
fn wrote_by(us: u32) -> Trace {
    use crate::packet::att::{Handle, Pdu};
    let write = Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: &[1] };
    // The features come 90.3 ms after the connection.
    let asked = Trace::new().up().after_us(us - 90_300 - 50_000).att(Direction::Sent, write);
    let works = asked.after_us(50_000).att(Direction::Received, Pdu::WriteResponse {});
    works.discovery(2).wait_ms(5_000).hangs_up(HUNG_UP)
}

/// Two links with a question of this host, and the end so long after it.
fn asked_before(us: u32) -> Trace {
    asked_before_once(us).repeated(2, 2_000)
}

fn asked_before_once(us: u32) -> Trace {
    use crate::packet::att::{Handle, Pdu};
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let link = Trace::new().up().discovery(2).att(Direction::Sent, read).after_us(us);
    link.disconnected(HUNG_UP)
}

/// Two links on which the device sends values, and leaves.
fn values() -> Trace {
    let first = Trace::new().up().discovery(2).mtu().notified(9, &[1]).notified(9, &[2]);
    let first = first.wait_ms(10).disconnected(HUNG_UP).wait_ms(2_000);
    let second = first.up().mtu().discovery(2).notified(9, &[1]).notified(9, &[2]);
    second.wait_ms(10).disconnected(HUNG_UP)
}

/// The working host writes at once, and is not hung up on.
fn works() -> Trace {
    Trace::new().up().write(3, &[1]).discovery(2).wait_ms(5_000).hangs_up(HUNG_UP)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "BlueZ discovers everything before a program may write, two connection intervals for each request. A shorter interval makes that faster: `[LE]` `MinConnectionInterval=6` `MaxConnectionInterval=6` (7.5 ms) in /etc/bluetooth/main.conf, then restart bluetooth. With n requests before the first write and a deadline D the interval may be D / (2n + 3) at most.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Or write at once over raw ATT: an L2CAP socket on channel 4 to the device, and the known handle. It works beside bluetoothd.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Use `discoverSomeServicesAndCharacteristicsAsync([service], [characteristic])` and write at once, instead of discovering everything.",
    ),
    Remedy::on(
        &[Stack::Android],
        "Write as soon as the one service is known; do not request MTU and PHY first.",
    ),
    Remedy::no_use(
        "A longer supervision timeout, or more retries: the device decides by the clock.",
    ),
];

/// Longer links do not end for a deadline of the set-up.
const LONGEST_LIFE: Span = Span::from_ms(10_000);

/// A link that was idle for longer was not in the middle of traffic.
const LONGEST_IDLE: Span = Span::from_ms(1_000);

/// One try that the device ended.
#[derive(Debug)]
struct Try {
    end_frame: u32,
    reason: Status,
    life: Span,
    idle: Span,
}

/// Links that the device ended by the clock.
#[derive(Debug)]
struct Deadline {
    tries: Vec<Try>,
    /// All tries lasted equally long; else there is only one.
    constant: bool,
    /// How the device was heard on the first one.
    heard: Sighting,
    /// What the working host had done before the deadline and this host had not, and when.
    undone: Vec<(Step, Span)>,
    /// Nothing to compare, and the device's values were the last thing on each link.
    done: bool,
    /// The captures from which a program can be written that does it.
    recipe: Option<Text>,
}

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let (links, tries): (Vec<&Connection>, Vec<Try>) =
        attempts.iter().filter_map(|c| Some((*c, hung_up(scene, c)?))).unzip();
    let lives: Vec<Span> = tries.iter().map(|a_try| a_try.life).collect();
    // The other end of the same link did not outlive anything.
    let reference = scene.reference().filter(|_| scene.comparison.is_some_and(|c| !c.roles_differ));
    // Of a link of this capture that has not ended, or whose end is not in it, nobody knows how it would have ended.
    let reference = reference.filter(|r| r.end_seen || scene.captures.len() > 1);
    let outlived =
        reference.is_some_and(|r| r.life().is_none_or(|life| lives.iter().all(|l| life > *l)));
    let constant = see::constant(&lives);
    let single = tries.len() == 1 && outlived;
    if !(constant || single) || same_last_pdu(&links) {
        return None;
    }
    let deadline = *lives.iter().max()?;
    let undone = reference.map_or(Vec::new(), |reference| candidates(reference, deadline, &links));
    let heard = links.first()?.heard?;
    // A thermometer that has sent its values leaves as well, each time after about the same time.
    let done = reference.is_none() && links.iter().all(|c| sent_its_values(c));
    let recipe = see::recipe(scene);
    let facts = Deadline { tries, constant, heard, undone, done, recipe };
    let sure = constant && !done;
    let verdict = if sure { Verdict::cause(facts) } else { Verdict::suspect(facts) };
    let confidence = match (sure, reference.is_some()) {
        (true, true) => Confidence::High,
        (true, false) => Confidence::Medium,
        _ => Confidence::Low,
    };
    Some(verdict.sure(confidence).about(links.iter().map(|c| c.number)))
}

/// The try that this attempt is: the device was heard, and ended the link in the middle of traffic.
fn hung_up(scene: &Scene<'_>, c: &Connection) -> Option<Try> {
    // What was told to leave keeps no deadline.
    let end = see::peer_hung_up(c).filter(|_| orders::obeyed(scene, c).is_none())?;
    let (life, idle) = (c.life()?, c.idle_before_end()?);
    let whole = c.peer_heard() && c.start_seen && c.cut_packets == 0;
    let busy = idle < LONGEST_IDLE && idle.0 * 2 < life.0;
    (whole && busy && life < LONGEST_LIFE && !explained(c)).then_some(Try {
        end_frame: end.frame,
        reason: end.reason,
        life,
        idle,
    })
}

impl Facts for Deadline {
    fn says(&self) -> Text {
        let lives: Vec<Span> = self.tries.iter().map(|a_try| a_try.life).collect();
        let lives = see::from_to(&lives);
        if self.done {
            text!(
                "In {} tries the device answered and then hung up {} after the connection was made, after values of its own: it follows its own clock, or it may have been done.",
                self.tries.len(),
                lives
            )
        } else if self.constant {
            text!(
                "In {} tries the device answered and then hung up {} after the connection was made, in the middle of traffic. It follows its own clock and was not given what it waits for in time.",
                self.tries.len(),
                lives
            )
        } else {
            text!(
                "The device answered and then hung up {} after the connection was made, in the middle of traffic; the working connection outlived that time. One try cannot show whether the time is fixed.",
                lives
            )
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let tries = self.tries.iter().map(|Try { end_frame, reason, life, idle }| {
            let text = text!("{} {} after the connection, idle for only {}", *reason, *life, *idle);
            Sight::here(*end_frame, text)
        });
        let heard = text!("the device was heard: {}", self.heard.by);
        let undone = self.undone.iter().map(|(step, after)| {
            let text = text!(
                "the working host had done by then, and this one had not: {}, at {}",
                see::request(step),
                *after
            );
            Sight::in_reference(step.frame, text)
        });
        tries.chain([Sight::here(self.heard.seen.frame, heard)]).chain(undone).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new("never-heard-peer", "the peer was heard and sent data on this link"),
            RuledOut::new(
                "supervision-timeout-0x08",
                "the peer ended the link itself (0x13), the radio path was fine",
            ),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        let test = text!(
            "Write the first application value of the working host immediately after connecting: if the link then lives longer, it was the deadline."
        );
        vec![match &self.recipe {
            Some(captures) => test.and(text!(
                " On Linux `hcidiff recipe {} --for att-socket` writes a program that does it.",
                *captures
            )),
            None => test,
        }]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

/// The device's values were the last that went over the link: it may have left because it had sent them all.
fn sent_its_values(c: &Connection) -> bool {
    let pushed = |s: &&Step| {
        s.by == Direction::Received
            && matches!(s.procedure, Procedure::Notify | Procedure::Indicate)
    };
    let last = c.steps.iter().filter(pushed).map(|s| s.last.frame).max();
    let asked = see::last_request(c).map(|s| s.last.frame);
    last.is_some_and(|last| asked.is_none_or(|asked| asked < last))
}

/// A refusal of ours or a failed security step says more than the clock.
fn explained(c: &Connection) -> bool {
    see::peer_request_open(c)
        || c.steps.iter().any(|s| {
            matches!(s.procedure, Procedure::Pair | Procedure::Encrypt)
                && s.outcome == Outcome::Error
        })
        || c.role == Some(Role::Peripheral)
}

/// The same packet, old enough to have caused it, precedes every end.
fn same_last_pdu(tries: &[&Connection]) -> bool {
    let mut last = tries.iter().filter_map(|c| {
        let step = see::last_sent(c)?;
        let reacted = c.end.as_ref()?.at.since(c.last_sent_pdu?.at)? >= c.granted?.interval();
        reacted.then_some(step)
    });
    let Some(first) = last.next() else { return false };
    let rest: Vec<_> = last.collect();
    tries.len() > 1 && rest.len() + 1 == tries.len() && rest.iter().all(|s| see::same_pdu(first, s))
}

/// What the working host had finished before the deadline and no try had, and when: writes and
/// subscriptions first.
fn candidates(reference: &Connection, deadline: Span, tries: &[&Connection]) -> Vec<(Step, Span)> {
    let wanted = |s: &&Step| {
        s.by == Direction::Sent
            && s.outcome == Outcome::Ok
            && reference.after(s.last.at).is_some_and(|after| after.0 >= 0 && after <= deadline)
    };
    let done = |s: &Step| {
        tries.iter().any(|c| {
            c.steps.iter().any(|t| {
                t.by == s.by
                    && t.procedure == s.procedure
                    && t.attribute == s.attribute
                    && t.outcome == Outcome::Ok
            })
        })
    };
    let rank = |s: &Step| match s.procedure {
        Procedure::Write | Procedure::WriteCommand => Some(0),
        Procedure::Subscribe => Some(1),
        Procedure::Pair | Procedure::Encrypt => Some(2),
        _ => None,
    };
    let mut found: Vec<&Step> =
        reference.steps.iter().filter(wanted).filter(|s| rank(s).is_some() && !done(s)).collect();
    found.sort_by_key(|s| (rank(s), s.frame));
    let timed = found.into_iter().filter_map(|s| Some((s.clone(), reference.after(s.at)?)));
    timed.take(super::see::SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Level;
    use crate::diagnose::tests::said_of_own_attempts;

    /// A link of the same capture outlived the time only where its end was seen, or may have been seen.
    #[test]
    fn a_link_of_this_capture_that_has_not_ended_outlived_nothing() {
        let said = |trace: Trace| {
            let verdict = said_of_own_attempts(check, trace);
            (verdict.level, verdict.confidence)
        };
        let last = || tries(0, 0).wait_ms(2_000).up().write(3, &[1]).wait_ms(5_000);
        assert_eq!(said(last().hangs_up(HUNG_UP)), (Level::Cause, Confidence::High));
        assert_eq!(said(last().advertises(0)), (Level::Cause, Confidence::Medium));
    }
}
