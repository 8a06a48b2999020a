use super::on_air::{Heard, sight};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::air::{CHANNELS, Link};
use crate::prose::{self, Text};
use crate::seen::Seen;
use crate::text;
use crate::trace::on_air::{Asked, OnAir};

pub const RULE: Rule = Rule {
    id: "channel-losses",
    title: "The link loses packets on some channels and not on others",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
Each connection event is on another of 37 channels. Where events on neighbouring channels fail and those on the others are
answered, something else sends there: as a rule Wi-Fi. Its channel 1 lies over 0 to 8, channel 6 over 11 to 20, channel 11
over 24 to 32.

## How it shows
Of the events in which the sniffer heard the central, those on a few channels have no answer.

## What else it could be
A sniffer that is itself disturbed there. It heard the central on those channels, so its receiver works on them.

## What to do
Move Wi-Fi to another channel or to 5 GHz. Let the central leave those channels out: controllers with adaptive hopping do so
by themselves, others take a channel map from the host.",
    sources: &["Core, Vol 6, Part B, 1.4.1: the channels and their frequencies"],
    check: Check::Air(check),
    cases: &[
        Case::suspect(Confidence::Medium, "channels 0 to 8 are lost", || lost(300, 0..9).into())
            .about(&[1])
            .saying("Wi-Fi channel 1")
        .pins(&["WIFI"]),
        Case::suspect(Confidence::Medium, "channels 24 to 32", || lost(300, 24..33).into())
            .saying("Wi-Fi channel 11"),
        Case::suspect(Confidence::Medium, "three channels where no Wi-Fi is", || lost(300, 33..36).into())
            .not_saying("Wi-Fi channel")
            .pins(&["FEWEST_CHANNELS", "MOST_ANSWERED", "WIFI"]),
        Case::silent("two channels", || lost(300, 33..35).into()).pins(&["FEWEST_CHANNELS"]),
        Case::silent("losses everywhere", || lost(300, 0..37).into()).pins(&["FEWEST_ELSEWHERE"]),
        Case::suspect(Confidence::Medium, "half of the channels", || lost(300, 0..19).into())
            .pins(&["FEWEST_ELSEWHERE"]),
        Case::silent("no losses", || lost(300, 0..0).into()).pins(&["MOST_ANSWERED"]),
        Case::silent("too few events on each channel", || lost(40, 0..9).into()).pins(&["FEWEST_EVENTS"]),
        Case::suspect(Confidence::Medium, "enough events", || lost(200, 0..9).into()).pins(&["FEWEST_EVENTS"]),
    ],
};

fn lost(events: u32, channels: std::ops::Range<u8>) -> OnAir {
    let asked = Asked { timeout: 3200, ..Asked::default() };
    OnAir::new().advertises(true).asks(asked).idles_but_on(events, channels)
}

/// A channel with fewer events says nothing.
const FEWEST_EVENTS: u32 = 2;
/// A channel is bad where no more than so many events in percent are answered.
const MOST_ANSWERED: u32 = 40;
/// A disturber is wider than one or two channels.
const FEWEST_CHANNELS: usize = 3;
/// On the other channels so many events in percent must be answered: else the loss is everywhere.
const FEWEST_ELSEWHERE: u32 = 75;

/// Where Wi-Fi's three usual channels lie.
const WIFI: [(u8, u8, u8); 3] = [(1, 0, 8), (6, 11, 20), (11, 24, 32)];

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Move Wi-Fi to 5 GHz or to another channel, and repeat: if the losses move too, Wi-Fi it is.",
    ),
    Remedy::any(
        "Let the central leave the lost channels out (HCI LE Set Host Channel Classification), or use an adapter that does so by itself.",
    ),
];

/// Channels on which the device is not heard.
#[derive(Debug)]
struct Lossy {
    first: u8,
    last: u8,
    events: u32,
    answered: u32,
    elsewhere: u32,
    wifi: Option<u8>,
    seen: Seen,
    gaps: Option<Text>,
}

fn check(_: &Scene<'_>, heard: &Heard<'_>) -> Option<Verdict> {
    let link: &Link = heard.link;
    link.first_answer?;
    let judged = |channel: u8| {
        link.channels.get(usize::from(channel)).filter(|of| of.events >= FEWEST_EVENTS)
    };
    let bad = |channel: u8| {
        judged(channel).is_some_and(|of| of.answered * 100 <= of.events * MOST_ANSWERED)
    };
    // The longest run of bad channels.
    let (mut best, mut run) = (0..0u8, 0..0u8);
    for channel in 0..CHANNELS {
        run = if bad(channel) {
            if run.is_empty() { channel..channel + 1 } else { run.start..channel + 1 }
        } else {
            0..0
        };
        if run.len() > best.len() {
            best = run.clone();
        }
    }
    if best.len() < FEWEST_CHANNELS {
        return None;
    }
    let sum = |inside: bool| {
        let of = (0..CHANNELS)
            .filter(|channel| best.contains(channel) == inside && (inside || !bad(*channel)));
        let of = of.filter_map(|channel| link.channels.get(usize::from(channel)));
        of.fold((0, 0), |(events, answered), of| (events + of.events, answered + of.answered))
    };
    let ((events, answered), (others, good)) = (sum(true), sum(false));
    if others == 0 || good * 100 < others * FEWEST_ELSEWHERE {
        return None;
    }
    let (first, last) = (best.start, best.end.saturating_sub(1));
    let overlap =
        |from: u8, to: u8| (first..=last).filter(|channel| (from..=to).contains(channel)).count();
    let wifi = WIFI.iter().filter(|(_, from, to)| overlap(*from, *to) * 2 > best.len());
    let facts = Lossy {
        first,
        last,
        events,
        answered,
        elsewhere: good * 100 / others,
        wifi: wifi.map(|(number, ..)| *number).next(),
        seen: link.central.last?,
        gaps: heard.gaps(),
    };
    Some(Verdict::suspect(facts).sure(heard.sure(Confidence::Medium)))
}

