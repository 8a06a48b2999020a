use super::named::Named;
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    orders, see,
};
use crate::compare::Failure;
use crate::packet::att::{Handle, Pdu};
use crate::packet::{AddressType, Direction, Status, signal};
use crate::prose::{self, Text};
use crate::text;
use crate::time::Span;
use crate::timeline::{
    Connection, Detail, End, EndedBy, Gap, Outcome, Pending, Procedure, Role, Step, Transport,
};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "unexplained-end",
    title: "The link ended, and no rule explains why",
    basis: Basis::Real,
    silences: &[],
    docs: "\
## What it means
An attempt failed, and nothing in the catalogue explains it. The report says what the capture shows: what ended, who ended it,
after what, and what went wrong before. It is not silent about a failure only because it has no name.

## How it shows
A suspicion, never a sure one, where this host is the central and the device ended the link (0x13, 0x14, 0x15) with a request of
this host open, within three connection intervals and 200 ms of one, or within two seconds of the same one in two links. Every
other failure without an explanation is a note.

## What else it could be
Any other rule about the same link takes this one's place. A device that was told to restart, a peripheral whose central says
goodbye, and an end that this host wanted are no failures.

## What to do
Record a host on which it works, and compare the two captures.",
    sources: &["real captures: a mouse that leaves 135 ms into a Read Blob Request"],
    check: Check::Connection(check),
    cases: &[
        Case::suspect(Confidence::Low, "the device leaves while a read is open", || {
            let link = Trace::new().up().mtu().write(9, &[1]).wait_ms(3_000);
            link.att(Direction::Sent, READ).wait_ms(900).disconnected(HUNG_UP).into()
        })
        .about(&[1])
        .saying("read of attribute 0x0003 had been without an answer for 900 ms"),
        Case::suspect(Confidence::Low, "the device leaves 100 ms after it answered", || {
            busy().write(0x10, &[7]).wait_ms(100).disconnected(HUNG_UP).into()
        })
        .saying("100 ms after this host's write of attribute 0x0010"),
        Case::note(Confidence::Low, "the device leaves 500 ms after it answered", || {
            busy().write(0x10, &[7]).wait_ms(500).disconnected(HUNG_UP).into()
        }),
        Case::suspect(Confidence::Low, "1.9 s after the same write in two links", || {
            twice(1_900).into()
        })
        .about(&[2, 3])
        .pins(&["SAME_STEP"]),
        Case::note(Confidence::Low, "2.1 s after the same write in two links", || {
            twice(2_100).into()
        })
        .pins(&["SAME_STEP"]),
        Case::outweighed("the end has a rule", || {
            let link = Trace::new().up().mtu().wait_ms(5_000);
            link.disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("this host ends a good link", || busy().hangs_up(HUNG_UP).into()),
        Case::silent("the central leaves this peripheral", || {
            let link = Trace::new().connected_as(1, 24, 0, 72).features().mtu();
            link.disconnected(HUNG_UP).into()
        }),
        Case::silent("BR/EDR: a channel was closed, and then the link", || {
            let asks = signal::Pdu::DisconnectionRequest { destination_cid: 0x40, source_cid: 0x41 };
            let says = signal::Pdu::DisconnectionResponse { destination_cid: 0x40, source_cid: 0x41 };
            let link = Trace::new().peer(crate::trace::PEER, AddressType::PUBLIC).connected_bredr();
            let link = link.wait_ms(3_000).signal_bredr(Direction::Sent, 4, asks);
            let link = link.wait_ms(5).signal_bredr(Direction::Received, 4, says);
            link.wait_ms(1_100).disconnected(HUNG_UP).into()
        }),
        Case::note(Confidence::Low, "BR/EDR: the device leaves, and no channel was closed", || {
            let link = Trace::new().peer(crate::trace::PEER, AddressType::PUBLIC).connected_bredr();
            link.wait_ms(3_000).disconnected(HUNG_UP).into()
        }),
        Case::silent("the link was up before the capture began, and nothing shows whose it is", || {
            Trace::new().notified(3, &[1]).wait_ms(3_000).disconnected(HUNG_UP).into()
        }),
        Case::silent("the link is still up", || busy().wait_ms(2_000).into()),
        Case::note(Confidence::Low, "BR/EDR: nobody answers the page", || {
            Trace::new().peer(crate::trace::PEER, AddressType::PUBLIC).pages_in_vain().into()
        })
        .saying("off, out of range"),
        Case::note(Confidence::Low, "a reason that no rule knows", || {
            busy().disconnected(Status(0x2a)).into()
        })
        .saying("0x2a"),
        Case::note(Confidence::Low, "what failed before is told", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(9) };
            let link = busy().refused(read, crate::packet::att::ErrorCode::READ_NOT_PERMITTED);
            link.wait_ms(5_000).disconnected(HUNG_UP).into()
        })
        .saying("Read Not Permitted (0x02)"),
        Case::suspect(Confidence::Low, "only what the working host does not have is told", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(9) };
            let denied = crate::packet::att::ErrorCode::READ_NOT_PERMITTED;
            let works = busy().refused(read, denied).wait_ms(900).hangs_up(HUNG_UP);
            let fails = busy().refused(read, denied).att(Direction::Sent, READ).wait_ms(900);
            Example::pair(works, fails.disconnected(HUNG_UP))
        })
        .not_saying("Read Not Permitted"),

        Case::note(Confidence::Low, "how long a failed request took is told", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(9) };
            let link = busy().refused(read, crate::packet::att::ErrorCode::READ_NOT_PERMITTED);
            link.wait_ms(5_000).disconnected(HUNG_UP).into()
        })
        .saying("Before that failed: read of attribute 0x0009: Read Not Permitted (0x02) after 50"),
        Case::note(Confidence::Low, "two failures are told one after the other", || {
            let denied = crate::packet::att::ErrorCode::READ_NOT_PERMITTED;
            let read = |handle| Pdu::ReadRequest { attribute_handle: Handle(handle) };
            let link = busy().refused(read(9), denied).refused(read(11), denied);
            link.wait_ms(5_000).disconnected(HUNG_UP).into()
        })
        .saying("; read of attribute 0x000b: Read Not Permitted"),
        Case::suspect(Confidence::Low, "two links that end at one request", || twice(1_900).into())
            .saying("2 links ended at that request."),
        Case::suspect(Confidence::Low, "what ended two links is to be sent alone", || {
            twice(1_900).into()
        })
        .saying("alone, right after connecting"),
        Case::suspect(Confidence::Low, "one link is no pattern", || {
            busy().write(0x10, &[7]).wait_ms(100).disconnected(HUNG_UP).into()
        })
        .saying("Try again and record it")
        .not_saying("ended at that request"),
        Case::note(Confidence::Low, "a capture that works is asked for", || {
            busy().write(0x10, &[7]).wait_ms(500).disconnected(HUNG_UP).into()
        })
        .saying("Record a host on which it works"),
        Case::suspect(Confidence::Low, "where one is at hand, none is asked for", || {
            let works = busy().wait_ms(900).hangs_up(HUNG_UP);
            let fails = busy().att(Direction::Sent, READ).wait_ms(900);
            Example::pair(works, fails.disconnected(HUNG_UP))
        })
        .not_saying("Record a host on which it works"),
        Case::suspect(Confidence::Low, "what the working host succeeded at, and this one did not", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(9) };
            let denied = crate::packet::att::ErrorCode::READ_NOT_PERMITTED;
            let works = busy().exchange(read, Pdu::ReadResponse { attribute_value: &[1] });
            let works = works.wait_ms(900).hangs_up(HUNG_UP);
            let fails = busy().refused(read, denied).att(Direction::Sent, READ).wait_ms(900);
            Example::pair(works, fails.disconnected(HUNG_UP))
        })
        .saying("Only this side has: read of attribute 0x0009"),
        Case::suspect(Confidence::Low, "what the working host was refused is another attribute", || {
            let denied = crate::packet::att::ErrorCode::READ_NOT_PERMITTED;
            let read = |handle| Pdu::ReadRequest { attribute_handle: Handle(handle) };
            let works = busy().refused(read(11), denied).wait_ms(900).hangs_up(HUNG_UP);
            let fails = busy().refused(read(9), denied).att(Direction::Sent, READ).wait_ms(900);
            Example::pair(works, fails.disconnected(HUNG_UP))
        })
        .saying("Only this side has: read of attribute 0x0009"),
        Case::note(Confidence::Low, "1.9 s after different writes in two links", || {
            let ends = |link: Trace, to| link.write(to, &[7]).wait_ms(1_900).disconnected(HUNG_UP);
            let longer = Trace::new().wait_ms(3_000).followed_by(busy().wait_ms(30_000));
            let idle = Trace::new().up().mtu().wait_ms(5_000).disconnected(HUNG_UP).wait_ms(900);
            idle.followed_by(ends(busy(), 0x10)).followed_by(ends(longer, 0x12)).into()
        }),
        Case::note(Confidence::Low, "the other link ended long after the same write", || {
            let ends = |link: Trace, ms| link.write(0x10, &[7]).wait_ms(ms).disconnected(HUNG_UP);
            let longer = Trace::new().wait_ms(3_000).followed_by(busy().wait_ms(30_000));
            ends(busy(), 1_900).followed_by(ends(longer, 9_000)).into()
        }),
        Case::note(Confidence::Low, "this host ended the other link after the same write", || {
            let first = busy().write(0x10, &[7]).wait_ms(1_900).hangs_up(HUNG_UP);
            let longer = Trace::new().wait_ms(3_000).followed_by(busy().wait_ms(30_000));
            first.followed_by(longer.write(0x10, &[7]).wait_ms(1_900).disconnected(HUNG_UP)).into()
        })
        .about(&[2]),
        Case::note(Confidence::Low, "only a request of the device is open", || {
            let asked = busy().acl(Direction::Received, 4, &[0x0a, 3, 0]);
            asked.wait_ms(900).disconnected(HUNG_UP).into()
        }),
        Case::note(Confidence::Low, "the controller ends the link while a read is open", || {
            busy().att(Direction::Sent, READ).wait_ms(900).disconnected(Status(0x2a)).into()
        })
        .saying("The controller ended the link"),
        Case::note(Confidence::Low, "a command that is refused because the link is gone is no failure before", || {
            let late = crate::packet::hci::Command::LeReadRemoteFeatures {
                connection_handle: crate::trace::HANDLE,
            };
            let over = busy().disconnected(Status(0x2a)).command(late);
            over.status(late.opcode(), Status::UNKNOWN_CONNECTION_IDENTIFIER).into()
        })
        .not_saying("Before that failed"),
        Case::note(Confidence::Low, "a question of the link layer that the end cut off is no failure before", || {
            let asks = crate::packet::hci::Command::LeReadRemoteFeatures {
                connection_handle: crate::trace::HANDLE,
            };
            let failed = crate::packet::hci::LeEvent::ReadRemoteFeaturesComplete {
                status: Status(0x2a),
                connection_handle: crate::trace::HANDLE,
                le_features: [0; 8],
            };
            busy().taken(asks).wait_ms(3).le(failed).disconnected(Status(0x2a)).into()
        })
        .not_saying("Before that failed"),
        Case::suspect(Confidence::Low, "exactly 2 s after the same write in two links", || {
            twice_after(2_000_000).into()
        }),
        Case::note(Confidence::Low, "a moment later than that in two links", || {
            twice_after(2_000_001).into()
        }),
        Case::silent("the device was told to restart", || {
            let begun = Trace::new().up().mtu().write(3, &[1, 4]).notified(3, &[0x10]);
            let told = begun.writes_to(5, 3).write(3, &[5]);
            told.wait_ms(100).disconnected(HUNG_UP).into()
        }),
        Case::note(Confidence::Low, "BR/EDR: a channel was closed, and the controller ended the link", || {
            let asks = signal::Pdu::DisconnectionRequest { destination_cid: 0x40, source_cid: 0x41 };
            let says = signal::Pdu::DisconnectionResponse { destination_cid: 0x40, source_cid: 0x41 };
            let link = Trace::new().peer(crate::trace::PEER, AddressType::PUBLIC).connected_bredr();
            let link = link.wait_ms(3_000).signal_bredr(Direction::Sent, 4, asks);
            let link = link.wait_ms(5).signal_bredr(Direction::Received, 4, says);
            link.wait_ms(1_100).disconnected(Status(0x2a)).into()
        })
        .saying("The controller ended the link"),
        Case::note(Confidence::Low, "only this host's indication is not confirmed", || {
            let told = busy().acl(Direction::Sent, 4, &[0x1d, 3, 0, 1]);
            told.wait_ms(900).disconnected(HUNG_UP).into()
        })
        .not_saying("without an answer"),
        Case::silent("a link that was never heard", || {
            let link = Trace::new().create().connected().wait_ms(315);
            link.disconnected(Status::FAILED_TO_BE_ESTABLISHED).into()
        }),
        Case::note(Confidence::Low, "the controller ends this peripheral's link", || {
            let link = Trace::new().connected_as(1, 24, 0, 72).features().mtu();
            link.disconnected(Status(0x2a)).into()
        })
        .saying("The controller ended the link"),
        Case::silent("the central leaves while this peripheral waits for an answer", || {
            let link = Trace::new().connected_as(1, 24, 0, 72).features().mtu();
            link.att(Direction::Sent, READ).wait_ms(900).disconnected(HUNG_UP).into()
        }),
        Case::note(Confidence::Low, "LE: a channel was closed, and later the device leaves", || {
            let asks = signal::Pdu::DisconnectionRequest { destination_cid: 0x40, source_cid: 0x41 };
            let says = signal::Pdu::DisconnectionResponse { destination_cid: 0x40, source_cid: 0x41 };
            let link = busy().signal(Direction::Sent, 4, asks).wait_ms(50);
            link.signal(Direction::Received, 4, says).wait_ms(5_000).disconnected(HUNG_UP).into()
        }),
        Case::suspect(Confidence::Low, "the working host had refused the device the same, which is another request", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(9) };
            let denied = crate::packet::att::ErrorCode::READ_NOT_PERMITTED;
            let works = busy().from_peer(&[0x0a, 9, 0], &[0x01, 0x0a, 9, 0, 0x02]).wait_ms(900);
            let fails = busy().refused(read, denied).att(Direction::Sent, READ).wait_ms(900);
            Example::pair(works.hangs_up(HUNG_UP), fails.disconnected(HUNG_UP))
        })
        .saying("Only this side has: read of attribute 0x0009"),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;
