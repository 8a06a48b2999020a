//! Two timelines aligned: what is the same, changed, missing, extra, or only moved.
use super::align::{self, Op};
use super::key::Key;
use super::{AlignedStep, Pair, StepKind, View, delta, early, habits, words};
use crate::prose::{Piece, Text};
use crate::text;
use crate::time::Span;
use crate::timeline::{Outcome, Procedure, Step};
use std::collections::HashMap;

const ECHO: &str = "an echo of the link's end";

/// Aligns the steps of both sides.
pub fn align(pair: &Pair<'_>) -> Vec<AlignedStep> {
    let (left, right) = (&pair.reference, &pair.subject);
    let ops = align::align(&left.keys, &right.keys, Key::weight);
    let moved = moves(&left.keys, &right.keys, &ops);
    let mut steps = Vec::new();
    let mut before: Option<(usize, usize)> = None;
    for op in ops {
        match op {
            Op::Equal { left: x, right: y, len } => {
                for (x, y) in (x..x + len).zip(y..y + len) {
                    steps.push(matched(pair, x, y, before));
                    before = Some((x, y));
                }
            }
            Op::Left(range) => {
                for x in range {
                    steps.push(match moved.from_left.get(&x) {
                        Some(&y) => displaced(pair, x, y),
                        None => missing(pair, x),
                    });
                }
            }
            Op::Right(range) => {
                steps.extend(
                    range.filter(|y| !moved.to_right.contains_key(y)).map(|y| extra(pair, y)),
                );
            }
        }
    }
    steps
}

#[derive(Default)]
struct Moves {
    from_left: HashMap<usize, usize>,
    to_right: HashMap<usize, usize>,
}

/// Pairs what is left over on both sides: the first of a kind with the first, and so on.
fn moves(left: &[Key], right: &[Key], ops: &[Op]) -> Moves {
    let mut waiting: HashMap<Key, std::collections::VecDeque<usize>> = HashMap::new();
    for op in ops {
        if let Op::Left(range) = op {
            for x in range.clone() {
                waiting.entry(left[x]).or_default().push_back(x);
            }
        }
    }
    let mut moves = Moves::default();
    for op in ops {
        let Op::Right(range) = op else { continue };
        for y in range.clone() {
            if let Some(x) =
                waiting.get_mut(&right[y]).and_then(std::collections::VecDeque::pop_front)
            {
                moves.from_left.insert(x, y);
                moves.to_right.insert(y, x);
            }
        }
    }
    moves
}

fn matched(pair: &Pair<'_>, x: usize, y: usize, before: Option<(usize, usize)>) -> AlignedStep {
    let (left, right) = (&pair.reference, &pair.subject);
    let (a, b) = (left.step(x), right.step(y));
    let delta = delta::compare(a, b);
    let mut notes = delta.notes;
    let mut matters = delta.matters;
    let mut why = None;
    if matters && (left.echo(a) || right.echo(b)) {
        (matters, why) = (false, Some(ECHO));
    }
    if a.procedure == Procedure::Disconnect && !pair.ending.says.is_empty() {
        notes.push(pair.ending.says.clone());
        matters = pair.ending.matters;
    }
    // The wait before a step, not its distance from zero: a delay early on does not colour all that follows.
    let wait = |view: &View<'_>, at: usize, before: Option<usize>| {
        let from = before.map_or_else(|| view.connection.zero(), |b| view.step(b).last.at);
        view.step(at).at.since(from)
    };
    if (x > 0 || y > 0) && a.procedure != Procedure::Disconnect {
        let after = |view: &View<'_>, at| view.connection.after(view.step(at).at);
        let waits = (wait(left, x, before.map(|b| b.0)), wait(right, y, before.map(|b| b.1)));
        notes.extend(delta::times("waited", waits.0, waits.1).filter(|_| after(left, x).is_some()));
        notes.extend(
            delta::times("took", a.duration(), b.duration())
                .filter(|_| a.count == 1 && b.count == 1),
        );
    }
    let kind = if notes.is_empty() { StepKind::Same } else { StepKind::Changed };
    AlignedStep {
        kind,
        reference: Some(x),
        subject: Some(y),
        note: Text::joined(notes, "; "),
        normal: !matters,
        why,
    }
}

