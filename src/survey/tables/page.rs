//! The tables described, for `docs/many-captures.md`.
use super::{SCHEMA, TABLES};
use std::fmt::Write;

/// All tables and their columns as Markdown.
pub fn page() -> String {
    let mut page = format!(
        "The version of these tables is `{SCHEMA}`; each file says it under `hcidiff.schema`.\n"
    );
    for table in TABLES {
        let _ = write!(page, "\n### {}\n\n{}\n\n", table.name, table.says.trim());
        page.push_str("| column | type | what it is |\n|---|---|---|\n");
        for column in table.columns {
            let always = if column.always { " NOT NULL" } else { "" };
            let says = column.says.trim().replace('|', "\\|");
            let _ =
                writeln!(page, "| `{}` | {}{always} | {says} |", column.name, column.kind.sql());
        }
    }
    page
}
