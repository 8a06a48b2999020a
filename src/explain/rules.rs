//! Rules as cards, and all of them as a page.
use crate::decode::Decoder;
use crate::diagnose::{Basis, Case, RULES, Rule};
use crate::report::events::{Events, Place, Style};
use crate::time::Clock;
use std::fmt::Write;

/// The index of rules, `docs/rules.md`: one line a rule, in the order of their weight.
pub fn rules_page() -> String {
    let mut out = String::from(
        "# Rules\n\nMade from the rules themselves (`UPDATE_DOCS=1 cargo test --test docs`). The order is that of weight: where two rules\nexplain the same connection equally well, the earlier one is named first. A rule's id is never reused, so the address of its page stays.\n",
    );
    out.push_str("\n| rule | what is wrong | rests on |\n| --- | --- | --- |\n");
    for rule in RULES {
        let id = rule.id;
        let _ = writeln!(out, "| [`{id}`](rules/{id}.md) | {} | {} |", rule.title, rule.basis);
    }
    out.push_str(UNDECIDABLE);
    out
}

/// The page of a rule. [`Rule::page`] says where it lies.
///
/// [`Rule::page`]: crate::diagnose::Rule::page
pub fn rule_page(rule: &Rule) -> String {
    let mut out = format!("# {}\n\n", rule.title);
    let _ = writeln!(out, "Rule `{}`. {}\n", rule.id, basis(rule.basis));
    let _ = writeln!(out, "{}", rule.docs.trim());
    if !rule.sources.is_empty() {
        out.push_str("\n## Sources\n\n");
        for source in rule.sources {
            let _ = writeln!(out, "- {source}");
        }
    }
    if let Some(case) = rule.example() {
        let example = example(case);
        let (name, table) = example.trim().split_once("\n\n").unwrap_or((&example, ""));
        let name = name.trim_start_matches("Example: ");
        let _ = writeln!(out, "\n## Example\n\nA trace of its author's: {name}.\n");
        let _ = writeln!(out, "```text\n{}\n```", table.trim_end());
    }
    let _ = writeln!(
        out,
        "\n---\n\n`hcidiff explain {}` prints this page. [All rules](../rules.md)",
        rule.id
    );
    out
}

/// Signatures that a capture cannot decide, so that nobody looks for their rules.
const UNDECIDABLE: &str = "
# What no capture can decide

- `services-resolved-race`: BlueZ reports services as resolved before its objects are there. On HCI everything is healthy; the
  complaint stands only in the program's log. hcidiff finds nothing wrong, and that is the finding.
- `l2cap-slow-ios-first-packet`: Apple centrals use a channel of their own (0x003A) right after connecting. It is shown as an
  event and never judged: there is no harm to find.
";

/// The card of a rule.
pub fn card(rule: &Rule) -> String {
    let mut out =
        format!("{}: {}\n\n{}\n\n{}\n", rule.id, rule.title, rule.docs.trim(), basis(rule.basis));
    if !rule.sources.is_empty() {
        out.push_str("\nSources:\n");
        for source in rule.sources {
            let _ = writeln!(out, "  {source}");
        }
    }
    out.push_str(&rule.example().map_or(String::new(), example));
    out
}

/// Most packets of an example that are shown.
const MOST_PACKETS: usize = 24;

/// A case as a small timeline: the packets of the side that fails.
fn example(case: &Case) -> String {
    let trace = (case.example)().subject;
    let mut decoder = Decoder::new();
    let mut events = Events::new(Style::Table, false, Clock::Relative);
    let mut table = Vec::new();
    // Writing to a vector cannot fail.
    let _ = events.begin(&mut table);
    for record in trace.records().take(MOST_PACKETS) {
        let _ = events.push(&decoder.decode(&record), Place::default(), &mut table);
    }
    let mut out = format!("\nExample: {}\n\n{}", case.name, String::from_utf8_lossy(&table));
    if let Some(more @ 1..) = trace.records().count().checked_sub(MOST_PACKETS) {
        let _ = writeln!(out, "and {more} more");
    }
    out
}

fn basis(basis: Basis) -> String {
    format!("The rule rests on {basis}.")
}
