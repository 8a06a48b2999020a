//! What a capture is measured by: the link that its report tells, before it ended.
//!
//! How a link ended is what the groups were made by, so it is no feature. A step that a link was too short
//! for is not missing: it is not measured.
use super::apart::{STEP, WHEN};
use crate::compare::{Names, words};
use crate::timeline::{Capture, Connection, Outcome, Procedure};
use std::collections::BTreeMap;

/// One measured thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Feature {
    /// It is there, or not.
    Truth(bool),
    /// How much, or when.
    Number(f64),
}

/// All features of a capture, by name.
pub type Features = BTreeMap<String, Feature>;

/// Steps that every link of a host has, or that come by the dozen, tell nothing by their name.
const NOT_COUNTED: [Procedure; 3] = [Procedure::Disconnect, Procedure::Scan, Procedure::Other];

/// The most different steps of one link; a hostile capture has more.
const MOST: usize = 200;

/// What is measured of a connection.
pub fn of(capture: &Capture, c: &Connection) -> Features {
    let mut features = Features::new();
    let ms = |span: crate::time::Span| span.0 as f64 / 1000.0;
    let mut number = |name: &str, value: Option<f64>| {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            features.insert(name.to_owned(), Feature::Number(value));
        }
    };
    let request = c.request.as_deref();
    number("connect: scan interval (ms)", request.map(|r| f64::from(r.scan_interval) * 0.625));
    number("connect: scan window (ms)", request.map(|r| f64::from(r.scan_window) * 0.625));
    number(
        "connect: interval asked at least (ms)",
        request.map(|r| f64::from(r.interval_min) * 1.25),
    );
    number(
        "connect: interval asked at most (ms)",
        request.map(|r| f64::from(r.interval_max) * 1.25),
    );
    number("link: interval (ms)", c.granted.map(|g| g.interval().as_ms()));
    number("link: latency", c.granted.map(|g| f64::from(g.latency)));
    number("link: supervision timeout (ms)", c.granted.map(|g| g.timeout().as_ms()));
    number("link: peer first heard (ms)", c.heard.and_then(|heard| c.after(heard.seen.at)).map(ms));
    number("mtu: effective", c.mtu.as_ref().and_then(|mtu| mtu.effective()).map(f64::from));
    number(
        "advertising: signal before the request (dBm)",
        c.report_before.as_ref().and_then(|report| report.rssi).map(f64::from),
    );
    number("adapter: connections before", Some(f64::from(c.number.saturating_sub(1))));
    let wait = c.up.zip(request).and_then(|(up, request)| up.at.since(request.at));
    number("connect: wait (ms)", wait.map(ms));
    if c.connected() {
        features.insert("link: peer heard".into(), Feature::Truth(c.peer_heard()));
        features.insert("link: encrypted".into(), Feature::Truth(c.encrypted));
    }
    if c.start_seen && c.elided_steps == 0 {
        steps(capture, c, &mut features);
    }
    features
}

/// Which steps there were, when the first of a kind came, and how long its answer took.
fn steps(capture: &Capture, c: &Connection, features: &mut Features) {
    let names = Names::of(capture, c);
    for step in c.steps.iter().filter(|step| !NOT_COUNTED.contains(&step.procedure)) {
        let name = words::step(c, &names, step).to_string();
        let name = name.split(" ×").next().unwrap_or(&name).to_owned();
        let there = format!("{STEP}{name}");
        if features.contains_key(&there) || features.len() > MOST {
            continue;
        }
        features.insert(there, Feature::Truth(true));
        let ms = |span: crate::time::Span| span.0 as f64 / 1000.0;
        if let Some(at) = c.after(step.first.at) {
            features.insert(format!("{WHEN}{name} (ms)"), Feature::Number(ms(at)));
        }
        if step.outcome == Outcome::Ok
            && let Some(took) = step.last.at.since(step.first.at)
            && step.count == 1
        {
            features.insert(format!("took: {name} (ms)"), Feature::Number(ms(took)));
        }
    }
}

/// For how long a connection was watched, in milliseconds: to its end, or for good.
pub fn watched_ms(c: &Connection) -> f64 {
    if !c.connected() || !c.start_seen || c.elided_steps > 0 {
        return 0.0;
    }
    match c.life() {
        Some(life) => life.0 as f64 / 1000.0,
        None if c.end_seen || c.gone.is_some() => 0.0,
        None => f64::INFINITY,
    }
}
