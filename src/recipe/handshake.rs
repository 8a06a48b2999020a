//! The handshake as facts: what the working host did until the device was content, and what of that is needed.
use super::refusal::{Deadline, Refusal, Why};
use super::server::{CCCD, Server};
use super::transcript::{self, Said, What};
use crate::case::{Analysis, Case};
use crate::compare::{self, DatabaseChange, Failure, Standing};
use crate::diagnose::what_if::Budget;
use crate::diagnose::{Level, Scene};
use crate::packet::att::{ErrorCode, Uuid};
use crate::packet::{Address, Direction};
use crate::time::Span;
use crate::timeline::{
    Capture, Connection, Database, Detail, Granted, Outcome, Procedure, Role, Stack, Transport,
};
use std::sync::Arc;

/// Most operations of a handshake. More is no handshake any more, but the application's work.
const MOST_OPERATIONS: usize = 64;

/// How many other links to the device are asked for its database.
const MOST_KIN: usize = 64;

/// Value bytes that a packet carries with the smallest MTU.
const SMALLEST_VALUE: usize = 20;

/// Asked for where the capture does not show what the working host asked for.
const USUAL_MTU: u16 = 247;

const DEADLINE_RULE: &str = "peer-hangs-up-on-deadline";

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Write(Vec<u8>),
    /// Without an answer.
    Command(Vec<u8>),
    /// Of a value: its handle, where it is known, and what is written to its configuration.
    Subscribe {
        value: Option<u16>,
        bits: Vec<u8>,
    },
    Read,
    /// Anything that a host's own stack does: in words.
    Own(&'static str),
}

/// Whether a recipe has to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Yes,
    /// Reads: nobody can see whether the device waits for them.
    Perhaps,
    No(&'static str),
}

/// One thing that the working host did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    pub action: Action,
    pub handle: Option<u16>,
    /// Of the value or the descriptor at this handle.
    pub uuid: Option<Uuid>,
    /// Of the characteristic that a descriptor belongs to.
    pub of: Option<Uuid>,
    /// After the connection.
    pub after: Option<Span>,
    pub frame: u32,
    /// Requests of one kind that follow each other are one row.
    pub count: u32,
    pub need: Need,
    /// The failing host did the same with success. None where there is no failing capture.
    pub done_there: Option<bool>,
}

/// What shows that the device was content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    pub says: &'static str,
    pub frame: u32,
    pub after: Option<Span>,
}

/// The device, as a program names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub address: Address,
    pub random: bool,
    pub name: Option<Arc<str>>,
}

/// What the failing capture adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fails {
    pub file: String,
    /// The failing host's adapter, where one alone is seen.
    pub adapter: Option<Address>,
    pub bluez: bool,
    /// The device hung up by the clock.
    pub budget: Option<Budget>,
}

/// Everything that a target may need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The device.
    pub device: Device,
    /// The working capture's name.
    pub works: String,
    /// What the failing capture shows of it, where there is one.
    pub fails: Option<Fails>,
    /// The parameters of the working link.
    pub granted: Option<Granted>,
    /// What the working host asked for, where values are longer than the smallest MTU has room for.
    pub mtu: Option<u16>,
    /// The same for pushed values alone.
    pub mtu_for_data: Option<u16>,
    /// What the working host did, in order.
    pub operations: Vec<Operation>,
    /// What showed that the device was content.
    pub content: Content,
    /// The attributes of the device, as far as both captures show them.
    pub server: Server,
    /// The captures were given the other way round.
    pub swapped: bool,
}

