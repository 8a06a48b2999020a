use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::hci::Command;
use crate::packet::{Direction, Status, smp};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Happening, Stack};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "no-pairing-agent",
    title: "Pairing failed on this side: nobody was there to confirm it",
    basis: Basis::Laboratory,
    silences: &["insufficient-auth-no-pairing", "smp-timeout-30s", "connection-cancelled-by-app", "supervision-timeout-0x08", "pairing-refused-by-this-host"],
    docs: "\
## What it means
Pairing went on until somebody had to confirm it, and on this host no agent was registered that could. The host itself sent
Pairing Failed.

## How it shows
Pairing Failed sent by us, reason 0x0C, 0x01 or 0x08, within a fraction of a second of the request to confirm; mgmt User
Confirmation Negative Reply, or the daemon's line `No agent available`.

## What else it could be
A person who pressed No, which takes longer than a second. Other reasons of our own are `pairing-refused-by-this-host`.

## What to do
Have an agent registered while the pairing runs: at the prompt of an open `bluetoothctl`, or in the program over D-Bus. An agent
that one call of `bluetoothctl` registers is gone when the call ends.",
    sources: &["mtheli/philips_sonicare_ble#25", "ukBaz/python-bluezero#362"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "this host says no at once, and nothing shows who", || {
            fails(begun(), smp::Reason::NUMERIC_COMPARISON_FAILED).into()
        })
        .about(&[1])
        .saying("no agent answered, as it seems")
        .pins(&["QUICK"]),
        Case::cause(Confidence::Medium, "a passkey was asked for, and refused at once", || {
            fails(begun(), smp::Reason::PASSKEY_ENTRY_FAILED).into()
        }),
        Case::cause(Confidence::Medium, "refused at once without a reason", || {
            fails(begun(), smp::Reason::UNSPECIFIED_REASON).into()
        }),
        Case::silent("this host refused for a reason that no agent has", || {
            fails(begun(), smp::Reason::PAIRING_NOT_SUPPORTED).into()
        }),
        Case::silent("somebody thought for two seconds", || {
            fails(begun().wait_ms(2_000), smp::Reason::NUMERIC_COMPARISON_FAILED).into()
        })
        .pins(&["QUICK"]),
        Case::cause(Confidence::High, "the daemon answered no, two seconds later", || {
            fails(no(begun().wait_ms(2_000)), smp::Reason::NUMERIC_COMPARISON_FAILED).into()
        })
        .saying("User Confirmation Negative Reply"),
        Case::cause(Confidence::High, "the daemon's log says it", || {
            fails(log(begun(), "No agent available for request type 2"), smp::Reason::NUMERIC_COMPARISON_FAILED).into()
        })
        .saying("no agent is registered"),
        Case::cause(Confidence::Medium, "the daemon's log says something else", || {
            fails(log(begun(), "Agent asked"), smp::Reason::NUMERIC_COMPARISON_FAILED).into()
        })
        .not_saying("no agent is registered"),
        Case::cause(Confidence::High, "the log's line comes forty frames later", || {
            let failed = fails(begun(), smp::Reason::NUMERIC_COMPARISON_FAILED);
            log(reports(failed, 36), "No agent available for request type 2").into()
        })
        .pins(&["NEAR"]),
        Case::cause(Confidence::Medium, "the log's line comes later than that", || {
            let failed = fails(begun(), smp::Reason::NUMERIC_COMPARISON_FAILED);
            log(reports(failed, 37), "No agent available for request type 2").into()
        })
        .pins(&["NEAR"]),
        Case::silent("this host is a phone, which asks on its screen", || {
            let phone = Trace::new().done(Command::Other { code: 0xfd57, parameters: &[0] });
            let begun = phone.up().asks_to_pair().answers_pairing().wait_ms(30);
            fails(begun, smp::Reason::UNSPECIFIED_REASON).into()
        }),
        Case::silent("the device said no", || {
            let reason = smp::Reason::NUMERIC_COMPARISON_FAILED;
            let failed = begun().smp(Direction::Received, smp::Pdu::PairingFailed { reason });
            failed.wait_ms(500).hangs_up(Status::AUTHENTICATION_FAILURE).into()
        }),

        Case::cause(Confidence::Medium, "this host says no 1.98 s after the pairing began", || {
            fails(begun().wait_ms(1_900), smp::Reason::NUMERIC_COMPARISON_FAILED).into()
        })
        .pins(&["QUICK"]),
        Case::cause(Confidence::Medium, "the host begins to scan meanwhile", || {
            let failed = fails(begun(), smp::Reason::NUMERIC_COMPARISON_FAILED);
            failed.scan(true, 96, 48).into()
        })
        .not_saying("Negative Reply"),
        // The device's answer comes 50.1 ms after the pairing began.
        Case::silent("this host says no exactly 2 s after the pairing began", || {
            let begun = Trace::new().up().asks_to_pair().answers_pairing();
            fails(begun.after_us(2_000_000 - 50_100), smp::Reason::NUMERIC_COMPARISON_FAILED).into()
        }),
        Case::cause(Confidence::Medium, "this host says no a moment sooner", || {
            let begun = Trace::new().up().asks_to_pair().answers_pairing();
            fails(begun.after_us(1_999_999 - 50_100), smp::Reason::NUMERIC_COMPARISON_FAILED).into()
        }),
        Case::cause(Confidence::Medium, "the log's line was about an earlier pairing", || {
            let line = log(Trace::new(), "No agent available for request type 2").wait_ms(9_000);
            line.followed_by(fails(begun(), smp::Reason::NUMERIC_COMPARISON_FAILED)).into()
        })
        .not_saying("no agent is registered"),
        Case::cause(Confidence::Medium, "somebody said yes, and it failed all the same", || {
            fails(yes(begun()), smp::Reason::NUMERIC_COMPARISON_FAILED).into()
        })
        .not_saying("Negative Reply"),
        Case::cause(Confidence::Medium, "this host is BlueZ, and nothing shows who said no", || {
            let linux = Trace::new().monitor(12, b"Linux version 6.1.21 (x)\0");
            let begun = linux.up().asks_to_pair().answers_pairing().wait_ms(30);
            fails(begun, smp::Reason::UNSPECIFIED_REASON).into()
        }),
    ],
};

