use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::{Command, Event, LeEvent};
use crate::packet::{Address, AddressType, Opcode, Status};
use crate::prose::{self, Text};
use crate::text;
use crate::timeline::{Connection, Happening, Stack};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "command-timeout-0x2016-or-other",
    title: "The local controller did not answer a command",
    basis: Basis::Laboratory,
    silences: &["adapter-removed", 
        "att-request-unanswered",
        "att-transaction-timeout-30s",
        "ncp-starvation",
        "zombie-link-data-silence",
        "never-usable-connection",
    ],
    docs: "\
## What it means
Every HCI command gets a Command Status or Command Complete within moments. Here one got none for two seconds or more: the
controller's firmware hangs, or the line between host and controller does. Linux then gives the command up (`tx timeout` in
dmesg) and may reset the adapter. The device at the other end has nothing to do with it.

## How it shows
A command without Command Status or Command Complete for at least two seconds; often several, then Hardware Error, reset and
initialisation. A command that an event of its own has answered does not count, nor one of a vendor's or of a group that the
specification does not have, nor the last line of a text.

## What else it could be
A capture that lost packets. It marks that with a warning.

## What to do
Update the controller's firmware; on a Raspberry Pi use the PL011 UART or a lower speed; do not scan and connect at once;
power-cycle the adapter; else use a USB dongle.",
    sources: &["raspberrypi/linux#3330, #4601, #4239, #6462", "bluez/bluez#1170, #980"],
    check: Check::Capture(check),
    cases: &[
        Case::suspect(Confidence::Medium, "one command, and another one 2.5 s later", || {
            asked().wait_ms(2_500).done(READ_LENGTH).into()
        })
        .about(&[1])
        .saying("got no answer"),
        Case::silent("it is answered after 700 ms", || {
            let answer = asked().wait_ms(700).status(Opcode(0x2016), Status::SUCCESS);
            answer.wait_ms(2_500).done(READ_LENGTH).into()
        }),
        Case::suspect(Confidence::Medium, "the answer comes after 2.1 s", || {
            asked().wait_ms(2_100).status(Opcode(0x2016), Status::SUCCESS).into()
        }),
        Case::silent("the answer comes after 1.9 s", || {
            asked().wait_ms(1_900).status(Opcode(0x2016), Status::SUCCESS).into()
        }),
        Case::cause(Confidence::High, "two commands", || {
            asked().wait_ms(3_000).command(READ_LENGTH).wait_ms(3_000).command(Command::Reset {}).into()
        })
        .saying("2 commands"),
        Case::suspect(Confidence::Medium, "two commands, and one between them is answered", || {
            let other = Command::ReadBdAddr {};
            let first = asked().done(other).wait_ms(3_000);
            first.command(READ_LENGTH).wait_ms(3_000).command(Command::Reset {}).into()
        })
        .saying("2 commands"),
        Case::cause(Confidence::High, "two of three commands, each with an answered one behind it, and a third", || {
            let again = |trace: Trace| trace.command(READ_LENGTH).done(Command::ReadBdAddr {}).wait_ms(3_000);
            again(again(again(Trace::new()))).done(Command::Reset {}).into()
        })
        .saying("3 commands"),
        Case::cause(Confidence::High, "one command, and then the controller crashes", || {
            let crash = Event::HardwareError { hardware_code: 3 };
            asked_alone().wait_ms(2_500).event(crash).into()
        })
        .saying("Hardware Error"),
        Case::suspect(Confidence::Medium, "a later command is answered before the crash", || {
            let crash = Event::HardwareError { hardware_code: 3 };
            asked_alone().done(Command::ReadBdAddr {}).wait_ms(2_500).event(crash).into()
        }),
        Case::suspect(Confidence::Medium, "the controller crashed before it", || {
            let crash = Trace::new().event(Event::HardwareError { hardware_code: 3 });
            crash.followed_by(asked_alone()).wait_ms(2_500).command(Command::Reset {}).into()
        }),
        Case::suspect(Confidence::Medium, "the peer is heard after the command", || {
            asked().wait_ms(100).notified(0x10, &[1]).wait_ms(3_000).command(Command::Reset {}).into()
        }),
        Case::silent("the event that the command asks for comes without a Command Status", || {
            let complete = LeEvent::ReadRemoteFeaturesComplete {
                status: Status::SUCCESS,
                connection_handle: HANDLE,
                le_features: [0; 8],
            };
            asked().wait_ms(100).le(complete).wait_ms(3_000).done(READ_LENGTH).into()
        }),
        Case::silent("a group that the specification does not have", || {
            of_group(0x3d).wait_ms(3_000).done(READ_LENGTH).into()
        }),
        Case::silent("a vendor's command", || {
            of_group(0x3f).wait_ms(3_000).done(READ_LENGTH).into()
        }),
        Case::silent("a group between the specification's and the vendors'", || {
            of_group(0x09).wait_ms(3_000).done(READ_LENGTH).into()
        }),
        Case::suspect(Confidence::Medium, "the last group of the specification", || {
            of_group(0x08).wait_ms(3_000).done(READ_LENGTH).into()
        }),
        Case::silent("a command that is never answered", || {
            let other = Command::Other { code: 0x0c35, parameters: &[0] };
            Trace::new().command(other).wait_ms(3_000).done(READ_LENGTH).into()
        }),

        Case::suspect(Confidence::Medium, "another link ended before", || {
            let ended = other_link().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500);
            on_first(ended.followed_by(asked())).into()
        })
        .about(&[2]),
        Case::suspect(Confidence::Medium, "another link is heard afterwards", || {
            let both = other_link().followed_by(asked()).wait_ms(100).peer(OTHER, AddressType::RANDOM);
            on_first(both.handle(0x50).notified(3, &[1])).into()
        })
        .about(&[2]),
        Case::suspect(Confidence::Medium, "another adapter has a silent link", || {
            let here = asked().wait_ms(2_500).done(READ_LENGTH);
            here.beside(Trace::new().up().mtu().with(OTHER)).into()
        })
        .about(&[1]),
        Case::suspect(Confidence::Medium, "another adapter crashes", || {
            let crash = Event::HardwareError { hardware_code: 3 };
            let other = Trace::new().wait_ms(2_000).event(crash);
            asked_alone().wait_ms(2_500).done(READ_LENGTH).beside(other).into()
        })
        .not_saying("Hardware Error"),
        Case::suspect(Confidence::Medium, "another link comes up afterwards", || {
            let later = on_first(asked()).peer(OTHER, AddressType::RANDOM).handle(0x50);
            later.create().connected().wait_ms(100).into()
        })
        .about(&[1]),
        Case::suspect(Confidence::Medium, "one command is not called first of several", || {
            on_first(asked()).into()
        })
        .not_saying("first,"),
    ],
};

