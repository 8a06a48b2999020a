use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::att::{Handle, Pdu};
use crate::packet::hci::{Command, LeEvent};
use crate::packet::{Direction, Status, signal};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, EndedBy, Granted, Pace, Procedure, Stack};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "latency-or-interval-change-stalls",
    title: "New connection parameters made the link slow, and then it failed",
    basis: Basis::Laboratory,
    silences: &["short-supervision-timeout-linux-420ms", "short-supervision-by-peer", "supervision-timeout-0x08", "connection-cancelled-by-app", "att-request-unanswered", "zombie-link-data-silence"],
    docs: "\
## What it means
In the middle of the link the interval (or the latency) became much larger. Every request now takes many times longer, and a
timeout that was ample before holds only a few packets.

## How it shows
LE Connection Update Complete with at least four times the time between packets; answers to ATT requests, measured before and
after it, that take at least four times longer; then a host that gives up in the middle of its work, or a loss (0x08). A loss is
put down to the update only if the answers became slower than the new parameters explain.

## What else it could be
An update that came before a loss is not its cause: most links that are lost had one. Without slower answers it is an ordinary
lost link. Updates that are followed by ordinary traffic and an ordinary end are normal.

## What to do
Ask for sane values in the device's firmware; on Linux look at the values that are stored for this device.",
    sources: &["bluez/bluez#207", "noble/noble#293", "Linux net/bluetooth: stored connection parameters", "laboratory: stored values against limits in main.conf"],
    check: Check::Connection(check),
    cases: &[
        Case::suspect(Confidence::Medium, "answers take 2 s, and the host hangs up", || {
            gave_up(worked(50, 3, 800, 2_000, 3)).into()
        })
        .about(&[1])
        .saying("The device asked for it"),
        Case::suspect(Confidence::Medium, "nobody asked for it in the capture", || {
            let link = updated(answers(Trace::new().up(), 3, 50), 800, 0, 1_000);
            gave_up(answers(link, 3, 2_000)).into()
        })
        .saying("In the middle of the link"),
        Case::suspect(Confidence::Medium, "an interval four times as long", || {
            gave_up(worked(50, 3, 156, 2_000, 3)).into()
        })
        .pins(&["WIDER"]),
        Case::silent("an interval not quite four times as long", || {
            gave_up(worked(50, 3, 155, 2_000, 3)).into()
        })
        .pins(&["WIDER"]),
        Case::suspect(Confidence::Medium, "answers that take a little over four times as long", || {
            gave_up(worked(299, 3, 800, 1_200, 3)).into()
        })
        .pins(&["SLOWER"]),
        Case::silent("answers that take a little less than four times as long", || {
            gave_up(worked(301, 3, 800, 1_200, 3)).into()
        })
        .pins(&["SLOWER"]),
        Case::suspect(Confidence::Medium, "answers that take a second", || {
            gave_up(worked(50, 3, 400, 1_000, 3)).into()
        })
        .pins(&["SLOW"]),
        Case::silent("answers that take less than a second", || {
            gave_up(worked(50, 3, 400, 990, 3)).into()
        })
        .pins(&["SLOW"]),
        Case::silent("only two answers after the update", || {
            gave_up(worked(50, 3, 800, 2_000, 2)).into()
        })
        .pins(&["FEWEST"]),
        Case::suspect(Confidence::Medium, "three answers before it and after it", || {
            gave_up(worked(50, 3, 800, 2_000, 3)).into()
        })
        .pins(&["FEWEST"]),
        Case::silent("only two answers before the update", || {
            gave_up(worked(50, 2, 800, 2_000, 3)).into()
        }),
        Case::suspect(Confidence::Medium, "the host hangs up 3.9 s after an answer", || {
            gave_up(worked(50, 3, 800, 2_000, 3).wait_ms(3_900)).into()
        })
        .pins(&["AT_WORK"]),
        Case::silent("the host hangs up 4.1 s after an answer", || {
            gave_up(worked(50, 3, 800, 2_000, 3).wait_ms(4_100)).into()
        })
        .pins(&["AT_WORK"]),
        Case::silent("the device hangs up", || {
            worked(50, 3, 800, 2_000, 3).disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("the parameters went back before the end", || {
            gave_up(answers(updated(worked(50, 3, 800, 2_000, 3), 24, 0, 500), 3, 50)).into()
        }),
        Case::silent("lost 70 s after an update that made nothing slow", || {
            let link = updated(answers(Trace::new().up(), 3, 50), 24, 29, 271);
            lost(answers(link, 3, 60).wait_ms(70_000)).into()
        }),
        Case::silent("lost right after an update, and no answer measured since", || {
            lost(updated(answers(Trace::new().up(), 3, 50), 24, 29, 271).wait_ms(2_800)).into()
        }),
        Case::cause(Confidence::Medium, "lost, and answers had become slower than the interval explains", || {
            lost(worked(50, 3, 160, 310, 3).wait_ms(5_000)).into()
        })
        .saying("6.2 times as long")
        .pins(&["BEYOND_PERCENT"]),
        Case::silent("lost, and the interval explains how slow answers had become", || {
            lost(worked(50, 3, 160, 300, 3).wait_ms(5_000)).into()
        })
        .pins(&["BEYOND_PERCENT"]),
        Case::silent("our host asked for the end of a link that was lost", || {
            let link = worked(50, 3, 160, 310, 3).wait_ms(5_000).taken(Command::Disconnect {
                connection_handle: HANDLE,
                reason: Status::REMOTE_USER_TERMINATED,
            });
            lost(link).into()
        }),
        Case::suspect(Confidence::Medium, "lost at work, with a timeout that holds 2.9 packets", || {
            lost(tight(470).wait_ms(4_700)).into()
        })
        .saying("room for 2.9")
        .pins(&["TIGHT"]),
        Case::silent("lost at work, with a timeout that holds 3.1 packets", || {
            lost(tight(490).wait_ms(4_900)).into()
        })
        .pins(&["TIGHT"]),
        Case::silent("lost long after the work, with a timeout that holds 2.9 packets", || {
            lost(tight(470).wait_ms(10_000)).into()
        }),
        Case::silent("parameters as large as they may be", || {
            let most = u16::MAX;
            lost(answers(updated(answers(Trace::new().up(), 3, 50), most, most, most), 3, 60)).into()
        }),
        Case::suspect(Confidence::Medium, "this host gives the link up in the middle of its work", || {
            gave_up(worked(50, 3, 800, 2_000, 3)).into()
        })
        .saying("then this host hung up in the middle of its work")
        .not_saying("the link was lost"),
        Case::cause(Confidence::Medium, "the link is lost, and nobody hung up", || {
            lost(worked(50, 3, 160, 310, 3).wait_ms(5_000)).into()
        })
        .saying("the link was lost")
        .not_saying("hung up in the middle"),
        Case::silent("lost at work, with a timeout that holds exactly three packets", || {
            lost(tight(480).wait_ms(4_800)).into()
        }),
        Case::suspect(Confidence::Medium, "answers that take exactly four times as long", || {
            gave_up(worked(300, 3, 800, 1_200, 3)).into()
        }),
        Case::suspect(Confidence::Medium, "this host asked for it", || {
            let asked = answers(Trace::new().up(), 3, 50).taken(Command::LeConnectionUpdate {
                connection_handle: HANDLE,
                connection_interval_min: 800,
                connection_interval_max: 800,
                max_latency: 0,
                supervision_timeout: 500,
                min_ce_length: 0,
                max_ce_length: 0,
            });
            let link = updated(asked.wait_ms(300), 800, 0, 500);
            gave_up(answers(link, 3, 2_000)).into()
        })
        .saying("In the middle of the link"),
        Case::suspect(Confidence::Medium, "the device had asked for something else", || {
            let asked = answers(Trace::new().up(), 3, 50).from_peer(&[0x0a, 3, 0], &[0x0b, 7]);
            let link = updated(asked.notified(0x12, &[1]), 800, 0, 1_000);
            gave_up(answers(link, 3, 2_000)).into()
        })
        .saying("In the middle of the link"),
        Case::silent("answers before it took no time that the clock shows", || {
            gave_up(worked(0, 3, 800, 2_000, 3)).into()
        }),
        Case::suspect(Confidence::Medium, "the host hangs up exactly 4 s after an answer", || {
            // Its command is carried out 50.2 ms later.
            gave_up(worked(50, 3, 800, 2_000, 3).after_us(4_000_000 - 50_200)).into()
        }),
        Case::silent("the host hangs up a moment later than that", || {
            gave_up(worked(50, 3, 800, 2_000, 3).after_us(4_000_001 - 50_200)).into()
        }),
    ],
};

/// Writes that are answered after that time.
fn answers(trace: Trace, count: u8, took: u32) -> Trace {
    let write = |trace: Trace, n| {
        let request = Pdu::WriteRequest { attribute_handle: Handle(0x12), attribute_value: &[n] };
        let asked = trace.att(Direction::Sent, request).after_ms(took);
        asked.att(Direction::Received, Pdu::WriteResponse {})
    };
    (0..count).fold(trace, write)
}

fn updated(trace: Trace, interval: u16, latency: u16, timeout: u16) -> Trace {
    trace.le(LeEvent::ConnectionUpdateComplete {
        status: Status::SUCCESS,
        connection_handle: HANDLE,
        connection_interval: interval,
        peripheral_latency: latency,
        supervision_timeout: timeout,
    })
}

/// A link of 48.75 ms, `before` answers after `quick` milliseconds; an update to `interval`, which the device asked
/// for, with a timeout of 5 s; then `after` answers after `slow` milliseconds.
fn worked(quick: u32, before: u8, interval: u16, slow: u32, after: u8) -> Trace {
    let wanted = signal::Pdu::ConnectionParameterUpdateRequest {
        interval_min: interval,
        interval_max: interval,
        latency: 0,
        timeout: 500,
    };
    let asked = answers(Trace::new().up(), before, quick)
        .signal(Direction::Received, 1, wanted)
        .signal(Direction::Sent, 1, signal::Pdu::ConnectionParameterUpdateResponse { result: 0 })
        .taken(Command::LeConnectionUpdate {
            connection_handle: HANDLE,
            connection_interval_min: interval,
            connection_interval_max: interval,
            max_latency: 0,
            supervision_timeout: 500,
            min_ce_length: 0,
            max_ce_length: 0,
        })
        .wait_ms(300);
    answers(updated(asked, interval, 0, 500), after, slow)
}

/// An update to 400 ms with latency 3, answers that take 0.8 s, and that timeout.
fn tight(timeout: u16) -> Trace {
    answers(updated(answers(Trace::new().up(), 3, 50), 320, 3, timeout), 3, 800)
}

fn gave_up(link: Trace) -> Trace {
    link.hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn lost(link: Trace) -> Trace {
    link.disconnected(Status::CONNECTION_TIMEOUT)
}

/// How many times longer the time between packets must become.
const WIDER: f64 = 4.0;

/// How many times longer answers must take.
const SLOWER: f64 = 4.0;

/// How many times longer than the parameters explain, in percent, before a loss is put down to them.
const BEYOND_PERCENT: f64 = 150.0;

/// Fewer answers than this have no middle worth the name.
const FEWEST: u64 = 3;

/// A host gives up over answers that take this long.
const SLOW: Span = Span::from_ms(1_000);

/// A host that was silent for no longer than so many answers take was at work.
const AT_WORK: i64 = 2;

/// A timeout that holds fewer packets than this barely lets the link live.
const TIGHT: f64 = 3.0;

const REMEDIES: &[Remedy] = &[
    Remedy::firmware(
        "keep a short interval (15-50 ms) while data are being moved, and a timeout of at least ten packets.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Linux stores what the device asked for and uses it for the next link. Stop bluetoothd, write `MinInterval=24` and `MaxInterval=40` under `[ConnectionParameters]` in /var/lib/bluetooth/ADAPTER/DEVICE/info, start it again. Limits in main.conf do not help: stored values go first.",
    ),
    Remedy::on(
        &[Stack::Android],
        "Call `requestConnectionPriority(CONNECTION_PRIORITY_HIGH)` for the transfer.",
    ),
];

/// A link that an update made slow.
#[derive(Debug)]
struct Slowed {
    /// The device's request for these parameters.
    asked_frame: Option<u32>,
    before: Granted,
    after: Granted,
    update_frame: u32,
    /// The middle of the answer times before the update and after it.
    quick: Span,
    slow: Span,
    lost: bool,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref()?;
    let [.., before, after] = connection.pace.as_slice() else { return None };
    let (quick, slow) = (answer(before)?, answer(after)?);
    let facts = Slowed {
        asked_frame: asked(connection, after.frame),
        before: before.parameters,
        after: after.parameters,
        update_frame: after.frame,
        quick,
        slow,
        lost: end.reason == Status::CONNECTION_TIMEOUT && end.command_frame().is_none(),
        end: end.clone(),
    };
    if facts.wider() < WIDER || facts.slower() < SLOWER {
        return None;
    }
    let work = Span(slow.0.saturating_mul(AT_WORK));
    let idle = connection.idle_before_end()?;
    if facts.lost {
        if facts.slower() * 100.0 > facts.wider() * BEYOND_PERCENT {
            return Some(Verdict::cause(facts).sure(Confidence::Medium));
        }
        let tight = facts.after.events_in_timeout() < TIGHT;
        let at_work = idle - facts.after.timeout() <= work;
        return (tight && at_work).then(|| Verdict::suspect(facts).sure(Confidence::Medium));
    }
    // A host that hangs up after slow work may simply have finished it.
    let gave_up = end.by == EndedBy::Host && idle <= work && slow >= SLOW;
    gave_up.then(|| Verdict::suspect(facts).sure(Confidence::Medium))
}

/// How long answers took under these parameters.
fn answer(pace: &Pace) -> Option<Span> {
    (pace.att.count() >= FEWEST).then(|| pace.att.median())?
}

/// The last request of the device's before the update.
fn asked(connection: &Connection, update: u32) -> Option<u32> {
    let asked = connection.steps.iter().rev().find(|s| {
        s.procedure == Procedure::ParameterUpdate
            && s.by == Direction::Received
            && s.comes_before(update)
    });
    asked.map(|step| step.frame)
}

impl Slowed {
    fn wider(&self) -> f64 {
        times(self.after.spacing(), self.before.spacing())
    }

    fn slower(&self) -> f64 {
        times(self.slow, self.quick)
    }
}

fn times(now: Span, then: Span) -> f64 {
    if then.0 > 0 { now.0 as f64 / then.0 as f64 } else { 0.0 }
}

impl Facts for Slowed {
    fn says(&self) -> Text {
        let who = if self.asked_frame.is_some() {
            "The device asked for it and the"
        } else {
            "In the middle of the link the"
        };
        let then = if self.lost {
            text!(
                "the supervision timeout of {} then had room for {} packets, and the link was lost",
                self.after.timeout(),
                format_args!("{:.1}", self.after.events_in_timeout())
            )
        } else {
            text!("then this host hung up in the middle of its work")
        };
        text!(
            "{} connection interval became {} with latency {} (before: {}, latency {}). Answers to requests took {} before \
             the update and {} after it, {} times as long; {}.",
            who,
            self.after.interval(),
            self.after.latency,
            self.before.interval(),
            self.before.latency,
            self.quick,
            self.slow,
            format_args!("{:.1}", self.slower()),
            then
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let asked = self
            .asked_frame
            .map(|frame| Sight::here(frame, "the device asks for other parameters"));
        let update = text!(
            "LE Connection Update Complete: {}, latency {}, timeout {}",
            self.after.interval(),
            self.after.latency,
            self.after.timeout()
        );
        let rest = [Sight::here(self.update_frame, update), see::link_ended(&self.end)];
        asked.into_iter().chain(rest).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "the device was heard")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "Repeat without the update, or with the interval of before: if the work then ends well, it was the update."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
