//! Attempts that asked for a link, waited, and got none.
use super::{Scene, Sight, see};
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
    let after = see::events_after(capture, cancelled.frame).iter();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::hci::Command;
    use crate::trace::Trace;

    /// A request for anybody of the list, which waits and is taken back: 0.2 ms lie between the command and the last packet.
    fn waits() -> Trace {
        Trace::new().create_for_anybody().wait_ms(20_500).cancel()
    }

    /// Whether the first request waited in vain, and was given up for good.
    fn given_up(trace: Trace) -> bool {
        let captures = [trace.run()];
        let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
        in_vain(&scene, &captures[0].connections[0]).is_some()
    }

    #[test]
    fn a_request_by_list_is_taken_back_where_bluetooth_is_switched_off() {
        assert!(given_up(waits()));
        assert!(!given_up(waits().done(Command::Reset {})));
        assert!(!given_up(waits().done(Command::LeClearFilterAcceptList {})));
        assert!(!given_up(waits().monitor(9, &[])), "the adapter is closed");
        assert!(given_up(waits().scan(true, 96, 48)), "a scan goes on without it");
        assert!(given_up(waits().adapter(1).done(Command::Reset {})), "another adapter");
        assert!(given_up(Trace::new().done(Command::Reset {}).followed_by(waits())), "before it");
        // A request for one device waits for that one, whatever comes then.
        assert!(given_up(Trace::new().asks_in_vain().done(Command::Reset {})));
    }

    #[test]
    fn bluetooth_is_switched_off_within_two_seconds() {
        let reset = |us: u32| given_up(waits().after_us(us - 200).done(Command::Reset {}));
        assert!(!reset(1_999_999));
        assert!(reset(2_000_000));
    }

    #[test]
    fn a_request_by_list_that_is_made_again_goes_on() {
        assert!(!given_up(waits().wait_ms(900).create_for_anybody()));
        assert!(given_up(waits().wait_ms(9_000).create_for_anybody()));
    }

    #[test]
    fn a_wait_lasts_four_seconds_at_least() {
        // The status comes 0.1 ms after the command.
        let of = |us: u32| given_up(Trace::new().create().after_us(us - 100).cancel());
        assert!(of(4_000_000));
        assert!(!of(3_999_999));
        let refused = Trace::new().create().wait_ms(20_500);
        let other = refused.connect_failed(Status::UNSPECIFIED_ERROR);
        assert!(!given_up(other), "it ended for another reason");
    }
}
