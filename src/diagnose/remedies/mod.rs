//! Remedies as values with conditions: one file for each family, one row a remedy, the best first.
//!
//! A report shows those rows whose conditions the capture meets. A new remedy is one row. Where it was tried, the row
//! has the name that the laboratory's table of experiments gives it; a test joins the two.
use super::{Finding, Proof, Remedy, RemedyKind, Scene, remedy};
use crate::prose::Text;
use crate::timeline::{Host, Stack};
use crate::vocabulary::vocabulary;

mod agent;
mod bond;
mod cache;
mod deadline;
mod links;
mod page;
mod parameters;
mod server;
mod supervision;
mod unheard;
mod view;

pub use page::page;
pub use unheard::{Reason, Why, why};
pub use view::View;

/// All rows, family by family. Within a family the best stand first.
const FAMILIES: &[&[Entry]] = &[
    deadline::ROWS,
    unheard::ROWS,
    bond::ROWS,
    agent::ROWS,
    cache::ROWS,
    server::ROWS,
    supervision::ROWS,
    parameters::ROWS,
    links::ROWS,
];

vocabulary! {
    /// For whom a remedy is: a host stack, a library on it, or the device. The words are those of the
    /// laboratory's table.
    For {
        Any "any",
        /// The device's own firmware.
        Peer "peer",
        BlueZ "bluez",
        Bleak "bleak",
        BluezDbus "bluez-dbus",
        /// A program with an L2CAP socket of the Linux kernel.
        LinuxRaw "linux-raw",
        /// A program that speaks HCI itself.
        RawHci "raw-hci",
        Noble "noble",
        Android "android",
        Apple "apple",
        Embedded "embedded",
    }
}

impl For {
    /// The host stacks on which it can be done. Empty: on any.
    fn stacks(self) -> &'static [Stack] {
        match self {
            For::Any | For::Peer => &[],
            For::BlueZ | For::Bleak | For::BluezDbus | For::LinuxRaw => &[Stack::BlueZ],
            For::RawHci => &[Stack::BlueZ, Stack::Noble, Stack::Bumble, Stack::BtStack],
            For::Noble => &[Stack::Noble],
            For::Android => &[Stack::Android],
            For::Apple => &[Stack::Ios, Stack::MacOs],
            For::Embedded => &[Stack::NimBle, Stack::Zephyr, Stack::Esp],
        }
    }

    /// The words that go before the remedy.
    fn prefix(self, host: Option<&Host>) -> Text {
        let library = match self {
            For::Peer => remedy::FIRMWARE,
            For::Bleak => "With bleak: ",
            For::BluezDbus => "In a program that uses BlueZ over D-Bus: ",
            For::LinuxRaw => "In a program on Linux: ",
            For::RawHci => "In a program that speaks HCI itself: ",
            _ => "",
        };
        match host {
            None if library.is_empty() && !self.stacks().is_empty() => remedy::names(self.stacks()),
            _ => Text::fixed(library),
        }
    }
}

vocabulary! {
    /// What one has to touch.
    What {
        Command "command",
        File "file",
        Setting "setting",
        Code "line of code",
        Test "test",
        Advice "advice",
    }
}

/// A row's words: always the same, or made from the capture (then with a sample for the documentation).
#[derive(Clone, Copy)]
enum Words {
    Fixed(&'static str),
    Made { sample: &'static str, make: fn(&View<'_>) -> Option<Text> },
}

/// Something that must be seen in the capture, or must not.
#[derive(Clone, Copy)]
struct Condition {
    says: &'static str,
    holds: fn(&View<'_>) -> bool,
}

/// One remedy.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Kebab-case; the experiment's name in the laboratory's table, where there is one.
    id: &'static str,
    rules: &'static [&'static str],
    on: For,
    kind: RemedyKind,
    what: What,
    words: Words,
    /// What must be seen for it to make sense.
    when: Option<Condition>,
    /// What contradicts it.
    unless: Option<Condition>,
    /// When it helps only in part.
    limits: &'static str,
    costs: &'static str,
    proof: Proof,
    /// How well it fits this capture: the highest stands first, equal ones in the table's order.
    weight: Option<fn(&View<'_>) -> u32>,
}

type Rules = &'static [&'static str];

impl Entry {
    const fn new(
        kind: RemedyKind,
        what: What,
        id: &'static str,
        (rules, on): (Rules, For),
        words: Words,
    ) -> Self {
        Self {
            id,
            rules,
            on,
            kind,
            what,
            words,
            when: None,
            unless: None,
            limits: "",
            costs: "",
            proof: Proof::Unproved,
            weight: None,
        }
    }

    const fn fixed(what: What, id: &'static str, whom: (Rules, For), says: &'static str) -> Self {
        Self::new(RemedyKind::Do, what, id, whom, Words::Fixed(says))
    }

