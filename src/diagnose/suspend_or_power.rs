use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::hci::Command;
use crate::packet::{Address, Status};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{AdapterEvent, AdapterLoss, Connection, End, Happening, Stack};
use crate::trace::{HANDLE, PEER, Trace};

pub const RULE: Rule = Rule {
    id: "suspend-or-power",
    title: "This host switched its own Bluetooth off or went to sleep",
    basis: Basis::Laboratory,
    silences: &["adapter-removed", "connection-cancelled-by-app", "local-disconnect-2s-kernel-idle", "remote-user-terminated-idle"],
    docs: "\
## What it means
The host ended the link because its adapter was powered down or the machine suspended. It is no fault of the device.

## How it shows
Our Disconnect command carries reason 0x15 (power off), or mgmt reports a suspend, or the adapter is closed right after.
Several links often end at once. The Disconnection Complete itself only says 0x16.

## What else it could be
An application that hangs up uses reason 0x13.

## What to do
Keep the host awake and the adapter powered: disable autosuspend of the USB adapter, and look for what turned Bluetooth off
(airplane mode, rfkill, a power manager).",
    sources: &["BlueZ doc/mgmt-protocol.rst: Device Disconnected, reason 5", "measured: 0x15 in our own Disconnect on three links at once"],
    check: Check::Capture(check),
    cases: &[
        Case::cause(Confidence::High, "our host hangs up with reason 0x15", || {
            up().hangs_up(Status::REMOTE_POWER_OFF).into()
        })
        .about(&[1])
        .saying("being switched off"),
        Case::silent("it hangs up with reason 0x13", || {
            up().hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("the peer says 0x15", || {
            up().disconnected(Status::REMOTE_POWER_OFF).into()
        }),
        Case::cause(Confidence::High, "the adapter is closed then", || {
            up().hangs_up(Status::REMOTE_POWER_OFF).wait_ms(100).monitor(9, &[]).into()
        })
        .saying("the adapter is closed"),
        Case::cause(Confidence::High, "the adapter is closed before the link's end is told", || {
            says_goodbye(up(), Status::REMOTE_POWER_OFF).monitor(9, &[]).into()
        })
        .about(&[1])
        .saying("being switched off"),
        Case::silent("it says another reason, and the adapter is closed", || {
            says_goodbye(up(), Status::REMOTE_USER_TERMINATED).monitor(9, &[]).into()
        }),
        Case::silent("it says 0x15, and the adapter is unplugged", || {
            let goodbye = says_goodbye(up(), Status::REMOTE_POWER_OFF);
            goodbye.monitor(9, &[]).monitor(1, &[]).into()
        }),
        Case::cause(Confidence::High, "the machine suspends 2.9 s before", || {
            suspends(up()).wait_ms(2_850).hangs_up(Status::REMOTE_USER_TERMINATED).into()
        })
        .pins(&["NEAR_SUSPEND"])
        .saying("went to sleep"),
        Case::silent("the machine suspended 3.1 s before", || {
            suspends(up()).wait_ms(3_100).hangs_up(Status::REMOTE_USER_TERMINATED).into()
        })
        .pins(&["NEAR_SUSPEND"]),
        Case::cause(Confidence::High, "mgmt says that it was for a suspend", || {
            told(up().hangs_up(Status::REMOTE_USER_TERMINATED), 5).into()
        })
        .saying("went to sleep"),
        Case::silent("mgmt says that this host hung up", || {
            told(up().hangs_up(Status::REMOTE_USER_TERMINATED), 2).into()
        }),
        Case::silent("it suspends, and the peer hangs up", || {
            suspends(up()).wait_ms(100).disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("the machine suspended exactly 3 s before", || ends_after(3_000_000).into()),
        Case::cause(Confidence::High, "the machine suspends a moment less than 3 s before", || {
            ends_after(2_999_999).into()
        })
        .saying("went to sleep"),
        Case::silent("another adapter of the host suspends", || {
            let here = up().hangs_up(Status::REMOTE_USER_TERMINATED);
            here.beside(suspends(Trace::new().wait_ms(3_000))).into()
        }),
        Case::cause(Confidence::High, "another adapter is closed then", || {
            let here = up().hangs_up(Status::REMOTE_POWER_OFF).wait_ms(900);
            here.beside(Trace::new().wait_ms(4_000).monitor(9, &[])).into()
        })
        .not_saying("the adapter is closed"),
        Case::cause(Confidence::High, "the host scans then", || {
            up().hangs_up(Status::REMOTE_POWER_OFF).wait_ms(100).scan(true, 96, 48).into()
        })
        .not_saying("the adapter is closed"),
        Case::cause(Confidence::High, "mgmt says that another link was ended for a suspend", || {
            told(up().hangs_up(Status::REMOTE_POWER_OFF), 2).into()
        })
        .saying("being switched off"),
        Case::cause(Confidence::High, "who switched it off was not asked by power saving", || {
            up().hangs_up(Status::REMOTE_POWER_OFF).into()
        })
        .saying("See who switched it off")
        .not_saying("Disable autosuspend"),
        Case::cause(Confidence::High, "the machine suspends, and power saving may be why", || {
            suspends(up()).wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED).into()
        })
        .saying("Disable autosuspend"),
        Case::cause(Confidence::High, "it suspends, and switches the adapter off for it", || {
            suspends(up()).wait_ms(900).hangs_up(Status::REMOTE_POWER_OFF).into()
        })
        .saying("Disable autosuspend"),
    ],
};

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Disable autosuspend of a USB adapter: `echo on | sudo tee /sys/bus/usb/devices/*/power/control`.",
    ),
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "See who switched it off: `rfkill list`, `journalctl -u bluetooth`, `journalctl -t systemd-sleep`.",
    ),
    Remedy::on(
        &[Stack::Android, Stack::Ios, Stack::MacOs],
        "Keep Bluetooth on and the screen or app awake during the test.",
    ),
];

