//! What several rules look for, said once.
use super::{Scene, Sight, what_if};
use crate::compare::{DatabaseChange, MatchedBy};
use crate::packet::att::{ErrorCode, Handle};
use crate::packet::{Status, signal, smp};
use crate::prose::{Text, typed};
use crate::text;
use crate::time::{Moment, Span};
use crate::timeline::{
    AdapterEvent, Capture, Connection, Detail, End, EndedBy, Outcome, Procedure, Role, Step,
};

/// Ends a peer chose: without our command, 0x13 to 0x15, after it was heard.
pub fn peer_hung_up(connection: &Connection) -> Option<&End> {
    connection
        .end
        .as_ref()
        .filter(|end| end.by == EndedBy::Peer && connection.connected_frame().is_some())
}

/// Up to when this host held a link: until it gave the command to end it, until it ended in another way, or until the
/// capture ends.
pub fn given_up_at(connection: &Connection) -> Moment {
    let end = |end: &End| end.command.map_or(end.at, |command| command.at);
    connection.end.as_ref().map_or(connection.capture_end, end)
}

/// The frame that shows a link's end.
pub fn link_ended(end: &End) -> Sight {
    Sight::here(end.frame, text!("Disconnection Complete, {}", end.reason))
}

/// The files that `hcidiff recipe` takes to write down what the working host did. None where it would refuse: it
/// never holds a key, and a handle means something only on the same device with the same database.
pub fn recipe(scene: &Scene<'_>) -> Option<Text> {
    let comparison = scene.comparison?;
    let works = scene.reference()?;
    let secured = |s: &Step| matches!(s.procedure, Procedure::Pair | Procedure::Encrypt);
    let told = works.start_seen
        && works.role == Some(Role::Central)
        && !works.peer.has_private_address()
        && !works.steps.iter().any(secured)
        && what_if::first_write(works).is_some();
    let one_device = matches!(comparison.matched_by, MatchedBy::Address | MatchedBy::Identity)
        && comparison.database_hash_equal != Some(false)
        && comparison.databases.iter().all(|d| d.change != DatabaseChange::Moved);
    if !told || !one_device {
        return None;
    }
    let mut captures = vec![comparison.reference.capture, comparison.subject.capture];
    captures.dedup();
    let files = captures.into_iter().filter_map(|at| scene.captures.get(at));
    Some(Text::joined(files.map(|capture| typed(&capture.file).into()), " "))
}

/// Most frames of one kind that a finding shows.
pub const SHOWN: usize = 4;

/// Most other attempts to the same device that are looked at on either side of one.
pub const SHOWN_KIN: usize = 16;

/// L2CAP's code of a request to close a channel.
pub const DISCONNECTION_REQUEST: Code = 0x06;

/// A code of L2CAP signalling.
type Code = u8;

/// How far from their mean lengths may lie that a clock decides.
const SPREAD_PERCENT: i64 = 10;

/// Whether all spans are about the same length.
pub fn constant(spans: &[Span]) -> bool {
    let count = spans.len() as i64;
    if count < 2 {
        return false;
    }
    let mean = spans.iter().map(|s| s.0).sum::<i64>() / count;
    mean > 0 && spans.iter().all(|s| (s.0 - mean).abs() * 100 <= mean * SPREAD_PERCENT)
}

/// Smallest and largest: `423.7 ms` or `0.2 s to 4.0 s`.
pub fn from_to(spans: &[Span]) -> Text {
    match (spans.iter().min(), spans.iter().max()) {
        (Some(low), Some(high)) if low.to_string() == high.to_string() => text!("{}", *low),
        (Some(low), Some(high)) => text!("{} to {}", *low, *high),
        _ => Text::EMPTY,
    }
}

/// The last thing that our host said on ATT, SMP or signalling, as a step.
pub fn last_sent(connection: &Connection) -> Option<&Step> {
    use crate::packet::Direction::Sent;
    connection
        .steps
        .iter()
        .rev()
        .filter(|s| s.by == Sent)
        .find(|s| s.is_att() || matches!(s.procedure, Procedure::Pair | Procedure::Channel))
}

