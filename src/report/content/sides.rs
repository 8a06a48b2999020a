//! The two sides of a comparison, and since when they differ.
use super::{Field, Paint, Section, Topic, capture};
use crate::compare::{self, Comparison};
use crate::packet::{Address, AddressType};
use crate::prose::{Piece, Text, quoted};
use crate::report::{Report, safe, words};
use crate::text;
use crate::timeline::{Capture, Connection, Peer};
use std::collections::HashSet;

/// No more devices are named that only the reference has.
const MOST_ELSEWHERE: usize = 3;

/// What the two lanes are called.
pub fn labels(report: &Report, comparison: &Comparison) -> (String, String) {
    if report.captures.len() == 1 {
        return (
            format!("#{}", comparison.reference.connection),
            format!("#{}", comparison.subject.connection),
        );
    }
    let label =
        |side: compare::Side| safe::fit_middle(&report.label(side.capture), 16).into_owned();
    match (label(comparison.reference), label(comparison.subject)) {
        // Long names that begin alike do not tell the sides apart.
        (one, other) if one == other => ("reference".to_owned(), "subject".to_owned()),
        both => both,
    }
}

/// `same until frame 412 / 377, then …`.
pub fn divergence(report: &Report, comparison: &Comparison) -> Text {
    let (left, right) = labels(report, comparison);
    let (left, right) =
        (name(&left, "reference", Piece::Reference), name(&right, "subject", Piece::Subject));
    diverge(comparison).with_sides(&left, &right)
}

/// A side within a sentence.
fn name(label: &str, role: &str, side: Piece) -> Text {
    if label == role { side.into() } else { quoted(label).into() }
}

fn diverge(comparison: &Comparison) -> Text {
    let normal =
        comparison.steps.iter().filter(|step| step.normal && !step.note.is_empty()).count()
            + comparison
                .steps
                .iter()
                .filter(|step| step.normal && step.note.is_empty() && step.why.is_some())
                .count();
    match (&comparison.divergence, comparison.same_until) {
        (Some(says), Some((left, right))) => {
            text!("same until frame {} / frame {}, then {}", left, right, *says)
        }
        (Some(says), None) => text!("from the beginning: {}", *says),
        (None, _) if normal == 0 => "no difference".into(),
        (None, _) => text!(
            "no difference but {} that are normal between two hosts (--strict shows them)",
            normal
        ),
    }
}

/// What each side is and how it came out: host, controller, device, attempts, times.
pub fn sides(report: &Report) -> Section {
    let mut section = Section::new(Topic::Sides, "The two sides");
    let side = |side: compare::Side| {
        let capture = report.captures.get(side.capture)?;
        Some((capture, capture.connection(side.connection)))
    };
    let (columns, titles): (Vec<(&Capture, Option<&Connection>)>, Vec<String>) =
        match &report.comparison {
            Some(comparison) => {
                let (left, right) = labels(report, comparison);
                let both = [comparison.reference, comparison.subject];
                (
                    both.into_iter().filter_map(side).collect(),
                    vec![role(&left, "reference"), role(&right, "subject")],
                )
            }
            None => {
                section.title = "Captures".into();
                let column = |(index, capture)| (capture, report.most_telling(index));
                (
                    report.captures.iter().enumerate().map(column).collect(),
                    (0..report.captures.len()).map(|index| report.label(index)).collect(),
                )
            }
        };
    let mut header = vec![Field::default()];
    header.extend(titles.into_iter().map(Field::from));
    let mut rows = Vec::new();
    type Says<'a> = &'a dyn Fn(&Capture, Option<&Connection>) -> Option<Text>;
    let mut row = |name: &'static str, says: Says<'_>| {
        let cells: Vec<Option<Text>> = columns.iter().map(|(c, link)| says(c, *link)).collect();
        if cells.iter().any(Option::is_some) {
            let mut row = vec![Field::from(name)];
            row.extend(cells.into_iter().map(|cell| Field::from(cell.unwrap_or("-".into()))));
            rows.push(row);
        }
    };
    row("capture", &|capture, _| {
        let (file, records) = (quoted(&capture.file), capture.totals.records);
        Some(text!("{}, {}, {} records", file, capture.format, records))
    });
    row("time", &|capture, _| capture::time(capture));
    row("host", &|capture, _| words::host(capture));
    row("adapter", &|capture, link| {
        let adapter = |index| capture.adapters.iter().find(|a| a.index == index);
        let used = link.and_then(|link| adapter(link.adapter)).or(capture.adapters.first());
        used.map(capture::adapter)
    });
    row("device", &|_, link| link.map(compare::describe));
    row("attempts", &|capture, _| match &report.comparison {
        Some(comparison) => {
            let reference = report.captures.len() > 1
                && std::ptr::eq(capture, &report.captures[comparison.reference.capture]);
            let others =
                if reference { &comparison.others.reference } else { &comparison.others.subject };
            (!others.says.is_empty()).then(|| others.says.clone())
        }
        None => Some(text!("{}", capture.connections.len())),
    });
    row("connection", &|_, link| link.map(|link| text!("#{}, {}", link.number, words::link(link))));
    row("outcome", &|_, link| link.map(words::ending));
    section.table(Some(header), rows);
    for device in only_in_reference(report) {
        let reference = report.comparison.as_ref().map_or(0, |c| c.reference.capture);
        let label = text!("only in {}", report.source(reference));
        section.item(label, device, Paint::Plain);
    }
    section
}