const READ: Pdu<'static> = Pdu::ReadRequest { attribute_handle: Handle(3) };

/// A link on which something passed, long enough ago.
fn busy() -> Trace {
    Trace::new().up().mtu().write(9, &[1]).wait_ms(11_000)
}

/// A link that the device leaves idle, and two of different length, each ending `ms` after the same write.
fn twice(ms: u32) -> Trace {
    let ends = |link: Trace| link.write(0x10, &[7]).wait_ms(ms).disconnected(HUNG_UP);
    let longer = Trace::new().wait_ms(3_000).followed_by(busy().wait_ms(30_000));
    let idle = Trace::new().up().mtu().wait_ms(5_000).disconnected(HUNG_UP).wait_ms(900);
    idle.followed_by(ends(busy())).followed_by(ends(longer))
}

/// The same, to the microsecond.
fn twice_after(us: u32) -> Trace {
    let ends = |link: Trace| link.write(0x10, &[7]).after_us(us).disconnected(HUNG_UP);
    let longer = Trace::new().wait_ms(3_000).followed_by(busy().wait_ms(30_000));
    let idle = Trace::new().up().mtu().wait_ms(5_000).disconnected(HUNG_UP).wait_ms(900);
    idle.followed_by(ends(busy())).followed_by(ends(longer))
}