/// Another device.
const OTHER: Address = Address([9, 0, 0, 0, 0, 0xc0]);

/// A link to it.
fn other_link() -> Trace {
    Trace::new().peer(OTHER, AddressType::RANDOM).handle(0x50).up().mtu().wait_ms(100)
}

/// The command stays open, and another one comes later.
fn on_first(trace: Trace) -> Trace {
    trace.wait_ms(2_500).done(READ_LENGTH)
}

const READ_LENGTH: Command<'_> = Command::LeReadSuggestedDefaultDataLength {};

/// On a link: its features are asked for.
fn asked() -> Trace {
    let link = Trace::new().up().mtu().wait_ms(100);
    link.command(Command::LeReadRemoteFeatures { connection_handle: HANDLE })
}

/// Nothing but the command.
fn asked_alone() -> Trace {
    Trace::new().command(READ_LENGTH)
}

/// A command of that group which has no name.
fn of_group(group: u16) -> Trace {
    Trace::new().command(Command::Other { code: group << 10 | 0x3fe, parameters: &[] })
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Update the firmware (package bluez-firmware or linux-firmware) and power-cycle the adapter: `sudo hciconfig hci0 down; sudo hciconfig hci0 up`; on a Raspberry Pi `sudo systemctl restart hciuart`.",
    ),
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Test with a USB dongle; on a Raspberry Pi use the PL011 UART instead of the mini-UART. `sudo dmesg` says `tx timeout` where the kernel noticed it too.",
    ),
    Remedy::no_use("Looking for the fault in the device: its packets have no part in this."),
];

