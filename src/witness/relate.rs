//! Every claim against the capture: address and adapter first, then order, then time.
use super::align::Alignment;
use super::claim::{Claim, Failure, Kind, Radio, Reason, What};
use super::log::Log;
use super::relation::{Detail, Relation, RelationKind};
use super::wire::{Attempt, Ended, Point, Wire};
use crate::packet::{Address, Status};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::AdapterLoss;
use std::collections::HashMap;

const SECOND: i64 = 1_000_000;
/// A connect is asked so long before its command: an inquiry's round may have to end first.
const LONGEST_WAY: i64 = 25 * SECOND;
/// The kernel begins to wait for the device so soon.
const WAIT_BEGINS: i64 = 3 * SECOND;
/// "Connected" is written up to so long after the event.
const CONNECTED_LATE: i64 = 4 * SECOND;
/// "Disconnected" is written up to so long after the event.
const DISCONNECTED_LATE: i64 = 6 * SECOND;
/// Lines come this much before their event, too.
const EARLY: i64 = 6 * SECOND / 10;
/// bluetoothd waits two seconds before it sends Disconnect; and a slow host more.
const HANG_UP_LATE: i64 = 4 * SECOND;
/// Later than this after a link's end, a line that speaks of it as alive is wrong.
const STILL_ALIVE: i64 = SECOND;
/// After so long without a new attempt, a failure belongs to something that never was on the wire.
const FORGOTTEN: i64 = 12 * SECOND;
/// A request has been open for so long: it is the one whose time ran out.
const OPEN_LONG: i64 = 25 * SECOND;
/// A second call of the same kind begins a new attempt, if so much lies between.
const NEXT_CALL: i64 = 3 * SECOND / 2;

/// The adapter that a line names.
pub(super) fn adapter_of(claim: &Claim) -> Option<u16> {
    match claim.radio {
        Radio::Adapter(number) => Some(number),
        Radio::Unsaid | Radio::Proxy => None,
    }
}

/// Of a log without a capture: what never reached any radio.
pub(super) fn denied(log: &Log) -> Vec<Relation> {
    let refused = log.claims.iter().enumerate().filter(|(_, claim)| claim.what == What::Denied);
    let relation = |(claim, of): (usize, &Claim)| Relation {
        kind: RelationKind::Elsewhere,
        detail: Some(Detail::Denied),
        claim,
        line: of.line,
        frame: None,
        connection: None,
        says: Text::fixed(DENIED),
    };
    refused.map(relation).collect()
}

/// What is said of a call that a policy refused.
const DENIED: &str = "a policy refused the call: the daemon never saw it, and nothing was sent";

/// Relates all claims of a log. In the order of the claims; context is left out.
pub(super) fn relate(log: &Log, wire: &Wire, alignment: &Alignment) -> Vec<Relation> {
    let mut join = Join { log, wire, alignment, asked: HashMap::new() };
    let mut relations = Vec::new();
    // A log that names only other devices tells of those, in the lines that name nobody as well.
    let named = || log.claims.iter().filter(|claim| claim.device_named);
    let ours = |claim: &Claim| wire.attempts.iter().any(|attempt| attempt.is_with(claim.device));
    let of_others = named().next().is_some() && !named().any(ours);
    for (index, claim) in log.claims.iter().enumerate() {
        let at = alignment.times.get(index).copied().flatten();
        if of_others && claim.device.is_none() && claim.what != What::Denied {
            continue;
        }
        // Whom a line means that names nobody is a guess: one that the capture must bear out.
        let mut meant = claim.clone();
        if !of_others && !claim.device_named && !ours(claim) {
            meant.device = None;
        }
        let found = join.claim(index, &meant, at);
        if matches!(claim.what, What::ConnectAsked(_))
            && let Some(at) = at
        {
            join.asked.insert(claim.device, at);
        }
        if let Some(found) = found {
            relations.push(Relation {
                kind: found.kind,
                detail: found.detail,
                claim: index,
                line: claim.line,
                frame: found.frame,
                connection: found.connection,
                says: found.says,
            });
        }
    }
    relations
}

struct Join<'a> {
    log: &'a Log,
    wire: &'a Wire,
    alignment: &'a Alignment,
    /// The last time that a connect to the device was asked.
    asked: HashMap<Option<Address>, i64>,
}