const COMPARE: Remedy = Remedy::any(
    "Record a host on which it works, and compare: `hcidiff WORKS FAILS` shows what only this host does.",
);

/// A page that nobody answered.
const AWAY: Remedy = Remedy::any(
    "See whether the device is on and near, whether it must be made connectable (its button, pairing mode), and whether another host holds it.",
);

/// A device that leaves within this time of the same request in two links may do so because of it.
const SAME_STEP: Span = Span::from_ms(2_000);

/// How many other links to the device are looked at, before and after.
const SHOWN_NEAREST: usize = 32;

/// Most failed steps that are told.
const SHOWN: usize = 3;

/// How the attempt failed.
#[derive(Debug)]
enum How {
    Ended(End),
    /// No link came: the status, and where it stands.
    Refused(Status, u32),
    AdapterLost(u32),
}

/// What is known of an end that nothing explains.
#[derive(Debug)]
struct Unexplained {
    how: How,
    central: bool,
    life: Option<Span>,
    /// A request of this host that was open at the end, and for how long.
    open: Option<(Named, Option<Span>)>,
    /// Else the last request, and how long before the end it or its answer came.
    last: Option<(Named, Span)>,
    /// Links to the device that ended right after the same request.
    alike: usize,
    /// What failed before, and did not fail on the working side.
    failed: Vec<Named>,
    compared: bool,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let capture = scene.capture();
    // Of a link that was never heard `never-heard-peer` tells all that is known.
    if connection.reason() == Some(Status::FAILED_TO_BE_ESTABLISHED) && !connection.peer_heard() {
        return None;
    }
    // What may only be missing in the recording is no failure.
    let deaf = capture.may_lack(Gap::ReceivedData, Some(connection));
    let how = match Failure::of(connection)? {
        Failure::GivenUp => return None,
        Failure::Unanswered if deaf => return None,
        Failure::AdapterLost | Failure::Refused(_)
            if capture.may_lack(Gap::Events, Some(connection)) =>
        {
            return None;
        }
        Failure::Refused(status) => How::Refused(status, connection.status_frame()?),
        Failure::AdapterLost => How::AdapterLost(connection.gone.as_ref()?.frame),
        Failure::Ended(_) | Failure::Security(_) | Failure::Unanswered => {
            How::Ended(connection.end.clone()?)
        }
    };
    if orders::obeyed(scene, connection).is_some() || polite(connection) {
        return None;
    }
    // Who was heard did not fail to be heard: where packets were lost, the end is that of a later link whose beginning
    // is among them.
    let unheard = connection.reason() == Some(Status::FAILED_TO_BE_ESTABLISHED);
    if unheard && capture.lost_packets_of(connection) {
        return None;
    }
    let central = connection.role == Some(Role::Central);
    let open = open_request(connection).filter(|_| !deaf);
    let last = last_request(connection);
    let alike = match last {
        Some((step, wait)) if wait <= SAME_STEP => alike(scene, connection, step),
        _ => 0,
    };
    let le = connection.transport == Transport::Le;
    let reacted = last.is_some_and(|(step, _)| see::reaction(connection, step).is_some());
    let by_peer = connection.end.as_ref().is_some_and(|end| end.by == EndedBy::Peer);
    let whole = !deaf && !capture.may_lack(Gap::SentData, Some(connection));
    let telling = open.is_some() || le && (reacted || alike > 1);
    let mut failed = failed(scene, connection);
    failed.retain(|named| !(deaf && named.step.outcome == Outcome::Unanswered));
    // A central may leave its peripheral at any time: where the role is not known, an end is no failure, unless this
    // host was still waiting.
    if by_peer && !central && open.is_none() {
        return None;
    }
    let facts = Unexplained {
        how,
        central,
        life: connection.life(),
        open: open.map(|(step, age)| (Named::of(scene, connection, step), age)),
        last: last.map(|(step, wait)| (Named::of(scene, connection, step), wait)),
        alike,
        failed,
        compared: scene.reference().is_some(),
    };
    let suspect = central && by_peer && whole && telling;
    let verdict = if suspect { Verdict::suspect(facts) } else { Verdict::note(facts) };
    Some(verdict.sure(Confidence::Low))
}

