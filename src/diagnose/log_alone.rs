//! What a log proves by itself, in the place of a capture or beside it: few things, and those by the rules that know
//! them. Where the packets prove something, [`super::weigh`] makes it a note.
//!
//! A number of HCI is HCI's own word. Numbers of the daemon, and the order of its lines, make a suspicion that names
//! what the log cannot tell it from.
use super::witnessed::Line;
use super::{
    Confidence, Facts, Level, Remedy, Rule, RuledOut, Scene, Sight, Verdict, adapter_removed,
    att_transaction_timeout_30s, connection_cancelled_by_app, controller_hardware_error,
    create_conn_timeout_cancel, inprogress_stale_connect, local_stack_stopped, never_heard_peer,
    never_usable_connection, no_pairing_agent, peer_hangs_up_on_deadline, pin_or_key_missing_0x06,
    program_gave_up_early, supervision_timeout_0x08, suspend_or_power,
};
use crate::prose::{Text, count};
use crate::text;
use crate::time::Span;
use crate::witness::{Claim, Failure, LogClock, Reason, Testimony, Told, What};

type Check = fn(&Testimony) -> Option<Verdict>;

/// Rules of packets, and what a log must say for them to speak without any.
const CHECKS: &[(&Rule, Check)] = &[
    (&local_stack_stopped::RULE, no_daemon),
    (&suspend_or_power::RULE, perhaps_powered_off),
    (&inprogress_stale_connect::RULE, in_progress),
    (&supervision_timeout_0x08::RULE, supervision_timeout),
    (&adapter_removed::RULE, adapter_removed),
    (&controller_hardware_error::RULE, hardware_error),
    (&never_heard_peer::RULE, never_heard),
    (&peer_hangs_up_on_deadline::RULE, hangs_up_early),
    (&pin_or_key_missing_0x06::RULE, bond_lost),
    (&no_pairing_agent::RULE, no_agent),
    (&att_transaction_timeout_30s::RULE, request_unanswered),
    (&never_usable_connection::RULE, never_usable),
    (&create_conn_timeout_cancel::RULE, nobody_answered),
];

/// The same beside a capture, from logs that are known to be of its time.
const BESIDE: &[(&Rule, Check)] =
    &[(&suspend_or_power::RULE, powered_off), (&inprogress_stale_connect::RULE, in_progress)];

/// What the logs of the host under diagnosis say by themselves.
pub(super) fn verdicts(scene: &Scene<'_>) -> Vec<(&'static Rule, Verdict)> {
    let mut verdicts = Vec::new();
    for testimony in scene.witnesses() {
        // Beside a capture, lines must have met packets by their times.
        let met = testimony.relations.iter().any(|relation| relation.connection.is_some());
        let same_time = met || testimony.alignment.aligned;
        let same_time = same_time && testimony.log.clock != LogClock::None;
        let checks = match testimony.alone {
            true => CHECKS,
            false if same_time => BESIDE,
            false => continue,
        };
        verdicts.extend(checks.iter().filter_map(|(rule, check)| Some((*rule, check(testimony)?))));
        let gave_up = program_gave_up_early::verdict(scene, testimony);
        verdicts.extend(gave_up.map(|verdict| (&connection_cancelled_by_app::RULE, verdict)));
    }
    verdicts
}

/// What a line proves, in a sentence.
#[derive(Debug)]
struct Proved {
    line: Line,
    says: &'static str,
    shows: &'static str,
    /// A rule that it excludes.
    not: (&'static str, &'static str),
    remedy: &'static str,
}

