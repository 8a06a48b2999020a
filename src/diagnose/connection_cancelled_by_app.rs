use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{Handle, LastUuid, Pdu};
use crate::time::Span;
use crate::timeline::{Connection, EndedBy, Pending, Procedure, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "connection-cancelled-by-app",
    title: "This host gave the connection up before it was done with it",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The peer answered, discovery or a read was still going on, and this host ended the link: a timeout in the program that is
shorter than the work, or a user who cancelled.

## How it shows
Our Disconnect command while a discovery or read was open for less than three seconds, before any application data passed.

## What else it could be
A request that had been open for long is the peer's silence.

## What to do
Give the connection more time; let discovery finish first.",
    sources: &["BlueZ src/device.c: device_remove_connection"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(60).into()),
        Case::silent("the nearest other trace", || example(5_000).into()),
    ],
};

fn example(wait: u32) -> Trace {
    let all = LastUuid::short(0x2803);
    let request = Pdu::ReadByTypeRequest {
        starting_handle: Handle(7),
        ending_handle: Handle(0xffff),
        attribute_type: all,
    };
    Trace::new()
        .up()
        .mtu()
        .discovery(2)
        .att(Direction::Sent, request)
        .wait_ms(wait)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Lengthen the program's timeout: bleak `BleakClient(address, timeout=30)`; BlueZ needs some seconds for its first full discovery.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Lengthen the timeout around connect and discovery, or discover only the needed service.",
    ),
    Remedy::any("The device did nothing wrong here; its logs will show the host's own disconnect."),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| {
        end.by == EndedBy::Host && end.reason_sent != Some(Status::AUTHENTICATION_FAILURE)
    })?;
    let open = connection.open_requests.iter().find(|o| {
        o.by == Direction::Sent
            && matches!(o.pending, Pending::Att(_))
            && o.age.is_some_and(|age| age < Span::from_ms(3_000))
    })?;
    let step = connection.steps.iter().find(|s| s.frame == open.frame)?;
    let working = matches!(
        step.procedure,
        Procedure::ExchangeMtu
            | Procedure::DiscoverServices
            | Procedure::DiscoverIncludes
            | Procedure::DiscoverCharacteristics
            | Procedure::DiscoverDescriptors
            | Procedure::Read
    );
    let life = connection.life().filter(|life| *life < Span::from_ms(30_000))?;
    if !working
        || see::used(connection)
        || connection.role != Some(Role::Central)
        || !connection.peer_heard()
    {
        return None;
    }
    let (frame, text) = see::ended(end);
    Some(
        Verdict::suspect(format!(
            "This host hung up {life} after connecting, in the middle of its own work ({} was open for only {}): a timeout of the program, or somebody cancelled.",
            see::pdu(step),
            open.age?
        ))
        .sure(Confidence::Medium)
        .sees(open.frame, format!("{}, still open", see::pdu(step)))
        .sees(end.command_frame?, "Disconnect command of this host")
        .sees(frame, text)
        .rules_out("peer-hangs-up-on-deadline", "the Disconnect command came from this host")
        .rules_out("never-heard-peer", "the peer answered")
        .settled_by("Repeat with a longer timeout in the program.")
        .try_these(remedies(scene, REMEDIES)),
    )
}
