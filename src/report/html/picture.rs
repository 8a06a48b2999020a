//! The connections as lanes on one time axis, drawn before anything is said.
use super::axis::Axis;
use super::escape::text;
use super::format::{Format, NARROW, WIDE};
use super::lane::{Lane, Missing, Phase, extent, micros};
use super::voice::Voice;
use crate::compare::{self, Comparison, Fate, Names, Side, StepKind, words};
use crate::prose::{Text, quoted};
use crate::report::{Report, content};
use crate::sides::Sides;
use crate::text;
use crate::timeline::{Capture, Connection};
use std::fmt::Write;

/// Above the lanes: the early window's name and the numbers of the axis.
pub const TOP: f64 = 44.0;

/// Most other attempts drawn below, and most missing steps marked.
const MOST_OTHERS: usize = 8;
const MOST_MISSING: usize = 60;

/// A connection in the picture.
struct Drawn<'a> {
    /// The capture that the connection stands in.
    capture: usize,
    connection: &'a Connection,
    names: Names,
    label: String,
    missing: Vec<Missing>,
    /// What witnesses say of it, in lanes above and below its own.
    above: Vec<Voices<'a>>,
    below: Vec<Voices<'a>>,
    tall: bool,
}

/// The lines of logs, or the packets on the air.
type Voices<'a> = Vec<content::Spoken<'a>>;

/// What logs say of a connection, and what was on the air.
fn voices<'a>(report: &'a Report, capture: usize, connection: &Connection) -> [Voices<'a>; 2] {
    let all = content::spoken(report, capture, connection);
    let (heard, said) = all.into_iter().partition(content::Spoken::on_air);
    [said, heard]
}

/// The picture, once for each width; the style sheet shows one. None where no connection has a time.
pub fn draw(report: &Report) -> Option<String> {
    let (drawn, window) = match &report.comparison {
        Some(comparison) => (pair(report, comparison)?, comparison.window.0),
        None => (alone(report)?, 500_000),
    };
    let mut busy = Vec::new();
    for lane in &drawn {
        for step in &lane.connection.steps {
            let at = micros(lane.connection, step.at);
            let to = micros(lane.connection, step.last.at);
            busy.extend(at.map(|at| (at, to.unwrap_or(at))));
        }
        let spoken = lane.above.iter().chain(&lane.below).flatten().filter_map(|line| line.order);
        busy.extend(spoken.map(|after| (after.0, after.0)));
        busy.extend(extent(lane.connection).map(|(from, _)| (from, from)));
        busy.extend(extent(lane.connection).map(|(_, to)| (to, to)));
    }
    if busy.is_empty() {
        return None;
    }
    let says = in_words(report, &drawn);
    let pictures = [WIDE, NARROW].map(|format| {
        let axis = Axis::new(busy.clone(), window, format.left, format.right());
        one(report, &drawn, &format, &axis, window, &says)
    });
    Some(pictures.join("\n"))
}

/// The picture in one width.
fn one(
    report: &Report,
    drawn: &[Drawn<'_>],
    format: &Format,
    axis: &Axis,
    window: i64,
    says: &Text,
) -> String {
    let mut lanes: Vec<(Lane<'_>, &Drawn<'_>)> = Vec::new();
    let mut voices: Vec<Voice<'_>> = Vec::new();
    let mut top = TOP;
    for lane in drawn {
        let mut voice = |lines, above, top: &mut f64| {
            voices.push(Voice { report, axis, format, lines, above, top: *top });
            *top += Voice::height(lines, format);
        };
        lane.above.iter().for_each(|lines| voice(lines, true, &mut top));
        let drawing = Lane {
            report,
            capture: lane.capture,
            connection: lane.connection,
            names: &lane.names,
            axis,
            format,
            label: &lane.label,
            top,
        };
        top += drawing.height(lane.tall);
        lanes.push((drawing, lane));
        lane.below.iter().for_each(|lines| voice(lines, false, &mut top));
    }
    let height = top + 30.0;
    let Format { width, class, .. } = format;
    let mut svg = format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{class}-title {class}-says\">\n\
         <title id=\"{class}-title\">The connections on one time axis from the moment of connecting</title>\n\
         <desc id=\"{class}-says\">{}</desc>\n",
        text(&report.visible(says))
    );
    background(&mut svg, axis, format, window, height);
    for (lane, drawn) in lanes {
        if drawn.tall {
            lane.tall(&mut svg, &drawn.missing);
        } else {
            lane.low(&mut svg);
        }
    }
    voices.iter().for_each(|voice| voice.draw(&mut svg));
    svg.push_str("</svg>");
    svg
}

