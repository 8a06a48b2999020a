//! A link while it is up: what waits for an answer, which runs are open.
use super::connection::OddityKind;
use super::connection::{Connection, OpenRequest, Pending, Sighting};
use super::database::Database;
use super::device::Advertised;
use super::step::{Detail, Outcome, Procedure, Step};
use crate::packet::{Direction, LinkId, Status};
use crate::seen::{Seen, SourceId};
use crate::time::{Moment, Span};
use std::collections::VecDeque;
use std::sync::Arc;

/// No more steps are kept for one connection; further ones are counted.
pub(super) const MOST_STEPS: usize = 100_000;

/// No more runs may still grow. Where more kinds of traffic are mixed, new runs begin.
const MOST_RUNS: usize = 128;

/// Most questions remembered as open at once on one link: a hostile capture may ask without end.
const MOST_OPEN: usize = 64;

/// Most oddities kept for one connection.
const MOST_ODDITIES: usize = 100;

/// Where an event stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub source: SourceId,
    pub frame: u32,
    pub time: Moment,
    pub direction: Direction,
    pub cut: bool,
    /// The link that the event is about.
    pub link: Option<LinkId>,
}

impl At {
    pub fn seen(&self) -> Seen {
        Seen { source: self.source, at: self.time, frame: self.frame }
    }

    pub fn sent(&self) -> bool {
        self.direction == Direction::Sent
    }
}

/// A question that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub pending: Pending,
    pub at: At,
    pub attribute: u16,
    /// Its step, unless the question is folded into a run or the timeline is full.
    pub step: Option<usize>,
    /// The run that a good answer will be counted in.
    pub run: Option<usize>,
    /// L2CAP signalling identifier, or ATT bearer's channel.
    pub key: u16,
    /// What the step will be if the answer is bad and the question was to fold.
    pub procedure: Procedure,
    pub detail: Detail,
    pub bytes: u64,
}

/// A run of like traffic that may still grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RunKey {
    procedure: Procedure,
    by: Direction,
    attribute: u16,
    /// Attribute type of discoveries and by-type reads.
    of: u16,
}

/// What was known of the peer before packets were said to be completed.
#[derive(Clone, Copy, Debug)]
pub(super) struct BeforeCompleted {
    pub completed_at: Moment,
    pub last_heard: Option<Sighting>,
    pub advertised: Option<Advertised>,
}

/// How a link's record closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// The capture shows that the link ended.
    Ended,
    /// The capture is over, or it shows no end of the link.
    EndUnseen,
}

/// A link that is up.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    pub id: Option<LinkId>,
    /// Index into the tracker's connections.
    pub connection: usize,
    /// Steps that its connection may keep.
    pub most_steps: usize,
    pub questions: Vec<Question>,
    runs: Vec<(RunKey, usize)>,
    pub remote: Database,
    pub local: Database,
    /// Packets that the controller has not acknowledged yet, oldest first.
    pub acl_in_flight: VecDeque<Seen>,
    pub command_disconnect: Option<(Seen, Status)>,
    /// What was known of the peer before the last count of completed packets, and when that came: at the link's
    /// end the controller also counts what it only throws away.
    pub before_completed: Option<BeforeCompleted>,
    /// Step of a Security Request that nothing has answered yet.
    pub security_request: Option<usize>,
    /// Step of the pairing that is going on.
    pub pairing: Option<usize>,
    pub pairing_last: Option<(At, u8)>,
    /// Pairing got as far as a key that encryption may now use.
    pub fresh_key: bool,
    /// Step of the encryption that was started.
    pub encrypting: Option<usize>,
    /// The MTU exchange was answered. Any further response is an error of the peer.
    pub mtu_step: Option<usize>,
    /// A name was read over GATT and the air does not know it yet.
    pub name_learned: bool,
    /// Completions with an error code and when, to recognise echoes of the end.
    pub recent_errors: VecDeque<(Seen, Status)>,
}

impl Link {
    pub fn new(connection: usize, most_steps: usize) -> Self {
        Self { connection, most_steps, ..Self::default() }
    }

