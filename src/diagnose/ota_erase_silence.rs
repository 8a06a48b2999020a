use super::named::Named;
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    see,
};
use crate::packet::Direction;
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, EndedBy, Outcome, Procedure, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "ota-erase-silence",
    title: "The device goes silent after one write, longer than this link's timeout allows",
    basis: Basis::Laboratory,
    silences: &["supervision-timeout-0x08", "short-supervision-timeout-linux-420ms"],
    docs: "\
## What it means
After a certain write (the start of an update, as a rule) the device's radio is off for a while: it erases flash. On the working
side the link outlives that silence, on this one the supervision timeout is shorter.

## How it shows
Both sides send the same write; then nothing is received. The working link goes on afterwards, the failing one ends with 0x08.
Where a link is lost in the middle of a long transfer and the next link goes on with it, this is a note: interrupted and resumed.

## What else it could be
Without a working capture this cannot be told from a lost link: HCI does not know which write erases.

## What to do
Before the update ask for a supervision timeout that is longer than the silence; in firmware erase page by page. A fixed sleep
after connecting is of no use.",
    sources: &["laboratory: an update that erases for 2.6 s", "NordicSemiconductor/IOS-DFU-Library#38"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "the working link outlives 2.6 s, this one has 420 ms", || {
            Example::pair(survives(500, 2_600), lost(42, 460))
        })
        .about(&[1])
        .saying("A supervision timeout of 4 s"),
        Case::silent("this link outlives it too", || {
            Example::pair(survives(500, 2_600), survives(42, 200))
        }),
        Case::silent("there is nothing to compare with", || lost(42, 460).into()),
        Case::cause(Confidence::Medium, "the working link is silent for 410 ms", || {
            Example::pair(survives(500, 410), lost(35, 380))
        })
        .pins(&["SHORTEST"]),
        Case::silent("the working link is silent for 390 ms", || {
            Example::pair(survives(500, 389), lost(35, 380))
        })
        .pins(&["SHORTEST"]),
        Case::silent("this link's timeout is longer than the silence", || {
            Example::pair(survives(500, 2_600), lost(300, 3_100))
        }),
        Case::cause(Confidence::Medium, "the link ends 1.9 timeouts after the write", || {
            Example::pair(survives(500, 2_600), lost(42, 790))
        })
        .pins(&["TIMEOUTS"]),
        Case::silent("the link ends 2.1 timeouts after the write", || {
            Example::pair(survives(500, 2_600), lost(42, 890))
        })
        .pins(&["TIMEOUTS"]),
        Case::note(Confidence::High, "a transfer is interrupted, and the next link goes on", || {
            resumed(1_100, 0x0e)
        })
        .about(&[1])
        .saying("The device had been silent for"),
        Case::note(Confidence::High, "1 kB had been sent", || resumed(1_000, 0x0e))
            .saying("resumed")
            .pins(&["TRANSFER"]),
        Case::note(Confidence::High, "the device hangs up in the middle of a transfer", || {
            let send = |link: Trace| (0..11).fold(link, |link, _| link.writes_to(0x0e, 100));
            let link = || send(Trace::new().up().mtu()).wait_ms(500);
            let first = link().disconnected(HUNG_UP).wait_ms(2_000);
            first.followed_by(link().hangs_up(HUNG_UP)).into()
        })
        .saying("when the device ended the link")
        .not_saying("had been silent"),
        Case::silent("this host hangs up in the middle of a transfer", || {
            let send = |link: Trace| (0..11).fold(link, |link, _| link.writes_to(0x0e, 100));
            let link = || send(Trace::new().up().mtu()).wait_ms(500).hangs_up(HUNG_UP);
            link().wait_ms(2_000).followed_by(link()).into()
        }),
        Case::silent("what the device had sent goes on in the next link", || {
            let sends = |link: Trace| (0..110).fold(link, |link, _| link.notified(0x0e, &[7; 10]));
            let link = || sends(Trace::new().up().mtu()).wait_ms(500);
            let first = link().disconnected(LOST).wait_ms(2_000);
            first.followed_by(link().hangs_up(HUNG_UP)).into()
        }),
        Case::silent("the write was refused before the link was lost", || {
            let refused = Trace::new()
                .create()
                .connected_as(0, 39, 0, 42)
                .features()
                .mtu()
                .refused(
                    crate::packet::att::Pdu::WriteRequest {
                        attribute_handle: crate::packet::att::Handle(0x10),
                        attribute_value: &[1, 0],
                    },
                    crate::packet::att::ErrorCode::WRITE_NOT_PERMITTED,
                );
            Example::pair(survives(500, 2_600), refused.wait_ms(460).disconnected(LOST))
        }),
        Case::note(Confidence::High, "the device is heard again 2 s after its last packet", || {
            back(1_500).into()
        })
        .saying("A supervision timeout of 3 s"),
        Case::silent("less than 1 kB had been sent", || resumed(900, 0x0e)).pins(&["TRANSFER"]),
        Case::note(Confidence::High, "the next link goes on 59 s later", || {
            resumed_after(58_000, 1_100, 0x0e)
        })
        .pins(&["RESUMED"]),
        Case::silent("the next link goes on 61 s later", || resumed_after(61_000, 1_100, 0x0e))
            .pins(&["RESUMED"]),
        Case::silent("the next link writes to another attribute", || resumed(1_100, 0x12)),

        Case::silent("the device hangs up in that silence", || {
            Example::pair(survives(500, 2_600), write(42).wait_ms(460).disconnected(HUNG_UP))
        }),
        Case::cause(Confidence::Medium, "the write was answered", || {
            Example::pair(survives(500, 2_600), lost(42, 460))
        })
        .saying("and its answer nothing more came"),
        Case::cause(Confidence::Medium, "a Write Command has no answer", || {
            let command = |timeout: u16| {
                let link = Trace::new().create().connected_as(0, 39, 0, timeout).features().mtu();
                link.writes_to(0x10, 2)
            };
            let works = command(500).wait_ms(2_600).notified(0x12, &[1]).wait_ms(1_500);
            Example::pair(works.hangs_up(HUNG_UP), command(42).wait_ms(460).disconnected(LOST))
        })
        .not_saying("and its answer"),
        Case::silent("on the working link nothing follows but the end", || {
            let works = write(500).wait_ms(2_600).hangs_up(HUNG_UP);
            Example::pair(works, lost(42, 460))
        }),
        Case::silent("the last thing was a read", || {
            let read = crate::packet::att::Pdu::ReadRequest {
                attribute_handle: crate::packet::att::Handle(0x10),
            };
            let value = crate::packet::att::Pdu::ReadResponse { attribute_value: &[1] };
            let link = |timeout: u16| {
                let link = Trace::new().create().connected_as(0, 39, 0, timeout).features().mtu();
                link.exchange(read, value)
            };
            let works = link(500).wait_ms(2_600).notified(0x12, &[1]).wait_ms(1_500);
            Example::pair(works.hangs_up(HUNG_UP), link(42).wait_ms(460).disconnected(LOST))
        }),
        Case::silent("the working host wrote to another attribute", || {
            let link = Trace::new().create().connected_as(0, 39, 0, 500).features().mtu();
            let works = link.write(0x20, &[1, 0]).wait_ms(2_600).notified(0x12, &[1]);
            Example::pair(works.wait_ms(1_500).hangs_up(HUNG_UP), lost(42, 460))
        }),
        Case::silent("the working host sent it as a Write Command", || {
            let link = Trace::new().create().connected_as(0, 39, 0, 500).features().mtu();
            let works = link.writes_to(0x10, 1).wait_ms(2_600).notified(0x12, &[1]);
            Example::pair(works.wait_ms(1_500).hangs_up(HUNG_UP), lost(42, 460))
        }),
        Case::silent("the device wrote to that attribute of the working host", || {
            let link = Trace::new().create().connected_as(0, 39, 0, 500).features().mtu();
            let works = link.from_peer(&[0x12, 0x10, 0, 1, 0], &[0x13]).wait_ms(2_600);
            Example::pair(works.notified(0x12, &[1]).wait_ms(1_500).hangs_up(HUNG_UP), lost(42, 460))
        }),
        Case::cause(Confidence::Medium, "the attribute moved: its characteristic is the same", || {
            let with = |link: Trace, value: u8| {
                let found = [7, value - 1, 0, 0x0a, value, 0, 0x19, 0x2a];
                link.by_wire(&[0x08, 1, 0, 0xff, 0xff, 0x03, 0x28], 0x09, &found)
            };
            let link = |timeout| Trace::new().create().connected_as(0, 39, 0, timeout).features().mtu();
            let works = with(link(500), 0x20).write(0x20, &[1, 0]).wait_ms(2_600);
            let works = works.notified(0x22, &[1]).wait_ms(1_500).hangs_up(HUNG_UP);
            let fails = with(link(42), 0x10).write(0x10, &[1, 0]).wait_ms(460);
            Example::pair(works, fails.disconnected(LOST))
        }),
        Case::note(Confidence::High, "nothing is said of a timeout where the device hung up", || {
            let send = |link: Trace| (0..11).fold(link, |link, _| link.writes_to(0x0e, 100));
            let link = || send(Trace::new().up().mtu()).wait_ms(500);
            let first = link().disconnected(HUNG_UP).wait_ms(1_500).advertises(0);
            first.followed_by(link().hangs_up(HUNG_UP)).into()
        })
        .not_saying("was heard again"),
        Case::silent("the link before sent as much, and the next one does not", || {
            let send = |link: Trace| (0..11).fold(link, |link, _| link.writes_to(0x0e, 100));
            let link = || send(Trace::new().up().mtu()).wait_ms(500);
            let first = link().hangs_up(HUNG_UP).wait_ms(2_000).followed_by(link());
            first.disconnected(LOST).wait_ms(2_000).up().mtu().into()
        }),
        Case::silent("the next link goes on with single bytes only", || {
            let send = |link: Trace| (0..11).fold(link, |link, _| link.writes_to(0x0e, 100));
            let first = send(Trace::new().up().mtu()).wait_ms(500).disconnected(LOST);
            first.wait_ms(2_000).up().mtu().writes_to(0x0e, 3).hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::Medium, "the working link is silent for exactly 400 ms", || {
            Example::pair(silent_for(400_000), lost(35, 380))
        }),
        Case::silent("the working link is silent for a moment less", || {
            Example::pair(silent_for(399_999), lost(35, 380))
        }),
        Case::cause(Confidence::Medium, "the working link is silent for exactly this link's timeout", || {
            Example::pair(silent_for(420_000), lost(42, 460))
        }),
        Case::silent("the working link is silent for a moment less than this link's timeout", || {
            Example::pair(silent_for(419_999), lost(42, 460))
        }),
        Case::cause(Confidence::Medium, "the link ends exactly two timeouts after the write", || {
            Example::pair(survives(500, 2_600), write(42).after_us(840_000).disconnected(LOST))
        }),
        Case::silent("the link ends a moment later than two timeouts after the write", || {
            Example::pair(survives(500, 2_600), write(42).after_us(840_001).disconnected(LOST))
        }),
        Case::note(Confidence::High, "the next link goes on exactly 60 s later", || {
            goes_on_after(60_000_000).into()
        }),
        Case::silent("the next link goes on a moment later than that", || {
            goes_on_after(60_000_001).into()
        }),
        Case::cause(Confidence::Medium, "a value was on its way when this host wrote", || {
            let fails = write(42).notified(0x12, &[1]).wait_ms(460).disconnected(LOST);
            Example::pair(survives(500, 2_600), fails)
        }),
        Case::silent("the next link sends it with Write Requests", || {
            let first = (0..11).fold(Trace::new().up().mtu(), |link, _| link.writes_to(0x0e, 100));
            let first = first.wait_ms(500).disconnected(LOST).wait_ms(2_000).up().mtu();
            let second = (0..6).fold(first, |link, _| link.write(0x0e, &[7; 200]));
            second.hangs_up(HUNG_UP).into()
        }),
        Case::silent("what this host had read goes on in the next link", || {
            let read = crate::packet::att::Pdu::ReadRequest {
                attribute_handle: crate::packet::att::Handle(0x0e),
            };
            let value = crate::packet::att::Pdu::ReadResponse { attribute_value: &[7; 200] };
            let reads = |link: Trace| (0..6).fold(link, |link, _| link.exchange(read, value));
            let first = reads(Trace::new().up().mtu()).wait_ms(500).disconnected(LOST);
            reads(first.wait_ms(2_000).up().mtu()).hangs_up(HUNG_UP).into()
        }),
        Case::note(Confidence::High, "it is the controller that ends the link", || resumed(1_100, 0x0e))
            .saying("when the controller ended the link"),
    ],
};

