//! Links that do well: nothing is found in them.
use super::*;
use crate::packet::Direction::{Received, Sent};
use crate::packet::hci::{Command, LeEvent};
use crate::packet::{AddressType, Secret, signal, smp};
use crate::trace::HANDLE;

const DONE: Status = Status::REMOTE_USER_TERMINATED;

/// A link on which a program finds, subscribes and gets what it wants.
fn used(link: Trace) -> Trace {
    used_as(0x1a, link)
}

/// The same, with these properties.
fn used_as(properties: u8, link: Trace) -> Trace {
    let ready = link.mtu().discovery(properties).write(4, &[1, 0]).write(3, &[7]);
    (0..5).fold(ready, |link, n| link.wait_ms(300).notified(3, &[n]))
}

/// The same, and this host ends it.
fn whole(link: Trace) -> Trace {
    used(link).wait_ms(500).hangs_up(DONE)
}

fn encrypted(link: Trace) -> Trace {
    link.encrypts().wait_ms(60).encryption(Status::SUCCESS)
}

/// Both sides pair by Just Works, and hand out their keys.
fn paired(link: Trace) -> Trace {
    let random = smp::Pdu::PairingRandom { random_value: Secret::new([0; 16]) };
    let asked = link.asks_to_pair().answers_pairing().smp(Sent, random).smp(Received, random);
    encrypted(asked).gives_key(Received, 1).gives_key(Sent, 1)
}

fn updated(link: Trace) -> Trace {
    link.le(LeEvent::ConnectionUpdateComplete {
        status: Status::SUCCESS,
        connection_handle: HANDLE,
        connection_interval: 40,
        peripheral_latency: 0,
        supervision_timeout: 500,
    })
}

/// The device asks for other parameters, and gets them.
fn granted(link: Trace) -> Trace {
    let wish = signal::Pdu::ConnectionParameterUpdateRequest {
        interval_min: 40,
        interval_max: 40,
        latency: 0,
        timeout: 500,
    };
    let yes = signal::Pdu::ConnectionParameterUpdateResponse { result: 0 };
    let asked = link.signal(Received, 1, wish).wait_ms(2).signal(Sent, 1, yes);
    let command = Command::LeConnectionUpdate {
        connection_handle: HANDLE,
        connection_interval_min: 40,
        connection_interval_max: 40,
        max_latency: 0,
        supervision_timeout: 500,
        min_ce_length: 0,
        max_ce_length: 0,
    };
    updated(asked.taken(command).wait_ms(300))
}

/// Longer packets, and the faster PHY.
fn faster(link: Trace) -> Trace {
    let (tx_phys, rx_phys, connection_handle) = (2, 2, HANDLE);
    let set =
        Command::LeSetPhy { connection_handle, all_phys: 0, tx_phys, rx_phys, phy_options: 0 };
    let (tx_phy, rx_phy, status) = (2, 2, Status::SUCCESS);
    let changed = LeEvent::PhyUpdateComplete { status, connection_handle, tx_phy, rx_phy };
    let longer = LeEvent::DataLengthChange {
        connection_handle,
        max_tx_octets: 251,
        max_tx_time: 2_120,
        max_rx_octets: 251,
        max_rx_time: 2_120,
    };
    link.le(longer).taken(set).wait_ms(60).le(changed)
}

/// A value that is longer than a packet, in pieces.
fn long_write(link: Trace) -> Trace {
    let piece = |link: Trace, at: u8| {
        link.to_peer(&[0x16, 3, 0, at, 0, 1, 2, 3], &[0x17, 3, 0, at, 0, 1, 2, 3])
    };
    piece(piece(link, 0), 3).to_peer(&[0x18, 1], &[0x19])
}

/// A central finds this host's service, subscribes, and gets values.
fn served(link: Trace) -> Trace {
    let found = link
        .from_peer(&[0x02, 5, 2], &[0x03, 0xf7, 0])
        .from_peer(&[0x10, 1, 0, 0xff, 0xff, 0, 0x28], &[0x11, 6, 1, 0, 9, 0, 0x0f, 0x18])
        .from_peer(&[0x10, 10, 0, 0xff, 0xff, 0, 0x28], &[0x01, 0x10, 10, 0, 0x0a])
        .from_peer(&[0x08, 1, 0, 9, 0, 3, 0x28], &[0x09, 7, 2, 0, 0x1a, 3, 0, 0x19, 0x2a])
        .from_peer(&[0x04, 4, 0, 9, 0], &[0x05, 1, 4, 0, 2, 0x29])
        .from_peer(&[0x12, 4, 0, 1, 0], &[0x13]);
    (0..5).fold(found, |link, n| link.wait_ms(300).notified_by_us(3, &[n]))
}

