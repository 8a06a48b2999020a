//! A device that hangs up: by the clock, at a request, or at the MTU exchange.
use super::{Entry, For, View, What};
use crate::diagnose::{see, what_if};
use crate::prose::Text;
use crate::text;

const DEADLINE: &[&str] = &["peer-hangs-up-on-deadline"];
const DISCOVERY: &[&str] = &["discovery-order-or-volume-difference"];
const MTU: &[&str] = &["mtu-exchange-breaks-peer"];
const FIRST_ATT: &[&str] = &["immediate-0x13-after-first-att"];

const BOTH: &[&str] = &["5.66", "5.82"];

/// Intervals at which a cached, and a minimal, discovery met 400 ms in the laboratory; requests that were left.
const CACHED: (u16, u32) = (12, 8);
const MINIMAL: (u16, u32) = (24, 4);

/// What `hcidiff recipe --for bluez-files` writes, by hand.
const PER_DEVICE: &str = "For this device alone: stop bluetooth, put a cache file made from a capture of the same firmware at /var/lib/bluetooth/ADAPTER/cache/PEER, and an info file with `Trusted=true` and `[ConnectionParameters]` `MinInterval=12` `MaxInterval=12` `Latency=0` `Timeout=200` at /var/lib/bluetooth/ADAPTER/PEER/info; start bluetooth.";