fn displaced(pair: &Pair<'_>, x: usize, y: usize) -> AlignedStep {
    let (left, right) = (&pair.reference, &pair.subject);
    let (a, b) = (left.step(x), right.step(y));
    let delta = delta::compare(a, b);
    let why = habits::place(&left.keys[x]);
    let mut notes = vec![Text::fixed("in another order")];
    notes.extend(delta.notes);
    let both_fine = !a.failed() && !b.failed();
    AlignedStep {
        kind: StepKind::Moved,
        reference: Some(x),
        subject: Some(y),
        note: Text::joined(notes, "; "),
        normal: !delta.matters
            && (why.is_some() && both_fine
                || a.outcome == b.outcome && repeated(pair, &left.keys[x])),
        why,
    }
}

fn missing(pair: &Pair<'_>, x: usize) -> AlignedStep {
    let (left, right) = (&pair.reference, &pair.subject);
    let (note, why) = absent(pair, left, right, x, true);
    AlignedStep {
        kind: StepKind::Missing,
        reference: Some(x),
        subject: None,
        normal: why.is_some(),
        note,
        why,
    }
}

fn extra(pair: &Pair<'_>, y: usize) -> AlignedStep {
    let (left, right) = (&pair.reference, &pair.subject);
    let (note, why) = absent(pair, right, left, y, false);
    AlignedStep {
        kind: StepKind::Extra,
        reference: None,
        subject: Some(y),
        normal: why.is_some(),
        note,
        why,
    }
}

/// A step that only `there` has: what to say of it, and why it is normal, if it is.
fn absent(
    pair: &Pair<'_>,
    there: &View<'_>,
    here: &View<'_>,
    at: usize,
    missing: bool,
) -> (Text, Option<&'static str>) {
    let step = there.step(at);
    let key = &there.keys[at];
    let failed = step.failed() && step.outcome != Outcome::CutOff;
    let mut note = if step.outcome == Outcome::Ok { Text::EMPTY } else { words::outcome(step) };
    if failed && there.echo(step) {
        return (note, Some(ECHO));
    }
    if step.procedure == Procedure::Disconnect {
        let why = (!pair.ending.matters)
            .then_some("one side's capture ends, or its host hangs up, earlier");
        return (pair.ending.says.clone(), why);
    }
    let unsupported_mtu = step.procedure == Procedure::ExchangeMtu && step.status == Some(0x06);
    if failed && !unsupported_mtu {
        return (note, None);
    }
    let reached = here.reach(there.connection.after(step.at));
    if let Some(reached) = reached.filter(|_| missing) {
        note = and_also(note, reached.into());
    }
    if let (None, true) = (reached, missing && step.is_att())
        && let Some(frame) = early::blocked(
            here,
            early::asker(step, pair.roles_differ),
            there.connection.after(step.at),
        )
    {
        let blocked = text!("blocked: the request of frame {} was never answered", frame);
        let why = "it waited behind a request that was never answered";
        return (and_also(note, blocked), Some(why));
    }
    let again = "the same happened on the other side, another number of times";
    let habit = || habits::absence(key).or_else(|| repeated(pair, key).then_some(again));
    (note, if missing { reached.or_else(habit) } else { habit().or(reached) })
}

/// One remark behind the other, if there is one.
fn and_also(note: Text, more: Text) -> Text {
    Text::joined([note, more].into_iter().filter(|text| !text.is_empty()), "; ")
}

/// Both sides did it at least once; values pushed, read or found in another number of rounds.
fn repeated(pair: &Pair<'_>, key: &Key) -> bool {
    let bulk = matches!(
        key.procedure,
        Procedure::Notify | Procedure::Indicate | Procedure::Read | Procedure::Write
    ) || habits::discovery(key.procedure);
    bulk && pair.reference.did(key) && pair.subject.did(key)
}

