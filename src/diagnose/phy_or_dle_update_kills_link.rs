use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Status;
use crate::packet::hci::{Command, LeEvent};
use crate::prose::{self, Text};
use crate::text;
use crate::timeline::{Connection, Detail, End, Outcome, Procedure, Stack, Step};
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
Data length changes by itself on nearly every link soon after the connection: once is chance. One link that was lost after a
change of the PHY is only a suspicion beside the lost link. A loss long after the change is an ordinary lost link.

## What to do
Stay on 1M and on 27-byte packets for a test; switch automatic updates off on the peripheral.",
    sources: &["ARMmbed/mbed-os#12191", "zephyrproject-rtos/zephyr#13396, #41359", "NordicSemiconductor/Kotlin-BLE-Library PR210"],
    check: Check::Device(check),
    cases: &[
        Case::cause(Confidence::High, "twice lost right after the change to 2M", || {
            lost(changed(2)).repeated(2, 1_000).into()
        })
        .about(&[1, 2])
        .saying("TX 2M, RX 2M"),
        Case::suspect(Confidence::Low, "once lost right after the change to 2M", || {
            lost(changed(2)).into()
        })
        .pins(&["TRIES"]),
        Case::cause(Confidence::High, "three times lost right after the change to Coded", || {
            lost(changed(3)).repeated(3, 1_000).into()
        })
        .saying("TX Coded")
        .pins(&["TRIES"]),
        Case::silent("the PHY stays 1M", || lost(changed(1)).repeated(2, 1_000).into()),
        Case::silent("the device is heard after the change", || {
            lost(changed(2).notified(3, &[1])).repeated(2, 1_000).into()
        }),
        Case::silent("once lost, and another link outlived such a change", || {
            let lives = changed(2).mtu().notified(3, &[1]).notified(3, &[2]);
            let lives = lives.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(1_000);
            lives.followed_by(lost(changed(2))).into()
        }),
        Case::silent("the device hung up", || {
            let link = changed(2).wait_ms(430).disconnected(Status::REMOTE_USER_TERMINATED);
            link.repeated(2, 1_000).into()
        }),
        Case::silent("once lost right after longer packets", || lost(longer()).into()),
        Case::cause(Confidence::High, "twice lost right after longer packets", || {
            lost(longer()).repeated(2, 1_000).into()
        })
        .saying("the data length changed"),

        Case::suspect(Confidence::Low, "only this host's direction changed", || {
            lost(changed_to(2, 1)).into()
        }),
        Case::suspect(Confidence::Low, "only the device's direction changed", || {
            lost(changed_to(1, 2)).into()
        }),
        Case::silent("the change was refused", || {
            let link = Trace::new().up().mtu().taken(set_phy(2, 2)).wait_ms(60);
            lost(link.le(phy_update(Status::UNSUPPORTED_FEATURE, 1, 1))).into()
        }),
        Case::cause(Confidence::High, "twice lost right after the change, and once it was outlived", || {
            let lives = changed(2).mtu().notified(3, &[1]).notified(3, &[2]);
            let lives = lives.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(1_000);
            lives.followed_by(lost(changed(2)).repeated(2, 1_000)).into()
        })
        .about(&[2, 3]),
        Case::silent("twice lost right after longer packets, and once they were outlived", || {
            let lives = longer().mtu().notified(3, &[1]).notified(3, &[2]);
            let lives = lives.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(1_000);
            lives.followed_by(lost(longer()).repeated(2, 1_000)).into()
        }),
        Case::suspect(Confidence::Low, "once lost, and another link showed two more frames after such a change", || {
            let lives = changed(2).notified(3, &[1]).notified(3, &[2]).wait_ms(900);
            let lives = lives.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(1_000);
            lives.followed_by(lost(changed(2))).into()
        })
        .about(&[2])
        .pins(&["ON_THEIR_WAY"]),
        Case::silent("once lost, and another link showed three more frames after such a change", || {
            let lives = changed(2).notified(3, &[1]).notified(3, &[2]).notified(3, &[3]).wait_ms(900);
            let lives = lives.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(1_000);
            lives.followed_by(lost(changed(2))).into()
        })
        .pins(&["ON_THEIR_WAY"]),
        Case::suspect(Confidence::Low, "once lost, and on a link that lived the change was refused", || {
            let lives = Trace::new().up().mtu().taken(set_phy(2, 2)).wait_ms(60);
            let lives = lives.le(phy_update(Status::UNSUPPORTED_FEATURE, 1, 1)).mtu().write(3, &[1]);
            let lives = lives.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(1_000);
            lives.followed_by(lost(changed(2))).into()
        })
        .about(&[2]),
        Case::suspect(Confidence::Low, "once lost after the PHY changed, and a link lived with longer packets", || {
            let lives = longer().mtu().notified(3, &[1]).notified(3, &[2]);
            let lives = lives.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(1_000);
            lives.followed_by(lost(changed(2))).into()
        })
        .about(&[2])
        .saying("the PHY changed"),
    ],
};

