//! A link on which the device was never heard (0x3E): why, the likeliest first, and what to do about each.
use super::{Entry, For, View, What};
use crate::diagnose::Finding;
use crate::packet::Status;
use crate::prose::{Text, count};
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Role, Stack};
use crate::vocabulary::vocabulary;

const NEVER: &[&str] = &["never-heard-peer", "never-heard-retry-loop"];
const LOOP: &[&str] = &["never-heard-retry-loop"];
const STARVES: &[&str] = &["scan-starves-new-link"];
const NEVER_OR_STARVES: &[&str] =
    &["never-heard-peer", "never-heard-retry-loop", "scan-starves-new-link"];
const BOTH: &[&str] = &["5.66", "5.82"];

/// A signal weaker than this loses packets.
const WEAK_DBM: i8 = -85;

/// A report that was heard so shortly before the request says that the device was there.
const RECENT: Span = Span::from_ms(2_000);

/// From this share of its time on, a scan leaves too little for a new link.
const BUSY_SCAN: f64 = 0.5;

/// What speaks for a reason, and is met by as much that speaks against it, stands behind another try.
const BELOW_CHANCE: u32 = 9;

/// A reason of less weight is told in the list only.
const TELLING: u32 = 45;

/// After so many tries of which none came through it is something fixed.
const FIXED: usize = 10;

/// After so many, all in vain, a test says more than another try.
const FEW: usize = 3;

/// Weight of that test: more than another try has, less than a sign in the capture.
const CROSS: u32 = 20;

/// Makers of chips that share one antenna between Wi-Fi and Bluetooth: Broadcom, Cypress, Realtek, MediaTek.
const COMBO_CHIPS: &[u16] = &[0x000f, 0x0131, 0x005d, 0x0046];

vocabulary! {
    /// Why nothing was heard.
    Reason {
        Scanning "scanning",
        WeakSignal "weak-signal",
        SilentAtFirst "silent-at-first",
        PrivateAddress "private-address",
        WiFi "wifi",
        OtherLinks "other-links",
        ChannelSelection "channel-selection",
        Chance "chance",
    }
}

impl Reason {
    /// The test that separates it from the next.
    fn test(self) -> Text {
        match self {
            Reason::Scanning => text!(
                "Ten tries with every scan stopped, ten with it running: if only those fail, it is the scan."
            ),
            Reason::WeakSignal => text!("Ten tries at one metre: if they work, it is the signal."),
            Reason::SilentAtFirst => text!(
                "Ten tries with an interval of 50 ms, ten with this one: six long intervals bridge a longer silence. If the long ones work, the device is late."
            ),
            Reason::PrivateAddress => text!(
                "Scan again and connect at once to the address that is heard then: if that works, the address was out of date."
            ),
            Reason::WiFi => {
                text!("Ten tries with Wi-Fi off: if they work, it is the shared radio.")
            }
            Reason::OtherLinks => text!(
                "Ten tries with the other links closed: if they work, it is their radio time."
            ),
            Reason::ChannelSelection => text!(
                "Ten tries from a controller without channel selection algorithm #2 (Bluetooth 4): if they work, it is the new request."
            ),
            Reason::Chance => text!(
                "Repeat ten times and count: single failures in a row of successes are ordinary radio loss."
            ),
        }
    }
}

/// One reason, as far as the capture supports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// Which one.
    pub reason: Reason,
    /// How much speaks for it: more is likelier.
    pub weight: u32,
    /// What speaks for it.
    pub says: Text,
}

/// Why the device was not heard, the likeliest first. The last one is always chance.
pub fn why(view: &View<'_>) -> Vec<Why> {
    let unheard: Vec<&Connection> = view.links.iter().copied().filter(|c| gave_up(c)).collect();
    let Some(last) = unheard.last() else { return Vec::new() };
    let all = peers(view, last);
    let failed = all.iter().filter(|c| gave_up(c)).count();
    let mut found: Vec<Why> = [
        scanning(view, &unheard),
        weak_signal(&unheard),
        silent_at_first(&unheard),
        private_address(&unheard),
        wifi(view, last),
        other_links(&unheard),
        channel_selection(view, &unheard),
    ]
    .into_iter()
    .flatten()
    .collect();
    // A single failure in a row of successes is chance before anything else.
    let single = failed * 4 <= all.len();
    let of = text!("{} of {} links to this device ended so", failed, all.len());
    let says = match (single, failed < all.len()) {
        (true, _) => text!("{}: a lost packet now and then is ordinary", of),
        (_, true) => text!("{}: the two can talk, and packets are lost", of),
        _ => text!("{}: radio loss, or a device that does not answer", of),
    };
    found.push(Why { reason: Reason::Chance, weight: if single { 100 } else { 10 }, says });
    found.sort_by_key(|why| std::cmp::Reverse(why.weight));
    found
}

