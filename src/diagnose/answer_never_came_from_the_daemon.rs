use super::witnessed::{self, Line};
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::Stack;
use crate::trace::Trace;
use crate::witness::{Failure, Testimony, What};

pub const RULE: Rule = Rule {
    id: "answer-never-came-from-the-daemon",
    title: "The attempt had long failed when the program was still waiting for the daemon",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The controller's attempt was over, and bluetoothd did not answer the program's call: it removed the device's object instead. The program waited for its own
timeout, so the time in its log is not the time of the failure.

## How it shows
A Connection Complete with an error in the capture, and the program's timeout many seconds later, with nothing sent for the device in between.

## What else it could be
A program that waits on purpose before it says so.

## What to do
Look at the capture's moment, not at the log's. A shorter timeout in the program loses nothing.",
    sources: &["laboratory: bluetoothd 5.82 answers no Connect call whose request the kernel cancelled"],
    check: Check::Witness(check),
    cases: &[
        Case::note(Confidence::Medium, "the program waits for ten seconds more", || {
            Example::with_log(failed(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:50,000 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        })
        .about(&[2]),
        Case::silent("the daemon answers", || {
            Example::with_log(failed(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:41,000 ERROR app: Communication with C0:00:00:00:00:01 failed: [org.bluez.Error.Failed] br-connection-canceled
")
        }),
        Case::note(Confidence::Medium, "the program waits for a little over five seconds more", || {
            Example::with_log(failed(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:45,400 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        })
        .pins(&["OVERDUE"]),
        Case::silent("the program waits for a little less", || {
            Example::with_log(failed(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:45,000 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        })
        .pins(&["OVERDUE"]),
        Case::silent("the daemon answers with an error ten seconds later", || {
            Example::with_log(failed(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:50,000 ERROR app: Communication with C0:00:00:00:00:01 failed: [org.bluez.Error.Failed] br-connection-canceled
")
        }),
        Case::silent("a link came up, and the program's timeout is that of its discovery", || {
            Example::with_log(Trace::new().wait_ms(200).up().mtu().wait_ms(40_000).advertises(0), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:50,000 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        }),
        Case::silent("a program gives up on a device that this host did not ask for", || {
            Example::with_log(Trace::new().wait_ms(40_000).advertises(0), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:50,000 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        }),
    ],
};

fn failed() -> Trace {
    Trace::new()
        .wait_ms(200)
        .create()
        .wait_ms(20_000)
        .cancel()
        .connect_failed(Status::UNKNOWN_CONNECTION_IDENTIFIER)
        .wait_ms(40_000)
        .advertises(0)
}

const REMEDIES: &[Remedy] = &[Remedy::on(
    &[Stack::BlueZ],
    "Give the program's connect a timeout a little above the kernel's 20 s: whatever waits longer waits for nothing.",
)];

/// So long after the end the daemon's answer is overdue.
const OVERDUE: Span = Span::from_ms(5_000);

/// An end, and a program that waited on.
#[derive(Debug)]
struct Unanswered {
    line: Line,
    frame: u32,
    status: Status,
    waited: Span,
}

fn check(scene: &Scene<'_>, testimony: &Testimony) -> Option<Verdict> {
    witnessed::related(testimony).find_map(|(claim, relation)| {
        let timed_out = matches!(claim.what, What::Failed { how: Failure::TimedOut, .. });
        let connection = scene.capture().connection(relation.connection.filter(|_| timed_out)?)?;
        let status = connection.status.filter(|status| *status != Status::SUCCESS)?;
        let over = connection.status_seen?.at.time()?;
        let waited = testimony.at(relation.claim)? - over;
        if waited < OVERDUE {
            return None;
        }
        let (line, frame) = (Line::of(testimony, claim), connection.status_frame()?);
        let facts = Unanswered { line, frame, status, waited };
        Some(Verdict::suspect(facts).sure(Confidence::Medium).about([connection.number]))
    })
}

impl Facts for Unanswered {
    fn says(&self) -> Text {
        text!(
            "The attempt was over with {}, and the daemon never answered the program's call: it waited {} more for nothing.",
            self.status,
            self.waited
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.frame, text!("the attempt ends: {}", self.status)),
            self.line.sight("the program's timeout"),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("supervision-timeout-0x08", "no link came up")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