fn changed(phy: u8) -> Trace {
    changed_to(phy, phy)
}

fn changed_to(tx_phy: u8, rx_phy: u8) -> Trace {
    let asked = Trace::new().up().mtu().taken(set_phy(tx_phy, rx_phy));
    asked.wait_ms(60).le(phy_update(Status::SUCCESS, tx_phy, rx_phy))
}

fn set_phy(tx_phys: u8, rx_phys: u8) -> Command<'static> {
    Command::LeSetPhy { connection_handle: HANDLE, all_phys: 0, tx_phys, rx_phys, phy_options: 0 }
}

fn phy_update(status: Status, tx_phy: u8, rx_phy: u8) -> LeEvent<'static> {
    LeEvent::PhyUpdateComplete { status, connection_handle: HANDLE, tx_phy, rx_phy }
}

fn longer() -> Trace {
    Trace::new().up().mtu().wait_ms(60).le(LeEvent::DataLengthChange {
        connection_handle: HANDLE,
        max_tx_octets: 251,
        max_tx_time: 2_120,
        max_rx_octets: 251,
        max_rx_time: 2_120,
    })
}

fn lost(link: Trace) -> Trace {
    link.wait_ms(430).disconnected(Status::CONNECTION_TIMEOUT)
}

/// Once is chance: so many links must have been lost in this way before the change is the cause.
const TRIES: usize = 2;

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Stay on the 1M PHY: `sudo btmgmt phy LE1MTX LE1MRX`.",
    ),
    Remedy::on(&[Stack::Android], "Leave out `setPreferredPhy` for one test, if the app calls it."),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Switch the automatic PHY and data length updates off (Zephyr: `CONFIG_BT_AUTO_PHY_UPDATE=n`, `CONFIG_BT_AUTO_DATA_LEN_UPDATE=n`).",
    ),
];

/// So many frames behind the change may have been on their way before it.
const ON_THEIR_WAY: u32 = 2;

/// Links that were lost right after a change.
#[derive(Debug)]
struct Killed {
    phy: bool,
    /// The change and the end of each.
    links: Vec<(Step, End)>,
}

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
                && c.last_heard.is_some_and(|h| h.seen.frame > s.last.frame + ON_THEIR_WAY)
        })
    });
    let often = lost.len() >= TRIES;
    // A data length change stands at the start of nearly every link: demand it twice, and nobody who survived it.
    let told_apart = if phy { !survived || often } else { !survived && often };
    if !told_apart {
        return None;
    }
    let about: Vec<u32> = lost.iter().map(|(c, _)| c.number).collect();
    let ends = lost.into_iter().filter_map(|(c, step)| Some((step.clone(), c.end.clone()?)));
    let facts = Killed { phy, links: ends.collect() };
    let verdict = if often {
        Verdict::cause(facts).sure(Confidence::High)
    } else {
        Verdict::suspect(facts).sure(Confidence::Low)
    };
    Some(verdict.about(about))
}

impl Facts for Killed {
    fn says(&self) -> Text {
        text!(
            "Nothing was received from the device after {}, in {}; the link then ended for want of packets.",
            if self.phy { "the PHY changed" } else { "the data length changed" },
            prose::count(self.links.len(), "try", "tries")
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let of = |(step, end): &(Step, End)| {
            let text = match step.detail {
                Detail::Phy { tx, rx, .. } => {
                    text!("LE PHY Update Complete: TX {}, RX {}", phy_name(tx), phy_name(rx))
                }
                _ => text!("LE Data Length Change"),
            };
            [Sight::here(step.last.frame, text), see::link_ended(end)]
        };
        self.links.iter().flat_map(of).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "the device was heard until the change")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat on 1M only: if the link then lives, it was the change.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

/// A change to another PHY or to longer packets that was the last sign of the peer.
fn last_change(c: &Connection) -> Option<&Step> {
    let heard = c.last_heard?;
    c.steps.iter().find(|s| {
        s.last.frame == heard.seen.frame
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
