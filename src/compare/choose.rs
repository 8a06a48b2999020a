//! Which connections to compare: the same device on both sides, one attempt of each.
use super::count;
use super::standing::{Failure, Standing};
use super::{MatchedBy, Options, Others, Side, Sought, Wanted};
use crate::packet::att::Uuid;
use crate::packet::{Address, Status};
use crate::prose::{Text, name, quoted};
use crate::sides::Sides;
use crate::text;
use crate::timeline::{Capture, Connection, EndedBy, Role, Transport};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most devices, or following attempts, that are looked at where each would be looked at with each.
const FEW: usize = 64;

/// What will be compared, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// The connection that works.
    pub reference: Side,
    /// The connection that fails.
    pub subject: Side,
    /// What tells that both are of one device.
    pub matched_by: MatchedBy,
    /// How sure, in words.
    pub says: Text,
    /// The other attempts to the device on either side.
    pub others: Sides<Others>,
}

/// Nothing on one side corresponds to anything on the other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoMatch {
    /// Why there is nothing to compare, in one sentence.
    pub says: Text,
    /// What each side holds, a line a device.
    pub holds: Vec<Vec<Text>>,
    /// The pairs that come nearest, with what to type.
    pub nearest: Vec<Text>,
}

/// All attempts of one capture to one device.
struct Group<'a> {
    capture: &'a Capture,
    attempts: Vec<&'a Connection>,
}

/// Whether two connections of one capture have the same device at the other end.
pub fn same_peer(a: &Connection, b: &Connection) -> bool {
    a.peer.who().is_some() && a.peer.who() == b.peer.who()
}

/// Chooses from two captures, or from one that holds working and failing attempts to one device.
pub fn choose(captures: &[Capture], options: &Options) -> Result<Choice, NoMatch> {
    match captures {
        [one] => choose_within(one, options).ok_or_else(|| NoMatch {
            says: "no device with both a working and a failing attempt".into(),
            holds: vec![holds(one)],
            nearest: Vec::new(),
        }),
        [reference, subject] => choose_between(reference, subject, options),
        _ => Err(NoMatch {
            says: "two captures are needed".into(),
            holds: Vec::new(),
            nearest: Vec::new(),
        }),
    }
}

fn choose_between(
    reference: &Capture,
    subject: &Capture,
    options: &Options,
) -> Result<Choice, NoMatch> {
    let captures = Sides::new(reference, subject);
    let groups = captures.zip(options.wanted.as_ref()).map(|(capture, wanted)| {
        let number = wanted.connection;
        groups(capture, wanted, number.as_slice(), |who| who)
    });
    let no_match = |says: Text, nearest| NoMatch {
        says,
        holds: vec![holds(reference), holds(subject)],
        nearest,
    };
    for (capture, groups) in captures.zip(groups.as_ref()) {
        if groups.is_empty() {
            // An attempt to nobody is left out only where it is not the last: what is empty holds nothing, or was
            // narrowed by the options.
            return Err(no_match(
                if !capture.connections.is_empty() {
                    text!(
                        "{} has no connection that fits the options given for it",
                        quoted(&capture.label)
                    )
                } else {
                    text!(
                        "{} holds no connection and no attempt to connect",
                        quoted(&capture.label)
                    )
                },
                Vec::new(),
            ));
        }
    }
    let only = groups.iter().all(|groups| groups.len() == 1);
    let named = |wanted: &Wanted| wanted.connection.is_some() || wanted.peer.is_some();
    let mut best: Option<(Rank, MatchedBy, Text, &Group<'_>, &Group<'_>)> = None;
    for (left, right) in candidates(&groups.reference, &groups.subject) {
        let found = match same_device(left, right) {
            Some((by, says)) => Some((by, says)),
            None if only && options.wanted.iter().all(named) => {
                Some((MatchedBy::Option, "chosen by the options".into()))
            }
            None if only && !proved_another(left, subject) => Some((
                MatchedBy::Position,
                "by position only: each capture holds one device, nothing proves that it is the same".into(),
            )),
            None => None,
        };
        let Some((by, says)) = found else { continue };
        let rank = rank(by, left, right);
        if best.as_ref().is_none_or(|(other, ..)| rank > *other) {
            best = Some((rank, by, says, left, right));
        }
    }
    let Some((_, by, says, left, right)) = best else {
        return Err(no_match(
            text!("no device of {} is one of {}", quoted(&subject.label), quoted(&reference.label)),
            nearest(&groups.reference, &groups.subject),
        ));
    };
    let (working, failing) = (left.works_best(), right.most_telling());
    Ok(Choice {
        reference: Side { capture: 0, connection: working.number },
        subject: Side { capture: 1, connection: failing.number },
        matched_by: by,
        says,
        others: Sides::new(count::others(reference, working), count::others(subject, failing)),
    })
}