const LOST: Status = Status::CONNECTION_TIMEOUT;
const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

fn write(timeout: u16) -> Trace {
    Trace::new().create().connected_as(0, 39, 0, timeout).features().mtu().write(0x10, &[1, 0])
}

/// A write, a silence, and the loss of the link.
fn lost(timeout: u16, silence: u32) -> Trace {
    write(timeout).wait_ms(silence).disconnected(LOST)
}

/// A write, a silence, and its result.
fn survives(timeout: u16, silence: u32) -> Trace {
    let trace = write(timeout).wait_ms(silence).notified(0x12, &[1]);
    trace.wait_ms(1_500).hangs_up(HUNG_UP)
}

/// A write on the working link, and exactly so long after its answer the device's next packet.
fn silent_for(us: u32) -> Trace {
    let trace = write(500).after_us(us).notified(0x12, &[1]);
    trace.wait_ms(1_500).hangs_up(HUNG_UP)
}

/// A transfer of 1.1 kB that is cut off, and goes on exactly so long after the end.
fn goes_on_after(us: u32) -> Trace {
    let send = |link: Trace| (0..11).fold(link, |link, _| link.writes_to(0x0e, 100));
    let link = || send(Trace::new().up().mtu());
    let first = link().wait_ms(500).disconnected(LOST);
    // A link's first write comes 200.8 ms after its request.
    let second = link().wait_ms(900).hangs_up(HUNG_UP);
    first.after_us(us - 200_800).followed_by(second)
}

