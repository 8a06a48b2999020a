use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::att;
use crate::packet::hci::{Command, LeEvent};
use crate::packet::{Direction, Status};
use crate::prose::{self, Text};
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Outcome, Pace, Procedure, Step};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "weak-link",
    title: "Answers took many connection events: the radio link is weak",
    basis: Basis::Real,
    silences: &[],
    docs: "\
## What it means
A packet that is not acknowledged is sent again at the next connection event. So the time of an answer, counted in connection
events, says how many packets were lost. An answer that needs no thought takes one to three events on a good link.

## How it shows
Answers of the device's link layer and to Exchange MTU: their time divided by interval × (1 + latency), the middle of all of
them, is eight or more. Answers to other ATT requests are only a bound, for the device's program may have taken its time. It is
a suspicion where links to the device were lost or never answered; else a note.

## What else it could be
A controller that is busy with scanning or with other links has less time for this one.

## What to do
As for a lost link: closer, another place for the antenna, Wi-Fi off, fewer links and no scanning. The number is a meter: it
shows at once whether a change helps.",
    sources: &["Core Specification, Vol 6, Part B, 4.5.9: acknowledgement", "a real device whose answers took 12 to 60 events on links that were lost"],
    check: Check::Device(check),
    cases: &[
        Case::suspect(Confidence::Medium, "answers take ten events, and the link is lost", || {
            lost(slow(500, 500)).into()
        })
        .about(&[1])
        .saying("10.3 connection events"),
        Case::suspect(Confidence::Medium, "answers take eight events", || {
            lost(slow(391, 391)).into()
        })
        .pins(&["WEAK"]),
        Case::silent("answers take a little less", || lost(slow(389, 389)).into())
            .pins(&["WEAK"]),
        Case::note(Confidence::Medium, "answers take ten events, and the link does not fail", || {
            slow(500, 500).hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("only one answer was slow", || lost(features(500)).into())
            .pins(&["FEWEST"]),
        Case::suspect(Confidence::Medium, "one answer in each of two links", || {
            lost(features(500)).repeated(2, 900).into()
        })
        .about(&[1, 2])
        .pins(&["FEWEST"]),
        Case::silent("only the program of the device is slow", || {
            let read = att::Pdu::ReadRequest { attribute_handle: att::Handle(3) };
            let link = Trace::new().up().mtu().att(Direction::Sent, read).wait_ms(900);
            let answer = att::Pdu::ReadResponse { attribute_value: &[1] };
            lost(link.att(Direction::Received, answer)).into()
        }),
        Case::suspect(Confidence::Medium, "a weak link, and the next one was never heard", || {
            let weak = slow(500, 500).hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(900);
            let dead = Trace::new().create().connected().wait_ms(315);
            weak.followed_by(dead.disconnected(Status::FAILED_TO_BE_ESTABLISHED)).into()
        })
        .about(&[2]),
        Case::silent("a good link, and the next one was never heard", || {
            let good = Trace::new().up().mtu().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(900);
            let dead = Trace::new().create().connected().wait_ms(315);
            good.followed_by(dead.disconnected(Status::FAILED_TO_BE_ESTABLISHED)).into()
        }),
        Case::suspect(Confidence::Medium, "one lost link is counted", || lost(slow(500, 500)).into())
            .saying("1 link to this device failed on the radio")
            .not_saying("Link by link"),
        Case::suspect(Confidence::Medium, "two links are told one by one", || {
            lost(slow(500, 500)).repeated(2, 900).into()
        })
        .saying("Link by link: 10.3, 10.3"),
        Case::suspect(Confidence::Medium, "answers take exactly eight events", || {
            lost(exactly(390_000)).into()
        })
        .saying("the answer came after 390"),
        Case::silent("answers take a moment less than eight events", || lost(exactly(389_999)).into()),
        Case::note(Confidence::Medium, "a link that was never heard came before the weak one", || {
            let dead = Trace::new().create().connected().wait_ms(315);
            let dead = dead.disconnected(Status::FAILED_TO_BE_ESTABLISHED).wait_ms(900);
            dead.followed_by(slow(500, 500).hangs_up(Status::REMOTE_USER_TERMINATED)).into()
        })
        .about(&[2])
        .not_saying("failed on the radio"),
        Case::note(Confidence::Medium, "this host had asked for the end of the weak link", || {
            let link = slow(500, 500).taken(Command::Disconnect {
                connection_handle: HANDLE,
                reason: Status::REMOTE_USER_TERMINATED,
            });
            lost(link).into()
        }),
        Case::suspect(Confidence::Medium, "how long this host took to answer the device is not told", || {
            let link = slow(500, 500).acl(Direction::Received, 4, &[0x02, 5, 2]).wait_ms(900);
            lost(link.acl(Direction::Sent, 4, &[0x03, 5, 2])).into()
        })
        .saying("the answer came after 500")
        .not_saying("the answer came after 900"),
        Case::suspect(Confidence::Medium, "a refusal that came late is no answer that needed no thought", || {
            let request = att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
            let refusal = att::Pdu::ErrorResponse {
                request_opcode: 0x02,
                attribute_handle: att::Handle(0),
                error_code: att::ErrorCode::REQUEST_NOT_SUPPORTED,
            };
            let link = slow(500, 500).att(Direction::Sent, request).wait_ms(900);
            lost(link.att(Direction::Received, refusal)).into()
        })
        .not_saying("the answer came after 900"),
    ],
};

/// Made, and the features come after that time.
fn features(ms: u32) -> Trace {
    let link = Trace::new().create().connected();
    link.taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE }).wait_ms(ms).le(
        LeEvent::ReadRemoteFeaturesComplete {
            status: Status::SUCCESS,
            connection_handle: HANDLE,
            le_features: [0; 8],
        },
    )
}

