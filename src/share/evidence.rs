//! Both captures of a comparison in one pcapng, with comments at the frames that prove something: for Wireshark.
//!
//! Each capture is an interface. The times of the second are moved so that the compared connections begin together.
use super::check::{Cited, facts};
use super::replace::{Held, Kept};
use super::stream::Stream;
use super::trim::{Scope, Trim};
use super::work::to_neutral_day;
use super::{Refusal, Tools, first_reading, label};
use crate::capture::{Payload, Record, WriteError, pcapng};
use crate::case::{Analysis, Case};
use crate::compare;
use crate::packet::Event;
use crate::prose::Text;
use crate::report::Report;
use crate::time::{Clock, Timestamp};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;

/// What stands beside a frame, by capture and frame.
type Comments = BTreeMap<(usize, u32), Vec<String>>;

/// A record's step from the one before it, where a capture has no times.
const STEP_US: i64 = 1;
/// Where captures begin whose clock counts from power-on: 2001-01-01.
const BEGINNING_US: i64 = 978_307_200_000_000;

/// Writes the records that the comparison is about. If addresses are kept, so is everything except keys.
pub fn evidence<W: Write>(
    case: &Case,
    keep_addresses: bool,
    keep_values: bool,
    out: W,
) -> Result<(), Refusal> {
    let mut read = first_reading(case)?;
    if let Some(at) = read.text.iter().position(|text| *text) {
        let name = case.sides()[at].capture.name().into_owned();
        return Err(Refusal::Text { name });
    }
    let kept = Kept { values: keep_values, names: keep_addresses, addresses: keep_addresses };
    let tools = Tools::of(&read, kept);
    read.report.shown.aliases = !keep_addresses;
    let comments = comments(&read.report);
    let mut cited = Cited::default();
    facts(&read.report, &mut cited);
    let analysis = &read.report.analysis;
    let mut lanes = Vec::new();
    for (at, side) in case.sides().iter().enumerate() {
        let frames = cited.frames.remove(&at).unwrap_or_default().into_iter().collect();
        let mut scope = Scope::of(Trim::Story, analysis, at, frames);
        let wants = move |event: &Event<'_>, connection, _| scope.wants(event, connection);
        let unreadable = |error| Refusal::Capture { name: side.capture.name().into_owned(), error };
        let mut stream = Stream::open(side, at, &analysis.captures[at], &tools, Box::new(wants))
            .map_err(unreadable)?;
        let next = stream.next().map_err(unreadable)?;
        let shift = shift(analysis, at, kept);
        let monitor = read.needs[at].monitor;
        let mut lane = Lane { at, stream, next: None, shift, last: BEGINNING_US, monitor };
        lane.next = next.map(|held| lane.timed(held));
        lanes.push(lane);
    }
    let mut writer = pcapng::Writer::new(out)?;
    // The lanes are merged by time, as Wireshark shows them.
    while let Some(lane) = lanes
        .iter_mut()
        .filter(|it| it.next.is_some())
        .min_by_key(|lane| lane.next.as_ref().map(|(_, time)| *time))
    {
        let Some((held, time)) = lane.next.take() else { break };
        if let Some(what) = tools.search.find(&held.clean) {
            let place = format!("frame {} of capture {}", held.frame, lane.at + 1);
            return Err(Refusal::Leak { what, place });
        }
        let comment = comments.get(&(lane.at, held.frame)).map(|lines| lines.join("\n"));
        if let Some(what) = comment.as_deref().and_then(|text| tools.search.find_in_text(text, ""))
        {
            return Err(Refusal::Leak { what, place: "a comment".into() });
        }
        let record = Record {
            frame: 0,
            offset: 0,
            time: Some(Timestamp(time)),
            adapter: held.adapter,
            direction: held.direction,
            kind: held.kind,
            payload: Payload::Bytes(&held.clean.bytes),
            original_len: held.original_len,
            comment: comment.map(Cow::Owned),
        };
        match writer.push_as(label(case.sides().len(), lane.at), lane.monitor, &record) {
            // Wireshark has no place for PacketLogger's notes.
            Ok(()) | Err(WriteError::Unfit(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let name = || case.sides()[lane.at].capture.name().into_owned();
        let next = lane.stream.next();
        let next = next.map_err(|error| Refusal::Capture { name: name(), error })?;
        lane.next = next.map(|held| lane.timed(held));
    }
    if let Some((frame, what)) = lanes.iter().find_map(|lane| lane.stream.leak()) {
        return Err(Refusal::Leak { what, place: format!("frame {frame}") });
    }
    writer.finish()?;
    Ok(())
}

/// One capture on its way into the file.
struct Lane<'c> {
    at: usize,
    stream: Stream<'c>,
    /// The next record, and its time in the file.
    next: Option<(Held, i64)>,
    shift: i64,
    last: i64,
    monitor: bool,
}

impl Lane<'_> {
    fn timed(&mut self, held: Held) -> (Held, i64) {
        let time = held.time.map_or(self.last + STEP_US, |time| time.0.saturating_add(self.shift));
        self.last = time;
        (held, time)
    }
}

/// How far the times of a capture are moved.
fn shift(analysis: &Analysis, at: usize, kept: Kept) -> i64 {
    let base = |at: usize| match analysis.captures.get(at) {
        Some(capture) if capture.clock == Clock::Relative => BEGINNING_US,
        Some(capture) if !kept.addresses => to_neutral_day(&analysis.captures, capture),
        _ => 0,
    };
    let zero = |side: compare::Side| {
        let connection = analysis.captures.get(side.capture)?.connection(side.connection)?;
        Some(connection.zero().time()?.0 + base(side.capture))
    };
    let other = analysis
        .comparison
        .as_ref()
        .filter(|comparison| at == 1 && comparison.reference.capture != comparison.subject.capture);
    let moved = other.and_then(|comparison| {
        let [first, second] = match comparison.swapped() {
            true => [comparison.subject, comparison.reference],
            false => [comparison.reference, comparison.subject],
        };
        Some(zero(first)? - zero(second)?)
    });
    base(at) + moved.unwrap_or(0)
}

/// What each cited frame proves, and where the two connections part.
fn comments(report: &Report) -> Comments {
    let mut comments = Comments::new();
    let mut say = |capture: usize, frame: u32, text: String| {
        let lines = comments.entry((capture, frame)).or_default();
        if frame != 0 && !lines.contains(&text) {
            lines.push(text);
        }
    };
    for finding in &report.findings {
        for evidence in &finding.evidence {
            if let Some(capture) = evidence.source.capture() {
                let text = report.visible(&evidence.text);
                say(capture, evidence.frame, format!("{}: {text}", finding.rule));
            }
        }
    }
    if let Some(comparison) = &report.comparison
        && let Some(step) = comparison.steps.iter().find(|step| !step.normal)
    {
        let here = Text::fixed("here the two connections part");
        let text = report.visible(comparison.divergence.as_ref().unwrap_or(&here));
        let text = format!("first difference (frames as in the captures themselves): {text}");
        let places = [(comparison.reference, step.reference), (comparison.subject, step.subject)];
        for (side, at) in places {
            let connection = report.captures.get(side.capture);
            let connection = connection.and_then(|capture| capture.connection(side.connection));
            if let Some(step) = connection.zip(at).and_then(|(it, at)| it.steps.get(at)) {
                say(side.capture, step.first.frame, text.clone());
            }
        }
    }
    comments.retain(|(_, frame), _| *frame != 0);
    comments
}
