//! Sides that were given the wrong way round: the reference fails, and the subject works.
use crate::compare::{self, Choice, Failure, NoMatch, Options, Side, Standing};
use crate::diagnose::{self, Level, Scene};
use crate::timeline::{Capture, Connection};

/// What to compare. Where the sides were given the wrong way round, the side that works becomes the reference:
/// then the reference is of the second capture.
pub(super) fn choose(captures: &mut [Capture], options: &Options) -> Result<Choice, NoMatch> {
    let choice = compare::choose(captures, options)?;
    // A subject that fails is what was asked about, whatever the reference does.
    if !side(captures, choice.subject).is_some_and(|(capture, link)| works(capture, link)) {
        return Ok(choice);
    }
    let other = the_other_way_round(captures, options).filter(|other| {
        let always = fails_here(captures, choice.reference);
        (always || fails_mostly(captures, other.subject)) && works_against(captures, other)
    });
    Ok(other.unwrap_or(choice))
}

fn side(captures: &[Capture], side: Side) -> Option<(&Capture, &Connection)> {
    let capture = captures.get(side.capture)?;
    Some((capture, capture.connection(side.connection)?))
}

fn fails_here(captures: &[Capture], chosen: Side) -> bool {
    side(captures, chosen).is_some_and(|(capture, connection)| fails(capture, connection))
}

/// Whether at least half of the attempts to this device failed: one of many may fail in a reference, too.
fn fails_mostly(captures: &[Capture], chosen: Side) -> bool {
    side(captures, chosen).is_some_and(|(capture, connection)| {
        let tally = compare::tally(capture, connection);
        tally.failed * 2 >= tally.attempts
    })
}

fn the_other_way_round(captures: &mut [Capture], options: &Options) -> Option<Choice> {
    let [first, second] = captures else { return None };
    let swap = |first: &mut Capture, second: &mut Capture| std::mem::swap(first, second);
    let swapped = Options { wanted: options.wanted.clone().swapped(), ..options.clone() };
    swap(first, second);
    let choice = compare::choose(captures, &swapped);
    captures.swap(0, 1);
    let choice = choice.ok()?;
    Some(Choice {
        reference: Side { capture: 1, ..choice.reference },
        subject: Side { capture: 0, ..choice.subject },
        ..choice
    })
}

/// Whether the reference works and the subject fails.
fn works_against(captures: &[Capture], choice: &Choice) -> bool {
    side(captures, choice.reference).is_some_and(|(capture, link)| works(capture, link))
        && fails_here(captures, choice.subject)
}

fn works(capture: &Capture, connection: &Connection) -> bool {
    Failure::of(connection).is_none()
        && Standing::of(connection).usable
        && accused(capture, connection).is_none()
}

fn fails(capture: &Capture, connection: &Connection) -> bool {
    match Failure::of(connection) {
        // Whoever switched the adapter off ended what worked.
        Some(Failure::AdapterLost) => false,
        // A device may hang up when everything is done: only a finding shows that it was too early.
        Some(Failure::Ended(reason)) if !compare::bad(reason) => {
            accused(capture, connection).is_some()
        }
        Some(_) => true,
        // It ended well or is still open: only a cause shows that something is wrong.
        None => accused(capture, connection) == Some(Level::Cause),
    }
}

/// The gravest that a capture's own findings say of a connection, if it is more than a note.
fn accused(capture: &Capture, connection: &Connection) -> Option<Level> {
    let alone = Scene {
        captures: std::slice::from_ref(capture),
        testimonies: &[],
        subject: 0,
        comparison: None,
    };
    let found = diagnose::diagnose(&alone);
    let about = found.iter().filter(|finding| finding.connections.contains(&connection.number));
    about.map(|finding| finding.level).filter(|level| *level != Level::Note).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Analysis;
    use crate::compare::Wanted;
    use crate::packet::Status;
    use crate::sides::Sides;
    use crate::trace::Trace;

    fn good() -> Trace {
        Trace::new().up().mtu().discovery(2).wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED)
    }

    fn unheard() -> Trace {
        let link = Trace::new().create().connected().wait_ms(315);
        link.disconnected(Status::FAILED_TO_BE_ESTABLISHED)
    }

    /// The device hangs up in the middle of the work.
    fn kicked() -> Trace {
        let link = Trace::new().up().discovery(2).mtu().wait_ms(10);
        link.disconnected(Status::REMOTE_USER_TERMINATED)
    }

    /// The host writes first, and the device stays connected.
    fn works() -> Trace {
        let link = Trace::new().up().write(3, &[1]).discovery(2).wait_ms(5_000);
        link.hangs_up(Status::REMOTE_USER_TERMINATED)
    }

    fn analysed(reference: Trace, subject: Trace) -> Analysis {
        Analysis::of(vec![reference.run(), subject.run()], &Options::default())
    }

    fn swapped(reference: Trace, subject: Trace) -> bool {
        analysed(reference, subject).comparison.expect("one device").swapped()
    }

    #[test]
    fn a_reference_that_fails_is_judged_as_the_subject() {
        let analysis = analysed(unheard(), good());
        let comparison = analysis.comparison.as_ref().expect("one device");
        assert!(comparison.swapped());
        assert_eq!((comparison.reference.capture, comparison.subject.capture), (1, 0));
        let verdict = analysis.findings.first().expect("a cause");
        assert_eq!((verdict.rule, verdict.capture), ("never-heard-peer", 0));
        assert!(analysis.found_something());
        // The captures stand as they were given.
        assert_eq!(
            analysis.captures[0].connections[0].life().map(|life| life.0 > 900_000),
            Some(false)
        );
    }

    #[test]
    fn sides_that_were_given_rightly_stay() {
        assert!(!swapped(good(), unheard()));
        assert!(!swapped(good(), good()));
        assert!(!swapped(unheard(), unheard()), "neither works");
        assert!(!swapped(unheard(), kicked()), "neither works");
    }

    #[test]
    fn a_reference_that_failed_once_and_then_worked_is_one() {
        let once = || good().followed_by(unheard()).followed_by(good());
        assert!(!swapped(once(), good()), "one of three failed");
        assert!(!swapped(good(), once()));
    }

    #[test]
    fn a_reference_that_mostly_failed_is_judged_as_the_subject() {
        let mostly = || unheard().followed_by(good()).followed_by(unheard());
        assert!(swapped(mostly(), good()));
        assert!(swapped(unheard().followed_by(good()), good()), "half of them");
        assert!(!swapped(mostly(), mostly()));
    }

    /// Only a finding tells a device that hangs up too early from one that has done its work.
    #[test]
    fn a_device_that_hangs_up_fails_only_where_a_finding_says_so() {
        let again = kicked().wait_ms(2_000).up().mtu().discovery(2).wait_ms(10);
        let twice = again.disconnected(Status::REMOTE_USER_TERMINATED);
        assert!(swapped(twice, works()));
        let done = || {
            let link = Trace::new().up().mtu().discovery(2).write(3, &[1]).wait_ms(60_000);
            link.disconnected(Status::REMOTE_USER_TERMINATED)
        };
        assert!(!swapped(done(), works()));
    }

    #[test]
    fn options_stay_with_the_capture_that_they_were_given_for() {
        let failing = good().followed_by(unheard());
        let options = Options {
            wanted: Sides::new(Wanted::connection(2), Wanted::default()),
            ..Options::default()
        };
        let analysis = Analysis::of(vec![failing.run(), good().run()], &options);
        let comparison = analysis.comparison.expect("one device");
        assert!(comparison.swapped());
        assert_eq!((comparison.subject.capture, comparison.subject.connection), (0, 2));
    }
}
