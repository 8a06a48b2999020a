use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{self, Handle, Pdu};
use crate::time::Span;
use crate::timeline::{Connection, Pending, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "att-transaction-timeout-30s",
    title: "A request was never answered, and the 30 s of ATT ran out",
    basis: Basis::Real,
    silences: &["att-request-unanswered", "never-usable-connection", "zombie-link-data-silence", "connection-cancelled-by-app", "remote-user-terminated-idle"],
    docs: "\
## What it means
A request (or an indication) was sent and its answer never came, while the link lived. After 30 s the bearer is dead by the
specification, and the side that waited hangs up. BlueZ does so 32 s after the request: 30 s and two more of the kernel.

## How it shows
An ATT request or indication without response for at least 29.5 s, then a Disconnect of the requester (Disconnection Complete
0x16), or 0x13 from the peer where the peer was the one who waited.

## What else it could be
A link-layer procedure that is never finished takes 40 s and ends with 0x22. A lost link ends with 0x08.

## What to do
Find out why the server does not answer this one request. Avoid it if you can: BlueZ reads 0x2A00 and 0x2A01 and writes the
Service Changed CCCD by itself; one unanswered request blocks everything behind it.",
    sources: &["Core Specification, Vol 3, Part F, 3.3.3", "BlueZ src/shared/att.c: ATT_TIMEOUT_INTERVAL", "bluez/bluez#153", "measured: 32.02 to 32.08 s on BlueZ"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(30_000).into()),
        Case::silent("the nearest other trace", || example(10_000).into()),
    ],
};

fn example(wait: u32) -> Trace {
    Trace::new()
        .up()
        .mtu()
        .att(Direction::Sent, Pdu::ReadRequest { attribute_handle: Handle(0x10) })
        .wait_ms(wait)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "If the request is BlueZ's own, keep it from asking: `[GATT] Cache=always`, or run `bluetoothd --noplugin=gap,deviceinfo,battery` for a test; update BlueZ.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "If both sides discover each other at once, switch that off: `ReverseServiceDiscovery=false` in /etc/bluetooth/main.conf.",
    ),
    Remedy::any(
        "In the device's firmware answer every request, with an Error Response if nothing else.",
    ),
    Remedy::any("A longer supervision timeout will not help: the link was alive all the time."),
];

/// Which question, in words.
pub fn question(connection: &Connection, open: &crate::timeline::OpenRequest) -> String {
    let Pending::Att(opcode) = open.pending else { return "request".to_owned() };
    let name = att::Pdu::name_of(opcode).unwrap_or("request");
    match connection.steps.iter().find(|s| s.frame == open.frame) {
        Some(step) if see::pdu(step).starts_with(name) => see::pdu(step),
        Some(step) => format!("{name} ({})", see::pdu(step)),
        None => name.to_owned(),
    }
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let open = connection
        .open_requests
        .iter()
        .filter(|o| {
            // Our own indications have a rule of their own: there we are the server.
            let indication = o.pending == Pending::Att(Pdu::INDICATION);
            matches!(o.pending, Pending::Att(_)) && !(indication && o.by == Direction::Sent)
        })
        .max_by_key(|o| o.age)?;
    let age = open.age.filter(|age| *age >= Span::from_ms(29_500))?;
    let lost = connection.end.as_ref().is_some_and(|end| {
        matches!(
            end.reason,
            Status::CONNECTION_TIMEOUT | Status::LL_RESPONSE_TIMEOUT | Status::MIC_FAILURE
        )
    });
    // A capture that is still going on, or cut packets that may hold the answer, prove nothing.
    if lost || connection.cut_packets > 0 || connection.end.is_none() {
        return None;
    }
    let end = connection.end.as_ref()?;
    let ours = open.by == Direction::Sent;
    let name = question(connection, open);
    let says = if ours {
        format!(
            "The device never answered this host's {name}. {age} later the connection was given up; everything behind that request was blocked."
        )
    } else {
        format!("This host never answered the peer's {name}, and {age} later the connection ended.")
    };
    // A pairing that was open just as long explains the end equally well: `smp-timeout-30s` names both.
    let pairing = connection.open_requests.iter().any(|o| {
        matches!(o.pending, Pending::Smp(_))
            && o.age.is_some_and(|age| age >= Span::from_ms(29_000))
    });
    let mut verdict = if pairing {
        Verdict::suspect(format!("{says} A pairing was open for as long."))
    } else {
        Verdict::cause(says).sure(Confidence::High)
    }
    .sees(open.frame, format!("{name}, never answered"));
    let (frame, text) = see::ended(end);
    if let Some(command) = end.command_frame {
        verdict = verdict.sees(command, "this host hangs up");
    }
    Some(
        verdict
            .sees(frame, text)
            .rules_out("supervision-timeout-0x08", "the link was alive until it was ended on purpose")
            .rules_out("ll-response-timeout-40s", "no link-layer procedure was open")
            .settled_by("Send the same request alone, right after connecting: does the device ever answer it?")
            .try_these(remedies(scene, REMEDIES)),
    )
}
