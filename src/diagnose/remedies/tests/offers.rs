//! Which rows are offered, depending on what a capture shows: each condition is met in one trace and missed in another.
use crate::diagnose::remedies::{For, View, advise, unheard::why};
use crate::diagnose::{Confidence, Finding, Level, Remedy, Scene, remedy, what_if};
use crate::packet::att::{Handle, Pdu};
use crate::packet::hci::LeEvent;
use crate::packet::{Address, AddressType, Direction, Status};
use crate::prose::Text;
use crate::timeline::{Capture, Host, Stack};
use crate::trace::Trace;

const GIVEN_UP: Status = Status::FAILED_TO_BE_ESTABLISHED;
const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;
const BLUEZ: Option<Stack> = Some(Stack::BlueZ);
const NOBLE: Option<Stack> = Some(Stack::Noble);
const ANDROID: Option<Stack> = Some(Stack::Android);

const SHORT: &str = "short-supervision-timeout-linux-420ms";
const ERASE: &str = "ota-erase-silence";
const LOST: &str = "supervision-timeout-0x08";
const ATT_30S: &str = "att-transaction-timeout-30s";
const STALE: &str = "gatt-cache-stale";
const STARVES: &str = "scan-starves-new-link";
const DEADLINE: &str = "peer-hangs-up-on-deadline";
const DISCOVERY: &str = "discovery-order-or-volume-difference";
const FIRST_ATT: &str = "immediate-0x13-after-first-att";
const MTU: &str = "mtu-exchange-breaks-peer";
const NEVER: &str = "never-heard-peer";

fn host(stack: Stack) -> Host {
    Host { stack, version: None, evidence_frame: None, evidence: String::new(), guessed: false }
}

/// A finding of that rule about every link of the capture, with advice of its own.
fn finding(rule: &'static str, capture: &Capture, own: &[Remedy]) -> Finding {
    Finding {
        rule,
        title: "",
        level: Level::Cause,
        confidence: Confidence::High,
        capture: 0,
        connections: capture.connections.iter().map(|c| c.number).collect(),
        says: Text::EMPTY,
        evidence: Vec::new(),
        rules_out: Vec::new(),
        would_settle: Vec::new(),
        remedies: own.to_vec(),
        no_use: Vec::new(),
        what_if: None,
        sources: Vec::new(),
    }
}

