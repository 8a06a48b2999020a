use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Status;
use crate::packet::hci::{Command, LeEvent};
use crate::timeline::{Connection, Detail, Outcome, Procedure, Stack, Step};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "phy-or-dle-update-kills-link",
    title: "The link dies right after the PHY or data length changes",
    basis: Basis::Laboratory,
    silences: &["supervision-timeout-0x08", "short-supervision-timeout-linux-420ms"],
    docs: "\
## What it means
After the change to another PHY (or to longer packets) nothing more was received from the device: it does not really speak the
new PHY, or cannot take the longer packets.

## How it shows
LE PHY Update Complete to 2M or Coded (or LE Data Length Change), nothing received after it, Disconnection Complete 0x08 one
supervision timeout later; again in a second try.

## What else it could be
Data length changes by itself on nearly every link soon after the connection: once is chance. A loss long after the change is
an ordinary lost link.

## What to do
Stay on 1M and on 27-byte packets for a test; switch automatic updates off on the peripheral.",
    sources: &["ARMmbed/mbed-os#12191", "zephyrproject-rtos/zephyr#13396, #41359", "NordicSemiconductor/Kotlin-BLE-Library PR210"],
    check: Check::Device(check),
    cases: &[
        Case::fires(|| example(2).into()),
        Case::silent("the nearest other trace", || example(1).into()),
    ],
};

fn example(phy: u8) -> Trace {
    Trace::new()
        .up()
        .mtu()
        .taken(Command::LeSetPhy {
            connection_handle: HANDLE,
            all_phys: 0,
            tx_phys: phy,
            rx_phys: phy,
            phy_options: 0,
        })
        .wait_ms(60)
        .le(LeEvent::PhyUpdateComplete {
            status: Status::SUCCESS,
            connection_handle: HANDLE,
            tx_phy: phy,
            rx_phy: phy,
        })
        .wait_ms(430)
        .disconnected(Status::CONNECTION_TIMEOUT)
        .repeated(2, 1000)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Stay on the 1M PHY: `sudo btmgmt phy LE1MTX LE1MRX`.",
    ),
    Remedy::on(&[Stack::Android], "Do not call `setPreferredPhy` for this device."),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Switch the automatic PHY and data length updates off (Zephyr: `CONFIG_BT_AUTO_PHY_UPDATE=n`, `CONFIG_BT_AUTO_DATA_LEN_UPDATE=n`).",
    ),
];

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let lost: Vec<(&Connection, &Step)> = attempts
        .iter()
        .filter(|c| c.reason() == Some(Status::CONNECTION_TIMEOUT) && c.start_seen)
        .filter_map(|c| Some((*c, last_change(c)?)))
        .collect();
    let (_, first) = lost.first()?;
    let phy = first.procedure == Procedure::Phy;
    let survived = attempts.iter().chain(scene.reference().iter()).any(|c| {
        c.steps.iter().any(|s| {
            s.procedure == first.procedure
                && s.outcome == Outcome::Ok
                && c.last_heard.is_some_and(|h| h.seen.frame > s.last_frame + 2)
        })
    });
    // A data length change stands at the start of nearly every link: demand it twice, and nobody who survived it.
    let told_apart = if phy { !survived || lost.len() >= 2 } else { !survived && lost.len() >= 2 };
    if !told_apart {
        return None;
    }
    let what = if phy { "the PHY changed" } else { "the data length changed" };
    let mut verdict = Verdict::cause(format!(
        "Nothing was received from the device after {what}, in {} {}; the link then ended for want of packets.",
        lost.len(),
        if lost.len() == 1 { "try" } else { "tries" }
    ))
    .sure(if lost.len() > 1 { Confidence::High } else { Confidence::Low })
    .about(lost.iter().map(|(c, _)| c.number));
    for (c, step) in &lost {
        let text = match step.detail {
            Detail::Phy { tx, rx, .. } => {
                format!("LE PHY Update Complete: TX {}, RX {}", phy_name(tx), phy_name(rx))
            }
            _ => "LE Data Length Change".to_owned(),
        };
        let (frame, end) = see::ended(c.end.as_ref()?);
        verdict = verdict.sees(step.last_frame, text).sees(frame, end);
    }
    Some(
        verdict
            .rules_out("never-heard-peer", "the device was heard until the change")
            .settled_by("Repeat on 1M only: if the link then lives, it was the change.")
            .try_these(remedies(scene, REMEDIES)),
    )
}

/// A change to another PHY or to longer packets that was the last sign of the peer.
fn last_change(c: &Connection) -> Option<&Step> {
    let heard = c.last_heard?;
    c.steps.iter().find(|s| {
        s.last_frame == heard.seen.frame
            && s.outcome == Outcome::Ok
            && match (s.procedure, s.detail) {
                (Procedure::Phy, Detail::Phy { tx, rx, .. }) => tx != 1 || rx != 1,
                (Procedure::DataLength, _) => true,
                _ => false,
            }
    })
}

fn phy_name(phy: u8) -> &'static str {
    match phy {
        1 => "1M",
        2 => "2M",
        3 => "Coded",
        _ => "unknown",
    }
}