/// Both sides, and below them the subject's other attempts.
fn pair<'a>(report: &'a Report, comparison: &Comparison) -> Option<Vec<Drawn<'a>>> {
    let Sides { reference: ours, subject: theirs } =
        compare::names(&report.captures, comparison.reference, comparison.subject)?;
    let side = |side: Side| report.captures.get(side.capture)?.connection(side.connection);
    let (a, b) = (side(comparison.reference)?, side(comparison.subject)?);
    let (left, right) = content::labels(report, comparison);
    let missing = missing(comparison, a, &ours);
    // What was on the air stands between both hosts' lanes.
    let [said, heard] = voices(report, comparison.reference.capture, a);
    let [also_said, also_heard] = voices(report, comparison.subject.capture, b);
    let mut drawn = vec![
        Drawn {
            capture: comparison.reference.capture,
            connection: a,
            names: ours,
            label: left,
            missing: Vec::new(),
            above: Vec::new(),
            below: vec![said, heard],
            tall: true,
        },
        Drawn {
            capture: comparison.subject.capture,
            connection: b,
            names: theirs,
            label: right,
            missing,
            above: vec![also_heard],
            below: vec![also_said],
            tall: true,
        },
    ];
    let capture = report.captures.get(comparison.subject.capture)?;
    let others = comparison.others.subject.connections.iter().filter(|&&number| {
        number != b.number
            && (report.captures.len() > 1 || number != comparison.reference.connection)
    });
    for connection in others.take(MOST_OTHERS).filter_map(|number| capture.connection(*number)) {
        drawn.push(low(comparison.subject.capture, capture, connection));
    }
    Some(drawn)
}

/// The attempts of captures that were not compared: the most telling one of each in full.
fn alone(report: &Report) -> Option<Vec<Drawn<'_>>> {
    let mut drawn = Vec::new();
    for (index, capture) in report.captures.iter().enumerate() {
        let Some(told) = report.most_telling(index) else { continue };
        let below = voices(report, index, told).into();
        drawn.push(Drawn { tall: true, below, ..low(index, capture, told) });
        let others = capture.connections.iter().filter(|other| other.number != told.number);
        drawn.extend(others.take(MOST_OTHERS).map(|connection| low(index, capture, connection)));
    }
    (!drawn.is_empty()).then_some(drawn)
}

fn low<'a>(index: usize, capture: &Capture, connection: &'a Connection) -> Drawn<'a> {
    Drawn {
        capture: index,
        connection,
        names: Names::of(capture, connection),
        label: format!("attempt {}", connection.number),
        missing: Vec::new(),
        above: Vec::new(),
        below: Vec::new(),
        tall: false,
    }
}

/// What the reference did and the subject did not, where that is not a habit of its host.
fn missing(comparison: &Comparison, reference: &Connection, names: &Names) -> Vec<Missing> {
    let mut missing = Vec::new();
    for aligned in comparison.steps.iter().filter(|s| s.kind == StepKind::Missing && !s.normal) {
        let Some(step) = aligned.reference.and_then(|at| reference.steps.get(at)) else { continue };
        let Some(at_us) = micros(reference, step.at) else { continue };
        let name = words::step(reference, names, step);
        missing.push(Missing { at_us, name, frame: step.frame, reached: true });
    }
    let unreached = comparison.missing_early.iter().filter(|o| o.fate == Fate::NotReached);
    for operation in unreached {
        let Some(after) = operation.after else { continue };
        let name = operation.name.clone();
        missing.push(Missing { at_us: after.0, name, frame: operation.frame, reached: false });
    }
    missing.sort_by_key(|step| (step.at_us, step.frame));
    missing.truncate(MOST_MISSING);
    missing
}

