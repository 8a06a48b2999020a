//! A side that is a log: what it tells, what it leaves open, and which capture would settle that.
use super::headline::{Headline, Kind};
use super::result;
use crate::compare::Side;
use crate::packet::Status;
use crate::prose::{Text, count, quoted};
use crate::report::{Report, safe};
use crate::witness::{Failure, Log, Open, Reason, Testimony, Told};

/// Most devices that are told of.
const MOST_DEVICES: usize = 2;
/// A line's words are cut to so many columns.
const WORDS: usize = 48;

/// What settles whatever a log leaves open.
pub const SETTLES: &str = "A capture settles it: record HCI on the host that wrote the log, from before the attempt until after the error (`btmon -w FILE` on Linux; `hcidiff doctor` has the steps of other hosts).";

/// The last side that is a log.
pub fn side(report: &Report) -> Option<&Testimony> {
    report.testimonies.iter().rfind(|testimony| testimony.alone)
}

/// The result where a side is a log and no rule speaks.
pub fn headline(report: &Report, testimony: &Testimony) -> Headline {
    let label = report.label(testimony.capture);
    let attempts = testimony.log.attempts();
    let bad = attempts.iter().filter(|attempt| attempt.is_bad()).count();
    let (kind, says) = match (attempts.len(), bad) {
        (0, _) => (Kind::Alone, format!("{label}: this log tells of no attempt to connect")),
        (_, 0) => (Kind::Works, format!("{label}: nothing failed, as far as this log tells")),
        (1, _) => (Kind::Alone, format!("{label}: the attempt failed; this log does not say why")),
        (all, bad) => (
            Kind::Alone,
            format!("{label}: {bad} of {all} attempts failed; this log does not say why"),
        ),
    };
    let told = match attempts.is_empty() {
        true => format!(
            "Of its {} lines {} are about connections.",
            testimony.log.lines, testimony.log.understood
        ),
        false => story(&attempts).join(" "),
    };
    Headline::new(kind, quoted(&says)).why(quoted(&told))
}

/// What the log tells of each device, in a sentence or two.
pub fn story(attempts: &[Told]) -> Vec<String> {
    let mut devices = Vec::new();
    for attempt in attempts {
        if !devices.contains(&attempt.device) {
            devices.push(attempt.device);
        }
    }
    let mut says: Vec<String> = devices
        .iter()
        .take(MOST_DEVICES)
        .map(|device| {
            let own: Vec<&Told> = attempts.iter().filter(|of| of.device == *device).collect();
            let whom = device.map_or_else(|| "a device".to_owned(), |device| device.to_string());
            format!("{} to {whom}: {}.", count(own.len(), "attempt", "attempts"), ends(&own))
        })
        .collect();
    if let Some(more @ 1..) = devices.len().checked_sub(MOST_DEVICES) {
        says.push(format!("{} more.", count(more, "device", "devices")));
    }
    says
}

/// How the attempts to one device ended: equal ends once, with their number.
fn ends(attempts: &[&Told]) -> String {
    let mut ends: Vec<(String, Vec<&Told>)> = Vec::new();
    for attempt in attempts {
        let says = end(attempt);
        match ends.iter_mut().find(|(other, _)| *other == says) {
            Some((_, alike)) => alike.push(attempt),
            None => ends.push((says, vec![attempt])),
        }
    }
    let all = attempts.len();
    let told = ends.iter().map(|(says, alike)| {
        let times = match alike.len() {
            _ if all == 1 => String::new(),
            1 => "one: ".to_owned(),
            many if many == all => "each time: ".to_owned(),
            many => format!("{many} times: "),
        };
        format!("{times}{says}{}", lasted(alike))
    });
    told.collect::<Vec<_>>().join("; ")
}

/// How long the links were up.
fn lasted(attempts: &[&Told]) -> String {
    let lasted = || attempts.iter().filter_map(|attempt| attempt.lasted);
    match (lasted().min(), lasted().max()) {
        (Some(shortest), Some(longest)) if shortest == longest => format!(", after {longest}"),
        (Some(shortest), Some(longest)) => format!(", after {shortest} to {longest}"),
        _ => String::new(),
    }
}