impl Handshake {
    /// Reads the facts of a case.
    pub fn of(case: &Case, analysis: &Analysis) -> Result<Self, Refusal> {
        let (index, link) = working(analysis)?;
        let capture = &analysis.captures[index];
        let file = capture.file.clone();
        same_device(analysis)?;
        let address = link.peer.address.unwrap_or_default();
        if link.peer.has_private_address() {
            return Err(Refusal::Private(address));
        }
        let Some(side) = case.sides().get(index) else {
            return Err(Refusal::NothingWorked { file, why: Why::NoLink });
        };
        if side.capture.is_read_once() {
            return Err(Refusal::ReadOnce(file));
        }
        let kin: Vec<u32> = capture.kin(link, MOST_KIN).map(|c| c.number).collect();
        let told = transcript::read(side, link.number, &kin).map_err(|error| {
            Refusal::Unreadable(crate::case::Unreadable { name: file.clone(), error })
        })?;
        let fails = Failing::of(analysis, index, link);
        let server = told.server;
        let meant = Meanings { server: &server, fails: &fails.databases };
        let content = content(link, &told.said, &meant);
        // Where nothing was done before the link was secured, that is what is in the way.
        if let Some(frame) = secured(link, content.map_or(u32::MAX, |content| content.frame)) {
            return Err(Refusal::Encrypted { file, frame });
        }
        let content =
            content.ok_or(Refusal::NothingWorked { file: file.clone(), why: Why::NothingDone })?;
        let deadline = fails.says.as_ref().and_then(|fails| Some(fails.budget?.deadline));
        let until = |said: &&Said| {
            let soon = link.after(said.at).zip(deadline).is_some_and(|(at, until)| at <= until);
            said.frame < content.frame || soon
        };
        let early: Vec<&Said> = told.said.iter().filter(until).collect();
        if let Some(bad) = early.iter().find(|said| said.damaged) {
            return Err(Refusal::Cut { file, frame: bad.frame });
        }
        let mut operations = operations(link, &early, &told.said, &meant)?;
        for operation in &mut operations {
            operation.done_there = fails.says.is_some().then(|| fails.did(operation));
        }
        let asked = Some(link.mtu.map_or(USUAL_MTU, |mtu| mtu.requested));
        let needed = operations.iter().filter(|o| !matches!(o.need, Need::No(_)));
        let longest = needed.map(|o| match &o.action {
            Action::Write(value) | Action::Command(value) => value.len(),
            _ => 0,
        });
        let long_writes = longest.max().unwrap_or(0) > SMALLEST_VALUE;
        let long_data = link.steps.iter().any(|step| {
            matches!(step.procedure, Procedure::Notify | Procedure::Indicate)
                && step.by == Direction::Received
                && step.bytes > SMALLEST_VALUE as u64 * u64::from(step.count)
        });
        Ok(Self {
            device: Device {
                address,
                random: link.peer.address_type.is_some_and(|kind| kind.is_random()),
                name: link.peer.name.clone().or_else(|| advertised(capture, address)),
            },
            works: file,
            fails: fails.says,
            granted: link.granted,
            mtu: asked.filter(|_| long_writes),
            mtu_for_data: asked.filter(|_| long_data && !long_writes),
            operations,
            content,
            server,
            swapped: analysis.comparison.as_ref().is_some_and(|comparison| comparison.swapped()),
        })
    }

    /// What a recipe does, in order.
    pub fn needed(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| !matches!(operation.need, Need::No(_)))
    }

    /// What the failing capture says of a deadline, and the interval that meets it, in units of 1.25 ms.
    pub fn interval(&self, requests: impl Fn(&Budget) -> u32) -> (Deadline, Option<u16>) {
        let Some(fails) = &self.fails else { return (Deadline::NotAsked, None) };
        let Some(budget) = fails.budget else { return (Deadline::None, None) };
        let n = requests(&budget);
        let fit = crate::diagnose::what_if::longest_interval;
        let with_margin = crate::diagnose::what_if::with_margin(budget.deadline);
        let fits = fit(with_margin, n, true).or_else(|| fit(budget.deadline, n, true));
        match fits {
            None => (Deadline::TooShort(budget.deadline), None),
            Some(units) if crate::diagnose::what_if::units(units) >= budget.interval => {
                (Deadline::Met(budget.deadline), None)
            }
            units => (Deadline::None, units),
        }
    }
}

/// The link on which the device worked.
fn working(analysis: &Analysis) -> Result<(usize, &Connection), Refusal> {
    if let Some(no_match) = &analysis.no_match {
        return Err(Refusal::NoMatch(no_match.says.to_string()));
    }
    let chosen = analysis.comparison.as_ref().map(|comparison| comparison.reference);
    let index = chosen.map_or(0, |side| side.capture);
    let capture = &analysis.captures[index];
    let nothing = |why| Refusal::NothingWorked { file: capture.file.clone(), why };
    let chosen = chosen.and_then(|side| capture.connection(side.connection));
    if let Some(link) = chosen.filter(|link| unfit(link).is_none()) {
        return Ok((index, link));
    }
    let candidates: Vec<&Connection> = match (chosen, analysis.focus) {
        (Some(link), _) => capture.kin(link, MOST_KIN).chain([link]).collect(),
        (None, Some(number)) => capture.connection(number).into_iter().collect(),
        (None, None) => capture.connections.iter().collect(),
    };
    let rank = |c: &&&Connection| {
        let pushed =
            c.steps.iter().any(|s| s.procedure == Procedure::Notify && s.by == Direction::Received);
        (Failure::of(c).is_none(), pushed, Standing::of(c))
    };
    let fit = candidates.iter().filter(|c| unfit(c).is_none());
    // Of equally good links the first.
    if let Some(link) = fit.rev().max_by_key(rank) {
        return Ok((index, link));
    }
    let whys = candidates.iter().filter_map(|c| unfit(c));
    Err(nothing(whys.max_by_key(|why| *why as u8).unwrap_or(Why::NoLink)))
}