fn choose_within(capture: &Capture, options: &Options) -> Option<Choice> {
    let groups = within(capture, options);
    let numbers = options.wanted.as_ref().map(|wanted| wanted.connection);
    let mut best: Option<((usize, usize), Choice)> = None;
    for group in &groups {
        let (working, failing) = (group.works_best(), group.most_telling());
        let mixed = working.number != failing.number
            && Failure::of(working).is_none()
            && Standing::of(working).usable;
        let asked = numbers.both().filter(|_| group.attempts.len() == 2);
        if !mixed && asked.is_none() {
            continue;
        }
        let Sides { reference: working, subject: failing } =
            asked.unwrap_or(Sides::new(working.number, failing.number));
        let others = capture.connection(failing).map(|failing| count::others(capture, failing));
        let choice = Choice {
            reference: Side { capture: 0, connection: working },
            subject: Side { capture: 0, connection: failing },
            matched_by: group.known_by(asked.is_some()),
            says: "attempts to the same device in one capture".into(),
            others: Sides::new(Others::default(), others.unwrap_or_default()),
        };
        // What failed on LE tells more than pages that nobody answered.
        let failed = group.attempts.iter().filter(|c| Failure::of(c).is_some()).count();
        let failures = (group.le_failures().count(), failed);
        if best.as_ref().is_none_or(|(most, _)| failures > *most) {
            best = Some((failures, choice));
        }
    }
    best.map(|(_, choice)| choice)
}

/// Pairs worth a closer look: those that share an address or a name; where none do, the first few
/// of each side with one another. A capture may hold thousands of devices.
fn candidates<'g, 'a>(
    left: &'g [Group<'a>],
    right: &'g [Group<'a>],
) -> Vec<(&'g Group<'a>, &'g Group<'a>)> {
    let mut addresses: HashMap<Address, BTreeSet<usize>> = HashMap::new();
    let mut names: HashMap<&str, BTreeSet<usize>> = HashMap::new();
    for (at, group) in right.iter().enumerate() {
        for address in group.addresses() {
            addresses.entry(address).or_default().insert(at);
        }
        if let Some(name) = group.name() {
            names.entry(name).or_default().insert(at);
        }
    }
    let mut pairs = Vec::new();
    for group in left {
        let by_address = group.addresses().filter_map(|address| addresses.get(&address));
        let by_name = group.name().and_then(|name| names.get(name));
        let mut others: BTreeSet<usize> = by_address.flatten().copied().collect();
        if others.is_empty() {
            others.extend(by_name.into_iter().flatten().take(FEW));
        }
        pairs.extend(others.into_iter().map(|at| (group, &right[at])));
    }
    if pairs.is_empty() {
        let all = left
            .iter()
            .take(FEW)
            .flat_map(|one| right.iter().take(FEW).map(move |other| (one, other)));
        pairs.extend(all);
    }
    pairs
}

/// How good a match is: the proof first, then how much there is to see.
type Rank = (u8, bool, bool, usize);

fn rank(by: MatchedBy, left: &Group<'_>, right: &Group<'_>) -> Rank {
    let proof = match by {
        MatchedBy::Option => 6,
        MatchedBy::Identity => 5,
        MatchedBy::Address => 4,
        MatchedBy::Name => 3,
        MatchedBy::Gatt => 2,
        MatchedBy::Position => 1,
    };
    let works = Failure::of(left.works_best()).is_none() && Standing::of(left.works_best()).usable;
    let fails = Failure::of(right.most_telling()).is_some();
    (proof, works, fails, right.attempts.len())
}