/// A relation whose line in the log is added later.
struct Found {
    kind: RelationKind,
    detail: Option<Detail>,
    frame: Option<u32>,
    connection: Option<u32>,
    says: Text,
}

impl Found {
    fn new(kind: RelationKind, says: impl Into<Text>) -> Self {
        Self { kind, detail: None, frame: None, connection: None, says: says.into() }
    }

    fn elsewhere(detail: Option<Detail>, says: impl Into<Text>) -> Option<Self> {
        Some(Self { detail, ..Self::new(RelationKind::Elsewhere, says) })
    }

    fn at(mut self, point: Point) -> Self {
        self.frame = Some(point.frame);
        self
    }

    fn of(mut self, attempt: &Attempt) -> Self {
        self.connection = Some(attempt.number);
        self
    }

    fn more(mut self, detail: Option<Detail>) -> Self {
        self.detail = detail;
        self
    }
}

/// What an end is called, and its detail.
fn ended(attempt: &Attempt) -> Option<(Point, Detail, Text)> {
    if let Some((point, how)) = attempt.end {
        let (detail, says) = match how {
            Ended::Reason(code) => {
                (Detail::Code(code), text!("the link ended with {}", Status(code)))
            }
            Ended::Lost(AdapterLoss::Removed) => (
                Detail::AdapterRemoved,
                Text::fixed("the adapter was removed while the link was up"),
            ),
            Ended::Lost(AdapterLoss::PoweredOff) => {
                (Detail::PoweredOff, Text::fixed("the adapter was closed while the link was up"))
            }
            Ended::Lost(AdapterLoss::Reset) => {
                (Detail::Reset, Text::fixed("the adapter was reset while the link was up"))
            }
        };
        return Some((point, detail, says));
    }
    let (point, status) = attempt.complete.filter(|(_, status)| *status != 0)?;
    Some((point, Detail::Code(status), text!("the attempt ended with {}", Status(status))))
}

impl<'a> Join<'a> {
    /// How far a line may lie before its event.
    fn slack(&self) -> i64 {
        match (self.log.resolution_us, self.log.kind) {
            (1_000_000.., _) => 3 * SECOND / 10,
            (_, Kind::DBus) => 3 * SECOND / 10,
            _ => 6 * SECOND / 100,
        }
    }

