use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
    updates,
};
use crate::packet::hci::{Command, LeEvent};
use crate::packet::{Direction, Status};
use crate::prose::{self, Text};
use crate::text;
use crate::time::Span;
use crate::timeline::{Advertised, Connection, End, Procedure, Report, Sighting, Step};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "device-restarted",
    title: "The device left its link by itself: it restarted, or forgot it",
    basis: Basis::Real,
    silences: &[
        "supervision-timeout-0x08", "short-supervision-timeout-linux-420ms", "short-supervision-by-peer",
        "latency-or-interval-change-stalls", "weak-link", "too-far", "att-request-unanswered", "zombie-link-data-silence",
        "never-usable-connection", "att-transaction-timeout-30s",
    ],
    docs: "\
## What it means
The device was no longer on its link, although nobody had ended it: it reset, crashed, lost its supply for a moment, or began
anew after an update of its firmware. The host still waited for the supervision timeout.

## How it shows
Disconnection Complete with 0x08, and connectable advertising of the same address within the link's last supervision timeout,
after the last packet on the link: the device is there, its radio works, and the link is what it left. Or: the last request
belongs to a service for firmware updates, and the device is heard nearby within seconds after the end.

## What else it could be
Some devices advertise while they are connected; they go on answering on their link. A device that was out of reach is not
heard during the timeout.

