//! MANIFEST.md: in plain words what was removed, replaced and kept.
use super::work::{BUS, Work};
use super::{Bundle, Container, Part, Trim};
use crate::packet::Address;
use std::fmt::Write;

/// Most lines of the table of devices.
const MOST_DEVICES: usize = 40;

pub(super) fn write(work: &Work<'_>, bundle: &Bundle) -> String {
    let mut text = String::from(
        "# What this bundle holds\n\n\
         Bluetooth HCI captures for a bug report, made with `hcidiff share`. Addresses, names, keys and values in them \
         are not the real ones.\n\n",
    );
    for part in &bundle.parts {
        of_part(part, &mut text);
    }
    text.push_str("- `report.md`, `report.html`: what hcidiff finds in these captures.\n\n");
    let files: Vec<_> = bundle.parts.iter().map(command).collect();
    // Writing to a String cannot fail.
    let _ = write!(text, "To see the report again: `hcidiff {}`\n\n", files.join(" "));

    text.push_str("## Checked\n\n");
    text.push_str(
        "- **Same story.** These captures were analysed again. They give the same findings with the same level and \
         confidence, on the same packets, the same timeline and the same distances in time as the originals.\n\
         - **Nothing left.** Everything in this bundle was searched for every address, name, key and value of the \
         originals, in every usual spelling, outside of the fields that are kept by intent. Nothing was found.\n",
    );
    for (what, count) in work.read.found.beyond() {
        let _ = writeln!(
            text,
            "- {count} further {what} were replaced but not searched for: the originals hold too many."
        );
    }
    text.push_str("\n## Removed\n\n");
    // Of logs only some lines are there, whatever was left out of the captures.
    let captures = || bundle.parts.iter().filter(|part| part.container != Container::Log);
    let whole = |part: &Part| part.records_after + part.unfit == part.records_before;
    text.push_str(match bundle.trim {
        Trim::None => "Nothing was left out.\n",
        _ if captures().all(whole) => {
            "No record was left out: every one belongs to the attempts that the report is about.\n"
        }
        Trim::Device => {
            "Other devices were left out: their links, their advertising, and packets that name nobody but them.\n"
        }
        Trim::Story => {
            "Other devices were left out: their links, their advertising, and packets that name nobody but them. So \
             were voice, isochronous data and the logs of the chip.\n"
        }
    });
    if bundle.trim != Trim::None && captures().count() < bundle.parts.len() {
        text.push_str("Of the logs, only lines that say something about connections are there.\n");
    }
    if bundle.trim != work.options.trim {
        let _ = writeln!(
            text,
            "\nAsked for was `--trim {}`. The report would have changed with it, so less was left out.",
            work.options.trim.word()
        );
    }
    text.push_str("\n## Replaced\n\n");
    text.push_str(
        "- **Addresses** have aliases, the same everywhere. The kind of address stays. A private address that could be \
         resolved can be resolved here, with the dummy key that stands for the real one.\n",
    );
    text.push_str(if work.tools.kept.names {
        "- **Names** of devices and hosts were kept (`--keep-names`).\n"
    } else {
        "- **Names** of devices and hosts are aliases of the same length.\n"
    });
    text.push_str(
        "- **Keys**, and everything that keys are made from, are dummies. Equal keys stayed equal.\n",
    );
    text.push_str(if work.tools.kept.values {
        "- **Attribute values** were kept (`--keep-values`), but for those that are keys or identities by their type. \
         Read them before you pass this on.\n"
    } else {
        "- **Attribute values** and advertised data are rows of `x` of the same length.\n"
    });
    text.push_str(
        "- **Texts** of logs and notes keep the usual words; every other word is a row of `x`.\n\
         - **What could not be decoded** is zeros.\n",
    );
    text.push_str(if work.options.keep_times {
        "- Times were kept (`--keep-times`).\n"
    } else if work.keeps_times() {
        "- **Times** were kept: the logs beside the captures have times of their own.\n"
    } else {
        "- **Times** were moved to 2001-01-01 by whole days, all by the same number. Distances in time are real.\n"
    });
    if bundle.parts.iter().any(|part| part.container == Container::Text) {
        text.push_str(
            "- In **text captures** bytes became what stands for them; every word that no tool prints is a row of `x`. \
             Their times were kept.\n",
        );
    }
    text.push_str("\n## Kept\n\n");
    text.push_str(
        "Kinds, lengths and order of packets; handles, parameters, status and reason codes; which services a device has; \
         subscriptions, MTU, Service Changed, Appearance; whether Database Hashes are equal; the first bytes of written \
         values that order a device to restart or to update itself, since findings rest on them; makers and versions of \
         chips; versions of the host's software.\n",
    );
    devices(work, bundle, &mut text);
    text
}