fn begun() -> Trace {
    Trace::new().up().asks_to_pair().answers_pairing().wait_ms(30)
}

/// This host ends the pairing, and half a second later the link: four packets.
fn fails(trace: Trace, reason: smp::Reason) -> Trace {
    let failed = trace.smp(Direction::Sent, smp::Pdu::PairingFailed { reason });
    failed.wait_ms(500).hangs_up(Status::AUTHENTICATION_FAILURE)
}

fn reports(trace: Trace, count: usize) -> Trace {
    (0..count).fold(trace, |trace, _| trace.advertises(0))
}

/// The daemon's User Confirmation Negative Reply.
fn no(trace: Trace) -> Trace {
    let mut command = vec![1, 0, 0, 0, 0x1d, 0];
    command.extend(PEER.0);
    command.push(2);
    trace.monitor(16, &command)
}

/// The daemon's User Confirmation Reply.
fn yes(trace: Trace) -> Trace {
    let mut command = vec![1, 0, 0, 0, 0x1c, 0];
    command.extend(PEER.0);
    command.push(2);
    trace.monitor(16, &command)
}

/// A line of the daemon's log.
fn log(trace: Trace, line: &str) -> Trace {
    let process = b"bluetoothd\0";
    let mut note = vec![3, process.len() as u8];
    note.extend(process);
    note.extend(line.as_bytes());
    note.push(0);
    trace.monitor(13, &note)
}

/// A person takes longer to say no.
const QUICK: Span = Span::from_ms(2000);

/// How many frames behind Pairing Failed the daemon's words are looked for: it logs when it hears of the failure, and
/// other traffic comes between.
const NEAR: u32 = 40;

const REASONS: [smp::Reason; 3] = [
    smp::Reason::NUMERIC_COMPARISON_FAILED,
    smp::Reason::PASSKEY_ENTRY_FAILED,
    smp::Reason::UNSPECIFIED_REASON,
];

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Pair at the prompt of an open `bluetoothctl`: `agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`. A program or a service registers its own agent with AgentManager1.RegisterAgent and RequestDefaultAgent.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Pair at the prompt of an open `bluetoothctl` with an agent, then use noble's D-Bus binding.",
    ),
    Remedy::no_use("Another try, or a reset of the device: this host refused its own pairing."),
];

/// Pairing that this host ended because nobody confirmed it.
#[derive(Debug)]
struct NoAgent {
    reason: smp::Reason,
    begun: u32,
    failed: u32,
    /// The daemon's negative reply.
    refusal: Option<u32>,
    /// The line of its log.
    log: Option<u32>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let mut refused = see::refused_pairings(connection, Direction::Sent);
    let failed = refused.find(|s| REASONS.iter().any(|r| s.status == Some(r.0)))?;
    let near =
        |frame: u32| (failed.frame..=failed.last.frame.saturating_add(NEAR)).contains(&frame);
    let find = |what: fn(&Happening) -> bool| {
        let events = scene.capture().adapter_events.iter();
        events.filter(|e| near(e.frame)).find(|e| what(&e.what)).map(|e| e.frame)
    };
    let facts = NoAgent {
        reason: smp::Reason(failed.status?),
        begun: failed.frame,
        failed: failed.last.frame,
        refusal: find(|what| {
            matches!(what, Happening::ConfirmationAnswered { accepted: false, .. })
        }),
        log: find(
            |what| matches!(what, Happening::Log { text, .. } if text.contains("No agent available")),
        ),
    };
    let proven = facts.refusal.is_some() || facts.log.is_some();
    let quick = failed.duration().is_some_and(|lasted| lasted < QUICK);
    // A host that asks on a screen has somebody to answer: only a program on Linux can be without an agent.
    let host = scene.capture().host.as_ref().map(|host| host.stack);
    let linux = host.is_none_or(|stack| matches!(stack, Stack::BlueZ | Stack::Noble));
    (proven || quick && linux).then(|| {
        let sure = if proven { Confidence::High } else { Confidence::Medium };
        Verdict::cause(facts).sure(sure)
    })
}

impl Facts for NoAgent {
    fn says(&self) -> Text {
        text!(
            "This host itself ended the pairing ({}) as soon as somebody had to confirm it: {}.",
            self.reason,
            if self.log.is_some() {
                "its daemon says that no agent is registered"
            } else {
                "no agent answered, as it seems"
            }
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![
            Sight::here(self.begun, "pairing begins"),
            Sight::here(self.failed, text!("Pairing Failed sent by this host: {}", self.reason)),
        ];
        sights.extend(self.refusal.map(|at| Sight::here(at, "User Confirmation Negative Reply")));
        sights.extend(self.log.map(|at| Sight::here(at, "the daemon's log: No agent available")));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new("pairing-refused-by-peer", "Pairing Failed was sent, not received"),
            RuledOut::new(
                "supervision-timeout-0x08",
                "however the link ended afterwards, the pairing had failed before",
            ),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