/// A BR/EDR link whose last word was the closing of a channel: both sides were done.
fn polite(connection: &Connection) -> bool {
    let channel = |s: &&Step| s.procedure == Procedure::Channel;
    let last = connection.steps.iter().rev().find(channel).map(|s| s.detail);
    connection.transport == Transport::BrEdr
        && see::peer_hung_up(connection).is_some()
        && matches!(last, Some(Detail::Signal { code: see::DISCONNECTION_REQUEST, .. }))
}

/// A request of our host that was open at the end, and for how long; a goodbye on a channel is none.
fn open_request(connection: &Connection) -> Option<(&Step, Option<Span>)> {
    let asked = |pending: Pending| match pending {
        Pending::Att(code) => code != Pdu::INDICATION,
        Pending::Smp(_) => true,
        Pending::Signal(code) => code != see::DISCONNECTION_REQUEST,
        _ => false,
    };
    let open = connection.open_requests.iter();
    let open = open.filter(|o| o.by == Direction::Sent && asked(o.pending));
    open.filter_map(|o| {
        let step = connection.steps.iter().find(|s| s.frame == o.frame)?;
        Some((step, o.age))
    })
    .next_back()
}

fn last_request(connection: &Connection) -> Option<(&Step, Span)> {
    let step = see::last_request(connection)?;
    Some((step, connection.end.as_ref()?.at.since(step.last.at)?))
}

