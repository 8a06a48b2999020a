//! The main job: captures are read side by side, compared, and weighed.
use crate::capture::{CaptureError, Input, OpenOptions, Warning};
use crate::cli::{self, Compare};
use crate::compare::{self, Comparison, NoMatch, Options, Side};
use crate::diagnose::{self, Finding, Level, Scene};
use crate::packet::Address;
use crate::pipeline::{self, Progress};
use crate::report::{Report, Shown, content};
use crate::time::Span;
use crate::timeline::Capture;
use std::thread;

const SIDES: [cli::Side; 2] = [cli::Side::Reference, cli::Side::Subject];

/// Most steps of a capture whose values are shown.
const MOST_VALUES: usize = 2_000;

/// Why there is no report, or why it is not the one that was asked for.
#[derive(Debug)]
pub enum Trouble {
    /// A capture could not be read: as it was named, and why.
    Unreadable(String, CaptureError),
}

/// Reads what the command line names, compares it, and says what was found.
pub fn report(asked: &Compare, progress: &[Progress; 2]) -> Result<Report, Trouble> {
    let Sides { captures, unreadable, first } = read(asked, progress)?;
    let one_capture = captures.len() == 1;
    let mut options = options(asked, one_capture);
    if first == cli::Side::Subject {
        // Only the subject is left: what was said about it is what counts.
        options.peer.swap(0, 1);
        options.adapter.swap(0, 1);
        options.connection = [asked.subject_connection, None];
    }
    let shown = Shown {
        strict: asked.strict,
        full: asked.full,
        values: asked.show_values,
        aliases: asked.aliases,
    };
    let mut report = Report { captures, shown, command: asked.words(), ..Report::default() };
    match compare::choose(&report.captures, &options) {
        Ok(choice) => report.comparison = compare::compare(&report.captures, &choice, &options),
        Err(no_match) if !one_capture => report.no_match = Some(no_match),
        Err(_) => focus(&mut report, &options),
    }
    if let Some((name, error)) = unreadable {
        let left = report.captures.iter().map(|capture| capture.label.as_str());
        let left = left.collect::<Vec<_>>().join(", ");
        report.no_match = Some(NoMatch {
            says: format!("{name}: {error}; nothing to compare {left} with"),
            holds: report.captures.iter().map(compare::holds).collect(),
            nearest: Vec::new(),
        });
    }
    report.findings = weighed(&report.captures, report.comparison.as_ref());
    if options.connection == [None, None] {
        follow_the_verdict(&mut report, options);
    }
    if asked.show_values {
        read_values(asked, first, &mut report);
    }
    Ok(report)
}

fn weighed(captures: &[Capture], comparison: Option<&Comparison>) -> Vec<Finding> {
    diagnose::diagnose(&Scene { captures, subject: captures.len().saturating_sub(1), comparison })
}

/// Where the verdict is about another attempt to the same device than the one that was compared,
/// that attempt is compared instead, if the verdict stays what it was.
fn follow_the_verdict(report: &mut Report, mut options: Options) {
    let (Some(comparison), Some(verdict)) = (&report.comparison, report.findings.first()) else {
        return;
    };
    let Side { capture, connection } = comparison.subject;
    let held = &report.captures[capture];
    let compared = held.connection(connection);
    let spoken = verdict.connections.first().and_then(|number| held.connection(*number));
    let (Some(compared), Some(spoken)) = (compared, spoken) else { return };
    let elsewhere = verdict.level == Level::Note
        || verdict.capture != capture
        || verdict.connections.contains(&connection)
        || report.captures.len() == 1 && spoken.number == comparison.reference.connection
        || !compare::same_peer(compared, spoken);
    if elsewhere {
        return;
    }
    options.connection = [Some(comparison.reference.connection), Some(spoken.number)];
    let Ok(choice) = compare::choose(&report.captures, &options) else { return };
    let Some(other) = compare::compare(&report.captures, &choice, &options) else { return };
    let findings = weighed(&report.captures, Some(&other));
    let same = findings.first().is_some_and(|first| {
        first.rule == verdict.rule && first.connections.contains(&other.subject.connection)
    });
    if same {
        report.comparison = Some(other);
        report.findings = findings;
    }
}

