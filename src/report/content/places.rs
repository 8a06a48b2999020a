//! Where things are: the hosts and adapters in one line, and cited frames as other tools find them.
use super::capture;
use crate::diagnose::{Evidence, Finding};
use crate::prose::Text;
use crate::report::{Report, words};
use crate::text;
use crate::timeline::Capture;

/// Most frames of one display filter.
const MOST_FRAMES: usize = 12;

/// The hosts, their adapters and the formats of the captures, in one line.
pub fn environment(report: &Report) -> Text {
    let side = |(index, capture): (usize, &Capture)| {
        let mut parts = vec![words::host(capture).unwrap_or("host unknown".into())];
        let used = report
            .most_telling(index)
            .and_then(|link| capture.adapters.iter().find(|adapter| adapter.index == link.adapter));
        let maker = used.or(capture.adapters.first()).and_then(capture::maker);
        parts.extend(maker);
        parts.push(capture.format.into());
        text!("{}: {}", report.source(index), Text::joined(parts, ", "))
    };
    let sides = Text::joined(report.captures.iter().enumerate().map(side), "; ");
    if sides.is_empty() { sides } else { text!("Environment: {}.", sides) }
}

/// A cited frame, and what btmon calls it, where it counts differently.
pub fn frame(report: &Report, evidence: &Evidence) -> Text {
    let frame = evidence.frame;
    let capture = evidence.source.capture().and_then(|index| report.captures.get(index));
    match capture.and_then(|capture| capture.btmon_number(frame)) {
        Some(number) => text!("frame {} (btmon #{})", frame, number),
        None => evidence.place(),
    }
}

/// What to type in Wireshark to see the frames of one capture that a finding cites. Packets of a text
/// have no number there.
pub fn display_filter(capture: &Capture, index: usize, finding: &Finding) -> Option<String> {
    if capture.format.ends_with("-text") {
        return None;
    }
    let cited = finding.evidence.iter().filter(|evidence| evidence.source == index.into());
    let mut frames: Vec<u32> = cited.map(|evidence| evidence.frame).take(MOST_FRAMES).collect();
    frames.sort_unstable();
    frames.dedup();
    let frames: Vec<String> = frames.iter().map(u32::to_string).collect();
    match frames.as_slice() {
        [] => None,
        [one] => Some(format!("frame.number == {one}")),
        many => Some(format!("frame.number in {{{}}}", many.join(", "))),
    }
}