    /// Adds a step and returns where it is; `None` once the timeline is full.
    pub fn add(&mut self, connection: &mut Connection, step: Step) -> Option<usize> {
        match bulk(&step) {
            Bulk::No => self.runs.clear(),
            // What the peer pushes after a new kind of write may be its answer: order matters.
            Bulk::Command => self
                .runs
                .retain(|(k, _)| !matches!(k.procedure, Procedure::Notify | Procedure::Indicate)),
            Bulk::Yes => {}
        }
        if connection.steps.len() >= self.most_steps {
            connection.elided_steps += 1;
            return None;
        }
        connection.steps.push(step);
        Some(connection.steps.len() - 1)
    }

    /// Counts one more of the same into an open run, or begins one.
    pub fn run(
        &mut self,
        connection: &mut Connection,
        at: At,
        by: Direction,
        step: Step,
    ) -> Option<usize> {
        if let Some(index) = self.open_run(&step, by) {
            if let Some(run) = connection.steps.get_mut(index) {
                grow(run, at, step.bytes);
            }
            return Some(index);
        }
        let key = run_key(&step, by);
        let index = self.add(connection, step)?;
        if self.runs.len() >= MOST_RUNS {
            self.runs.remove(0);
        }
        self.runs.push((key, index));
        Some(index)
    }

    /// The open run that this step would fold into.
    pub fn open_run(&self, step: &Step, by: Direction) -> Option<usize> {
        let key = run_key(step, by);
        self.runs.iter().find(|(k, _)| *k == key).map(|(_, index)| *index)
    }

    /// From now on, like steps fold into this one.
    pub fn may_grow(&mut self, connection: &Connection, index: usize) {
        if let Some(step) = connection.steps.get(index) {
            let key = run_key(step, step.by);
            if !self.runs.iter().any(|(k, _)| *k == key) && self.runs.len() < MOST_RUNS {
                self.runs.push((key, index));
            }
        }
    }

    /// The timeline that this link's steps were on moves behind another's.
    pub fn shift_steps(&mut self, by: usize) {
        for (_, index) in &mut self.runs {
            *index += by;
        }
        for question in &mut self.questions {
            for index in question.step.iter_mut().chain(&mut question.run) {
                *index += by;
            }
        }
        for index in [
            &mut self.security_request,
            &mut self.pairing,
            &mut self.encrypting,
            &mut self.mtu_step,
        ] {
            *index = index.map(|i| i + by);
        }
    }

    pub fn ask(&mut self, question: Question) {
        if self.questions.len() < MOST_OPEN {
            self.questions.push(question);
        }
    }

    /// Takes the oldest open question that fits.
    pub fn answered(&mut self, fits: impl Fn(&Question) -> bool) -> Option<Question> {
        let at = self.questions.iter().position(fits)?;
        Some(self.questions.remove(at))
    }

    /// The step of a question that failed: one that was to fold stands alone then. A question that
    /// found no room in the timeline was counted when it was asked.
    fn step_alone(&mut self, connection: &mut Connection, question: &Question) -> Option<usize> {
        match (question.step, question.run) {
            (None, Some(_)) => self.add(connection, step_of(question)),
            (step, _) => step,
        }
    }

    /// Ends the step of a question.
    pub fn settle(
        &mut self,
        connection: &mut Connection,
        question: &Question,
        at: At,
        outcome: Outcome,
        status: Option<u8>,
    ) -> Option<usize> {
        connection.timed(question, at, outcome);
        if outcome == Outcome::Ok
            && let Some(run) = question.run
        {
            if let Some(step) = connection.steps.get_mut(run) {
                grow(step, at, question.bytes);
                if status.is_some() {
                    step.status = status;
                }
            }
            return Some(run);
        }
        let index = self.step_alone(connection, question)?;
        let step = connection.steps.get_mut(index)?;
        step.outcome = outcome;
        step.status = status;
        step.last = at.seen();
        if outcome == Outcome::Ok && foldable(step.procedure) {
            self.may_grow(connection, index);
        }
        Some(index)
    }

