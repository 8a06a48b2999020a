//! What rules share that look at the air: one link as a sniffer heard it, and whose connection it is.
use super::{Confidence, Level, Scene, Sight};
use crate::air::Link;
use crate::packet::Status;
use crate::prose::Text;
use crate::seen::Seen;
use crate::text;
use crate::timeline::Connection;

/// A sniffer that heard nothing of so many events, in percent, may have missed what it does not show.
const MISSED_MUCH: u32 = 10;

/// A link as a sniffer heard it.
pub struct Heard<'a> {
    /// The link.
    pub link: &'a Link,
    /// The link in the sniffer's own capture.
    pub connection: &'a Connection,
    /// The connection of the capture under diagnosis that it is: the same, where that capture is the sniffer's.
    pub host: &'a Connection,
}

/// All links on the air that belong to the capture under diagnosis.
pub(super) fn heard<'a>(scene: &Scene<'a>) -> Vec<Heard<'a>> {
    let capture = scene.capture();
    let own = capture.connections.iter().filter_map(|connection| {
        let link = connection.air.as_deref()?;
        Some(Heard { link, connection, host: connection })
    });
    let sniffed = scene.witnesses().filter_map(|testimony| testimony.air.as_ref());
    let joined = sniffed.flat_map(|air| {
        air.joined.iter().filter_map(|joined| {
            let connection = air.capture.connection(joined.on_air)?;
            let host = capture.connection(joined.number)?;
            Some(Heard { link: connection.air.as_deref()?, connection, host })
        })
    });
    own.chain(joined).collect()
}

impl Heard<'_> {
    /// As sure as the sniffer's gaps allow.
    pub fn sure(&self, confidence: Confidence) -> Confidence {
        match confidence {
            _ if !self.lossy() => confidence,
            Confidence::High => Confidence::Medium,
            _ => Confidence::Low,
        }
    }

    /// The sniffer itself missed much of the link.
    pub fn lossy(&self) -> bool {
        self.link.sniffer_missed() >= MISSED_MUCH
    }

    /// How much it missed, where that weakens a finding.
    pub fn gaps(&self) -> Option<Text> {
        self.lossy().then(|| {
            text!(
                "The sniffer heard nothing of {} % of the connection events: record again with the sniffer between the two devices.",
                self.link.sniffer_missed()
            )
        })
    }

    /// The link ended in a way that nobody chose.
    pub fn died(&self) -> bool {
        let reason = self.connection.reason().or(self.host.reason());
        reason.is_some_and(|reason| {
            !matches!(reason, Status::REMOTE_USER_TERMINATED | Status::LOCAL_HOST_TERMINATED)
        })
    }

    /// A cause where the link died, else worth a note.
    pub fn level(&self) -> Level {
        if self.died() { Level::Cause } else { Level::Note }
    }

    /// The connect request, as evidence.
    pub fn request(&self) -> Option<Sight> {
        self.link.request.map(|request| Sight::of(request.seen, "the connect request on the air"))
    }
}

/// A packet on the air, as evidence.
pub(super) fn sight(seen: Seen, shows: impl Into<Text>) -> Sight {
    Sight::of(seen, shows)
}

/// The rule that says what a sniffer's capture beside this one shows of a connection that was never heard.
pub(super) fn points_to(scene: &Scene<'_>, connection: &Connection) -> Option<&'static str> {
    // Most captures have no sniffer beside them, and many have very many links.
    let mut sniffed = scene.witnesses().filter_map(|testimony| testimony.air.as_ref()).peekable();
    let is_sniffed = sniffed.peek().is_some();
    let beside = sniffed.find_map(|air| {
        let joined = air.joined.iter().find(|joined| joined.number == connection.number)?;
        air.capture.connection(joined.on_air)?.air.as_deref()
    });
    let link = connection.air.as_deref().or(beside);
    match link.map(|link| link.first_answer.is_some()) {
        Some(true) => Some("peripheral-answered-unheard"),
        Some(false) => Some("peripheral-never-answered"),
        None => is_sniffed.then_some("connect-request-never-sent"),
    }
}
