use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::{Command, Family};
use crate::packet::{Address, AddressType, Opcode, Status};
use crate::prose::{self, Text};
use crate::text;
use crate::timeline::{AdapterEvent, Capture, Connection, Happening, Stack};
use crate::trace::Trace;
use std::collections::HashMap;

pub const RULE: Rule = Rule {
    id: "legacy-and-extended-mixed",
    title: "Legacy and extended LE commands were mixed, and the controller refused",
    basis: Basis::Real,
    silences: &["create-conn-status-error"],
    docs: "\
## What it means
Advertising, scanning and connecting have legacy commands and, since Bluetooth 5.0, extended ones. A controller takes one family
only until it is reset. Here commands of both were sent, as a rule by two: the kernel uses the extended family where the
controller has it, and a program with a raw socket sends legacy commands beside it.

## How it shows
A command of one family is refused with 0x0C, Command Disallowed; since the last HCI Reset a command of the other family was taken
and none of this one. Where the capture began later, a refusal of LE Set Advertising Data or LE Set Scan Response Data shows it: the
specification has no other reason to refuse these with 0x0C.

## What else it could be
0x0C for a connect command while another one is pending is `create-conn-status-error`. A controller that takes commands of both
families has another reason for the refusal.

## What to do
Let one of the two own the controller: give the program a user channel, or let it advertise and scan through bluetoothd.",
    sources: &[
        "Core Specification, Vol 4, Part E, 3.1.1: Legacy and extended advertising",
        "a btmon trace of a raw program beside kernel 5.8, linux-bluetooth mailing list",
    ],
    check: Check::Capture(check),
    cases: &[
        Case::cause(Confidence::High, "legacy advertising after the kernel's extended one", || {
            legacy_refused(extended_used(Trace::new())).into()
        })
        .saying("the extended command LE Clear Advertising Sets"),
        Case::silent("no extended command was used, and the parameters alone are refused", || {
            parameters_refused(Trace::new()).into()
        }),
        Case::suspect(Confidence::Medium, "the content is refused, and the reset is not in the capture", || {
            legacy_refused(Trace::new()).into()
        })
        .saying("before this capture began"),
        Case::silent("the content is refused after a reset, and no extended command was used", || {
            legacy_refused(Trace::new().done(Command::Reset {})).into()
        }),
        Case::silent("the controller was reset in between", || {
            legacy_refused(extended_used(Trace::new()).done(Command::Reset {})).into()
        }),
        Case::silent("it is refused for another reason", || {
            let trace = extended_used(Trace::new()).command(DATA);
            trace.complete(DATA.opcode(), &[Status::INVALID_PARAMETERS.0]).into()
        }),
        Case::silent("the controller took legacy commands as well", || {
            let trace = extended_used(Trace::new()).done(Command::LeSetAdvertisingEnable { advertising_enable: 1 });
            parameters_refused(trace).into()
        }),
        Case::silent("the extended command was refused itself", || {
            let trace = Trace::new().command(EXTENDED).complete(EXTENDED.opcode(), &[Status::UNKNOWN_COMMAND.0]);
            parameters_refused(trace).into()
        }),
        Case::cause(Confidence::High, "an extended connect command after a legacy scan", || {
            let trace = Trace::new().scan(true, 96, 48).advertises(0);
            trace.create_extended(1, Status::COMMAND_DISALLOWED).into()
        })
        .about(&[1]),
        Case::silent("a connect command that is refused while another one is pending", || {
            let other = Address([7, 7, 7, 7, 7, 0xc7]);
            let trace = extended_used(Trace::new()).create_extended(1, Status::SUCCESS).wait_ms(100);
            trace.peer(other, AddressType::RANDOM).create_refused(Status::COMMAND_DISALLOWED).into()
        }),
        Case::cause(Confidence::High, "a program with a raw socket", || {
            let trace = extended_used(Trace::new().opens(1, 2, "bluetoothd"));
            legacy_refused(trace.opens(2, 0, "python")).into()
        })
        .saying("python"),
        Case::cause(Confidence::High, "the program's socket was closed before", || {
            let trace = extended_used(Trace::new().opens(2, 0, "python")).monitor(15, &[2, 0, 0, 0]);
            legacy_refused(trace).into()
        })
        .not_saying("python"),

        Case::cause(Confidence::High, "the refused command is shown", || {
            legacy_refused(extended_used(Trace::new())).into()
        })
        .saying("LE Set Advertising Data (0x2008): a command of the legacy family"),
        Case::suspect(Confidence::Low, "the capture begins between the command and the refusal", || {
            Trace::new().complete(DATA.opcode(), &[Status::COMMAND_DISALLOWED.0]).into()
        })
        .not_saying(": a command of the legacy family"),
        Case::suspect(Confidence::Medium, "once one refusal has a single reason, the next ones have it too", || {
            parameters_refused(legacy_refused(Trace::new())).into()
        })
        .saying("1 further command"),
        Case::suspect(Confidence::Medium, "a reset ends what was before the capture", || {
            parameters_refused(legacy_refused(Trace::new()).done(Command::Reset {})).into()
        })
        .not_saying("further command"),
        Case::silent("the extended command is another adapter's", || {
            parameters_refused(extended_used(Trace::new().adapter(1)).adapter(0)).into()
        }),
        Case::suspect(Confidence::Medium, "an extended command is refused as well", || {
            let trace = legacy_refused(Trace::new()).command(EXTENDED);
            trace.complete(EXTENDED.opcode(), &[Status::COMMAND_DISALLOWED.0]).into()
        })
        .not_saying("further command"),
        Case::cause(Confidence::High, "two programs have a socket, and one closes its own", || {
            let both = Trace::new().opens(2, 0, "python").opens(3, 0, "node");
            legacy_refused(extended_used(both).monitor(15, &[3, 0, 0, 0])).into()
        })
        .saying("python"),
        Case::cause(Confidence::High, "an attempt before came through", || {
            let link = Trace::new().scan(true, 96, 48).advertises(0).scan(false, 0, 0);
            let link = link.up().mtu().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(900);
            link.create_extended(1, Status::COMMAND_DISALLOWED).into()
        })
        .about(&[2]),
    ],
};

