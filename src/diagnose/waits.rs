//! Attempts that asked for a link, waited, and got none.
use super::{Scene, Sight};
use crate::packet::{Address, AddressType, Status};
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Request, RequestKind, Transport};

/// The shortest wait that says anything: phones cancel and re-arm their background requests all the time.
const SHORTEST: Span = Span::from_ms(4000);

/// A request for a background link that is made again this soon was only re-armed.
const REARMED: Span = Span::from_ms(2000);

/// Waits that are somebody's timer, in milliseconds.
const TIMERS: &[i64] = &[5_000, 10_000, 15_000, 20_500, 30_000];

/// How far from a timer's length a wait may be that the timer ended.
const TIMERS_JITTER: Span = Span::from_ms(50);

/// A request that was cancelled after a wait in vain.
pub struct Wait<'a> {
    pub request: &'a Request,
    pub lasted: Span,
    /// Connection Complete with status 0x02: the cancel succeeded.
    pub end_frame: u32,
    /// The controller would have taken any device of its accept list.
    pub background: bool,
}

impl Wait<'_> {
    /// What a sentence needs of it.
    pub fn facts(&self) -> Waited {
        let Request { kind, peer, peer_type, frame, cancel_frame, .. } = *self.request;
        Waited {
            kind,
            whom: (!self.background).then_some((peer, peer_type)),
            frame,
            cancel_frame,
            end_frame: self.end_frame,
            lasted: self.lasted,
        }
    }

    /// The lines that show the wait.
    pub fn shown(&self) -> Vec<(u32, String)> {
        let sights = self.facts().sights();
        sights.into_iter().map(|sight| (sight.frame, sight.text.to_string())).collect()
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

/// The wait of an LE attempt that was long enough, and not merely re-armed (HABITS R10).
pub fn in_vain<'a>(scene: &Scene<'_>, connection: &'a Connection) -> Option<Wait<'a>> {
    let request = connection.request.as_deref()?;
    let cancelled = connection.status == Some(Status::UNKNOWN_CONNECTION_IDENTIFIER)
        && request.cancel_frame.is_some()
        && connection.transport == Transport::Le;
    let lasted = request.cancel_at.since(request.at).filter(|lasted| *lasted >= SHORTEST)?;
    let background = request.filter_policy != 0;
    let timer = TIMERS.iter().any(|ms| (lasted - Span::from_ms(*ms)).abs() <= TIMERS_JITTER);
    let again = || {
        let later = scene.capture().connections.iter().skip(connection.number as usize);
        let later = later.filter(|c| c.adapter == connection.adapter);
        let gaps = later.filter_map(|c| c.request.as_ref()?.at.since(request.cancel_at));
        // The next one tells; that a clock stepped back in between does not.
        gaps.take(2).any(|gap| gap < REARMED)
    };
    let counts = cancelled && (!background || timer || !again());
    counts.then_some(Wait { request, lasted, end_frame: connection.status_frame?, background })
}

/// Adds the lines to a verdict.
pub fn show(verdict: super::Verdict, lines: Vec<(u32, String)>) -> super::Verdict {
    lines.into_iter().fold(verdict, |verdict, (frame, text)| verdict.sees(frame, text))
}

/// Another attempt that the adapter was still busy with when this one was asked for.
pub fn pending<'a>(scene: &Scene<'a>, connection: &Connection) -> Option<&'a Connection> {
    scene.capture().connection(connection.request.as_deref()?.behind?)
}
