//! A host with two adapters: whatever the other one does, of the links of this one the same is said.
use super::*;
use crate::packet::hci::Command;
use crate::packet::{AddressType, Secret};

const RANDOM: AddressType = AddressType::RANDOM;

/// Devices that only the other adapter knows.
const FIRST: Address = Address([0x66, 0x55, 0x44, 0x33, 0x22, 0xd1]);
const SECOND: Address = Address([0x67, 0x55, 0x44, 0x33, 0x22, 0xd1]);

/// One thing that an adapter does.
type Deed = fn(Trace) -> Trace;

/// What the other adapter does, one deed behind each packet of this one.
const DEEDS: &[Deed] = &[
    |trace| trace.done(Command::Reset {}),
    |trace| trace.buffers(1),
    |trace| trace.scan(true, 16, 16),
    |trace| trace.peer(SECOND, RANDOM).advertises(0),
    |trace| trace.done(Command::LeClearFilterAcceptList {}),
    |trace| trace.peer(FIRST, RANDOM).advertises_as("Other").create().connected(),
    |trace| {
        let other = Command::LeAddDeviceToResolvingList {
            peer_identity_address_type: RANDOM,
            peer_identity_address: SECOND,
            peer_irk: Secret::new([0; 16]),
            local_irk: Secret::new([0; 16]),
        };
        trace.command(other).complete(other.opcode(), &[Status::COMMAND_DISALLOWED.0])
    },
    |trace| trace.features().mtu(),
    |trace| trace.scan(false, 0, 0),
    |trace| trace.disconnected(Status::CONNECTION_TIMEOUT),
    // mgmt: Controller Suspend.
    |trace| trace.monitor(17, &[0, 0, 0, 0, 0x2d, 0, 1]),
];

/// The other adapter, at work at the same moments: it begins with one deed or another.
fn busy(times: &[i64], first: usize) -> Trace {
    let deeds = DEEDS.iter().cycle().skip(first);
    let begun = Trace::new().handle(0x321);
    let mut last = None;
    // Of a long trace, forty moments are enough.
    let moments = times.iter().step_by(times.len() / 40 + 1);
    moments.zip(deeds).fold(begun, |trace, (at, deed)| {
        let so_far = trace.records().filter_map(|record| record.time).last().map(|time| time.0);
        let from = so_far.or(last).unwrap_or(*at);
        last = Some(*at);
        let wait = u32::try_from((at - from).max(0)).unwrap_or(u32::MAX);
        deed(trace.after_us(wait))
    })
}

/// What a rule says of the links of the first adapters, with the frames that it cites, counted among theirs.
fn told(example: &Example, rule: &'static Rule, own: u16) -> Vec<String> {
    let records: Vec<_> = example.subject.records().map(|r| (r.frame, r.adapter)).collect();
    let place = |frame: u32| {
        let mine = records.iter().filter(|(_, adapter)| adapter.is_some_and(|a| a <= own));
        mine.clone().position(|(other, _)| *other == frame)
    };
    seen(example, |scene| {
        let links = scene.capture().connections.iter();
        let links: Vec<u32> = links
            .filter(|c| c.adapter.is_some_and(|adapter| adapter <= own))
            .map(|c| c.number)
            .collect();
        let mut told = Vec::new();
        for (level, confidence, connections, frames) in weigh::cited(scene, rule) {
            let link = |number: &u32| links.iter().position(|other| other == number);
            let about: Option<Vec<_>> = connections.iter().map(link).collect();
            let cited: Option<Vec<_>> = frames.into_iter().map(place).collect();
            if let Some((about, cited)) = about.zip(cited) {
                told.push(format!("{level} {confidence} {about:?} {cited:?}"));
            }
        }
        told
    })
}

#[test]
fn what_another_adapter_does_changes_nothing() {
    let of_the_capture = [
        // How long it goes on, and how many frames lie between two.
        "the capture ends exactly 30 s after the cancel",
        "the capture goes on for a moment less",
        "the log's line comes forty frames later",
        "once lost, and another link showed two more frames after such a change",
        // How many attempts lie between two.
        "64 requests later one comes through",
        "65 requests later one comes through",
        // Whether commands, answers or reports are missing in it.
        "the capture begins between the command and the refusal",
        "two requests wait for an answer, and one answer is there",
        "the host scanned, and the recording has no report at all",
        // The other adapter's link is one to compare with.
        "a device of that name is heard under another address",
    ];
    let mut wrong = Vec::new();
    for rule in RULES.iter().copied() {
        for case in rule.cases.iter().filter(|case| !of_the_capture.contains(&case.name)) {
            let example = (case.example)();
            if example.log.is_some() || example.air.is_some() || matches!(rule.check, Check::Air(_))
            {
                continue;
            }
            let times: Vec<i64> =
                example.subject.records().filter_map(|r| r.time).map(|time| time.0).collect();
            let own = example.subject.records().filter_map(|r| r.adapter).max().unwrap_or(0);
            if !times.is_sorted() {
                continue;
            }
            let alone = told(&example, rule, own);
            for first in [0, DEEDS.len() / 2] {
                let mut example = (case.example)();
                example.subject = example.subject.beside(busy(&times, first));
                let beside = told(&example, rule, own);
                if alone != beside {
                    let name = case.name;
                    wrong.push(format!("{}: {name}:\n  {alone:?}\n  {beside:?}", rule.id));
                    break;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} {}", wrong.len(), wrong.join("\n"));
}