/// Why a link cannot tell a handshake.
fn unfit(c: &Connection) -> Option<Why> {
    let did = c.steps.iter().any(|s| s.is_att() && s.outcome == Outcome::Ok);
    if c.transport == Transport::BrEdr {
        Some(Why::BrEdr)
    } else if c.role == Some(Role::Peripheral) {
        Some(Why::Peripheral)
    } else if !c.start_seen {
        Some(Why::StartNotSeen)
    } else if c.connected_frame().is_none() {
        Some(Why::NoLink)
    } else if !did {
        Some(Why::NothingDone)
    } else {
        None
    }
}

/// Handles of another device, or of other firmware, would be wrong.
fn same_device(analysis: &Analysis) -> Result<(), Refusal> {
    let Some(comparison) = &analysis.comparison else { return Ok(()) };
    let of = |side: compare::Side| {
        analysis.captures.get(side.capture)?.connection(side.connection)?.peer.who()
    };
    if let (Some(works), Some(fails)) = (of(comparison.reference), of(comparison.subject))
        && works != fails
        && comparison.matched_by != compare::MatchedBy::Identity
    {
        return Err(Refusal::OtherDevice { works, fails });
    }
    if comparison.database_hash_equal == Some(false) {
        return Err(Refusal::OtherFirmware("the Database Hash differs"));
    }
    let moved = |d: &compare::DatabaseDifference| d.change == DatabaseChange::Moved;
    if comparison.databases.iter().any(moved) {
        return Err(Refusal::OtherFirmware("attributes lie at other handles"));
    }
    Ok(())
}

/// The frame at which the link was secured, before the device was content.
fn secured(link: &Connection, content: u32) -> Option<u32> {
    link.steps
        .iter()
        .filter(|s| s.frame < content)
        .find(|s| match s.procedure {
            Procedure::Encrypt => true,
            Procedure::Pair => !matches!(s.detail, Detail::SecurityRequest { .. }),
            _ => false,
        })
        .map(|s| s.frame)
}

fn advertised(capture: &Capture, address: Address) -> Option<Arc<str>> {
    capture.device(address)?.name.as_deref().map(Arc::from)
}

/// What handles mean: the working capture knows best.
pub(super) struct Meanings<'a> {
    server: &'a Server,
    fails: &'a [Arc<Database>],
}

/// What one server alone tells.
#[cfg(test)]
pub(super) fn meanings(server: &Server) -> Meanings<'_> {
    Meanings { server, fails: &[] }
}

impl Meanings<'_> {
    fn uuid(&self, handle: u16) -> Option<Uuid> {
        self.server
            .uuid_of(handle)
            .or_else(|| self.fails.iter().find_map(|db| db.get(handle)?.uuid))
    }

    /// The value that a descriptor configures.
    fn value_of(&self, descriptor: u16) -> Option<u16> {
        let known = self.server.characteristic_of(descriptor).map(|(_, declared)| declared.value);
        known.or_else(|| {
            self.fails.iter().find_map(|db| Some(db.characteristic_of(descriptor)?.handle))
        })
    }

    fn is_cccd(&self, handle: u16, value: &[u8], pushed: &[u16]) -> bool {
        match self.uuid(handle) {
            Some(uuid) => uuid == Uuid::Short(CCCD),
            // The host knew the handle from before: what follows tells.
            None => matches!(value, [1..=3, 0]) && pushed.contains(&handle.wrapping_sub(1)),
        }
    }

    /// The host's own stack does it, not the application.
    fn of_the_host(&self, handle: u16) -> bool {
        let about = match self.uuid(handle) {
            Some(Uuid::Short(CCCD)) => self.value_of(handle).and_then(|value| self.uuid(value)),
            uuid => uuid,
        };
        about.is_some_and(compare::of_the_host)
    }
}

