use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::{Direction, Status};
use crate::prose::Text;
use crate::text;
use crate::time::{Moment, Span};
use crate::timeline::{Connection, Procedure, Role, Step, Transport};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "device-idle-timer",
    title: "The device stops sending a fixed time after this host's last write",
    basis: Basis::Real,
    silences: &["zombie-link-data-silence", "remote-user-terminated-idle", "hangs-up-after-command", "unexplained-end"],
    docs: "\
## What it means
The device sends its values for a fixed time after the last write of this host, and then stops (or hangs up). It has a timer that
every write starts anew: whoever does not write again is taken for gone. Nothing is broken in the device.

## How it shows
In three or more links to the device the distance from this host's last write to the last notification (or to the device's 0x13)
is the same within ten percent and one notification's pace; the links themselves lasted differently long.

## What else it could be
The same time since the connection is `remote-user-terminated-idle`. In one link alone it cannot be told from a device whose
application has stopped (`zombie-link-data-silence`).

## What to do
Write again before the time is over: the device's protocol has a keep-alive for it, as a rule the command that started the stream.",
    sources: &["real captures: 14 links of one device, 26.6 to 32.7 s after the last write"],
    check: Check::Device(check),
    cases: &[
        Case::suspect(Confidence::High, "three streams stop 30 s after the last write", || {
            streams(&[(1_000, 30), (4_000, 30), (9_000, 30)]).into()
        })
        .about(&[1, 2, 3])
        .saying("29.")
        .pins(&["FEWEST"]),
        Case::silent("two streams", || streams(&[(1_000, 30), (9_000, 30)]).into())
            .pins(&["FEWEST"]),
        Case::silent("they stop after different times", || {
            streams(&[(1_000, 30), (4_000, 44), (9_000, 20)]).into()
        }),
        Case::suspect(Confidence::High, "at 4, 5 and 5 s, at a pace of one second", || {
            streams(&[(1_000, 5), (4_000, 6), (9_000, 6)]).into()
        })
        .pins(&["SHORTEST"]),
        Case::silent("the values are answers that come at once", || {
            streams(&[(1_000, 3), (4_000, 3), (9_000, 3)]).into()
        })
        .pins(&["SHORTEST"]),
        Case::silent("the time since the connection is the same too", || {
            streams(&[(1_000, 30), (1_000, 30), (1_000, 30)]).into()
        }),
        Case::silent("this host hangs up while the values still come", || {
            let link = |pause| stream(Trace::new().up().mtu().wait_ms(pause), 30);
            let ends = |trace: Trace| trace.wait_ms(100).hangs_up(HUNG_UP).wait_ms(900);
            let trace = ends(link(1_000)).followed_by(ends(link(4_000)));
            trace.followed_by(ends(link(9_000))).into()
        })
        .pins(&["SILENT_PACES"]),
        Case::suspect(Confidence::High, "this host hangs up 21 paces after the last value", || {
            silent_for(21_000).into()
        })
        .pins(&["SILENT_PACES"]),
        Case::suspect(Confidence::High, "the device hangs up 30 s after the last write", || {
            let link = |pause| stream(Trace::new().up().mtu().wait_ms(pause), 30);
            let ends = |trace: Trace| trace.wait_ms(100).disconnected(HUNG_UP).wait_ms(900);
            let trace = ends(link(1_000)).followed_by(ends(link(4_000)));
            trace.followed_by(ends(link(9_000))).into()
        })
        .saying("hung up"),
        Case::silent("the links were lost", || {
            let link = |pause| stream(Trace::new().up().mtu().wait_ms(pause), 30);
            let lost = |trace: Trace| trace.wait_ms(420).disconnected(Status::CONNECTION_TIMEOUT);
            let trace = lost(link(1_000)).followed_by(lost(link(4_000)));
            trace.followed_by(lost(link(9_000))).into()
        }),

        Case::silent("the device switches itself off", || {
            ended(30, |link| link.wait_ms(100).disconnected(Status::REMOTE_POWER_OFF)).into()
        }),
        Case::suspect(Confidence::High, "the device leaves 25 s after its last value", || {
            ended(30, |link| link.wait_ms(24_000).disconnected(HUNG_UP)).into()
        })
        .saying("stopped sending 29."),
        Case::silent("the links were lost long after the last value", || {
            ended(30, |link| link.wait_ms(24_000).disconnected(Status::CONNECTION_TIMEOUT)).into()
        }),
        Case::silent("this host hangs up 19.5 paces after the last value", || {
            silent_for(19_500).into()
        })
        .pins(&["SILENT_PACES"]),
        Case::silent("the last value comes 3.4 s after the write", || held(400).into())
            .pins(&["SHORTEST"]),
        Case::suspect(Confidence::High, "the last value comes 3.6 s after the write", || {
            held(600).into()
        })
        .pins(&["SHORTEST"]),
        Case::silent("one value alone is no stream", || {
            let link = |pause| Trace::new().up().mtu().wait_ms(pause).discovery(0x1a).write(3, &[1]);
            let ends = |link: Trace| link.wait_ms(4_000).notified(3, &[1]).wait_ms(60_000);
            let trace = |pause| ends(link(pause)).hangs_up(HUNG_UP).wait_ms(2_000);
            trace(1_000).followed_by(trace(4_000)).followed_by(trace(9_000)).into()
        }),
        Case::suspect(Confidence::High, "two values are a stream", || {
            let link = |pause| Trace::new().up().mtu().wait_ms(pause).discovery(0x1a).write(3, &[1]);
            let sends = |link: Trace| link.notified(3, &[1]).wait_ms(4_000).notified(3, &[1]);
            let ends = |link: Trace| sends(link).wait_ms(90_000).hangs_up(HUNG_UP).wait_ms(2_000);
            ends(link(1_000)).followed_by(ends(link(4_000))).followed_by(ends(link(9_000))).into()
        }),
        Case::suspect(Confidence::High, "each goodbye of the device is shown", || {
            ended(30, |link| link.wait_ms(100).disconnected(HUNG_UP)).into()
        })
        .saying("the device hangs up, 30."),
        Case::suspect(Confidence::High, "each last value is shown", || {
            streams(&[(1_000, 30), (4_000, 30), (9_000, 30)]).into()
        })
        .saying("the last notification, 29.")
        .not_saying("hangs up"),
        Case::suspect(Confidence::High, "the device writes to this host at the end", || {
            ended(30, |link| {
                link.from_peer(&[0x12, 3, 0, 7], &[0x13]).wait_ms(60_000).hangs_up(HUNG_UP)
            })
            .into()
        })
        .saying("stopped sending"),
        // A value comes each 1000.1 ms.
        Case::silent("this host hangs up exactly 20 paces after the last value", || {
            ended_after(20 * 1_000_100).into()
        }),
        Case::suspect(Confidence::High, "this host hangs up a moment later than that", || {
            ended_after(20 * 1_000_100 + 1).into()
        }),
        Case::suspect(Confidence::High, "the last value comes exactly 3.5 s after the write", || {
            held_for(3_500_000).into()
        }),
        Case::silent("the last value comes a moment sooner", || held_for(3_499_999).into()),
        Case::suspect(Confidence::High, "this host reads when the values have stopped", || {
            ended(30, |link| {
                link.to_peer(&[0x0a, 3, 0], &[0x0b, 1]).wait_ms(60_000).hangs_up(HUNG_UP)
            })
            .into()
        })
        .saying("stopped sending 29."),
        Case::suspect(Confidence::High, "this host notifies the device when the values have stopped", || {
            let end = |link: Trace| link.notified_by_us(9, &[1]).wait_ms(1_000).notified_by_us(9, &[2]);
            [1_000, 4_000, 9_000]
                .iter()
                .fold(Trace::new(), |trace, pause| {
                    let link = stream(Trace::new().up().mtu().wait_ms(*pause), 30);
                    trace.followed_by(end(link).wait_ms(60_000).hangs_up(HUNG_UP).wait_ms(900))
                })
                .into()
        })
        .saying("stopped sending 29."),
        Case::silent("the adapter is closed while the values still come", || {
            ended(30, |link| link.monitor(9, &[]).wait_ms(60_000).monitor(8, &[])).into()
        }),
        Case::suspect(Confidence::High, "links of one length: only the time to the last value counts", || {
            let link = |pause: u32, rest| {
                let link = stream(Trace::new().up().mtu().wait_ms(pause), 30);
                link.wait_ms(rest).hangs_up(HUNG_UP).wait_ms(2_000)
            };
            let first = link(1_000, 69_000).followed_by(link(4_000, 66_000));
            first.followed_by(link(9_000, 61_000)).into()
        })
        .about(&[1, 2, 3]),
    ],
};