/// `mac (reference)`.
pub fn role(label: &str, role: &str) -> String {
    if label == role { label.to_owned() } else { format!("{label} ({role})") }
}

/// Devices that the reference connected to, and that the subject neither connected to nor heard
/// although it listened. A capture may hold more than the pair that is compared.
pub fn only_in_reference(report: &Report) -> Vec<Text> {
    let Some(comparison) = report.comparison.as_ref().filter(|_| report.captures.len() > 1) else {
        return Vec::new();
    };
    let capture = |side: compare::Side| report.captures.get(side.capture);
    let (Some(reference), Some(subject)) =
        (capture(comparison.reference), capture(comparison.subject))
    else {
        return Vec::new();
    };
    if subject.devices.iter().all(|device| device.reports == 0) {
        return Vec::new();
    }
    let Some(compared) = reference.connection(comparison.reference.connection) else {
        return Vec::new();
    };
    let theirs: HashSet<Address> = subject
        .connections
        .iter()
        .flat_map(|c| addresses(&c.peer))
        .chain(
            subject
                .devices
                .iter()
                .flat_map(|d| [Some(d.address), d.identity.map(|i| i.0)])
                .flatten(),
        )
        .collect();
    let names: HashSet<&str> = subject
        .connections
        .iter()
        .filter_map(|c| c.peer.name.as_deref())
        .chain(subject.devices.iter().filter_map(|d| d.name.as_deref()))
        .collect();
    let mut said = HashSet::new();
    let mut only = Vec::new();
    for connection in &reference.connections {
        let peer = &connection.peer;
        // A private address says nothing: the next one is another.
        let lasting = peer.identity.is_some()
            || peer.address.is_some_and(|address| match peer.address_type {
                Some(AddressType::RANDOM) => address.0[5] >= 0xc0,
                _ => true,
            });
        let known = addresses(peer).any(|address| theirs.contains(&address))
            || peer.name.as_deref().is_some_and(|name| names.contains(name));
        if connection.connected()
            && connection.peer_heard()
            && lasting
            && !known
            && !compare::same_peer(compared, connection)
        {
            let device = compare::describe(connection);
            if said.insert(device.to_string()) {
                only.push(text!(
                    "{}: connected here (#{}), and in {} neither connected to nor heard advertising",
                    device,
                    connection.number,
                    report.source(comparison.subject.capture)
                ));
            }
        }
    }
    only.truncate(MOST_ELSEWHERE);
    only
}

fn addresses(peer: &Peer) -> impl Iterator<Item = Address> {
    [peer.address, peer.on_air, peer.identity.map(|identity| identity.0)].into_iter().flatten()
}
