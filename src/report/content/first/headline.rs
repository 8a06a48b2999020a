//! The result in one line. There always is one.
use super::result;
use crate::compare::{Comparison, Failure, MatchedBy, Side, Standing};
use crate::diagnose::{Confidence, Finding, Level};
use crate::report::Report;
use crate::report::content::divergence;
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
    pub says: String,
    /// Why, in a few sentences; may be empty.
    pub why: String,
    /// Which finding it is, an index into the report's.
    pub finding: Option<usize>,
    /// The connection that the line speaks of.
    pub side: Option<Side>,
    /// The line says since when the two sides differ.
    pub tells_divergence: bool,
}

impl Headline {
    fn new(kind: Kind, says: impl Into<String>) -> Self {
        let says = says.into();
        Self { kind, says, why: String::new(), finding: None, side: None, tells_divergence: false }
    }

    fn why(mut self, why: impl Into<String>) -> Self {
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
        let says = format!("the sides were swapped; {}", headline.says);
        return Headline { says, ..headline };
    }
    headline
}

/// The result of the comparison, whichever side was given first.
fn as_compared(report: &Report) -> Headline {
    let verdict = report.findings.first().filter(|finding| finding.level != Level::Note);
    let found = verdict.map(|finding| found(report, finding));
    let but = |kind, what: &str, why: String| match found.clone() {
        // One side still has something to say.
        Some(found) => Headline { says: format!("{what}; {}", found.says), ..found },
        None => Headline::new(kind, what).why(why),
    };
    match (&report.comparison, &report.no_match) {
        (None, Some(no_match)) => but(Kind::Nothing, "nothing to compare", stop(&no_match.says)),
        _ if same_twice(report) => {
            let same = "the same capture twice";
            Headline { tells_divergence: true, ..but(Kind::Same, same, String::new()) }
        }
        (Some(comparison), _) => found.unwrap_or_else(|| compared(report, comparison)),
        (None, None) => found.unwrap_or_else(|| alone(report)),
    }
}