/// Three streams, each with another pause before it and with that end.
fn ended(seconds: u8, end: fn(Trace) -> Trace) -> Trace {
    [1_000, 4_000, 9_000].iter().fold(Trace::new(), |trace, pause| {
        let link = stream(Trace::new().up().mtu().wait_ms(*pause), seconds);
        trace.followed_by(end(link).wait_ms(900))
    })
}

/// Three streams, each with another pause before it, and this host hangs up exactly so long after the last value.
fn ended_after(us: u32) -> Trace {
    [1_000, 4_000, 9_000].iter().fold(Trace::new(), |trace, pause| {
        let link = stream(Trace::new().up().mtu().wait_ms(*pause), 30);
        trace.followed_by(link.after_us(us).hangs_up(HUNG_UP).wait_ms(2_000))
    })
}

/// Three streams of four values, of which the last comes exactly so long after the write.
fn held_for(us: u32) -> Trace {
    [1_000, 4_000, 9_000].iter().fold(Trace::new(), |trace, pause| {
        let link = Trace::new().up().mtu().wait_ms(*pause).discovery(0x1a).write(3, &[1]);
        let link = link.after_us(us - 3 * 1_000_100).notified(3, &[0]);
        let link = (1..4).fold(link, |link, n| link.wait_ms(1_000).notified(3, &[n]));
        trace.followed_by(link.wait_ms(60_000).hangs_up(HUNG_UP).wait_ms(2_000))
    })
}

