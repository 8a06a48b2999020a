//! Counts: how many captures of each group have which cause.
use super::{By, Read, Row, Survey};
use std::collections::BTreeMap;

/// Captures that belong together.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Group {
    /// What they have in common; `None` where nothing shows it.
    pub name: Option<String>,
    /// How many captures were read.
    pub captures: usize,
    /// Captures whose verdict is more than a note, by its rule.
    pub causes: BTreeMap<&'static str, usize>,
}

impl Group {
    /// Captures with a verdict.
    pub fn found(&self) -> usize {
        self.causes.values().sum()
    }

    fn count(&mut self, read: &Read) {
        self.captures += 1;
        if let Some((rule, _)) = read.verdict {
            *self.causes.entry(rule).or_default() += 1;
        }
    }
}

impl Survey {
    /// All captures as one group.
    pub fn all(&self) -> Group {
        let mut all = Group::default();
        self.read().for_each(|(_, read)| all.count(read));
        all
    }

    /// The captures by what they have in common, the largest group first.
    pub fn by(&self, by: By) -> Vec<Group> {
        let mut groups: BTreeMap<Option<String>, Group> = BTreeMap::new();
        for (row, read) in self.read() {
            groups.entry(key(by, row, read)).or_default().count(read);
        }
        let named = groups.into_iter().map(|(name, group)| Group { name, ..group });
        let mut groups: Vec<Group> = named.collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.captures));
        groups
    }
}

fn key(by: By, row: &Row, read: &Read) -> Option<String> {
    match by {
        By::Device => read.device.clone(),
        By::Host => read.host.map(str::to_owned),
        By::Adapter => read.adapter.clone(),
        By::Label => row.label.clone(),
    }
}