/// A rule has something to say: what happened is the line, the rule says why.
fn found(report: &Report, finding: &Finding) -> Headline {
    let kind = if finding.level == Level::Cause { Kind::Cause } else { Kind::Suspect };
    let label = result::label(report, finding.capture);
    let says = finding.says.to_string();
    let Some((side, connection)) = spoken_of(report, finding) else {
        return Headline {
            finding: Some(0),
            ..Headline::new(kind, format!("{label}: {}", clause(finding.title)))
        }
        .why(says);
    };
    let failed = Failure::of(connection).is_some();
    let headline = if failed {
        let what = result::of(report, side.capture, connection);
        Headline::new(kind, format!("{label}: {what}{}", tries(report, side.capture, connection)))
            .why(format!("{}. {says}", finding.title))
    } else {
        let device = result::device(report, connection);
        Headline::new(kind, format!("{label}, {device}: {}", clause(finding.title))).why(says)
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
fn tries(report: &Report, capture: usize, connection: &Connection) -> String {
    let Some(held) = report.captures.get(capture) else { return String::new() };
    match result::tries(held, connection) {
        (_, 0 | 1) => String::new(),
        (same, all) => format!(", {same} of {all} tries"),
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
    let device = result::device(report, b);
    let differs = sentence(&divergence(report, comparison).to_string());
    match (Failure::of(a), Failure::of(b)) {
        (Some(one), Some(other)) => {
            let how = if one == other {
                "both fail, and alike"
            } else {
                "both fail, each in its own way"
            };
            Headline::new(
                Kind::Unexplained,
                format!("{second}: {}; {how}", result::of(report, comparison.subject.capture, b)),
            )
            .why(format!(
                "{} A capture in which the device works would tell more.",
                known(report, comparison.subject)
            ))
            .of(comparison.subject)
        }
        (Some(_), None) => Headline::new(
            Kind::Swapped,
            format!("swapped? {first} fails, and {second} works with {device}"),
        )
        .why("The first capture should be the one that works. No known cause fits the failure.")
        .of(comparison.subject),
        (None, Some(_)) => Headline {
            tells_divergence: true,
            ..Headline::new(
                Kind::Unexplained,
                format!(
                    "{second}: {}{}",
                    result::of(report, comparison.subject.capture, b),
                    tries(report, comparison.subject.capture, b)
                ),
            )
        }
        .why(format!("{} {differs}", known(report, comparison.subject)))
        .of(comparison.subject),
        (None, None) if comparison.matched_by == MatchedBy::Position && !comparison.differs => {
            Headline {
                tells_divergence: true,
                ..Headline::new(Kind::Works, format!("both work with {device}"))
            }
            .why(format!("{differs} Nothing proves that it is the same device."))
            .of(comparison.subject)
        }
        (None, None) if comparison.differs => Headline {
            tells_divergence: true,
            ..Headline::new(
                Kind::Unexplained,
                format!("neither side fails with {device}, but they differ"),
            )
        }
        .why(format!("Nothing failed. {differs}"))
        .of(comparison.subject),
        (None, None) => {
            let usable = [a, b].iter().all(|c| Standing::of(c).usable);
            let says = if usable { "both work" } else { "neither side fails" };
            Headline {
                tells_divergence: true,
                ..Headline::new(Kind::Works, format!("{says}: {first} and {second} with {device}"))
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
fn known(report: &Report, side: Side) -> String {
    let about = |f: &&Finding| {
        f.level == Level::Note
            && f.capture == side.capture
            && f.connections.contains(&side.connection)
    };
    let notes = || report.findings.iter().filter(about);
    if let Some(note) = notes().find(|note| !DESCRIBE.contains(&note.rule)) {
        return format!("{}. {}", note.title, note.says);
    }
    // It says itself that nothing explains the end.
    match notes().find(|note| note.rule == UNEXPLAINED) {
        Some(note) => note.says.to_string(),
        None => "No known cause fits.".to_owned(),
    }
}

/// One capture, and no rule that speaks.
fn alone(report: &Report) -> Headline {
    let Some(capture) = report.captures.last() else {
        return Headline::new(Kind::Nothing, "nothing to look at");
    };
    let at = report.captures.len() - 1;
    let label = result::label(report, at);
    let Some(connection) = report.most_telling(at) else { return silent(capture, &label) };
    let side = Side { capture: at, connection: connection.number };
    let what = result::of(report, at, connection);
    let all = capture.connections.len();
    let failed = capture.connections.iter().filter(|c| Failure::of(c).is_some()).count();
    let headline = match (Failure::of(connection), failed) {
        (Some(_), _) => {
            Headline::new(Kind::Alone, format!("{label}: {what}{}", tries(report, at, connection)))
                .why(known(report, side))
        }
        (None, 0) => Headline::new(Kind::Works, format!("{label}: {what}")).why(match all {
            1 => shows(connection),
            _ => format!("None of the {all} attempts failed. {}", shows(connection)),
        }),
        // Whoever asked about this one does not ask about the others.
        (None, _) if report.focus == Some(connection.number) => {
            Headline::new(Kind::Works, format!("{label}: {what}")).why(shows(connection))
        }
        (None, failed) => Headline::new(Kind::Alone, format!("{label}: {what}")).why(format!(
            "{failed} of the {all} attempts in this capture failed; no known cause fits."
        )),
    };
    headline.of(side)
}

/// A capture without any attempt.
fn silent(capture: &Capture, label: &str) -> Headline {
    let reports = capture.totals.advertising_reports;
    let says = format!("{label}: no connection, and no attempt at one, in this capture");
    let why = match (capture.totals.records, capture.devices.len(), reports) {
        (0, ..) => "It holds no record.".to_owned(),
        (records, _, 0) => {
            format!("It holds {records} records, and none of them is advertising that was heard.")
        }
        (_, 1, 1) => "It heard one device advertise, once.".to_owned(),
        (_, 1, reports) => format!("It heard one device advertise, {reports} times."),
        (_, devices, reports) => {
            format!("It heard {devices} devices advertise, {reports} times in all.")
        }
    };
    Headline::new(Kind::Alone, says).why(why)
}

/// What passed on a connection that worked.
fn shows(connection: &Connection) -> String {
    let count = |procedure| {
        connection
            .steps
            .iter()
            .filter(|s| s.procedure == procedure)
            .map(|s| u64::from(s.count))
            .sum::<u64>()
    };
    let mut parts = Vec::new();
    let of = |count: u64, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    parts.extend(of(count(Procedure::Read), "read", "reads"));
    parts.extend(of(count(Procedure::Write) + count(Procedure::WriteCommand), "write", "writes"));
    parts.extend(of(count(Procedure::Subscribe), "subscription", "subscriptions"));
    parts.extend(of(
        count(Procedure::Notify) + count(Procedure::Indicate),
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
    let passed =
        if parts.is_empty() { String::new() } else { format!("; it carried {}", parts.join(", ")) };
    format!("{role}{secured}{passed}.")
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

/// With a capital letter and a full stop.
pub fn sentence(says: &str) -> String {
    let mut letters = says.chars();
    let Some(first) = letters.next() else { return String::new() };
    let says = format!("{}{}", first.to_uppercase(), letters.as_str());
    stop(&says)
}

/// With a full stop.
fn stop(says: &str) -> String {
    if says.ends_with('.') { says.to_owned() } else { format!("{says}.") }
}

/// A title behind a colon: without its capital letter, unless it begins with an abbreviation.
fn clause(title: &str) -> String {
    let mut letters = title.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            format!("{}{}", first.to_lowercase(), letters.as_str())
        }
        _ => title.to_owned(),
    }
}
