use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Status;
use crate::packet::att::{Handle, Pdu};
use crate::time::Span;
use crate::timeline::{Connection, Procedure, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "immediate-0x13-after-first-att",
    title: "The device hangs up right after one particular packet",
    basis: Basis::Laboratory,
    silences: &["peer-hangs-up-on-deadline", "att-request-unanswered", "remote-user-terminated-idle", "mtu-exchange-breaks-peer"],
    docs: "\
## What it means
In every try the same request of this host is the last one, and the device ends the link within two seconds of it, whenever
it comes. The device cannot cope with that request, or answers it by hanging up.

## How it shows
Disconnection Complete 0x13 between one connection interval and two seconds after the same packet in two or more tries, while
the time since the connection differs.

## What else it could be
A fixed time since the connection points to a deadline of the device. A discovery request that a working host never sends is
`discovery-order-or-volume-difference`.

## What to do
Suppress that request: no MTU exchange, cached services, no plugin that reads it, discovery by UUID. Report it to the vendor.",
    sources: &["bluez/bluez#875 (a mouse leaves during HID reads)", "espressif/esp-idf#4036"],
    check: Check::Device(check),
    cases: &[
        Case::fires(|| example(true).into()),
        Case::silent("the nearest other trace", || example(false).into()),
    ],
};

fn example(same: bool) -> Trace {
    let read = |handle| Pdu::ReadRequest { attribute_handle: Handle(handle) };
    let sent = crate::packet::Direction::Sent;
    Trace::new()
        .up()
        .att(sent, read(3))
        .wait_ms(120)
        .disconnected(Status::REMOTE_USER_TERMINATED)
        .wait_ms(1000)
        .up()
        .discovery(2)
        .wait_ms(900)
        .att(sent, read(if same { 3 } else { 5 }))
        .wait_ms(120)
        .disconnected(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "If it is a read that a plugin makes (0x2A00 and 0x2A01: gap), run `bluetoothd --noplugin=gap`. If it is the MTU request, the way around it is raw ATT over an L2CAP socket on channel 4.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Discover by UUID (`discoverSomeServicesAndCharacteristics`) and leave the request out.",
    ),
    Remedy::on(
        &[Stack::Android, Stack::Ios, Stack::MacOs],
        "Leave that request out in the application, if the application sends it.",
    ),
    Remedy::any(
        "Report the packet to the device's vendor: the device should answer with an Error Response, not hang up.",
    ),
];

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let tries: Vec<(&Connection, &crate::timeline::Step, Span)> = attempts
        .iter()
        .filter(|c| {
            see::peer_hung_up(c).is_some()
                && c.start_seen
                && c.cut_packets == 0
                && c.role == Some(Role::Central)
        })
        .filter(|c| !see::peer_request_open(c))
        .filter_map(|c| {
            let step = see::last_sent(c).filter(|s| s.is_att())?;
            let wait = c.end.as_ref()?.at.since(c.last_sent_pdu_at)?;
            let reaction = wait >= c.granted?.interval() && wait < Span::from_ms(2000);
            reaction.then_some((*c, step, wait))
        })
        .collect();
    let hung_up = attempts.iter().filter(|c| see::peer_hung_up(c).is_some()).count();
    let (_, first, _) = tries.first()?;
    let lives: Vec<Span> = tries.iter().filter_map(|(c, ..)| c.life()).collect();
    if tries.len() < 2
        || tries.len() != hung_up
        || !tries.iter().all(|(_, s, _)| see::same_pdu(first, s))
        || see::constant(&lives)
    {
        return None;
    }
    let waits: Vec<Span> = tries.iter().map(|(.., wait)| *wait).collect();
    let name = see::pdu(first);
    let discovery = matches!(
        first.procedure,
        Procedure::DiscoverServices
            | Procedure::DiscoverCharacteristics
            | Procedure::DiscoverIncludes
            | Procedure::DiscoverDescriptors
    );
    let mut verdict = Verdict::cause(format!(
        "In all {} tries the last thing that this host sent was the same, {name}, and the device hung up {} later; the time since the connection differed ({}).",
        tries.len(),
        see::range(&waits),
        see::range(&lives)
    ))
    .sure(Confidence::Medium)
    .about(tries.iter().map(|(c, ..)| c.number));
    for (c, step, wait) in &tries {
        verdict = verdict.sees(c.last_sent_pdu_frame.unwrap_or(step.frame), name.clone());
        let end = c.end.as_ref()?;
        verdict = verdict.sees(end.frame, format!("{}, {wait} later", end.reason));
    }
    if discovery {
        verdict = verdict.settled_by(
            "Compare with a host that works: does it send this discovery request at all?",
        );
    }
    Some(
        verdict
            .rules_out(
                "peer-hangs-up-on-deadline",
                "the time since the connection differs from try to try",
            )
            .rules_out("never-heard-peer", "the device was heard")
            .try_these(remedies(scene, REMEDIES)),
    )
}