/// The last question or command of our host on ATT, SMP or signalling, by when it or its answer came.
pub fn last_request(connection: &Connection) -> Option<&Step> {
    use crate::packet::Direction::Sent;
    let talks = |s: &&Step| {
        let pushed = matches!(s.procedure, Procedure::Notify | Procedure::Indicate);
        let asks = s.is_att() || matches!(s.procedure, Procedure::Pair | Procedure::Channel);
        s.by == Sent && asks && !pushed
    };
    connection.steps.iter().filter(talks).max_by_key(|s| s.last.frame)
}

/// A host that reacts to an error by itself does so within a few connection events. Where the capture ends sooner, it may
/// still have done it.
const REACTS: Span = Span::from_ms(1_000);

/// Whether the capture shows what this host did in the time that a reaction takes. One without times is believed.
pub fn watched(connection: &Connection, since: Moment) -> bool {
    connection.capture_end.since(since).is_none_or(|after| after >= REACTS)
}

/// A device that leaves this many intervals, and some more, after a request or its answer reacts to it: an answer
/// takes two, and the news of the end one more.
const REACTION_INTERVALS: i64 = 3;
const REACTION_GRACE: Span = Span::from_ms(200);

/// How long after that step the link ended, where it ended so soon that the device may have reacted to it.
pub fn reaction(connection: &Connection, step: &Step) -> Option<Span> {
    let interval = connection.current.or(connection.granted)?.interval();
    let longest = Span(interval.0 * REACTION_INTERVALS + REACTION_GRACE.0);
    connection.end.as_ref()?.at.since(step.last.at).filter(|wait| *wait <= longest)
}

/// Steps that began when this one was over.
pub fn later<'a>(connection: &'a Connection, step: &Step) -> impl Iterator<Item = &'a Step> {
    let over = step.last.frame;
    connection.steps.iter().filter(move |s| s.frame > over)
}

/// What the adapters did before a frame.
pub fn events_before(capture: &Capture, frame: u32) -> &[AdapterEvent] {
    let events = &capture.adapter_events;
    events.get(..events.partition_point(|e| e.frame < frame)).unwrap_or_default()
}

/// What the adapters did after a frame.
pub fn events_after(capture: &Capture, frame: u32) -> &[AdapterEvent] {
    let events = &capture.adapter_events;
    events.get(events.partition_point(|e| e.frame <= frame)..).unwrap_or_default()
}

/// Pairings that this host (sent) or the device (received) ended with Pairing Failed.
pub fn refused_pairings(
    connection: &Connection,
    by: crate::packet::Direction,
) -> impl Iterator<Item = &Step> {
    connection.steps.iter().filter(
        move |s| matches!(s.detail, Detail::Pairing { refused_by: Some(who), .. } if who == by),
    )
}

/// How a step failed: its code with its name, or that no answer came.
pub fn failure(step: &Step) -> Text {
    match (step.outcome, step.status) {
        (Outcome::Error, Some(code)) if step.is_att() => text!("{}", ErrorCode(code)),
        (Outcome::Error, Some(code)) => match step.procedure {
            Procedure::Pair if step.detail != Detail::None => text!("{}", smp::Reason(code)),
            Procedure::Channel => text!("result {}", format_args!("{code:#04x}")),
            _ => text!("{}", Status(code)),
        },
        (Outcome::Error, None) => "failed".into(),
        (Outcome::CutOff, _) => "cut off by the end of the link".into(),
        _ => "without an answer".into(),
    }
}

