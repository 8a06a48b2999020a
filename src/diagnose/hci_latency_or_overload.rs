use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::{Address, AddressType, Direction, Status};
use crate::time::Span;
use crate::timeline::{Connection, Stack, Step};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "hci-latency-or-overload",
    title: "Several links of one adapter were lost at the same moment",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
Links to different devices that are lost together point to what they share: this adapter, its radio time, its host, or their
surroundings, not to the devices.

## How it shows
Two or more links to different devices end with 0x08 within one second on one adapter. It is a suspicion where the capture
shows the load too: four links and more at intervals of 15 ms or less, or a host that takes longer than 200 ms to answer what
devices ask it; else a note.

## What else it could be
A host that moved away from all devices at once, or a burst of disturbance.

## What to do
Fewer links on an adapter, longer intervals with a common factor, no scanning meanwhile, Wi-Fi off for a test.",
    sources: &["hbldh/bleak#1858", "Nordic SoftDevice scheduling documentation"],
    check: Check::Capture(check),
    cases: &[
        Case::fires(|| example(200, 12).into()),
        Case::silent("the nearest other trace", || example(5_000, 12).into()),
    ],
};

/// Four links at that interval, of which two are lost, that much apart.
fn example(apart: u32, interval: u16) -> Trace {
    let lost = Status::CONNECTION_TIMEOUT;
    let mut trace = Trace::new();
    for number in 0..4_u8 {
        let device = Address([number + 2, 0, 0, 0, 0, 0xc0]);
        trace = trace
            .peer(device, AddressType::RANDOM)
            .handle(0x40 + u16::from(number))
            .create()
            .connected_as(0, interval, 0, 100)
            .features();
    }
    trace
        .peer(PEER, AddressType::RANDOM)
        .wait_ms(3_000)
        .disconnected(lost)
        .wait_ms(apart)
        .handle(0x40)
        .disconnected(lost)
}

/// Links this fast, and so many of them, leave a controller no time for anything else.
const FAST: Span = Span::from_ms(15);
const MANY: usize = 4;

/// A host that answers a device's question this late is busy; three times is no accident.
const LATE: Span = Span::from_ms(200);
const OFTEN: usize = 3;

/// Most pairs told of one capture.
const MOST: usize = 20;

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Ask for longer intervals, and spread the devices over two adapters; a scan beside links takes time too.",
    ),
    Remedy::any("Repeat with Wi-Fi off: what all links share is this host's radio."),
];

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let mut lost: Vec<&Connection> = scene
        .capture()
        .connections
        .iter()
        .filter(|c| c.reason() == Some(Status::CONNECTION_TIMEOUT))
        .collect();
    // Neighbours are those of one adapter.
    lost.sort_by_key(|c| c.adapter);
    lost.windows(2)
        .filter(|pair| together(pair[0], pair[1]))
        .take(MOST)
        .filter_map(|pair| {
            let [one, other] = pair else { return None };
            let fast = fast_links(scene, other);
            let late = late_answers(scene, other);
            let mut signs = Vec::new();
            if fast >= MANY {
                signs.push(format!("{fast} links were open at intervals of {FAST} or less"));
            }
            if let [.., worst] = late.as_slice() {
                let longest = worst.last.at.since(worst.at)?;
                signs.push(format!("this host took up to {longest} to answer what devices asked"));
            }
            let says = "Links to different devices were lost within one second: look at what they share, this adapter and its surroundings.";
            let mut verdict = if signs.is_empty() {
                Verdict::note(says).sure(Confidence::Low)
            } else {
                Verdict::suspect(format!("{says} The adapter was busy: {}.", signs.join(", and ")))
            }
            .about([one.number, other.number])
            .rules_out("remote-user-terminated-idle", "no device hung up: packets stayed away")
            .settled_by("Repeat with one device at a time, without scanning, and with Wi-Fi off.")
            .try_these(remedies(scene, REMEDIES));
            for c in pair {
                verdict = verdict
                    .sees(c.end.as_ref()?.frame, format!("connection {} is lost (0x08)", c.number));
            }
            for step in late.iter().rev().take(OFTEN) {
                let took = step.last.at.since(step.at)?;
                verdict = verdict
                    .sees(step.last.frame, format!("this host answers {took} after the question"));
            }
            Some(verdict)
        })
        .collect()
}

/// How many fast links the adapter had when that one was lost, itself included.
fn fast_links(scene: &Scene<'_>, lost: &Connection) -> usize {
    let Some(end) = &lost.end else { return 0 };
    let open = |c: &&Connection| {
        c.adapter == lost.adapter
            && c.connected_frame().is_some_and(|frame| frame < end.frame)
            && c.end.as_ref().is_none_or(|e| e.frame >= end.frame || together(c, lost))
            && c.current.is_some_and(|current| current.interval() <= FAST)
    };
    scene.capture().connections.iter().filter(open).count()
}

/// What this host answered late on the adapter, in the ten seconds before that link was lost: the worst last.
fn late_answers<'a>(scene: &Scene<'a>, lost: &Connection) -> Vec<&'a Step> {
    let Some(end) = &lost.end else { return Vec::new() };
    let late = |s: &&Step| {
        s.by == Direction::Received
            && s.is_att()
            && s.count == 1
            && s.last.frame > s.frame
            && s.last.at.since(s.at).is_some_and(|took| took >= LATE)
            && end
                .at
                .since(s.last.at)
                .is_some_and(|ago| ago >= Span::from_ms(0) && ago <= Span::from_ms(10_000))
    };
    let links = scene.capture().connections.iter().filter(|c| c.adapter == lost.adapter);
    let mut all: Vec<&Step> = links.flat_map(|c| c.steps.iter().filter(late)).collect();
    all.sort_by_key(|s| s.last.at.since(s.at));
    if all.len() < OFTEN { Vec::new() } else { all }
}

/// Two links of one adapter to different devices, lost within a second.
fn together(a: &Connection, b: &Connection) -> bool {
    let near = a
        .end
        .as_ref()
        .zip(b.end.as_ref())
        .and_then(|(a, b)| b.at.since(a.at))
        .is_some_and(|d| d.abs() <= Span::from_ms(1000));
    near && a.adapter == b.adapter && a.peer.address != b.peer.address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Level, diagnose};

    #[test]
    fn without_a_sign_of_load_it_is_a_note() {
        let captures = [example(200, 39).run()];
        let found = diagnose(&Scene { captures: &captures, subject: 0, comparison: None });
        let finding = found.iter().find(|f| f.rule == RULE.id).expect("it fires");
        assert_eq!(finding.level, Level::Note);
    }
}