const DATA: Command<'_> =
    Command::LeSetAdvertisingData { advertising_data_length: 3, advertising_data: &[2, 1, 6] };

const EXTENDED: Command<'_> = Command::Other { code: 0x203d, parameters: &[] };

fn extended_used(trace: Trace) -> Trace {
    trace.command(EXTENDED).complete(EXTENDED.opcode(), &[0, 0])
}

fn legacy_refused(trace: Trace) -> Trace {
    trace.command(DATA).complete(DATA.opcode(), &[Status::COMMAND_DISALLOWED.0])
}

fn parameters_refused(trace: Trace) -> Trace {
    let parameters = Command::LeSetAdvertisingParameters {
        advertising_interval_min: 160,
        advertising_interval_max: 160,
        advertising_type: 0,
        own_address_type: 0,
        peer_address_type: AddressType::PUBLIC,
        peer_address: Address::default(),
        advertising_channel_map: 7,
        advertising_filter_policy: 0,
    };
    let opcode = parameters.opcode();
    trace.command(parameters).complete(opcode, &[Status::COMMAND_DISALLOWED.0])
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Give the program the adapter alone: `sudo hciconfig hci0 down`, then start it with a user channel (bleno and noble: `HCI_CHANNEL_USER=1`). A reset alone does not help: the kernel sets the adapter up with extended commands again.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Let bluetoothd advertise and scan for it instead (D-Bus: `LEAdvertisingManager1`, `Adapter1.StartDiscovery`).",
    ),
    Remedy::any(
        "Use one family from reset to reset: the extended commands where the controller has them, or the legacy ones and no extended one beside them.",
    ),
];

/// A command, and its frame.
type Sent = (Opcode, u32);

/// Commands of one family that one adapter refused.
#[derive(Clone, Debug)]
struct Mixed {
    family: Family,
    /// With the frames of their answers: the first ones.
    refused: Vec<(Sent, u32)>,
    /// All of them.
    count: usize,
    /// The command of the other family that was taken before. None: it came before the capture began.
    before: Option<Sent>,
    /// The program that had a socket on the adapter, and the frame in which it opened that.
    program: Option<(String, u32)>,
    /// Connect attempts among the refused.
    attempts: Vec<u32>,
}

/// What is known of an adapter since its last reset.
#[derive(Default)]
struct Since {
    reset_seen: bool,
    used: HashMap<Family, Sent>,
    /// Programs with a raw or a user socket.
    programs: Vec<(String, u32)>,
    found: Option<Mixed>,
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let capture = scene.capture();
    let mut adapters: Vec<(Option<u16>, Since)> = Vec::new();
    for event in &capture.adapter_events {
        let place = adapters.iter().position(|(index, _)| *index == event.adapter);
        let place = place.unwrap_or_else(|| {
            adapters.push((event.adapter, Since::default()));
            adapters.len() - 1
        });
        if let Some((_, since)) = adapters.get_mut(place) {
            since.look(capture, event);
        }
    }
    let found = adapters.into_iter().filter_map(|(_, since)| since.found);
    found.map(verdict).collect()
}

fn verdict(facts: Mixed) -> Verdict {
    let attempts = facts.attempts.clone();
    let verdict = match facts.before {
        Some(_) => Verdict::cause(facts).sure(Confidence::High),
        None => Verdict::suspect(facts).sure(Confidence::Medium),
    };
    verdict.about(attempts)
}