impl Facts for Proved {
    fn says(&self) -> Text {
        Text::fixed(self.says)
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![self.line.sight(self.shows)]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(self.not.0, self.not.1)]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![Text::fixed(
            "A capture of HCI on this host, from before the attempt until after the error.",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        vec![Remedy::any(self.remedy)]
    }
}

fn first(testimony: &Testimony, is: impl Fn(&Claim) -> bool) -> Option<&Claim> {
    testimony.log.claims.iter().find(|claim| is(claim))
}

fn fails(claim: &Claim, with: Failure) -> bool {
    matches!(claim.what, What::Failed { how, .. } if how == with)
}

/// The D-Bus daemon says that no program has that name.
fn no_daemon(testimony: &Testimony) -> Option<Verdict> {
    let claim = first(testimony, |claim| fails(claim, Failure::NoDaemon))?;
    let facts = Proved {
        line: Line::of(testimony, claim),
        says: "The message bus found no Bluetooth daemon to give the call to: it was not running, or had ended.",
        shows: "the bus's answer",
        not: ("peer-hangs-up-on-deadline", "no daemon was there to keep a link"),
        remedy: "Start the daemon (`systemctl status bluetooth`), and look in its own log for why it ended.",
    };
    Some(Verdict::cause(facts).sure(Confidence::Medium))
}

/// The adapter was switched off. A daemon that ends switches it off as well: that is no fault.
fn powered_off(testimony: &Testimony) -> Option<Verdict> {
    let claims = &testimony.log.claims;
    let ended = claims.iter().position(|claim| claim.what == What::DaemonStopped);
    let alive = claims.get(..ended.unwrap_or(claims.len()))?;
    let claim = alive
        .iter()
        .find(|claim| claim.what == What::PoweredOff || fails(claim, Failure::AdapterOff))?;
    let facts = Proved {
        line: Line::of(testimony, claim),
        says: "The adapter of this host was switched off: what was connected ended with it, and nothing could be connected after it.",
        shows: "the adapter is off",
        not: ("supervision-timeout-0x08", "this host's own adapter was off"),
        remedy: "Find out what switches the adapter off: rfkill, power saving, `bluetoothctl power off` of another program.",
    };
    Some(Verdict::cause(facts).sure(Confidence::Medium))
}

/// Without packets a reset of the adapter and its loss look the same.
fn perhaps_powered_off(testimony: &Testimony) -> Option<Verdict> {
    powered_off(testimony).map(|verdict| Verdict { level: Level::Suspect, ..verdict })
}

fn in_progress(testimony: &Testimony) -> Option<Verdict> {
    let claim = first(testimony, |claim| fails(claim, Failure::InProgress))?;
    let facts = Proved {
        line: Line::of(testimony, claim),
        says: "The daemon refused the connect because an older one to the device was still open: two programs, or two calls of one, want it at the same time.",
        shows: "the refusal",
        not: ("never-heard-peer", "the daemon refused before it asked the radio"),
        remedy: "Let only one program connect to the device, and wait for the end of one call before the next.",
    };
    Some(Verdict::cause(facts).sure(Confidence::Medium))
}

/// HCI's own number, from a log that prints it; or the daemon's word for it, which it says of nothing else.
fn supervision_timeout(testimony: &Testimony) -> Option<Verdict> {
    let is = |claim: &Claim| claim.what == What::Disconnected(Reason::Hci(0x08));
    let by_number = first(testimony, is);
    let is = |claim: &Claim| claim.what == What::Disconnected(Reason::Mgmt(1));
    let claim = by_number.or_else(|| first(testimony, is))?;
    let says = match by_number {
        Some(_) => {
            "The log prints HCI's reason 0x08: nothing was received from the device for the length of the supervision timeout, and the link was given up."
        }
        None => {
            "The daemon calls the reason of the end 1, a timeout, which it says where nothing was received from the device for the length of the supervision timeout (0x08)."
        }
    };
    let facts = Proved {
        line: Line::of(testimony, claim),
        says,
        shows: "the reason",
        not: ("peer-hangs-up-on-deadline", "nobody hung up: the link was lost"),
        remedy: "Bring the device nearer, or ask for a longer supervision timeout; a capture tells whether the signal faded or the device stopped.",
    };
    let verdict = if by_number.is_some() { Verdict::cause(facts) } else { Verdict::suspect(facts) };
    Some(verdict.sure(Confidence::Medium))
}

/// What a log makes likely, and what it cannot tell it from.
#[derive(Debug)]
struct Likely {
    lines: Vec<Line>,
    says: Text,
    shows: &'static str,
    /// The other truths that the same lines may have.
    or: &'static str,
    remedy: &'static str,
}

impl Facts for Likely {
    fn says(&self) -> Text {
        text!("{} The log alone cannot tell it from {}.", self.says.clone(), self.or)
    }