/// The moment at which the device was content: its first data, else its first answer to a write of the application.
pub(super) fn content(link: &Connection, said: &[Said], meant: &Meanings<'_>) -> Option<Content> {
    let found =
        |says, said: &Said| Some(Content { says, frame: said.frame, after: link.after(said.at) });
    let pushed = said
        .iter()
        .find(|s| matches!(s.what, What::Pushed { handle, .. } if !meant.of_the_host(handle)));
    if let Some(said) = pushed {
        return found("its first data came", said);
    }
    let mut open = false;
    for s in said {
        match s.what {
            What::Write { handle, .. } | What::Prepare { handle, .. } => {
                open = !meant.of_the_host(handle);
            }
            What::Answered { request: 0x12 | 0x18, .. } if open => {
                return found("it answered the first write", s);
            }
            What::Execute | What::Command { .. } | What::Answered { request: 0x16, .. } => {}
            _ => open = false,
        }
    }
    let command = said
        .iter()
        .find(|s| matches!(s.what, What::Command { handle, .. } if !meant.of_the_host(handle)));
    // Nothing answers a command: that the link lived on is all there is.
    command
        .and_then(|s| found("it kept the link after the first command", s))
        .map(|content| Content { frame: content.frame.saturating_add(1), ..content })
}

/// The rows of the table.
pub(super) fn operations(
    link: &Connection,
    early: &[&Said],
    all: &[Said],
    meant: &Meanings<'_>,
) -> Result<Vec<Operation>, Refusal> {
    let pushed: Vec<u16> = all
        .iter()
        .filter_map(|s| match s.what {
            What::Pushed { handle, .. } => Some(handle),
            _ => None,
        })
        .collect();
    let mut rows: Vec<Operation> = Vec::new();
    let last_early = early.last().map_or(0, |said| said.frame);
    for (at, said) in early.iter().enumerate() {
        let opcode = opcode(&said.what);
        let answer = all.iter().filter(|s| s.frame > said.frame).find_map(|s| match s.what {
            What::Answered { request, handle } if request == opcode => Some((handle, None)),
            What::Refused { request, error } if request == opcode => Some((None, Some(error))),
            _ => None,
        });
        let refused = answer.and_then(|(_, error)| error);
        let mut row = Operation {
            action: Action::Read,
            handle: None,
            uuid: None,
            of: None,
            after: link.after(said.at),
            frame: said.frame,
            count: 1,
            need: Need::Yes,
            done_there: None,
        };
        match &said.what {
            What::Write { handle, value } if meant.is_cccd(*handle, value, &pushed) => {
                let known = meant.value_of(*handle);
                let value_handle = known.or_else(|| handle.checked_sub(1));
                row.handle = Some(*handle);
                row.action = Action::Subscribe { value: value_handle, bits: value.clone() };
                if value.iter().all(|byte| *byte == 0) {
                    row.need = Need::No("switches notifications off");
                }
            }
            What::Write { handle, value } => {
                row.handle = Some(*handle);
                row.action = Action::Write(value.clone());
            }
            What::Command { handle, value } => {
                row.handle = Some(*handle);
                row.action = Action::Command(value.clone());
            }
            What::Signed { .. } => return Err(Refusal::Signed { frame: said.frame }),
            What::Prepare { handle, offset: 0, value } => {
                row.handle = Some(*handle);
                let mut value = value.clone();
                // The rest of it, in order.
                for more in early.iter().skip(at + 1) {
                    match &more.what {
                        What::Prepare { handle: same, offset, value: part }
                            if same == handle && usize::from(*offset) == value.len() =>
                        {
                            value.extend_from_slice(part);
                        }
                        What::Answered { .. } => {}
                        _ => break,
                    }
                }
                row.action = Action::Write(value);
            }
            What::Read { handle } => row.handle = Some(*handle),
            What::ReadByType { uuid } => {
                row.handle = answer.and_then(|(handle, _)| handle);
                row.uuid = Some(*uuid);
            }
            What::Asked(opcode) => {
                let (says, why) = own(*opcode);
                row.action = Action::Own(says);
                row.need = Need::No(why);
            }
            What::Prepare { .. }
            | What::Execute
            | What::ReadBlob { .. }
            | What::Answered { .. }
            | What::Refused { .. }
            | What::Pushed { .. } => continue,
        }
        if let Some(handle) = row.handle {
            row.uuid = meant.uuid(handle).or(row.uuid);
            if row.uuid == Some(Uuid::Short(CCCD)) || matches!(row.action, Action::Subscribe { .. })
            {
                let value = meant.value_of(handle).or(handle.checked_sub(1));
                row.of = value.and_then(|value| meant.uuid(value));
            }
        }
        let host = row.handle.is_some_and(|handle| meant.of_the_host(handle))
            || row.uuid.is_some_and(compare::of_the_host);
        if host {
            row.need = Need::No("the host's own habit");
        } else if refused.is_some_and(|error| error != ErrorCode::ATTRIBUTE_NOT_FOUND)
            && !matches!(row.action, Action::Own(_))
        {
            row.need = Need::No("the device refused it");
        } else if row.action == Action::Read {
            // A read that found nothing leaves nothing to do.
            let found = row.handle.is_some() && refused.is_none();
            row.need = if found { Need::Perhaps } else { Need::No("it found nothing") };
        }
        if said.hidden && row.need == Need::Yes {
            return Err(Refusal::Key { frame: said.frame });
        }
        let writes = matches!(row.action, Action::Write(_) | Action::Command(_));
        if writes
            && row.need == Need::Yes
            && row.uuid.is_some_and(crate::packet::secrecy::carries_key)
        {
            return Err(Refusal::Key { frame: said.frame });
        }
        match rows.last_mut() {
            Some(before) if matches!(row.action, Action::Own(_)) && before.action == row.action => {
                before.count += 1;
            }
            _ => rows.push(row),
        }
    }
    let needed = rows.iter().filter(|row| !matches!(row.need, Need::No(_))).count();
    if needed > MOST_OPERATIONS || last_early == 0 {
        return Err(Refusal::Cannot {
            target: "any target",
            what: "the working host did far more than a handshake before its first data. Record a shorter session, or one in which the program only connects and subscribes.",
        });
    }
    Ok(rows)
}