    fn of(&self, claim: &Claim) -> impl DoubleEndedIterator<Item = &'a Attempt> {
        self.wire.of_device(claim.device, adapter_of(claim))
    }

    /// The attempt that was open at that moment.
    fn live(&self, claim: &Claim, at: i64, slack: i64) -> Option<&'a Attempt> {
        self.of(claim).rev().find(|attempt| {
            let begun = attempt.start().is_some_and(|start| start - SECOND / 20 <= at);
            begun && attempt.over().is_none_or(|over| at <= over.at + slack)
        })
    }

    fn last(&self, claim: &Claim, at: i64) -> Option<&'a Attempt> {
        self.of(claim).rev().find(|a| a.start().is_some_and(|start| start <= at + SECOND / 20))
    }

    /// The host began to wait for the device.
    fn wait(&self, claim: &Claim, from: i64, to: i64) -> Option<Point> {
        let adapter = adapter_of(claim);
        let waits = self.wire.waits.iter().rev().filter(|wait| {
            let device =
                wait.device.is_none() || claim.device.is_none() || wait.device == claim.device;
            let on = adapter.is_none() || wait.adapter.is_none() || wait.adapter == adapter;
            device && on && (from..=to).contains(&wait.point.at)
        });
        waits.map(|wait| wait.point).next()
    }

    /// Why nothing in the capture belongs to the line, as far as that is known.
    fn nowhere(&self, claim: &Claim, says: &'static str) -> Option<Found> {
        let detail = self.foreign(claim);
        let says = match detail {
            Some(Detail::OtherAdapter) => {
                Text::fixed("it happened on another adapter than this capture's")
            }
            Some(Detail::OtherDevice) => {
                Text::fixed("it is about another device than those of this capture")
            }
            _ => Text::fixed(says),
        };
        Found::elsewhere(detail, says)
    }

    /// Whether a claim is about another adapter or device.
    fn foreign(&self, claim: &Claim) -> Option<Detail> {
        if let Some(adapter) = adapter_of(claim)
            && !self.wire.adapters.is_empty()
            && !self.wire.adapters.contains(&adapter)
        {
            return Some(Detail::OtherAdapter);
        }
        // The device is known here, and the line speaks of another adapter that did not talk to it.
        let device = claim.device?;
        let known = self.wire.attempts.iter().any(|attempt| attempt.is_with(Some(device)));
        if known && self.of(claim).next().is_none() {
            return Some(Detail::OtherAdapter);
        }
        let heard = self.wire.heard.iter().any(|(address, ..)| *address == device);
        let others = self.wire.attempts.iter().any(|attempt| !attempt.peers.is_empty());
        (!known && !heard && others).then_some(Detail::OtherDevice)
    }

    fn claim(&self, index: usize, claim: &Claim, at: Option<i64>) -> Option<Found> {
        if claim.what == What::Denied {
            return Found::elsewhere(Some(Detail::Denied), DENIED);
        }
        if claim.radio == Radio::Proxy && claim.what != What::PathChosen {
            let says = "it happened on a proxy's radio, which no capture of this host shows";
            return Found::elsewhere(Some(Detail::OtherAdapter), says);
        }
        if self.alignment.other_time {
            let context = matches!(self.kind_of(claim.what), Class::Aside);
            let says = "the log is of another time than the capture";
            return if context { None } else { Found::elsewhere(Some(Detail::OtherTime), says) };
        }
        let Some(at) = at else { return self.without_time(claim) };
        let found = self.timed(index, claim, at)?;
        let (Some(first), Some(last)) = (self.wire.first, self.wire.last) else {
            return Some(found);
        };
        let after = at > last + SECOND || at > last && found.kind == RelationKind::Contradiction;
        if after {
            let says = "it was written after the last record of the capture";
            return Found::elsewhere(Some(Detail::AfterCapture), says);
        }
        let nowhere = found.kind == RelationKind::Elsewhere;
        let before = at < first - SECOND && found.kind != RelationKind::Cause
            || nowhere && found.detail.is_none() && at < first + 8 * SECOND / 10;
        if before {
            let says = "it was written before the first record of the capture";
            return Found::elsewhere(Some(Detail::BeforeCapture), says);
        }
        Some(found)
    }

    /// Without any time only what never depends on one is said.
    fn without_time(&self, claim: &Claim) -> Option<Found> {
        if matches!(self.kind_of(claim.what), Class::Aside) {
            return None;
        }
        let none = self.of(claim).next().is_none();
        let waited = self.wire.waits.iter().any(|w| w.device.is_none() || w.device == claim.device);
        (none && !waited)
            .then(|| self.nowhere(claim, "the capture has no attempt to this device"))
            .flatten()
    }

    fn kind_of(&self, what: What) -> Class {
        match what {
            What::ConnectAsked(_) | What::PairAsked => Class::Asked,
            What::Connected | What::ConnectAnswered => Class::Up,
            What::ProgramConnected
            | What::ServicesResolved
            | What::DiscoveryEnded { .. }
            | What::Mtu(_) => Class::Alive,
            What::Disconnected(_) | What::BearerClosed(_) => Class::Down,
            What::ConnectFailed(_) | What::BearerFailed(_) | What::Failed { .. } => Class::Failed,
            What::RequestTimedOut(_) => Class::Unanswered,
            What::Heard => Class::Heard,
            What::HangUpAsked => Class::HangUp,
            What::PairingFailed => Class::PairingFailed,
            What::ScanAsked => Class::Scan,
            What::UpOrDown => Class::UpOrDown,
            What::AddressNamed if self.log.kind == Kind::EspIdf => Class::Alive,
            _ => Class::Aside,
        }
    }

    fn timed(&self, index: usize, claim: &Claim, at: i64) -> Option<Found> {
        match self.kind_of(claim.what) {
            Class::Asked => self.asked_at(index, claim, at),
            Class::Up => self.up(claim, at),
            Class::Alive => self.alive(claim, at),
            Class::Down => self.down(claim, at),
            Class::Failed => self.failed(claim, at),
            Class::Unanswered => self.unanswered(claim, at),
            Class::Heard => self.heard(claim),
            Class::HangUp => self.hang_up(claim, at),
            Class::PairingFailed => {
                let attempt = self.live(claim, at, 3 * SECOND / 10)?;
                let (point, _) = attempt.pairing.iter().rev().find(|(_, failed)| *failed)?;
                Some(Found::new(RelationKind::Echo, "pairing failed").at(*point).of(attempt))
            }
            Class::Scan if self.wire.scans => {
                Some(Found::new(RelationKind::Cause, "the adapter scans"))
            }
            Class::Scan => self.nowhere(claim, "the capture has no scan"),
            Class::UpOrDown => self.up_or_down(claim, at),
            Class::Aside => None,
        }
    }

    fn asked_at(&self, index: usize, claim: &Claim, at: i64) -> Option<Found> {
        use RelationKind::{Cause, Context};
        let slack = self.slack();
        if claim.what == What::PairAsked
            && let Some(attempt) = self.live(claim, at, 0).filter(|attempt| attempt.up().is_some())
        {
            let (point, _) = attempt.pairing.iter().find(|(point, _)| point.at >= at - slack)?;
            return Some(
                Found::new(Cause, "pairing begins on the open link").at(*point).of(attempt),
            );
        }
        let next = self.next_call(index, claim, at);
        let attempt = self.of(claim).find(|attempt| {
            attempt.create.is_some_and(|create| {
                let by = next.is_none_or(|next| create.at <= next + SECOND / 20);
                create.at >= at - slack && by && create.at - at < LONGEST_WAY
            })
        });
        if let Some(attempt) = attempt
            && let Some(create) = attempt.create
        {
            let says = match create.at - at {
                way if way > 2 * SECOND => text!("the connect request follows {} later", Span(way)),
                _ => Text::fixed("the connect request follows"),
            };
            return Some(Found::new(Cause, says).at(create).of(attempt));
        }
        let live = self.live(claim, at, 0);
        let until = next.unwrap_or(i64::MAX).min(at + WAIT_BEGINS);
        if live.is_none()
            && let Some(wait) = self.wait(claim, at - slack, until)
        {
            let says = "the kernel waits for the device by a passive scan; it sends a connect request only when it hears it";
            return Some(Found::new(Cause, says).at(wait));
        }
        if let Some(attempt) = live {
            let says = "an attempt or a link to this device is already open; no new connect request follows";
            let point = attempt.create.or(attempt.up())?;
            return Some(Found::new(Context, says).at(point).of(attempt));
        }
        self.nowhere(claim, "no connect request for this device follows in this capture")
    }

    /// The next call of the same kind for the same device.
    fn next_call(&self, index: usize, claim: &Claim, at: i64) -> Option<i64> {
        let later = self.log.claims.iter().zip(&self.alignment.times).skip(index + 1);
        later
            .filter(|(other, _)| other.what == claim.what && other.device == claim.device)
            .filter_map(|(_, time)| *time)
            .find(|time| *time > at + NEXT_CALL)
    }

    fn up(&self, claim: &Claim, at: i64) -> Option<Found> {
        let early = self.slack().max(3 * SECOND / 10);
        let near = self
            .of(claim)
            .filter_map(|attempt| Some((attempt.up()?, attempt)))
            .filter(|(up, _)| (-early..=CONNECTED_LATE).contains(&(at - up.at)))
            .min_by_key(|(up, _)| (at - up.at).abs());
        match near {
            Some((up, attempt)) => {
                Some(Found::new(RelationKind::Echo, "the link came up").at(up).of(attempt))
            }
            None => {
                self.nowhere(claim, "no link to this device came up near this time in this capture")
            }
        }
    }

    fn alive(&self, claim: &Claim, at: i64) -> Option<Found> {
        use RelationKind::{Contradiction, Echo};
        let early = self.slack().max(3 * SECOND / 10);
        let attempt = self.of(claim).rev().find(|attempt| {
            attempt.up().is_some_and(|up| up.at <= at + early)
                && attempt.over().is_none_or(|over| at <= over.at + 30 * SECOND)
        });
        let Some(attempt) = attempt else {
            return self
                .nowhere(claim, "no link to this device was up at this time in this capture");
        };
        let up = attempt.up()?;
        if let Some(over) = attempt.over()
            && at > over.at + STILL_ALIVE
        {
            let says = text!("the link had ended {} before", Span(at - over.at));
            return Some(Found::new(Contradiction, says).at(over).of(attempt));
        }
        // Where the time is only known from the order, the whole link counts.
        let answered = match self.log.resolution_us {
            1..1_000_000 => attempt.answered_by(at),
            _ => attempt.answers > 0,
        };
        let found = match claim.what {
            What::DiscoveryEnded { ok: false } => {
                let over = attempt.over().filter(|over| at >= over.at - SECOND / 10);
                Found::new(Echo, "the daemon gave the discovery up").at(over.unwrap_or(up))
            }
            What::ServicesResolved | What::ProgramConnected | What::DiscoveryEnded { ok: true }
                if !answered =>
            {
                let says =
                    "the peer had not sent one ATT packet on this link: nothing was discovered";
                Found::new(Contradiction, says).at(up)
            }
            What::Mtu(_) => Found::new(Echo, "the MTU was agreed")
                .at(attempt.mtu.map_or(up, |(point, _)| point)),
            What::ServicesResolved | What::DiscoveryEnded { .. } => {
                Found::new(Echo, "the services were discovered").at(up)
            }
            _ => Found::new(Echo, "the link was up").at(up),
        };
        Some(found.of(attempt))
    }

    fn down(&self, claim: &Claim, at: i64) -> Option<Found> {
        use RelationKind::{Cause, Contradiction, Echo};
        let reason = match claim.what {
            What::Disconnected(reason) | What::BearerClosed(reason) => reason,
            _ => Reason::Unsaid,
        };
        let early = self.slack().max(EARLY);
        let near = self
            .of(claim)
            .filter_map(|attempt| Some((attempt.end?.0, attempt)))
            .filter(|(end, _)| (-early..=DISCONNECTED_LATE).contains(&(at - end.at)))
            .min_by_key(|(end, _)| (at - end.at).abs());
        if let Some((_, attempt)) = near {
            let (point, detail, says) = ended(attempt)?;
            return Some(Found::new(Echo, says).more(Some(detail)).at(point).of(attempt));
        }
        let Some(attempt) = self.live(claim, at, 3 * SECOND / 10) else {
            // A cancelled request is told as a disconnect by some.
            if reason == Reason::Cancelled {
                return self.failed(claim, at);
            }
            return self.nowhere(claim, "no link to this device was up in this capture");
        };
        if let Some(hang_up) = attempt.hang_up.filter(|h| (0..HANG_UP_LATE).contains(&(h.at - at)))
        {
            let says = "the daemon closes the bearer; this host sends Disconnect later";
            return Some(Found::new(Cause, says).at(hang_up).of(attempt));
        }
        let says = "the capture shows no end of this link by then";
        Some(Found::new(Contradiction, says).of(attempt))
    }

    fn unanswered(&self, claim: &Claim, at: i64) -> Option<Found> {
        let attempt = self.live(claim, at, 3 * SECOND / 10).or_else(|| self.last(claim, at));
        if let Some(attempt) = attempt
            && let Some((point, _)) = attempt.open.iter().rev().find(|(point, _)| point.at <= at)
        {
            let says = text!("the request had been open for {}", Span(at - point.at));
            return Some(Found::new(RelationKind::Echo, says).at(*point).of(attempt));
        }
        self.failed(claim, at)
    }

    /// The moment of the call that failed.
    fn since(&self, claim: &Claim) -> Option<i64> {
        if let Some(line) = claim.answers {
            let call = self.log.claims.iter().position(|other| other.line == line)?;
            return self.alignment.times.get(call).copied().flatten();
        }
        self.asked.get(&claim.device).copied()
    }

    fn failed(&self, claim: &Claim, at: i64) -> Option<Found> {
        use RelationKind::{Contradiction, Echo};
        let how = match claim.what {
            What::Failed { how, .. } => how,
            _ => Failure::Other,
        };
        let attempt = self.last(claim, at);
        if how == Failure::InProgress
            && let Some(attempt) = attempt
        {
            let says = "refused: an older attempt to the device was still open";
            let point = attempt.create.or(attempt.up())?;
            return Some(Found::new(Echo, says).at(point).of(attempt));
        }
        let slack = self.slack();
        let since = self.since(claim);
        if let Some(since) = since
            && attempt
                .is_none_or(|attempt| attempt.start().is_some_and(|start| start < since - slack))
            && self.live(claim, since, 0).is_none()
        {
            let Some(wait) = self.wait(claim, since - slack, at) else {
                return self.nowhere(claim, "neither a connect request nor a passive scan for the device lies between the call and this line");
            };
            let heard = self.wire.heard.iter().any(|(address, _, _, first)| {
                Some(*address) == claim.device && (wait.at..=at).contains(&first.at)
            });
            let kind = if heard { Contradiction } else { Echo };
            let says =
                "the kernel waited for the device by a passive scan; no connect request was sent";
            return Some(Found::new(kind, says).at(wait));
        }
        let Some(attempt) = attempt else {
            return self.nowhere(claim, "the capture has no attempt to this device up to here");
        };
        let mine =
            since.is_some_and(|since| attempt.start().is_some_and(|start| start >= since - slack));
        let over = ended(attempt);
        if let Some((point, detail, says)) = &over
            && at >= point.at - 6 * SECOND / 100
        {
            let late = at - point.at;
            if late > FORGOTTEN && !mine && !matches!(claim.what, What::RequestTimedOut(_)) {
                return Found::elsewhere(
                    None,
                    text!(
                        "the last attempt ended {} before; nothing on the wire belongs to this line",
                        Span(late)
                    ),
                );
            }
            if how == Failure::AbortByLocal && attempt.hang_up.is_none() {
                let says = text!("this host sent no Disconnect; {}", says.clone());
                return Some(
                    Found::new(Contradiction, says).more(Some(*detail)).at(*point).of(attempt),
                );
            }
            let says = match late > FORGOTTEN {
                true => text!(
                    "{}, {} before this line; nothing was sent for the device since",
                    says.clone(),
                    Span(late)
                ),
                false => says.clone(),
            };
            return Some(Found::new(Echo, says).more(Some(*detail)).at(*point).of(attempt));
        }
        if how == Failure::AbortByLocal && attempt.hang_up.is_none() {
            return Some(Found::new(Contradiction, "this host sent no Disconnect").of(attempt));
        }
        if let Some((point, _)) =
            attempt.open.iter().rev().find(|(point, _)| at - point.at > OPEN_LONG)
        {
            let kind = if how == Failure::UnlikelyError { Contradiction } else { Echo };
            let says = text!(
                "the request had been open for {}; no ATT Error Response came",
                Span(at - point.at)
            );
            return Some(Found::new(kind, says).at(*point).of(attempt));
        }
        if let Some(up) = attempt.up() {
            let says = "the link was up, and went on";
            return Some(Found::new(Contradiction, says).at(up).of(attempt));
        }
        let point = attempt.create?;
        Some(
            Found::new(Echo, "the connect request was open, and nobody had answered")
                .at(point)
                .of(attempt),
        )
    }

    fn heard(&self, claim: &Claim) -> Option<Found> {
        let adapter = adapter_of(claim);
        let found = self.wire.heard.iter().find(|(address, by, others, _)| {
            let on = adapter.is_none() || by.is_none() || *by == adapter || *others;
            claim.device.is_none_or(|device| device == *address) && on
        });
        match found {
            Some((.., point)) => {
                Some(Found::new(RelationKind::Echo, "the device is heard advertising").at(*point))
            }
            None => self.nowhere(claim, "the capture has no report of this device"),
        }
    }

    fn hang_up(&self, claim: &Claim, at: i64) -> Option<Found> {
        let early = self.slack().max(SECOND / 20);
        let found = self.of(claim).find_map(|attempt| {
            let command =
                attempt.hang_up.filter(|c| (-early..HANG_UP_LATE).contains(&(c.at - at)))?;
            (attempt.start()? <= at + early).then_some((command, attempt))
        });
        match found {
            Some((command, attempt)) => {
                Some(Found::new(RelationKind::Cause, "Disconnect follows").at(command).of(attempt))
            }
            // Programs hang up in their clean-up, too, where nothing is up any more.
            None if self.of(claim).next().is_some() || self.log.kind == Kind::DBus => None,
            None => self.nowhere(claim, "no link to this device was up in this capture"),
        }
    }

    /// The same words for both: the nearer event is meant.
    fn up_or_down(&self, claim: &Claim, at: i64) -> Option<Found> {
        let distance = |point: Option<Point>| point.map(|point| (at - point.at).abs());
        let up = self.of(claim).filter_map(|attempt| distance(attempt.up())).min();
        let down = self.of(claim).filter_map(|attempt| distance(attempt.over())).min();
        match (up, down) {
            (Some(up), Some(down)) if down < up => self.down(claim, at),
            (None, Some(_)) => self.down(claim, at),
            _ => self.up(claim, at),
        }
    }
}

/// Claims that are joined in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Asked,
    Up,
    Alive,
    Down,
    Failed,
    Unanswered,
    Heard,
    HangUp,
    PairingFailed,
    Scan,
    UpOrDown,
    Aside,
}
