//! Whom a finding is about.
use crate::compare::{self, Tally};
use crate::diagnose::Finding;
use crate::report::Report;
use crate::timeline::Connection;

/// The one device that a finding is about, and how many attempts there are to it.
pub struct About {
    /// Its name in quotation marks, else its address.
    pub device: String,
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

fn named(connection: &Connection) -> Option<String> {
    let peer = &connection.peer;
    match &peer.name {
        Some(name) => Some(format!("\"{name}\"")),
        None => peer.who().map(|address| address.to_string()),
    }
}

/// Findings by device: those about the verdict's device first, then those about the device of the gravest that is
/// left. Within a device they stand in order of weight.
pub fn by_device<'a>(report: &'a Report, findings: &[&'a Finding]) -> Vec<&'a Finding> {
    let mut groups: Vec<(Option<String>, Vec<&Finding>)> = Vec::new();
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
pub fn share(finding: &Finding, about: Option<&About>) -> String {
    let Some(Tally { attempts: attempts @ 2.., open, .. }) = about.map(|about| about.tally) else {
        return String::new();
    };
    let mut says = match finding.connections.len() {
        all if all >= attempts && attempts == 2 => ", both attempts".to_owned(),
        all if all >= attempts => format!(", all {attempts} attempts"),
        some => format!(", {some} of {attempts} attempts"),
    };
    if open > 0 {
        says.push_str(&format!(", {open} still up"));
    }
    says
}