/// The link was made, nothing was heard on it, and the controller gave it up.
fn gave_up(c: &Connection) -> bool {
    c.reason() == Some(Status::FAILED_TO_BE_ESTABLISHED) && !c.peer_heard()
}

/// All attempts to the same device.
fn peers<'a>(view: &View<'a>, one: &'a Connection) -> Vec<&'a Connection> {
    match one.peer.who() {
        Some(peer) => view.scene.capture().attempts_to(peer).filter(|c| c.connected()).collect(),
        None => vec![one],
    }
}

/// The scan beside a new link. It proves little: on real captures links came up under a full scan as often as without one.
/// So it counts for less where a link of this adapter came up under one.
fn scanning(view: &View<'_>, unheard: &[&Connection]) -> Option<Why> {
    let started = unheard.iter().filter_map(|c| c.scan_started_frame).next();
    let duty =
        unheard.iter().filter_map(|c| c.scan_at_connect).map(|s| s.duty()).fold(0.0, f64::max);
    let percent = (duty * 100.0).round() as u32;
    let came_up = came_up_under_scan(view, unheard);
    let also = match came_up {
        0 => Text::EMPTY,
        n => text!("; {} came up beside a scan all the same", count(n, "link", "links")),
    };
    if let Some(frame) = started {
        let says = text!(
            "a scan was switched on again right behind the new link (frame {}){}",
            frame,
            also
        );
        let weight = if came_up == 0 { 90 } else { BELOW_CHANCE };
        return Some(Why { reason: Reason::Scanning, weight, says });
    }
    (duty > 0.0).then(|| Why {
        reason: Reason::Scanning,
        weight: match (duty >= BUSY_SCAN, came_up) {
            (true, 0) => 80,
            (false, 0) => 40,
            (_, _) => BELOW_CHANCE,
        },
        says: text!("a scan took {} % of the radio's time when the link was made{}", percent, also),
    })
}

/// How many links of the same adapters were heard although a scan as busy was on, or was switched on behind them.
fn came_up_under_scan(view: &View<'_>, unheard: &[&Connection]) -> usize {
    let beside = |c: &&Connection| {
        c.role == Some(Role::Central)
            && c.peer_heard()
            && unheard.iter().any(|failed| failed.adapter == c.adapter)
            && (c.scan_started_frame.is_some()
                || c.scan_at_connect.is_some_and(|scan| scan.duty() >= BUSY_SCAN))
    };
    view.scene.capture().connections.iter().filter(beside).count()
}

fn weak_signal(unheard: &[&Connection]) -> Option<Why> {
    let rssi = unheard.iter().filter_map(|c| c.report_before?.rssi).min()?;
    (rssi <= WEAK_DBM && rssi != i8::MIN).then(|| Why {
        reason: Reason::WeakSignal,
        weight: 70,
        says: text!("the device was heard at {} dBm only", rssi),
    })
}

/// Six short intervals are over before a device that is late answers.
fn silent_at_first(unheard: &[&Connection]) -> Option<Why> {
    const SHORT: Span = Span(15_000);
    let interval = unheard.iter().filter_map(|c| c.granted).map(|g| g.interval()).min()?;
    (interval <= SHORT).then(|| Why {
        reason: Reason::SilentAtFirst,
        weight: 50,
        says: text!(
            "the interval of {} gives the device only {} to answer: six intervals",
            interval,
            Span(interval.0 * 6)
        ),
    })
}