/// Links to the same device that it ended as soon after the same request.
fn alike(scene: &Scene<'_>, connection: &Connection, step: &Step) -> usize {
    let same = |c: &&Connection| {
        see::peer_hung_up(c).is_some()
            && last_request(c)
                .is_some_and(|(other, wait)| wait <= SAME_STEP && see::same_pdu(step, other))
    };
    1 + scene.capture().kin(connection, SHOWN_NEAREST).filter(same).count()
}

/// Steps that failed before the end, and that the working side has not failed at.
fn failed(scene: &Scene<'_>, connection: &Connection) -> Vec<Named> {
    let echo = |step: &Step| {
        connection.end.as_ref().is_some_and(|end| {
            end.echoes.contains(&step.last.frame) || step.status == Some(end.reason.0)
        })
    };
    let theirs = |step: &Step| {
        scene.reference().is_some_and(|works| {
            works.steps.iter().any(|s| s.failed() && see::same_pdu(s, step) && s.by == step.by)
        })
    };
    let counts = |step: &&Step| {
        matches!(step.outcome, Outcome::Error | Outcome::Unanswered)
            && !matches!(step.procedure, Procedure::Connect | Procedure::Disconnect)
            && !echo(step)
            && !theirs(step)
    };
    let steps = connection.steps.iter().filter(counts).take(SHOWN);
    steps.map(|step| Named::of(scene, connection, step)).collect()
}