/// The values of the connections that the report shows, from a second look at the captures.
fn read_values(asked: &Compare, first: cli::Side, report: &mut Report) {
    for index in 0..report.captures.len() {
        let told = match &report.comparison {
            Some(comparison) => [comparison.reference, comparison.subject]
                .iter()
                .filter(|side| side.capture == index)
                .filter_map(|side| report.captures[index].connection(side.connection))
                .collect(),
            None => Vec::from_iter(content::most_telling(report, index)),
        };
        let steps = told.iter().flat_map(|connection| &connection.steps);
        let frames = steps.filter(|step| step.bytes > 0).take(MOST_VALUES);
        let frames = frames.flat_map(|step| [step.frame, step.last_frame]).collect();
        let side = if first == cli::Side::Subject { first } else { SIDES[index.min(1)] };
        let Some(path) = asked.captures.get(side as usize) else { continue };
        let failure = match Input::parse(path) {
            // It has gone by.
            Input::Stdin => "standard input can be read only once".to_owned(),
            input => match pipeline::values(&input, &open_options(asked, side), &frames) {
                Ok(values) => {
                    let of = |(frame, value)| ((index, frame), value);
                    report.values.extend(values.into_iter().map(of));
                    continue;
                }
                Err(error) => error.to_string(),
            },
        };
        let text = format!("values cannot be shown: {failure}");
        let warning = Warning { code: "no-values", frame: None, offset: None, text };
        report.captures[index].warnings.push(warning);
    }
}

fn open_options(asked: &Compare, side: cli::Side) -> OpenOptions {
    let reading = &asked.reading;
    OpenOptions {
        salvage: reading.salvage,
        member: cli::of_side(&reading.member, side).cloned(),
        tz_offset: cli::of_side(&reading.tz_offset, side).copied(),
    }
}

/// What could be read of what the command line names.
struct Sides {
    captures: Vec<Capture>,
    /// One of two captures: as it was named, and why it is not here.
    unreadable: Option<(String, CaptureError)>,
    /// The side that the first capture stands for.
    first: cli::Side,
}

/// Both captures at the same time. Where only one can be read, that one.
fn read(asked: &Compare, progress: &[Progress; 2]) -> Result<Sides, Trouble> {
    let read = |path: &std::path::Path, side: cli::Side| {
        let options = open_options(asked, side);
        // A label names one side; it is no label for the other.
        let label = asked.label.get(side as usize).map(String::as_str);
        let input = Input::parse(path);
        pipeline::read_watched(&input, &options, label, &progress[side as usize])
            .map_err(|error| (input.name().into_owned(), error))
    };
    let unreadable = |(name, error)| Trouble::Unreadable(name, error);
    let alone = |capture, failure, first| {
        Ok(Sides { captures: vec![capture], unreadable: Some(failure), first })
    };
    let mut captures = match asked.captures.as_slice() {
        [one] => vec![read(one, cli::Side::Reference).map_err(unreadable)?],
        [reference, subject, ..] => {
            let both = thread::scope(|scope| {
                let other = scope.spawn(|| read(subject, cli::Side::Subject));
                let first = read(reference, cli::Side::Reference);
                let second = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                (first, second)
            });
            match both {
                (Ok(first), Ok(second)) => vec![first, second],
                (Ok(first), Err(failure)) => return alone(first, failure, cli::Side::Reference),
                (Err(failure), Ok(second)) => return alone(second, failure, cli::Side::Subject),
                // One at a time is mended: the first.
                (Err(failure), Err(_)) => return Err(unreadable(failure)),
            }
        }
        [] => Vec::new(),
    };
    // Two captures of one name need names that tell them apart.
    if let [reference, subject] = captures.as_mut_slice()
        && reference.label == subject.label
    {
        reference.label.push_str(" (1)");
        subject.label.push_str(" (2)");
    }
    Ok(Sides { captures, unreadable: None, first: cli::Side::Reference })
}

fn options(asked: &Compare, one_capture: bool) -> Options {
    let of = |side: cli::Side| {
        (
            cli::of_side(&asked.peer, side).copied().map(Address),
            cli::of_side(&asked.adapter, side).copied(),
        )
    };
    let [(peer, adapter), (peer_too, adapter_too)] = SIDES.map(of);
    Options {
        window: Span::from_ms(i64::from(asked.window)),
        peer: [peer, peer_too],
        adapter: [adapter, adapter_too],
        connection: [asked.reference_connection, asked.subject_connection],
        one_capture,
    }
}

/// One capture without a comparison: the attempt that the options name, if they name one.
fn focus(report: &mut Report, options: &Options) {
    let Some(capture) = report.captures.first() else { return };
    let numbers = compare::attempts(capture, options);
    let named = options.peer[0].is_some()
        || options.adapter[0].is_some()
        || options.connection.iter().any(Option::is_some);
    if !named {
        return;
    }
    if numbers.is_empty() {
        report.no_match = Some(NoMatch {
            says: format!("{} has no connection that fits the options", capture.label),
            holds: vec![compare::holds(capture)],
            nearest: Vec::new(),
        });
    }
    report.focus = compare::most_telling(capture, &numbers);
}
