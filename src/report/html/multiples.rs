//! Small multiples: one connection of each of several reports, group by group, on one time axis.
use super::axis::Axis;
use super::escape::text;
use super::format::{Format, NARROW, WIDE};
use super::lane::{Lane, extent, micros};
use super::picture::{TOP, background, in_phases, key};
use crate::compare::{Names, words};
use crate::report::{Report, safe};
use crate::timeline::Connection;
use std::fmt::Write;

/// How much of the time after the connection is drawn larger.
const EARLY: i64 = 500_000;

/// Wide pictures have room for the names of files left of their axis.
const LABELS: Format = Format { left: 236.0, ..WIDE };

/// Room for a group's name.
const HEADING: f64 = 30.0;

/// A lane keeps room for the steps that it lacks; these lanes show none.
const UNUSED: f64 = 34.0;

/// One report in the picture: the connection that tells most of it.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a> {
    /// The group that it stands for.
    pub group: &'a str,
    /// What the run is called.
    pub label: &'a str,
    /// The report of one capture.
    pub report: &'a Report,
}

struct Drawn<'a> {
    of: &'a Panel<'a>,
    connection: &'a Connection,
    names: Names,
}

/// A figure of all panels, once for each width; the style sheet shows one. Nothing where no panel has a time.
pub fn multiples(panels: &[Panel<'_>]) -> Option<String> {
    let drawn: Vec<Drawn<'_>> = panels
        .iter()
        .filter_map(|of| {
            let connection = of.report.told()?;
            let names = Names::of(of.report.captures.first()?, connection);
            extent(connection).map(|_| Drawn { of, connection, names })
        })
        .collect();
    let mut busy = Vec::new();
    for Drawn { connection, .. } in &drawn {
        for step in &connection.steps {
            let at = micros(connection, step.at);
            let to = micros(connection, step.last.at);
            busy.extend(at.map(|at| (at, to.unwrap_or(at))));
        }
        busy.extend(extent(connection).into_iter().flat_map(|(from, to)| [(from, from), (to, to)]));
    }
    if busy.is_empty() {
        return None;
    }
    let mut figure = "<figure>\n".to_owned();
    for format in [LABELS, NARROW] {
        let axis = Axis::new(busy.clone(), EARLY, format.left, format.right());
        one(&mut figure, &drawn, &format, &axis);
    }
    figure.push_str("<figcaption>");
    key(&mut figure, false);
    figure.push_str("</figcaption>\n</figure>\n");
    Some(figure)
}

/// The picture in one width.
fn one(figure: &mut String, drawn: &[Drawn<'_>], format: &Format, axis: &Axis) {
    let columns = if format.narrow { 26 } else { 22 };
    let labels: Vec<String> = drawn
        .iter()
        .map(|lane| safe::fit_middle(&safe::text(lane.of.label), columns).into_owned())
        .collect();
    let mut lanes = Vec::new();
    let mut headings = Vec::new();
    let mut top = TOP;
    for (at, one) in drawn.iter().enumerate() {
        if at == 0 || drawn[at - 1].of.group != one.of.group {
            headings.push((top, one.of.group));
            top += HEADING;
        }
        let lane = Lane {
            report: one.of.report,
            capture: at,
            connection: one.connection,
            names: &one.names,
            axis,
            format,
            label: &labels[at],
            top,
        };
        top += lane.height(true) - UNUSED;
        lanes.push((lane, one));
    }
    let height = top + 40.0;
    let Format { width, class, .. } = format;
    let _ = write!(
        figure,
        "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{class}-title {class}-says\">\n\
         <title id=\"{class}-title\">Runs of each group on one time axis from the moment of connecting</title>\n\
         <desc id=\"{class}-says\">{}</desc>\n",
        text(&in_words(drawn))
    );
    background(figure, axis, format, EARLY, height);
    for (top, group) in headings {
        let y = top + 20.0;
        let _ = writeln!(
            figure,
            "<line class=\"tick\" x1=\"8\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
             <text class=\"lane\" x=\"8\" y=\"{y:.1}\">{}</text>",
            format.right(),
            top + 2.0,
            top + 2.0,
            text(&safe::fit(&safe::text(group), if format.narrow { 44 } else { 120 })),
        );
    }
    for (lane, one) in lanes {
        let _ = writeln!(figure, "<g><title>{}</title>", text(&safe::text(one.of.label)));
        lane.tall(figure, &[]);
        figure.push_str("</g>\n");
    }
    figure.push_str("</svg>\n");
}

/// The picture for those who do not see it.
fn in_words(drawn: &[Drawn<'_>]) -> String {
    let mut says = String::new();
    for Drawn { of, connection, names } in drawn {
        let report = of.report;
        let _ = write!(
            says,
            "{}, {}: {}; {}. ",
            safe::text(of.group),
            safe::text(of.label),
            in_phases(connection, names),
            report.visible(&words::ending(connection)),
        );
    }
    says
}