impl Unexplained {
    /// Who ended what, with which code, after how long.
    fn what(&self) -> Text {
        let after = self.life.map(|life| text!(" {} after the connection", life));
        match &self.how {
            How::Refused(Status::PAGE_TIMEOUT, _) => text!(
                "No link came of the attempt: {}. The device did not answer the page: it is off, out of range, or \
                 listens to nobody now.",
                Status::PAGE_TIMEOUT
            ),
            How::Refused(status, _) => text!("No link came of the attempt: {}.", *status),
            How::AdapterLost(_) => text!("The adapter was lost under the link{}.", after),
            How::Ended(end) => {
                let who = match (end.by, self.central) {
                    (EndedBy::Peer, true) => "The device ended the link",
                    (EndedBy::Peer, false) => "The other side ended the link",
                    (EndedBy::Host, _) => "This host ended the link",
                    (EndedBy::Controller, _) => "The controller ended the link",
                };
                text!("{}{} ({}).", who, after, end.reason)
            }
        }
    }

    /// What came right before.
    fn before(&self) -> Option<Text> {
        if let Some((request, age)) = &self.open {
            let open = age.map(|age| text!(" for {}", age));
            return Some(text!(
                " This host's {} had been without an answer{}.",
                request.request(),
                open
            ));
        }
        let (request, wait) = self.last.as_ref()?;
        Some(text!(" That was {} after this host's {}.", *wait, request.request()))
    }