/// So many single bytes are sent, the link is lost, and the next one sends as many to that attribute.
fn resumed(bytes: u32, attribute: u16) -> Example {
    resumed_after(2_000, bytes, attribute)
}

fn resumed_after(ms: u32, bytes: u32, attribute: u16) -> Example {
    let send = |link: Trace, attribute| {
        (0..bytes / 100).fold(link, |link, _| link.writes_to(attribute, 100))
    };
    let link = || Trace::new().up().mtu();
    let first = send(link(), 0x0e).wait_ms(500).disconnected(LOST).wait_ms(ms);
    let second = send(link(), attribute).wait_ms(900).hangs_up(HUNG_UP);
    first.followed_by(second).into()
}

/// The same, and the device advertises between the links.
fn back(ms: u32) -> Trace {
    let send = |link: Trace| (0..11).fold(link, |link, _| link.writes_to(0x0e, 100));
    let lost = send(Trace::new().up().mtu()).wait_ms(500).disconnected(LOST).wait_ms(ms);
    lost.advertises(0).followed_by(send(Trace::new().up().mtu()).wait_ms(900).hangs_up(HUNG_UP))
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Lengthen the supervision timeout: `ConnectionSupervisionTimeout=600` (6 s) under `[LE]` in /etc/bluetooth/main.conf, then restart bluetooth.",
    ),
    Remedy::any(
        "Let the device ask for a longer supervision timeout before the update (a connection parameter request), or erase page by page with radio events between.",
    ),
    Remedy::no_use(
        "A fixed sleep after connecting: the silence follows the write, not the connection.",
    ),
];

