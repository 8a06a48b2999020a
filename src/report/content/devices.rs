//! Whom a finding is about.
use crate::compare::{self, Tally};
use crate::diagnose::Finding;
use crate::prose::{Text, name};
use crate::report::Report;
use crate::text;
use crate::timeline::Connection;

/// The one device that a finding is about, and how many attempts there are to it.
pub struct About {
    /// Its name in quotation marks, else its address.
    pub device: Text,
    pub tally: Tally,
}

/// `None` where a finding is about several devices or none, or where nothing names the device.
pub fn about(report: &Report, finding: &Finding) -> Option<About> {
    let capture = report.captures.get(finding.capture)?;
    let first = capture.connection(*finding.connections.first()?)?;
    let one = finding
        .connections
        .iter()
        .filter_map(|number| capture.connection(*number))
        .all(|other| other.number == first.number || compare::same_peer(first, other));
    let device = one.then(|| named(first)).flatten()?;
    Some(About { device, tally: compare::tally(capture, first) })
}

fn named(connection: &Connection) -> Option<Text> {
    let peer = &connection.peer;
    match &peer.name {
        Some(called) => Some(name(called).into()),
        None => peer.who().map(|address| text!("{}", address)),
    }
}

/// Findings by device: those about the verdict's device first, then those about the device of the gravest that is
/// left. Within a device they stand in order of weight.
pub fn by_device<'a>(report: &'a Report, findings: &[&'a Finding]) -> Vec<&'a Finding> {
    let mut groups: Vec<(Option<Text>, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        let device = about(report, finding).map(|about| about.device);
        match groups.iter_mut().find(|(known, _)| *known == device) {
            Some((_, group)) => group.push(finding),
            None => groups.push((device, vec![finding])),
        }
    }
    groups.into_iter().flat_map(|(_, group)| group).collect()
}

/// `, 2 of 5 attempts, 1 still up`: how many of all attempts to the device a finding names. Empty where there is
/// but one.
pub fn share(finding: &Finding, about: Option<&About>) -> Text {
    let Some(Tally { attempts: attempts @ 2.., open, .. }) = about.map(|about| about.tally) else {
        return Text::EMPTY;
    };
    let says = match finding.connections.len() {
        all if all >= attempts && attempts == 2 => ", both attempts".into(),
        all if all >= attempts => text!(", all {} attempts", attempts),
        some => text!(", {} of {} attempts", some, attempts),
    };
    if open > 0 { text!("{}, {} still up", says, open) } else { says }
}
