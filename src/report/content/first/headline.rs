//! The result in one line. There always is one.
use super::{log, result};
use crate::compare::{Comparison, Failure, MatchedBy, Side, Standing};
use crate::diagnose::{Confidence, Finding, Level};
use crate::prose::{Piece, Text, count};
use crate::report::Report;
use crate::report::content::divergence;
use crate::text;
use crate::timeline::{Capture, Connection, Procedure, Role};

/// What kind of result it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A rule says why.
    Cause,
    Suspect,
    /// Something failed, or differs, and no rule says why.
    Unexplained,
    /// The reference fails, and the subject works.
    Swapped,
    Works,
    /// The two sides cannot be compared.
    Nothing,
    /// The same capture was given twice.
    Same,
    /// One capture in which something fails without a known cause, or nothing does.
    Alone,
}

/// The result, how sure it is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    pub kind: Kind,
    /// One line: the side, the device, and what became of it.
    pub says: Text,
    /// Why, in a few sentences; may be empty.
    pub why: Text,
    /// Which finding it is, an index into the report's.
    pub finding: Option<usize>,
    /// The connection that the line speaks of.
    pub side: Option<Side>,
    /// The line says since when the two sides differ.
    pub tells_divergence: bool,
}

impl Headline {
    pub(super) fn new(kind: Kind, says: impl Into<Text>) -> Self {
        let says = says.into();
        Self { kind, says, why: Text::EMPTY, finding: None, side: None, tells_divergence: false }
    }

    pub(super) fn why(mut self, why: impl Into<Text>) -> Self {
        self.why = why.into();
        self
    }

    fn of(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    /// The verdict's level and confidence, where a rule gave one.
    pub fn sure(&self, report: &Report) -> Option<(Level, Confidence)> {
        let finding = report.findings.get(self.finding?)?;
        Some((finding.level, finding.confidence))
    }

    /// The rule that gave the verdict.
    pub fn rule(&self, report: &Report) -> Option<&'static str> {
        Some(report.findings.get(self.finding?)?.rule)
    }
}

/// The result of a report.
pub fn headline(report: &Report) -> Headline {
    let headline = as_compared(report);
    if report.comparison.as_ref().is_some_and(Comparison::swapped) {
        let says = text!("the sides were swapped; {}", headline.says);
        return Headline { says, ..headline };
    }
    headline
}

/// The result of the comparison, whichever side was given first.
fn as_compared(report: &Report) -> Headline {
    let verdict = report.findings.first().filter(|finding| finding.level != Level::Note);
    let found = verdict.map(|finding| found(report, finding));
    let but = |kind, what: &'static str, why: Text| match found.clone() {
        // One side still has something to say.
        Some(found) => Headline { says: text!("{}; {}", what, found.says), ..found },
        None => Headline::new(kind, what).why(why),
    };
    // A log has no packets to compare: it is told for what it is.
    if report.comparison.is_none()
        && let Some(testimony) = log::side(report)
    {
        return found.unwrap_or_else(|| log::headline(report, testimony));
    }
    match (&report.comparison, &report.no_match) {
        (None, Some(no_match)) => {
            but(Kind::Nothing, "nothing to compare", no_match.says.clone().stopped())
        }
        _ if same_twice(report) => {
            let same = "the same capture twice";
            Headline { tells_divergence: true, ..but(Kind::Same, same, Text::EMPTY) }
        }
        (Some(comparison), _) => found.unwrap_or_else(|| compared(report, comparison)),
        (None, None) => found.unwrap_or_else(|| alone(report)),
    }
}

/// A rule has something to say: what happened is the line, the rule says why.
fn found(report: &Report, finding: &Finding) -> Headline {
    let kind = if finding.level == Level::Cause { Kind::Cause } else { Kind::Suspect };
    let label = report.source(finding.capture);
    let says = finding.says.clone();
    let Some((side, connection)) = spoken_of(report, finding) else {
        return Headline {
            finding: Some(0),
            ..Headline::new(kind, text!("{}: {}", label, clause(finding.title)))
        }
        .why(says);
    };
    let failed = Failure::of(connection).is_some();
    let headline = if failed {
        let what = result::of(report, side.capture, connection);
        Headline::new(kind, text!("{}: {}{}", label, what, tries(report, side.capture, connection)))
            .why(text!("{}. {}", finding.title, says))
    } else {
        let device = result::device(connection);
        Headline::new(kind, text!("{}, {}: {}", label, device, clause(finding.title))).why(says)
    };
    Headline { finding: Some(0), ..headline }.of(side)
}