/// Three streams of four values, a second apart, of which the first comes so long after the write.
fn held(first: u32) -> Trace {
    [1_000, 4_000, 9_000].iter().fold(Trace::new(), |trace, pause| {
        let link = Trace::new().up().mtu().wait_ms(*pause).discovery(0x1a).write(3, &[1]);
        let link =
            (0..4).fold(link.wait_ms(first), |link, n| link.notified(3, &[n]).wait_ms(1_000));
        trace.followed_by(link.wait_ms(60_000).hangs_up(HUNG_UP).wait_ms(2_000))
    })
}

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// A write, and as many values, one each second.
fn stream(link: Trace, seconds: u8) -> Trace {
    let link = link.discovery(0x1a).write(3, &[1]);
    (0..seconds).fold(link, |link, n| link.notified(3, &[n]).wait_ms(1_000))
}

/// Links with a pause before the write, and that many values after it; each is then silent for a minute.
fn streams(links: &[(u32, u8)]) -> Trace {
    links.iter().fold(Trace::new(), |trace, (pause, seconds)| {
        let link = stream(Trace::new().up().mtu().wait_ms(*pause), *seconds);
        trace.followed_by(link.wait_ms(60_000).hangs_up(HUNG_UP).wait_ms(2_000))
    })
}

fn silent_for(ms: u32) -> Trace {
    [1_000, 4_000, 9_000].iter().fold(Trace::new(), |trace, pause| {
        let link = stream(Trace::new().up().mtu().wait_ms(*pause), 30);
        trace.followed_by(link.wait_ms(ms - 1_000).hangs_up(HUNG_UP).wait_ms(2_000))
    })
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Write the device's keep-alive, or again the command that starts the stream, at two thirds of that time.",
    ),
    Remedy::any(
        "Look in the device's protocol, or in a capture of its own app, for the write that comes back regularly.",
    ),
];

/// Fewest links whose times show a timer.
const FEWEST: usize = 3;

/// What ends sooner after a write is its answer.
const SHORTEST: Span = Span::from_ms(3_500);

