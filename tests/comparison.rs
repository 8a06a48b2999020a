//! What holds for any comparison, on captures that are changed in memory.
#![cfg(feature = "cli")]
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use hcidiff::case::{self, Analysis};
use hcidiff::compare::{self, Comparison, Key, Names, Options, StepKind, Wanted};
use hcidiff::packet::{Address, ConnHandle};
use hcidiff::sides::Sides;
use hcidiff::time::Span;
use hcidiff::timeline::{Capture, Connection, Moment, Procedure};
use proptest::prelude::*;
use std::path::Path;
use std::sync::{Arc, OnceLock};

const CASES: [&str; 8] = [
    "kick-mac-bluez",
    "bond-lost",
    "good-bluez-versions",
    "never-heard-bluez",
    "parameters-ignored",
    "pairing-no-agent",
    "idle-policy",
    "good-apple-noble",
];

/// Reference and subject of every case.
fn captures() -> &'static [[Capture; 2]] {
    static READ: OnceLock<Vec<[Capture; 2]>> = OnceLock::new();
    READ.get_or_init(|| {
        let read = |case: &str, side: &str| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pairs").join(case);
            let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let file = files.into_iter().find(|path| path.file_stem().unwrap() == side).unwrap();
            case::read(&file.into()).unwrap()
        };
        CASES.iter().map(|case| [read(case, "reference"), read(case, "subject")]).collect()
    })
}

fn compared(captures: &[Capture]) -> Comparison {
    compared_as(captures, &Options::default())
}

fn compared_as(captures: &[Capture], options: &Options) -> Comparison {
    Analysis::of(captures.to_vec(), options).comparison.expect("the same device")
}

fn count(comparison: &Comparison, kind: StepKind) -> usize {
    comparison.steps.iter().filter(|step| step.kind == kind).count()
}

/// The connection of the reference that works, alone in its capture, and changed on the subject's side.
fn changed(case: usize, change: impl FnOnce(&mut Connection)) -> (Comparison, Connection) {
    let mut capture = captures()[case][0].clone();
    let number = compared(&captures()[case]).reference.connection;
    capture.connections.retain(|connection| connection.number == number);
    capture.connections[0].number = 1;
    let mut other = capture.clone();
    change(&mut other.connections[0]);
    let original = capture.connections[0].clone();
    (compared(&[capture, other]), original)
}

fn moved(moment: &mut Moment, by: Span) {
    if let Some(time) = moment.time() {
        *moment = Moment::from(time + by);
    }
}

/// Everything from a step on happens later.
fn delay(connection: &mut Connection, from: usize, by: Span) {
    for step in &mut connection.steps[from..] {
        moved(&mut step.at, by);
        moved(&mut step.last.at, by);
    }
    if let Some(end) = &mut connection.end {
        moved(&mut end.at, by);
    }
    moved(&mut connection.capture_end, by);
}