impl Since {
    fn look(&mut self, capture: &Capture, event: &AdapterEvent) {
        match &event.what {
            Happening::Reset | Happening::IndexClosed => {
                self.reset_seen = true;
                self.used.clear();
            }
            Happening::FamilyUsed { opcode, command_frame } => {
                let family = opcode.family();
                self.used.extend(family.map(|family| (family, (*opcode, *command_frame))));
            }
            Happening::ProcessOpened { process, channel: "raw" | "user" } => {
                self.programs.push((process.clone(), event.frame));
            }
            Happening::ProcessClosed { process } => {
                self.programs.retain(|(program, _)| program != process);
            }
            Happening::CommandFailed {
                opcode,
                status: Status::COMMAND_DISALLOWED,
                command_frame,
            } => self.refused(capture, (*opcode, *command_frame), event.frame),
            _ => {}
        }
    }

    fn refused(&mut self, capture: &Capture, (opcode, frame): Sent, answer: u32) {
        let Some(family) = opcode.family() else { return };
        let before = self.used.get(&family.other()).copied();
        let only_reason = opcode.sets_legacy_data() && !self.reset_seen;
        if self.used.contains_key(&family)
            || !(before.is_some() || only_reason || self.began(family))
        {
            return;
        }
        let asked = |c: &&Connection| c.request.as_ref().is_some_and(|r| r.frame == frame);
        let attempt = capture.connections.iter().find(asked);
        if attempt.and_then(|c| c.request.as_ref()).is_some_and(|r| r.behind.is_some()) {
            return;
        }
        let found = self.found.get_or_insert_with(|| Mixed {
            family,
            refused: Vec::new(),
            count: 0,
            before,
            program: self.programs.last().cloned(),
            attempts: Vec::new(),
        });
        found.count += 1;
        found.before = found.before.or(before);
        found.attempts.extend(attempt.map(|c| c.number));
        if found.refused.len() < super::see::SHOWN {
            found.refused.push(((opcode, frame), answer));
        }
    }

    /// The refusals of that family have begun, and the controller was not reset since.
    fn began(&self, family: Family) -> bool {
        !self.reset_seen && self.found.as_ref().is_some_and(|found| found.family == family)
    }
}

impl Facts for Mixed {
    fn says(&self) -> Text {
        let first = self.refused.first().map(|((opcode, _), _)| *opcode);
        let more = match self.count {
            0 | 1 => Text::EMPTY,
            count => {
                text!(" and {}", prose::count(count - 1, "further command", "further commands"))
            }
        };
        let why = match self.before {
            Some((opcode, _)) => text!(
                "the {} command {} was taken since the last reset, and a controller takes one family only until the next",
                self.family.other().name(),
                opcode
            ),
            None => text!(
                "the specification has one reason for that: a command of the {} family was used before this capture began",
                self.family.other().name()
            ),
        };
        text!(
            "The controller refused {}{} with {}: {}.",
            first,
            more,
            Status::COMMAND_DISALLOWED,
            why
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = Vec::new();
        sights.extend(self.before.map(|(opcode, frame)| {
            Sight::here(
                frame,
                text!(
                    "{}: a command of the {} family is taken",
                    opcode,
                    self.family.other().name()
                ),
            )
        }));
        sights.extend(self.program.as_ref().map(|(program, frame)| {
            Sight::here(*frame, text!("{} opens a socket on the adapter", prose::name(program)))
        }));
        for ((opcode, frame), answer) in &self.refused {
            // The command may have come before the capture began.
            if *frame > 0 {
                sights.push(Sight::here(
                    *frame,
                    text!("{}: a command of the {} family", *opcode, self.family.name()),
                ));
            }
            sights.push(Sight::here(*answer, text!("refused: {}", Status::COMMAND_DISALLOWED)));
        }
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("inprogress-stale-connect", "no connect request was pending")]
    }

    fn would_settle(&self) -> Vec<Text> {
        let began_late = self.before.is_none();
        let text = text!(
            "A capture from the adapter's reset on shows which program sent the first command of the other family."
        );
        began_late.then_some(text).into_iter().collect()
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_refused_commands_four_are_shown() {
        let shown = |count: usize| {
            let refused =
                (0..count).fold(extended_used(Trace::new()), |trace, _| legacy_refused(trace));
            let captures = [refused.run()];
            let scene =
                Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
            let evidence = check(&scene)[0].facts().evidence();
            evidence.iter().filter(|sight| sight.text.to_string().starts_with("refused")).count()
        };
        assert_eq!([1, 3, 4, 5, 9].map(shown), [1, 3, 4, 4, 4]);
    }
}