    /// The link (or the capture) is over: what still waits becomes open requests.
    pub fn close(&mut self, connection: &mut Connection, end: Moment, closing: Closing) {
        let ended = closing == Closing::Ended;
        let by_host =
            connection.end.as_ref().is_some_and(|e| e.by == super::connection::EndedBy::Host);
        self.close_pairing(connection);
        for question in std::mem::take(&mut self.questions) {
            let age = end.since(question.at.time);
            let waited = age.is_some_and(|age| {
                age >= Span::from_ms(if by_host || !ended { 3_000 } else { 29_000 })
            });
            let outcome = match (ended, waited) {
                (_, true) => Outcome::Unanswered,
                (true, false) => Outcome::CutOff,
                (false, false) => Outcome::Unknown,
            };
            let index = self.step_alone(connection, &question);
            if let Some(step) = index.and_then(|i| connection.steps.get_mut(i)) {
                step.outcome = outcome;
            }
            connection.open_requests.push(OpenRequest {
                pending: question.pending,
                seen: question.at.seen(),
                by: question.at.direction,
                attribute: question.attribute,
                age,
            });
        }
        if let Some(oldest) = self.acl_in_flight.front() {
            connection.credits.stuck = Some(*oldest);
        }
        connection.remote = Arc::new(std::mem::take(&mut self.remote));
        connection.local = Arc::new(std::mem::take(&mut self.local));
        connection.steps.sort_by_key(|s| s.frame);
        connection.steps.shrink_to_fit();
        connection.oddities.shrink_to_fit();
    }
}

impl Connection {
    /// Proof that the peer's radio answered.
    pub(super) fn hear(&mut self, at: At, by: &'static str) {
        self.advertised = None;
        match &mut self.last_heard {
            Some(last) => *last = Sighting { seen: at.seen(), by },
            None => {
                let sighting = Sighting { seen: at.seen(), by };
                self.heard = Some(sighting);
                self.last_heard = Some(sighting);
            }
        }
    }

    pub(super) fn odd(&mut self, frame: u32, kind: OddityKind) {
        if self.oddities.len() < MOST_ODDITIES {
            self.oddities.push(super::connection::Oddity { frame, kind });
        }
    }

    pub(super) fn usable(&mut self, at: At) {
        if self.usable_at == Moment::UNKNOWN {
            self.usable_at = at.time;
        }
    }
}

/// A finished or unfinished step at one place.
pub(super) fn step(
    procedure: Procedure,
    by: Direction,
    at: At,
    outcome: Outcome,
    detail: Detail,
) -> Step {
    Step {
        procedure,
        by,
        outcome,
        status: None,
        attribute: 0,
        first: at.seen(),
        last: at.seen(),
        count: 1,
        bytes: 0,
        detail,
    }
}

fn step_of(question: &Question) -> Step {
    let mut step = step(
        question.procedure,
        question.at.direction,
        question.at,
        Outcome::Unknown,
        question.detail,
    );
    step.attribute = question.attribute;
    step.bytes = question.bytes;
    step
}

fn grow(run: &mut Step, at: At, bytes: u64) {
    run.count = run.count.saturating_add(1);
    run.bytes = run.bytes.saturating_add(bytes);
    run.last = at.seen();
}

fn run_key(step: &Step, by: Direction) -> RunKey {
    let (attribute, of) = match step.detail {
        Detail::Discovery { attribute_type, by_uuid, .. } => (u16::from(by_uuid), attribute_type),
        // A search by type has no offset.
        Detail::Read { by_type, .. } if by_type != 0 => (0, by_type),
        Detail::Read { offset, .. } => (step.attribute, u16::from(offset > 0)),
        Detail::Signal { code, .. } => (u16::from(code), 0),
        Detail::Hci { code } => (code, 0),
        Detail::Att { opcode } => (u16::from(opcode), 0),
        _ => (step.attribute, 0),
    };
    RunKey { procedure: step.procedure, by, attribute, of }
}

/// Whether a step may stand between the packets of another run without ending it.
enum Bulk {
    Yes,
    Command,
    No,
}

fn bulk(step: &Step) -> Bulk {
    use Procedure::*;
    match step.procedure {
        _ if step.outcome == Outcome::Error => Bulk::No,
        Write | WriteCommand => Bulk::Command,
        Notify
        | Indicate
        | Read
        | DiscoverServices
        | DiscoverIncludes
        | DiscoverCharacteristics
        | DiscoverDescriptors => Bulk::Yes,
        // The link layer's own business runs beside what the hosts talk about.
        Features | Version | DataLength | Phy => Bulk::Yes,
        _ => Bulk::No,
    }
}

/// Repeated good exchanges of this kind become one step.
fn foldable(procedure: Procedure) -> bool {
    use Procedure::*;
    matches!(
        procedure,
        Read | Write
            | Indicate
            | DiscoverServices
            | DiscoverIncludes
            | DiscoverCharacteristics
            | DiscoverDescriptors
    )
}

#[cfg(test)]
mod tests;
