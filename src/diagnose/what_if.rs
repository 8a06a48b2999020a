//! What would have been in time: the arithmetic behind a device's deadline and behind a link's silence.
//!
//! Measured in the laboratory: one ATT exchange costs two connection intervals, and so does the feature exchange
//! before the first one. A computed time is an estimate, never a promise.
use super::Scene;
use super::bluez_requests;
use super::see;
use crate::packet::Direction;
use crate::packet::att::Uuid;
use crate::prose::{Text, count};
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Granted, Outcome, Procedure, Stack, Step};

/// Intervals are counted in units of 1.25 ms.
const UNIT_US: i64 = 1_250;

/// The shortest interval that the specification allows, in units.
const SHORTEST: i64 = 6;

/// At short intervals the host's own work misses events: measured times were up to a fifth longer than computed ones.
const MARGIN_PERCENT: i64 = 20;

/// Requests of a BlueZ with nothing cached before a program's first write, to a device with 9 services and 27
/// characteristics. Counted in the laboratory; for a device of which no capture shows the services, the best guess.
const BLUEZ_REQUESTS: u32 = 17;

/// Client Supported Features: BlueZ writes it by itself.
const CLIENT_SUPPORTED_FEATURES: Uuid = Uuid::Short(0x2b29);

/// When the device receives a request, counted from the connection.
pub fn reaches(interval: Span, requests_before: u32, features: bool) -> Span {
    let exchanges = i64::from(requests_before) + i64::from(features);
    Span(interval.0.saturating_mul(2 * exchanges + 1))
}

/// The longest interval, in units of 1.25 ms, at which the request still arrives in time. None: not even the shortest.
pub fn longest_interval(deadline: Span, requests_before: u32, features: bool) -> Option<u16> {
    let intervals = 2 * (i64::from(requests_before) + i64::from(features)) + 1;
    let units = deadline.0 / (intervals * UNIT_US);
    if units < SHORTEST { None } else { u16::try_from(units).ok() }
}

/// The deadline less the margin.
pub fn with_margin(deadline: Span) -> Span {
    Span(deadline.0 * (100 - MARGIN_PERCENT) / 100)
}

/// How many round trips stand before a host's first write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requests {
    /// The capture shows the write.
    Counted(u32),
    /// So many were sent, and the write was still to come.
    AtLeast(u32),
    /// The capture does not show the write; this stack needs so many for the services that a capture shows.
    Reckoned(u32),
    /// No capture shows the services either; this stack needs about so many.
    Usual(u32),
}

impl Requests {
    /// What a BlueZ with nothing cached usually needs.
    pub const fn bluez() -> Self {
        Self::Usual(BLUEZ_REQUESTS)
    }

    /// How many.
    pub fn number(self) -> u32 {
        match self {
            Self::Counted(n) | Self::AtLeast(n) | Self::Reckoned(n) | Self::Usual(n) => n,
        }
    }

    fn says(self) -> Text {
        match self {
            Self::Counted(n) => text!("{}", n),
            Self::AtLeast(n) => text!("more than {}", n),
            Self::Reckoned(n) | Self::Usual(n) => text!("about {}", n),
        }
    }
}

/// A device's deadline, and what this host needs until its first write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// From the connection to the device's hang-up: the shortest that was seen.
    pub deadline: Span,
    /// The connection interval of the longest of those links.
    pub interval: Span,
    /// How many requests stand before the first write.
    pub requests: Requests,
    /// The host waits for the link layer's features before its first request.
    pub features: bool,
}

impl Budget {
    /// From the links that the device ended.
    pub fn of(scene: &Scene<'_>, links: &[&Connection]) -> Option<Self> {
        let hung_up = || links.iter().filter(|c| see::peer_hung_up(c).is_some());
        let deadline = hung_up().filter_map(|c| c.life()).min().filter(|life| life.0 > 0)?;
        let longest = hung_up().max_by_key(|c| c.granted.map(|g| g.interval))?;
        let interval = longest.granted?.interval();
        let bluez = scene.capture().host.as_ref().is_some_and(|host| host.stack == Stack::BlueZ);
        let written = links.iter().filter_map(|c| requests_before_write(c)).max();
        let sent = hung_up().map(|c| requests(c).map(|s| s.count).sum()).max().unwrap_or(0);
        let requests = match written {
            Some(n) => Requests::Counted(n),
            None => match usual(scene, links) {
                usual if bluez && sent < usual.number() => usual,
                _ => Requests::AtLeast(sent),
            },
        };
        Some(Self { deadline, interval, requests, features: asks_features(longest) })
    }

    /// The longest interval in units that meets the deadline with the margin; with it and no margin.
    pub fn intervals(&self) -> (Option<u16>, Option<u16>) {
        let n = self.requests.number();
        (
            longest_interval(with_margin(self.deadline), n, self.features),
            longest_interval(self.deadline, n, self.features),
        )
    }