pub const ROWS: &[Entry] = &[
    Entry::made(
        What::Setting,
        "interval-7.5",
        (DEADLINE, For::BlueZ),
        "Set `MinConnectionInterval=6` and `MaxConnectionInterval=6` under `[LE]` in /etc/bluetooth/main.conf, then `sudo systemctl restart bluetooth`: the same round trips then fit into the device's time",
        |view| interval(view, "Set `MinConnectionInterval=6` and `MaxConnectionInterval={}` under `[LE]` in /etc/bluetooth/main.conf, then `sudo systemctl restart bluetooth`"),
    )
    .when("the shortest interval meets the deadline", shorter_helps)
    .unless("the interval is that short already", short_already)
    .costs("it holds for all devices, and one that is silent for six intervals (45 ms) after the connect request is given up with 0x3e.")
    .tried("d-b-int6", BOTH),
    Entry::made(
        What::File,
        "per-device-recipe",
        (DEADLINE, For::BlueZ),
        PER_DEVICE,
        |view| Some(match see::recipe(&view.scene) {
            Some(captures) => text!("For this device alone: `hcidiff recipe {} --for bluez-files -o cure`, then `sudo sh cure/cure.sh install`: a cache file made from the working capture, and an info file that keeps it and sets the interval.", captures),
            None => Text::fixed(PER_DEVICE),
        }),
    )
    .when("a capture has the device's whole database, and a cached discovery at 15 ms meets the deadline", |view| {
        view.database_known() && meets(view, CACHED)
    })
    .unless("the device's address changes", |view| view.address_changes())
    .limits("A wrong cache file is worse than none: BlueZ writes to the handles of the file.")
    .tried("c-gen-info-int12", BOTH),
    Entry::made(
        What::Code,
        "raw-l2cap",
        (DEADLINE, For::BlueZ),
        "Write the known handle over an L2CAP socket of your own (fixed channel CID 4, address type LE), beside bluetoothd: nothing is discovered first.",
        raw_l2cap,
    )
    .tried("d-d1-raw-daemon", BOTH),
    Entry::made(
        What::Code,
        "raw-l2cap-no-daemon",
        (DEADLINE, For::LinuxRaw),
        "stop bluetoothd (`sudo systemctl stop bluetooth; sudo hciconfig hci0 up`) and use the same L2CAP socket alone; it works also after an MTU exchange.",
        |view| view.written().map(|_| text!("stop bluetoothd (`sudo systemctl stop bluetooth; sudo hciconfig hci0 up`) and use the same L2CAP socket alone; it works also after an MTU exchange.")),
    )
    .tried("d-d2-raw-nodaemon", &["5.66"]),
    Entry::fixed(
        What::Code,
        "early-command",
        (DEADLINE, For::BluezDbus),
        "repeat `WriteValue` with `type=command` from `Connected` on, every 3 ms until it is accepted; do not wait for `ServicesResolved`.",
    )
    .when("the device takes a command there", |view| view.takes_commands())
    .limits("Only after one complete discovery in this life of bluetoothd, as long as the device is kept.")
    .tried("d-i6-early-command", BOTH),
    Entry::fixed(
        What::Code,
        "bleak-cache-warm-command",
        (DEADLINE, For::Bleak),
        "after one success in the same program, `connect(dangerous_use_bleak_cache=True)`, then `write_gatt_char(…, response=False)`.",
    )
    .when("the device takes a command there", |view| view.takes_commands())
    .limits("The cache lives in the process.")
    .tried("d-i9-bleakcache-command", BOTH),
    Entry::fixed(
        What::Code,
        "early-request-nogap",
        (DEADLINE, For::BluezDbus),
        "run bluetoothd without its gap plugin (`sudo systemctl stop bluetooth`, then `sudo /usr/libexec/bluetooth/bluetoothd -n --noplugin=gap`) and repeat `WriteValue` with `type=request` from `Connected` on.",
    )
    .when("one round trip before the write meets the deadline", |view| at_this_interval(view, 1))
    .limits("Only after one complete discovery since bluetoothd was started.")
    .tried("d-i8-early-request-nogap", BOTH),
    Entry::fixed(
        What::Code,
        "bleak-cache-warm-nogap",
        (DEADLINE, For::Bleak),
        "run bluetoothd without its gap plugin (`sudo systemctl stop bluetooth`, then `sudo /usr/libexec/bluetooth/bluetoothd -n --noplugin=gap`); after one success in the same program, `connect(dangerous_use_bleak_cache=True)`, then write.",
    )
    .when("one round trip before the write meets the deadline", |view| at_this_interval(view, 1))
    .limits("The cache lives in the process.")
    .tried("d-i10-bleakcache-nogap", BOTH),
    Entry::fixed(
        What::Command,
        "trust+interval-15",
        (DEADLINE, For::BlueZ),
        "`bluetoothctl trust ADDRESS` after a scan, `MinConnectionInterval=12` and `MaxConnectionInterval=12` under `[LE]` in /etc/bluetooth/main.conf, restart bluetooth, and try twice.",
    )
    .when("a cached discovery at 15 ms meets the deadline", |view| meets(view, CACHED))
    .unless("the interval is that short already", |view| at_most(view, CACHED.0))
    .limits("The first try may fail: what its discovery reached is kept, and the next ones need less. Without `trust` BlueZ forgets it 30 s after the end.")
    .tried("d-l1-bleak-trusted-int15", &["5.66"]),
    Entry::fixed(
        What::File,
        "generated-cache+interval-15",
        (DEADLINE, For::BlueZ),
        "Put a cache file made from a capture at /var/lib/bluetooth/ADAPTER/cache/PEER while bluetooth is stopped, and `MinConnectionInterval=12` and `MaxConnectionInterval=12` under `[LE]` in /etc/bluetooth/main.conf.",
    )
    .when("a capture has the device's whole database, and a cached discovery at 15 ms meets the deadline", |view| {
        view.database_known() && meets(view, CACHED)
    })
    .unless("the device's address changes, or the interval is that short already", |view| {
        view.address_changes() || at_most(view, CACHED.0)
    })
    .limits("BlueZ deletes the file of an untrusted device 30 s after its end: `bluetoothctl trust ADDRESS`.")
    .tried("d-c5-cache-int", BOTH),
    Entry::fixed(
        What::File,
        "minimal-cache+interval-30",
        (DEADLINE, For::BlueZ),
        "Put a cache file with the right Database Hash and only the services that the program needs at /var/lib/bluetooth/ADAPTER/cache/PEER while bluetooth is stopped, and `MinConnectionInterval=24` and `MaxConnectionInterval=24` under `[LE]` in /etc/bluetooth/main.conf.",
    )
    .when("the device has a Database Hash, and a minimal discovery at 30 ms meets the deadline", |view| {
        view.database_known() && view.has_hash() && meets(view, MINIMAL)
    })
    .unless("the device's address changes", |view| view.address_changes())
    .limits("The program then sees only those services.")
    .tried("d-k1-cachemin-int24", BOTH),
    Entry::made(
        What::File,
        "interval-info-file",
        (DEADLINE, For::BlueZ),
        "Put, for this device alone, `MinInterval=6` `MaxInterval=6` `Latency=0` `Timeout=42` under `[ConnectionParameters]` in /var/lib/bluetooth/ADAPTER/PEER/info, while bluetooth is stopped.",
        |view| {
            let text = interval(view, "Put, for this device alone, `MinInterval=6` `MaxInterval={}` `Latency=0` `Timeout=42` under `[ConnectionParameters]` in /var/lib/bluetooth/ADAPTER/PEER/info, while bluetooth is stopped")?;
            Some(match see::recipe(&view.scene) {
                Some(captures) => text.and(text!(" `hcidiff recipe {} --for bluez-files -o cure` writes it, with a script that puts it there.", captures)),
                None => text,
            })
        },
    )
    .when("the shortest interval meets the deadline", shorter_helps)
    .unless("the interval is that short already, or the device's address changes", |view| {
        short_already(view) || view.address_changes()
    })
    .tried("d-b3-info", BOTH),
    Entry::made(
        What::Command,
        "interval-debugfs",
        (DEADLINE, For::BlueZ),
        "For a test: `cd /sys/kernel/debug/bluetooth/hci0; echo 6 > conn_min_interval; echo 6 > conn_max_interval` as root.",
        |view| interval(view, "For a test, as root: `cd /sys/kernel/debug/bluetooth/hci0; echo 6 > conn_min_interval; echo {} > conn_max_interval`"),
    )
    .when("the shortest interval meets the deadline", shorter_helps)
    .unless("the interval is that short already", short_already)
    .limits("It lasts until the adapter is set up again.")
    .tried("d-b2-debugfs", &["5.66"]),
    Entry::fixed(
        What::Command,
        "trust",
        (DEADLINE, For::BlueZ),
        "`bluetoothctl trust ADDRESS` after a scan: what one discovery found is then kept, and eight round trips are left before a program's first write.",
    )
    .when("eight round trips meet the deadline at this interval", |view| at_this_interval(view, CACHED.1))
    .unless("the device is bonded: then its cache is kept already", |view| view.bonded())
    .tried("c-trust-before", BOTH),
    Entry::fixed(
        What::File,
        "generated-cache-trusted-life",
        (DEADLINE, For::BlueZ),
        "Put a cache file made from a capture, and an info file with `Trusted=true`, under /var/lib/bluetooth/ADAPTER while bluetooth is stopped: eight round trips are left before a program's first write.",
    )
    .when("eight round trips meet the deadline at this interval, and a capture has the whole database", |view| {
        view.database_known() && at_this_interval(view, CACHED.1)
    })
    .unless("the device's address changes", |view| view.address_changes())
    .tried("c-gen-info", BOTH),
    Entry::fixed(
        What::Code,
        "a-noble-discoverSome-30ms",
        (DEADLINE, For::Noble),
        "Use `discoverSomeServicesAndCharacteristicsAsync([service], [characteristic])` and write at once, instead of discovering everything.",
    )
    .limits("At 50 ms its order of requests was too slow for 400 ms, at 30 ms it was in time.")
    .tried("a-noble-discoverSome-30ms", &[]),
    Entry::fixed(
        What::Code,
        "a-write-handle-50ms",
        (DEADLINE, For::RawHci),
        "write the known handle before anything is discovered.",
    )
    .unless("the host is BlueZ", |view| view.host(crate::timeline::Stack::BlueZ))
    .when("the handle is known", |view| view.written().is_some())
    .tried("a-write-handle-50ms", &[]),
    Entry::fixed(
        What::Code,
        "write-before-mtu",
        (DEADLINE, For::Android),
        "Write as soon as the one service is known; do not request MTU and PHY first.",
    ),
    Entry::made(
        What::Advice,
        "do-first",
        (DEADLINE, For::Any),
        "Do first what the working host had done by then, before anything else; ask the vendor how long the device waits, and for what.",
        |view| Some(match view.written() {
            Some(handle) => text!("Do first what the working host did: write {} before anything else.", handle),
            None => text!("Do first what the device waits for, before anything else; ask its vendor how long it waits, and for what."),
        }),
    ),
    Entry::no_use("cache-always", (DEADLINE, For::BlueZ), "`[GATT] Cache=always` is the default: it changes nothing.")
        .tried("d-a2-cache-always", &["5.66"]),
    Entry::no_use("retry", (DEADLINE, For::BlueZ), "More tries at this interval: discovery never gets to where it is kept.")
        .when("the interval is long", |view| !at_most(view, CACHED.0))
        .tried("d-a3-retry10", &["5.66"]),
    Entry::no_use("remove-and-retry", (DEADLINE, For::BlueZ), "`bluetoothctl remove ADDRESS` and another try.")
        .tried("d-a4-retry10-other", &["5.66"]),
    Entry::no_use("mtu-23", (DEADLINE, For::BlueZ), "`[GATT] ExchangeMTU=23` switches Bluetooth off: bluetoothd registers no adapter.")
        .tried("d-b4-mtu23-only", BOTH),
    Entry::no_use("one-success", (DEADLINE, For::BlueZ), "One success, then a reconnect with BlueZ's own cache: eight round trips remain.")
        .when("eight round trips are too many here", |view| !at_this_interval(view, CACHED.1))
        .tried("d-i1-one-success", &["5.66"]),
    Entry::no_use("services-filter", (DEADLINE, For::Bleak), "`BleakClient(device, services=[…])`: it filters after the full discovery.")
        .tried("d-h1-bleak-services", &["5.66"]),
    Entry::no_use("bleak-cache-cold", (DEADLINE, For::Bleak), "`dangerous_use_bleak_cache=True` without a success before in the same process.")
        .tried("d-h2-bleak-cache", &["5.66"]),
    Entry::no_use("supervision-timeout", (DEADLINE, For::Any), "A longer supervision timeout: the device decides by its own clock.")
        .says_source("the peer ends the link itself, the timeout never runs out"),
    // A device that hangs up at a request of discovery.
    Entry::fixed(
        What::File,
        "characteristics-cache",
        (DISCOVERY, For::BlueZ),
        "Put a cache file made from the working capture at /var/lib/bluetooth/ADAPTER/cache/PEER while bluetooth is stopped, and keep it with `bluetoothctl trust ADDRESS`: BlueZ then does not ask for characteristics, descriptors, included and secondary services.",
    )
    .when("a capture has the device's whole database", |view| view.database_known())
    .unless("the device's address changes, or it hangs up at its primary services", |view| {
        view.address_changes() || at_primary(view)
    })
    .limits("Make it from a capture of the same firmware.")
    .tried("w-chr-cache", BOTH),
    Entry::fixed(
        What::File,
        "primary-cache-hash",
        (DISCOVERY, For::BlueZ),
        "Put a cache file with the device's right Database Hash at /var/lib/bluetooth/ADAPTER/cache/PEER while bluetooth is stopped: BlueZ then does not ask for primary services.",
    )
    .when("it hangs up at its primary services, and a capture has the whole database", |view| {
        view.database_known() && at_primary(view)
    })
    .unless("the device's address changes", |view| view.address_changes())
    .tried("w-pri-cache-hash", BOTH),
    Entry::no_use("primary-cache-nohash", (DISCOVERY, For::BlueZ), "A cache file without the Database Hash: BlueZ still asks for the primary services.")
        .when("it hangs up at its primary services", at_primary)
        .tried("w-pri-cache", &["5.66"]),
    Entry::no_use("cache-always", (DISCOVERY, For::BlueZ), "`[GATT] Cache=always` is the default: it changes nothing.")
        .says_source("BlueZ src/main.conf: Cache defaults to always"),
    Entry::fixed(
        What::Code,
        "raw-l2cap-discovery",
        (DISCOVERY, For::BlueZ),
        "Use known handles over an L2CAP socket of your own (fixed channel CID 4), beside bluetoothd: nothing is discovered.",
    )
    .says_source("the same socket as for a deadline, which was tried; not with this device"),
    Entry::fixed(
        What::Advice,
        "report-request",
        (DISCOVERY, For::Any),
        "Report the request and its range to the vendor: a server must answer any range, if only with Attribute Not Found.",
    ),
    // A device that dies of the MTU request.
    Entry::fixed(
        What::Code,
        "raw-l2cap",
        (MTU, For::BlueZ),
        "Use an L2CAP socket of your own (fixed channel CID 4), beside bluetoothd: nothing asks for the MTU then. BlueZ itself has no setting that leaves the request out.",
    )
    .tried("w-raw-mtu", BOTH),
    Entry::no_use("exchange-mtu-23", (MTU, For::BlueZ), "`[GATT] ExchangeMTU=23` switches Bluetooth off: bluetoothd registers no adapter.")
        .tried("d-b4-mtu23-only", BOTH),
    Entry::no_use("exchange-mtu-48", (MTU, For::BlueZ), "`[GATT] ExchangeMTU=48`: the request is still sent.")
        .tried("d-b6-mtu48", BOTH),
    // A device that hangs up at the first request.
    Entry::fixed(
        What::Command,
        "noplugin-gap",
        (FIRST_ATT, For::BlueZ),
        "`sudo systemctl stop bluetooth`, then `sudo /usr/libexec/bluetooth/bluetoothd -n --noplugin=gap`: it then does not read the Device Name and Appearance.",
    )
    .when("the last request read 0x2A00 or 0x2A01", |view| view.last_read(0x2a00) || view.last_read(0x2a01))
    .tried("w-name-noplugin", &["5.66"]),
    Entry::fixed(
        What::Code,
        "raw-l2cap-first-att",
        (FIRST_ATT, For::BlueZ),
        "Use known handles over an L2CAP socket of your own (fixed channel CID 4), beside bluetoothd: only your own requests are sent.",
    )
    .says_source("the same socket as for the MTU request, which was tried; not with this request"),
    Entry::no_use("server-features", (FIRST_ATT, For::BlueZ), "A cache file: BlueZ reads the Server Supported Features (0x2B3A) all the same.")
        .when("the last request read 0x2B3A", |view| view.last_read(0x2b3a))
        .tried("w-srv-cache", &["5.66"]),
    Entry::no_use("exchange-mtu-23", (FIRST_ATT, For::BlueZ), "`[GATT] ExchangeMTU=23` switches Bluetooth off: bluetoothd registers no adapter.")
        .tried("d-b4-mtu23-only", BOTH),
];