/// Features and MTU come after these times.
fn slow(first: u32, second: u32) -> Trace {
    let request = att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
    let answer = att::Pdu::ExchangeMtuResponse { server_rx_mtu: 247 };
    let asked = features(first).att(Direction::Sent, request).wait_ms(second);
    asked.att(Direction::Received, answer)
}

/// Features and MTU come exactly so long after the question.
fn exactly(us: u32) -> Trace {
    let link = Trace::new().create().connected();
    let link = link.taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE });
    // The status comes 0.1 ms after the command.
    let link = link.after_us(us - 100).le(LeEvent::ReadRemoteFeaturesComplete {
        status: Status::SUCCESS,
        connection_handle: HANDLE,
        le_features: [0; 8],
    });
    let request = att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
    let answer = att::Pdu::ExchangeMtuResponse { server_rx_mtu: 247 };
    link.att(Direction::Sent, request).after_us(us).att(Direction::Received, answer)
}

fn lost(link: Trace) -> Trace {
    link.wait_ms(500).disconnected(Status::CONNECTION_TIMEOUT)
}

/// From so many connection events an answer on, many packets are lost.
const WEAK: f64 = 8.0;

/// One answer may have been late by chance.
const FEWEST: u64 = 2;

/// Most links of which the number is shown.
const SHOWN: usize = 8;

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Repeat at one metre with 2.4 GHz Wi-Fi off, and look at the number again: one to three events are a good link.",
    ),
    Remedy::any(
        "Stop scanning and other links on this adapter for a test; put a USB dongle on an extension lead.",
    ),
];

/// How fast one link answered.
#[derive(Debug)]
struct Measured {
    events: f64,
    answers: u64,
    /// The slowest answer, where its step is known: frame, procedure, how long it took.
    slowest: Option<(u32, Procedure, Span)>,
}

/// A device whose links answered slowly.
#[derive(Debug)]
struct Weak {
    /// All links that could be measured, in order.
    links: Vec<Measured>,
    failed: usize,
    ended: Vec<u32>,
}