    fn failed(&self) -> Option<Text> {
        let mut list = Text::EMPTY;
        for (at, named) in self.failed.iter().enumerate() {
            let took = named.step.duration().filter(|took| took.0 > 0);
            let took = took.map(|took| text!(" after {}", took));
            let comma = if at == 0 { "" } else { "; " };
            list = text!(
                "{}{}{}: {}{}",
                list,
                comma,
                named.request(),
                see::failure(&named.step),
                took
            );
        }
        let lead = if self.compared { " Only this side has" } else { " Before that failed" };
        (!self.failed.is_empty()).then(|| text!("{}: {}.", lead, list))
    }
}

impl Facts for Unexplained {
    fn says(&self) -> Text {
        let alike = (self.alike > 1).then(|| {
            text!(" {} ended at that request.", prose::count(self.alike, "link", "links"))
        });
        text!(
            "{}{}{}{} No rule of this program explains it.",
            self.what(),
            self.before(),
            alike,
            self.failed()
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = Vec::new();
        if let Some((request, _)) = &self.open {
            let line = text!("{}, without an answer", request.request());
            sights.push(Sight::here(request.step.frame, line));
        } else if let Some((request, _)) = &self.last {
            sights.push(Sight::here(request.step.last.frame, request.request()));
        }
        sights.push(match &self.how {
            How::Ended(end) => Sight::here(end.frame, self.what()),
            How::Refused(_, frame) | How::AdapterLost(frame) => Sight::here(*frame, self.what()),
        });
        let failed = self.failed.iter();
        sights.extend(failed.map(|named| {
            let line = text!("{}: {}", named.request(), see::failure(&named.step));
            Sight::here(named.step.last.frame, line)
        }));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        match &self.how {
            How::Ended(end) if end.by == EndedBy::Peer => vec![
                RuledOut::new("supervision-timeout-0x08", "the other side ended the link itself"),
                RuledOut::new("never-heard-peer", "the other side was heard"),
            ],
            _ => Vec::new(),
        }
    }

    fn would_settle(&self) -> Vec<Text> {
        let alone = |named: &Named| {
            text!(
                "Send this host's {} alone, right after connecting: does the device leave again?",
                named.request()
            )
        };
        match (&self.open, &self.last) {
            (Some((named, _)), _) => vec![alone(named)],
            (None, Some((named, _))) if self.alike > 1 => vec![alone(named)],
            _ => vec!["Try again and record it: does the link end after the same time, or after the same packet?".into()],
        }
    }

    fn remedies(&self) -> Vec<Remedy> {
        match self.how {
            How::Refused(Status::PAGE_TIMEOUT, _) => vec![AWAY],
            _ if self.compared => Vec::new(),
            _ => vec![COMPARE],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Warning, WarningKind};
    use crate::timeline::Capture;

    /// The end of one link and the beginning of the next were lost: what is left looks like one link.
    #[test]
    fn an_end_that_cannot_be_that_of_a_link_is_not_told_where_packets_were_lost() {
        let link = Trace::new().up().mtu().wait_ms(3_000);
        let whole = link.disconnected(Status::FAILED_TO_BE_ESTABLISHED).run();
        let said = |warnings: Vec<Warning>| {
            let captures = [Capture { warnings, ..whole.clone() }];
            let scene =
                Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
            check(&scene, &captures[0].connections[0]).is_some()
        };
        assert!(said(Vec::new()));
        assert!(!said(vec![Warning::of_all(WarningKind::DroppedPackets, "some")]));
    }

    /// An end that any link may have is told where packets were lost, too.
    #[test]
    fn an_ordinary_end_is_told_where_packets_were_lost() {
        let link = Trace::new().up().mtu().wait_ms(3_000).disconnected(Status(0x2a)).run();
        let captures = [Capture {
            warnings: vec![Warning::of_all(WarningKind::DroppedPackets, "some")],
            ..link
        }];
        let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
        assert!(check(&scene, &captures[0].connections[0]).is_some());
    }
}
