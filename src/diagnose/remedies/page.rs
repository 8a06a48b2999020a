//! The page of all remedies, for the documentation.
use super::{Condition, Entry, Words, entries};
use crate::diagnose::{Proof, RULES, RemedyKind};
use std::fmt::Write;

const HEAD: &str = "\
# Remedies

Made from the table in `src/diagnose/remedies/` by `UPDATE_DOCS=1 cargo test --test remedies`. A report offers a remedy only where the
capture shows what it needs and nothing that contradicts it. *Proved* means: tried in the laboratory (kernel 6.12, BlueZ 5.66 and 5.82,
bleak 3.1.0, modelled controllers and air), with a capture before and after. *No use* means: tried, and it did not help or did harm.
Rules without rows here have remedies of their own, which nobody has tried.

The file that BlueZ keeps of a device's attributes is `/var/lib/bluetooth/ADAPTER/cache/PEER`, both addresses in capitals with colons,
owner root, mode 0600. It is read when a connection is made and BlueZ has no services of the device in memory.
";

/// Everything in the table, rule by rule, in Markdown.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for rule in RULES {
        let of = |kind: RemedyKind| {
            entries().filter(move |row| row.kind == kind && row.rules.contains(&rule.id))
        };
        if of(RemedyKind::Do).chain(of(RemedyKind::NoUse)).next().is_none() {
            continue;
        }
        let _ = writeln!(page, "\n## `{}`\n\n{}\n", rule.id, rule.title);
        of(RemedyKind::Do).for_each(|row| item(&mut page, row));
        if of(RemedyKind::NoUse).next().is_some() {
            page.push_str("\nNo use:\n\n");
            of(RemedyKind::NoUse).for_each(|row| item(&mut page, row));
        }
    }
    page
}

fn item(page: &mut String, row: &Entry) {
    let words = match row.words {
        Words::Fixed(words) => words,
        Words::Made { sample, .. } => sample,
    };
    let _ = writeln!(
        page,
        "- **{}** ({}, {}): {}",
        row.id,
        row.on,
        row.what,
        words.trim_end_matches('.')
    );
    let mut line = |name: &str, says: &str| {
        let _ = writeln!(page, "  - {name}: {}", says.trim_end_matches('.'));
    };
    let condition = |condition: Option<Condition>| condition.map_or("", |c| c.says);
    for (name, says) in [
        ("Offered when", condition(row.when)),
        ("Not when", condition(row.unless)),
        ("Limits", row.limits),
        ("Price", row.costs),
    ] {
        if !says.is_empty() {
            line(name, says);
        }
    }
    let proof = row.proof.text(row.kind).to_string();
    match row.proof {
        Proof::Laboratory { experiment, .. } => line("Proof", &format!("{proof} (`{experiment}`)")),
        _ => line("Proof", &proof),
    }
}