fn private_address(unheard: &[&Connection]) -> Option<Why> {
    let stale = |c: &&&Connection| {
        let random = c.peer.address_type.is_some_and(|kind| kind.is_random());
        let private = random && c.peer.address.is_some_and(|a| a.looks_resolvable());
        let at = c.request.as_ref().map(|r| r.at);
        let recent = c.report_before.is_some_and(|report| {
            at.and_then(|at| at.since(report.at)).is_none_or(|age| age <= RECENT)
        });
        private && c.peer.identity.is_none() && !recent
    };
    unheard.iter().any(|c| stale(&c)).then(|| Why {
        reason: Reason::PrivateAddress,
        weight: 60,
        says: text!("the address is a private one that changes, and it was not heard shortly before the request"),
    })
}

fn wifi(view: &View<'_>, last: &Connection) -> Option<Why> {
    let adapter = view.scene.capture().adapters.iter().find(|a| a.index == last.adapter)?;
    /// Monitor bus: a serial line. Chips that are soldered beside Wi-Fi hang on it.
    const UART: u8 = 3;
    let combo = adapter.manufacturer.is_some_and(|maker| COMBO_CHIPS.contains(&maker));
    (combo && adapter.bus == Some(UART)).then(|| Why {
        reason: Reason::WiFi,
        weight: 45,
        says: text!(
            "this adapter is a soldered chip of a maker whose chips share their antenna with Wi-Fi"
        ),
    })
}

fn other_links(unheard: &[&Connection]) -> Option<Why> {
    let open = unheard.iter().map(|c| c.links_open).max().filter(|open| *open > 0)?;
    let says = text!("{} more of this adapter's links were open and took radio time", open);
    Some(Why { reason: Reason::OtherLinks, weight: 30, says })
}

fn channel_selection(view: &View<'_>, unheard: &[&Connection]) -> Option<Why> {
    let new = unheard.iter().all(|c| c.channel_selection == Some(1));
    let old = view.scene.reference().is_some_and(|c| c.channel_selection == Some(0));
    (new && old).then(|| Why {
        reason: Reason::ChannelSelection,
        weight: 55,
        says: text!("the new link uses channel selection algorithm #2, and the one that works #1"),
    })
}

fn weight(view: &View<'_>, reason: Reason) -> u32 {
    why(view).iter().find(|why| why.reason == reason).map_or(0, |why| why.weight)
}

/// Adds the likeliest reason to the finding, and the ranked list with the tests that separate each from the next.
pub(super) fn explain(view: &View<'_>, finding: &mut Finding) {
    if finding.rule != "never-heard-peer" {
        return;
    }
    let reasons = why(view);
    let first = reasons.first().filter(|why| why.reason != Reason::Chance);
    if let Some(first) = first.filter(|why| why.weight >= TELLING) {
        let says = text!(" To be tested first: {}.", first.says);
        finding.says = std::mem::take(&mut finding.says).and(says);
    }
    let tests = reasons.iter().map(|why| text!("{}. {}", why.says, why.reason.test()));
    let new: Vec<Text> = tests.filter(|test| !finding.would_settle.contains(test)).collect();
    finding.would_settle.splice(0..0, new);
}

fn seen(view: &View<'_>, reason: Reason) -> bool {
    weight(view, reason) > 0
}

/// Another try is worth it: this host is the central, and some tries came through, or there were few.
fn worth_a_try(view: &View<'_>) -> bool {
    let central = view.links.iter().all(|c| c.role != Some(Role::Peripheral));
    central && !fixed(view)
}

/// A link to the same device was encrypted.
fn bonded(view: &View<'_>) -> bool {
    let last = view.links.last();
    last.is_some_and(|last| peers(view, last).iter().any(|c| c.encrypted))
}

/// Many tries, and none came through.
fn fixed(view: &View<'_>) -> bool {
    none_came(view, FIXED)
}

/// So many tries or more, and none came through.
fn none_came(view: &View<'_>, tries: usize) -> bool {
    view.links.last().is_some_and(|last| {
        let all = peers(view, last);
        all.len() >= tries && all.iter().all(|c| gave_up(c))
    })
}