fn interval(view: &View<'_>, words: &'static str) -> Option<Text> {
    let budget = view.budget?;
    let (safe, latest) = budget.intervals();
    let units = safe.or(latest)?;
    let text = Text::filled(words, &[&units]);
    let n = budget.requests.number();
    let arrives = budget.arrives(what_if::units(units), n);
    let rest = text!(
        ": {} round trips then take about {} of the {} that the device waits.",
        n,
        what_if::in_ms(arrives),
        budget.deadline
    );
    Some(text.and(rest))
}

fn shorter_helps(view: &View<'_>) -> bool {
    view.central() && view.budget.is_some_and(|budget| budget.intervals().1.is_some())
}

fn short_already(view: &View<'_>) -> bool {
    let enough = view.budget.and_then(|b| b.intervals().0.or(b.intervals().1));
    enough.is_some_and(|enough| at_most(view, enough))
}

fn at_most(view: &View<'_>, units: u16) -> bool {
    view.interval().is_some_and(|interval| interval <= units)
}

/// So many requests at that interval meet the deadline.
fn meets(view: &View<'_>, (units, requests): (u16, u32)) -> bool {
    view.central() && view.budget.is_some_and(|b| b.meets(what_if::units(units), requests))
}

/// So many requests at the interval in force meet the deadline.
fn at_this_interval(view: &View<'_>, requests: u32) -> bool {
    view.central() && view.budget.is_some_and(|b| b.meets(b.interval, requests))
}

