//! A case is analysed in the same way wherever its captures come from, and one that cannot be read is named.
use hcidiff::capture::{Input, OpenOptions};
use hcidiff::case::{Case, Side, Unreadable, analyse};
use hcidiff::compare::{Options, Wanted, of_captures};
use hcidiff::diagnose::RULES;
use hcidiff::report::{Report, json};
use hcidiff::seen::SourceId;
use hcidiff::sides::Sides;
use hcidiff::trace::Trace;
use hcidiff::{Analysis, case, witness};
use std::fs;
use std::path::{Path, PathBuf};

fn flagship(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/flagship").join(name)
}

fn in_memory(name: &str) -> Input {
    Input::bytes(name, fs::read(flagship(name)).unwrap())
}

fn from_reader(name: &str) -> Input {
    Input::reader(name, fs::File::open(flagship(name)).unwrap())
}

fn report(case: &Case) -> String {
    json::render(&Report::from(analyse(case).unwrap()))
}

#[test]
fn a_path_bytes_and_a_reader_give_the_same_analysis() {
    let pair = ["mac.pklg", "pi.btsnoop"];
    let [reference, subject] = pair.map(flagship);
    let expected = report(&Case::pair(reference, subject));
    assert!(expected.contains("never-heard-peer"));
    let [reference, subject] = pair.map(in_memory);
    assert_eq!(report(&Case::pair(reference, subject)), expected);
    let [reference, subject] = pair.map(from_reader);
    assert_eq!(report(&Case::pair(reference, subject)), expected);
}

#[test]
fn a_reader_is_read_once() {
    let case = Case::one(from_reader("pi.btsnoop"));
    assert!(analyse(&case).is_ok());
    // A second look would begin at its end: an empty capture is not what was asked for.
    let Unreadable { name, error } = analyse(&case).unwrap_err();
    assert_eq!(name, "pi.btsnoop");
    assert_eq!(error.to_string(), "it can be read only once");
}

#[test]
fn values_need_a_second_look() {
    let mut case = Case::one(in_memory("mac.pklg"));
    assert!(analyse(&case).unwrap().values.is_empty());
    case.values = true;
    assert!(!analyse(&case).unwrap().values.is_empty());
    let mut case = Case::one(from_reader("mac.pklg"));
    case.values = true;
    let analysis = analyse(&case).unwrap();
    assert!(analysis.values.is_empty());
    let warning = analysis.captures[0].warnings.last().expect("a warning");
    assert_eq!(warning.text, "values cannot be shown: mac.pklg can be read only once");
}

#[test]
fn one_unreadable_side_leaves_the_other() {
    let broken = || Input::bytes("broken", *b"no capture at all");
    for (case, left) in [
        (Case::pair(broken(), in_memory("pi.btsnoop")), "pi"),
        (Case::pair(in_memory("pi.btsnoop"), broken()), "pi"),
    ] {
        let analysis = analyse(&case).unwrap();
        assert_eq!(analysis.captures.len(), 1);
        assert_eq!(analysis.captures[0].label, left);
        assert_eq!(analysis.findings[0].rule, "never-heard-peer");
        let says = analysis.no_match.expect("nothing to compare with").says.to_string();
        assert!(says.starts_with("broken: not an HCI capture"), "{says}");
        assert!(says.ends_with("nothing to compare pi with"), "{says}");
    }
    // Both at once: the first is named.
    let case = Case::pair(broken(), Input::bytes("also broken", *b""));
    assert_eq!(analyse(&case).unwrap_err().name, "broken");
}

/// What was asked about the subject counts for it, also where the reference cannot be read.
#[test]
fn options_of_a_side_stay_with_the_side() {
    let broken = Input::bytes("broken", *b"no capture at all");
    let mut case = Case::pair(broken, in_memory("pi.btsnoop"));
    case.comparing.wanted = Sides::new(Wanted::connection(77), Wanted::connection(1));
    assert_eq!(analyse(&case).unwrap().focus, Some(1));
}