/// Attempts of the only capture. Both sides may name a number of it; what else is wanted, the first says.
fn within<'a>(capture: &'a Capture, options: &Options) -> Vec<Group<'a>> {
    let numbers = options.wanted.as_ref().map(|wanted| wanted.connection);
    let numbers: Vec<u32> = numbers.into_iter().flatten().collect();
    // Two attempts of one capture that the user named are compared whatever they are.
    let place = |who| if numbers.is_empty() { who } else { None };
    groups(capture, &options.wanted.reference, &numbers, place)
}

/// Attempts by device, in order of first sight: those that are wanted, and of these only the numbers, if there are
/// any. Attempts of one place are one group.
fn groups<'a>(
    capture: &'a Capture,
    wanted: &Wanted,
    numbers: &[u32],
    place: impl Fn(Option<Address>) -> Option<Address>,
) -> Vec<Group<'a>> {
    let mut groups: Vec<(Option<Address>, Group<'a>)> = Vec::new();
    let mut places = HashMap::new();
    let sought = wanted.peer.as_ref().map(|peer| Sought::of(peer, capture));
    for connection in &capture.connections {
        let who = connection.peer.identity.map(|(address, _)| address).or(connection.peer.address);
        let fits = numbers.is_empty() || numbers.contains(&connection.number);
        if !fits
            || sought.as_ref().is_some_and(|sought| !sought.has(connection))
            || wanted.adapter.is_some_and(|adapter| connection.adapter != Some(adapter))
        {
            continue;
        }
        if routine(capture, connection) && numbers.is_empty() {
            continue;
        }
        let place = place(who);
        match places.get(&place).and_then(|at: &usize| groups.get_mut(*at)) {
            Some((_, group)) => group.attempts.push(connection),
            None => {
                places.insert(place, groups.len());
                groups.push((who, Group { capture, attempts: vec![connection] }));
            }
        }
    }
    // Attempts to nobody in particular tell something only where there is nothing else.
    if groups.iter().any(|(address, _)| address.is_some()) {
        groups.retain(|(address, _)| address.is_some());
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// An attempt by accept list that only made way for the next one: it tells nothing.
pub(super) fn routine(capture: &Capture, connection: &Connection) -> bool {
    let Some(request) = &connection.request else { return false };
    !connection.connected() && request.filter_policy != 0 && capture.renewed(connection)
}

impl<'a> Group<'a> {
    /// The addresses and identities of the device on this side.
    fn addresses(&self) -> impl Iterator<Item = Address> {
        let first =
            |of: fn(&Connection) -> Option<Address>| self.attempts.iter().find_map(|c| of(c));
        [first(|c| c.peer.identity.map(|(address, _)| address)), first(|c| c.peer.address)]
            .into_iter()
            .flatten()
    }

    /// What shows that all these attempts are to one device.
    fn known_by(&self, asked: bool) -> MatchedBy {
        match self.addresses().next() {
            _ if asked => MatchedBy::Option,
            Some(_) => MatchedBy::Address,
            None => MatchedBy::Position,
        }
    }

    fn name(&self) -> Option<&'a str> {
        self.attempts.iter().find_map(|c| c.peer.name.as_deref())
    }

    /// The attempt that worked best; of equals, the first. What ended because this host switched Bluetooth off shows
    /// less well how a link should end.
    fn works_best(&self) -> &'a Connection {
        let key = |c: &&&Connection| {
            let switched_off = c.end.as_ref().is_some_and(|end| {
                end.by == EndedBy::Host && end.reason_sent == Some(Status::REMOTE_POWER_OFF)
            });
            (Failure::of(c).is_none(), !switched_off, Standing::of(c))
        };
        let best = self.attempts.iter().rev().max_by(|a, b| key(a).cmp(&key(b)));
        best.copied().unwrap_or(&self.capture.connections[0])
    }

    /// The attempt that shows best what goes wrong: of the most frequent failure, the one that came
    /// furthest; of equals, the first. Where nothing fails, the one that worked best. Where LE links came up
    /// and failed, the device's pages on BR/EDR tell nothing more.
    fn most_telling(&self) -> &'a Connection {
        let le = self.le_failures().any(|c| c.connected());
        let mut often: BTreeMap<Failure, usize> = BTreeMap::new();
        let telling = self.attempts.iter().filter(|c| !le || c.transport != Transport::BrEdr);
        for failure in telling.filter_map(|c| Failure::of(c)) {
            *often.entry(failure).or_default() += 1;
        }
        let Some((&worst, _)) = often.iter().max_by_key(|(failure, count)| (**count, **failure))
        else {
            return self.works_best();
        };
        let telling = self.attempts.iter().filter(|c| !le || c.transport != Transport::BrEdr);
        let of_this = telling.rev().filter(|c| Failure::of(c) == Some(worst));
        of_this.max_by_key(|c| Standing::of(c)).copied().unwrap_or_else(|| self.works_best())
    }

    /// Attempts on LE that failed.
    fn le_failures(&self) -> impl Iterator<Item = &'a Connection> {
        let le = self.attempts.iter().copied().filter(|c| c.transport != Transport::BrEdr);
        le.filter(|c| Failure::of(c).is_some())
    }

    fn who(&self) -> Text {
        describe(self.attempts[0])
    }

    fn uuids(&self) -> BTreeSet<Uuid> {
        let own = |uuid: &Uuid| !matches!(uuid, Uuid::Short(0x1800..=0x1801 | 0x2800..=0x29ff));
        let all = self.attempts.iter().flat_map(|c| c.remote.attributes());
        all.filter_map(|a| a.uuid).filter(own).collect()
    }
}