## What to do
Distance and Wi-Fi are not the matter. Look at the device: why it reset (its log, its supply, its watchdog), and at the request
after which it fell silent. After an update this is as it should be: connect again.",
    sources: &["five lost links of two real devices, with reports from -60 to -38 dBm during the link or after it"],
    check: Check::Device(check),
    cases: &[
        Case::cause(Confidence::High, "it advertises while the host waits for its timeout", || {
            lost(written(5_000).wait_ms(3_000).advertises(0).wait_ms(2_000)).into()
        })
        .about(&[1])
        .saying("the last request before the silence: write of attribute 0x0010"),
        Case::cause(Confidence::High, "twice, after the same write", || {
            lost(written(5_000).wait_ms(3_000).advertises(0).wait_ms(2_000)).repeated(2, 1_000).into()
        })
        .about(&[1, 2])
        .saying("each time after the same request"),
        Case::cause(Confidence::High, "twice, and only once after a write", || {
            let first = lost(written(5_000).wait_ms(3_000).advertises(0).wait_ms(2_000));
            let second = Trace::new().create().connected_as(0, 24, 0, 500).mtu().wait_ms(3_000);
            first.wait_ms(1_000).followed_by(lost(second.advertises(0).wait_ms(2_000))).into()
        })
        .about(&[1, 2])
        .not_saying("after the same request"),
        Case::cause(Confidence::High, "heard 0.3 s before the end", || {
            lost(written(5_000).wait_ms(4_800).advertises(0).wait_ms(300)).into()
        })
        .pins(&["EARLIER"]),
        Case::silent("heard 0.15 s before the end: the device's own timeout had run out", || {
            lost(written(5_000).wait_ms(4_950).advertises(0).wait_ms(150)).into()
        })
        .pins(&["EARLIER"]),
        Case::silent("an idle link: it advertises as some do, and is lost long after the last report", || {
            lost(written(5_000).wait_ms(3_000).advertises(0).wait_ms(5_300)).into()
        })
        .pins(&["LATE_PERCENT"]),
        Case::cause(Confidence::High, "an event that is stamped a little late", || {
            lost(written(5_000).wait_ms(3_000).advertises(0).wait_ms(5_200)).into()
        })
        .pins(&["LATE_PERCENT"]),
        Case::cause(Confidence::High, "a controller that goes on with the longer timeout of before", || {
            let link = written(20_000).le(LeEvent::ConnectionUpdateComplete {
                status: Status::SUCCESS,
                connection_handle: HANDLE,
                connection_interval: 24,
                peripheral_latency: 0,
                supervision_timeout: 400,
            });
            lost(link.wait_ms(15_000).advertises(0).wait_ms(4_800)).into()
        }),
        Case::silent("it answers on its link after the report", || {
            let heard = written(5_000).wait_ms(3_000).advertises(0).notified(0x12, &[1]);
            lost(heard.wait_ms(5_000)).into()
        }),
        Case::silent("the reports are not connectable", || {
            lost(written(5_000).wait_ms(3_000).advertises(3).wait_ms(2_000)).into()
        }),
        Case::silent("it hung up", || {
            let link = written(5_000).wait_ms(3_000).advertises(0).wait_ms(2_000);
            link.disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("our host asked for the end", || {
            let link = written(5_000).wait_ms(3_000).advertises(0).wait_ms(2_000);
            let ended = link.taken(Command::Disconnect {
                connection_handle: HANDLE,
                reason: Status::REMOTE_USER_TERMINATED,
            });
            lost(ended).into()
        }),
        Case::silent("it is heard again only after the end", || {
            lost(written(5_000).wait_ms(5_000)).wait_ms(500).advertises(0).into()
        }),
        Case::cause(Confidence::Medium, "an update, and it is heard 5 s after the end", || {
            updated(lost(service([0x59, 0xfe]).wait_ms(5_000)), 5_000).into()
        })
        .saying("Nordic DFU"),
        Case::cause(Confidence::Medium, "an update, and it is heard 9.9 s after the end", || {
            updated(lost(service([0x59, 0xfe]).wait_ms(5_000)), 9_900).into()
        })
        .pins(&["SOON"]),
        Case::silent("an update, and it is heard 10.1 s after the end", || {
            updated(lost(service([0x59, 0xfe]).wait_ms(5_000)), 10_100).into()
        })
        .pins(&["SOON"]),
        Case::silent("an update, and it is heard from far away", || {
            lost(service([0x59, 0xfe]).wait_ms(5_000)).wait_ms(5_000).heard_at(-80).into()
        })
        .pins(&["NEAR"]),
        Case::cause(Confidence::Medium, "an update, and it is heard at -75 dBm", || {
            lost(service([0x59, 0xfe]).wait_ms(5_000)).wait_ms(5_000).heard_at(-75).into()
        })
        .pins(&["NEAR"]),
        Case::silent("a write to another service, and it is heard after the end", || {
            updated(lost(service([0x0f, 0x18]).wait_ms(5_000)), 5_000).into()
        }),

        Case::cause(Confidence::High, "how often is told", || {
            lost(written(5_000).wait_ms(3_000).advertises(0).wait_ms(2_000)).repeated(2, 1_000).into()
        })
        .saying("by itself, 2 times"),
        Case::cause(Confidence::High, "once is once", || {
            lost(written(5_000).wait_ms(3_000).advertises(0).wait_ms(2_000)).into()
        })
        .saying("Look at the device: the reason of its last reset")
        .not_saying("times"),
        Case::cause(Confidence::High, "three times, and twice after the same write", || {
            let twice = lost(written(5_000).wait_ms(3_000).advertises(0).wait_ms(2_000)).repeated(2, 1_000);
            let third = Trace::new().create().connected_as(0, 24, 0, 500).mtu().wait_ms(3_000);
            twice.wait_ms(1_000).followed_by(lost(third.advertises(0).wait_ms(2_000))).into()
        })
        .saying("2 of 3 times after the same request"),
        Case::cause(Confidence::Medium, "after an update one connects again", || {
            updated(lost(service([0x59, 0xfe]).wait_ms(5_000)), 5_000).into()
        })
        .saying("If the update is complete")
        .not_saying("Look at the device: the reason"),
        Case::silent("an update, and then it cannot be connected to", || {
            lost(service([0x59, 0xfe]).wait_ms(5_000)).wait_ms(5_000).advertises(3).into()
        }),
        Case::cause(Confidence::High, "what the device asked and what this host notified is no request of this host", || {
            let asked = written(5_000).from_peer(&[0x0a, 3, 0], &[0x0b, 7]).notified_by_us(9, &[1]);
            lost(asked.wait_ms(3_000).advertises(0).wait_ms(2_000)).into()
        })
        .saying("the last request before the silence: write of attribute 0x0010"),

        Case::cause(Confidence::High, "heard exactly 0.2 s before the end", || {
            lost(written(5_000).wait_ms(4_800).advertises(0).after_ms(200)).into()
        }),
        Case::cause(Confidence::Medium, "an update, and it is heard exactly 10 s after the end", || {
            lost(service([0x59, 0xfe]).wait_ms(5_000)).after_ms(10_000).advertises(0).into()
        }),
        Case::cause(Confidence::High, "heard exactly 5.25 s of 5 s before the end", || {
            lost(written(5_000).wait_ms(3_000).advertises(0).after_ms(5_250)).into()
        }),
        Case::cause(Confidence::High, "a change of the parameters is no request of ATT", || {
            let update = Command::LeConnectionUpdate {
                connection_handle: HANDLE,
                connection_interval_min: 24,
                connection_interval_max: 24,
                max_latency: 0,
                supervision_timeout: 500,
                min_ce_length: 0,
                max_ce_length: 0,
            };
            let updated = written(5_000).taken(update).wait_ms(300).le(LeEvent::ConnectionUpdateComplete {
                status: Status::SUCCESS,
                connection_handle: HANDLE,
                connection_interval: 24,
                peripheral_latency: 0,
                supervision_timeout: 500,
            });
            lost(updated.wait_ms(3_000).advertises(0).wait_ms(2_000)).into()
        })
        .saying("the last request before the silence: write of attribute 0x0010"),
        Case::cause(Confidence::Medium, "an update, and what follows after the same request is not told", || {
            updated(lost(service([0x59, 0xfe]).wait_ms(5_000)), 5_000).into()
        })
        .not_saying("each time after the same request"),
        Case::silent("heard a moment less than 0.2 s before the end", || {
            lost(written(5_000).wait_ms(4_800).advertises(0).after_us(199_999)).into()
        }),
    ],
};

/// A link with that timeout, and a last write that is answered.
fn written(timeout_ms: u16) -> Trace {
    let link = Trace::new().advertises(0).create().connected_as(0, 24, 0, timeout_ms / 10);
    link.features().mtu().write(0x10, &[1])
}

/// The same, with a write to the characteristic of a service with that UUID.
fn service(uuid: [u8; 2]) -> Trace {
    let groups = [6, 1, 0, 6, 0, uuid[0], uuid[1]];
    let link = Trace::new().advertises(0).create().connected_as(0, 24, 0, 500).features();
    link.by_wire(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], 0x11, &groups).write(3, &[5])
}

