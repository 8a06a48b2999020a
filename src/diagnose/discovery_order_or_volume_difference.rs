use super::{Basis, Case, Check, Confidence, Example, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction::Sent;
use crate::packet::Status;
use crate::packet::att::{Handle, LastUuid, Pdu};
use crate::time::Span;
use crate::timeline::{Connection, Detail, Pending, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "discovery-order-or-volume-difference",
    title: "The device fails at one discovery request that the working host never sends",
    basis: Basis::Laboratory,
    silences: &["immediate-0x13-after-first-att", "peer-hangs-up-on-deadline", "remote-user-terminated-idle", "att-request-unanswered", "supervision-timeout-0x08"],
    docs: "\
## What it means
This host discovers more than the working one, and the device does not survive one certain request: it hangs up, or stops
answering, whenever that range is searched. The working host discovered by UUID, skipped that step, or used a cache.

## How it shows
In two or more tries the same discovery request, over the same range, is open when the device hangs up (0x13) or is lost
(0x08); the time since the connection differs; the reference never sent that request.

## What else it could be
The same time since the connection in every try is a deadline. Without a working capture to compare with, only
`immediate-0x13-after-first-att` can be said. More discovery by itself is a habit of the stack and no fault.

## What to do
Make this host discover less: by UUID, or from a cache after one success. Report range and request to the vendor.",
    sources: &["bluez/bluez#2224", "hbldh/bleak#1171"],
    check: Check::Device(check),
    cases: &[
        Case::fires(|| example(false)),
        // The working host sends the same request, and lives.
        Case::silent("the nearest other trace", || example(true)),
    ],
};

fn example(reference_too: bool) -> Example {
    let search = Pdu::ReadByTypeRequest {
        starting_handle: Handle(0x40),
        ending_handle: Handle(0x49),
        attribute_type: LastUuid::short(0x2803),
    };
    let reference = Trace::new().up().mtu().discovery(2).write(3, &[1]);
    let reference = if reference_too {
        reference.refused(search, crate::packet::att::ErrorCode::ATTRIBUTE_NOT_FOUND)
    } else {
        reference
    };
    let dies = |trace: Trace, after| {
        trace
            .up()
            .mtu()
            .wait_ms(after)
            .att(Sent, search)
            .wait_ms(100)
            .disconnected(Status::REMOTE_USER_TERMINATED)
    };
    let subject = dies(dies(Trace::new(), 400).wait_ms(1000), 1900);
    Example::pair(reference.wait_ms(4000).hangs_up(Status::REMOTE_USER_TERMINATED), subject)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "Discover by UUID: `discoverSomeServicesAndCharacteristicsAsync([service], [characteristic])`.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "BlueZ cannot discover by UUID. A cache file with the device's services, in /var/lib/bluetooth/ADAPTER/cache, keeps it from searching; `bluetoothctl trust ADDRESS` keeps that file.",
    ),
    Remedy::any(
        "Report the request and its range to the vendor: a server must answer any range, if only with Attribute Not Found.",
    ),
];

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let reference = scene.reference().filter(|r| r.start_seen && r.cut_packets == 0)?;
    let tries: Vec<(&Connection, &Step)> =
        attempts.iter().filter_map(|c| Some((*c, killer(c)?))).collect();
    let (_, first) = *tries.first()?;
    let ended = attempts.iter().filter(|c| died(c)).count();
    let lives: Vec<Span> = tries.iter().filter_map(|(c, _)| c.life()).collect();
    if tries.len() < 2
        || tries.len() != ended
        || !tries.iter().all(|(_, step)| see::same_pdu(first, step))
        || see::constant(&lives)
        || reference.steps.iter().any(|s| covers(s, first))
    {
        return None;
    }
    let name = see::pdu(first);
    let mut verdict = Verdict::cause(format!(
        "In all {} tries the device failed while {name} was open, {} after the connection; the working host never searched that range.",
        tries.len(),
        see::range(&lives)
    ))
    .sure(Confidence::High)
    .about(tries.iter().map(|(c, _)| c.number));
    for (c, step) in &tries {
        let (frame, text) = see::ended(c.end.as_ref()?);
        verdict = verdict.sees(step.frame, format!("{name}, without answer")).sees(frame, text);
    }
    let theirs = reference.steps.iter().find(|s| s.by == Sent && discovers(s));
    if let Some(step) = theirs {
        verdict = verdict
            .sees_in_reference(step.frame, format!("the working host instead: {}", see::pdu(step)));
    }
    Some(
        verdict
            .rules_out(
                "peer-hangs-up-on-deadline",
                "the time since the connection differs from try to try",
            )
            .rules_out("never-heard-peer", "the device was heard and answered ATT")
            .settled_by("Repeat with discovery by UUID, or with a cached database, on this host.")
            .try_these(remedies(scene, REMEDIES)),
    )
}

/// Ended by the peer, or lost.
fn died(c: &Connection) -> bool {
    see::peer_hung_up(c).is_some()
        || c.end.as_ref().is_some_and(|end| {
            end.reason == Status::CONNECTION_TIMEOUT && end.command_frame().is_none()
        })
}

/// The discovery request that was open, long enough to have mattered, when the link ended.
fn killer(c: &Connection) -> Option<&Step> {
    if !died(c) || c.role != Some(Role::Central) || !c.start_seen || c.cut_packets > 0 {
        return None;
    }
    let open = c.open_requests.iter().find(|o| {
        o.by == Sent
            && matches!(o.pending, Pending::Att(_))
            && o.age.zip(c.granted).is_some_and(|(age, granted)| age >= granted.interval())
    })?;
    c.steps.iter().find(|s| s.frame == open.frame && discovers(s))
}

fn discovers(step: &Step) -> bool {
    use Procedure::*;
    matches!(
        step.procedure,
        DiscoverServices | DiscoverIncludes | DiscoverCharacteristics | DiscoverDescriptors
    )
}

/// Whether a discovery may have searched the handle at which the other begins: a folded one may have gone
/// further than what it found.
fn covers(step: &Step, other: &Step) -> bool {
    let (
        Detail::Discovery { first, last, by_uuid: false, .. },
        Detail::Discovery { first: at, .. },
    ) = (step.detail, other.detail)
    else {
        return false;
    };
    step.by == Sent
        && step.procedure == other.procedure
        && first <= at
        && (at <= last || step.count > 1)
}