fn same_device(left: &Group<'_>, right: &Group<'_>) -> Option<(MatchedBy, Text)> {
    let first = |group: &Group<'_>| {
        let of = |f: fn(&Connection) -> Option<Address>| group.attempts.iter().find_map(|c| f(c));
        (
            of(|c| c.peer.identity.map(|(a, _)| a)),
            of(|c| c.peer.address),
            group.attempts.iter().find_map(|c| c.peer.name.clone()),
        )
    };
    let ((identity, address, name), (identity_too, address_too, name_too)) =
        (first(left), first(right));
    let either = |a: Option<Address>, b: Option<Address>| a.is_some() && a == b;
    if either(identity, identity_too)
        || either(identity, address_too)
        || either(address, identity_too)
    {
        return Some((MatchedBy::Identity, "the same identity address".into()));
    }
    if either(address, address_too) {
        return Some((MatchedBy::Address, "the same address".into()));
    }
    if let Some(says) = two_ends(left, right) {
        return Some((MatchedBy::Address, says));
    }
    if let (Some(name), Some(other)) = (name, name_too)
        && name == other
    {
        return Some((MatchedBy::Name, "the same name, other addresses".into()));
    }
    let (ours, theirs) = (left.uuids(), right.uuids());
    let common = ours.intersection(&theirs).count();
    if common >= 3 && common * 10 >= ours.union(&theirs).count() * 7 {
        return Some((
            MatchedBy::Gatt,
            text!("{} UUIDs of its services in common, other addresses", common),
        ));
    }
    None
}

/// Whether a device is heard in the other capture beside the one that was connected to there: under
/// a fixed address of its own, so that both cannot be one.
fn proved_another(group: &Group<'_>, other: &Capture) -> bool {
    group.attempts.iter().filter_map(|c| c.peer.address.zip(c.peer.address_type)).any(
        |(address, kind)| {
            let fixed = !kind.is_random() || address.looks_static();
            fixed && other.device(address).is_some_and(|device| device.reports > 0)
        },
    )
}

/// A central's capture and its peripheral's: each one's peer is the other one's adapter.
fn two_ends(left: &Group<'_>, right: &Group<'_>) -> Option<Text> {
    let role = |group: &Group<'_>| group.attempts.iter().find_map(|c| c.role);
    if role(left)? == role(right)? {
        return None;
    }
    let is_adapter = |group: &Group<'_>, of: &Capture| {
        let peer = group.attempts.iter().find_map(|c| c.peer.address);
        peer.is_some() && of.adapters.iter().any(|a| a.address == peer)
    };
    (is_adapter(left, right.capture) || is_adapter(right, left.capture))
        .then(|| "two ends of one kind of link: the peer of one is the adapter of the other".into())
}

