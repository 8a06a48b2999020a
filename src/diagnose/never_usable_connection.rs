use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{Handle, LastUuid, Pdu};
use crate::time::Span;
use crate::timeline::{Connection, EndedBy, Pending, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "never-usable-connection",
    title: "Connected, and yet never usable: discovery did not complete",
    basis: Basis::Laboratory,
    silences: &["att-request-unanswered", "zombie-link-data-silence", "connection-cancelled-by-app"],
    docs: "\
## What it means
The link was up, so the host said Connected; but the MTU exchange or service discovery started and never completed, so no
program could use it. It stays Connected without services until somebody gives up.

## How it shows
A live link on which an MTU exchange or discovery request has no answer for seconds, then our own Disconnect.

## What else it could be
A request of the application without answer, after a complete discovery, is `att-request-unanswered`.

## What to do
In the program: count Connected without ServicesResolved for 10 to 20 s as dead, disconnect, and try again. In the device:
answer discovery.",
    sources: &["bleak-retry-connector#230, #231", "laboratory: a phantom connection"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(12_000).into()),
        Case::silent("the nearest other trace", || example(500).into()),
    ],
};

fn example(wait: u32) -> Trace {
    let all = LastUuid::short(0x2800);
    let request = Pdu::ReadByGroupTypeRequest {
        starting_handle: Handle(1),
        ending_handle: Handle(0xffff),
        attribute_group_type: all,
    };
    Trace::new()
        .up()
        .mtu()
        .att(Direction::Sent, request)
        .wait_ms(wait)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Treat `Connected` without `ServicesResolved` after 20 s as failed: `Device1.Disconnect`, then connect again; if it stays, `bluetoothctl remove ADDRESS`.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Give discovery a timeout of some seconds, then `peripheral.disconnect()` and try again.",
    ),
    Remedy::any(
        "In the device's firmware: answer discovery requests also right after a connection.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.by == EndedBy::Host)?;
    let open = connection.open_requests.iter().find(|o| {
        o.by == Direction::Sent
            && matches!(o.pending, Pending::Att(0x02 | 0x04 | 0x06 | 0x08 | 0x10))
    })?;
    let age = open.age.filter(|age| *age >= Span::from_ms(3_000))?;
    let step = connection.steps.iter().find(|s| s.frame == open.frame)?;
    if see::used(connection)
        || connection.role != Some(Role::Central)
        || connection.cut_packets > 0
        || !connection.peer_heard()
    {
        return None;
    }
    let name = see::pdu(step);
    let (frame, text) = see::ended(end);
    Some(
        Verdict::cause(format!(
            "The link was up and the peer's radio answered, but {name} got no answer for {age}: the connection was never usable, and this host gave it up."
        ))
        .sure(Confidence::Medium)
        .sees(connection.connected_frame?, "LE Connection Complete: the host now calls the device connected")
        .sees(open.frame, format!("{name}, without answer"))
        .sees(end.command_frame?, "this host hangs up")
        .sees(frame, text)
        .rules_out("never-heard-peer", "the peer's link layer answered")
        .settled_by("Wait 32 s: BlueZ then reports the ATT timeout itself.")
        .try_these(remedies(scene, REMEDIES)),
    )
}
