use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::{Command, Event};
use crate::prose::Text;
use crate::text;
use crate::timeline::{AdapterEvent, Happening, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "controller-hardware-error",
    title: "The local Bluetooth controller reported a hardware error",
    basis: Basis::Laboratory,
    silences: &["adapter-removed", "command-timeout-0x2016-or-other", "att-request-unanswered", "att-transaction-timeout-30s", "ncp-starvation", "zombie-link-data-silence", "never-usable-connection"],
    docs: "\
## What it means
The controller on this side crashed or lost its connection to the host. Links that were up are gone without a
Disconnection Complete. The peer has done nothing wrong.

## How it shows
A Hardware Error event, then a reset and the start-up commands of a fresh controller.

## What else it could be
Noise on a serial line to the controller gives the same event as a firmware crash; both are on this side.

## What to do
Update the controller's firmware package; on a Raspberry Pi lower the UART speed or use the PL011 UART, do not scan and
connect at once, and power-cycle the adapter; else use a USB dongle.",
    sources: &["raspberrypi/linux#3330, #4601, #6462", "Core Specification, Vol 4, Part E, 7.7.16"],
    check: Check::Capture(check),
    cases: &[
        Case::cause(Confidence::High, "a crash while a link is up", || crashed(up()).into())
            .about(&[1])
            .saying("One link was up"),
        Case::silent("a reset without a crash", || {
            up().done(Command::Reset {}).into()
        }),
        Case::cause(Confidence::High, "a crash while nothing is up", || {
            crashed(Trace::new()).into()
        })
        .not_saying("up and got no"),
        Case::cause(Confidence::High, "two links are up", || {
            let other = crate::packet::Address([2, 0, 0, 0, 0, 0xc0]);
            let kind = crate::packet::AddressType::RANDOM;
            crashed(up().peer(other, kind).handle(0x41).up()).into()
        })
        .about(&[1, 2])
        .saying("2 links were up"),
        Case::cause(Confidence::High, "the host resets the controller then", || {
            crashed(up()).wait_ms(20).done(Command::Reset {}).into()
        })
        .saying("the host resets the controller"),
        Case::cause(Confidence::High, "the link ended before the crash", || {
            let ended = up().hangs_up(crate::packet::Status::REMOTE_USER_TERMINATED);
            crashed(ended).into()
        })
        .not_saying("up and got no"),
        Case::cause(Confidence::High, "the link is heard after the crash: it was not lost", || {
            crashed(up()).wait_ms(20).mtu().into()
        })
        .not_saying("up and got no"),

        Case::cause(Confidence::High, "a crash on another adapter loses nothing of this one", || {
            let quiet = up().wait_ms(5_000);
            Trace::new().wait_ms(1_000).followed_by(crashed(Trace::new())).beside(quiet).into()
        })
        .not_saying("up and got no"),
        Case::cause(Confidence::High, "the link came up after the crash", || {
            crashed(Trace::new()).wait_ms(100).followed_by(up()).into()
        })
        .not_saying("up and got no"),
        Case::cause(Confidence::High, "it crashes again: the second crash finds no link", || {
            crashed(crashed(up()).wait_ms(900)).into()
        })
        .saying("One link was up"),
        Case::cause(Confidence::High, "the reset belongs to the second crash", || {
            let twice = crashed(crashed(Trace::new()).wait_ms(900));
            twice.wait_ms(20).done(Command::Reset {}).into()
        })
        .saying("the host resets the controller"),
        Case::cause(Confidence::High, "a reset of another adapter is not this one's", || {
            let other = Trace::new().wait_ms(2_000).done(Command::Reset {});
            crashed(up()).wait_ms(5_000).beside(other).into()
        })
        .not_saying("resets the controller"),
        Case::cause(Confidence::High, "a request that waits is no link", || {
            crashed(Trace::new().create().wait_ms(900)).into()
        })
        .not_saying("up and got no"),
        Case::cause(Confidence::High, "it crashes twice, and nobody resets it", || {
            crashed(crashed(up()).wait_ms(900)).into()
        })
        .not_saying("resets the controller"),
        Case::cause(Confidence::High, "the host asks for something else after the crash", || {
            crashed(up()).wait_ms(20).scan(true, 96, 48).into()
        })
        .not_saying("resets the controller"),
    ],
};

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Update the firmware (`sudo apt upgrade`, package bluez-firmware or linux-firmware), then power-cycle: `sudo hciconfig hci0 down; sudo hciconfig hci0 up`, or `sudo systemctl restart hciuart` on a Raspberry Pi.",
    ),
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Test with a USB dongle: if it then works, the built-in adapter or its firmware is at fault.",
    ),
    Remedy::on(
        &[Stack::Android, Stack::Ios, Stack::MacOs],
        "Switch Bluetooth off and on; if it comes back, the chip or its firmware is at fault.",
    ),
    Remedy::no_use("Looking for the fault in the device: the controller of this host crashed."),
];

fn up() -> Trace {
    Trace::new().up().mtu().wait_ms(800)
}

fn crashed(trace: Trace) -> Trace {
    trace.event(Event::HardwareError { hardware_code: 3 })
}