/// Our Disconnect command is taken, and no event follows.
fn says_goodbye(trace: Trace, reason: Status) -> Trace {
    trace.taken(Command::Disconnect { connection_handle: HANDLE, reason }).wait_ms(40)
}

/// mgmt Controller Suspend.
fn suspends(trace: Trace) -> Trace {
    trace.monitor(17, &[0, 0, 0, 0, 0x2d, 0, 1])
}

/// mgmt Device Disconnected of the usual device, with that reason.
fn told(trace: Trace, reason: u8) -> Trace {
    let Address([a, b, c, d, e, f]) = PEER;
    trace.monitor(17, &[0, 0, 0, 0, 0x0c, 0, a, b, c, d, e, f, 2, reason])
}

fn ends_after(us: u32) -> Trace {
    let reason = Status::REMOTE_USER_TERMINATED;
    let asked = suspends(up()).after_us(us - 50_000);
    let asked = asked.taken(Command::Disconnect { connection_handle: HANDLE, reason });
    asked.after_us(49_900).disconnected(Status::LOCAL_HOST_TERMINATED)
}

fn up() -> Trace {
    Trace::new().up().mtu().wait_ms(3_000)
}

/// A link that ended this near to a suspend ended because of it.
const NEAR_SUSPEND: Span = Span::from_ms(3_000);

/// mgmt's reason of Device Disconnected for a suspend.
fn by_suspend(connection: &Connection) -> bool {
    connection.mgmt_reason.is_some_and(|(_, reason)| reason == 5)
}

/// A link that our host ended because it went to sleep or switched Bluetooth off.
#[derive(Debug)]
struct SwitchedOff {
    /// The reason that we sent was 0x15.
    power_off: bool,
    reason_sent: Status,
    command_frame: u32,
    /// `None`: the adapter was closed before.
    end: Option<End>,
    suspend_frame: Option<u32>,
    closed_frame: Option<u32>,
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    // Collected once: a capture may hold many events and many connections.
    let events = &scene.capture().adapter_events;
    let suspended: Vec<_> = events.iter().filter(|e| e.what == Happening::Suspended).collect();
    let connections = scene.capture().connections.iter();
    connections.filter_map(|connection| ended(scene, connection, &suspended)).collect()
}

fn ended(
    scene: &Scene<'_>,
    connection: &Connection,
    suspended: &[&AdapterEvent],
) -> Option<Verdict> {
    let Some(end) = connection.end.as_ref() else { return closed_under(connection) };
    let command_frame = end.command_frame()?;
    let suspended = suspended.iter().find(|e| {
        e.adapter == connection.adapter
            && end.at.since(e.at).is_some_and(|d| d.abs() < NEAR_SUSPEND)
    });
    let power_off = end.reason_sent == Some(Status::REMOTE_POWER_OFF);
    if !power_off && suspended.is_none() && !by_suspend(connection) {
        return None;
    }
    let after = see::events_after(scene.capture(), end.frame);
    let closed =
        after.iter().find(|e| e.adapter == connection.adapter && e.what == Happening::IndexClosed);
    let facts = SwitchedOff {
        power_off,
        reason_sent: end.reason_sent?,
        command_frame,
        end: Some(end.clone()),
        suspend_frame: suspended.map(|e| e.frame),
        closed_frame: closed.map(|e| e.frame),
    };
    Some(Verdict::cause(facts).sure(Confidence::High).about([connection.number]))
}

/// The link's end is not told any more: the adapter was closed right after our Disconnect command.
fn closed_under(connection: &Connection) -> Option<Verdict> {
    let gone = connection.gone.as_ref().filter(|gone| gone.how == AdapterLoss::PoweredOff)?;
    let (command, reason_sent) =
        gone.command.filter(|(_, reason)| *reason == Status::REMOTE_POWER_OFF)?;
    let facts = SwitchedOff {
        power_off: true,
        reason_sent,
        command_frame: command.frame,
        end: None,
        suspend_frame: None,
        closed_frame: Some(gone.seen.frame),
    };
    Some(Verdict::cause(facts).sure(Confidence::High).about([connection.number]))
}

impl Facts for SwitchedOff {
    fn says(&self) -> Text {
        if self.power_off {
            text!(
                "Our own host ended the link with reason 0x15: its adapter was being switched off."
            )
        } else {
            text!("Our own host ended the link because it went to sleep.")
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let command = text!("Disconnect command, reason {}", self.reason_sent);
        let mut sights = vec![Sight::here(self.command_frame, command)];
        sights.extend(self.end.as_ref().map(see::link_ended));
        sights.extend(self.suspend_frame.map(|frame| Sight::here(frame, "Controller Suspend")));
        sights.extend(self.closed_frame.map(|frame| Sight::here(frame, "the adapter is closed")));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "remote-user-terminated-idle",
            "the Disconnect command came from this host",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        // Who switched Bluetooth off was not asked by the adapter's power saving.
        let skip = usize::from(self.power_off && self.suspend_frame.is_none());
        REMEDIES.iter().skip(skip).cloned().collect()
    }
}
