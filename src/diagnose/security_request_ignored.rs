use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::{Direction, Status, smp};
use crate::timeline::{Connection, Detail, Outcome, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "security-request-ignored",
    title: "The device asked for security, this host did nothing, and the device left",
    basis: Basis::Laboratory,
    silences: &["remote-user-terminated-idle", "peer-hangs-up-on-deadline", "insufficient-auth-no-pairing", "zombie-link-data-silence"],
    docs: "\
## What it means
A peripheral may ask the central to pair or encrypt. This host did not react, and the device ended the link.

## How it shows
SMP Security Request received, no Pairing Request and no encryption after it, then Disconnection Complete 0x13 or 0x05.

## What else it could be
Many devices ask and live on without: an ignored request on a link that lives is no fault.

## What to do
Pair from this host, or use a stack that answers the request.",
    sources: &["noble lib/hci-socket/smp.js: no handler for the Security Request", "eq3btsmart#4"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(Status::REMOTE_USER_TERMINATED).into()),
        Case::silent("the nearest other trace", || {
        let request = smp::Pdu::SecurityRequest { auth_req: 13 };
        Trace::new().up().smp(Direction::Received, request).mtu().wait_ms(30_000).hangs_up(Status::REMOTE_USER_TERMINATED).into()
    }),
    ],
};

fn example(reason: Status) -> Trace {
    Trace::new()
        .up()
        .smp(Direction::Received, smp::Pdu::SecurityRequest { auth_req: 13 })
        .mtu()
        .wait_ms(30_000)
        .disconnected(reason)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "noble has no handler for this request: pair with `bluetoothctl pair ADDRESS` and use noble's D-Bus binding.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Pair at once after connecting: `bluetoothctl pair ADDRESS`, with an agent registered.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Start security when the request comes (`ble_gap_security_initiate`, `esp_ble_gap_security_rsp`, `bt_conn_set_security`).",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| {
        end.command_frame.is_none()
            && matches!(end.reason, Status::REMOTE_USER_TERMINATED | Status::AUTHENTICATION_FAILURE)
    })?;
    let asked = connection.steps.iter().find(|s| {
        s.by == Direction::Received
            && matches!(s.detail, Detail::SecurityRequest { .. })
            && s.outcome == Outcome::Unanswered
    })?;
    let secured = connection.steps.iter().any(|s| {
        s.procedure == Procedure::Encrypt
            || (s.procedure == Procedure::Pair && s.frame != asked.frame)
    });
    if secured {
        return None;
    }
    let wait = end.at.since(asked.at)?;
    let (frame, text) = see::ended(end);
    Some(
        Verdict::cause(format!("The device asked for security, this host neither paired nor encrypted, and {wait} later the device ended the link."))
            .sure(Confidence::High)
            .sees(asked.frame, "Security Request from the device")
            .sees(frame, text)
            .rules_out("never-heard-peer", "the device was heard")
            .try_these(remedies(scene, REMEDIES)),
    )
}
