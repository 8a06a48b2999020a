use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    see,
};
use crate::packet::Direction::{Received, Sent};
use crate::packet::att::{ErrorCode, Handle, Pdu, Uuid};
use crate::packet::{Secret, Status, smp};
use crate::prose::Text;
use crate::text;
use crate::timeline::{AttributeKind, Connection, EndedBy, Outcome, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "notifications-never-enabled",
    title: "Notifications were never switched on",
    basis: Basis::Laboratory,
    silences: &["zombie-link-data-silence", "connection-cancelled-by-app", "write-type-mismatch"],
    docs: "\
## What it means
The device sends data only after the host has written its Client Characteristic Configuration Descriptor (CCCD, 0x2902). This
host never wrote it, or the device refused the write; so commands are accepted and nothing ever comes back.

## How it shows
The working host writes 0x0001 or 0x0002 to the CCCD and then receives notifications; this host writes its commands, never
the CCCD, and receives none. Or: the write of the CCCD is refused.

## What else it could be
A refusal for want of security (0x05, 0x08, 0x0C, 0x0F) is a matter of pairing. A device that remembers a bonded host's
choice needs no new write. Without a working capture, a CCCD that was never written is no fault.

## What to do
Subscribe before the first command.",
    sources: &["Bluetooth-Devices/aiobmsble#205", "hbldh/bleak#472"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "the working host subscribes, this one only writes", || {
            Example::pair(works(), ends(uses(up())))
        })
        .about(&[1])
        .saying("the working host: write of 0x0001 to the CCCD 0x0004"),
        Case::silent("both subscribe", || Example::pair(works(), works())),
        Case::silent("there is nothing to compare with", || ends(uses(up())).into()),
        Case::silent("the working host got no notification either", || {
            Example::pair(ends(uses(up().write(4, &[1, 0]))), ends(uses(up())))
        }),
        Case::silent("the device notifies all the same", || {
            Example::pair(works(), ends(uses(up()).notified(3, &[1])))
        }),
        Case::silent("this host writes nothing at all", || Example::pair(works(), ends(up()))),
        Case::silent("this link ended before the working host had its first notification", || {
            Example::pair(works(), uses(up()).hangs_up(HUNG_UP))
        }),
        Case::silent("the device left", || {
            Example::pair(works(), uses(up()).wait_ms(4_000).disconnected(HUNG_UP))
        }),
        Case::silent("the device may remember what this bonded host subscribed to", || {
            let bonded = Trace::new().up().encrypts().encryption(Status::SUCCESS);
            Example::pair(works(), ends(uses(bonded.mtu().discovery(0x1a))))
        }),
        Case::silent("the link was up before the capture began", || {
            Example::pair(works(), ends(uses(Trace::new().mtu().discovery(0x1a))))
        }),
        Case::silent("the working host subscribes to Service Changed alone", || {
            let found = [9, 7, 2, 0, 0x20, 3, 0, 0x05, 0x2a];
            let trace = Trace::new().up().mtu();
            let trace = trace.by_wire(&[8, 1, 0, 0xff, 0xff, 0x03, 0x28], found[0], &found[1..]);
            let trace = trace.write(4, &[2, 0]).write(0x10, &[1]).notified(0x20, &[1]);
            Example::pair(ends(trace), ends(uses(up())))
        }),
        Case::cause(Confidence::High, "the device refuses the subscription", || {
            subscription_refused(up(), ErrorCode::WRITE_NOT_PERMITTED).into()
        })
        .about(&[1])
        .saying("Write Not Permitted (0x03)"),
        Case::silent("it refuses the subscription for want of a pairing", || {
            subscription_refused(up(), ErrorCode::INSUFFICIENT_AUTHENTICATION).into()
        }),
        Case::silent("it refuses the subscription at first only", || {
            let trace = subscribes(up(), ErrorCode::WRITE_NOT_PERMITTED).write(4, &[1, 0]);
            ends(trace).into()
        }),
        Case::silent("it refuses a write to its value", || {
            let write = Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: &[1] };
            ends(up().refused(write, ErrorCode::WRITE_NOT_PERMITTED)).into()
        }),
        Case::silent("the device connected to us", || {
            let trace = Trace::new().connected_as(1, 39, 0, 42).features().discovery(0x1a);
            subscription_refused(trace, ErrorCode::WRITE_NOT_PERMITTED).into()
        }),

        Case::cause(Confidence::Medium, "this host pairs anew: the device can remember nothing", || {
            let random = smp::Pdu::PairingRandom { random_value: Secret::new([0; 16]) };
            let paired = Trace::new().up().asks_to_pair().answers_pairing().smp(Sent, random);
            let paired = paired.smp(Received, random).wait_ms(60);
            let paired = paired.encrypts().wait_ms(60).encryption(Status::SUCCESS);
            Example::pair(works(), ends(uses(paired.mtu().discovery(0x1a))))
        }),
        Case::silent("the working host got its only notification before it subscribed", || {
            let works = up().notified(3, &[1]).write(4, &[1, 0]).wait_ms(500);
            Example::pair(ends(works), ends(uses(up())))
        }),
        Case::cause(Confidence::Medium, "this host's own notifications are not the device's", || {
            Example::pair(works(), ends(uses(up()).notified_by_us(3, &[1])))
        }),
        Case::silent("this host writes only what belongs to itself", || {
            let found = [9, 7, 2, 0, 0x0a, 3, 0, 0x29, 0x2b];
            let trace = Trace::new().up().mtu();
            let trace = trace.by_wire(&[8, 1, 0, 0xff, 0xff, 0x03, 0x28], found[0], &found[1..]);
            Example::pair(works(), ends(trace.write(3, &[1])))
        }),
        Case::silent("what this host writes is refused", || {
            let write = Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: &[1] };
            Example::pair(works(), ends(up().refused(write, ErrorCode::INVALID_VALUE_LENGTH)))
        }),
        Case::silent("this host only reads", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            let value = Pdu::ReadResponse { attribute_value: &[1] };
            Example::pair(works(), ends(up().exchange(read, value)))
        }),
        Case::silent("a read of the CCCD is refused", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(4) };
            ends(up().refused(read, ErrorCode::READ_NOT_PERMITTED)).into()
        }),
        Case::silent("the handle of the CCCD is unknown to the device", || {
            subscription_refused(up(), ErrorCode::INVALID_HANDLE).into()
        }),
        Case::silent("this host writes only a description", || {
            let found = [1, 5, 0, 0x01, 0x29];
            let link = up().by_wire(&[0x04, 5, 0, 6, 0], 0x05, &found);
            Example::pair(works(), ends(link.write(5, b"lamp")))
        }),
        // The subscription is answered 50.2 ms after the discovery, and so is the write; a host that hangs up needs 50.2 ms.
        Case::cause(Confidence::Medium, "this link ends a moment after the working host's first notification", || {
            Example::pair(gains_after(1_000_000), ends_after(949_801))
        }),
        Case::silent("this link ends in the moment of the working host's first notification", || {
            Example::pair(gains_after(1_000_000), ends_after(949_800))
        }),
        Case::silent("it refuses the subscription to Service Changed", || {
            let found = [7, 2, 0, 0x20, 3, 0, 0x05, 0x2a];
            let link = Trace::new().up().mtu();
            let link = link.by_wire(&[8, 1, 0, 0xff, 0xff, 0x03, 0x28], 0x09, &found);
            let link = link.by_wire(&[0x04, 4, 0, 6, 0], 0x05, &[1, 4, 0, 0x02, 0x29]);
            subscription_refused(link, ErrorCode::WRITE_NOT_PERMITTED).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

fn up() -> Trace {
    Trace::new().up().mtu().discovery(0x1a)
}

fn uses(trace: Trace) -> Trace {
    trace.write(3, &[0xa5]).wait_ms(200)
}

fn ends(trace: Trace) -> Trace {
    trace.wait_ms(4_000).hangs_up(HUNG_UP)
}

fn works() -> Trace {
    ends(uses(up().write(4, &[1, 0])).notified(3, &[1, 2, 3]))
}

/// The working host subscribes, and gets its first value exactly so long after the answer.
fn gains_after(us: u32) -> Trace {
    up().write(4, &[1, 0]).after_us(us).notified(3, &[1]).wait_ms(4_000).hangs_up(HUNG_UP)
}

/// This host writes, and ends the link exactly so long after the answer.
fn ends_after(us: u32) -> Trace {
    up().write(3, &[0xa5]).after_us(us).hangs_up(HUNG_UP)
}

fn subscribes(trace: Trace, error: ErrorCode) -> Trace {
    let write = Pdu::WriteRequest { attribute_handle: Handle(4), attribute_value: &[1, 0] };
    trace.refused(write, error)
}

fn subscription_refused(trace: Trace, error: ErrorCode) -> Trace {
    ends(subscribes(trace, error))
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "With bleak: `await client.start_notify(characteristic, callback)` before the first write; over D-Bus: `StartNotify`.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Call `characteristic.subscribeAsync()` and wait for it before the first write.",
    ),
    Remedy::on(
        &[Stack::Android],
        "After `setCharacteristicNotification()` also write the descriptor 0x2902 (`writeDescriptor`), and wait for `onDescriptorWrite`.",
    ),
    Remedy::on(
        &[Stack::Ios, Stack::MacOs],
        "Call `setNotifyValue(true, for:)` and wait for its callback before the first write.",
    ),
    Remedy::any("Write 0x0100 (indications: 0x0200) to the CCCD before the first command."),
];

const REFUSED: &[Remedy] = &[
    Remedy::any(
        "See whether the descriptor lies where the firmware expects it, and whether the device must first be put into another state (a login write, pairing).",
    ),
    Remedy::firmware("a CCCD must be writable."),
];

/// Refusals that say more than that the descriptor cannot be written. Rules of their own explain them: stale handles,
/// security, a database that changed.
const EXPLAINED: [ErrorCode; 7] = [
    ErrorCode::INVALID_HANDLE,
    ErrorCode::ATTRIBUTE_NOT_FOUND,
    ErrorCode::INSUFFICIENT_AUTHENTICATION,
    ErrorCode::INSUFFICIENT_AUTHORIZATION,
    ErrorCode::ENCRYPTION_KEY_TOO_SHORT,
    ErrorCode::INSUFFICIENT_ENCRYPTION,
    ErrorCode::DATABASE_OUT_OF_SYNC,
];

/// The device turned the subscription down.
#[derive(Debug)]
struct Refused {
    step: Step,
    code: ErrorCode,
}

/// The working host subscribed, and this one wrote without it.
#[derive(Debug)]
struct LeftOut {
    wrote: Step,
    last_frame: u32,
    theirs: Step,
    /// The working host's first notification after that.
    gained_frame: u32,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let healthy = connection.end.as_ref().is_none_or(|end| end.by == EndedBy::Host);
    if !connection.start_seen
        || !healthy
        || connection.elided_steps > 0
        || connection.role != Some(Role::Central)
        || connection.steps.iter().any(|s| pushed(s, Received))
        || connection.steps.iter().any(|s| subscribed(connection, s))
    {
        return None;
    }
    refused(connection).or_else(|| left_out(scene, connection))
}

fn refused(connection: &Connection) -> Option<Verdict> {
    let facts = connection.steps.iter().find_map(|step| {
        let code = step.status.map(ErrorCode).filter(|code| !EXPLAINED.contains(code))?;
        let failed = step.by == Sent && cccd(connection, step);
        failed.then(|| Refused { step: step.clone(), code })
    })?;
    Some(Verdict::cause(facts).sure(Confidence::High))
}

fn left_out(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let reference = scene.reference()?;
    let theirs = reference.steps.iter().find(|s| subscribed(reference, s))?;
    let gained = reference.steps.iter().find(|s| pushed(s, Received) && s.frame > theirs.frame)?;
    let stop = connection.end.as_ref().map_or(connection.capture_end, |end| end.at);
    let outlived = connection.after(stop)? > reference.after(gained.at)?;
    let wrote = connection.steps.iter().find(|s| application_write(connection, s))?;
    // A bonded device may remember what this host subscribed to.
    let remembers = connection.encrypted && !connection.paired;
    let facts = LeftOut {
        wrote: wrote.clone(),
        last_frame: connection.last_pdu?.frame,
        theirs: theirs.clone(),
        gained_frame: gained.frame,
    };
    (outlived && !remembers).then(|| Verdict::cause(facts).sure(Confidence::Medium))
}

const HEARD: &str = "the device was heard and answered ATT";

impl Facts for Refused {
    fn says(&self) -> Text {
        text!(
            "The device refused the subscription with error {}, and no notification came.",
            self.code
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.step.frame, see::request(&self.step)),
            Sight::here(self.step.last.frame, text!("refused: {}", self.code)),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", HEARD)]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Does another host get the same refusal? Then it is the device's firmware.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REFUSED.to_vec()
    }
}

impl Facts for LeftOut {
    fn says(&self) -> Text {
        text!(
            "The working host switched notifications on before it used the device; this host never did, and received none. Its commands were delivered."
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let Self { wrote, last_frame, theirs, gained_frame } = self;
        vec![
            Sight::here(wrote.frame, text!("this host uses the device: {}", see::request(wrote))),
            Sight::here(
                *last_frame,
                "last packet of this link; no CCCD was written and nothing notified up to here",
            ),
            Sight::in_reference(theirs.frame, text!("the working host: {}", see::request(theirs))),
            Sight::in_reference(*gained_frame, "and the device notifies"),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", HEARD)]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Subscribe on this host before the first command, and repeat.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

fn pushed(step: &Step, by: crate::packet::Direction) -> bool {
    step.by == by && matches!(step.procedure, Procedure::Notify | Procedure::Indicate)
}

/// A write to a CCCD; Service Changed is the host's own affair.
fn cccd(connection: &Connection, step: &Step) -> bool {
    step.procedure == Procedure::Subscribe
        && connection
            .remote
            .characteristic_of(step.attribute)
            .is_none_or(|c| c.uuid != Some(Uuid::Short(0x2a05)))
}

fn subscribed(connection: &Connection, step: &Step) -> bool {
    step.by == Sent && step.outcome == Outcome::Ok && cccd(connection, step)
}

/// A write to a value that the application owns.
fn application_write(connection: &Connection, step: &Step) -> bool {
    let hosts_own = connection.remote.get(step.attribute).is_some_and(|a| {
        a.kind == AttributeKind::Descriptor || a.uuid == Some(Uuid::Short(0x2b29))
    });
    step.by == Sent
        && step.outcome == Outcome::Ok
        && matches!(step.procedure, Procedure::Write | Procedure::WriteCommand)
        && !hosts_own
}