#[test]
fn sides_of_one_name_are_told_apart_and_labels_are_kept() {
    let label = |case: &Case| analyse(case).unwrap().captures.into_iter().map(|c| c.label);
    let twice = Case::pair(in_memory("pi.btsnoop"), in_memory("pi.btsnoop"));
    assert!(label(&twice).eq(["pi (1)", "pi (2)"]));
    let mut named = Side::new(in_memory("pi.btsnoop"));
    named.label = Some("works".to_owned());
    assert!(label(&Case::pair(named, in_memory("pi.btsnoop"))).eq(["works", "pi"]));
}

/// Every rule fires through the entry as it does in its room.
#[test]
fn every_example_is_found_through_the_entry() {
    for rule in RULES {
        let example = (rule.example().expect("an example").example)();
        let heard = |air: &Trace| (0, air.run_of(SourceId::Witness(0)));
        let sniffed = Vec::from_iter(example.air.as_ref().map(heard));
        let captures = example.reference.iter().chain([&example.subject]).map(|t| t.run());
        let captures: Vec<_> = captures.collect();
        let logs = example.log.map(|text| {
            let input = Input::bytes("host.log", text.as_bytes());
            let log = witness::read(&input, &OpenOptions::default()).unwrap();
            (captures.len() - 1, log.expect("a log"))
        });
        let logs = Vec::from_iter(logs);
        let analysis = Analysis::with_witnesses(captures, logs, sniffed, &Options::default());
        assert!(analysis.findings.iter().any(|found| found.rule == rule.id), "{}", rule.id);
    }
}

/// Where the verdict is about another attempt than the first choice, that attempt is compared, unless
/// the user named the connections. One rule's example twice, and another's once, give such captures.
#[test]
fn the_verdict_is_followed() {
    let works = Trace::new().advertises(0).up().mtu().discovery(0x0a).run();
    let mut followed = 0;
    // Some of the many pairs are enough.
    let pairs = RULES.iter().step_by(8).flat_map(|a| RULES.iter().map(move |b| (a, b)));
    for (often, once) in pairs {
        let [often, once] =
            [often, once].map(|rule| (rule.example().expect("an example").example)().subject);
        let subject = often.repeated(2, 800).wait_ms(800).followed_by(once).run();
        let captures = vec![works.clone(), subject];
        let Some(first) = of_captures(&captures) else { continue };
        let analysis = Analysis::of(captures.clone(), &Options::default());
        let told = analysis.comparison.expect("the same device").subject;
        if told == first.subject {
            continue;
        }
        followed += 1;
        let verdict = &analysis.findings[0];
        assert!(verdict.connections.contains(&told.connection), "{verdict:?}");
        assert!(!verdict.connections.contains(&first.subject.connection), "{verdict:?}");
        let wanted = Wanted::connection(first.subject.connection);
        let wanted = Sides::new(Wanted::default(), wanted);
        let named = Options { wanted, ..Options::default() };
        let named = Analysis::of(captures, &named).comparison.expect("both are there");
        assert_eq!(named.subject, first.subject);
    }
    assert!(followed > 0);
}

#[test]
fn progress_counts_records_of_long_captures() {
    let one = fs::read(flagship("pi.btsnoop")).unwrap();
    let (header, records) = one.split_at(16);
    let mut long = header.to_vec();
    let mut count = 0;
    while count < 20_000 {
        long.extend(records);
        count += case::read(&in_memory("pi.btsnoop").into()).unwrap().totals.records;
    }
    let side = Side::from(Input::bytes("long.btsnoop", long));
    let progress = side.progress.clone();
    assert_eq!(case::read(&side).unwrap().totals.records, count);
    // Said every few thousand records, and never more than there are.
    assert!((8_192..=count).contains(&progress.records()), "{} of {count}", progress.records());
}