fn raw_l2cap(view: &View<'_>) -> Option<Text> {
    let handle = view.written()?;
    let text = text!(
        "Write {} over an L2CAP socket of your own (fixed channel CID 4, address type LE), beside bluetoothd: nothing is discovered first.",
        handle
    );
    Some(match see::recipe(&view.scene) {
        Some(captures) => text.and(text!(
            " `hcidiff recipe {} --for att-socket -o cure.py` writes such a program.",
            captures
        )),
        None => text,
    })
}

/// The last request looked for primary services.
fn at_primary(view: &View<'_>) -> bool {
    view.last_read(0x2800)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::{Remedy, Scene, diagnose};
    use crate::packet::{Address, AddressType, Direction, Status};
    use crate::timeline::{Capture, Host, Stack};
    use crate::trace::{PEER, Trace};

    const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

    /// What is offered for a rule's finding on a BlueZ host, and what is of no use.
    fn offered(works: &Trace, fails: &Trace, rule: &str) -> (Vec<&'static str>, Vec<&'static str>) {
        let host = Host {
            stack: Stack::BlueZ,
            version: None,
            evidence_frame: None,
            evidence: String::new(),
            guessed: false,
        };
        let captures = [works.run(), Capture { host: Some(host), ..fails.run() }];
        let comparison = crate::compare::of_captures(&captures);
        let comparison = comparison.as_ref();
        let found =
            diagnose(&Scene { captures: &captures, testimonies: &[], subject: 1, comparison });
        let finding = found.iter().find(|f| f.rule == rule).expect("found");
        let ids = |of: &[Remedy]| of.iter().map(|remedy| remedy.id).collect();
        (ids(&finding.remedies), ids(&finding.no_use))
    }

    /// Two links of that interval, with five round trips, which the device ends 341.4 ms and `more` after the connection.
    fn kicked(interval: u16, more: u32) -> Trace {
        let up = |before: Trace| before.create().connected_as(0, interval, 0, 72).features();
        let one = up(Trace::new()).discovery(0x0e).mtu().wait_ms(more).disconnected(HUNG_UP);
        let two = up(one.wait_ms(2_000)).mtu().discovery(0x0e).wait_ms(more);
        two.disconnected(HUNG_UP)
    }

    fn works() -> Trace {
        works_with(0x0e)
    }

    /// The working host knows the handle; the value takes what the properties say.
    fn works_with(properties: u8) -> Trace {
        Trace::new().up().write(3, &[1]).discovery(properties).wait_ms(5_000).hangs_up(HUNG_UP)
    }

    fn of_deadline(works: &Trace, fails: &Trace) -> (Vec<&'static str>, Vec<&'static str>) {
        offered(works, fails, "peer-hangs-up-on-deadline")
    }

    fn has(fails: &Trace, id: &str) -> bool {
        of_deadline(&works(), fails).0.contains(&id)
    }

    /// Eight round trips, the features and the write are 19 intervals: 285 ms at 15 ms. Four fifths of the deadline must be
    /// as much: 281 ms are too few, 305 ms enough.
    #[test]
    fn a_cached_discovery_is_offered_where_it_is_in_time() {
        for id in ["per-device-recipe", "trust+interval-15", "generated-cache+interval-15"] {
            assert!(!has(&kicked(39, 10), id), "{id}");
            assert!(has(&kicked(39, 40), id), "{id}");
        }
        // At an interval of 15 ms already there is nothing to shorten to 15 ms.
        assert!(!has(&kicked(12, 40), "trust+interval-15"));
        assert!(has(&kicked(13, 40), "trust+interval-15"));
        assert!(!has(&kicked(12, 40), "generated-cache+interval-15"));
        // At this interval eight round trips fit or do not.
        for id in ["trust", "generated-cache-trusted-life"] {
            assert!(has(&kicked(12, 40), id), "{id}");
            assert!(!has(&kicked(12, 10), id), "{id}");
            assert!(!has(&kicked(39, 40), id), "{id}");
        }
        let no_use = |fails: &Trace| of_deadline(&works(), fails).1;
        assert!(no_use(&kicked(39, 40)).contains(&"one-success"));
        assert!(!no_use(&kicked(12, 40)).contains(&"one-success"));
        assert!(no_use(&kicked(13, 40)).contains(&"retry"));
        assert!(!no_use(&kicked(12, 40)).contains(&"retry"));
    }

    /// One round trip, the features and the write are five intervals: 243.75 ms at 48.75 ms, 287.5 ms at 57.5 ms.
    #[test]
    fn one_round_trip_is_offered_where_it_is_in_time() {
        for id in ["early-request-nogap", "bleak-cache-warm-nogap"] {
            assert!(has(&kicked(39, 10), id), "{id}");
            assert!(!has(&kicked(46, 10), id), "{id}");
        }
    }

    /// Four round trips, the features and the write are eleven intervals: 330 ms at 30 ms. The file needs the device's hash.
    #[test]
    fn a_minimal_discovery_needs_the_hash() {
        let hash = |trace: Trace| {
            let mut answer = vec![18, 9, 0];
            answer.extend([7; 16]);
            trace.by_wire(&[0x08, 1, 0, 0xff, 0xff, 0x2a, 0x2b], 0x09, &answer)
        };
        let kicked = |more: u32, with: bool| {
            let up = |before: Trace| {
                let up = before.up();
                if with { hash(up) } else { up.mtu() }
            };
            let one = up(Trace::new()).discovery(0x0e).mtu().wait_ms(more).disconnected(HUNG_UP);
            let two = up(one.wait_ms(2_000)).mtu().discovery(0x0e).wait_ms(more);
            two.disconnected(HUNG_UP)
        };
        // 391.6 ms and so much more: four fifths of it are 329 or 337 ms.
        assert!(!has(&kicked(20, true), "minimal-cache+interval-30"));
        assert!(has(&kicked(30, true), "minimal-cache+interval-30"));
        assert!(!has(&kicked(30, false), "minimal-cache+interval-30"));
    }

    #[test]
    fn the_shortest_interval_is_offered_where_it_is_not_there_already() {
        let ids = ["interval-7.5", "interval-info-file", "interval-debugfs"];
        for id in ids {
            assert!(has(&kicked(39, 10), id), "{id}");
            // BlueZ needs nine round trips for these services: 21 intervals, of 12.5 ms at most with the margin.
            assert!(has(&kicked(11, 10), id), "{id}");
            assert!(!has(&kicked(10, 10), id), "{id}");
        }
        // A device that changes its address is found in no file.
        let private = Address([4, 3, 2, 1, 0, 0x5a]);
        let fails = kicked(39, 40).with(private);
        let (offered, _) = of_deadline(&works().with(private), &fails);
        for id in ["per-device-recipe", "generated-cache+interval-15", "interval-info-file"] {
            assert!(!offered.contains(&id), "{id}");
            assert!(has(&kicked(39, 40), id), "{id}");
        }
        assert!(offered.contains(&"interval-7.5") && offered.contains(&"trust+interval-15"));
    }

    #[test]
    fn what_needs_the_database_is_offered_where_a_capture_has_it() {
        let read = |link: Trace, handle| link.by_wire(&[0x0a, handle, 0], 0x0b, &[1]);
        let reads = |link: Trace| read(read(read(link, 9), 10), 11);
        let blind = || {
            let one = reads(Trace::new().up().mtu()).wait_ms(100).disconnected(HUNG_UP);
            reads(one.wait_ms(2_000).up()).mtu().wait_ms(100).disconnected(HUNG_UP)
        };
        let nothing = Trace::new().up().write(3, &[1]).wait_ms(5_000).hangs_up(HUNG_UP);
        let (offered, _) = of_deadline(&nothing, &blind());
        assert!(!offered.contains(&"per-device-recipe"), "{offered:?}");
        assert!(!offered.contains(&"generated-cache+interval-15"), "{offered:?}");
        let (offered, _) = of_deadline(&works(), &blind());
        assert!(offered.contains(&"per-device-recipe"), "{offered:?}");
    }

    #[test]
    fn a_command_is_offered_where_the_device_takes_one() {
        for id in ["early-command", "bleak-cache-warm-command"] {
            assert!(has(&kicked(39, 10), id), "{id}");
            let requests_only = of_deadline(&works_with(0x0a), &kicked(39, 10)).0;
            assert!(!requests_only.contains(&id), "{id}");
            // Who sent one knows that it is taken.
            let sends = Trace::new().up().writes_to(3, 1).discovery(0x0a).wait_ms(5_000);
            assert!(of_deadline(&sends.hangs_up(HUNG_UP), &kicked(39, 10)).0.contains(&id), "{id}");
        }
    }

    #[test]
    fn a_known_handle_is_named_and_without_one_nothing_is_written() {
        assert!(has(&kicked(39, 10), "raw-l2cap") && has(&kicked(39, 10), "raw-l2cap-no-daemon"));
        let reads = Trace::new().up().discovery(0x0e).wait_ms(5_000).hangs_up(HUNG_UP);
        let (offered, _) = of_deadline(&reads, &kicked(39, 10));
        assert!(!offered.contains(&"raw-l2cap") && !offered.contains(&"raw-l2cap-no-daemon"));
        assert!(offered.contains(&"do-first"));
    }

    /// Twice the device leaves while that request is open, which the working host never sends.
    fn dies_at(request: &[u8], discovered: bool) -> (Trace, Trace) {
        let link = |before: Trace, busy| {
            let up = before.peer(PEER, AddressType::RANDOM).up().mtu().wait_ms(busy);
            let up = if discovered { up.discovery(0x0a) } else { up };
            up.acl(Direction::Sent, 4, request).wait_ms(100).disconnected(HUNG_UP)
        };
        let fails = link(link(Trace::new(), 400).wait_ms(1_000), 1_900);
        (Trace::new().up().mtu().write(3, &[1]).wait_ms(4_000).hangs_up(HUNG_UP), fails)
    }

    #[test]
    fn a_cache_spares_the_request_at_which_the_device_leaves() {
        const RULE: &str = "discovery-order-or-volume-difference";
        let (works, fails) = dies_at(&[0x08, 0x40, 0, 0x49, 0, 0x03, 0x28], true);
        let (offered_, no_use) = offered(&works, &fails, RULE);
        assert!(offered_.contains(&"characteristics-cache"), "{offered_:?}");
        assert!(!offered_.contains(&"primary-cache-hash"), "{offered_:?}");
        assert!(!no_use.contains(&"primary-cache-nohash"), "{no_use:?}");
        let (works, fails) = dies_at(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], false);
        let (offered_, no_use) = offered(&works, &fails, RULE);
        assert!(!offered_.contains(&"characteristics-cache"), "{offered_:?}");
        assert!(no_use.contains(&"primary-cache-nohash"), "{no_use:?}");
    }

    #[test]
    fn the_gap_plugin_is_what_reads_the_name() {
        const RULE: &str = "immediate-0x13-after-first-att";
        let of = |uuid: u16| {
            let [low, high] = uuid.to_le_bytes();
            let (works, fails) = dies_at(&[0x08, 1, 0, 0xff, 0xff, low, high], false);
            offered(&works, &fails, RULE)
        };
        for uuid in [0x2a00, 0x2a01] {
            assert!(of(uuid).0.contains(&"noplugin-gap"), "{uuid:#06x}");
            assert!(!of(uuid).1.contains(&"server-features"), "{uuid:#06x}");
        }
        let (offered, no_use) = of(0x2b3a);
        assert!(!offered.contains(&"noplugin-gap"), "{offered:?}");
        assert!(no_use.contains(&"server-features"), "{no_use:?}");
    }
}