    fn evidence(&self) -> Vec<Sight> {
        self.lines.iter().map(|line| line.sight(self.shows)).collect()
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![Text::fixed(
            "A capture of HCI on this host, from before the attempt until after the error.",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        vec![Remedy::any(self.remedy)]
    }
}

/// Most lines that a suspicion cites.
const MOST_LINES: usize = 3;

impl Likely {
    fn suspect(self, confidence: Confidence) -> Option<Verdict> {
        (!self.lines.is_empty()).then(|| Verdict::suspect(self).sure(confidence))
    }
}

/// The ends of attempts, as lines.
fn ends<'a>(testimony: &Testimony, attempts: impl Iterator<Item = &'a Told>) -> Vec<Line> {
    let claims = attempts.filter_map(|attempt| testimony.log.claims.get(attempt.end?));
    claims.map(|claim| Line::of(testimony, claim)).take(MOST_LINES).collect()
}

/// The lines that claim such a thing.
fn lines(testimony: &Testimony, is: impl Fn(&Claim) -> bool) -> Vec<Line> {
    let claims = testimony.log.claims.iter().filter(|claim| is(claim));
    claims.map(|claim| Line::of(testimony, claim)).take(MOST_LINES).collect()
}

fn adapter_removed(testimony: &Testimony) -> Option<Verdict> {
    let ended = testimony.log.claims.iter().position(|claim| claim.what == What::DaemonStopped);
    let alive = testimony.log.claims.get(..ended.unwrap_or(testimony.log.claims.len()))?;
    let gone = alive.iter().filter(|claim| claim.what == What::AdapterGone);
    Likely {
        lines: gone.map(|claim| Line::of(testimony, claim)).take(1).collect(),
        says: Text::fixed("The daemon lost the adapter: what was connected ended with it."),
        shows: "the adapter is gone",
        or: "an adapter that was only reset or switched off",
        remedy: "Look at the kernel's log around that moment (`dmesg`): an unplugged adapter, its power, or its firmware.",
    }
    .suspect(Confidence::Medium)
}

fn hardware_error(testimony: &Testimony) -> Option<Verdict> {
    Likely {
        lines: lines(testimony, |claim| matches!(claim.what, What::HardwareError(_))),
        says: Text::fixed("The kernel tells of a hardware error of the adapter, and resets it: every link ends with that."),
        shows: "the hardware error",
        or: "an adapter whose firmware failed for a reason outside of it: power, heat, USB",
        remedy: "Update the adapter's firmware, try another USB port or a shorter cable, or another adapter.",
    }
    .suspect(Confidence::Medium)
}

/// The journal's error 38 and HCI's own 0x3E are said of nothing else.
fn never_heard(testimony: &Testimony) -> Option<Verdict> {
    let attempts = testimony.log.attempts();
    let unheard = || attempts.iter().filter(|attempt| attempt.ended_with(&[0x3e]));
    let times = count(unheard().count(), "link", "links");
    Likely {
        lines: ends(testimony, unheard()),
        says: text!(
            "{} ended as never established (0x3E): this host announced the link, and the device never answered on it.",
            times
        ),
        shows: "the end",
        or: "a device that was too far, one that served another host, or an adapter that missed its answer",
        remedy: "Bring the device nearer and end its other connections; try another adapter beside this one.",
    }
    .suspect(Confidence::Medium)
}

/// Links that the peer ends so soon, and again, may have a deadline.
const SHOWN_EARLY: Span = Span::from_ms(3_000);
/// How often at least.
const SHOWN_OFTEN: usize = 2;

fn hangs_up_early(testimony: &Testimony) -> Option<Verdict> {
    let attempts = testimony.log.attempts();
    let early = |attempt: &&Told| {
        attempt.ended_with(&[0x13, 0x14, 0x15])
            && !attempt.hung_up
            && attempt.lasted.is_some_and(|lasted| lasted <= SHOWN_EARLY && lasted.0 > 0)
    };
    let kicked: Vec<&Told> = attempts.iter().filter(early).collect();
    if kicked.len() < SHOWN_OFTEN {
        return None;
    }
    let lasted = || kicked.iter().filter_map(|attempt| attempt.lasted);
    let (shortest, longest) = (lasted().min()?, lasted().max()?);
    Likely {
        lines: ends(testimony, kicked.iter().copied()),
        says: text!(
            "The device hung up {} to {} after each of {} connections.",
            shortest,
            longest,
            kicked.len()
        ),
        shows: "the end",
        or: "a device that refuses this host, or one that hangs up because of what it was asked",
        remedy: "Ask less before the device's own deadline: let the host remember the services, and connect without a full discovery.",
    }
    .suspect(Confidence::Low)
}

fn bond_lost(testimony: &Testimony) -> Option<Verdict> {
    let attempts = testimony.log.attempts();
    let authentication = |attempt: &&Told| {
        let is = |reason: &Reason| {
            matches!(reason, Reason::Mgmt(4) | Reason::Errno(111) | Reason::Hci(0x06))
        };
        attempt.reasons.iter().any(is)
    };
    let asked = lines(testimony, |claim| {
        matches!(claim.what, What::PairAsked | What::AgentAsked | What::PairingFailed)
    });
    // Where a pairing was asked for, that is what failed.
    if !asked.is_empty() {
        return None;
    }
    Likely {
        lines: ends(testimony, attempts.iter().filter(authentication)),
        says: Text::fixed("The link ended because encryption failed: this host has a bond, and the device seems to have lost its half (0x06)."),
        shows: "the end",
        or: "a device that refused encryption for another reason",
        remedy: "Remove the bond on both sides (`bluetoothctl remove ADDRESS`) and pair again.",
    }
    .suspect(Confidence::Medium)
}

fn no_agent(testimony: &Testimony) -> Option<Verdict> {
    Likely {
        lines: lines(testimony, |claim| claim.what == What::NoAgent),
        says: Text::fixed("The device wanted to pair, and no program on this host was there to answer for the user: the daemon found no agent."),
        shows: "no agent",
        or: "a device that would have refused the pairing anyway",
        remedy: "Run an agent while pairing: `bluetoothctl` with `agent on` and `default-agent`.",
    }
    .suspect(Confidence::Medium)
}

/// The MTU exchange is the first request: where it is the one without an answer, nothing was ever answered.
const MTU_REQUEST: u8 = 0x02;

fn request_unanswered(testimony: &Testimony) -> Option<Verdict> {
    let late = |claim: &Claim| matches!(claim.what, What::RequestTimedOut(opcode) if opcode != MTU_REQUEST);
    Likely {
        lines: lines(testimony, late),
        says: Text::fixed("A request was not answered for 30 s; the daemon gave the connection up."),
        shows: "the request's end",
        or: "a device that had gone away, if the link was lost at the same time",
        remedy: "Look at what the device was asked: the same request to another device of its kind tells whether it is the firmware.",
    }
    .suspect(Confidence::Medium)
}

fn never_usable(testimony: &Testimony) -> Option<Verdict> {
    let unanswered = |claim: &Claim| claim.what == What::RequestTimedOut(MTU_REQUEST);
    Likely {
        lines: lines(testimony, unanswered),
        says: Text::fixed("The connection came up, and its first request was not answered for 30 s: nothing was ever usable on it."),
        shows: "the first request's end",
        or: "a device that answers the link and whose program hangs",
        remedy: "Switch the device off and on, and connect anew; a link of an earlier life may be what this host still holds.",
    }
    .suspect(Confidence::Low)
}

fn nobody_answered(testimony: &Testimony) -> Option<Verdict> {
    let timed_out = |claim: &Claim| claim.what == What::ConnectFailed(Reason::Mgmt(8));
    Likely {
        lines: lines(testimony, timed_out),
        says: Text::fixed("Nobody answered the connect request for 20 s; the kernel gave it up."),
        shows: "the end of the attempt",
        or: "a device that was off or away, one that was connected elsewhere, or an adapter that did not hear it",
        remedy: "See whether the device advertises at all (`bluetoothctl scan on`), and end its other connections.",
    }
    .suspect(Confidence::Medium)
}

#[cfg(test)]
mod tests;