/// A stream has stopped when so many values are missing.
const SILENT_PACES: i64 = 20;

/// One link whose stream ended by itself.
#[derive(Debug)]
struct Stream {
    number: u32,
    write: u32,
    last: u32,
    /// From the last write to the last value, or to the device's goodbye.
    held: Span,
    pace: Span,
    life: Option<Span>,
    hung_up: bool,
}

/// The same time from the last write to the end of the stream.
#[derive(Debug)]
struct IdleTimer {
    streams: Vec<Stream>,
}

fn check(_: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let streams: Vec<Stream> = attempts.iter().filter_map(|c| stream_of(c)).collect();
    if streams.len() < FEWEST {
        return None;
    }
    let pace = streams.iter().map(|s| s.pace).max()?;
    let held: Vec<Span> = streams.iter().map(|s| s.held).collect();
    let lives: Option<Vec<Span>> = streams.iter().map(|s| s.life).collect();
    let by_life = lives.is_some_and(|lives| see::constant(&lives));
    let (low, high) = (*held.iter().min()?, *held.iter().max()?);
    // A stream is sampled: its end is known to one value.
    if !see::constant(&[low, (high - pace).max(low)]) || by_life {
        return None;
    }
    let numbers: Vec<u32> = streams.iter().map(|s| s.number).collect();
    Some(Verdict::suspect(IdleTimer { streams }).sure(Confidence::High).about(numbers))
}

/// The stream of a link that stopped, or was ended by the device, while the link lived.
fn stream_of(c: &Connection) -> Option<Stream> {
    let writes = |s: &&Step| {
        use Procedure::{Subscribe, Write, WriteCommand};
        s.by == Direction::Sent && matches!(s.procedure, Write | WriteCommand | Subscribe)
    };
    let write = c.steps.iter().filter(writes).max_by_key(|s| s.last.frame)?;
    let notified = |s: &&Step| s.by == Direction::Received && s.procedure == Procedure::Notify;
    let run = c.steps.iter().filter(notified).max_by_key(|s| s.last.frame)?;
    let pace = Span(run.duration()?.0 / i64::from(run.count.max(2) - 1));
    let peer = see::peer_hung_up(c).filter(|end| end.reason == HUNG_UP);
    let until: Moment = match &c.end {
        Some(end) if end.command_frame().is_some() => end.command_at(),
        Some(end) => end.at,
        None => c.capture_end,
    };
    let stopped = until.since(run.last.at)?.0 > pace.0 * SILENT_PACES;
    let lost = c.end.as_ref().is_some_and(|end| end.command_frame().is_none() && peer.is_none());
    let (last, at) = match peer {
        Some(end) if !stopped => (end.frame, end.at),
        _ => (run.last.frame, run.last.at),
    };
    let held = at.since(write.last.at)?;
    let counts = (stopped || peer.is_some())
        && !lost
        && c.gone.is_none()
        && c.role == Some(Role::Central)
        && c.transport == Transport::Le
        && run.count > 1
        && held >= SHORTEST;
    let life = c.after(at);
    counts.then_some(Stream {
        number: c.number,
        write: write.last.frame,
        last,
        held,
        pace,
        life,
        hung_up: !stopped,
    })
}

impl Facts for IdleTimer {
    fn says(&self) -> Text {
        let held: Vec<Span> = self.streams.iter().map(|s| s.held).collect();
        let hung_up = self.streams.iter().all(|s| s.hung_up);
        text!(
            "In {} links the device {} {} after this host's last write, however long the link had lasted: each write starts a timer in the device anew.",
            self.streams.len(),
            if hung_up { "hung up" } else { "stopped sending" },
            see::from_to(&held)
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let streams = self.streams.iter().flat_map(|s| {
            let ends = if s.hung_up { "the device hangs up" } else { "the last notification" };
            [
                Sight::here(s.write, "this host's last write"),
                Sight::here(s.last, text!("{}, {} later", ends, s.held)),
            ]
        });
        streams.collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "zombie-link-data-silence",
            "the device stops after the same time in each link: that is a timer, not a fault",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec!["Write again at half of that time: does the stream go on?".into()]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
