//! Two GATT databases side by side, by UUID.
use super::{DatabaseChange, DatabaseDifference, Pair, View, words};
use crate::packet::att::{Handle, Uuid};
use crate::prose::{Piece, Text, quoted};
use crate::text;
use crate::timeline::{Attribute, AttributeKind, Database, Detail, Outcome, Procedure, Step};
use std::collections::BTreeMap;

/// A characteristic's or service's identity: service, characteristic, and which of several alike.
type Place = (Uuid, Option<Uuid>, usize);

/// What differs, and whether the two Database Hashes are equal.
pub fn compare(pair: &Pair<'_>) -> (Vec<DatabaseDifference>, Option<bool>) {
    let (left, right) = (pair.reference.server(false), pair.subject.server(pair.roles_differ));
    let equal = left.hash.zip(right.hash).map(|(a, b)| a == b);
    if left.is_empty() || right.is_empty() {
        return (Vec::new(), equal);
    }
    let (ours, theirs) = (places(left), places(right));
    let full =
        pair.reference.saw_all_services(false) && pair.subject.saw_all_services(pair.roles_differ);
    let mut found = Vec::new();
    let mut moved: BTreeMap<Uuid, Vec<DatabaseDifference>> = BTreeMap::new();
    for (place, a) in &ours {
        match theirs.get(place) {
            Some(b) => {
                if a.handle != b.handle {
                    let row = difference(pair, DatabaseChange::Moved, place, Some(a), Some(b));
                    moved.entry(place.0).or_default().push(row);
                }
                if a.properties != b.properties && a.properties != 0 && b.properties != 0 {
                    found.push(difference(pair, DatabaseChange::Altered, place, Some(a), Some(b)));
                }
            }
            None if full && looked(&pair.subject, pair.roles_differ, place, &theirs) => {
                found.push(difference(pair, DatabaseChange::Removed, place, Some(a), None));
            }
            None => {}
        }
    }
    for (place, b) in &theirs {
        if !ours.contains_key(place) && full && looked(&pair.reference, false, place, &ours) {
            found.push(difference(pair, DatabaseChange::Added, place, None, Some(b)));
        }
    }
    for rows in moved.into_values() {
        found.extend(together(rows));
    }
    found.sort_by_key(|d| (d.reference_handle.or(d.subject_handle), d.change as u8));
    (found, equal)
}

/// A service that moved as a whole is one line.
fn together(rows: Vec<DatabaseDifference>) -> Vec<DatabaseDifference> {
    let shift = |row: &DatabaseDifference| {
        Some(i32::from(row.subject_handle?) - i32::from(row.reference_handle?))
    };
    let Some(first) = rows.first().cloned() else { return rows };
    if rows.len() > 1 && rows.iter().all(|row| shift(row) == shift(&first)) {
        let says = text!("{}, with its {} characteristics", first.says, rows.len() - 1);
        return vec![DatabaseDifference { says, ..first }];
    }
    rows
}

/// Services and characteristic values by place.
fn places(database: &Database) -> BTreeMap<Place, Attribute> {
    let mut places = BTreeMap::new();
    let mut service: Option<Uuid> = None;
    let mut seen: BTreeMap<(Uuid, Option<Uuid>), usize> = BTreeMap::new();
    for attribute in database.attributes() {
        let Some(uuid) = attribute.uuid else { continue };
        let place = match attribute.kind {
            AttributeKind::PrimaryService | AttributeKind::SecondaryService => {
                service = Some(uuid);
                (uuid, None)
            }
            AttributeKind::Value => match service {
                Some(service) => (service, Some(uuid)),
                None => continue,
            },
            _ => continue,
        };
        let turn = seen.entry(place).or_default();
        places.insert((place.0, place.1, *turn), attribute.clone());
        *turn += 1;
    }
    places
}

/// Whether that side looked where the other one found this: only then is it missing there. `here` is what it has.
fn looked(view: &View<'_>, local: bool, place: &Place, here: &BTreeMap<Place, Attribute>) -> bool {
    let service = || here.get(&(place.0, None, 0));
    place.1.is_none() || service().is_some_and(|service| view.saw_characteristics(service, local))
}

fn difference(
    pair: &Pair<'_>,
    change: DatabaseChange,
    place: &Place,
    reference: Option<&Attribute>,
    subject: Option<&Attribute>,
) -> DatabaseDifference {
    let uuid = place.1.unwrap_or(place.0);
    let name = pair.reference.names.short(uuid);
    let kind = if place.1.is_some() { "characteristic" } else { "service" };
    let what = text!("{} {}", kind, quoted(&name));
    let (from, to) = (reference.map(|a| a.handle), subject.map(|a| a.handle));
    let says = match (change, from, to) {
        (DatabaseChange::Moved, Some(from), Some(to)) => {
            text!("{} moved from {} to {}", what, Handle(from), Handle(to))
        }
        (DatabaseChange::Added, _, Some(to)) => {
            text!("{} at {} only on {}'s side", what, Handle(to), Piece::Subject)
        }
        (DatabaseChange::Removed, Some(from), _) => {
            text!("{} at {} only on {}'s side", what, Handle(from), Piece::Reference)
        }
        _ => {
            let properties = |a: Option<&Attribute>| a.map_or(0, |a| a.properties);
            let [one, other] = [reference, subject].map(|side| properties_of(properties(side)));
            text!("{}: properties {}", what, words::against(one, other))
        }
    };
    DatabaseDifference {
        change,
        uuid: Some(uuid),
        name,
        reference_handle: from,
        subject_handle: to,
        says,
    }
}

/// Characteristic properties in words (Vol 3, Part G, 3.3.1.1).
fn properties_of(bits: u8) -> Text {
    let names = [
        "broadcast",
        "read",
        "write without response",
        "write",
        "notify",
        "indicate",
        "signed write",
        "extended",
    ];
    let has = |(bit, _): &(usize, &str)| bits & (1 << bit) != 0;
    let said = names.into_iter().enumerate().filter(has).map(|(_, name)| Text::fixed(name));
    Text::joined(said, ", ")
}

impl View<'_> {
    /// The server's database; `local` where the capture was made at the server.
    fn server(&self, local: bool) -> &Database {
        if local { &self.connection.local } else { &self.connection.remote }
    }

    fn discoveries(&self, procedure: Procedure, local: bool) -> impl Iterator<Item = (u16, u16)> {
        let of = move |s: &Step| {
            let ours = (s.by == crate::packet::Direction::Sent) != local;
            match s.detail {
                Detail::Discovery { first, last, by_uuid: false, attribute_type, .. }
                    if s.procedure == procedure
                        && ours
                        && s.outcome == Outcome::Ok
                        && attribute_type != 0x2801 =>
                {
                    Some((first, last))
                }
                _ => None,
            }
        };
        self.connection.steps.iter().filter_map(of)
    }

    fn saw_all_services(&self, local: bool) -> bool {
        self.discoveries(Procedure::DiscoverServices, local)
            .any(|(first, last)| first <= 1 && last == 0xffff)
    }

    fn saw_characteristics(&self, service: &Attribute, local: bool) -> bool {
        self.discoveries(Procedure::DiscoverCharacteristics, local)
            .any(|(first, last)| first <= service.handle.saturating_add(1) && last >= service.end)
    }
}

#[cfg(test)]
mod tests;
