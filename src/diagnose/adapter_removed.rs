use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::Status;
use crate::packet::hci::{Command, Event};
use crate::prose::{self, Text};
use crate::text;
use crate::time::Span;
use crate::timeline::{AdapterEvent, AdapterLoss, Connection, EndedBy, Happening, Stack};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "adapter-removed",
    title: "The adapter was removed, switched off or reset under the link",
    basis: Basis::Real,
    silences: &["att-request-unanswered", "zombie-link-data-silence", "never-usable-connection"],
    docs: "\
## What it means
The link did not end on the air. The adapter that carried it went away: it was unplugged, its driver gave it up, somebody switched
it off, or a program reset it. No Disconnection Complete is sent then. The device is not the cause; it notices after its own
supervision timeout.

## How it shows
Close Index, Delete Index or HCI Reset while the link is up. Before that: mgmt Set Powered 0 and the program that sent it, or an
rfkill event, where somebody switched it off; nothing at all where it was unplugged.

## What else it could be
After a Hardware Error it is `controller-hardware-error`; a host that first says goodbye with reason 0x15 is `suspend-or-power`.

## What to do
Removed: look at plug, cable, hub and power, and in the kernel's log. Switched off: find out which program did it. Reset: let only
one program own the adapter.",
    sources: &[
        "btmon traces in which Close Index and Delete Index come while a link is up, linux-bluetooth mailing list",
        "Linux net/bluetooth: hci_dev_close ends all links without an event",
    ],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "the adapter is closed and deleted", || {
            deleted(closed(up())).into()
        })
        .about(&[1])
        .saying("plug and cable"),
        Case::cause(Confidence::High, "it is only closed, and nothing shows by whom", || {
            closed(up()).into()
        })
        .saying("nothing in this capture shows who"),
        Case::cause(Confidence::High, "a program switched it off", || {
            closed(switched_off(up().opens(7, 2, "nmcli"))).into()
        })
        .saying("nmcli"),
        Case::cause(Confidence::High, "it was switched off on another adapter", || {
            closed(switched_off(up().adapter(1)).adapter(0)).into()
        })
        .not_saying("Set Powered"),
        Case::suspect(Confidence::Medium, "a program resets the adapter", || {
            up().done(Command::Reset {}).into()
        })
        .saying("one program"),
        Case::silent("the link ended before the adapter was closed", || {
            closed(up().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(50)).into()
        }),
        Case::silent("the adapter that is closed is another one", || {
            closed(up().adapter(1)).into()
        }),
        Case::silent("the link is still up when the capture ends", || up().wait_ms(5_000).advertises(0).into()),
        Case::silent("the controller had not answered a command before", || {
            let hung = up().command(Command::LeReadSuggestedDefaultDataLength {}).wait_ms(3_000);
            closed(hung).into()
        }),
        Case::cause(Confidence::High, "it did not answer a command before the link", || {
            let hung = Trace::new().command(Command::LeReadSuggestedDefaultDataLength {});
            closed(hung.wait_ms(3_000).done(Command::Reset {}).followed_by(up())).into()
        }),
        Case::outweighed("the controller crashed and was reset then", || {
            let crash = Event::HardwareError { hardware_code: 3 };
            up().event(crash).wait_ms(20).done(Command::Reset {}).into()
        }),

        Case::cause(Confidence::High, "another adapter had not answered a command before", || {
            let other = up().adapter(1).command(Command::LeReadSuggestedDefaultDataLength {});
            let hung = other.wait_ms(3_000).done(Command::ReadBdAddr {}).adapter(0);
            closed(hung).into()
        })
        .about(&[1]),
        Case::cause(Confidence::High, "it was switched on again before it was closed", || {
            let on = |trace: Trace| trace.monitor(16, &[7, 0, 0, 0, 5, 0, 1]).wait_ms(200);
            closed(on(switched_off(Trace::new().opens(7, 2, "nmcli"))).followed_by(up())).into()
        })
        .not_saying("Set Powered"),
        Case::cause(Confidence::High, "rfkill switched it off", || {
            closed(switched_off(up().opens(7, 2, "rfkill"))).into()
        })
        .saying("by rfkill (airplane mode"),
        Case::silent("the kernel had told the link's end before", || {
            closed(told_end(up()).wait_ms(300)).into()
        }),
        Case::cause(Confidence::High, "the kernel tells the link's end only afterwards", || {
            told_end(closed(up()).wait_ms(10)).into()
        })
        .about(&[1]),
    ],
};

/// The monitor's record of an adapter that is closed.
fn closed(trace: Trace) -> Trace {
    trace.monitor(9, &[])
}

fn deleted(trace: Trace) -> Trace {
    trace.monitor(1, &[])
}

/// mgmt Set Powered with 0, by the socket with cookie 7.
fn switched_off(trace: Trace) -> Trace {
    trace.monitor(16, &[7, 0, 0, 0, 5, 0, 0]).wait_ms(200)
}