/// The connection that a finding speaks of; the one that is compared, if it is one of them.
fn spoken_of<'a>(report: &'a Report, finding: &Finding) -> Option<(Side, &'a Connection)> {
    let compared = report.comparison.as_ref().map(|comparison| comparison.subject).filter(|side| {
        side.capture == finding.capture && finding.connections.contains(&side.connection)
    });
    let capture = finding.capture;
    let held = report.captures.get(capture)?;
    // Of several the first that failed: a finding may count those that worked too.
    let of_these = finding.connections.iter().filter_map(|number| held.connection(*number));
    let first =
        of_these.clone().find(|c| Failure::of(c).is_some()).or_else(|| of_these.clone().next());
    let side = compared.or(first.map(|c| Side { capture, connection: c.number }))?;
    Some((side, held.connection(side.connection)?))
}

/// `, 3 of 4 tries`, where there was more than one.
fn tries(report: &Report, capture: usize, connection: &Connection) -> Text {
    let Some(held) = report.captures.get(capture) else { return Text::EMPTY };
    match result::tries(held, connection) {
        (_, 0 | 1) => Text::EMPTY,
        (same, all) => text!(", {} of {} tries", same, all),
    }
}

/// Two connections, and no rule that speaks.
fn compared(report: &Report, comparison: &Comparison) -> Headline {
    let side = |side: Side| report.captures.get(side.capture)?.connection(side.connection);
    let (Some(a), Some(b)) = (side(comparison.reference), side(comparison.subject)) else {
        return Headline::new(Kind::Nothing, "nothing to compare");
    };
    let (first, second) =
        (result::whose(report, comparison.reference), result::whose(report, comparison.subject));
    let device = result::device(b);
    let differs = divergence(report, comparison).sentence();
    match (Failure::of(a), Failure::of(b)) {
        (Some(one), Some(other)) => {
            let how = if one == other {
                "both fail, and alike"
            } else {
                "both fail, each in its own way"
            };
            Headline::new(
                Kind::Unexplained,
                text!("{}: {}; {}", second, result::of(report, comparison.subject.capture, b), how),
            )
            .why(text!(
                "{} A capture in which the device works would tell more.",
                known(report, comparison.subject)
            ))
            .of(comparison.subject)
        }
        (Some(_), None) => Headline::new(
            Kind::Swapped,
            text!("swapped? {} fails, and {} works with {}", first, second, device),
        )
        .why("The first capture should be the one that works. No known cause fits the failure.")
        .of(comparison.subject),
        (None, Some(_)) => Headline {
            tells_divergence: true,
            ..Headline::new(
                Kind::Unexplained,
                text!(
                    "{}: {}{}",
                    second,
                    result::of(report, comparison.subject.capture, b),
                    tries(report, comparison.subject.capture, b)
                ),
            )
        }
        .why(text!("{} {}", known(report, comparison.subject), differs))
        .of(comparison.subject),
        (None, None) if comparison.matched_by == MatchedBy::Position && !comparison.differs => {
            Headline {
                tells_divergence: true,
                ..Headline::new(Kind::Works, text!("both work with {}", device))
            }
            .why(text!("{} Nothing proves that it is the same device.", differs))
            .of(comparison.subject)
        }
        (None, None) if comparison.differs => Headline {
            tells_divergence: true,
            ..Headline::new(
                Kind::Unexplained,
                text!("neither side fails with {}, but they differ", device),
            )
        }
        .why(text!("Nothing failed. {}", differs))
        .of(comparison.subject),
        (None, None) => {
            let usable = [a, b].iter().all(|c| Standing::of(c).usable);
            let says = if usable { "both work" } else { "neither side fails" };
            Headline {
                tells_divergence: true,
                ..Headline::new(
                    Kind::Works,
                    text!("{}: {} and {} with {}", says, first, second, device),
                )
            }
            .why(differs)
            .of(comparison.subject)
        }
    }
}

/// The note about an end that nothing explains: it tells what is known all the same.
const UNEXPLAINED: &str = "unexplained-end";

/// Rules whose notes describe a link, or a host, and do not say why it ended.
const DESCRIBE: [&str; 12] = [
    UNEXPLAINED,
    "weak-link",
    "too-far",
    "short-supervision-by-peer",
    "client-never-answers-indication",
    "interval-differs",
    "features-differ",
    "clock-accuracy-differs",
    "own-address-type-differs",
    "queued-delivery",
    "hci-latency-or-overload",
    "client-vanished-link-stays",
];

/// What a note says of a failure: one that came once and was made good, or that both sides have.
fn known(report: &Report, side: Side) -> Text {
    let about = |f: &&Finding| {
        f.level == Level::Note
            && f.capture == side.capture
            && f.connections.contains(&side.connection)
    };
    let notes = || report.findings.iter().filter(about);
    if let Some(note) = notes().find(|note| !DESCRIBE.contains(&note.rule)) {
        return text!("{}. {}", note.title, note.says);
    }
    // It says itself that nothing explains the end.
    match notes().find(|note| note.rule == UNEXPLAINED) {
        Some(note) => note.says.clone(),
        None => "No known cause fits.".into(),
    }
}

