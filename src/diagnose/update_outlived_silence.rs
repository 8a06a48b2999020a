use super::named::Named;
use super::{Basis, Case, Check, Confidence, Facts, Rule, Scene, Sight, Verdict, see, updates};
use crate::packet::{Direction, Status};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Outcome, Procedure, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "update-outlived-silence",
    title: "The device was silent for long during an update, and the link outlived it",
    basis: Basis::Author,
    silences: &[],
    docs: "\
## What it means
A device that erases flash may switch its radio off meanwhile. Here the link went on afterwards: its supervision timeout was long
enough. On a host with a shorter one the same update fails (`ota-erase-silence`).

## How it shows
A write to a known service for firmware updates, and the device's next packet, its answer or a notification, more than a second
later. This host sent nothing in between.

## What else it could be
HCI does not show empty packets: the radio may have been on, and only the device's program busy. No capture with such an
update of a known protocol backs this rule yet; it rests on traces of its author's.

## What to do
Nothing on this host. For other hosts remember the time: a supervision timeout below it may end the link.",
    sources: &[],
    check: Check::Connection(check),
    cases: &[
        Case::note(Confidence::Medium, "the answer to a write takes 2.6 s", || {
            update().answered_after(2_600).into()
        })
        .about(&[1])
        .saying("2.60 s"),
        Case::note(Confidence::Medium, "the result comes 2.6 s after the answer", || {
            let done = update().answered_after(50).wait_ms(2_600).notified(5, &[1]);
            done.wait_ms(300).hangs_up(HUNG_UP).into()
        })
        .saying("below it may end the link"),
        Case::note(Confidence::Medium, "the answer takes a little more than a second", || {
            update().answered_after(1_010).into()
        })
        .pins(&["LONG"]),
        Case::silent("the answer takes a little less than a second", || {
            update().answered_after(990).into()
        })
        .pins(&["LONG"]),
        Case::silent("this host was idle, and then went on", || {
            let idle = update().answered_after(50).wait_ms(2_600).write(3, &[2]);
            idle.wait_ms(300).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the service is not one for updates", || {
            service([0x0f, 0x18]).answered_after(2_600).into()
        }),
        Case::silent("the link is lost afterwards", || {
            update().answered_after(2_600).wait_ms(5_000).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::note(Confidence::Medium, "the answer takes exactly a second", || {
            let asked = update().acl(Direction::Sent, 4, &[0x12, 3, 0, 6]);
            asked.after_us(1_000_000).acl(Direction::Received, 4, &[0x13]).into()
        }),
        Case::silent("the answer takes a moment less than a second", || {
            let asked = update().acl(Direction::Sent, 4, &[0x12, 3, 0, 6]);
            asked.after_us(999_999).acl(Direction::Received, 4, &[0x13]).into()
        }),
        Case::silent("this host sends a value after a while", || {
            let link = update().answered_after(50).wait_ms(2_600).notified_by_us(5, &[1]);
            link.wait_ms(300).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the device asks this host something after a while", || {
            let link = update().answered_after(50).wait_ms(2_600);
            link.from_peer(&[0x0a, 3, 0], &[0x0b, 1]).wait_ms(300).hangs_up(HUNG_UP).into()
        }),
        Case::silent("two writes, each answered at once", || {
            let link = update().answered_after(50).wait_ms(2_600).answered_after(50);
            link.wait_ms(300).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the write is refused after a while", || {
            let asked = update().acl(Direction::Sent, 4, &[0x12, 3, 0, 6]).wait_ms(2_600);
            let refused = asked.acl(Direction::Received, 4, &[0x01, 0x12, 3, 0, 0x03]);
            refused.wait_ms(300).hangs_up(HUNG_UP).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// A link to a device with one service and one characteristic, for updates by Nordic's protocol.
fn update() -> Trace {
    service([0x59, 0xfe])
}

fn service(uuid: [u8; 2]) -> Trace {
    let groups = [6, 1, 0, 6, 0, uuid[0], uuid[1]];
    let link = Trace::new().create().connected_as(0, 24, 0, 500).features();
    link.by_wire(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], 0x11, &groups)
}

impl Trace {
    /// A write to the service's characteristic that is answered so much later.
    fn answered_after(self, ms: u32) -> Self {
        let asked = self.acl(Direction::Sent, 4, &[0x12, 3, 0, 6]);
        asked.wait_ms(ms).acl(Direction::Received, 4, &[0x13])
    }
}

/// A shorter silence is outlived by every usual supervision timeout.
const LONG: Span = Span::from_ms(1_000);

/// A write of an update after which the device was silent, and the link lived on.
#[derive(Debug)]
struct Outlived {
    write: Named,
    protocol: &'static str,
    silence: Span,
    /// The device's next packet.
    next_frame: u32,
    timeout: Option<Span>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    if connection.reason() == Some(Status::CONNECTION_TIMEOUT) {
        return None;
    }
    let silences = connection.steps.iter().filter_map(|step| {
        let protocol = updates::protocol(connection, step)?;
        let (silence, next_frame) = silence(connection, step)?;
        (silence >= LONG).then_some((step, protocol, silence, next_frame))
    });
    let (step, protocol, silence, next_frame) = silences.max_by_key(|(.., silence, _)| *silence)?;
    let facts = Outlived {
        write: Named::of(scene, connection, step),
        protocol,
        silence,
        next_frame,
        timeout: connection.current.map(|current| current.timeout()),
    };
    Some(Verdict::note(facts).sure(Confidence::Medium))
}

/// How long the device said nothing after a write of ours, and the frame of what it said then: the answer, or what
/// came after the answer without a request.
fn silence(connection: &Connection, write: &Step) -> Option<(Span, u32)> {
    let writes = matches!(write.procedure, Procedure::Write | Procedure::WriteCommand)
        && write.by == Direction::Sent
        && write.count == 1;
    let answered = write.procedure == Procedure::Write && write.outcome == Outcome::Ok;
    let answer = write.duration().filter(|_| answered).map(|took| (took, write.last.frame));
    let pushed = see::later(connection, write).filter(|s| s.is_att());
    let pushed = pushed.min_by_key(|s| s.frame).filter(|s| {
        s.by == Direction::Received
            && matches!(s.procedure, Procedure::Notify | Procedure::Indicate)
    });
    let pushed = pushed.and_then(|s| Some((s.at.since(write.last.at)?, s.frame)));
    answer.into_iter().chain(pushed).filter(|_| writes).max()
}

impl Facts for Outlived {
    fn says(&self) -> Text {
        text!(
            "During an update ({}) nothing came from the device for {} after {}, and the link went on. {} A supervision timeout below it may end the link on another host.",
            self.protocol,
            self.silence,
            self.write.request(),
            self.timeout.map(|timeout| text!("The timeout in force was {}.", timeout))
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.write.step.frame, self.write.request()),
            Sight::here(self.next_frame, text!("the device's next packet, {} later", self.silence)),
        ]
    }
}