/// What two steps must share to be the same PDU in two tries: procedure, attribute, range.
pub fn same_pdu(a: &Step, b: &Step) -> bool {
    let of = |s: &Step| match s.detail {
        Detail::Discovery { first, attribute_type, by_uuid, .. } => {
            (first, attribute_type, u16::from(by_uuid))
        }
        Detail::Read { by_type, offset } => (s.attribute, by_type, u16::from(offset > 0)),
        Detail::Subscription { value } => (s.attribute, value, 0),
        _ => (s.attribute, 0, 0),
    };
    // A run of discovery requests asked for one range after the other: which was the last it does not say.
    let one = |s: &Step| s.count == 1 || !matches!(s.detail, Detail::Discovery { .. });
    a.procedure == b.procedure && of(a) == of(b) && one(a) && one(b)
}

/// The peer asked for connection parameters or security and got no answer, or a refusal.
pub fn peer_request_open(connection: &Connection) -> bool {
    use crate::packet::Direction::Received;
    connection.steps.iter().any(|s| {
        s.by == Received
            && s.failed()
            && match s.procedure {
                Procedure::ParameterUpdate => true,
                Procedure::Pair => matches!(s.detail, Detail::SecurityRequest { .. }),
                _ => false,
            }
    })
}

/// Whether the application got to work: something was written, subscribed to, or notified.
pub fn used(connection: &Connection) -> bool {
    use Procedure::{Notify, Subscribe, Write, WriteCommand};
    let work = |s: &Step| matches!(s.procedure, Write | WriteCommand | Subscribe | Notify);
    connection.steps.iter().any(|s| s.outcome == Outcome::Ok && work(s))
}

/// How a step reads in a sentence.
pub fn request(step: &Step) -> Text {
    let of = (step.attribute != 0).then(|| text!(" of attribute {}", Handle(step.attribute)));
    match (step.procedure, step.detail) {
        (Procedure::ExchangeMtu, Detail::Mtu { asked, .. }) => {
            text!("Exchange MTU Request ({})", asked)
        }
        (Procedure::DiscoverServices, Detail::Discovery { first, by_uuid: true, .. }) => {
            text!("discovery of one service by UUID from {}", Handle(first))
        }
        (Procedure::DiscoverServices, Detail::Discovery { first, .. }) => {
            text!("discovery of services from {}", Handle(first))
        }
        (Procedure::DiscoverIncludes, Detail::Discovery { first, .. }) => {
            text!("discovery of included services from {}", Handle(first))
        }
        (Procedure::DiscoverCharacteristics, Detail::Discovery { first, .. }) => {
            text!("discovery of characteristics from {}", Handle(first))
        }
        (Procedure::DiscoverDescriptors, Detail::Discovery { first, .. }) => {
            text!("discovery of descriptors from {}", Handle(first))
        }
        (Procedure::Read, Detail::Read { by_type, .. }) if by_type != 0 => {
            text!("read by type {}", format_args!("{by_type:#06x}"))
        }
        (Procedure::Read, _) => text!("read{}", of),
        (Procedure::Write, Detail::Write { prepared: true, .. }) => {
            text!("long write (prepared){}", of)
        }
        (Procedure::Write, _) => text!("write{}", of),
        (Procedure::WriteCommand, _) => text!("write command{}", of),
        (Procedure::Subscribe, Detail::Subscription { value }) => text!(
            "write of {} to the CCCD {}",
            format_args!("{value:#06x}"),
            Handle(step.attribute)
        ),
        // BR/EDR pairs below HCI: the host asks for authentication.
        (Procedure::Pair, Detail::None) => "authentication".into(),
        (Procedure::Pair, Detail::SecurityRequest { .. }) => "security request".into(),
        (Procedure::Pair, _) => "pairing".into(),
        (Procedure::Channel, Detail::Signal { code, .. }) => {
            text!("{}", signal::Pdu::name_of(code).unwrap_or("channel signalling"))
        }
        (Procedure::Indicate, _) => text!("indication{}", of),
        (Procedure::Notify, _) => text!("notification{}", of),
        (procedure, _) => text!("{}", procedure),
    }
}

