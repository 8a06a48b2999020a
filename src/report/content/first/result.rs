//! What became of one connection, certain and in plain words: no cause is named here.
use crate::compare::{Failure, Side, Standing, same_peer};
use crate::packet::Status;
use crate::prose::{Piece, Text};
use crate::report::{Report, safe, words};
use crate::text;
use crate::timeline::{AdapterLoss, Capture, Connection, EndedBy};

/// A host with a longer label is "this host" within a sentence that has begun with the label.
const SHORT_LABEL: usize = 14;

/// What a device is called where there is little room: its name, else its address.
pub fn device(connection: &Connection) -> Piece {
    let peer = &connection.peer;
    let named = peer.name.as_deref().filter(|name| !name.trim().is_empty());
    match (named, peer.address.or(peer.identity.map(|identity| identity.0))) {
        (Some(name), _) => Piece::Called(name.into()),
        (None, Some(address)) => Piece::Address(address),
        (None, None) => Piece::Plain("the device".into()),
    }
}

/// `pi: LabSensor hung up after 5.01 s (0x13)`.
pub fn of_side(report: &Report, side: Side) -> Option<Text> {
    let connection = report.captures.get(side.capture)?.connection(side.connection)?;
    Some(text!("{}: {}", whose(report, side), of(report, side.capture, connection)))
}

/// Whether something of value passed on this side, and nothing failed.
pub fn works(report: &Report, side: Side) -> bool {
    let connection = report.captures.get(side.capture).and_then(|c| c.connection(side.connection));
    connection.is_some_and(|c| Failure::of(c).is_none() && Standing::of(c).usable)
}

/// The side, and the attempt where both are in one capture.
pub fn whose(report: &Report, side: Side) -> Text {
    let label = report.source(side.capture);
    match (&report.comparison, report.captures.len()) {
        (Some(_), 1) => text!("{}, attempt #{}", label, side.connection),
        _ => label.into(),
    }
}

/// What became of a connection: who did what, when, and the code that people search for.
pub fn of(report: &Report, capture: usize, connection: &Connection) -> Text {
    let device = device(connection);
    let host = match safe::width(&report.label(capture)) {
        long if long > SHORT_LABEL => Piece::Plain("this host".into()),
        _ => report.source(capture),
    };
    if !connection.connected() {
        return match connection.status {
            Some(Status::UNKNOWN_CONNECTION_IDENTIFIER) => {
                text!("no connection to {}: {} gave up waiting (0x02)", device, host)
            }
            Some(Status::SUCCESS) | None => {
                text!("no connection to {} until the capture ends", device)
            }
            Some(status) => text!("no connection to {}: {}", device, status),
        };
    }
    if let Some(gone) = &connection.gone {
        let what = match (gone.how, gone.by) {
            (AdapterLoss::Removed, _) => "its adapter was removed",
            (AdapterLoss::PoweredOff, EndedBy::Host) => "it switched its adapter off",
            (AdapterLoss::PoweredOff, _) => "its adapter was closed",
            (AdapterLoss::Reset, _) => "its adapter was reset",
        };
        return text!("{} lost {}: {}", host, device, what);
    }
    if connection.only_requested() {
        return text!(
            "only the connect request to {} was heard; the sniffer did not follow the link",
            device
        );
    }
    let was = if Standing::of(connection).usable { "worked" } else { "was connected" };
    let Some(end) = &connection.end else {
        let open = connection.capture_end.since(connection.zero());
        let open = open.map(|open| text!(" for {}", open));
        return match Failure::of(connection) {
            Some(Failure::Security(_)) => {
                text!("pairing or encryption with {} failed; the link stayed up{}", device, open)
            }
            Some(_) => text!("{} {}{}, then left a request unanswered", device, was, open),
            None if connection.end_unknown => {
                text!("{} {}; how it ended is not in this capture", device, was)
            }
            None => text!("{} {}{}, until the capture ends", device, was, open),
        };
    };
    let after = connection.life().map(|life| text!(" after {}", life));
    let then = connection.life().map(|life| text!(" for {}", life));
    let code = text!("{}", format_args!("{:#04x}", end.reason.0));
    match Failure::of(connection) {
        Some(Failure::Security(_)) => {
            text!("pairing or encryption with {} failed; ended{} ({})", device, after, code)
        }
        Some(Failure::Unanswered) => {
            text!("{} left a request unanswered; {} hung up{}", device, host, after)
        }
        _ if end.by == EndedBy::Host => {
            let sent = end.reason_sent.filter(|sent| *sent != Status::REMOTE_USER_TERMINATED);
            let sent = sent.map(|sent| text!(" ({})", sent));
            text!("{} {}{}, then {} disconnected{}", device, was, then, host, sent)
        }
        None => text!("{} {}{}, then it disconnected", device, was, then),
        Some(_) => match end.reason {
            Status::FAILED_TO_BE_ESTABLISHED if !connection.peer_heard() => {
                text!("{} never answered ({}, \"error 62\")", device, code)
            }
            Status::FAILED_TO_BE_ESTABLISHED => {
                text!("{} was lost{} ({}, \"error 62\")", device, after, code)
            }
            Status::CONNECTION_TIMEOUT => {
                text!("{} fell silent, link lost{} ({}, timeout)", device, after, code)
            }
            Status::REMOTE_USER_TERMINATED
            | Status::REMOTE_LOW_RESOURCES
            | Status::REMOTE_POWER_OFF => text!("{} hung up{} ({})", device, after, code),
            reason => text!("{}: {} lost{} ({})", words::reason(reason), device, after, code),
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