/// How one attempt ended, as the log has it.
fn end(attempt: &Told) -> String {
    let up = attempt.up.is_some();
    if attempt.host_went.is_some() {
        return "the adapter or the daemon went away while the link was up".to_owned();
    }
    if let Some(reason) = attempt.reasons.iter().find_map(|reason| reason_words(*reason, up)) {
        return reason;
    }
    if attempt.hung_up {
        return "a program ended the link".to_owned();
    }
    let failed = attempt.failed.and_then(|(_, how)| failure_words(how));
    match (up, attempt.end.is_some(), failed) {
        (true, true, Some(failed)) => format!("the link ended, and {failed}"),
        (true, true, None) => "the link ended, and no line says who ended it".to_owned(),
        (true, false, Some(failed)) => format!("the link came up, and {failed}"),
        (true, false, None) => "the link came up, and no line tells of its end".to_owned(),
        (false, _, Some(failed)) => format!("no link came up: {failed}"),
        (false, _, None) => "no line tells what became of it".to_owned(),
    }
}

/// A reason in words. What says nothing has none.
fn reason_words(reason: Reason, up: bool) -> Option<String> {
    Some(match reason {
        Reason::Hci(code) => format!("it ended with {}", Status(code)),
        Reason::Errno(38) => "the link was never established (0x3E)".to_owned(),
        Reason::Mgmt(1) | Reason::Errno(110) => "the link was lost, a timeout".to_owned(),
        Reason::Mgmt(2) => "this host ended the link".to_owned(),
        Reason::Mgmt(3) => "the device hung up".to_owned(),
        Reason::Mgmt(4) | Reason::Errno(111) => "authentication failed".to_owned(),
        Reason::Mgmt(5) => "this host went to sleep".to_owned(),
        Reason::Mgmt(8) if !up => "nobody answered the connect request".to_owned(),
        Reason::Cancelled => "this host cancelled its request".to_owned(),
        Reason::Gatt133 => "status 133, which stands for several causes".to_owned(),
        Reason::Unsaid | Reason::Mgmt(_) | Reason::Errno(_) => return None,
    })
}

fn failure_words(how: Failure) -> Option<String> {
    Some(
        match how {
            Failure::AbortByLocal => "the daemon called it `le-connection-abort-by-local`",
            Failure::Cancelled => "the daemon called it canceled",
            Failure::InProgress => "the daemon refused, because an older attempt was open",
            Failure::DeviceNotFound => "the device was not found",
            Failure::CharacteristicNotFound => "a characteristic was not found",
            Failure::LostInDiscovery => "it was lost while the services were discovered",
            Failure::NotDiscovered => "the program had lost its services",
            Failure::UnlikelyError => "a request failed with \u{201c}Unlikely Error\u{201d}",
            Failure::TimedOut => "the program's time ran out",
            Failure::AdapterOff => "the adapter was off or missing",
            Failure::NoDaemon => "no daemon was there",
            Failure::Authentication => "authentication failed",
            Failure::Gatt133 => "it was status 133, which stands for several causes",
            Failure::NoSlot => "all connection slots were taken",
            Failure::Other => return None,
        }
        .to_owned(),
    )
}

/// What the log's words leave open: the words, and the truths that they stand for.
pub fn open(report: &Report, log: &Log) -> Vec<String> {
    let says = |Open { claim, stands_for, .. }: Open| {
        let claim = log.claims.get(claim)?;
        // Hidden before it is cut: no half of an address stays.
        let words = report.visible(&Text::from(quoted(&claim.text)));
        let words = safe::fit(&words, WORDS).into_owned();
        Some(format!("line {}, \u{201c}{words}\u{201d}, stands for {stands_for}.", claim.line))
    };
    log.open().into_iter().filter_map(says).collect()
}

/// What the other side tells, which is a capture.
pub fn beside(report: &Report, testimony: &Testimony) -> Option<Text> {
    let other = (0..report.captures.len()).find(|at| *at != testimony.capture)?;
    let connection = report.most_telling(other)?;
    result::of_side(report, Side { capture: other, connection: connection.number })
}