/// All attempts of the capture under diagnosis to the device of that one.
pub fn attempts_of<'a>(scene: &Scene<'a>, one: &Connection) -> Vec<&'a Connection> {
    let of = |group: &Vec<&Connection>| group.iter().any(|c| c.number == one.number);
    scene.devices().into_iter().find(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Direction::{Received, Sent};
    use crate::packet::att::Pdu;
    use crate::seen::{Seen, SourceId};
    use crate::time::Moment;
    use crate::timeline::PairingPhase;
    use crate::trace::Trace;

    fn step(procedure: Procedure, detail: Detail) -> Step {
        let mut steps = Trace::new().up().mtu().run().connections[0].steps.clone();
        let mut step = steps.pop().expect("a step");
        let seen = Seen { source: SourceId::FIRST, at: Moment::UNKNOWN, frame: 1 };
        (step.first, step.last, step.by, step.attribute) = (seen, seen, Sent, 3);
        (step.procedure, step.detail) = (procedure, detail);
        (step.outcome, step.status, step.count) = (Outcome::Ok, None, 1);
        step
    }

    fn pairing() -> Detail {
        let [request, response] = [[3, 0, 1, 16]; 2];
        Detail::Pairing { phase: PairingPhase::Failed, request, response, refused_by: None }
    }

    #[test]
    fn about_as_long_is_a_tenth_around_the_mean() {
        let of =
            |all: &[i64]| constant(&all.iter().copied().map(Span::from_ms).collect::<Vec<_>>());
        assert!(of(&[90, 110]), "a tenth off");
        assert!(!of(&[89, 111]));
        assert!(!of(&[111, 89]));
        assert!(of(&[100, 100]));
        assert!(!of(&[100]), "one alone is no pattern");
        assert!(!of(&[]));
        assert!(!of(&[0, 0]));
        assert!(!of(&[-100, -100]), "clocks step back");
    }

    #[test]
    fn a_range_is_one_number_where_both_ends_read_the_same() {
        let of = |all: &[i64]| {
            from_to(&all.iter().copied().map(Span::from_ms).collect::<Vec<_>>()).to_string()
        };
        assert_eq!(of(&[200, 4_000, 300]), "200 ms to 4.00 s");
        assert_eq!(of(&[200, 200]), "200 ms");
        assert_eq!(of(&[]), "");
    }

    #[test]
    fn a_failure_is_named_in_its_own_code_space() {
        let of = |procedure, detail, outcome, status| {
            let mut step = step(procedure, detail);
            (step.outcome, step.status) = (outcome, status);
            failure(&step).to_string()
        };
        use Outcome::{CutOff, Error, Unanswered};
        use Procedure::{Channel, Encrypt, Pair, Read};
        let none = Detail::None;
        assert_eq!(of(Read, none, Error, Some(5)), "Insufficient Authentication (0x05)");
        assert_eq!(of(Pair, pairing(), Error, Some(5)), "Pairing Not Supported (0x05)");
        assert_eq!(of(Pair, none, Error, Some(5)), "Authentication Failure (0x05)");
        assert_eq!(of(Channel, none, Error, Some(5)), "result 0x05");
        assert_eq!(of(Encrypt, none, Error, Some(6)), "PIN or Key Missing (0x06)");
        assert_eq!(of(Read, none, Error, None), "failed");
        assert_eq!(of(Read, none, CutOff, None), "cut off by the end of the link");
        assert_eq!(of(Read, none, Unanswered, None), "without an answer");
    }

    #[test]
    fn every_step_reads_as_what_it_asked() {
        use Procedure::*;
        let found = |by_uuid| Detail::Discovery {
            first: 0x10,
            last: 0xffff,
            found: 0,
            attribute_type: 0x2803,
            by_uuid,
        };
        let read = |by_type| Detail::Read { offset: 0, by_type };
        let write = |prepared| Detail::Write { head: 0, prepared, signed: false };
        let mtu = Detail::Mtu { asked: 517, answered: None, answers: 0 };
        let signal = |code| Detail::Signal { code, psm: 0, ours: 0, theirs: 0 };
        let wish = Detail::SecurityRequest { auth_req: 1 };
        for (procedure, detail, reads) in [
            (ExchangeMtu, mtu, "Exchange MTU Request (517)"),
            (DiscoverServices, found(true), "discovery of one service by UUID from 0x0010"),
            (DiscoverServices, found(false), "discovery of services from 0x0010"),
            (DiscoverIncludes, found(false), "discovery of included services from 0x0010"),
            (DiscoverCharacteristics, found(false), "discovery of characteristics from 0x0010"),
            (DiscoverDescriptors, found(false), "discovery of descriptors from 0x0010"),
            (Read, read(0x2a00), "read by type 0x2a00"),
            (Read, read(0), "read of attribute 0x0003"),
            (Write, write(true), "long write (prepared) of attribute 0x0003"),
            (Write, write(false), "write of attribute 0x0003"),
            (WriteCommand, write(false), "write command of attribute 0x0003"),
            (Subscribe, Detail::Subscription { value: 1 }, "write of 0x0001 to the CCCD 0x0003"),
            (Pair, Detail::None, "authentication"),
            (Pair, wish, "security request"),
            (Pair, pairing(), "pairing"),
            (Channel, signal(DISCONNECTION_REQUEST), "Disconnection Request"),
            (Channel, signal(0xfe), "channel signalling"),
            (Indicate, Detail::None, "indication of attribute 0x0003"),
            (Notify, Detail::None, "notification of attribute 0x0003"),
            (Encrypt, Detail::None, "encrypt"),
        ] {
            assert_eq!(request(&step(procedure, detail)).to_string(), reads);
        }
        let mut whole = step(Read, read(0));
        whole.attribute = 0;
        assert_eq!(request(&whole).to_string(), "read");
    }

    #[test]
    fn one_pdu_of_two_tries_has_one_procedure_attribute_and_range() {
        use Procedure::{DiscoverServices, Read, Subscribe, Write};
        let read = |by_type, offset| step(Read, Detail::Read { offset, by_type });
        let range = |first, attribute_type, by_uuid, count| {
            let (last, found) = (0xffff, 0);
            let mut step = step(
                DiscoverServices,
                Detail::Discovery { first, last, found, attribute_type, by_uuid },
            );
            step.count = count;
            step
        };
        let one = || range(1, 0x2800, false, 1);
        assert!(same_pdu(&one(), &one()));
        assert!(!same_pdu(&one(), &range(2, 0x2800, false, 1)));
        assert!(!same_pdu(&one(), &range(1, 0x2801, false, 1)));
        assert!(!same_pdu(&one(), &range(1, 0x2800, true, 1)));
        // A run of requests does not say which was the last.
        assert!(!same_pdu(&one(), &range(1, 0x2800, false, 2)));
        assert!(!same_pdu(&range(1, 0x2800, false, 2), &one()));
        assert!(same_pdu(&read(0, 0), &read(0, 0)));
        assert!(!same_pdu(&read(0, 0), &read(0x2a00, 0)));
        assert!(!same_pdu(&read(0, 0), &read(0, 22)));
        assert!(same_pdu(&read(0, 22), &read(0, 44)), "a read that goes on");
        let mut other = read(0, 0);
        other.attribute = 4;
        assert!(!same_pdu(&read(0, 0), &other));
        let mut run = read(0, 0);
        run.count = 7;
        assert!(same_pdu(&read(0, 0), &run), "reads of one attribute are all the same");
        let set = |value| step(Subscribe, Detail::Subscription { value });
        assert!(same_pdu(&set(1), &set(1)));
        assert!(!same_pdu(&set(1), &set(2)));
        let write = step(Write, Detail::None);
        assert!(same_pdu(&write, &write));
        assert!(!same_pdu(&write, &step(Procedure::WriteCommand, Detail::None)));
    }

    #[test]
    fn the_last_word_and_the_last_question_are_our_hosts() {
        let frame = |step: Option<&Step>| step.map(|step| (step.procedure, step.frame));
        let capture = Trace::new().up().mtu().notified_by_us(3, &[1]).notified(3, &[1]).run();
        let connection = &capture.connections[0];
        let of = |procedure, by| {
            let step = connection.steps.iter().find(|s| s.procedure == procedure && s.by == by);
            step.map(|step| (procedure, step.frame))
        };
        assert_eq!(frame(last_sent(connection)), of(Procedure::Notify, Sent));
        assert!(last_sent(connection).is_some());
        assert_eq!(frame(last_request(connection)), of(Procedure::ExchangeMtu, Sent));
        let capture = Trace::new().up().mtu().asks_to_pair().run();
        let pairs = |step: Option<&Step>| step.map(|step| step.procedure) == Some(Procedure::Pair);
        assert!(pairs(last_sent(&capture.connections[0])));
        assert!(pairs(last_request(&capture.connections[0])));
        // What the link layer does is no word of the host's.
        let capture = Trace::new().up().run();
        assert!(!capture.connections[0].steps.is_empty());
        assert!(last_sent(&capture.connections[0]).is_none());
        assert!(last_request(&capture.connections[0]).is_none());
        // What the device asks for is none either.
        let capture = Trace::new().up().from_peer(&[0x02, 5, 2], &[0x03, 5, 2]).run();
        assert!(capture.connections[0].steps.iter().any(|s| s.by == Received && s.is_att()));
        assert!(last_sent(&capture.connections[0]).is_none());
        assert!(last_request(&capture.connections[0]).is_none());
    }

    /// A program is offered where `hcidiff recipe` would write it: for one device, from a whole link that holds no key.
    #[test]
    fn a_recipe_is_offered_where_it_would_be_written() {
        use crate::compare::Comparison;
        use crate::timeline::Capture;
        let hung_up = crate::packet::Status::REMOTE_USER_TERMINATED;
        let works = || Trace::new().up().mtu().write(3, &[1]).wait_ms(3_000).hangs_up(hung_up);
        let fails = || Trace::new().up().mtu().wait_ms(900).disconnected(hung_up).run();
        let of = |works: Trace, change: fn(&mut Connection), so: fn(&mut Comparison)| {
            let mut captures: [Capture; 2] = [works.run(), fails()];
            let mut comparison = crate::compare::of_captures(&captures).expect("one device");
            change(&mut captures[0].connections[0]);
            so(&mut comparison);
            let comparison = Some(&comparison);
            let scene = Scene { captures: &captures, testimonies: &[], subject: 1, comparison };
            recipe(&scene).is_some()
        };
        let same = |_: &mut Comparison| ();
        assert!(of(works(), |_| (), same));
        assert!(!of(works(), |c| c.start_seen = false, same));
        assert!(!of(works(), |c| c.role = Some(Role::Peripheral), same));
        assert!(!of(works(), |c| c.role = None, same));
        let moves: fn(&mut Connection) =
            |c| c.peer.address = Some(crate::packet::Address([1, 0, 0, 0, 0, 0x5a]));
        assert!(!of(works(), moves, same), "a private address");
        let encrypts = Trace::new().up().encrypts().encryption(Status::SUCCESS).mtu();
        assert!(!of(encrypts.write(3, &[1]).hangs_up(hung_up), |_| (), same), "a key");
        assert!(!of(Trace::new().up().mtu().hangs_up(hung_up), |_| (), same), "nothing written");
        assert!(!of(works(), |_| (), |it| it.database_hash_equal = Some(false)));
        assert!(of(works(), |_| (), |it| it.database_hash_equal = Some(true)));
        assert!(of(works(), |_| (), |it| it.matched_by = MatchedBy::Identity));
        assert!(!of(works(), |_| (), |it| it.matched_by = MatchedBy::Name));
        let moved: fn(&mut Comparison) = |it| {
            it.databases.push(crate::compare::DatabaseDifference {
                change: DatabaseChange::Moved,
                uuid: None,
                name: String::new(),
                reference_handle: None,
                subject_handle: None,
                says: Text::EMPTY,
            });
        };
        assert!(!of(works(), |_| (), moved));
    }

    /// Three intervals of 48.75 ms and 200 ms: 346.25 ms.
    #[test]
    fn a_reaction_comes_within_three_intervals_and_a_little() {
        let hung_up = Status::REMOTE_USER_TERMINATED;
        let of = |us| {
            let capture = Trace::new().up().mtu().after_us(us).disconnected(hung_up).run();
            let connection = &capture.connections[0];
            reaction(connection, last_request(connection).expect("a request")).map(|wait| wait.0)
        };
        assert_eq!(of(346_250), Some(346_250));
        assert_eq!(of(346_251), None);
        assert_eq!(of(1), Some(1));
        let open = Trace::new().up().mtu().run();
        let step = last_request(&open.connections[0]).expect("a request");
        assert_eq!(reaction(&open.connections[0], step), None, "no end, no reaction");
    }

    #[test]
    fn a_capture_that_goes_on_for_a_second_shows_what_the_host_did() {
        let of = |us| {
            let capture = Trace::new().up().mtu().after_us(us).advertises(0).run();
            let connection = &capture.connections[0];
            watched(connection, last_request(connection).expect("a request").last.at)
        };
        assert!(of(1_000_000));
        assert!(!of(999_999));
        let capture = Trace::new().up().run();
        assert!(watched(&capture.connections[0], Moment::UNKNOWN), "one without times is believed");
    }

    /// The device that a link is to, and the other links to it.
    #[test]
    fn attempts_are_those_to_one_device() {
        let other = crate::packet::Address([9, 0, 0, 0, 0, 0xc0]);
        let hung_up = Status::REMOTE_USER_TERMINATED;
        let link = || Trace::new().up().mtu().hangs_up(hung_up).wait_ms(900);
        let all = link().followed_by(link().with(other)).followed_by(link());
        let captures = [all.run()];
        let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
        let of = |at: usize| {
            let attempts = attempts_of(&scene, &captures[0].connections[at]);
            attempts.into_iter().map(|c| c.number).collect::<Vec<_>>()
        };
        assert_eq!([of(0), of(1), of(2)], [vec![1, 3], vec![2], vec![1, 3]]);
    }

    #[test]
    fn work_is_a_value_that_got_there() {
        let of = |trace: Trace| used(&trace.run().connections[0]);
        assert!(!of(Trace::new().up().mtu().discovery(0x0a)));
        assert!(of(Trace::new().up().write(3, &[7])));
        assert!(of(Trace::new().up().notified(3, &[7])));
        let write = Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: &[7] };
        assert!(!of(Trace::new().up().refused(write, ErrorCode::WRITE_NOT_PERMITTED)));
    }

    #[test]
    fn a_wish_of_the_device_is_open_until_it_is_granted() {
        let of = |trace: Trace| {
            let ended = trace.wait_ms(9_000).disconnected(Status::REMOTE_USER_TERMINATED);
            peer_request_open(&ended.run().connections[0])
        };
        let asks = || {
            let request = signal::Pdu::ConnectionParameterUpdateRequest {
                interval_min: 24,
                interval_max: 40,
                latency: 0,
                timeout: 400,
            };
            Trace::new().up().mtu().signal(Received, 1, request)
        };
        let answers = |result| {
            asks().signal(Sent, 1, signal::Pdu::ConnectionParameterUpdateResponse { result })
        };
        assert!(of(asks()));
        assert!(of(answers(1)));
        assert!(!of(answers(0)));
        let wish = smp::Pdu::SecurityRequest { auth_req: 1 };
        assert!(of(Trace::new().up().mtu().smp(Received, wish)));
        assert!(!of(Trace::new().up().mtu().asks_to_pair()), "ours");
        assert!(!of(Trace::new().up().mtu()));
    }
}