/// What is special about a trace, and the trace.
type Healthy = (&'static str, fn() -> Trace);

const HEALTHY: &[Healthy] = &[
    ("a link that is used and ended", || whole(Trace::new().advertises(0).up())),
    ("one that is still in use", || used(Trace::new().advertises(0).up()).advertises(0)),
    ("the same device three times", || whole(Trace::new().up()).repeated(3, 5_000)),
    ("one with a stored key", || whole(encrypted(Trace::new().up()))),
    ("one that is paired", || whole(paired(Trace::new().up()))),
    ("the device asks for security, and gets it", || {
        let asks = smp::Pdu::SecurityRequest { auth_req: 1 };
        whole(encrypted(Trace::new().up().smp(Received, asks)))
    }),
    ("the device asks for other parameters, and gets them", || whole(granted(Trace::new().up()))),
    ("longer packets and the faster PHY", || whole(faster(Trace::new().up()))),
    ("a long value in pieces", || long_write(used(Trace::new().up())).wait_ms(500).hangs_up(DONE)),
    ("an indication that is confirmed", || {
        let told = used(Trace::new().up()).from_peer(&[0x1d, 3, 0, 1], &[0x1e]);
        told.wait_ms(500).hangs_up(DONE)
    }),
    ("Write Commands, each acknowledged", || {
        let link = used_as(0x1e, Trace::new().buffers(4).up()).acknowledged(7);
        let sent = (0..5).fold(link, |link, _| link.writes_to(3, 2).wait_ms(50).acknowledged(2));
        sent.wait_ms(500).hangs_up(DONE)
    }),
    ("a device that looks at this host as well", || {
        served(used(Trace::new().up())).wait_ms(500).hangs_up(DONE)
    }),
    ("a central that is served, and leaves", || {
        served(Trace::new().connected_as(1, 24, 0, 500)).wait_ms(500).disconnected(DONE)
    }),
    ("a scan before the link, and none beside it", || {
        let scan = Trace::new().scan(true, 96, 48).advertises(0).wait_ms(900).scan(false, 0, 0);
        whole(scan.up())
    }),
    ("two devices at once", || {
        let other = Address([2, 0, 0, 0, 0, 0xc0]);
        let first = used(Trace::new().up()).peer(other, AddressType::RANDOM).handle(0x41);
        whole(first.up()).handle(HANDLE.0).wait_ms(500).hangs_up(DONE)
    }),
    ("a link from before the capture", || used(Trace::new()).wait_ms(500).hangs_up(DONE)),
    ("a scan that hears devices, and nothing else", || {
        let scan = Trace::new().scan(true, 96, 48).advertises(0).advertises(3).wait_ms(3_000);
        scan.advertises(0).scan(false, 0, 0)
    }),
    ("BR/EDR: a link that this host ends", || {
        let link = Trace::new().peer(crate::trace::PEER, AddressType::PUBLIC).connected_bredr();
        let asks = signal::Pdu::InformationRequest { info_type: 2 };
        link.signal_bredr(Sent, 1, asks).wait_ms(3_000).hangs_up(DONE)
    }),
];

#[test]
fn nothing_is_found_where_all_is_well() {
    let mut wrong = Vec::new();
    for (name, trace) in HEALTHY {
        for finding in findings(&trace().into()) {
            wrong.push(format!("{name}: {} {}: {}", finding.rule, finding.level, finding.says));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What works has not what is wrong with the other one.
#[test]
fn a_rule_says_nothing_of_the_link_that_works() {
    let mut wrong = Vec::new();
    for rule in RULES.iter().copied() {
        for case in rule.cases.iter().filter(|case| case.is_shown()) {
            let Some(works) = (case.example)().reference else { continue };
            if seen(&works.into(), |scene| !weigh::said(scene, rule).is_empty()) {
                wrong.push(format!("{}: {}", rule.id, case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Two links that do well differ in nothing that matters.
#[test]
fn two_hosts_that_do_well_are_told_apart_by_notes_alone() {
    let mut wrong = Vec::new();
    for (name, works) in HEALTHY {
        // Without an attempt there is nothing to compare.
        let tried = HEALTHY.iter().filter(|(_, trace)| !trace().run().connections.is_empty());
        for (other, subject) in tried {
            for finding in findings(&Example::pair(works(), subject())) {
                if finding.level != Level::Note {
                    wrong.push(format!("{name}, {other}: {} {}", finding.rule, finding.level));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