/// Other addresses, handles, adapters and another clock: nothing that a comparison may see.
fn renamed(capture: &Capture, addresses: u8, handles: u16, adapters: u16, clock: Span) -> Capture {
    let mut capture = capture.clone();
    let address =
        |address: &mut Address| address.0.iter_mut().take(3).for_each(|byte| *byte ^= addresses);
    for adapter in &mut capture.adapters {
        adapter.address.iter_mut().for_each(address);
        adapter.index = adapter.index.map(|index| index + adapters);
    }
    for device in &mut capture.devices {
        address(&mut device.address);
        device.identity.iter_mut().for_each(|(identity, _)| address(identity));
    }
    for connection in &mut capture.connections {
        connection.adapter = connection.adapter.map(|index| index + adapters);
        connection.handle =
            connection.handle.map(|ConnHandle(handle)| ConnHandle(handle ^ handles));
        let peer = &mut connection.peer;
        peer.address.iter_mut().for_each(address);
        peer.on_air.iter_mut().for_each(address);
        peer.identity.iter_mut().for_each(|(identity, _)| address(identity));
        if let Some(request) = &mut connection.request {
            address(&mut request.peer);
            moved(&mut request.at, clock);
            request.cancelled.iter_mut().for_each(|seen| moved(&mut seen.at, clock));
        }
        for sighting in [&mut connection.heard, &mut connection.last_heard].into_iter().flatten() {
            moved(&mut sighting.seen.at, clock);
        }
        if let Some(mtu) = &mut connection.mtu {
            moved(&mut mtu.at, clock);
            mtu.answer.iter_mut().for_each(|seen| moved(&mut seen.at, clock));
        }
        if let Some(first) = &mut connection.first_att {
            moved(&mut first.at, clock);
        }
        if let Some(end) = &mut connection.end {
            moved(&mut end.at, clock);
            end.command.iter_mut().for_each(|seen| moved(&mut seen.at, clock));
        }
        for open in &mut connection.open_requests {
            moved(&mut open.at, clock);
        }
        for step in &mut connection.steps {
            moved(&mut step.at, clock);
            moved(&mut step.last.at, clock);
        }
        for moment in [&mut connection.usable_at, &mut connection.capture_end] {
            moved(moment, clock);
        }
        let places = [&mut connection.up, &mut connection.last_pdu, &mut connection.last_sent_pdu];
        for seen in places.into_iter().flatten() {
            moved(&mut seen.at, clock);
        }
    }
    capture
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn exchanging_the_sides_exchanges_missing_and_extra(case in 0..CASES.len()) {
        needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv" => Ok(()));
        let [a, b] = &captures()[case];
        let there = compared(&[a.clone(), b.clone()]);
        let options = Options {
            wanted: Sides::new(there.subject, there.reference)
                .map(|side| Wanted::connection(side.connection)),
            ..Options::default()
        };
        // An analysis would notice that the sides are swapped, and turn them.
        let other = [b.clone(), a.clone()];
        let choice = compare::choose(&other, &options).expect("the same device");
        let back = compare::compare(&other, &choice, &options).expect("of these captures");
        for (one, other) in [
            (StepKind::Missing, StepKind::Extra), (StepKind::Extra, StepKind::Missing), (StepKind::Moved, StepKind::Moved),
            (StepKind::Same, StepKind::Same), (StepKind::Changed, StepKind::Changed),
        ] {
            prop_assert_eq!(count(&there, one), count(&back, other));
        }
        prop_assert_eq!(there.differs, back.differs);
        prop_assert_eq!(there.missing_early.len(), back.extra_early.len());
    }

    #[test]
    fn one_step_less_is_one_missing(case in 0..CASES.len(), at in any::<prop::sample::Index>()) {
        needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv" => Ok(()));
        let (found, _) = changed(case, |connection| { connection.steps.remove(at.index(connection.steps.len())); });
        prop_assert_eq!(count(&found, StepKind::Missing), 1);
        prop_assert_eq!(count(&found, StepKind::Extra) + count(&found, StepKind::Moved), 0);
    }

    #[test]
    fn a_delayed_step_is_changed_and_nothing_else(case in 0..CASES.len(), at in any::<prop::sample::Index>()) {
        needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv" => Ok(()));
        let mut delayed = 0;
        let (found, original) = changed(case, |connection| {
            let movable = connection.steps.len() - 2;
            delayed = 1 + at.index(movable);
            delay(connection, delayed, Span::from_ms(90_000));
        });
        prop_assume!(original.steps[delayed].procedure != Procedure::Disconnect);
        for (index, step) in found.steps.iter().enumerate() {
            let kind = if index == delayed { StepKind::Changed } else { StepKind::Same };
            prop_assert_eq!(step.kind, kind, "step {} of {}: {}", index, delayed, &step.note);
            prop_assert!(step.normal);
        }
    }

    #[test]
    fn two_steps_exchanged_are_one_moved(case in 0..CASES.len(), at in any::<prop::sample::Index>()) {
        needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv" => Ok(()));
        let mut exchanged = false;
        let capture = &captures()[case][0];
        let (found, _) = changed(case, |connection| {
            let names = Names::of(capture, connection);
            let at = at.index(connection.steps.len() - 1);
            let keys = [at, at + 1].map(|i| Key::of(connection, &names, &connection.steps[i]));
            exchanged = keys[0] != keys[1];
            // What they are changes places; when and where stays.
            let (mut one, mut other) = (connection.steps[at].clone(), connection.steps[at + 1].clone());
            (one.first, other.first) = (other.first, one.first);
            (one.last, other.last) = (other.last, one.last);
            connection.steps[at] = other;
            connection.steps[at + 1] = one;
        });
        prop_assume!(exchanged);
        prop_assert_eq!(count(&found, StepKind::Moved), 1);
        prop_assert_eq!(count(&found, StepKind::Missing) + count(&found, StepKind::Extra), 0);
    }

    #[test]
    fn names_handles_adapters_and_clocks_do_not_matter(
        case in 0..CASES.len(), addresses in any::<u8>(), handles in 0_u16..0x0eff, adapters in 0_u16..4, clock in -1_000_000_000_000_i64..1_000_000_000_000,
    ) {
        needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv" => Ok(()));
        let [a, b] = &captures()[case];
        let plain = compared(&[a.clone(), b.clone()]);
        let found = compared(&[a.clone(), renamed(b, addresses, handles, adapters, Span(clock))]);
        let mut matched = found;
        matched.matched_by = plain.matched_by;
        matched.match_says.clone_from(&plain.match_says);
        // Where both addresses are one, a row of the parameters says so; no other difference is allowed.
        let type_only = |p: &compare::Parameter| p.name == "peer address type";
        prop_assert!(matched.parameters.iter().filter(|p| !type_only(p)).eq(plain.parameters.iter().filter(|p| !type_only(p))));
        prop_assert_eq!(&matched.steps, &plain.steps);
        prop_assert_eq!(&matched.missing_early, &plain.missing_early);
        prop_assert_eq!(&matched.extra_early, &plain.extra_early);
        prop_assert_eq!(&matched.clocks, &plain.clocks);
        prop_assert_eq!(&matched.databases, &plain.databases);
        prop_assert_eq!(matched.same_until, plain.same_until);
        prop_assert_eq!(&matched.divergence, &plain.divergence);
        prop_assert_eq!((matched.reference, matched.subject), (plain.reference, plain.subject));
    }
}

