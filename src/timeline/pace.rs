//! How fast a link is: how long answers took under each set of connection parameters.
//!
//! A question goes out at the next connection event, and its answer comes at the one after it, if neither is
//! lost. What takes many events tells of a weak radio, or of a peer that thinks.
use super::connection::{Connection, Granted, Pending};
use super::live::{At, Question};
use super::step::Outcome;
use crate::packet::Opcode;
use crate::seen::{Seen, seen_at};
use crate::time::Span;

/// No more answers are kept. If there are more, only every second one is kept, then every fourth.
const MOST_KEPT: usize = 256;

/// Most sets of parameters kept for one link: the first one, and the last ones.
const MOST_PACES: usize = 64;

const EXCHANGE_MTU: u8 = 0x02;
const READ_REMOTE_FEATURES: Opcode = Opcode(0x2016);
const READ_ALL_REMOTE_FEATURES: Opcode = Opcode(0x2088);
const READ_REMOTE_VERSION: Opcode = Opcode(0x041d);

/// Durations, of which a bounded number is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    kept: Vec<u32>,
    seen: u64,
    /// One of so many is kept: a power of two, as its exponent.
    thinned: u8,
}

impl Samples {
    fn add(&mut self, span: Span) {
        if self.seen.is_multiple_of(1 << self.thinned) {
            if self.kept.len() >= MOST_KEPT {
                let mut place = 0;
                self.kept.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.thinned = (self.thinned + 1).min(63);
            }
            self.kept.push(u32::try_from(span.0.max(0)).unwrap_or(u32::MAX));
        }
        self.seen += 1;
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.seen
    }

    /// The one in the middle; of two, the shorter one.
    pub fn median(&self) -> Option<Span> {
        let mut sorted = self.kept.clone();
        sorted.sort_unstable();
        let middle = sorted.get(sorted.len().checked_sub(1)? / 2)?;
        Some(Span(i64::from(*middle)))
    }
}

/// How the link behaved while one set of parameters was in force.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Pace {
    /// What was in force.
    pub parameters: Granted,
    /// Connection Complete, or the update.
    pub seen: Seen,
    /// Answers that need no thought: those of the peer's link layer, and those to Exchange MTU.
    pub bare: Samples,
    /// Answers to other ATT requests, for which the peer's application may have taken its time.
    pub att: Samples,
}

seen_at!(Pace: seen);

impl Pace {
    /// How many connection events an answer of the link layer took, in the middle.
    pub fn events(&self) -> Option<f64> {
        let event = self.parameters.spacing();
        (event.0 > 0).then_some(())?;
        Some(self.bare.median()?.0 as f64 / event.0 as f64)
    }
}

/// How long the answers on a link took, under the parameters that most of them came under.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answers {
    /// The one in the middle, in connection events.
    pub events: f64,
    /// How long one event lasted: interval × (1 + latency).
    pub event: Span,
    /// How many there were.
    pub count: u64,
    /// Where those parameters came into force.
    pub frame: u32,
}

impl Connection {
    /// Answers that need no thought: those of the peer's link layer, and those to Exchange MTU.
    pub fn bare_answers(&self) -> Option<Answers> {
        self.answers(|pace| &pace.bare)
    }

    /// Answers to other ATT requests: the peer's application may have taken its time, so the link took that long at most.
    pub fn att_answers(&self) -> Option<Answers> {
        self.answers(|pace| &pace.att)
    }

    fn answers(&self, of: fn(&Pace) -> &Samples) -> Option<Answers> {
        // Of equals, the later one.
        let pace = self.pace.iter().max_by_key(|pace| of(pace).count())?;
        let (median, event) = (of(pace).median()?, pace.parameters.spacing());
        (event.0 > 0).then(|| Answers {
            events: median.0 as f64 / event.0 as f64,
            event,
            count: of(pace).count(),
            frame: pace.frame,
        })
    }