fn check(_: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let measured: Vec<(&Connection, Measured)> =
        attempts.iter().filter_map(|c| Some((*c, measured(c)?))).collect();
    let weak: Vec<&(&Connection, Measured)> =
        measured.iter().filter(|(_, link)| link.events >= WEAK).collect();
    let (first, _) = weak.first()?;
    if weak.iter().map(|(_, link)| link.answers).sum::<u64>() < FEWEST {
        return None;
    }
    // Those that were weak themselves, and those that could not be measured at all, from the first weak one on.
    let is_weak = |c: &Connection| weak.iter().any(|(other, _)| other.number == c.number);
    let is_good = |c: &Connection| measured.iter().any(|(other, _)| other.number == c.number);
    let failed: Vec<&&Connection> = attempts
        .iter()
        .filter(|c| c.number >= first.number && fell(c) && (is_weak(c) || !is_good(c)))
        .collect();
    let about: Vec<u32> = if failed.is_empty() {
        weak.iter().map(|(c, _)| c.number).collect()
    } else {
        failed.iter().map(|c| c.number).collect()
    };
    let ended = failed.iter().filter_map(|c| Some(c.end.as_ref()?.frame)).collect();
    let (suspect, failed) = (!failed.is_empty(), failed.len());
    let links = measured.into_iter().map(|(_, link)| link).collect();
    let facts = Weak { links, failed, ended };
    let verdict = if suspect { Verdict::suspect(facts) } else { Verdict::note(facts) };
    Some(verdict.sure(Confidence::Medium).about(about))
}

/// Lost, or never answered.
fn fell(c: &Connection) -> bool {
    let radio =
        matches!(c.reason(), Some(Status::CONNECTION_TIMEOUT | Status::FAILED_TO_BE_ESTABLISHED));
    radio && c.end.as_ref().is_some_and(|end| end.command_frame().is_none())
}

/// The parameters under which most answers came.
fn measured(c: &Connection) -> Option<Measured> {
    let pace: &Pace = c.pace.iter().max_by_key(|pace| pace.bare.count())?;
    Some(Measured { events: pace.events()?, answers: pace.bare.count(), slowest: slowest(c, pace) })
}

/// The answer of those that took longest.
fn slowest(c: &Connection, pace: &Pace) -> Option<(u32, Procedure, Span)> {
    use Procedure::{ExchangeMtu, Features, Version};
    let bare = |s: &&Step| {
        matches!(s.procedure, Features | Version | ExchangeMtu)
            && s.by == Direction::Sent
            && s.outcome == Outcome::Ok
            && s.frame > pace.frame
    };
    let step = c.steps.iter().filter(bare).max_by_key(|s| s.duration())?;
    Some((step.last.frame, step.procedure, step.duration()?))
}

impl Facts for Weak {
    fn says(&self) -> Text {
        let mut events: Vec<f64> = self.links.iter().map(|link| link.events).collect();
        let shown = events.iter().take(SHOWN).map(|events| format!("{events:.1}"));
        let shown = shown.collect::<Vec<_>>().join(", ");
        let trend =
            (self.links.len() > 1).then(|| text!(" Link by link: {}.", format_args!("{shown}")));
        let failed = (self.failed > 0).then(|| {
            let links = prose::count(self.failed, "link", "links");
            text!(" {} to this device failed on the radio.", links)
        });
        events.sort_by(f64::total_cmp);
        let worst = events.last().copied().unwrap_or(0.0);
        text!(
            "Answers that need no thought, of the link layer and to Exchange MTU, took up to {} connection events; one to three are usual. Many packets were lost.{}{}",
            format_args!("{worst:.1}"),
            trend,
            failed
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let weak = self.links.iter().filter(|link| link.events >= WEAK);
        let slow = weak.filter_map(|link| link.slowest).map(|(frame, procedure, took)| {
            Sight::here(frame, text!("{}: the answer came after {}", procedure, took))
        });
        let ended = self.ended.iter().map(|frame| Sight::here(*frame, "the link fails"));
        slow.take(SHOWN).chain(ended.take(SHOWN)).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "peer-hangs-up-on-deadline",
            "the packets stayed away; the device did not end the links",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "The same device at one metre: if answers then take one to three events, it was the radio."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_links_the_first_eight_are_told() {
        let told = |count: usize| {
            let captures = [lost(slow(500, 500)).repeated(count, 900).run()];
            let scene =
                Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
            let attempts: Vec<&Connection> = captures[0].connections.iter().collect();
            let verdict = check(&scene, &attempts).expect("said");
            let frames = verdict.facts().evidence().len();
            (verdict.facts().says().to_string().matches("10.3").count(), frames)
        };
        // Once it is said as the most; each link has its slowest answer and its end.
        assert_eq!(told(1), (1, 2));
        assert_eq!(told(8), (9, 16));
        assert_eq!(told(9), (9, 16));
    }
}