/// Commands that the controller left without an answer.
#[derive(Debug)]
struct Unanswered {
    /// In order, each with its frame. There is one at least.
    commands: Vec<(Opcode, u32)>,
    /// Hardware Error after the first one.
    crash_frame: Option<u32>,
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let capture = scene.capture();
    // A recording that drops packets on purpose may have dropped the answers.
    if capture.filtered {
        return Vec::new();
    }
    let unanswered = capture.adapter_events.iter().filter_map(|event| match event.what {
        Happening::CommandUnanswered { opcode, command_frame, overtaken } => {
            Some((event, opcode, command_frame, overtaken))
        }
        _ => None,
    });
    let unanswered: Vec<_> = unanswered.collect();
    let Some(&(first, _, command_frame, _)) = unanswered.first() else { return Vec::new() };
    if capture.lost_packets_by(first.frame) {
        return Vec::new();
    }
    let silent = |c: &&Connection| {
        c.adapter == first.adapter
            && c.end.is_none()
            && c.up.is_some_and(|up| up.comes_before(command_frame))
            && c.last_heard.is_none_or(|heard| heard.comes_before(command_frame))
    };
    let broken = capture.connections.iter().filter(silent).map(|c| c.number);
    let crash = capture.adapter_events.iter().find(|e| {
        e.adapter == first.adapter
            && e.comes_after(command_frame)
            && matches!(e.what, Happening::HardwareError(_))
    });
    let facts = Unanswered {
        commands: unanswered.iter().map(|(_, opcode, frame, _)| (*opcode, *frame)).collect(),
        crash_frame: crash.map(|event| event.frame),
    };
    // Where later commands were answered, one answer may have been lost by the recording, and the controller is well.
    let overtaken = unanswered.iter().filter(|(.., overtaken)| *overtaken).count();
    let hung = facts.commands.len() - overtaken.min(1);
    let sure = hung > 1 || hung == 1 && crash.is_some();
    let verdict =
        if sure { Verdict::cause(facts).sure(Confidence::High) } else { Verdict::suspect(facts) };
    vec![verdict.about(broken)]
}

impl Facts for Unanswered {
    fn says(&self) -> Text {
        let name = self.commands.first().map(|(opcode, _)| *opcode);
        let what = match self.commands.len() {
            1 => text!("{}", name),
            count => text!("{}, {} first,", prose::count(count, "command", "commands"), name),
        };
        text!(
            "{} got no answer from the local controller for at least two seconds: it, or the line to it, hung. The device did not cause this.",
            what
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let shown = self.commands.iter().take(super::see::SHOWN).map(|(opcode, frame)| {
            let text =
                text!("{}: no Command Status or Command Complete follows for two seconds", *opcode);
            Sight::here(*frame, text)
        });
        let crash = self.crash_frame.map(|frame| Sight::here(frame, "Hardware Error"));
        shown.chain(crash).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "att-request-unanswered",
            "the host's own controller had stopped answering, so nothing could reach the device",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Warning, WarningKind};
    use crate::timeline::Capture;

    /// The answer may have been among the packets that the logger lost.
    #[test]
    fn a_capture_that_lost_packets_by_then_says_nothing() {
        let capture = asked().wait_ms(2_500).done(READ_LENGTH).run();
        let said = |frame| {
            let text = String::new();
            let kind = WarningKind::DroppedPackets;
            let loss = Warning { kind, frame, last_frame: None, offset: None, text };
            let captures = [Capture { warnings: vec![loss], ..capture.clone() }];
            !check(&Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None })
                .is_empty()
        };
        assert!(!said(None));
        assert!(!said(Some(1)));
        assert!(said(Some(u32::MAX)), "it lost packets only later");
        let cut = [Capture { filtered: true, ..capture.clone() }];
        assert!(
            check(&Scene { captures: &cut, testimonies: &[], subject: 0, comparison: None })
                .is_empty()
        );
    }

    /// The line to the controller lives, and so does the link.
    #[test]
    fn a_link_that_is_heard_after_the_command_is_not_lost() {
        let captures =
            [asked().wait_ms(100).notified(0x10, &[1]).wait_ms(3_000).done(READ_LENGTH).run()];
        let found =
            check(&Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None });
        assert_eq!(found.len(), 1);
        assert!(found[0].connections.is_empty(), "{found:?}");
    }

    /// A line of the log that a text ends with has no answer yet.
    #[test]
    fn what_the_last_line_of_a_text_asked_is_not_unanswered() {
        let trace = asked_alone().wait_ms(5_000).monitor(12, b"a note\0");
        let found = |capture| {
            !check(&Scene { captures: &[capture], testimonies: &[], subject: 0, comparison: None })
                .is_empty()
        };
        assert!(found(trace.run()));
        assert!(!found(trace.run_as("btmon-text")));
    }
}