    /// When the first write would arrive with that interval and so many requests before it.
    pub fn arrives(&self, interval: Span, requests: u32) -> Span {
        reaches(interval, requests, self.features)
    }

    /// Whether that is in time, with the margin.
    pub fn meets(&self, interval: Span, requests: u32) -> bool {
        self.arrives(interval, requests) <= with_margin(self.deadline)
    }
}

/// What a BlueZ needs before a program's first write: from the services that either capture shows of the device.
fn usual(scene: &Scene<'_>, links: &[&Connection]) -> Requests {
    let mtu = links.iter().find_map(|c| c.mtu?.effective());
    let capture = scene.capture();
    let here =
        links.first().into_iter().flat_map(|c| capture.kin(c, super::see::SHOWN_KIN).chain([*c]));
    let mut known = scene.reference().into_iter().chain(here);
    let reckoned = known.find_map(|c| bluez_requests::of_connection(c, mtu));
    reckoned.map_or(Requests::Usual(BLUEZ_REQUESTS), Requests::Reckoned)
}

/// The interval of so many units.
pub fn units(units: u16) -> Span {
    Span(i64::from(units) * UNIT_US)
}

/// ATT requests of our host.
fn requests(c: &Connection) -> impl Iterator<Item = &Step> {
    let waits = |s: &&Step| {
        s.by == Direction::Sent
            && s.is_att()
            && !matches!(
                s.procedure,
                Procedure::WriteCommand | Procedure::Notify | Procedure::Indicate
            )
    };
    c.steps.iter().filter(waits)
}

/// The first write that a program made.
pub fn first_write(c: &Connection) -> Option<&Step> {
    c.steps.iter().find(|s| {
        s.by == Direction::Sent
            && matches!(s.procedure, Procedure::Write | Procedure::WriteCommand)
            && c.attribute(s).and_then(|a| a.uuid) != Some(CLIENT_SUPPORTED_FEATURES)
    })
}

pub(super) fn requests_before_write(c: &Connection) -> Option<u32> {
    let write = first_write(c)?.frame;
    c.start_seen.then(|| requests(c).filter(|s| s.frame < write).map(|s| s.count).sum())
}

/// Whether our host asked for the device's features before its first request.
fn asks_features(c: &Connection) -> bool {
    let first = c.first_att.map_or(u32::MAX, |att| att.frame);
    let asks = |s: &Step| s.procedure == Procedure::Features && s.by == Direction::Sent;
    c.steps.iter().any(|s| asks(s) && s.frame < first)
}

/// An estimate in words, and as a small table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIf {
    /// What the estimate says, in a sentence.
    pub says: Text,
    /// The headings of the table.
    pub columns: &'static [&'static str],
    /// Its rows.
    pub rows: Vec<Vec<Text>>,
}

const DEADLINE_COLUMNS: &[&str] =
    &["way", "round trips before the write", "interval", "write arrives after", "in time"];
const SILENCE_COLUMNS: &[&str] = &["link", "supervision timeout", "survives the silence"];

/// What would have met the device's deadline.
pub fn deadline(scene: &Scene<'_>, links: &[&Connection]) -> Option<WhatIf> {
    let budget = Budget::of(scene, links)?;
    let n = budget.requests.number();
    let mut rows =
        vec![row(&budget, text!("this host, as captured"), budget.requests, budget.interval)];
    let (safe, latest) = budget.intervals();
    let better = safe.filter(|u| units(*u) < budget.interval);
    if let Some(u) = better {
        rows.push(row(&budget, text!("this host, shorter interval"), budget.requests, units(u)));
    }
    if n > 0 && budget.features {
        let way = text!("this host, write at once (known handle)");
        rows.push(row(&budget, way, Requests::Counted(0), budget.interval));
    }
    if let Some((c, granted)) = scene.reference().and_then(|c| Some((c, c.granted?)))
        && let Some(m) = requests_before_write(c)
    {
        let working = Budget { features: asks_features(c), ..budget };
        let way = text!("the working host");
        rows.push(row(&working, way, Requests::Counted(m), granted.interval()));
    }
    let trips = match budget.requests {
        Requests::Counted(n) => text!("this host makes {} before its first write", round_trips(n)),
        Requests::AtLeast(n) => {
            text!("this host had made {} and had not written yet", round_trips(n))
        }
        Requests::Reckoned(n) => text!(
            "BlueZ with nothing cached makes about {} before a program's first write, for the services that this device has",
            round_trips(n)
        ),
        Requests::Usual(n) => text!(
            "BlueZ with nothing cached makes about {} before a program's first write",
            round_trips(n)
        ),
    };
    let answer = match (better, safe, latest) {
        (Some(u), ..) => {
            text!("an interval of {} or less would meet it with a margin of a fifth", units(u))
        }
        (None, None, Some(u)) => {
            text!("only {} meets it, without any margin: save round trips as well", units(u))
        }
        (None, None, None) => {
            text!("no interval is short enough for that: round trips must be saved")
        }
        (None, Some(_), _) => {
            text!("the interval is short enough for that: look at what else took the time")
        }
    };
    let says = text!(
        "The device waits {}. At {} a round trip takes {}, and {}; {}. This is an estimate.",
        budget.deadline,
        budget.interval,
        Span(budget.interval.0 * 2),
        trips,
        answer
    );
    Some(WhatIf { says, columns: DEADLINE_COLUMNS, rows })
}

