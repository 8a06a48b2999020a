use super::insufficient_auth_no_pairing::wants_security;
use super::{Basis, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::capture::Direction;
use crate::link::{Connection, Pending, Role, Stack};
use crate::time::Span;
use crate::trace::Trace;
use crate::wire::Status;
use crate::wire::att::{ErrorCode, Handle, Pdu};

pub const RULE: Rule = Rule {
    id: "reverse-discovery-collides",
    title: "This peripheral also acts as a client, and gets in the central's way",
    basis: Basis::Laboratory,
    silences: &["insufficient-auth-no-pairing", "att-transaction-timeout-30s", "att-request-unanswered", "remote-user-terminated-idle"],
    docs: "\
## What it means
BlueZ, also as a peripheral, looks at the services of whoever connects. The phone then asks to pair (a pop-up), or one side stops
answering because both discover at once.

## How it shows
In the peripheral role: requests sent by this host, refused with an error that asks for pairing, or a request of the central that
this host leaves open.

## What else it could be
Reverse discovery without refusals and open requests is harmless.

## What to do
Switch it off on the peripheral: `ReverseServiceDiscovery = false`.",
    sources: &["bluez/bluez#153", "NordicSemiconductor/IOS-nRF-Connect#94", "ukBaz/python-bluezero#331, #336"],
    check: Check::Connection(check),
    fires_on: || example(ErrorCode::INSUFFICIENT_AUTHENTICATION).into(),
    silent_on: || example(ErrorCode::ATTRIBUTE_NOT_FOUND).into(),
};

fn example(error: ErrorCode) -> Trace {
    let request = Pdu::ReadRequest { attribute_handle: Handle(3) };
    Trace::new()
        .connected_as(1, 24, 0, 72)
        .from_peer(&[0x02, 5, 2], &[0x03, 0xf7, 0])
        .refused(request, error)
        .wait_ms(3000)
        .disconnected(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    (
        &[Stack::BlueZ],
        "In /etc/bluetooth/main.conf: `[General] ReverseServiceDiscovery = false` (or `[GATT] Client = false` on newer versions); for a test `bluetoothd --noplugin=battery`.",
    ),
    (
        &[Stack::Bumble, Stack::NimBle, Stack::Zephyr],
        "Do not start discovery of the central from the peripheral.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    if connection.role != Some(Role::Peripheral) {
        return None;
    }
    let ours = connection.steps.iter().find(|s| {
        s.by == Direction::Sent
            && s.is_att()
            && !matches!(
                s.procedure,
                crate::link::Procedure::Notify | crate::link::Procedure::Indicate
            )
    })?;
    let refused = connection.steps.iter().find(|s| s.by == Direction::Sent && wants_security(s));
    let blocked = connection.open_requests.iter().find(|o| {
        o.by == Direction::Received
            && matches!(o.pending, Pending::Att(_))
            && o.age.is_some_and(|age| age >= Span::from_ms(29_500))
    });
    if refused.is_none() && blocked.is_none() {
        return None;
    }
    let mut verdict = Verdict::cause(match (refused, blocked) {
        (_, Some(_)) => "This peripheral discovered the central's services while the central discovered its own, and left the central's request unanswered.",
        _ => "This peripheral asked the central for attributes that need pairing: phones answer with a pairing pop-up or an error.",
    })
    .sure(Confidence::Medium)
    .sees(ours.frame, format!("this peripheral asks as a client: {}", see::pdu(ours)));
    if let Some(step) = refused {
        verdict = verdict
            .sees(step.last_frame, format!("the central refuses: {}", ErrorCode(step.status?)));
    }
    if let Some(open) = blocked {
        verdict = verdict.sees(open.frame, "the central's request that was never answered");
    }
    if let Some(end) = &connection.end {
        verdict = verdict.sees(end.frame, format!("the link ends: {}", end.reason));
    }
    Some(verdict.try_these(remedies(scene, REMEDIES)))
}
