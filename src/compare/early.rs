//! The early ledger: what one side did right after connecting, and what became of it on the other.
use super::{EarlyOperation, Fate, Pair, Protocol, View, habits};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{Pdu, Uuid};
use crate::time::Span;
use crate::timeline::{Moment, OpenRequest, Outcome, Pending, Procedure, Role, Step, Transport};
use std::collections::HashMap;

/// What `from` did within the window and `to` did not do within it.
fn ledger(
    from: &View<'_>,
    to: &View<'_>,
    window: Span,
    swapped: bool,
    roles_differ: bool,
) -> Vec<EarlyOperation> {
    // Places of each kind of operation on the other side, in order.
    let mut there: HashMap<_, Vec<usize>> = HashMap::new();
    for (at, step) in to.connection.steps.iter().enumerate() {
        if operation(to, step).is_some() {
            there.entry(to.keys[at]).or_default().push(at);
        }
    }
    let mut taken: HashMap<_, usize> = HashMap::new();
    let mut missing = Vec::new();
    for (at, step) in from.connection.steps.iter().enumerate() {
        let after = from.connection.after(step.at);
        let Some(protocol) = operation(from, step) else { continue };
        if !own(from, step, swapped) || !after.is_some_and(|after| after.0 >= 0 && after <= window)
        {
            continue;
        }
        let key = from.keys[at];
        let turn = taken.entry(key).or_default();
        let counterpart = there.get(&key).and_then(|places| places.get(*turn)).copied();
        *turn += 1;
        // One more round of what the other side also did early is no other operation.
        let again = *turn > 1 && counterpart.is_none();
        let other = counterpart.map(|place| to.step(place));
        let other_after = other.and_then(|step| to.connection.after(step.at));
        if again || other_after.is_some_and(|after| after <= window) {
            continue;
        }
        let fate = match other {
            Some(_) if other_after.is_none() => Fate::CannotTell,
            Some(_) => Fate::Later,
            None => fate(to, after),
        };
        let blocked_by = (fate == Fate::Never && protocol == Protocol::Att)
            .then(|| blocked(to, asker(step, roles_differ), after))
            .flatten();
        let fate = if blocked_by.is_some() { Fate::NotReached } else { fate };
        missing.push(EarlyOperation {
            protocol,
            procedure: if key.procedure == Procedure::Subscribe {
                Procedure::Subscribe
            } else {
                step.procedure
            },
            name: from.name(at),
            attribute: from.names.attribute(from.connection, step),
            step: at,
            frame: step.frame,
            after,
            fate,
            other_frame: other.map(|step| step.frame),
            other_after,
            blocked_by,
            normal: fate != Fate::Never || habits::absence(&key).is_some(),
        });
    }
    missing
}

/// What became of an operation that never came (`missing_early` in JSON).
fn fate(to: &View<'_>, moment: Option<Span>) -> Fate {
    let connection = to.connection;
    let ended = connection.end.is_some();
    let lost = to.capture.lost_packets_of(connection);
    if !connection.connected() || connection.never_heard() && !lost {
        // Nothing could come on a link that was none. Still waiting when the capture ends: who knows.
        let open = connection.status.is_none() && !connection.end_seen;
        return if open { Fate::CannotTell } else { Fate::NotReached };
    }
    if !connection.start_seen || to.capture.filtered || connection.cut_packets > 0 || lost {
        return Fate::CannotTell;
    }
    if connection.reason() == Some(Status::FAILED_TO_BE_ESTABLISHED) {
        return Fate::NotReached;
    }
    let Some(moment) = moment else { return Fate::CannotTell };
    let usable = match connection.transport {
        Transport::Le => Some(connection.usable_at).filter(|at| *at != Moment::UNKNOWN),
        // BR/EDR: L2CAP may begin as soon as the link is up.
        Transport::BrEdr => Some(connection.connected_at()),
        // Its beginning is not in the capture.
        Transport::Unknown => None,
    };
    let usable = usable.and_then(|at| connection.after(at));
    let over =
        connection.after(connection.end.as_ref().map_or(connection.capture_end, |end| end.at));
    let Some(over) = over else { return Fate::CannotTell };
    let not_reached = if ended { Fate::NotReached } else { Fate::CannotTell };
    match usable {
        // The moment counts from when the host could have done it.
        Some(usable) if over > moment.max(usable) => Fate::Never,
        Some(_) => not_reached,
        None => Fate::NotReached,
    }
}

