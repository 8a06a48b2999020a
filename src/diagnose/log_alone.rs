//! What a log proves by itself, in the place of a capture or beside it: few things, and those by the rules that know
//! them. Where the packets prove something, [`super::weigh`] makes it a note.
use super::witnessed::Line;
use super::{
    Confidence, Facts, Level, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    connection_cancelled_by_app, inprogress_stale_connect, local_stack_stopped,
    program_gave_up_early, supervision_timeout_0x08, suspend_or_power,
};
use crate::prose::Text;
use crate::witness::{Claim, Failure, LogClock, Reason, Testimony, What};

type Check = fn(&Testimony) -> Option<Verdict>;

/// Rules of packets, and what a log must say for them to speak without any.
const CHECKS: &[(&Rule, Check)] = &[
    (&local_stack_stopped::RULE, no_daemon),
    (&suspend_or_power::RULE, perhaps_powered_off),
    (&inprogress_stale_connect::RULE, in_progress),
    (&supervision_timeout_0x08::RULE, supervision_timeout),
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
        if !testimony.alone {
            let gave_up = program_gave_up_early::verdict(scene, testimony);
            verdicts.extend(gave_up.map(|verdict| (&connection_cancelled_by_app::RULE, verdict)));
        }
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

/// HCI's own number, from a log that prints it.
fn supervision_timeout(testimony: &Testimony) -> Option<Verdict> {
    let is = |claim: &Claim| claim.what == What::Disconnected(Reason::Hci(0x08));
    let claim = first(testimony, is)?;
    let facts = Proved {
        line: Line::of(testimony, claim),
        says: "The log prints HCI's reason 0x08: nothing was received from the device for the length of the supervision timeout, and the link was given up.",
        shows: "the reason",
        not: ("peer-hangs-up-on-deadline", "nobody hung up: the link was lost"),
        remedy: "Bring the device nearer, or ask for a longer supervision timeout; a capture tells whether the signal faded or the device stopped.",
    };
    Some(Verdict::cause(facts).sure(Confidence::Medium))
}