/// A shorter silence is ordinary.
const SHORTEST: Span = Span::from_ms(400);

/// A link that ends more timeouts after the write than this did not die of the silence that followed it.
const TIMEOUTS: i64 = 2;

/// Fewest bytes to one attribute that make a transfer.
const TRANSFER: u64 = 1_000;

/// A host that goes on later than this has begun something new.
const RESUMED: Span = Span::from_ms(60_000);

/// The supervision timeout that leaves a margin of a quarter over a silence, in full seconds.
fn outlives(silence: Span) -> i64 {
    silence.0 / 800_000 + 1
}

/// A write after which this link died and the working one did not.
#[derive(Debug)]
struct Silence {
    write: Named,
    answered: bool,
    /// How long the working link heard nothing after the same write, and where that is.
    silence: Span,
    same_frame: u32,
    timeout: Span,
    end: End,
}

/// A transfer that a lost link interrupted and the next one took up again.
#[derive(Debug)]
struct Resumed {
    transfer: Named,
    next_frame: u32,
    gap: Span,
    /// Of a lost link: how long it had been silent, and its timeout.
    silence: Option<(Span, Span)>,
    /// How long after its last packet the device was heard again.
    back: Option<Span>,
    end: End,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    died(scene, connection).or_else(|| interrupted(scene, connection))
}

fn died(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let subject = scene.compared().filter(|c| c.number == connection.number)?;
    let reference = scene.reference()?;
    let end = subject.end.clone().filter(|end| end.reason == LOST)?;
    let write = last_write(subject)?;
    let (same, silence) = reference
        .steps
        .iter()
        .filter(|s| same_attribute(subject, write, reference, s))
        .find_map(|s| {
            let next = see::later(reference, s).find(|n| n.procedure != Procedure::Disconnect)?;
            Some((s, next.at.since(s.last.at)?))
        })?;
    let timeout = subject.current?.timeout();
    // The link must have died of this very silence, not of a later one.
    let died_of_it = end.at.since(write.last.at).is_some_and(|wait| wait.0 <= timeout.0 * TIMEOUTS);
    if silence < SHORTEST || silence < timeout || !died_of_it {
        return None;
    }
    let facts = Silence {
        write: Named::of(scene, subject, write),
        answered: write.last.frame > write.frame && write.procedure == Procedure::Write,
        silence,
        same_frame: same.frame,
        timeout,
        end,
    };
    Some(Verdict::cause(facts).sure(Confidence::Medium))
}

