//! How many connection events answers took: the meter of a link's radio.
use super::{Field, Paint, Section, Topic};
use crate::compare::describe;
use crate::prose::{self, Text};
use crate::report::{Report, words};
use crate::text;
use crate::timeline::{Answers, Capture, Connection};

/// Most links listed; `--full` lists all.
const MOST: usize = 40;

/// Most links to a device that are looked at.
const KIN: usize = 1_000;

/// One line a link, those to one device together and in order: so a trend shows.
pub fn sections(report: &Report) -> Vec<Section> {
    match &report.comparison {
        Some(comparison) if report.captures.len() > 1 => {
            let sides = [comparison.reference, comparison.subject].into_iter();
            let of_side = sides.filter_map(|side| {
                let capture = report.captures.get(side.capture)?;
                let one = capture.connection(side.connection)?;
                let mut links: Vec<&Connection> = capture.kin(one, KIN).chain([one]).collect();
                links.sort_by_key(|link| link.number);
                let title = text!("Answer times, {}", prose::quoted(&report.label(side.capture)));
                table(report, title, &links)
            });
            of_side.collect()
        }
        _ => {
            let of_capture = report
                .captures
                .iter()
                .filter_map(|capture| table(report, "Answer times".into(), &by_device(capture)));
            of_capture.collect()
        }
    }
}

/// The links of a capture, those to one device together; devices in order of first sight.
fn by_device(capture: &Capture) -> Vec<&Connection> {
    let mut first = std::collections::HashMap::new();
    let mut links: Vec<(u32, &Connection)> = Vec::new();
    for link in capture.connections.iter().filter(|link| measured(link)) {
        let place = match link.peer.who() {
            Some(who) => *first.entry(who).or_insert(link.number),
            None => link.number,
        };
        links.push((place, link));
    }
    links.sort_by_key(|(place, link)| (*place, link.number));
    links.into_iter().map(|(_, link)| link).collect()
}

fn measured(link: &Connection) -> bool {
    link.bare_answers().is_some() || link.att_answers().is_some()
}

fn table(report: &Report, title: Text, links: &[&Connection]) -> Option<Section> {
    let links: Vec<&&Connection> = links.iter().filter(|link| measured(link)).collect();
    if links.is_empty() {
        return None;
    }
    let most = if report.shown.full { usize::MAX } else { MOST };
    let mut section = Section { title, topic: Topic::Answers, blocks: Vec::new() };
    let mut before = None;
    let rows = links.iter().take(most).map(|link| {
        let who = link.peer.who();
        let again = who.is_some() && before == who;
        before = who;
        vec![
            Field::right(link.number.to_string()),
            if again { Field::default() } else { Field::from(describe(link)) },
            Field::from(link.bare_answers().map_or("-".into(), took)),
            Field::from(
                link.att_answers().map_or("-".into(), |answers| text!("at most {}", took(answers))),
            ),
            Field::from(words::ending(link)),
        ]
    });
    let rows = rows.collect();
    let header = ["device", "link layer and MTU", "ATT", "outcome"];
    let header = [Field::right("#")].into_iter().chain(header.map(Field::from)).collect();
    section.table(Some(header), rows);
    if links.len() > most {
        let more = text!("{} more links (--full lists them)", links.len() - most);
        section.item("", more, Paint::Faint);
    }
    section.item(
        "",
        "In connection events, each as long as interval × (1 + latency). Answers that need no thought take one to three events on a good link; \
         eight or more mean that many packets were lost. An ATT answer has the device's own time in it: the link took that long at most.",
        Paint::Faint,
    );
    Some(section)
}

/// `1.1 × 48.75 ms, 2 answers`.
fn took(answers: Answers) -> Text {
    let count = usize::try_from(answers.count).unwrap_or(usize::MAX);
    text!(
        "{} × {}, {}",
        format_args!("{:.1}", answers.events),
        answers.event,
        prose::count(count, "answer", "answers")
    )
}