/// How a file stands on the command line.
fn command(part: &Part) -> String {
    match part.container {
        Container::Log if part.name.starts_with("works") => {
            format!("--reference-witness {}", part.name)
        }
        Container::Log => format!("--witness {}", part.name),
        _ => part.name.clone(),
    }
}

fn of_part(part: &Part, text: &mut String) {
    let counts = part.counts;
    if part.container == Container::Log {
        let unit = if part.from == BUS { "messages" } else { "lines" };
        let _ = writeln!(
            text,
            "- `{}`: {} of {} {unit} of a log ({}). Hosts, names and every word that no program prints are masked.",
            part.name, part.records_after, part.records_before, part.from,
        );
        return;
    }
    let kind = if part.from.starts_with(part.container.format()) {
        format!("The original is of the same kind: {}", part.from)
    } else {
        format!("The original is of another kind: {}", part.from)
    };
    let replaced = [
        (counts.addresses, "address", "addresses"),
        (counts.names, "name", "names"),
        (counts.keys, "key", "keys"),
        (counts.values, "value", "values"),
        (counts.texts, "text", "texts"),
    ];
    let replaced: Vec<_> = replaced
        .into_iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    let replaced = if replaced.is_empty() { "nothing".to_owned() } else { replaced.join(", ") };
    let _ = write!(
        text,
        "- `{}`: {} of {} records. {kind}. Replaced: {replaced}.",
        part.name, part.records_after, part.records_before,
    );
    let _ = match counts.zeroed {
        0 => writeln!(text),
        1 => writeln!(text, " Zeroed in whole or in part: 1 record."),
        count => writeln!(text, " Zeroed in whole or in part: {count} records."),
    };
    if counts.comments > 0 {
        let _ = writeln!(text, "  {} comments beside records were removed.", counts.comments);
    }
    if part.unfit > 0 {
        let _ = writeln!(
            text,
            "  {} records have no place in such a file and were removed.",
            part.unfit
        );
    }
}

/// Which alias in the capture is which device of the report.
fn devices(work: &Work<'_>, bundle: &Bundle, text: &mut String) {
    let heard: std::collections::HashSet<Address> = bundle
        .report
        .captures
        .iter()
        .flat_map(|capture| {
            let peers = capture.connections.iter().flat_map(|connection| {
                let peer = &connection.peer;
                [peer.address, peer.on_air, peer.identity.map(|(address, _)| address)]
            });
            let adapters = capture.adapters.iter().map(|adapter| adapter.address);
            peers.chain(adapters).flatten()
        })
        .collect();
    let mut lines: Vec<(String, String)> = Vec::new();
    for (original, alias) in work.tools.table.addresses() {
        let alias = Address(alias);
        if let Some(label) = work.tools.labels.of_address(Address(original))
            && heard.contains(&alias)
        {
            lines.push((label.to_owned(), alias.to_string()));
        }
    }
    lines.sort();
    if lines.is_empty() {
        return;
    }
    text.push_str("\n## Who is who\n\n| in the report | in the captures |\n|---|---|\n");
    for (label, alias) in lines.iter().take(MOST_DEVICES) {
        let _ = writeln!(text, "| {label} | {alias} |");
    }
    if lines.len() > MOST_DEVICES {
        let _ =
            writeln!(text, "\n{} further addresses are not listed.", lines.len() - MOST_DEVICES);
    }
}
