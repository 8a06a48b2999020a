use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::hci::Command;
use crate::time::Span;
use crate::timeline::{Connection, Outcome, Pending, Procedure, Stack};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "ll-response-timeout-40s",
    title: "A link-layer procedure was never finished",
    basis: Basis::Real,
    silences: &["att-transaction-timeout-30s", "att-request-unanswered", "supervision-timeout-0x08", "phy-or-dle-update-kills-link", "remote-user-terminated-idle"],
    docs: "\
## What it means
One controller asked the other for something (features, version, a PHY, parameters, encryption) and the procedure was not
finished. The link layer allows 40 s, then it ends the link with 0x22. Data may flow all the while.

## How it shows
Disconnection Complete 0x22, about 40 s after such a procedure began, or at any time when the procedure's own Complete event
carries 0x22.

## What else it could be
30 s with an open ATT request is ATT's own limit. Silence ends a link with 0x08.

## What to do
Avoid that procedure: stay on 1M, do not request data length or parameters; in the device's firmware disable its automatic
requests; try another controller.",
    sources: &["raspberrypi/pico-sdk#3051", "NordicSemiconductor/pc-ble-driver-py#159", "measured once: 0x22 1067 ms after a connection update"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(Status::LL_RESPONSE_TIMEOUT).into()),
        Case::silent("the nearest other trace", || example(Status::CONNECTION_TIMEOUT).into()),
    ],
};

fn example(reason: Status) -> Trace {
    Trace::new()
        .up()
        .mtu()
        .taken(Command::LeSetPhy {
            connection_handle: HANDLE,
            all_phys: 0,
            tx_phys: 2,
            rx_phys: 2,
            phy_options: 0,
        })
        .wait_ms(40_000)
        .disconnected(reason)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Stay on the 1M PHY for a test: `sudo btmgmt phy LE1MTX LE1MRX`; test another adapter.",
    ),
    Remedy::on(
        &[Stack::Android],
        "Do not call `setPreferredPhy` or `requestConnectionPriority` on this device.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Switch automatic PHY, data length and parameter requests off (Zephyr: `CONFIG_BT_AUTO_PHY_UPDATE=n`, `CONFIG_BT_AUTO_DATA_LEN_UPDATE=n`).",
    ),
    Remedy::any(
        "In the device's firmware: the link layer must answer what it does not know with LL_UNKNOWN_RSP.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    // After our own Disconnect it only says that the peer did not acknowledge that.
    let end = connection
        .end
        .as_ref()
        .filter(|end| end.reason == Status::LL_RESPONSE_TIMEOUT && end.command_frame.is_none())?;
    let failed = connection
        .steps
        .iter()
        .find(|s| s.outcome == Outcome::Error && s.status == Some(Status::LL_RESPONSE_TIMEOUT.0));
    let open = connection.open_requests.iter().find(|o| o.pending.is_link_layer());
    // What the peer asks of the controller itself shows on HCI only as a parameter request.
    let (frame, at, name, ours) = match (failed, open) {
        (Some(step), _) => {
            (step.frame, step.at, step.procedure.to_string(), step.by == Direction::Sent)
        }
        (None, Some(open)) => {
            let name = match open.pending {
                Pending::LinkLayer(opcode) => {
                    opcode.name().unwrap_or("link-layer procedure").to_owned()
                }
                Pending::LongTermKey => "Long Term Key Request".to_owned(),
                _ => Procedure::ParameterUpdate.to_string(),
            };
            (open.frame, open.at, name, open.by == Direction::Sent)
        }
        (None, None) => {
            let (frame, text) = see::ended(end);
            return Some(
                Verdict::cause("The link ended because a link-layer procedure was not finished within its 40 s; which one does not show on this host's HCI, so the peer's controller (or this one by itself) began it.")
                    .sure(Confidence::Medium)
                    .sees(frame, text)
                    .settled_by("An over-the-air sniffer shows the link-layer request that was never answered.")
                    .try_these(remedies(scene, REMEDIES)),
            );
        }
    };
    let wait = end.at.since(at)?;
    let forty = wait > Span::from_ms(38_000) && wait < Span::from_ms(42_000);
    let (end_frame, text) = see::ended(end);
    let mut verdict = Verdict::cause(format!(
        "{} began {name}, the {} never finished it, and {wait} later the link layer gave up (0x22).",
        if ours { "This host" } else { "The peer" },
        if ours { "peer" } else { "other side" }
    ))
    .sure(if forty || failed.is_some() { Confidence::High } else { Confidence::Medium })
    .sees(frame, format!("{name} begins"));
    if let Some(step) = failed {
        verdict = verdict.sees(step.last_frame, "its Complete event carries 0x22");
    }
    Some(
        verdict
            .sees(end_frame, text)
            .rules_out(
                "att-transaction-timeout-30s",
                "0x22 is the link layer's own limit of 40 s, not ATT's of 30 s",
            )
            .rules_out("supervision-timeout-0x08", "packets were received until the end")
            .try_these(remedies(scene, REMEDIES)),
    )
}