fn nearest(left: &[Group<'_>], right: &[Group<'_>]) -> Vec<Text> {
    let mut guesses: Vec<(usize, Text)> = Vec::new();
    for a in left.iter().take(FEW) {
        for b in right.iter().take(FEW) {
            let common = a.uuids().intersection(&b.uuids()).count();
            let roles = usize::from(a.attempts[0].role == b.attempts[0].role);
            let numbers = (a.works_best().number, b.most_telling().number);
            let shared = if common > 0 {
                text!("{} in common", crate::prose::count(common, "UUID", "UUIDs"))
            } else {
                "only their order".into()
            };
            guesses.push((
                common * 2 + roles,
                text!(
                    "{} and {} ({}): --reference-connection {} --subject-connection {}",
                    a.who(),
                    b.who(),
                    shared,
                    numbers.0,
                    numbers.1
                ),
            ));
        }
    }
    guesses.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    guesses.into_iter().take(3).map(|(_, says)| says).collect()
}

/// A device in one phrase: address, type, name.
pub fn describe(connection: &Connection) -> Text {
    let peer = &connection.peer;
    let list = connection.request.as_ref().is_some_and(|r| r.filter_policy != 0);
    let who = match peer.address {
        Some(address) => match peer.address_type.and_then(|t| t.name()) {
            Some(kind) => text!("{} ({})", address, kind),
            None => text!("{}", address),
        },
        None if !connection.connected() && list => "anyone on the accept list".into(),
        None => "a device without an address here".into(),
    };
    let identity = peer.identity.map(|(identity, _)| identity);
    let identity = identity.filter(|identity| Some(*identity) != peer.address);
    let identity = identity.map(|identity| text!(", identity {}", identity));
    let called = peer.name.as_deref().map(|called| text!(", {}", name(called)));
    text!("{}{}{}", who, identity, called)
}

/// Numbers of the attempts of one capture that the options allow.
pub fn attempts(capture: &Capture, options: &Options) -> Vec<u32> {
    within(capture, options)
        .iter()
        .flat_map(|group| group.attempts.iter().map(|c| c.number))
        .collect()
}

/// Numbers of the attempts of one of two captures that are wanted of it.
pub fn attempts_wanted(capture: &Capture, wanted: &Wanted) -> Vec<u32> {
    let groups = groups(capture, wanted, wanted.connection.as_slice(), |who| who);
    groups.iter().flat_map(|group| group.attempts.iter().map(|c| c.number)).collect()
}

/// The one of these attempts that shows best what goes wrong.
pub fn most_telling(capture: &Capture, numbers: &[u32]) -> Option<u32> {
    let attempts: Vec<&Connection> =
        numbers.iter().filter_map(|number| capture.connection(*number)).collect();
    let group = Group { capture, attempts };
    (!group.attempts.is_empty()).then(|| group.most_telling().number)
}

/// What a capture holds, a line a device.
pub fn holds(capture: &Capture) -> Vec<Text> {
    let groups = within(capture, &Options::default());
    let mut lines: Vec<Text> = groups
        .iter()
        .take(FEW)
        .map(|group| {
            let role = match group.attempts[0].role {
                Some(Role::Peripheral) => "connected to us",
                _ if group.attempts.len() == 1 => "attempt",
                _ => "attempts",
            };
            let numbers = group.attempts.iter().take(8).map(|c| text!("{}", c.number));
            let (who, count) = (group.who(), group.attempts.len());
            text!("{}: {} {} (connection {})", who, count, role, Text::joined(numbers, ", "))
        })
        .collect();
    if groups.len() > FEW {
        lines.push(text!("and {} more devices", groups.len() - FEW));
    }
    if lines.is_empty() {
        lines.push(text!(
            "no connection; {} advertising reports of {}",
            capture.totals.advertising_reports,
            capture.devices_heard()
        ));
    }
    lines
}

#[cfg(test)]
mod tests;