    /// Words that are made from the capture; nothing to say, nothing offered.
    const fn made(
        what: What,
        id: &'static str,
        whom: (Rules, For),
        sample: &'static str,
        make: fn(&View<'_>) -> Option<Text>,
    ) -> Self {
        Self::new(RemedyKind::Do, what, id, whom, Words::Made { sample, make })
    }

    const fn no_use(id: &'static str, whom: (Rules, For), says: &'static str) -> Self {
        Self::new(RemedyKind::NoUse, What::Advice, id, whom, Words::Fixed(says))
    }

    const fn when(mut self, says: &'static str, holds: fn(&View<'_>) -> bool) -> Self {
        self.when = Some(Condition { says, holds });
        self
    }

    const fn unless(mut self, says: &'static str, holds: fn(&View<'_>) -> bool) -> Self {
        self.unless = Some(Condition { says, holds });
        self
    }

    const fn limits(mut self, limits: &'static str) -> Self {
        self.limits = limits;
        self
    }

    const fn costs(mut self, costs: &'static str) -> Self {
        self.costs = costs;
        self
    }

    /// Tried: the capture afterwards, and the BlueZ versions.
    const fn tried(mut self, experiment: &'static str, versions: &'static [&'static str]) -> Self {
        self.proof = Proof::Laboratory { experiment, versions };
        self
    }

    const fn says_source(mut self, source: &'static str) -> Self {
        self.proof = Proof::Source(source);
        self
    }

    const fn says_thread(mut self, thread: &'static str) -> Self {
        self.proof = Proof::Thread(thread);
        self
    }

    const fn weight(mut self, weight: fn(&View<'_>) -> u32) -> Self {
        self.weight = Some(weight);
        self
    }

    /// As a remedy for the host at hand, if the capture allows it.
    fn offered(&self, view: &View<'_>) -> Option<Remedy> {
        let host = view.scene.capture().host.as_ref();
        let stacks = self.on.stacks();
        let fits = host.is_none_or(|host| stacks.is_empty() || stacks.contains(&host.stack));
        let seen = self.when.is_none_or(|condition| (condition.holds)(view));
        let contradicted = self.unless.is_some_and(|condition| (condition.holds)(view));
        if !fits || !seen || contradicted {
            return None;
        }
        let says = match self.words {
            Words::Fixed(words) => Text::fixed(words),
            Words::Made { make, .. } => make(view)?,
        };
        let mut but = Text::fixed(self.limits);
        if !self.costs.is_empty() {
            but.plain(if self.limits.is_empty() { "Its price: " } else { " Its price: " });
            but.plain(self.costs);
        }
        let text = (self.on.prefix(host), says, but);
        let whom = (stacks, self.on == For::Peer);
        Some(Remedy::of_table((self.id, self.kind, self.proof), whom, text))
    }
}

/// Every row, in order.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    FAMILIES.iter().copied().flatten()
}

/// Fills in what to do about a finding, and what is of no use.
///
/// The table speaks for every stack that it has rows for; what the rule itself says stays for the others. So a rule
/// whose advice was tried keeps what nobody has tried yet, and what was tried stands in one place, with its conditions.
pub(super) fn advise(scene: &Scene<'_>, finding: &mut Finding) {
    let view = View::of(scene, finding);
    let rows: Vec<&Entry> = entries().filter(|row| row.rules.contains(&finding.rule)).collect();
    let mut fit: Vec<(u32, &Entry, Remedy)> = rows
        .iter()
        .filter_map(|row| Some((row.weight.map_or(0, |w| w(&view)), *row, row.offered(&view)?)))
        .collect();
    fit.sort_by_key(|(weight, ..)| std::cmp::Reverse(*weight));
    if scene.capture().host.is_none() {
        one_for_each_stack(&mut fit);
    }
    let covered = |own: &Remedy| {
        rows.iter().filter(|row| row.kind == own.kind).any(|row| {
            let theirs = row.on.stacks();
            (own.stacks.is_empty() && theirs.is_empty())
                || own.stacks.iter().any(|stack| theirs.contains(stack))
        })
    };
    let own = std::mem::take(&mut finding.remedies).into_iter().filter(|own| !covered(own));
    let mut all: Vec<Remedy> = fit.into_iter().map(|(.., remedy)| remedy).chain(own).collect();
    // Nothing shows the host: what any host can do comes first, then what is for one of them, with its name, and last
    // what only the device's maker can do.
    if scene.capture().host.is_none() {
        all.sort_by_key(|remedy| (remedy.firmware, !remedy.stacks.is_empty()));
    }
    let adapter = view.links.first().and_then(|c| c.adapter).unwrap_or_default();
    let all = all.into_iter().map(|remedy| remedy.on_adapter(adapter));
    (finding.remedies, finding.no_use) = all.partition(|remedy| remedy.kind == RemedyKind::Do);
    unheard::explain(&view, finding);
}

/// Nothing shows the host: of what is to be done, the best for each stack, which it names.
fn one_for_each_stack(fit: &mut Vec<(u32, &Entry, Remedy)>) {
    let mut seen: Vec<&[Stack]> = Vec::new();
    fit.retain(|(_, row, _)| {
        let stacks = row.on.stacks();
        if row.kind == RemedyKind::NoUse || stacks.is_empty() {
            return stacks.is_empty();
        }
        let first = !seen.contains(&stacks);
        seen.push(stacks);
        first
    });
}

#[cfg(test)]
mod tests;
