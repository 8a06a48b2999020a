use super::waits::{Waited, in_vain};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::prose::Text;
use crate::text;
use crate::timeline::Connection;
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "peer-nonconnectable",
    title: "The device advertises, but does not accept connections",
    basis: Basis::Laboratory,
    silences: &["create-conn-timeout-cancel", "connection-cancelled-by-app", "peer-gone-or-moved"],
    docs: "\
## What it means
The device is there and says with every advertisement that it takes no connection now.

## How it shows
All reports of its address are of a kind without the connectable bit; the connect request waits until the host cancels.

## What else it could be
Another central holds the device and it goes on advertising for others; it sleeps, or its firmware offers no connections in
this state.

## What to do
Close the phone app or the other computer that may hold the connection, wake the device or press its button, and look for
connectable advertising before connecting.",
    sources: &["Core Specification, Vol 4, Part E, 7.7.65.2: advertising event types"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "two reports, neither connectable", || asks(two(3)).into())
            .about(&[1])
            .saying("all 2"),
        Case::cause(Confidence::High, "it is heard once more while the request waits", || {
            let asked = Trace::new().advertises(3).wait_ms(300).create().wait_ms(9_000);
            asked.advertises(3).wait_ms(11_500).cancel().into()
        })
        .saying("the last report of this address"),
        Case::silent("its reports are connectable", || asks(two(0)).into()),
        Case::cause(Confidence::High, "it answers scans, and takes no connection", || {
            asks(two(2)).into()
        }),
        Case::silent("one of its reports is connectable", || {
            asks(two(3).wait_ms(100).advertises(0)).into()
        }),
        Case::cause(Confidence::Medium, "one report", || asks(Trace::new().advertises(3)).into())
            .not_saying("the last report")
            .pins(&["FEWEST"]),
        Case::cause(Confidence::High, "two reports of two kinds", || {
            asks(Trace::new().advertises(3).wait_ms(100).advertises(2)).into()
        })
        .pins(&["FEWEST"]),
        Case::silent("no report", || asks(Trace::new()).into()),
        Case::silent("the first report comes after the wait", || two_later().into()),
    ],
};

fn two(event_type: u8) -> Trace {
    Trace::new().advertises(event_type).wait_ms(100).advertises(event_type)
}

fn asks(trace: Trace) -> Trace {
    trace.wait_ms(300).create().wait_ms(20_500).cancel()
}

fn two_later() -> Trace {
    asks(Trace::new()).wait_ms(500).followed_by(two(3))
}

/// One report alone may be of a moment between two kinds of advertising.
const FEWEST: u64 = 2;

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Close the phone app or the other computer that may hold the device, and wake it (button, lid, power) until it advertises connectable.",
    ),
    Remedy::no_use("More tries, while its reports stay as they are."),
];

/// A device that takes no connection, and a request that waited for it.
#[derive(Debug)]
struct TakesNone {
    reports: u64,
    report_frame: u32,
    /// Where that is another one.
    last_frame: Option<u32>,
    wait: Waited,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection)?;
    let (peer, _) = wait.whom?;
    let report = connection.report_before?;
    let device = scene.capture().device(peer)?;
    if device.connectable_reports > 0 {
        return None;
    }
    let last = device.last.map(|last| last.frame);
    let facts = TakesNone {
        reports: device.reports,
        report_frame: report.frame,
        last_frame: last.filter(|last| *last != report.frame),
        wait: wait.facts(),
    };
    let sure = if facts.reports >= FEWEST { Confidence::High } else { Confidence::Medium };
    Some(Verdict::cause(facts).sure(sure))
}

impl Facts for TakesNone {
    fn says(&self) -> Text {
        text!(
            "The device is heard, but all {} of its advertising reports say that it takes no connection, so the request of {} could not succeed.",
            self.reports,
            self.wait.lasted
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let first = "advertising report of this address: not connectable";
        let mut sights = vec![Sight::here(self.report_frame, first)];
        sights.extend(self.last_frame.map(|frame| {
            Sight::here(frame, "the last report of this address: not connectable either")
        }));
        sights.extend(self.wait.sights());
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "never-heard-peer",
            "no connect request can be sent to a device that does not offer a connection",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