/// One capture, and no rule that speaks.
fn alone(report: &Report) -> Headline {
    let Some(capture) = report.captures.last() else {
        return Headline::new(Kind::Nothing, "nothing to look at");
    };
    let at = report.captures.len() - 1;
    let label = report.source(at);
    let Some(connection) = report.most_telling(at) else { return silent(capture, label) };
    let side = Side { capture: at, connection: connection.number };
    let what = result::of(report, at, connection);
    let all = capture.connections.len();
    let failed = capture.connections.iter().filter(|c| Failure::of(c).is_some()).count();
    let headline = match (Failure::of(connection), failed) {
        (Some(_), _) => Headline::new(
            Kind::Alone,
            text!("{}: {}{}", label, what, tries(report, at, connection)),
        )
        .why(known(report, side)),
        (None, 0) => Headline::new(Kind::Works, text!("{}: {}", label, what)).why(match all {
            1 => shows(connection),
            _ => text!("None of the {} attempts failed. {}", all, shows(connection)),
        }),
        // Whoever asked about this one does not ask about the others.
        (None, _) if report.focus == Some(connection.number) => {
            Headline::new(Kind::Works, text!("{}: {}", label, what)).why(shows(connection))
        }
        (None, failed) => Headline::new(Kind::Alone, text!("{}: {}", label, what)).why(text!(
            "{} of the {} attempts in this capture failed; no known cause fits.",
            failed,
            all
        )),
    };
    headline.of(side)
}

/// A capture without any attempt.
fn silent(capture: &Capture, label: Piece) -> Headline {
    let reports = capture.totals.advertising_reports;
    let says = text!("{}: no connection, and no attempt at one, in this capture", label);
    let why = match (capture.totals.records, capture.devices.len(), reports) {
        (0, ..) => "It holds no record.".into(),
        (records, _, 0) => {
            text!("It holds {} records, and none of them is advertising that was heard.", records)
        }
        (_, 1, 1) => "It heard one device advertise, once.".into(),
        (_, 1, reports) => text!("It heard one device advertise, {} times.", reports),
        (.., reports) => {
            text!("It heard {} advertise, {} times in all.", capture.devices_heard(), reports)
        }
    };
    Headline::new(Kind::Alone, says).why(why)
}

/// What passed on a connection that worked.
fn shows(connection: &Connection) -> Text {
    let passed = |procedure| {
        connection
            .steps
            .iter()
            .filter(|s| s.procedure == procedure)
            .map(|s| u64::from(s.count))
            .sum::<u64>()
    };
    let mut parts = Vec::new();
    let of = |number: u64, one, many| (number > 0).then(|| count(number as usize, one, many));
    parts.extend(of(passed(Procedure::Read), "read", "reads"));
    parts.extend(of(passed(Procedure::Write) + passed(Procedure::WriteCommand), "write", "writes"));
    parts.extend(of(passed(Procedure::Subscribe), "subscription", "subscriptions"));
    parts.extend(of(
        passed(Procedure::Notify) + passed(Procedure::Indicate),
        "notification",
        "notifications",
    ));
    let secured = match (connection.paired, connection.encrypted) {
        (true, _) => "paired",
        (false, true) => "encrypted",
        (false, false) => "not encrypted",
    };
    let role = match connection.role {
        Some(Role::Peripheral) => "This host was the peripheral, ",
        _ => "The link was ",
    };
    let passed = (!parts.is_empty()).then(|| text!("; it carried {}", Text::joined(parts, ", ")));
    text!("{}{}{}.", role, secured, passed)
}

/// The two captures hold the same, record for record, as far as anything was kept of them.
fn same_twice(report: &Report) -> bool {
    let [one, other] = report.captures.as_slice() else { return false };
    // Facts and places name the capture that they come from, so connections cannot be compared as a whole.
    let seen = |c: &Connection| {
        let last = c.steps.last().map(|step| (step.last.frame, step.last.at, step.count));
        let end = c.end.as_ref().map(|end| (end.frame, end.at));
        let up = c.up.map(|up| (up.frame, up.at));
        (c.peer.address, up, c.status_frame(), c.steps.len(), last, end)
    };
    one.totals == other.totals
        && one.totals.records > 0
        && (one.format, one.first_time, one.last_time)
            == (other.format, other.first_time, other.last_time)
        && one.connections.len() == other.connections.len()
        && one.connections.iter().zip(&other.connections).all(|(a, b)| seen(a) == seen(b))
}

/// A title behind a colon: without its capital letter, unless it begins with an abbreviation.
fn clause(title: &'static str) -> Text {
    let mut letters = title.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            text!("{}{}", format_args!("{}", first.to_lowercase()), letters.as_str())
        }
        _ => title.into(),
    }
}
