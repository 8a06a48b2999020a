//! Attempts that asked for a link, waited, and got none.
use super::{Scene, Sight};
use crate::packet::{Address, AddressType, Status};
use crate::seen::Seen;
use crate::text;
use crate::time::{Moment, Span};
use crate::timeline::{Capture, Connection, Happening, Request, RequestKind, Transport};

/// The shortest wait that says anything: phones cancel and re-arm their background requests all the time.
const SHORTEST: Span = Span::from_ms(4000);

/// A request by list goes on where it is made again this soon; where Bluetooth is switched off this soon, that is why
/// it was taken back.
const REARMED: Span = Capture::RENEWED;

/// A request that was cancelled after a wait in vain.
pub struct Wait<'a> {
    pub request: &'a Request,
    pub lasted: Span,
    /// Connection Complete with status 0x02: the cancel succeeded.
    pub end_frame: u32,
    /// For whom. None: for any device of the accept list.
    pub whom: Option<(Address, AddressType)>,
}

impl Wait<'_> {
    /// What a sentence needs of it.
    pub fn facts(&self) -> Waited {
        let Request { kind, seen, cancelled, .. } = *self.request;
        Waited {
            kind,
            whom: self.whom,
            frame: seen.frame,
            cancel_frame: cancelled.map(|seen| seen.frame),
            end_frame: self.end_frame,
            lasted: self.lasted,
        }
    }
}

/// A wait in vain, as facts.
#[derive(Clone, Copy, Debug)]
pub struct Waited {
    pub kind: RequestKind,
    /// None: any device of the accept list.
    pub whom: Option<(Address, AddressType)>,
    pub frame: u32,
    pub cancel_frame: Option<u32>,
    pub end_frame: u32,
    pub lasted: Span,
}

impl Waited {
    /// The frames that show the wait.
    pub fn sights(&self) -> Vec<Sight> {
        let whom = match self.whom {
            Some((address, kind)) => text!("{} ({})", address, kind),
            None => text!("any device of the accept list"),
        };
        let mut sights = vec![Sight::here(self.frame, text!("{} to {}", self.kind, whom))];
        sights.extend(
            self.cancel_frame.map(|frame| {
                Sight::here(frame, text!("cancelled by the host after {}", self.lasted))
            }),
        );
        sights.push(Sight::here(
            self.end_frame,
            "Connection Complete, status 0x02: the cancel succeeded",
        ));
        sights
    }
}

/// The wait of an LE attempt that was long enough.
///
/// One for any device of the accept list counts only where the host then stopped waiting for good: phones renew such
/// requests all the time, and whoever switches Bluetooth off takes them back.
pub fn in_vain<'a>(scene: &Scene<'_>, connection: &'a Connection) -> Option<Wait<'a>> {
    let request = connection.request.as_deref()?;
    let cancelled = request.cancelled?;
    let ended = connection.status == Some(Status::UNKNOWN_CONNECTION_IDENTIFIER)
        && connection.transport == Transport::Le;
    let lasted = cancelled.since(request).filter(|lasted| *lasted >= SHORTEST)?;
    let whom = connection.wanted();
    let counts = ended && (whom.is_some() || !goes_on(scene, connection, cancelled));
    counts.then_some(Wait { request, lasted, end_frame: connection.status_frame()?, whom })
}

/// Whether a request by list was taken back only to be renewed, or because Bluetooth was switched off.
fn goes_on(scene: &Scene<'_>, connection: &Connection, cancelled: Seen) -> bool {
    let capture = scene.capture();
    let soon = |at: Moment| at.since(cancelled.at).is_some_and(|gap| gap < REARMED);
    let events = &capture.adapter_events;
    let after = events.partition_point(|e| e.frame <= cancelled.frame);
    let after = events.get(after..).unwrap_or_default().iter();
    let off = after.take_while(|e| soon(e.at)).any(|e| {
        use Happening::{AcceptListCleared, IndexClosed, Powered, Reset};
        e.adapter == connection.adapter
            && matches!(e.what, AcceptListCleared | IndexClosed | Powered(false) | Reset)
    });
    off || capture.renewed(connection)
}

/// Another attempt that the adapter was still busy with when this one was asked for.
pub fn pending<'a>(scene: &Scene<'a>, connection: &Connection) -> Option<&'a Connection> {
    scene.capture().connection(connection.request.as_deref()?.behind?)
}