/// Which way the requests go, on the other side of a comparison, that lead to such a step: what a server pushes
/// was asked for by its client.
pub fn asker(step: &Step, roles_differ: bool) -> Direction {
    let pushed = matches!(step.procedure, Procedure::Notify | Procedure::Indicate);
    match (pushed != roles_differ, step.by) {
        (false, by) => by,
        (true, Direction::Sent) => Direction::Received,
        (true, Direction::Received) => Direction::Sent,
    }
}

/// The request behind which everything else of that side waited in vain: it was never answered, and it had come by
/// that moment, or before the application had got to anything.
pub fn blocked(view: &View<'_>, by: Direction, moment: Option<Span>) -> Option<u32> {
    let connection = view.connection;
    let request = |o: &&OpenRequest| {
        o.by == by && matches!(o.pending, Pending::Att(code) if code != Pdu::INDICATION)
    };
    let open = connection.open_requests.iter().filter(request).min_by_key(|o| o.frame)?;
    let step = connection.steps.iter().find(|s| s.frame == open.frame)?;
    let in_time = connection.after(open.at).zip(moment).is_some_and(|(at, moment)| at <= moment);
    let before = connection.steps.iter().take_while(|s| s.frame < open.frame);
    let used = before.into_iter().any(|s| s.by == by && application(view, s));
    (step.outcome == Outcome::Unanswered && (in_time || !used)).then_some(open.frame)
}

/// A write or a subscription that the host does not make by itself.
fn application(view: &View<'_>, step: &Step) -> bool {
    const SERVICE_CHANGED: Uuid = Uuid::Short(0x2a05);
    const CLIENT_FEATURES: Uuid = Uuid::Short(0x2b29);
    let meaning = view.names.of_step(view.connection, step);
    let own =
        meaning.is_some_and(|m| m.uuid == CLIENT_FEATURES || m.parent == Some(SERVICE_CHANGED));
    let work =
        matches!(step.procedure, Procedure::Write | Procedure::WriteCommand | Procedure::Subscribe);
    work && step.outcome == Outcome::Ok && !own
}

/// ATT, SMP and signalling count; what the controller does by itself does not.
fn operation(view: &View<'_>, step: &Step) -> Option<Protocol> {
    match step.procedure {
        _ if step.is_att() => Some(Protocol::Att),
        Procedure::Pair => Some(Protocol::Smp),
        Procedure::Channel => Some(Protocol::Signal),
        // A central updates by a command of the link layer, a peripheral asks by signalling.
        Procedure::ParameterUpdate => {
            let peripheral = view.connection.role == Some(Role::Peripheral);
            ((step.by == Direction::Sent) == peripheral).then_some(Protocol::Signal)
        }
        _ => None,
    }
}

/// What the host under capture did itself; on the other end of the link, the same side of it.
fn own(view: &View<'_>, step: &Step, swapped: bool) -> bool {
    let ours = (step.by == Direction::Sent) != swapped;
    let pushed = matches!(step.procedure, Procedure::Notify | Procedure::Indicate);
    let served_here = view.connection.role == Some(Role::Peripheral) && !swapped;
    ours && (!pushed || served_here)
}

/// What each side did early and the other did not.
pub fn both(pair: &Pair<'_>, window: Span) -> (Vec<EarlyOperation>, Vec<EarlyOperation>) {
    let (left, right) = (&pair.reference, &pair.subject);
    let differ = pair.roles_differ;
    (ledger(left, right, window, false, differ), ledger(right, left, window, differ, differ))
}

#[cfg(test)]
mod tests;