impl View<'_> {
    /// Whether the step is only an echo of how the link ended.
    pub fn echo(&self, step: &Step) -> bool {
        let Some(end) = &self.connection.end else { return false };
        let same_code = step.status == Some(end.reason.0) && step.outcome == Outcome::Error;
        let close = end.at.since(step.last.at).is_some_and(|gap| gap.abs() <= Span::from_ms(15));
        same_code && close || end.echoes.contains(&step.last.frame)
    }

    /// Why this side never came to a moment, if it did not.
    pub fn reach(&self, moment: Option<Span>) -> Option<&'static str> {
        let connection = self.connection;
        if !connection.connected() {
            return Some("not reached: never connected");
        }
        if self.capture.lost_packets_of(connection) {
            return Some("cannot tell: the logger lost packets");
        }
        if connection.never_heard() {
            return Some("not reached: the peer was never heard");
        }
        if !connection.start_seen || self.capture.filtered || connection.cut_packets > 0 {
            return Some("cannot tell: the capture is cut or began too late");
        }
        let moment = moment?;
        match connection.life() {
            Some(life) if life <= moment => Some("not reached: the link was over by then"),
            None if connection.after(connection.capture_end).is_some_and(|end| end <= moment) => {
                Some("cannot tell: the capture ends before")
            }
            _ => None,
        }
    }

    /// Whether this side did such a step with success.
    pub fn did(&self, key: &Key) -> bool {
        self.done.contains(key)
    }
}

/// The last frames up to which both agree, and what came next on each side, in words.
pub fn divergence(pair: &Pair<'_>, steps: &[AlignedStep]) -> (Option<(u32, u32)>, Option<Text>) {
    let (left, right) = (&pair.reference, &pair.subject);
    let mut same = None;
    for (at, step) in steps.iter().enumerate() {
        if step.normal {
            if let (Some(x), Some(y)) = (step.reference, step.subject)
                && step.kind != StepKind::Moved
            {
                same = Some((left.step(x).last.frame, right.step(y).last.frame));
            }
            continue;
        }
        let name = |view: &View<'_>, at: usize| view.name(at);
        let next = |side: fn(&AlignedStep) -> Option<usize>| steps[at..].iter().find_map(side);
        let at_frame = |view: &View<'_>, at: usize| text!("frame {}", view.step(at).frame);
        let ends = |view: &View<'_>, at: Option<usize>| {
            at.is_some_and(|at| view.step(at).procedure == Procedure::Disconnect)
        };
        let deed = |view: &View<'_>, at| text!("{} ({})", name(view, at), at_frame(view, at));
        if ends(left, step.reference) || ends(right, step.subject) {
            let frame = |view: &View<'_>, at: Option<usize>| {
                at.map_or("no end".into(), |at| at_frame(view, at))
            };
            let (one, other) = (frame(left, step.reference), frame(right, step.subject));
            return (same, Some(text!("the end ({}; {}): {}", one, other, step.note)));
        }
        let says = match (step.reference, step.subject) {
            (Some(x), Some(y)) => text!(
                "{} ({}; {}): {}",
                name(left, x),
                at_frame(left, x),
                at_frame(right, y),
                step.note
            ),
            (Some(x), None) => {
                let instead = next(|s| s.subject).map(|y| deed(right, y));
                only(Piece::Reference, deed(left, x), Piece::Subject, instead)
            }
            (None, Some(y)) => {
                let instead = next(|s| s.reference).map(|x| deed(left, x));
                only(Piece::Subject, deed(right, y), Piece::Reference, instead)
            }
            (None, None) => continue,
        };
        return (same, Some(says));
    }
    (same, None)
}

/// One side does something; the other one goes on with something else, or with nothing.
fn only(one: Piece, does: Text, other: Piece, instead: Option<Text>) -> Text {
    match instead {
        Some(next) => text!("only {} does {}; {} goes on with {}", one, does, other, next),
        None => text!("only {} does {}; {} does nothing more", one, does, other),
    }
}

#[cfg(test)]
mod tests;