fn updated(ended: Trace, ms: u32) -> Trace {
    ended.wait_ms(ms).advertises(0)
}

fn lost(link: Trace) -> Trace {
    link.disconnected(Status::CONNECTION_TIMEOUT)
}

/// Reports must come this long before the end: both ends' timeouts run out at about the same time, and the device
/// may then advertise before the host's event is stamped.
const EARLIER: Span = Span::from_ms(200);

/// The supervision timeout, in percent, within which reports before the end must come: events are stamped late.
const LATE_PERCENT: i64 = 105;

/// A device that restarts after an update is heard again within this time after the end.
const SOON: Span = Span::from_ms(10_000);

/// From this signal on the device is near enough.
const NEAR: i8 = -75;

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Look at the device: the reason of its last reset, its supply while it transmits, its watchdog, its log at that moment.",
    ),
    Remedy::any(
        "Leave out the last request before the silence for one test: if the link then lives, it is that request.",
    ),
];

const AFTER_UPDATE: &[Remedy] = &[Remedy::any(
    "If the update is complete, connect again, discover anew, and read the firmware's version. If it was not complete, look at the device's log.",
)];

/// What shows that the device had left.
#[derive(Clone, Copy, Debug)]
enum Shown {
    /// Its reports during its own link.
    During(Advertised),
    /// A report after the end of an update by that protocol, and how long after.
    AfterUpdate { protocol: &'static str, report: Report, after: Span },
}

/// One link that the device left.
#[derive(Debug)]
struct Left {
    last_heard: Sighting,
    shown: Shown,
    /// The last request of ours, in words.
    request: Option<(u32, Text)>,
    end: End,
}

/// A device that left its links by itself.
#[derive(Debug)]
struct Restarted {
    name: Option<std::sync::Arc<str>>,
    links: Vec<Left>,
    /// Before how many of the silences the last request was the same.
    same_request: usize,
}

fn check(_: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let (links, left): (Vec<&Connection>, Vec<Left>) =
        attempts.iter().filter_map(|c| Some((*c, left(c)?))).unzip();
    let sure = match left.first()?.shown {
        Shown::During(_) => Confidence::High,
        Shown::AfterUpdate { .. } => Confidence::Medium,
    };
    let requests: Vec<&Step> = links.iter().filter_map(|c| last_request(c)).collect();
    let alike = |one: &&Step| requests.iter().filter(|other| see::same_pdu(one, other)).count();
    let same_request = requests.iter().map(alike).max().unwrap_or(0);
    let name = links.iter().find_map(|c| c.peer.name.clone());
    let facts = Restarted { name, links: left, same_request };
    Some(Verdict::cause(facts).sure(sure).about(links.iter().map(|c| c.number)))
}

/// A link that was given up for want of packets while the device was elsewhere.
fn left(c: &Connection) -> Option<Left> {
    let end = c
        .end
        .as_ref()
        .filter(|end| end.reason == Status::CONNECTION_TIMEOUT && end.command_frame().is_none())?;
    let request = last_request(c);
    let shown = during(c, end).map(Shown::During).or_else(|| after_update(c, request?, end))?;
    Some(Left {
        last_heard: c.last_heard?,
        shown,
        request: request.map(|step| (sent_last(step), see::request(step))),
        end: end.clone(),
    })
}

/// Reports from within the last supervision timeout: the radio path was fine, and the link was silent. Of several
/// timeouts it is the longest: some controllers go on with an earlier one after an update.
fn during(c: &Connection, end: &End) -> Option<Advertised> {
    let advertised = c.advertised?;
    let timeout = c.pace.iter().map(|pace| pace.parameters.timeout()).max()?;
    let within = timeout.0.saturating_mul(LATE_PERCENT) / 100;
    let before = |report: Report| end.at.since(report.at);
    let in_time = before(advertised.last)?.0 <= within && before(advertised.first)? >= EARLIER;
    in_time.then_some(advertised)
}

fn after_update(c: &Connection, request: &Step, end: &End) -> Option<Shown> {
    let protocol = updates::protocol(c, request)?;
    let report = c.report_after.filter(|report| report.connectable)?;
    let near = report.rssi.is_some_and(|rssi| rssi >= NEAR);
    let after = report.at.since(end.at).filter(|after| *after <= SOON && near)?;
    Some(Shown::AfterUpdate { protocol, report, after })
}

/// The last ATT request or write command of ours.
fn last_request(c: &Connection) -> Option<&Step> {
    let ours =
        |s: &&Step| s.by == Direction::Sent && s.is_att() && s.procedure != Procedure::Notify;
    c.steps.iter().filter(ours).max_by_key(|s| s.last.frame)
}

/// The frame of a step's last packet of ours: its answer, if one came, is the device's.
fn sent_last(step: &Step) -> u32 {
    match step.procedure {
        Procedure::WriteCommand => step.last.frame,
        _ => step.frame,
    }
}

impl Restarted {
    fn update(&self) -> Option<&'static str> {
        self.links.iter().find_map(|link| match link.shown {
            Shown::AfterUpdate { protocol, .. } => Some(protocol),
            Shown::During(_) => None,
        })
    }
}