pub const ROWS: &[Entry] = &[
    Entry::fixed(
        What::Command,
        "stop-scan",
        (NEVER, For::BlueZ),
        "Stop the scan before connecting, in the program that began it: with bleak `await scanner.stop()` before `connect()`, at the prompt of the `bluetoothctl` that scans `scan off`. `bluetoothctl show` then says `Discovering: no`.",
    )
    .when("a scan was on when the link was made, or was switched on right behind it", |v| seen(v, Reason::Scanning))
    .tried("e-advice-scan-off", &["5.66"])
    .weight(|v| weight(v, Reason::Scanning)),
    Entry::fixed(
        What::Code,
        "stop-scan",
        (NEVER, For::Noble),
        "Call `noble.stopScanning()` and wait for `scanStop` before `peripheral.connect()`.",
    )
    .when("a scan was on when the link was made, or was switched on right behind it", |v| seen(v, Reason::Scanning))
    .weight(|v| weight(v, Reason::Scanning)),
    Entry::fixed(
        What::Advice,
        "stop-scan",
        (NEVER, For::Any),
        "Stop scanning before connecting, and start again when the link is in use.",
    )
    .when("a scan was on, and the host is another one", |v| {
        seen(v, Reason::Scanning) && !v.host(Stack::BlueZ) && !v.host(Stack::Noble)
    })
    .weight(|v| weight(v, Reason::Scanning)),
    Entry::fixed(
        What::Test,
        "nearer",
        (NEVER, For::Any),
        "Bring the two nearer to each other, or use an adapter with a better antenna on an extension lead.",
    )
    .when("the device was heard weakly", |v| seen(v, Reason::WeakSignal))
    .weight(|v| weight(v, Reason::WeakSignal)),
    Entry::fixed(
        What::Setting,
        "longer-interval",
        (NEVER, For::BlueZ),
        "Set `MinConnectionInterval=40` and `MaxConnectionInterval=40` under `[LE]` in /etc/bluetooth/main.conf, then `sudo systemctl restart bluetooth`: six intervals of 50 ms bridge a silence that six of this length do not.",
    )
    .when("the interval is 15 ms or less", |v| seen(v, Reason::SilentAtFirst))
    .limits("Where /var/lib/bluetooth/ADAPTER/PEER/info has `[ConnectionParameters]`, since the device asked for them once, those go first.")
    .tried("e-advice-interval-default", BOTH)
    .weight(|v| weight(v, Reason::SilentAtFirst)),
    Entry::fixed(
        What::File,
        "longer-interval-stored",
        (NEVER, For::BlueZ),
        "Where the device's interval is stored: `sudo systemctl stop bluetooth`; `MinInterval=40` and `MaxInterval=40` under `[ConnectionParameters]` in /var/lib/bluetooth/ADAPTER/PEER/info; `sudo systemctl start bluetooth`.",
    )
    .when("the interval is 15 ms or less", |v| seen(v, Reason::SilentAtFirst))
    .unless("the device's address changes: nothing is stored for it", |v| v.address_changes())
    .tried("e-advice-interval-stored", BOTH)
    // A bonded device has asked for its interval before, as a rule.
    .weight(|v| weight(v, Reason::SilentAtFirst) + u32::from(bonded(v))),
    Entry::fixed(
        What::Code,
        "fresh-address",
        (NEVER, For::Any),
        "Scan again and connect to the address that is heard then; pair once, so that the host can recognise the device.",
    )
    .when("a private address was not heard shortly before", |v| seen(v, Reason::PrivateAddress))
    .weight(|v| weight(v, Reason::PrivateAddress)),
    Entry::fixed(
        What::Test,
        "wifi-off",
        (NEVER, For::BlueZ),
        "Repeat once with Wi-Fi off (`sudo rfkill block wlan`, not over a Wi-Fi shell), and once with a USB dongle on an extension lead.",
    )
    .when("the adapter shares its antenna with Wi-Fi", |v| seen(v, Reason::WiFi))
    .says_thread("raspberrypi/linux#1444, #1552")
    .weight(|v| weight(v, Reason::WiFi)),
    Entry::fixed(
        What::Test,
        "fewer-links",
        (NEVER, For::Any),
        "Close the other links, or use a second adapter for some of them.",
    )
    .when("other links were open", |v| seen(v, Reason::OtherLinks))
    .weight(|v| weight(v, Reason::OtherLinks)),
    Entry::fixed(
        What::Test,
        "old-adapter",
        (NEVER, For::Any),
        "Connect from an adapter without channel selection algorithm #2 (Bluetooth 4): if that works ten times of ten, report it to the device's vendor.",
    )
    .when("only the failing link uses channel selection algorithm #2", |v| seen(v, Reason::ChannelSelection))
    .weight(|v| weight(v, Reason::ChannelSelection)),
    Entry::fixed(
        What::Code,
        "retry",
        (NEVER, For::BlueZ),
        "Call connect again, three to five times, and give each call 10 s or more: inside it BlueZ asks again about once a second. With half of all packets lost, three requests give 97 %.",
    )
    .when("this host is the central, and some tries came through or there were few", worth_a_try)
    .limits("When more than four fifths are lost, the radio path must change.")
    .tried("e-advice-retry-half", BOTH)
    .weight(|v| weight(v, Reason::Chance)),
    Entry::fixed(
        What::Code,
        "retry-elsewhere",
        (NEVER, For::Any),
        "Try again three to five times, half a second apart: with half of all packets lost, three tries give 97 %.",
    )
    .when("some tries came through, or there were few", worth_a_try)
    .unless("this host is BlueZ, which has a row of its own", |v| v.host(Stack::BlueZ))
    .limits("When more than four fifths are lost, the radio path must change.")
    .says_source("computed from six connection events without a packet")
    .weight(|v| weight(v, Reason::Chance)),
    Entry::fixed(
        What::Test,
        "one-at-a-time",
        (LOOP, For::Any),
        "Stop retrying and change one thing at a time: the kind of adapter, the address that the scan reports, 1M PHY only, the device in pairing mode, nothing else connected to it.",
    )
    .when("many tries, and none came through", fixed)
    .weight(|_| CROSS + 1),
    Entry::fixed(
        What::Test,
        "cross-test",
        (NEVER, For::Any),
        "Test the same adapter with another device, and the same device with a phone: the pair tells on which side to look.",
    )
    .when("three tries or more, and none came through", |v| none_came(v, FEW))
    .weight(|_| CROSS),
    Entry::no_use(
        "scan-off-elsewhere",
        (NEVER_OR_STARVES, For::BlueZ),
        "`bluetoothctl scan off` as a command of its own: it ends no scan of another program (`Failed to stop discovery`).",
    )
    .when("a scan was on when the link was made, or was switched on right behind it", |v| v.scanning())
    .tried("e-advice-scan-off", BOTH),
    Entry::no_use("more-tries", (NEVER, For::Any), "More tries: many were made and none came through, so something fixed is the matter.")
        .when("many tries, and none came through", fixed),
    Entry::no_use(
        "att-earlier",
        (NEVER, For::Any),
        "Another MTU, pairing, keep-alive or a longer supervision timeout: none of them counts before the device's first packet.",
    )
    .says_source("Core specification: six intervals decide before the first packet"),
    // A scan that takes the new link's radio time.
    Entry::fixed(
        What::Code,
        "stop-scanner",
        (STARVES, For::Bleak),
        "`await scanner.stop()` before `connect()`, and start it again when the link is in use.",
    )
    .when("a scan was on", |view| view.scanning())
    .tried("e-scan-on", &["5.66", "5.82"]),
    Entry::fixed(
        What::Command,
        "scan-off",
        (STARVES, For::BlueZ),
        "Stop the scan in the program that began it, and keep it stopped until services are resolved; `bluetoothctl show` says `Discovering: no` then, and `btmon` shows who scans.",
    )
    .when("a scan was on", |view| view.scanning())
    .tried("e-advice-scan-off", &["5.66"]),
    Entry::fixed(
        What::Advice,
        "stop-scan",
        (STARVES, For::Any),
        "Stop scanning before connecting, and start again when the link is in use.",
    )
    .when("a scan was on, and the host is another one", |v| {
        v.scanning() && !v.host(Stack::BlueZ) && !v.host(Stack::Noble)
    }),
    Entry::fixed(
        What::Advice,
        "second-adapter",
        (STARVES, For::Any),
        "Scan with a second adapter, or with a window of at most half the interval.",
    ),
];

#[cfg(test)]
mod tests;