/// A host that found handles in its cache gets names from the side that asked.
#[test]
fn a_cached_discovery_is_named_by_the_other_side() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    let [reference, subject] = captures()[2].clone();
    let mut cached = subject.clone();
    for connection in &mut cached.connections {
        connection.remote = Arc::default();
        connection.steps.retain(|step| {
            !matches!(
                step.procedure,
                Procedure::DiscoverServices
                    | Procedure::DiscoverIncludes
                    | Procedure::DiscoverCharacteristics
                    | Procedure::DiscoverDescriptors
            )
        });
    }
    let found = compared(&[reference.clone(), cached.clone()]);
    assert!(!found.differs, "{:?}", found.divergence);
    let Sides { subject: names, .. } =
        compare::names(&[reference, cached.clone()], found.reference, found.subject).unwrap();
    let connection = cached.connection(found.subject.connection).unwrap();
    let written = connection.steps.iter().filter(|step| step.procedure == Procedure::Write);
    for step in written {
        assert!(names.attribute(connection, step).unwrap().uuid.is_some());
    }
}

/// `A/15-two-devices` connects to two devices; the other captures know one of them.
#[test]
fn a_device_that_only_the_reference_connected_to_is_named_where_the_subject_listened() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    let lab = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab");
    let report = |reference: &str, subject: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_hcidiff"))
            .args([lab.join(reference), lab.join(subject)])
            .arg("--full")
            .env("COLUMNS", "200")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let more = report("A/15-two-devices.btsnoop", "A/01-good-basic.btsnoop");
    assert_eq!(more.matches("neither connected to nor heard").count(), 1, "{more}");
    let same = report("A/15-two-devices.btsnoop", "A/15-two-devices.btsnoop");
    assert_eq!(same.matches("neither connected to nor heard").count(), 0, "{same}");
}