/// The last of the traces is the one with the finding; one before it works.
fn with_scene<T>(stack: Option<Stack>, traces: &[&Trace], ask: impl Fn(&Scene<'_>) -> T) -> T {
    let mut captures: Vec<Capture> = traces.iter().map(|trace| trace.run()).collect();
    let subject = captures.len() - 1;
    captures[subject].host = stack.map(host);
    let comparison = crate::compare::of_captures(&captures);
    let comparison = comparison.as_ref();
    ask(&Scene { captures: &captures, testimonies: &[], subject, comparison })
}

fn advised(rule: &'static str, stack: Option<Stack>, traces: &[&Trace], own: &[Remedy]) -> Finding {
    with_scene(stack, traces, |scene| {
        let mut finding = finding(rule, scene.capture(), own);
        advise(scene, &mut finding);
        finding
    })
}

/// Names of rows; the rule's own advice in its words.
fn names(remedies: &[Remedy]) -> Vec<String> {
    let name = |remedy: &Remedy| match remedy.id {
        "" => remedy.words().to_string(),
        id => id.to_owned(),
    };
    remedies.iter().map(name).collect()
}

fn offered(rule: &'static str, stack: Option<Stack>, trace: &Trace) -> (Vec<String>, Vec<String>) {
    offered_beside(rule, stack, &[trace])
}

fn offered_beside(
    rule: &'static str,
    stack: Option<Stack>,
    traces: &[&Trace],
) -> (Vec<String>, Vec<String>) {
    let finding = advised(rule, stack, traces, &[]);
    (names(&finding.remedies), names(&finding.no_use))
}

/// What a view says of all links of a trace.
fn viewed<T>(trace: &Trace, ask: impl Fn(&View<'_>) -> T) -> T {
    with_scene(None, &[trace], |scene| ask(&View::of(scene, &finding(NEVER, scene.capture(), &[]))))
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

#[test]
fn each_prefix_says_for_whom_a_remedy_is() {
    use For::*;
    let unknown = [
        (Any, ""),
        (Peer, remedy::FIRMWARE),
        (BlueZ, "On BlueZ: "),
        (Bleak, "With bleak: "),
        (BluezDbus, "In a program that uses BlueZ over D-Bus: "),
        (LinuxRaw, "In a program on Linux: "),
        (RawHci, "In a program that speaks HCI itself: "),
        (Noble, "On noble: "),
        (Android, "On Android: "),
    ];
    for (whom, words) in unknown {
        assert_eq!(whom.prefix(None).to_string(), words, "{whom}");
        // Where the host is known, its name says nothing; a library's does.
        let words = if words.starts_with("On ") { "" } else { words };
        assert_eq!(whom.prefix(Some(&host(Stack::BlueZ))).to_string(), words, "{whom}");
    }
}

/// The table speaks for the stacks that it has rows for, and the rule itself for the others.
#[test]
fn a_rule_speaks_for_the_stacks_that_the_table_leaves_out() {
    let link = Trace::new().up();
    let own = [
        Remedy::any("Any."),
        Remedy::on(&[Stack::BlueZ], "BlueZ."),
        Remedy::on(&[Stack::Noble, Stack::BlueZ], "Both."),
        Remedy::on(&[Stack::Noble], "Noble."),
        Remedy::no_use("Nothing."),
    ];
    let of = |rule| {
        let finding = advised(rule, BLUEZ, &[&link], &own);
        (names(&finding.remedies), names(&finding.no_use))
    };
    let (offered, no_use) = of(MTU);
    assert_eq!(offered, ["raw-l2cap", "Any.", "Noble."]);
    assert_eq!(no_use, ["exchange-mtu-23", "exchange-mtu-48", "Nothing."]);
    // There the table has a row for any host; among what is of no use it has none.
    let (offered, no_use) = of(DISCOVERY);
    assert_eq!(offered, ["raw-l2cap-discovery", "report-request", "Noble."]);
    assert_eq!(no_use, ["cache-always", "Nothing."]);
    // And here it has one that is of no use on any host.
    assert!(!has(&of(ATT_30S).1, "Nothing."));
    assert!(has(&of("write-type-mismatch").0, "Any."));
}

#[test]
fn limits_and_price_follow_the_words() {
    let lost = Trace::new().create().connected_as(0, 39, 0, 42);
    let text = |rule, id| {
        let finding = advised(rule, BLUEZ, &[&lost], &[]);
        let remedy = finding.remedies.iter().find(|remedy| remedy.id == id).expect("offered");
        remedy.text().to_string()
    };
    let price = "Its price: a device that is really gone is noticed only after 6 s. (proved";
    assert!(text(SHORT, "main-conf").contains(&format!("alone it is enough. {price}")));
    assert!(text(ERASE, "main-conf").contains(&format!("(3200, 32 s, is the most). {price}")));
    assert!(text(SHORT, "info-file").contains("start bluetooth. (proved"));
    assert!(text(SHORT, "debugfs").contains("until the adapter is set up again. (proved"));
}

#[test]
fn where_the_host_is_unknown_the_best_for_each_stack_is_offered() {
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let write = Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: &[1] };
    let silent = |pdu| Trace::new().up().mtu().att(Direction::Sent, pdu).wait_ms(30_000);
    let (offered_, no_use) = offered(ATT_30S, None, &silent(read));
    assert_eq!(offered_, ["leave-out", "noplugin", "answer-every-request"]);
    assert_eq!(no_use, ["longer-timeout"]);
    // What is of no use on one host is not said where nothing shows which host it is.
    let (offered_, no_use) = offered(ATT_30S, None, &silent(write));
    assert_eq!(offered_, ["leave-out", "answer-every-request"]);
    assert_eq!(no_use, ["longer-timeout"]);
    // Here the adapter's number stands in the words.
    let lost = Trace::new().adapter(2).create().connected_as(0, 39, 0, 42);
    let words = advised(SHORT, BLUEZ, &[&lost], &[]).remedies[2].words().to_string();
    assert!(words.contains("bluetooth/hci2/supervision_timeout"), "{words}");
}

#[test]
fn a_request_without_an_answer_is_somebodys() {
    let up = || Trace::new().up().mtu();
    let of = |stack, trace: Trace| offered(ATT_30S, stack, &trace.wait_ms(30_000));
    let ours = |request: &[u8]| of(BLUEZ, up().acl(Direction::Sent, 4, request)).0;
    let all = ["noplugin", "leave-out", "answer-every-request"];
    assert_eq!(ours(&[0x0a, 3, 0]), all, "Read");
    assert_eq!(ours(&[0x0c, 3, 0, 5, 0]), all, "Read Blob");
    assert_eq!(ours(&[0x08, 1, 0, 9, 0, 0, 0x2a]), all, "Read By Type");
    assert_eq!(ours(&[0x12, 3, 0, 1]), all[1..], "Write");
    assert_eq!(ours(&[0x04, 4, 0, 9, 0]), all[1..], "Find Information");
    let theirs = |request: &[u8]| of(BLUEZ, up().acl(Direction::Received, 4, request)).0;
    assert_eq!(theirs(&[0x0a, 3, 0]), ["answer-here"]);
    let android = of(ANDROID, up().acl(Direction::Sent, 4, &[0x0a, 3, 0]));
    assert_eq!(android.0, all[1..]);
    assert_eq!(android.1, ["longer-timeout"]);
    // An answered request is none, and an open question of the link layer is none of ATT.
    assert!(of(BLUEZ, up().write(3, &[1])).0.is_empty());
    let asks = Trace::new().create().connected();
    let asks = asks.taken(crate::packet::hci::Command::LeReadRemoteFeatures {
        connection_handle: crate::trace::HANDLE,
    });
    assert!(of(BLUEZ, asks.clone()).0.is_empty());
    // As the peripheral this host looked at the central's attributes.
    let serves = || Trace::new().connected_as(1, 39, 0, 42);
    let looks = [0x10, 1, 0, 0xff, 0xff, 0, 0x28];
    let reverse = |trace: Trace| has(&of(BLUEZ, trace).0, "no-reverse-discovery");
    assert!(reverse(serves().acl(Direction::Sent, 4, &looks)));
    assert!(!reverse(serves().acl(Direction::Received, 4, &looks)));
    assert!(!reverse(serves().acl(Direction::Sent, 4, &[0x0a, 3, 0])));
    assert!(!reverse(up().acl(Direction::Sent, 4, &looks)));
}

#[test]
fn a_longer_timeout_is_offered_where_it_is_short_and_this_host_chose_it() {
    let link = |role: u8, timeout| {
        let begins = if role == 0 { Trace::new().create() } else { Trace::new() };
        begins.connected_as(role, 39, 0, timeout).wait_ms(900)
    };
    let settings = ["main-conf", "info-file", "debugfs", "main-conf-3", "parameter-request"];
    let of = |rule, stack, role, timeout| offered(rule, stack, &link(role, timeout));
    let nothing: [&str; 0] = [];
    assert_eq!(of(SHORT, BLUEZ, 0, 42).0, settings);
    assert_eq!(of(SHORT, BLUEZ, 0, 599).0, settings);
    assert_eq!(of(SHORT, BLUEZ, 0, 599).1, nothing);
    assert_eq!(of(SHORT, BLUEZ, 0, 600).0, nothing);
    assert_eq!(of(SHORT, BLUEZ, 0, 600).1, ["longer-still"]);
    assert_eq!(of(SHORT, BLUEZ, 1, 42).0, ["parameter-request", "longer-timeout"]);
    assert_eq!(of(SHORT, ANDROID, 0, 42).0, ["parameter-request", "longer-timeout"]);
    assert_eq!(of(SHORT, ANDROID, 0, 600).0, nothing);
    assert_eq!(of(ERASE, BLUEZ, 0, 42).0, ["main-conf", "debugfs", "parameter-request"]);
    assert_eq!(of(ERASE, BLUEZ, 0, 42).1, ["sleep"]);
    assert_eq!(of(ERASE, BLUEZ, 1, 42).0, ["parameter-request", "longer-timeout"]);
    assert_eq!(of(ERASE, BLUEZ, 0, 600).0, nothing);
    assert_eq!(of(ERASE, BLUEZ, 0, 600).1, ["longer-still", "sleep"]);
    assert_eq!(of(LOST, BLUEZ, 0, 399).0, ["main-conf"]);
    assert_eq!(of(LOST, BLUEZ, 0, 400).0, nothing);
    assert_eq!(of(LOST, BLUEZ, 1, 399).0, nothing);
    assert_eq!(of(LOST, BLUEZ, 0, 600).1, ["longer-still"]);
    // The file of a device whose address changes is found by nobody.
    let private = link(0, 42).with(Address([3, 2, 1, 0, 0, 0x5a]));
    let left: Vec<&str> = settings.into_iter().filter(|id| *id != "info-file").collect();
    assert_eq!(offered(SHORT, BLUEZ, &private).0, left);
    // The shortest timeout of several links counts.
    let both = link(0, 600).disconnected(HUNG_UP).followed_by(link(0, 42));
    assert_eq!(offered(SHORT, BLUEZ, &both).0, settings);
}

#[test]
fn what_two_devices_know_of_each_other() {
    let up = || Trace::new().up();
    let bonded = |trace: Trace| viewed(&trace, |view| view.bonded());
    assert!(!bonded(up().mtu()));
    assert!(bonded(up().encrypts()), "a key was used");
    assert!(bonded(up().asks_to_pair()), "one was to be made");
    assert!(bonded(up().encryption(Status::SUCCESS)));
    // A bonded device loses its bond with `remove`.
    let (offered_, no_use) = offered(STALE, BLUEZ, &up());
    assert_eq!(
        offered_,
        [
            "rm-file-restart",
            "remove",
            "wait-30s-untrusted",
            "cache-no",
            "move-ranges",
            "forget-handles"
        ]
    );
    assert_eq!(no_use, ["rm-file-running", "database-hash", "service-changed"]);
    let (offered_, no_use) = offered(STALE, BLUEZ, &up().encrypts());
    assert_eq!(
        offered_,
        ["rm-file-restart", "rm-file-restart-bonded", "cache-no", "move-ranges", "forget-handles"]
    );
    assert_eq!(no_use, ["rm-file-running", "restart-trusted", "database-hash", "service-changed"]);
    assert_eq!(offered(STALE, ANDROID, &up()).0, ["forget-handles"]);
    assert!(offered(STALE, ANDROID, &up()).1.is_empty());
    let unknown = offered(STALE, None, &up());
    assert_eq!(unknown.0, ["forget-handles", "rm-file-restart", "move-ranges"]);
    assert_eq!(unknown.1, ["database-hash", "service-changed"]);
    let stalls = |trace: &Trace| offered("latency-or-interval-change-stalls", BLUEZ, trace);
    assert_eq!(stalls(&up()).0, ["edit-info-file"]);
    assert!(has(&stalls(&up()).1, "remove-unbonded") && has(&stalls(&up()).1, "remove+restart"));
    assert_eq!(stalls(&up().encrypts()).0, ["edit-info-file", "remove-bonded"]);
    let no_use = stalls(&up().encrypts()).1;
    assert!(!has(&no_use, "remove-unbonded") && !has(&no_use, "remove+restart"));
    let private = up().with(Address([3, 2, 1, 0, 0, 0x5a]));
    assert!(stalls(&private).0.is_empty());
}

#[test]
fn an_address_changes_where_it_is_private_and_nothing_tells_whose_it_is() {
    let of = |top: u8, kind| {
        let link = Trace::new().peer(Address([3, 2, 1, 0, 0, top]), kind).up();
        viewed(&link, |view| view.address_changes())
    };
    assert!(of(0x5a, AddressType::RANDOM) && of(0x1a, AddressType::RANDOM));
    assert!(!of(0xda, AddressType::RANDOM), "static");
    assert!(!of(0x5a, AddressType::PUBLIC));
    let known = Trace::new().known_under(Address([3, 2, 1, 0, 0, 0x5a]));
    assert!(!viewed(&known, |view| view.address_changes()), "its identity was told");
}

#[test]
fn who_subscribed_and_who_was_asked_last() {
    let up = || Trace::new().up().discovery(0x12);
    let subscribed = |trace: Trace| viewed(&trace, |view| view.subscribed());
    assert!(subscribed(up().write(4, &[1, 0])));
    assert!(!subscribed(up().write(3, &[1, 0])));
    let ours = Trace::new().connected_as(1, 39, 0, 42);
    let ours = ours.from_peer(&[0x08, 1, 0, 9, 0, 0x02, 0x29], &[0x09, 4, 4, 0, 0, 0]);
    assert!(!subscribed(ours.from_peer(&[0x12, 4, 0, 1, 0], &[0x13])));
    let starts = |trace: Trace| {
        has(&offered("notifications-never-enabled", BLUEZ, &trace).0, "start-notify")
    };
    assert!(starts(up()) && !starts(up().write(4, &[1, 0])));

    let read = |trace: Trace, uuid| viewed(&trace, |view| view.last_read(uuid));
    let by_type = || Trace::new().up().acl(Direction::Sent, 4, &[0x08, 1, 0, 9, 0, 0, 0x2a]);
    assert!(read(by_type(), 0x2a00) && !read(by_type(), 0x2a01));
    let groups = || Trace::new().up().acl(Direction::Sent, 4, &[0x10, 1, 0, 9, 0, 0, 0x28]);
    assert!(read(groups(), 0x2800) && !read(groups(), 0x2801));
    // Discovery says what the handle of a read is.
    let value = || up().acl(Direction::Sent, 4, &[0x0a, 3, 0]);
    assert!(read(value(), 0x2a19) && !read(value(), 0x2a1a));
    assert!(!read(up().acl(Direction::Sent, 4, &[0x0a, 9, 0]), 0x2a19));
    // The last of several, and what the peer asks or the link layer does is none of this host's requests.
    assert!(!read(by_type().write(3, &[1]), 0x2a00));
    assert!(read(by_type().features(), 0x2a00));
    assert!(read(by_type().from_peer(&[0x0a, 7, 0], &[0x0b, 1]), 0x2a00));
    assert!(!read(Trace::new().up(), 0x2a00));
}

#[test]
fn the_gap_plugin_and_the_server_features_are_told_apart() {
    let dies = |low: u8| {
        let high = if low == 0x3a { 0x2b } else { 0x2a };
        let asks = [0x08, 1, 0, 0xff, 0xff, low, high];
        offered(FIRST_ATT, BLUEZ, &Trace::new().up().acl(Direction::Sent, 4, &asks))
    };
    for name in [0x00, 0x01] {
        assert_eq!(dies(name).0, ["noplugin-gap", "raw-l2cap-first-att"]);
        assert_eq!(dies(name).1, ["exchange-mtu-23"]);
    }
    assert_eq!(dies(0x02).0, ["raw-l2cap-first-att"]);
    assert_eq!(dies(0x3a).0, ["raw-l2cap-first-att"]);
    assert_eq!(dies(0x3a).1, ["server-features", "exchange-mtu-23"]);
}

/// A capture has the whole database, or it does not; the device leaves at its primary services, or later.
#[test]
fn a_cache_file_needs_the_database_and_spares_what_was_asked() {
    const PRIMARY: [u8; 7] = [0x10, 1, 0, 0xff, 0xff, 0, 0x28];
    let whole = Trace::new().up().discovery(0x0a).wait_ms(900).hangs_up(HUNG_UP);
    let blind = Trace::new().up().mtu().wait_ms(900).hangs_up(HUNG_UP);
    let at = |before: Trace, request: &[u8]| {
        before.acl(Direction::Sent, 4, request).wait_ms(100).disconnected(HUNG_UP)
    };
    let first = at(Trace::new().up().mtu(), &PRIMARY);
    let of = |works: &Trace, fails: &Trace| offered_beside(DISCOVERY, BLUEZ, &[works, fails]);
    let (offered_, no_use) = of(&whole, &first);
    assert_eq!(offered_, ["primary-cache-hash", "raw-l2cap-discovery", "report-request"]);
    assert_eq!(no_use, ["primary-cache-nohash", "cache-always"]);
    let (offered_, no_use) = of(&blind, &first);
    assert_eq!(offered_, ["raw-l2cap-discovery", "report-request"]);
    assert!(has(&no_use, "primary-cache-nohash"));
    // By the value of a type: a search for one service.
    let one = at(Trace::new().up().mtu(), &[0x06, 1, 0, 0xff, 0xff, 0, 0x28, 0x0f, 0x18]);
    assert!(has(&of(&whole, &one).1, "primary-cache-nohash"));
    // Behind the characteristics: the primary services once more, or other ones.
    let again = at(Trace::new().up().discovery(0x0a), &PRIMARY);
    assert!(has(&of(&whole, &again).1, "primary-cache-nohash"));
    let others = at(Trace::new().up().discovery(0x0a), &[0x10, 1, 0, 0xff, 0xff, 1, 0x28]);
    let (offered_, no_use) = of(&blind, &others);
    assert_eq!(offered_, ["characteristics-cache", "raw-l2cap-discovery", "report-request"]);
    assert_eq!(no_use, ["cache-always"]);
    let reads = at(Trace::new().up().mtu(), &[0x0a, 3, 0]);
    assert!(has(&of(&whole, &reads).0, "characteristics-cache"));
    assert!(!has(&of(&blind, &reads).0, "characteristics-cache"));
    // A device that changes its address is found in no file.
    let private = Address([4, 3, 2, 1, 0, 0x5a]);
    let moved = |trace: &Trace| trace.clone().with(private);
    let none = ["raw-l2cap-discovery", "report-request"];
    assert_eq!(of(&moved(&whole), &moved(&first)).0, none);
    assert_eq!(of(&moved(&whole), &moved(&reads)).0, none);
}

/// Two links of 15 ms intervals that the device ends after about half a second, on a host that discovers nothing.
fn blind_at(role: u8, interval: u16) -> Trace {
    let link = || {
        let begins = if role == 0 { Trace::new().create() } else { Trace::new() };
        let reads = begins.connected_as(role, interval, 0, 72).features().mtu();
        reads.by_wire(&[0x0a, 9, 0], 0x0b, &[1]).wait_ms(300).disconnected(HUNG_UP)
    };
    link().wait_ms(2_000).followed_by(link())
}

#[test]
fn a_deadline_is_met_by_a_host_that_chooses_the_interval() {
    let works = Trace::new().up().write(3, &[1]).discovery(0x0e).wait_ms(5_000).hangs_up(HUNG_UP);
    let nothing = Trace::new().up().write(3, &[1]).wait_ms(5_000).hangs_up(HUNG_UP);
    let of = |works: &Trace, fails: &Trace| offered_beside(DEADLINE, BLUEZ, &[works, fails]).0;
    let files = ["generated-cache-trusted-life", "per-device-recipe"];
    let central = of(&works, &blind_at(0, 12));
    assert!(has(&central, "trust") && files.iter().all(|id| has(&central, id)), "{central:?}");
    // Without the database there is no file to make.
    let unknown = of(&nothing, &blind_at(0, 12));
    assert!(has(&unknown, "trust") && !files.iter().any(|id| has(&unknown, id)), "{unknown:?}");
    // What a key was used for is kept already.
    let key = Trace::new().create().connected_as(0, 12, 0, 72).features().encrypts();
    let bonded = blind_at(0, 12).followed_by(key.wait_ms(900).disconnected(HUNG_UP));
    assert!(!has(&of(&works, &bonded), "trust"));
    assert!(has(&of(&works, &bonded), "generated-cache-trusted-life"));
    let private = Address([4, 3, 2, 1, 0, 0x5a]);
    let moved = of(&works.clone().with(private), &blind_at(0, 12).with(private));
    assert!(!files.iter().any(|id| has(&moved, id)), "{moved:?}");
    // A peripheral chooses nothing.
    let peripheral = of(&works, &blind_at(1, 12));
    for id in ["trust", "interval-7.5", "early-request-nogap", "trust+interval-15"] {
        assert!(!has(&peripheral, id), "{id}: {peripheral:?}");
    }
    let long = of(&works, &blind_at(1, 60));
    assert!(!has(&long, "trust+interval-15") && !has(&long, "interval-7.5"), "{long:?}");
    assert!(has(&of(&works, &blind_at(0, 60)), "trust+interval-15"));
}

#[test]
fn a_program_that_speaks_hci_writes_to_a_handle_that_is_known() {
    let works = Trace::new().up().write(3, &[1]).wait_ms(5_000).hangs_up(HUNG_UP);
    let reads = Trace::new().up().mtu().wait_ms(5_000).hangs_up(HUNG_UP);
    let of = |works: &Trace, stack| {
        has(&offered_beside(DEADLINE, stack, &[works, &blind_at(0, 40)]).0, "a-write-handle-50ms")
    };
    assert!(of(&works, NOBLE));
    assert!(!of(&reads, NOBLE));
    assert!(!of(&works, BLUEZ), "it has rows of its own");
    // The handle is one of this host's links too.
    let own = Trace::new().up().write(3, &[1]).disconnected(HUNG_UP);
    assert!(has(&offered(DEADLINE, NOBLE, &own).0, "a-write-handle-50ms"));
}

/// Write Without Response is the third bit of the properties; Broadcast is the first.
#[test]
fn a_device_takes_commands_where_its_properties_say_so() {
    let takes = |properties: u8| {
        let link = Trace::new().up().discovery(properties).write(3, &[1]);
        viewed(&link, |view| view.takes_commands())
    };
    assert!(takes(0x04) && takes(0x0e));
    assert!(!takes(0x0b) && !takes(0x08) && !takes(0x12));
    assert!(viewed(&Trace::new().up().writes_to(9, 1), |view| view.takes_commands()));
    assert!(!viewed(&Trace::new().up().discovery(0x0e), |view| view.takes_commands()));
}

#[test]
fn a_scan_counts_where_it_is_beside_a_new_link() {
    let up = || Trace::new().create().connected();
    let before = Trace::new().scan(true, 100, 60).create().connected();
    let behind = up().scan(true, 100, 60);
    for scans in [&before, &behind] {
        assert!(viewed(scans, |view| view.scanning()));
        assert_eq!(
            offered(STARVES, BLUEZ, scans).0,
            ["stop-scanner", "scan-off", "second-adapter"]
        );
        assert_eq!(offered(STARVES, BLUEZ, scans).1, ["scan-off-elsewhere"]);
        assert_eq!(offered(STARVES, NOBLE, scans).0, ["second-adapter"]);
        assert_eq!(offered(STARVES, ANDROID, scans).0, ["stop-scan", "second-adapter"]);
    }
    assert!(!viewed(&up(), |view| view.scanning()));
    for stack in [BLUEZ, NOBLE, ANDROID] {
        assert_eq!(offered(STARVES, stack, &up()), (vec!["second-adapter".to_owned()], vec![]));
    }
}

/// Why nothing was heard, of a trace whose last link is given up.
fn reasons(trace: Trace) -> Vec<String> {
    let ends = trace.wait_ms(315).disconnected(GIVEN_UP);
    viewed(&ends, |view| why(view).iter().map(|why| why.reason.word().to_owned()).collect())
}

#[test]
fn only_links_that_were_given_up_unheard_are_asked_why() {
    let fails = || Trace::new().advertises(0).create().connected();
    assert_eq!(reasons(fails()), ["chance"]);
    // Lost for another reason, or heard before: nothing is to be explained.
    let other = fails().wait_ms(900).disconnected(Status::CONNECTION_TIMEOUT);
    assert!(viewed(&other, |view| why(view).is_empty()));
    assert!(reasons(fails().features()).is_empty());
    // What was weak at a link that worked says nothing of this one.
    let good = Trace::new().heard_at(-90).up().mtu().hangs_up(HUNG_UP).wait_ms(3_000);
    assert_eq!(reasons(good.followed_by(fails())), ["chance"]);
    // A scan that never listens takes no time.
    assert_eq!(
        reasons(Trace::new().advertises(0).scan(true, 100, 0).create().connected()),
        ["chance"]
    );
}

#[test]
fn another_adapters_links_say_nothing_of_this_one() {
    let fails = || Trace::new().advertises(0).scan(true, 100, 60).create().connected();
    let beside = |adapter| {
        let good = Trace::new().adapter(adapter).scan(true, 100, 60).up().mtu();
        let good = good.hangs_up(HUNG_UP).wait_ms(900);
        reasons(good.followed_by(fails()).adapter(0))
    };
    assert_eq!(beside(0), ["chance", "scanning"]);
    assert_eq!(beside(1), ["scanning", "chance"]);
}

#[test]
fn a_private_address_is_stale_after_two_seconds() {
    let private = Address([3, 2, 1, 0, 0, 0x5a]);
    let of = |address, kind, us| {
        let heard = Trace::new().peer(address, kind).advertises(0).after_us(us);
        reasons(heard.create().connected()).contains(&"private-address".to_owned())
    };
    assert!(!of(private, AddressType::RANDOM, 2_000_000));
    assert!(of(private, AddressType::RANDOM, 2_000_001));
    assert!(!of(private, AddressType::PUBLIC, 2_100_000));
    assert!(!of(Address([3, 2, 1, 0, 0, 0x1a]), AddressType::RANDOM, 2_100_000), "not resolvable");
    let unheard = Trace::new().peer(private, AddressType::RANDOM).create().connected();
    assert!(reasons(unheard).contains(&"private-address".to_owned()));
    // Its identity is known: the host asks for the right one.
    let known = Trace::new().known_under(private).wait_ms(9_000);
    let known = known.peer(private, AddressType::RANDOM).create().connected();
    assert!(!reasons(known).contains(&"private-address".to_owned()));
}

#[test]
fn the_likeliest_reason_is_told_once_and_not_where_it_is_chance() {
    let told = |rule, trace: Trace, settled: &[&Text]| {
        let ends = trace.wait_ms(315).disconnected(GIVEN_UP);
        with_scene(None, &[&ends], |scene| {
            let mut finding = finding(rule, scene.capture(), &[]);
            finding.would_settle = settled.iter().map(|text| (*text).clone()).collect();
            advise(scene, &mut finding);
            (finding.says.to_string(), finding.would_settle)
        })
    };
    let weak = || Trace::new().heard_at(-90).create().connected();
    let (says, tests) = told(NEVER, weak(), &[]);
    assert_eq!(says, " To be tested first: the device was heard at -90 dBm only.");
    assert_eq!(tests.len(), 2);
    // What stands there already is not said again.
    assert_eq!(told(NEVER, weak(), &[&tests[0]]).1.len(), 2);
    // Another rule has sentences of its own.
    assert_eq!(told("never-heard-retry-loop", weak(), &[]), (String::new(), Vec::new()));
    // One of four is chance, with all the weight, and that is no suspect.
    let good = || Trace::new().up().mtu().hangs_up(HUNG_UP).wait_ms(2_000);
    let rare = (0..3).fold(Trace::new(), |all, _| all.followed_by(good()));
    let plain = Trace::new().advertises(0).create().connected();
    assert_eq!(told(NEVER, rare.followed_by(plain), &[]).0, "");
}

/// A soldered chip weighs just enough to be told first; the first adapter's facts are not the second one's.
#[test]
fn the_adapter_of_the_link_is_the_one_that_shares_its_antenna() {
    let of = |soldered: usize| {
        let fails = Trace::new().advertises(0).create().connected().wait_ms(315);
        let ends = fails.disconnected(GIVEN_UP).adapter(1).scan(true, 100, 10);
        let mut captures = [ends.run()];
        let chip = &mut captures[0].adapters[soldered];
        (chip.manufacturer, chip.bus) = (Some(0x000f), Some(3));
        let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
        let mut finding = finding(NEVER, scene.capture(), &[]);
        advise(&scene, &mut finding);
        (finding.says.to_string().contains("soldered chip"), names(&finding.remedies))
    };
    let (first, _) = of(0);
    assert!(first);
    assert!(!of(1).0, "another adapter's chip");
}

#[test]
fn the_stored_interval_goes_first_for_a_bonded_device() {
    let short = || Trace::new().advertises(0).create().connected_as(0, 6, 0, 42).wait_ms(46);
    let of = |before: Trace| {
        let ends = before.wait_ms(900).followed_by(short().disconnected(GIVEN_UP));
        offered(NEVER, BLUEZ, &ends).0[..2].to_vec()
    };
    let general = ["longer-interval", "longer-interval-stored"];
    let stored = ["longer-interval-stored", "longer-interval"];
    let secured =
        |trace: Trace| trace.up().encrypts().encryption(Status::SUCCESS).hangs_up(HUNG_UP);
    assert_eq!(of(Trace::new()), general);
    assert_eq!(of(Trace::new().up().hangs_up(HUNG_UP)), general);
    assert_eq!(of(secured(Trace::new())), stored);
    let other = Trace::new().peer(Address([9, 0, 0, 0, 0, 0xc0]), AddressType::RANDOM);
    assert_eq!(of(secured(other)), general, "another device's bond");
    let private = short().disconnected(GIVEN_UP).with(Address([3, 2, 1, 0, 0, 0x5a]));
    let all = offered(NEVER, BLUEZ, &private).0;
    assert!(has(&all, "longer-interval") && !has(&all, "longer-interval-stored"), "{all:?}");
}

/// Signs first, then the test that tells the two sides apart, then another try.
#[test]
fn what_is_tried_next_stands_in_the_order_of_its_worth() {
    let weak = || {
        let link = Trace::new().heard_at(-90).create().connected().wait_ms(315);
        link.disconnected(GIVEN_UP).wait_ms(30_000)
    };
    let three = weak().followed_by(weak()).followed_by(weak());
    assert_eq!(offered(NEVER, BLUEZ, &three).0, ["nearer", "cross-test", "retry"]);
    assert_eq!(offered(NEVER, ANDROID, &three).0, ["nearer", "cross-test", "retry-elsewhere"]);
    assert_eq!(offered(NEVER, BLUEZ, &weak()).0, ["nearer", "retry"]);
    // A central asks; a peripheral waits to be asked.
    let role = |role| Trace::new().heard_at(-60).connected_as(role, 39, 0, 42).wait_ms(315);
    let asked = offered(NEVER, ANDROID, &role(1).disconnected(GIVEN_UP)).0;
    assert!(asked.is_empty(), "{asked:?}");
    assert_eq!(offered(NEVER, ANDROID, &role(0).disconnected(GIVEN_UP)).0, ["retry-elsewhere"]);
    // A device that was reached once in ten tries is there.
    let ten = weak().repeated(10, 30_000);
    assert_eq!(offered("never-heard-retry-loop", BLUEZ, &ten).0[..2], ["nearer", "one-at-a-time"]);
    assert!(has(&offered(NEVER, BLUEZ, &ten).1, "more-tries"));
    let nine = weak().repeated(9, 30_000);
    assert!(!has(&offered("never-heard-retry-loop", BLUEZ, &nine).0, "one-at-a-time"));
}

/// The page has each row under its own rule, in the order of the rules, and what is of no use apart.
#[test]
fn the_page_has_each_row_where_it_belongs() {
    let page = crate::diagnose::remedies::page();
    let section = |rule: &str| {
        let start = page.find(&format!("\n## `{rule}`\n")).expect("a section");
        let rest = &page[start + 4..];
        rest[..rest.find("\n## ").unwrap_or(rest.len())].to_owned()
    };
    let stale = section(STALE);
    assert!(stale.contains("**cache-no**") && !stale.contains("**main-conf**"), "{stale}");
    let (todo, no_use) = stale.split_once("\nNo use:\n").expect("both");
    assert!(todo.contains("**remove**") && !todo.contains("**rm-file-running**"));
    assert!(no_use.contains("**rm-file-running**") && !no_use.contains("**remove**"));
    assert!(stale.contains("  - Not when: the device is bonded\n"), "{stale}");
    assert!(stale.contains("  - Price: every connection discovers everything anew\n"), "{stale}");
    assert!(!stale.contains("Limits: \n") && !stale.contains("Offered when: \n"));
    assert!(!section("write-type-mismatch").contains("No use:"));
    assert!(!page.contains("`interval-differs`"), "a rule without rows");
}

/// The shortest deadline counts, and the interval of the longest link; a device that leaves at once has none.
#[test]
fn the_budget_is_that_of_the_links_that_the_device_ended() {
    let works = blind_at(0, 12);
    let budget = viewed(&works, |view| view.budget).expect("two links");
    assert_eq!(budget.interval, what_if::units(12));
    assert!(viewed(&Trace::new().up().hangs_up(HUNG_UP), |view| view.budget).is_none());
    let longest = viewed(&blind_at(0, 12).followed_by(blind_at(0, 40)), |view| view.interval());
    assert_eq!(longest, Some(40));
    // An update replaces what was granted first.
    let updated = Trace::new().up().le(LeEvent::ConnectionUpdateComplete {
        status: Status::SUCCESS,
        connection_handle: crate::trace::HANDLE,
        connection_interval: 60,
        peripheral_latency: 0,
        supervision_timeout: 500,
    });
    assert_eq!(viewed(&updated, |view| (view.interval(), view.timeout())), (Some(60), Some(500)));
    assert_eq!(
        viewed(&Trace::new().create(), |view| (view.interval(), view.timeout())),
        (None, None)
    );
}