    /// Other parameters are in force from here on.
    pub(super) fn paced(&mut self, at: At, parameters: Granted) {
        if self.pace.len() >= MOST_PACES {
            self.pace.remove(1);
        }
        let pace =
            Pace { parameters, seen: at.seen(), bare: Samples::default(), att: Samples::default() };
        // Almost every link has one set of parameters, and a capture may have 40,000 links.
        self.pace.reserve_exact(1);
        self.pace.push(pace);
    }

    /// A question of our host was answered.
    pub(super) fn timed(&mut self, question: &Question, at: At, outcome: Outcome) {
        let Some(pace) = self.pace.last_mut() else { return };
        // An answer that came across a change of the parameters belongs to neither.
        let within = question.at.time >= pace.at && question.at.frame > pace.frame;
        let Some(took) = at.time.since(question.at.time).filter(|took| took.0 >= 0 && within)
        else {
            return;
        };
        let answered = matches!(outcome, Outcome::Ok | Outcome::Error);
        match question.pending {
            _ if !question.at.sent() || !answered => {}
            Pending::Att(EXCHANGE_MTU) => pace.bare.add(took),
            Pending::Att(_) => pace.att.add(took),
            // A controller that knows the answer already gives it at once.
            Pending::LinkLayer(
                READ_REMOTE_FEATURES | READ_ALL_REMOTE_FEATURES | READ_REMOTE_VERSION,
            ) if outcome == Outcome::Ok && took.0 * 2 >= pace.parameters.interval().0 => {
                pace.bare.add(took);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Status;
    use crate::packet::hci::LeEvent;
    use crate::trace::{HANDLE, Trace};

    fn updated(trace: Trace, interval: u16, latency: u16) -> Trace {
        trace.le(LeEvent::ConnectionUpdateComplete {
            status: Status::SUCCESS,
            connection_handle: HANDLE,
            connection_interval: interval,
            peripheral_latency: latency,
            supervision_timeout: 500,
        })
    }

    fn paces(trace: Trace) -> Vec<Pace> {
        trace.run().connections.remove(0).pace
    }

    #[test]
    fn answers_are_measured_in_connection_events() {
        // Features after 90 ms, the MTU after 50 ms, at an interval of 48.75 ms.
        let pace = paces(Trace::new().up().mtu().write(3, &[1]));
        assert_eq!((pace.len(), pace[0].bare.count(), pace[0].att.count()), (1, 2, 1));
        assert_eq!(pace[0].bare.median().map(|span| span.0 / 1000), Some(50));
        let events = pace[0].events().expect("two answers");
        assert!((1.0..1.1).contains(&events), "{events}");
        let link = Trace::new().up().mtu().write(3, &[1]).run().connections.remove(0);
        let (bare, att) = (link.bare_answers().expect("two"), link.att_answers().expect("one"));
        assert_eq!((bare.count, att.count, bare.event), (2, 1, Span(48_750)));
        assert_eq!(bare.events, events);
        assert!(Trace::new().create().connected().run().connections[0].bare_answers().is_none());
        // With latency 1 the device listens at every second event.
        let slow = paces(Trace::new().create().connected_as(0, 20, 1, 500).features());
        let events = slow[0].events().expect("one answer");
        assert!((1.8..1.9).contains(&events), "{events}");
    }

    #[test]
    fn each_set_of_parameters_has_its_own_answers() {
        let trace = updated(Trace::new().up().mtu(), 160, 0).write(3, &[1]).write(3, &[2]);
        let pace = paces(updated(trace, 24, 0).write(3, &[1]));
        let seen: Vec<_> =
            pace.iter().map(|p| (p.parameters.interval, p.bare.count(), p.att.count())).collect();
        assert_eq!(seen, [(39, 2, 0), (160, 0, 2), (24, 0, 1)]);
    }

    #[test]
    fn an_answer_across_a_change_or_from_a_cache_counts_for_nothing() {
        let asked = Trace::new().up().acl(crate::packet::Direction::Sent, 4, &[0x0a, 3, 0]);
        let asked = updated(asked.wait_ms(20), 160, 0).wait_ms(20);
        let pace = paces(asked.acl(crate::packet::Direction::Received, 4, &[0x0b, 1]));
        assert_eq!(pace.iter().map(|p| p.att.count()).sum::<u64>(), 0);
        let cached = Trace::new().create().connected_as(0, 160, 0, 500).features();
        assert_eq!(paces(cached)[0].bare.count(), 0, "90 ms are less than half an interval");
    }

    #[test]
    fn very_many_answers_are_thinned_and_keep_their_middle() {
        let mut samples = Samples::default();
        for n in 0..100_000 {
            samples.add(Span(n));
        }
        assert_eq!(samples.count(), 100_000);
        assert!(samples.kept.len() <= 256, "{}", samples.kept.len());
        let middle = samples.median().expect("many").0;
        assert!((48_000..52_000).contains(&middle), "{middle}");
    }

    #[test]
    fn a_link_that_changes_without_end_keeps_its_first_and_its_last_parameters() {
        let trace =
            (0..200).fold(Trace::new().up(), |trace, n| updated(trace, 200 + n, 0).wait_ms(1));
        let pace = paces(trace);
        assert_eq!(pace.len(), 64);
        assert_eq!(pace[0].parameters.interval, 39);
        assert_eq!(pace[64 - 1].parameters.interval, 399);
    }

    #[test]
    fn every_second_sample_is_kept_once_there_are_too_many() {
        let of = |count: i64| {
            let mut samples = Samples::default();
            (0..count).for_each(|n| samples.add(Span(n)));
            (samples.kept.len(), samples.thinned, samples.count())
        };
        let most = 256;
        assert_eq!(of(most), (256, 0, 256));
        assert_eq!(of(most + 1), (129, 1, 257));
        assert_eq!(of(most + 2), (129, 1, 258));
        assert_eq!(of(most + 3), (130, 1, 259));
        let mut samples = Samples::default();
        assert_eq!(samples.median(), None);
        [Span(30), Span(10), Span(20), Span(40)].into_iter().for_each(|span| samples.add(span));
        assert_eq!(samples.median(), Some(Span(20)), "of two, the shorter one");
        samples.add(Span(15));
        assert_eq!(samples.median(), Some(Span(20)));
    }

    /// What the peer asks, and what nothing answered, says nothing of how fast the peer is.
    #[test]
    fn only_answers_to_this_host_are_timed() {
        use crate::packet::att::{ErrorCode, Handle, Pdu};
        use crate::packet::hci::{Command, Event};
        let counts = |trace: Trace| {
            let pace = &paces(trace)[0];
            (pace.bare.count(), pace.att.count())
        };
        let up = || Trace::new().up();
        let plain = counts(up());
        assert_eq!(plain, (1, 0), "the features");
        assert_eq!(counts(up().mtu()), (2, 0));
        assert_eq!(counts(up().from_peer(&[0x0a, 3, 0], &[0x0b, 1])), plain);
        let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
        assert_eq!(counts(up().refused(read, ErrorCode::READ_NOT_PERMITTED)), (1, 1));
        let asked = |command, event: Event<'static>, ms| {
            counts(
                Trace::new()
                    .create()
                    .connected_as(0, 160, 0, 500)
                    .taken(command)
                    .wait_ms(ms)
                    .event(event),
            )
        };
        let version = Command::ReadRemoteVersionInformation { connection_handle: HANDLE };
        let says = |status| Event::ReadRemoteVersionInformationComplete {
            status,
            connection_handle: HANDLE,
            version: 9,
            company_identifier: 0x59,
            subversion: 1,
        };
        // Half an interval of 200 ms; the command's own status takes a tenth of a millisecond each.
        assert_eq!(asked(version, says(Status::SUCCESS), 100), (1, 0));
        assert_eq!(asked(version, says(Status::SUCCESS), 99), (0, 0));
        assert_eq!(asked(version, says(Status::CONNECTION_TIMEOUT), 100), (0, 0));
        let phy = Command::LeSetPhy {
            connection_handle: HANDLE,
            all_phys: 0,
            tx_phys: 2,
            rx_phys: 2,
            phy_options: 0,
        };
        let changed = Event::Le {
            event: LeEvent::PhyUpdateComplete {
                status: Status::SUCCESS,
                connection_handle: HANDLE,
                tx_phy: 2,
                rx_phy: 2,
            },
        };
        assert_eq!(asked(phy, changed, 300), (0, 0), "a change takes as long as it takes");
    }

    #[test]
    fn events_need_an_interval() {
        let mut pace = paces(Trace::new().up()).remove(0);
        assert!(pace.events().is_some());
        pace.parameters.interval = 0;
        assert_eq!(pace.events(), None);
        let mut link = Trace::new().up().run().connections.remove(0);
        assert!(link.bare_answers().is_some());
        link.pace[0].parameters.interval = 0;
        assert!(link.bare_answers().is_none());
    }

    /// A clock that stepped back measures nothing.
    #[test]
    fn an_answer_is_not_before_its_question() {
        use crate::packet::Direction::{Received, Sent};
        use crate::timeline::tests::retimed;
        let counts = |trace: &Trace, time: &dyn Fn(u32, i64) -> i64| {
            let tracker = retimed(trace, time);
            let pace = &tracker.connections[0].pace;
            pace.iter().map(|pace| pace.att.count()).collect::<Vec<_>>()
        };
        let up = Trace::new().up();
        let asked = up.records().count() as u32 + 1;
        let start = up.records().next().and_then(|record| record.time).expect("a time").0;
        let read = up.acl(Sent, 4, &[0x0a, 3, 0]).acl(Received, 4, &[0x0b, 1]);
        let took = |us: i64| {
            counts(&read, &|frame, at| match frame {
                frame if frame == asked => start + 900_000,
                frame if frame > asked => start + 900_000 + us,
                _ => at,
            })
        };
        assert_eq!((took(0), took(1), took(-1)), (vec![1], vec![1], vec![0]));
        // Asked in the moment in which the link began, or before that by the clock.
        let begin = 3;
        let since = |us: i64| {
            let times: Vec<i64> =
                read.records().filter_map(|record| record.time.map(|time| time.0)).collect();
            let began = times[begin - 1];
            counts(&read, &|frame, at| if frame == asked { began + us } else { at })
        };
        assert_eq!((since(0), since(-1)), (vec![1], vec![0]));
        // Asked right before an update, and in the same moment.
        let update = updated(Trace::new().up().acl(Sent, 4, &[0x0a, 3, 0]), 160, 0);
        let update = update.acl(Received, 4, &[0x0b, 1]);
        let same = counts(&update, &|frame, at| if frame == asked { at + 100 } else { at });
        assert_eq!(same, [0, 0]);
    }

    /// An answer of the link layer that came after half an interval is the peer's own.
    #[test]
    fn half_an_interval_is_enough_for_an_answer() {
        use crate::packet::hci::{Command, Event};
        let version = Command::ReadRemoteVersionInformation { connection_handle: HANDLE };
        let says = Event::ReadRemoteVersionInformationComplete {
            status: Status::SUCCESS,
            connection_handle: HANDLE,
            version: 9,
            company_identifier: 0x59,
            subversion: 1,
        };
        let counted = |us| {
            let link = Trace::new().create().connected_as(0, 160, 0, 500).taken(version);
            paces(link.after_us(us).event(says))[0].bare.count()
        };
        // The command's status came a tenth of a millisecond after it.
        assert_eq!((counted(99_900), counted(99_899)), (1, 0));
    }

    /// Of too many, those at even places stay: the first one among them.
    #[test]
    fn the_first_sample_is_kept_for_ever() {
        let mut samples = Samples::default();
        (0..257).for_each(|n| samples.add(Span(n)));
        assert_eq!(samples.kept[..3], [0, 2, 4]);
        assert_eq!(samples.kept.last(), Some(&256));
    }
}