/// The opcode that an answer to this names; 0 where none answers it.
fn opcode(what: &What) -> u8 {
    match what {
        What::Write { .. } => 0x12,
        What::Prepare { .. } => 0x16,
        What::Read { .. } => 0x0a,
        What::ReadByType { .. } => 0x08,
        _ => 0,
    }
}

/// What a host's own stack asks, in words, and why a recipe leaves it out.
fn own(opcode: u8) -> (&'static str, &'static str) {
    match opcode {
        0x02 => ("exchange MTU", "the host's own habit"),
        0x04 => ("discover descriptors", "handles are known"),
        0x06 | 0x10 => ("discover services", "handles are known"),
        0x08 => ("discover characteristics", "handles are known"),
        _ => ("another request", "the host's own habit"),
    }
}

/// The side that fails.
struct Failing<'a> {
    says: Option<Fails>,
    links: Vec<&'a Connection>,
    databases: Vec<Arc<Database>>,
}

impl<'a> Failing<'a> {
    fn of(analysis: &'a Analysis, works: usize, working: &Connection) -> Self {
        let none = Self { says: None, links: Vec::new(), databases: Vec::new() };
        let Some(comparison) = &analysis.comparison else { return none };
        let side = comparison.subject;
        let Some(capture) = analysis.captures.get(side.capture) else { return none };
        let Some(link) = capture.connection(side.connection) else { return none };
        let links: Vec<&Connection> = capture
            .kin(link, MOST_KIN)
            .chain([link])
            .filter(|c| side.capture != works || c.number != working.number)
            .collect();
        let scene = Scene {
            captures: &analysis.captures,
            testimonies: &analysis.testimonies,
            subject: side.capture,
            comparison: Some(comparison),
        };
        let finding = analysis.findings.iter().find(|finding| {
            finding.rule == DEADLINE_RULE
                && finding.level != Level::Note
                && finding.capture == side.capture
        });
        let budget = finding.and_then(|finding| {
            let about: Vec<&Connection> =
                finding.connections.iter().filter_map(|n| capture.connection(*n)).collect();
            Budget::of(&scene, &about)
        });
        let mut adapters = capture.adapters.iter().filter_map(|adapter| adapter.address);
        let adapter = match (adapters.next(), adapters.next()) {
            (Some(one), None) => Some(one),
            _ => None,
        };
        let bluez = capture.host.as_ref().is_some_and(|host| host.stack == Stack::BlueZ);
        let databases = links.iter().map(|c| c.remote.clone()).collect();
        let says = Fails { file: capture.file.clone(), adapter, bluez, budget };
        Self { says: Some(says), links, databases }
    }

    /// The failing host did the same on one of its links.
    fn did(&self, operation: &Operation) -> bool {
        let same = |step: &crate::timeline::Step| {
            let procedure = match operation.action {
                Action::Write(_) | Action::Command(_) => {
                    matches!(step.procedure, Procedure::Write | Procedure::WriteCommand)
                }
                Action::Subscribe { .. } => {
                    matches!(step.procedure, Procedure::Subscribe | Procedure::Write)
                }
                Action::Read => step.procedure == Procedure::Read,
                Action::Own(_) => false,
            };
            procedure
                && step.by == Direction::Sent
                && step.outcome == Outcome::Ok
                && Some(step.attribute) == operation.handle
        };
        self.links.iter().any(|c| c.steps.iter().any(same))
    }
}