pub fn background(svg: &mut String, axis: &Axis, format: &Format, window: i64, height: f64) {
    let bottom = height - 30.0;
    let (zero, early) = (axis.x(0), axis.x(window));
    let _ = writeln!(
        svg,
        "<rect class=\"early\" x=\"{zero:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\
         <text class=\"small\" x=\"{:.1}\" y=\"16\">{}the first {} ms are shaded</text>",
        TOP - 6.0,
        early - zero,
        bottom - TOP + 6.0,
        zero + 2.0,
        if format.narrow { "" } else { "connected; " },
        window / 1000,
    );
    for tick in axis.ticks(format.tick_room) {
        let class = if tick.label == "0" { "zero" } else { "tick" };
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\"/>\
             <text class=\"small\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            TOP - 8.0,
            TOP - 12.0,
            text(&tick.label),
            x = tick.x,
        );
    }
    let mut named = f64::MIN;
    for cut in axis.cuts() {
        let middle = (cut.left + cut.right) / 2.0;
        let length = crate::time::Span(cut.to_us.saturating_sub(cut.from_us));
        let says = format!("{length} left out");
        let at = format.inside(middle, says.len());
        // Where cuts stand close together, the first has its words and all have their titles.
        let says = if at - named > says.len() as f64 * 6.8 { says } else { String::new() };
        if !says.is_empty() {
            named = at;
        }
        let _ = writeln!(
            svg,
            "<g class=\"cut\"><title>{length} in which nothing happened are not drawn</title>\
             <rect x=\"{:.1}\" y=\"{:.1}\" width=\"14\" height=\"{:.1}\"/>\
             <path d=\"M{:.1} {:.1}l5 7l-5 7l5 7M{:.1} {:.1}l5 7l-5 7l5 7\"/>\
             <text class=\"small\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{says}</text></g>",
            middle - 7.0,
            TOP - 6.0,
            bottom - TOP + 6.0,
            middle - 6.0,
            bottom - 12.0,
            middle + 1.0,
            bottom - 12.0,
            at,
            bottom + 24.0,
        );
    }
    if let Some(x) = axis.scale_changes() {
        let _ = writeln!(
            svg,
            "<line class=\"scale\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\"/>\
             <text class=\"small\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">the scale changes here</text>",
            TOP - 6.0,
            format.inside(x, 22),
            bottom + 12.0,
        );
    }
}

/// What a connection was about, in the order of the phases.
pub fn in_phases(connection: &Connection, names: &Names) -> Text {
    let steps = connection.steps.iter();
    let mut phases: Vec<Phase> =
        steps.filter_map(|step| Phase::of(connection, names, step)).collect();
    phases.sort_unstable();
    phases.dedup();
    match phases.as_slice() {
        [] => "nothing".into(),
        some => Text::joined(some.iter().map(|phase| phase.name().0.into()), ", "),
    }
}

/// What the signs of a picture mean; `compared` where it shows what only the reference did.
pub fn key(out: &mut String, compared: bool) {
    out.push_str("<ul class=\"key\">");
    for phase in Phase::ALL {
        let (name, class) = phase.name();
        let _ = write!(out, "<li class=\"{class}\"><i>{}</i>{name}</li>", phase.letter());
    }
    out.push_str(
        "<li>▼ above the line: sent</li><li>▲ below it: received</li><li>✕ failed</li>\
         <li>dashed line: nothing of the peer was heard</li>",
    );
    if compared {
        out.push_str("<li>⊖ dashed circle: only the reference did this</li>");
    }
    out.push_str("<li>flag: the end</li></ul>");
}

/// The picture for those who do not see it.
fn in_words(report: &Report, drawn: &[Drawn<'_>]) -> Text {
    let mut says = Vec::new();
    for lane in drawn {
        let connection = lane.connection;
        let phases = in_phases(connection, &lane.names);
        let missing = (!lane.missing.is_empty())
            .then(|| text!("; {} steps of the reference are missing", lane.missing.len()));
        says.push(text!(
            "{}, connection {}: {}{}; {}.",
            quoted(&lane.label),
            connection.number,
            phases,
            missing,
            words::ending(connection)
        ));
    }
    if let Some(comparison) = &report.comparison {
        says.push(text!("First divergence: {}.", content::divergence(report, comparison)));
    }
    Text::joined(says, " ")
}