/// Whether no link lives on behind an event.
fn clears(event: &AdapterEvent) -> bool {
    matches!(event.what, Happening::HardwareError(_) | Happening::Reset | Happening::IndexClosed)
}

/// A crash of the controller.
#[derive(Debug)]
struct Crash {
    code: u8,
    frame: u32,
    /// How many links were up and got no end.
    lost: usize,
    reset_frame: Option<u32>,
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let capture = scene.capture();
    let crashes = capture.adapter_events.iter().enumerate().filter_map(|(at, event)| {
        let Happening::HardwareError(code) = event.what else { return None };
        Some((at, event, code))
    });
    // Links without an end, in the order in which they came up.
    let mut endless: Vec<_> = capture.connections.iter().filter(|c| c.end.is_none()).collect();
    endless.sort_by_key(|c| c.connected_frame());
    let found = crashes.map(|(at, event, code)| {
        let (before, after) = capture.adapter_events.split_at(at);
        // What came up before the last crash or reset was lost then.
        let since = before.iter().rev().find(|e| e.adapter == event.adapter && clears(e));
        let from = Some(since.map_or(0, |e| e.frame));
        let from = endless.partition_point(|c| c.connected_frame() <= from);
        let to = endless.partition_point(|c| c.connected_frame() < Some(event.frame));
        let lost: Vec<u32> = endless
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .filter(|c| c.adapter == event.adapter)
            .filter(|c| c.steps.last().is_none_or(|s| s.comes_before(event.frame)))
            .map(|c| c.number)
            .collect();
        // Until the next crash: what follows that one is not this one's reset.
        let next = after.iter().skip(1).find(|e| {
            let crash = matches!(e.what, Happening::HardwareError(_));
            e.adapter == event.adapter && (crash || e.what == Happening::Reset)
        });
        let reset = next.filter(|e| e.what == Happening::Reset);
        let facts = Crash {
            code,
            frame: event.frame,
            lost: lost.len(),
            reset_frame: reset.map(|e| e.frame),
        };
        Verdict::cause(facts).sure(Confidence::High).about(lost)
    });
    found.collect()
}

impl Facts for Crash {
    fn says(&self) -> Text {
        let links = match self.lost {
            0 => Text::EMPTY,
            1 => text!(" One link was up and got no Disconnection Complete."),
            n => text!(" {} links were up and got no Disconnection Complete.", n),
        };
        text!(
            "The local controller reported hardware error {}: it crashed or lost its line to the host.{} The peer did not cause this.",
            format_args!("{:#04x}", self.code),
            links
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let code = text!("Hardware Error, code {}", format_args!("{:#04x}", self.code));
        let reset =
            self.reset_frame.map(|frame| Sight::here(frame, "the host resets the controller"));
        std::iter::once(Sight::here(self.frame, code)).chain(reset).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "supervision-timeout-0x08",
            "no link ended for want of packets from the peer: the controller itself failed",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::diagnose;

    /// A link that the first crash ended is not counted for the second one.
    #[test]
    fn each_crash_ends_the_links_that_came_up_since_the_last_one() {
        let crash = || Trace::new().up().mtu().event(Event::HardwareError { hardware_code: 3 });
        let trace = crash().followed_by(crash());
        let scene =
            Scene { captures: &[trace.run()], testimonies: &[], subject: 0, comparison: None };
        let lost: Vec<_> = check(&scene).into_iter().map(|verdict| verdict.connections).collect();
        assert_eq!(lost, [[1], [2]]);
    }

    /// A reset belongs to the crash before it, and to no earlier one.
    #[test]
    fn each_crash_has_its_own_reset() {
        let crash =
            |trace: Trace| trace.event(Event::HardwareError { hardware_code: 3 }).wait_ms(20);
        let shown = |trace: Trace| {
            let scene =
                Scene { captures: &[trace.run()], testimonies: &[], subject: 0, comparison: None };
            let found = check(&scene);
            found.iter().map(|verdict| verdict.facts().evidence().len()).collect::<Vec<_>>()
        };
        let reset = |trace: Trace| trace.done(Command::Reset {});
        assert_eq!(shown(crash(Trace::new())), [1]);
        assert_eq!(shown(reset(crash(Trace::new()))), [2]);
        assert_eq!(shown(reset(crash(crash(Trace::new())))), [1, 2]);
        assert_eq!(shown(crash(reset(crash(Trace::new())))), [2, 1]);
    }

    /// A controller that crashes all night: what took a minute for five thousand of these.
    #[test]
    fn a_night_of_crashes_is_one_finding() {
        let once = Trace::new().up().mtu().event(Event::HardwareError { hardware_code: 3 });
        let captures = [once.repeated(3_000, 10_000).run()];
        let found = diagnose(&Scene {
            captures: &captures,
            testimonies: &[],
            subject: 0,
            comparison: None,
        });
        assert_eq!(found[0].rule, RULE.id);
        assert_eq!(found[0].connections.len(), 3_000);
        assert!(found[0].says.to_string().contains("One link was up"), "{}", found[0].says);
    }
}