/// The link ended in the middle of a transfer, and the next link to the device goes on with it.
fn interrupted(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.clone().filter(|end| end.by != EndedBy::Host)?;
    let transfer = connection.steps.iter().filter(|s| transfers(s)).max_by_key(|s| s.bytes)?;
    let next = scene.capture().kin(connection, 1).find(|c| c.number > connection.number)?;
    let again = next.steps.iter().find(|s| {
        transfers(s) && s.procedure == transfer.procedure && s.attribute == transfer.attribute
    })?;
    let gap = again.at.since(end.at).filter(|gap| *gap <= RESUMED)?;
    let back = connection.report_after.zip(connection.last_heard);
    let back = back.and_then(|(report, heard)| report.at.since(heard.seen.at));
    let silence = connection.silence_before_end().zip(connection.current.map(|c| c.timeout()));
    let lost = end.reason == LOST;
    let facts = Resumed {
        transfer: Named::of(scene, connection, transfer),
        next_frame: again.frame,
        gap,
        silence: silence.filter(|_| lost),
        back: back.filter(|_| lost),
        end,
    };
    Some(Verdict::note(facts).sure(Confidence::High))
}

fn transfers(step: &Step) -> bool {
    matches!(step.procedure, Procedure::Write | Procedure::WriteCommand)
        && step.by == Direction::Sent
        && step.bytes >= TRANSFER
}

impl Facts for Silence {
    fn says(&self) -> Text {
        text!(
            "After {}{} nothing more came from the device, and the controller ended the link when its supervision timeout of {} was over. On the working side the same write is followed by {} of silence, and the link outlives it. A supervision timeout of {} s would have outlived that silence too.",
            self.write.request(),
            if self.answered { " and its answer" } else { "" },
            self.timeout,
            self.silence,
            outlives(self.silence)
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let theirs = text!("the same write; after it nothing for {}", self.silence);
        vec![
            Sight::here(self.write.step.frame, self.write.request()),
            see::link_ended(&self.end),
            Sight::in_reference(self.same_frame, theirs),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("peer-hangs-up-on-deadline", "the device did not end the link")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "Repeat with a supervision timeout of {} s: if the link survives, it was the silence after this write.",
            outlives(self.silence)
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

impl Facts for Resumed {
    fn says(&self) -> Text {
        let silent = self.silence.map(|(silence, timeout)| {
            text!(
                " The device had been silent for {}; the supervision timeout was {}.",
                silence,
                timeout
            )
        });
        // It advertises when its own timer has run out, so this is the most that it can have been silent for.
        let outlives = self.back.map(|back| {
            text!(
                " It was heard again {} after its last packet. A supervision timeout of {} s on both sides would have outlived that.",
                back,
                outlives(back)
            )
        });
        text!(
            "This host had written {} bytes to attribute {} when {} ended the link ({}).{}{} The next link went on with it {} later: interrupted and resumed.",
            self.transfer.step.bytes,
            crate::packet::att::Handle(self.transfer.step.attribute),
            if self.end.by == EndedBy::Peer { "the device" } else { "the controller" },
            self.end.reason,
            silent,
            outlives,
            self.gap
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.transfer.step.last.frame, "the last packet of the transfer here"),
            see::link_ended(&self.end),
            Sight::here(self.next_frame, "the next link goes on"),
        ]
    }
}

/// The write after which nothing more was heard.
fn last_write(c: &Connection) -> Option<&Step> {
    let last = c
        .steps
        .iter()
        .rev()
        .find(|s| s.procedure != Procedure::Disconnect && s.procedure != Procedure::Notify)?;
    let writes = matches!(last.procedure, Procedure::Write | Procedure::WriteCommand)
        && last.by == Direction::Sent;
    (writes && last.outcome != Outcome::Error).then_some(last)
}

fn same_attribute(a: &Connection, step: &Step, b: &Connection, other: &Step) -> bool {
    let uuid = |c: &Connection, s: &Step| c.attribute(s).and_then(|a| a.uuid);
    let known = uuid(a, step).is_some() && uuid(a, step) == uuid(b, other);
    other.procedure == step.procedure
        && other.by == Direction::Sent
        && (known || step.attribute == other.attribute)
}