fn round_trips(n: u32) -> Text {
    count(n as usize, "round trip", "round trips")
}

fn row(budget: &Budget, way: Text, requests: Requests, interval: Span) -> Vec<Text> {
    let arrives = budget.arrives(interval, requests.number());
    let in_time = if arrives > budget.deadline {
        "no"
    } else if matches!(requests, Requests::AtLeast(_)) {
        "cannot tell"
    } else if budget.meets(interval, requests.number()) {
        "yes"
    } else {
        "only just"
    };
    vec![
        way,
        requests.says(),
        text!("{}", interval),
        text!("{}", in_ms(arrives)),
        text!("{}", in_time),
    ]
}

/// The supervision timeout, in units of 10 ms, that survives a silence with the margin and that this interval allows.
pub fn surviving_timeout(silence: Span, granted: Granted) -> u16 {
    const TEN_MS: i64 = 10_000;
    /// The longest timeout that the specification allows: 32 s.
    const LONGEST: i64 = 3_200;
    let wanted = silence.0 * (100 + MARGIN_PERCENT) / 100;
    // The specification asks for more than two intervals, latency included.
    let events = 2 * granted.interval().0 * (1 + i64::from(granted.latency)) + 1;
    let units = (wanted.max(events) + TEN_MS - 1) / TEN_MS;
    u16::try_from(units.clamp(10, LONGEST)).unwrap_or(u16::MAX)
}

/// The longest that the device let an answered request wait on a link that works.
fn longest_answer(c: &Connection) -> Option<Span> {
    requests(c)
        .filter(|s| s.outcome == Outcome::Ok && s.count == 1)
        .filter_map(Step::duration)
        .max()
}

/// Which supervision timeout would have survived the silence that ended the link.
pub fn silence(scene: &Scene<'_>, links: &[&Connection]) -> Option<WhatIf> {
    let (lost, granted) = links.iter().find_map(|c| Some((*c, c.current.or(c.granted)?)))?;
    let silent = lost.silence_before_end()?;
    let timeout = granted.timeout();
    let verdict =
        |timeout: Span, silence: Span| text!("{}", if timeout > silence { "yes" } else { "no" });
    let reference = scene.reference().and_then(|c| Some((c, c.current.or(c.granted)?)));
    let known = reference.and_then(|(c, g)| {
        longest_answer(c)
            .filter(|wait| *wait > timeout && *wait < g.timeout())
            .map(|wait| (wait, g))
    });
    let here = |says: Text| vec![text!("this link"), text!("{}", timeout), says];
    let Some((wait, working)) = known else {
        let says = text!(
            "The device was silent for {}, and the supervision timeout is {}. How long it would have stayed silent, the capture does not show: a timeout survives only a silence that is shorter.",
            silent,
            timeout
        );
        return Some(WhatIf { says, columns: SILENCE_COLUMNS, rows: vec![here(text!("no"))] });
    };
    let enough = surviving_timeout(wait, granted);
    let survives = crate::packet::units::Timeout(enough).span();
    let says = text!(
        "On the working link the device once let {} pass before it answered; here the supervision timeout is {}. A timeout of {} ({} units of 10 ms) would survive that with a margin of a fifth. This is an estimate.",
        wait,
        timeout,
        survives,
        enough
    );
    let rows = vec![
        here(verdict(timeout, wait)),
        vec![
            text!("the working link"),
            text!("{}", working.timeout()),
            verdict(working.timeout(), wait),
        ],
        vec![text!("this link, longer timeout"), text!("{}", survives), verdict(survives, wait)],
    ];
    Some(WhatIf { says, columns: SILENCE_COLUMNS, rows })
}

/// The estimate that belongs to a finding of that rule.
pub fn of_finding(rule: &str, scene: &Scene<'_>, links: &[&Connection]) -> Option<WhatIf> {
    match rule {
        "peer-hangs-up-on-deadline" => deadline(scene, links),
        "supervision-timeout-0x08"
        | "short-supervision-timeout-linux-420ms"
        | "ota-erase-silence" => silence(scene, links),
        _ => None,
    }
}

/// An estimate as it is shown: in whole milliseconds, because it is not more exact.
pub fn in_ms(estimate: Span) -> Span {
    Span((estimate.0 + 500) / 1_000 * 1_000)
}

#[cfg(test)]
mod tests;
