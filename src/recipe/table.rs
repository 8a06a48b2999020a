//! The handshake as a table: every operation until the device was content, and whether it is needed.
use super::handshake::{Action, Handshake, Need, Operation};
use super::literal::hex;
use super::{File, Recipe, Target};
use crate::report::safe;
use std::fmt::Write;

pub const TARGET: Target = Target {
    name: "table",
    says: "the handshake as a table",
    ending: "txt",
    write: |handshake| Ok(Recipe::of(vec![File::of("handshake.txt", lines(handshake))])),
};

/// Longer values are shown by their beginning here; the programs have them whole.
const SHOWN_BYTES: usize = 24;

/// As lines of text.
pub fn lines(handshake: &Handshake) -> String {
    let mut out = String::new();
    let Handshake { device, works, fails, content, .. } = handshake;
    let kind = if device.random { "random static" } else { "public" };
    let name = device.name.as_deref().map(|name| format!(", {:?}", safe::text(name)));
    let _ = writeln!(out, "device   {} ({kind}){}", device.address, name.unwrap_or_default());
    let _ = writeln!(out, "works    {}", safe::text(works));
    if let Some(fails) = fails {
        let _ = writeln!(out, "fails    {}", safe::text(&fails.file));
    }
    let after =
        content.after.map(|after| format!("{after} after the connection, ")).unwrap_or_default();
    let _ = writeln!(out, "content  {after}frame {}: {}", content.frame, content.says);
    out.push('\n');
    out.push_str(&columns(&rows(handshake)));
    out
}

/// As a comment of a program.
pub fn comment(handshake: &Handshake, sign: &str) -> String {
    let lines = lines(handshake);
    lines.lines().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "{}", format!("{sign} {line}").trim_end());
        out
    })
}

fn rows(handshake: &Handshake) -> Vec<[String; 7]> {
    let fails = handshake.fails.is_some();
    let heading = [
        "operation",
        "handle",
        "UUID",
        "value",
        "at",
        "needed?",
        if fails { "there?" } else { "" },
    ];
    let mut rows = vec![heading.map(str::to_owned)];
    rows.extend(handshake.operations.iter().map(row));
    rows
}

fn row(operation: &Operation) -> [String; 7] {
    let (what, value) = match &operation.action {
        Action::Write(value) => ("write".to_owned(), shown(value)),
        Action::Command(value) => ("write command".to_owned(), shown(value)),
        Action::Subscribe { bits, .. } => ("subscribe".to_owned(), shown(bits)),
        Action::Read => ("read".to_owned(), String::new()),
        Action::Own(says) if operation.count > 1 => {
            (format!("{says} ({}x)", operation.count), String::new())
        }
        Action::Own(says) => ((*says).to_owned(), String::new()),
    };
    let handle = operation.handle.map(|handle| format!("{handle:#06x}")).unwrap_or_default();
    let uuid = match (operation.of, operation.uuid) {
        (Some(of), _) => format!("{of} CCCD"),
        (None, Some(uuid)) => uuid.to_string(),
        (None, None) if operation.handle.is_some() => "not shown".to_owned(),
        _ => String::new(),
    };
    let at = operation.after.map(|after| after.to_string()).unwrap_or_default();
    let needed = match operation.need {
        Need::Yes => "yes".to_owned(),
        Need::Perhaps => "perhaps (a read)".to_owned(),
        Need::No(why) => format!("no: {why}"),
    };
    let there = match (operation.done_there, operation.need) {
        (_, Need::No(_)) | (None, _) => "",
        (Some(true), _) => "done",
        (Some(false), _) => "MISSING",
    };
    [what, handle, uuid, value, at, needed, there.to_owned()]
}

fn shown(value: &[u8]) -> String {
    match value.get(..SHOWN_BYTES) {
        Some(head) if value.len() > SHOWN_BYTES => {
            format!("{}… ({} bytes)", hex(head), value.len())
        }
        _ => hex(value),
    }
}

/// Columns as wide as their widest cell.
fn columns(rows: &[[String; 7]]) -> String {
    let width = |column: usize| rows.iter().map(|row| safe::width(&row[column])).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    rows.iter().fold(String::new(), |mut out, row| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            // An empty column takes no room.
            let gap = if width == 0 { 0 } else { width - safe::width(cell) + 2 };
            line.extend(std::iter::repeat_n(' ', gap));
        }
        let _ = writeln!(out, "{}", line.trim_end());
        out
    })
}
