//! What must not change what is said: another device beside, a device that asks this host; and what silences a rule.
use super::*;
use crate::packet::{Direction, Status};
use crate::timeline::{EndedBy, Role, Transport};

/// Another device: a good link, a request in vain, and a link whose read is refused and that the device then leaves.
fn bystander() -> Trace {
    use crate::packet::AddressType;
    use crate::packet::att::{ErrorCode, Handle, Pdu};
    let other = Address([0x66, 0x55, 0x44, 0x33, 0x22, 0xd1]);
    let read = Pdu::ReadRequest { attribute_handle: Handle(0x21) };
    let device = Trace::new().peer(other, AddressType::RANDOM).handle(0x123);
    let good = device.advertises(0).up().mtu().discovery(0x1a).write(3, &[1]).notified(3, &[2]);
    let good = good.wait_ms(3_000).hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(70_000);
    let vain = good.asks_in_vain().wait_ms(70_000);
    let refused = vain.up().mtu().refused(read, ErrorCode::INSUFFICIENT_AUTHENTICATION);
    refused.wait_ms(9_000).disconnected(Status::REMOTE_USER_TERMINATED).wait_ms(70_000)
}

/// What is said of these frames and links alone, counted from the first of each.
fn said_of(
    found: &[Finding],
    frames: std::ops::Range<u32>,
    links: std::ops::Range<u32>,
) -> Vec<String> {
    let here = |f: &Finding, e: &Evidence| e.source.capture() == Some(f.capture);
    let about = |f: &&Finding| {
        f.connections.iter().all(|number| links.contains(number))
            && f.evidence.iter().all(|e| !here(f, e) || frames.contains(&e.frame))
    };
    let told = |f: &Finding| {
        let of: Vec<u32> = f.connections.iter().map(|number| number - links.start).collect();
        let first = |e: &Evidence| if here(f, e) { frames.start } else { 0 };
        let cited: Vec<u32> = f.evidence.iter().map(|e| e.frame - first(e)).collect();
        format!("{} {} {} {of:?} {cited:?}", f.rule, f.level, f.confidence)
    };
    let mut told: Vec<String> = found.iter().filter(about).map(told).collect();
    told.sort();
    told
}