impl Facts for Lossy {
    fn says(&self) -> Text {
        text!(
            "On channels {} to {} the device was heard in {} of {}, on the others in {} %{}. {}",
            self.first,
            self.last,
            self.answered,
            prose::count(self.events as usize, "event", "events"),
            self.elsewhere,
            self.wifi.map(|number| text!(": the channels of Wi-Fi channel {}", number)),
            self.gaps.clone()
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![sight(self.seen, "the events up to this packet were counted")]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("too-far", "distance takes packets on all channels alike")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("The same recording with Wi-Fi off.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Trace;

    /// A link with a hundred events on each channel; on those, so many of them are answered.
    fn found(of: &[(std::ops::Range<usize>, u32)]) -> Option<String> {
        let mut capture = Trace::from(lost(300, 0..0)).run();
        let link = capture.connections[0].air.as_mut().expect("on the air");
        let mut channels = [crate::air::Channel { events: 100, answered: 100 }; CHANNELS as usize];
        for (range, answered) in of {
            channels[range.clone()].iter_mut().for_each(|channel| channel.answered = *answered);
        }
        *link.channels = channels;
        let captures = [capture];
        let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
        let all = crate::diagnose::diagnose(&scene);
        all.iter().find(|f| f.rule == RULE.id).map(|f| f.says.to_string())
    }

    #[test]
    fn a_channel_is_bad_where_two_of_five_events_are_answered_and_no_more() {
        assert!(found(&[(3..6, 40)]).is_some());
        assert!(found(&[(3..6, 41)]).is_none());
    }

    #[test]
    fn on_the_other_channels_three_of_four_events_are_answered_at_least() {
        assert!(found(&[(0..37, 75), (3..6, 0)]).is_some());
        assert!(found(&[(0..37, 74), (3..6, 0)]).is_none());
    }

    /// Bad channels elsewhere do not count as the others; the longest run is told, and the first of equals.
    #[test]
    fn the_longest_run_of_bad_channels_is_told() {
        let says = found(&[(0..3, 0), (20..24, 0)]).expect("found");
        assert!(
            says.contains("channels 20 to 23") && says.contains("the others in 100 %"),
            "{says}"
        );
        let says = found(&[(0..3, 0), (33..36, 0)]).expect("found");
        assert!(says.contains("channels 0 to 2"), "{says}");
    }

    /// More than half of them lie where that Wi-Fi channel is.
    #[test]
    fn wifi_is_named_where_most_of_the_channels_are_its_own() {
        let named = |range| found(&[(range, 0)]).is_some_and(|says| says.contains("Wi-Fi"));
        assert!(named(6..10), "three of four: 6, 7, 8");
        assert!(!named(7..11), "7 and 8 of four");
        // Core channels 0 to 8, 11 to 20 and 24 to 32: two of three lie within, or one.
        let two = |range, wifi: &str| {
            let says = found(&[(range, 0)]).expect("found");
            assert!(says.contains(&format!("the channels of Wi-Fi channel {wifi}.")), "{says}");
        };
        two(7..10, "1");
        two(10..13, "6");
        two(19..22, "6");
        two(23..26, "11");
        two(31..34, "11");
        let one = [8..11, 9..12, 20..23, 22..25, 32..35];
        assert_eq!(one.map(named), [false; 5]);
        two(0..17, "1");
    }

    /// Of three channels beside each other with as few events, so many must have been heard on each.
    #[test]
    fn two_events_on_a_channel_say_something_and_one_does_not() {
        let said = |fewest: u32| {
            let rare = (20..200).find_map(|events| {
                let capture = Trace::from(lost(events, 0..0)).run();
                let of = &capture.connections[0].air.as_ref().expect("on the air").channels;
                let same = |from: &usize| of[*from..from + 3].iter().all(|c| c.events == fewest);
                (0..of.len() - 2).find(same).map(|from| (events, from as u8))
            });
            let (events, from) = rare.expect("three channels with as many events");
            let captures = [Trace::from(lost(events, from..from + 3)).run()];
            let scene =
                Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
            crate::diagnose::diagnose(&scene).iter().any(|f| f.rule == RULE.id)
        };
        assert!(said(2));
        assert!(!said(1));
    }
}