/// mgmt Device Disconnected of the usual device: the kernel tells the programs.
fn told_end(trace: Trace) -> Trace {
    let payload = [&7_u32.to_le_bytes()[..], &[0x0c, 0], &PEER.0, &[2, 3]].concat();
    trace.monitor(17, &payload)
}

fn up() -> Trace {
    Trace::new().up().mtu().wait_ms(3_000)
}

const UNPLUGGED: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "See what the kernel says of that moment (`sudo dmesg -T`): `USB disconnect`, a reset of the port, or a driver that gave the adapter up.",
    ),
    Remedy::any(
        "Look at the adapter's plug and cable, its hub and its power supply; try another port.",
    ),
];

const SWITCHED_OFF: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "See who switched it off: `rfkill list`, and `journalctl -u bluetooth` of that moment.",
    ),
    Remedy::any(
        "Keep Bluetooth switched on: airplane mode, a power manager or another program switched it off.",
    ),
];

const RESET: &[Remedy] = &[Remedy::any(
    "Let one program alone own the adapter: a reset by another one ends all links on it.",
)];

/// A link that ended because its adapter was lost.
#[derive(Debug)]
struct Lost {
    how: AdapterLoss,
    by: EndedBy,
    frame: u32,
    process: Option<String>,
    /// mgmt Set Powered 0.
    switched_off_frame: Option<u32>,
    connected_frame: Option<u32>,
    lived: Option<Span>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let gone = connection.gone.as_ref()?;
    // The kernel reported the end before; only the controller's event is missing here.
    if connection.mgmt_reason.is_some_and(|(frame, _)| frame < gone.frame) {
        return None;
    }
    let events = &scene.capture().adapter_events;
    let before =
        events.get(..events.partition_point(|e| !e.comes_after(gone.frame))).unwrap_or_default();
    // A controller that had stopped answering was taken away because of that.
    let begin = connection.connected_frame().unwrap_or(0);
    let hung = |e: &&AdapterEvent| {
        e.adapter == connection.adapter
            && matches!(e.what, Happening::CommandUnanswered { command_frame, .. } if command_frame > begin)
    };
    if before.iter().any(|e| hung(&e)) {
        return None;
    }
    let switch =
        |e: &&AdapterEvent| matches!(e.what, Happening::Powered(_) | Happening::IndexOpened);
    let last = before.iter().rev().filter(|e| e.adapter == connection.adapter).find(switch);
    let off = last.filter(|e| e.what == Happening::Powered(false));
    let facts = Lost {
        how: gone.how,
        by: gone.by,
        frame: gone.frame,
        process: gone.process.clone(),
        switched_off_frame: off.map(|e| e.frame),
        connected_frame: connection.connected_frame(),
        lived: connection.connected_frame().and_then(|_| gone.at.since(connection.connected_at())),
    };
    // Whoever resets an adapter may want to: only the links' programs know whether it was wanted.
    Some(match gone.how {
        AdapterLoss::Reset => Verdict::suspect(facts),
        AdapterLoss::Removed | AdapterLoss::PoweredOff => {
            Verdict::cause(facts).sure(Confidence::High)
        }
    })
}

impl Lost {
    fn who(&self) -> Text {
        match (self.how, self.by, &self.process) {
            (AdapterLoss::Reset, ..) => {
                text!("A program on this host, or the kernel, reset the adapter")
            }
            (_, EndedBy::Host, Some(program)) if program == "rfkill" => {
                text!("The adapter was switched off by rfkill (airplane mode, or a key)")
            }
            (_, EndedBy::Host, Some(program)) => {
                text!("The adapter was switched off by the program {}", prose::name(program))
            }
            (_, EndedBy::Host, None) => text!("This host switched the adapter off"),
            (AdapterLoss::Removed, ..) => {
                text!("The adapter was unplugged, or its driver gave it up")
            }
            (AdapterLoss::PoweredOff, ..) => {
                text!("The adapter was closed; nothing in this capture shows who did it")
            }
        }
    }
}

impl Facts for Lost {
    fn says(&self) -> Text {
        let lived = self.lived.map(|lived| text!(", {} after connecting", lived));
        text!(
            "{}{}. The link was up then and ended with it. The device did not end it.",
            self.who(),
            lived
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let what = match self.how {
            AdapterLoss::Removed => "the adapter is closed, and then removed",
            AdapterLoss::PoweredOff => "the adapter is closed while the link is up",
            AdapterLoss::Reset => "HCI Reset while the link is up",
        };
        let mut sights = vec![Sight::here(self.frame, what)];
        sights.extend(
            self.switched_off_frame.map(|frame| Sight::here(frame, "mgmt Set Powered: off")),
        );
        sights.extend(self.connected_frame.map(|frame| {
            Sight::here(frame, "the link came up; no Disconnection Complete follows")
        }));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "supervision-timeout-0x08",
            "the link did not end for want of packets: its adapter was taken away",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        let remedies = match (self.how, self.by) {
            (AdapterLoss::Reset, _) => RESET,
            (AdapterLoss::Removed, EndedBy::Controller) => UNPLUGGED,
            _ => SWITCHED_OFF,
        };
        remedies.to_vec()
    }
}
