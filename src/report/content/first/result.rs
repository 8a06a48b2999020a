//! What became of one connection, certain and in plain words: no cause is named here.
use crate::compare::{Failure, Side, Standing, same_peer};
use crate::packet::Status;
use crate::report::{Report, safe, words};
use crate::seen::SourceId;
use crate::timeline::{AdapterLoss, Capture, Connection, EndedBy};

/// Longer names of devices are cut.
const LONGEST_NAME: usize = 24;

/// A host with a longer label is "this host" within a sentence that has begun with the label.
const SHORT_LABEL: usize = 14;

/// What a source is called on the first screen.
pub fn label(report: &Report, source: impl Into<SourceId>) -> String {
    report.label(source)
}

/// What a device is called where there is little room: its name, else its address.
pub fn device(report: &Report, connection: &Connection) -> String {
    let peer = &connection.peer;
    let name = peer.name.as_deref().map(|name| report.visible(name));
    let named = name.filter(|name| !name.trim().is_empty());
    match (named, peer.address.or(peer.identity.map(|identity| identity.0))) {
        // Hidden before it is cut: no half of a name stays.
        (Some(name), _) => safe::fit(name.trim(), LONGEST_NAME).into_owned(),
        (None, Some(address)) => report.visible(&address.to_string()),
        (None, None) => "the device".to_owned(),
    }
}

/// `pi: LabSensor hung up after 5.01 s (0x13)`.
pub fn of_side(report: &Report, side: Side) -> Option<String> {
    let connection = report.captures.get(side.capture)?.connection(side.connection)?;
    Some(format!("{}: {}", whose(report, side), of(report, side.capture, connection)))
}

/// Whether something of value passed on this side, and nothing failed.
pub fn works(report: &Report, side: Side) -> bool {
    let connection = report.captures.get(side.capture).and_then(|c| c.connection(side.connection));
    connection.is_some_and(|c| Failure::of(c).is_none() && Standing::of(c).usable)
}

/// The side, and the attempt where both are in one capture.
pub fn whose(report: &Report, side: Side) -> String {
    let label = label(report, side.capture);
    match (&report.comparison, report.captures.len()) {
        (Some(_), 1) => format!("{label}, attempt #{}", side.connection),
        _ => label,
    }
}

/// What became of a connection: who did what, when, and the code that people search for.
pub fn of(report: &Report, capture: usize, connection: &Connection) -> String {
    let device = device(report, connection);
    let host = label(report, capture);
    let host = if safe::width(&host) > SHORT_LABEL { "this host".to_owned() } else { host };
    if !connection.connected() {
        return match connection.status {
            Some(Status::UNKNOWN_CONNECTION_IDENTIFIER) => {
                format!("no connection to {device}: {host} gave up waiting (0x02)")
            }
            Some(Status::SUCCESS) | None => {
                format!("no connection to {device} until the capture ends")
            }
            Some(status) => format!("no connection to {device}: {status}"),
        };
    }
    if let Some(gone) = &connection.gone {
        let what = match (gone.how, gone.by) {
            (AdapterLoss::Removed, _) => "its adapter was removed",
            (AdapterLoss::PoweredOff, EndedBy::Host) => "it switched its adapter off",
            (AdapterLoss::PoweredOff, _) => "its adapter was closed",
            (AdapterLoss::Reset, _) => "its adapter was reset",
        };
        return format!("{host} lost {device}: {what}");
    }
    let was = if Standing::of(connection).usable { "worked" } else { "was connected" };
    let Some(end) = &connection.end else {
        let open = connection.capture_end.since(connection.zero());
        let open = open.map_or(String::new(), |open| format!(" for {open}"));
        return match Failure::of(connection) {
            Some(Failure::Security(_)) => {
                format!("pairing or encryption with {device} failed; the link stayed up{open}")
            }
            Some(_) => format!("{device} {was}{open}, then left a request unanswered"),
            None => format!("{device} {was}{open}, until the capture ends"),
        };
    };
    let after = connection.life().map_or(String::new(), |life| format!(" after {life}"));
    let then = connection.life().map_or(String::new(), |life| format!(" for {life}"));
    let code = format!("{:#04x}", end.reason.0);
    match Failure::of(connection) {
        Some(Failure::Security(_)) => {
            format!("pairing or encryption with {device} failed; ended{after} ({code})")
        }
        Some(Failure::Unanswered) => {
            format!("{device} left a request unanswered; {host} hung up{after}")
        }
        _ if end.by == EndedBy::Host => {
            let sent = end.reason_sent.filter(|sent| *sent != Status::REMOTE_USER_TERMINATED);
            let sent = sent.map_or(String::new(), |sent| format!(" ({sent})"));
            format!("{device} {was}{then}, then {host} disconnected{sent}")
        }
        None => format!("{device} {was}{then}, then it disconnected"),
        Some(_) => match end.reason {
            Status::FAILED_TO_BE_ESTABLISHED if !connection.peer_heard() => {
                format!("{device} never answered ({code}, \"error 62\")")
            }
            Status::FAILED_TO_BE_ESTABLISHED => {
                format!("{device} was lost{after} ({code}, \"error 62\")")
            }
            Status::CONNECTION_TIMEOUT => {
                format!("{device} fell silent, link lost{after} ({code}, timeout)")
            }
            Status::REMOTE_USER_TERMINATED
            | Status::REMOTE_LOW_RESOURCES
            | Status::REMOTE_POWER_OFF => format!("{device} hung up{after} ({code})"),
            reason => format!("{}: {device} lost{after} ({code})", words::reason(reason)),
        },
    }
}

/// How many of the attempts to this device failed in the same way, and how many there are.
pub fn tries(capture: &Capture, connection: &Connection) -> (usize, usize) {
    let failure = Failure::of(connection);
    let mut counts = (0, 0);
    for other in &capture.connections {
        if other.number == connection.number || same_peer(other, connection) {
            counts.1 += 1;
            counts.0 += usize::from(Failure::of(other) == failure);
        }
    }
    counts
}