/// What the rules say of a case is the same where the same host was at work with another device before and after.
#[test]
fn another_device_s_links_change_nothing() {
    // What these rules look at is the adapter's, whichever device a command is for.
    let of_adapter = ["legacy-and-extended-mixed", "command-timeout-0x2016-or-other"];
    // A scan that is left on hears the other device; a recording that seemed to have no reports, or no data of devices,
    // has some then.
    let by_others = [
        "the scan hears the other device for a little over 2.5 s",
        "the scan hears another device a moment sooner, and nobody later",
        "this adapter's scan hears nobody, and another adapter's hears others",
        "the host scanned, and the recording has no report at all",
        "this host refused",
        // There is a link to compare then.
        "a device of that name is heard under another address",
    ];
    let other = bystander();
    let frames = other.records().count() as u32;
    let links = other.run().connections.len() as u32;
    let mut wrong = Vec::new();
    for rule in RULES.iter().filter(|rule| !of_adapter.contains(&rule.id)) {
        for case in rule.cases.iter().filter(|case| !by_others.contains(&case.name)) {
            let mut example = (case.example)();
            let subject = example.subject.clone();
            let held = subject.run().connections;
            // A request that still waits would be taken back by the other device's.
            let waits = held.iter().any(|c| c.request.is_some() && c.status.is_none());
            let elsewhere = example.log.is_some() || example.air.is_some();
            if waits || elsewhere || matches!(rule.check, Check::Air(_)) {
                continue;
            }
            let last = crate::packet::hci::Command::ReadBdAddr {};
            let subject = subject.wait_ms(70_000).done(last);
            let (count, more) = (subject.records().count() as u32, held.len() as u32);
            example.subject = subject.clone();
            let alone = said_of(&findings(&example), 1..count + 1, 1..more + 1);
            example.subject = other.clone().followed_by(subject).followed_by(other.clone());
            let (from, of) = (frames + 1, links + 1);
            let beside = said_of(&findings(&example), from..from + count, of..of + more);
            if alone != beside {
                let name = case.name;
                wrong.push(format!("{}: {name}:\n  {alone:?}\n  {beside:?}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{} {}", wrong.len(), wrong.join("\n"));
}

/// Something that a connection is, or that its recording lacks.
type Change = fn(&mut Connection);

/// Rules that say nothing of links that are so: each row is a guard, and the rules that have it.
const GUARDS: &[(&str, Change, &str)] = &[
    (
        // Who says that something is missing needs all of the link.
        "packets of the link are cut",
        |c| c.cut_packets = 1,
        "wifi-coexistence-combo-chip smp-timeout-30s insufficient-auth-no-pairing update-outlived-silence \
         gatt-busy-parallel-requests param-update-unanswered-then-drop noble-stall-mtu-invalid-pdu \
         mtu-exchange-breaks-peer discovery-order-or-volume-difference immediate-0x13-after-first-att \
         peer-hangs-up-on-deadline remote-user-terminated-idle hangs-up-after-command hangs-up-before-any-att weak-link \
         two-procedures-collide local-disconnect-2s-kernel-idle missing-mtu-exchange db-out-of-sync-0x12 \
         peer-uses-old-database gatt-cache-stale write-type-mismatch notifications-never-enabled \
         client-never-answers-indication att-transaction-timeout-30s never-usable-connection att-request-unanswered \
         zombie-link-data-silence late-host-write connection-cancelled-by-app",
    ),
    (
        "the link was up before the capture began",
        |c| c.start_seen = false,
        "insufficient-auth-no-pairing phy-or-dle-update-kills-link gatt-busy-parallel-requests mtu-exchange-breaks-peer \
         discovery-order-or-volume-difference immediate-0x13-after-first-att peer-hangs-up-on-deadline \
         hangs-up-before-any-att no-disconnection-complete ncp-starvation missing-mtu-exchange gatt-cache-stale \
         notifications-never-enabled",
    ),
    (
        "some of its steps are not kept",
        |c| c.elided_steps = 1,
        "gatt-cache-stale notifications-never-enabled",
    ),
    (
        // A central may leave, be late, and ask for what it likes.
        "this host is the peripheral",
        |c| c.role = Some(Role::Peripheral),
        "never-heard-peer never-heard-retry-loop scan-starves-new-link wifi-coexistence-combo-chip too-far \
         insufficient-auth-no-pairing discovery-order-or-volume-difference immediate-0x13-after-first-att \
         peer-hangs-up-on-deadline device-idle-timer remote-user-terminated-idle hangs-up-after-command \
         hangs-up-before-any-att local-disconnect-2s-kernel-idle db-out-of-sync-0x12 gatt-cache-stale \
         write-type-mismatch notifications-never-enabled never-usable-connection late-host-write \
         connection-cancelled-by-app features-differ",
    ),
    (
        "its role is not known",
        |c| c.role = None,
        "never-heard-retry-loop scan-starves-new-link wifi-coexistence-combo-chip service-changed-on-exit \
         reverse-discovery-collides discovery-order-or-volume-difference immediate-0x13-after-first-att \
         device-idle-timer remote-user-terminated-idle hangs-up-after-command hangs-up-before-any-att \
         local-disconnect-2s-kernel-idle gatt-cache-stale notifications-never-enabled never-usable-connection \
         peripheral-0x08-after-5s-android late-host-write connection-cancelled-by-app clock-accuracy-differs",
    ),
    (
        "the device was never heard on it",
        |c| (c.heard, c.last_heard, c.heard_by_end) = (None, None, false),
        "wifi-coexistence-combo-chip phy-or-dle-update-kills-link peer-hangs-up-on-deadline \
         remote-user-terminated-idle device-restarted never-usable-connection att-request-unanswered \
         connection-cancelled-by-app",
    ),
    (
        "it is one of BR/EDR",
        |c| c.transport = Transport::BrEdr,
        "multi-adapter-wrong-controller peer-nonconnectable resolving-list-refused rpa-identity-mismatch \
         peer-gone-or-moved adapter-slots-exhausted scan-window-zero create-conn-timeout-cancel peer-rejects-or-cc-error \
         device-idle-timer hangs-up-after-command hangs-up-before-any-att",
    ),
    (
        "this host ended it",
        |c| ended_by(c, EndedBy::Host),
        "service-changed-on-exit write-command-flood bootloader-reboot-address-change \
         param-update-unanswered-then-drop immediate-0x13-after-first-att peer-hangs-up-on-deadline \
         remote-user-terminated-idle hangs-up-after-command hangs-up-before-any-att",
    ),
    (
        "the device ended it",
        |c| ended_by(c, EndedBy::Peer),
        "local-stack-stopped local-disconnect-2s-kernel-idle notifications-never-enabled never-usable-connection \
         att-request-unanswered connection-cancelled-by-app",
    ),
    (
        "the controller ended it",
        |c| ended_by(c, EndedBy::Controller),
        "service-changed-on-exit local-stack-stopped bootloader-reboot-address-change \
         param-update-unanswered-then-drop immediate-0x13-after-first-att peer-hangs-up-on-deadline \
         remote-user-terminated-idle hangs-up-after-command hangs-up-before-any-att local-disconnect-2s-kernel-idle \
         notifications-never-enabled never-usable-connection att-request-unanswered connection-cancelled-by-app",
    ),
    (
        "it ended for another reason",
        |c| c.end.iter_mut().for_each(|end| end.reason = Status(0x2a)),
        "never-heard-peer never-heard-retry-loop scan-starves-new-link wifi-coexistence-combo-chip too-far \
         mic-failure-0x3d security-request-ignored ll-response-timeout-40s update-refused-by-disconnect \
         phy-or-dle-update-kills-link remote-user-terminated-idle link-died-during-encryption device-restarted \
         supervision-timeout-0x08 short-supervision-timeout-linux-420ms short-supervision-by-peer \
         terminate-not-acknowledged peripheral-0x08-after-5s-android late-host-write hci-latency-or-overload",
    ),
    (
        "its end is not in the capture",
        |c| c.end = None,
        "never-heard-peer never-heard-retry-loop scan-starves-new-link csa2-extended-connect-interop \
         wifi-coexistence-combo-chip too-far service-changed-on-exit mic-failure-0x3d \
         security-request-ignored ll-response-timeout-40s update-refused-by-disconnect phy-or-dle-update-kills-link \
         local-stack-stopped write-command-flood latency-or-interval-change-stalls bootloader-reboot-address-change \
         ota-erase-silence param-update-unanswered-then-drop discovery-order-or-volume-difference \
         immediate-0x13-after-first-att peer-hangs-up-on-deadline remote-user-terminated-idle hangs-up-after-command \
         hangs-up-before-any-att link-died-during-encryption device-restarted supervision-timeout-0x08 \
         short-supervision-timeout-linux-420ms short-supervision-by-peer two-procedures-collide \
         terminate-not-acknowledged local-drop-after-feature-reject local-disconnect-2s-kernel-idle \
         client-never-answers-indication att-transaction-timeout-30s never-usable-connection att-request-unanswered \
         peripheral-0x08-after-5s-android late-host-write queued-delivery connection-cancelled-by-app \
         hci-latency-or-overload interval-differs",
    ),
];

/// The same of the link that works.
const GUARDS_OF_REFERENCE: &[(&str, Change, &str)] = &[
    ("packets of it are cut", |c| c.cut_packets = 1, "discovery-order-or-volume-difference"),
    (
        "it was up before its capture began",
        |c| c.start_seen = false,
        "discovery-order-or-volume-difference",
    ),
    ("that host is the peripheral", |c| c.role = Some(Role::Peripheral), "features-differ"),
    ("its role is not known", |c| c.role = None, "clock-accuracy-differs"),
    (
        "the device was never heard on it",
        |c| (c.heard, c.last_heard, c.heard_by_end) = (None, None, false),
        "attempt-not-in-this-capture csa2-extended-connect-interop own-address-type-differs",
    ),
];

fn ended_by(connection: &mut Connection, by: EndedBy) {
    connection.end.iter_mut().for_each(|end| end.by = by);
}

/// The cases of these rules in which something is found although a capture was changed so.
fn silenced_by(rules: &str, change: impl Fn(&mut Capture), of_reference: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for id in rules.split_whitespace() {
        let rule = rule(id).expect("a rule");
        let fires = |case: &&Case| case.is_shown();
        let mut tried = 0;
        for case in rule.cases.iter().filter(fires) {
            let example = (case.example)();
            if of_reference && example.reference.is_none() || example.log.is_some() {
                continue;
            }
            let (mut captures, _) = run(&example);
            let subject = captures.len() - 1;
            let of = if of_reference { 0 } else { subject };
            change(&mut captures[of]);
            let comparison = example.reference.and(crate::compare::of_captures(&captures));
            let comparison = comparison.as_ref();
            let scene = Scene { captures: &captures, testimonies: &[], subject, comparison };
            tried += 1;
            if !weigh::said(&scene, rule).is_empty() {
                wrong.push(format!("{id}: {}", case.name));
            }
        }
        assert!(tried > 0, "{id}: no case of it");
    }
    wrong
}

#[test]
fn what_a_link_cannot_show_is_not_said_of_it() {
    for (of_reference, guards) in [(false, GUARDS), (true, GUARDS_OF_REFERENCE)] {
        for (so, change, rules) in guards {
            let each = |c: &mut Capture| c.connections.iter_mut().for_each(change);
            let wrong = silenced_by(rules, each, of_reference);
            assert!(wrong.is_empty(), "{so}: {wrong:#?}");
        }
    }
}

/// The device looks at this host, as phones and other hosts do: it searches, reads what it may not, writes and subscribes;
/// and this host sends it a value.
fn device_asks(link: Trace) -> Trace {
    link.from_peer(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], &[0x11, 6, 1, 0, 9, 0, 0x00, 0x18])
        .from_peer(&[0x10, 10, 0, 0xff, 0xff, 0x00, 0x28], &[0x01, 0x10, 10, 0, 0x0a])
        .from_peer(&[0x08, 1, 0, 9, 0, 0x03, 0x28], &[0x09, 7, 2, 0, 0x1a, 3, 0, 0x00, 0x2a])
        .from_peer(&[0x0a, 3, 0], &[0x01, 0x0a, 3, 0, 0x05])
        .from_peer(&[0x0a, 5, 0], &[0x01, 0x0a, 5, 0, 0x02])
        .from_peer(&[0x12, 3, 0, 7], &[0x13])
        .from_peer(&[0x12, 4, 0, 1, 0], &[0x13])
        .acl(Direction::Received, 4, &[0x52, 3, 0, 7])
        .notified_by_us(3, &[7])
}

/// The handle of an LE Read Remote Features Complete that succeeds.
fn features_answered(event: &[u8]) -> Option<u16> {
    match event {
        [0x3e, _, 0x04, 0, low, high, ..] => Some(u16::from_le_bytes([*low, *high])),
        _ => None,
    }
}

fn asked(trace: Trace) -> Trace {
    trace.with_behind(features_answered, device_asks)
}

/// What the rules say of a case is the same where the device asked this host for something when the link was new.
#[test]
fn what_the_device_asks_this_host_changes_nothing() {
    let told_of_it = [
        // This host's answers take buffers of the controller.
        "write-command-flood",
        "ncp-starvation",
        // These are about links on which nothing was done.
        "local-disconnect-2s-kernel-idle",
        "never-usable-connection",
        "connection-cancelled-by-app",
        // It cites the first packet of ATT.
        "missing-mtu-exchange",
        // It tells of all that failed.
        "unexplained-end",
    ];
    let frames = device_asks(Trace::new()).records().count() as u32;
    let mut wrong = Vec::new();
    for rule in RULES.iter().filter(|rule| !told_of_it.contains(&rule.id)) {
        for case in rule.cases {
            let mut example = (case.example)();
            if example.log.is_some() || example.air.is_some() || matches!(rule.check, Check::Air(_))
            {
                continue;
            }
            let told = |example: &Example, shift: &dyn Fn(usize, u32) -> Option<u32>| {
                let finding = |f: &Finding| {
                    let cited = f.evidence.iter().map(|e| shift(e.source.capture()?, e.frame));
                    let cited: Vec<_> = cited.collect();
                    format!("{} {} {} {:?} {cited:?}", f.rule, f.level, f.confidence, f.connections)
                };
                let found = findings(example);
                found.iter().filter(|f| f.rule == rule.id).map(finding).collect::<Vec<_>>()
            };
            let before = told(&example, &|_, frame| Some(frame));
            let places: Vec<Vec<u32>> = example
                .reference
                .iter()
                .chain([&example.subject])
                .map(|trace| {
                    let at = trace.records().filter(|r| match r.payload {
                        crate::capture::Payload::Bytes(bytes) => features_answered(bytes).is_some(),
                        _ => false,
                    });
                    at.map(|r| r.frame).collect()
                })
                .collect();
            example.subject = asked(example.subject);
            example.reference = example.reference.map(asked);
            // The frame that it was before; none for what is new.
            let after = told(&example, &|capture, frame| {
                let mut shift = 0;
                for place in &places[capture] {
                    if frame > place + shift {
                        if frame <= place + shift + frames {
                            return None;
                        }
                        shift += frames;
                    }
                }
                Some(frame - shift)
            });
            if before != after {
                wrong.push(format!("{}: {}:\n  {before:?}\n  {after:?}", rule.id, case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} {}", wrong.len(), wrong.join("\n"));
}

/// What rests on packets that did not come is not said where packets were lost, or left out on purpose.
#[test]
fn what_a_recording_may_lack_is_not_missed() {
    use crate::capture::{Warning, WarningKind};
    let lost: fn(&mut Capture) =
        |c| c.warnings.push(Warning::of_all(WarningKind::DroppedPackets, "some were dropped"));
    let by_loss = "adapter-removed att-request-unanswered att-transaction-timeout-30s \
        client-never-answers-indication command-timeout-0x2016-or-other connection-cancelled-by-app \
        create-conn-status-error create-conn-timeout-cancel db-out-of-sync-0x12 features-differ \
        gatt-busy-parallel-requests hangs-up-after-command hangs-up-before-any-att insufficient-auth-no-pairing \
        late-host-write local-disconnect-2s-kernel-idle missing-mtu-exchange mtu-exchange-breaks-peer ncp-starvation \
        never-usable-connection no-disconnection-complete notifications-never-enabled peer-hangs-up-on-deadline \
        remote-user-terminated-idle scan-starves-new-link smp-timeout-30s two-procedures-collide \
        update-outlived-silence weak-link wifi-coexistence-combo-chip write-command-flood zombie-link-data-silence";
    let filtered: fn(&mut Capture) = |c| c.filtered = true;
    let by_filter =
        "attempt-not-in-this-capture command-timeout-0x2016-or-other no-disconnection-complete";
    for (change, rules) in [(lost, by_loss), (filtered, by_filter)] {
        let wrong = silenced_by(rules, change, false);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