impl Facts for Restarted {
    fn says(&self) -> Text {
        let who = self.name.as_deref().map(|name| text!(" {}", prose::name(name)));
        let times = if self.links.len() > 1 {
            text!(", {} times", self.links.len())
        } else {
            Default::default()
        };
        let after = match self.same_request {
            0 | 1 => Text::EMPTY,
            all if all == self.links.len() => {
                text!(" It fell silent each time after the same request.")
            }
            some => text!(
                " It fell silent {} of {} times after the same request.",
                some,
                self.links.len()
            ),
        };
        match (self.update(), self.links.iter().any(|l| matches!(l.shown, Shown::During(_)))) {
            (Some(protocol), false) => text!(
                "The device{} fell silent after a request of its firmware update ({}) and was soon heard advertising nearby: it restarted after an update{}.",
                who,
                protocol,
                times
            ),
            _ => text!(
                "The device{} advertised, ready for a new link, while this host still waited on the old one: it had left the link by itself{}. It restarted, or it forgot the link; the radio path was fine.{}",
                who,
                times,
                after
            ),
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let of = |link: &Left| {
            let mut sights = Vec::new();
            if let Some((frame, request)) = &link.request {
                let text = text!("the last request before the silence: {}", request.clone());
                sights.push(Sight::here(*frame, text));
            }
            let heard = text!("last sign of the device on its link: {}", link.last_heard.by);
            let heard = Sight::here(link.last_heard.seen.frame, heard);
            let end = see::link_ended(&link.end);
            match link.shown {
                Shown::During(Advertised { first, reports, strongest, .. }) => {
                    let reports = usize::try_from(reports).unwrap_or(usize::MAX);
                    let count = prose::count(reports, "report", "reports");
                    let at = strongest.map(|rssi| text!(", at up to {} dBm", rssi));
                    let early = link.end.at.since(first.at);
                    let early =
                        early.map(|early| text!(", the first one {} before the end", early));
                    let text = text!("it advertises during its own link: {}{}{}", count, at, early);
                    sights.extend([heard, Sight::here(first.frame, text), end]);
                }
                Shown::AfterUpdate { report, after, .. } => {
                    let at = report.rssi.map(|rssi| text!(" at {} dBm", rssi));
                    let text = text!("it advertises{}, {} after the end", at, after);
                    sights.extend([heard, end, Sight::here(report.frame, text)]);
                }
            }
            sights
        };
        self.links.iter().flat_map(of).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        let why = match self.update() {
            Some(_) => "the device is heard nearby, and its last request ends an update",
            None => "the device was received well while its link was silent",
        };
        vec![
            RuledOut::new("supervision-timeout-0x08", why),
            RuledOut::new("never-heard-peer", "the device was heard on its link"),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("The device's own log, or its reset reason, read after the next connection.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        if self.update().is_some() { AFTER_UPDATE.to_vec() } else { REMEDIES.to_vec() }
    }
}
