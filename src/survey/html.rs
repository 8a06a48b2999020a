//! A survey as a page: one picture, and the counts beside it.
use super::text::{number, probability, share};
use super::{ALPHA, Apart, By, Difference, FEWEST, Group, Measured, Survey};
use crate::report::html::{self, Panel, escaped};
use crate::report::safe;
use std::fmt::Write;

/// Rows of a table beyond these are counted.
const MOST: usize = 40;

/// The whole survey as one page that needs nothing else. `panels` are the runs that [`Survey::chosen`] names.
pub fn html(survey: &Survey, by: By, panels: &[Panel<'_>]) -> String {
    let all = survey.all();
    let apart = survey.apart();
    let mut out = String::new();
    let unread: usize = survey.unread().values().sum();
    let _ = writeln!(
        out,
        "<p class=\"who\">{} files: {} captures read, {unread} not</p>",
        survey.rows.len(),
        all.captures
    );
    match html::multiples(panels) {
        Some(figure) => out.push_str(&figure),
        None => out.push_str("<p class=\"faint\">No picture: no connection has times.</p>\n"),
    }
    if apart.good + apart.bad > 0 {
        set_apart(&mut out, &apart);
    }
    causes(&mut out, &all);
    groups(&mut out, &survey.by(by), by);
    let reasons: Vec<[String; 2]> =
        survey.unread().iter().map(|(why, count)| [count.to_string(), shown(why)]).collect();
    if !reasons.is_empty() {
        out.push_str("<h2>Files that were not read</h2>\n");
        table(&mut out, ["files", "why"], &reasons);
    }
    let _ = writeln!(
        out,
        "<footer><p>Made by hcidiff {}. The runs in the picture are those that are nearest to the middle of their group \
         in what was measured.</p></footer>",
        env!("CARGO_PKG_VERSION")
    );
    html::page(&title(&all, &apart), &out)
}

fn title(all: &Group, apart: &Apart) -> String {
    if let Some(first) = apart.differences.first() {
        return format!(
            "What sets {} bad runs apart from {} good ones: {}",
            apart.bad,
            apart.good,
            safe::text(&first.feature)
        );
    }
    format!("{} of {} captures have a cause or a suspect", all.found(), all.captures)
}

fn shown(words: &str) -> String {
    escaped(&safe::text(words))
}

/// A table whose cells are HTML already. Its first column is a count, unless it names features.
fn table<const N: usize>(out: &mut String, names: [&str; N], rows: &[[String; N]]) {
    let _ = write!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table>\n<thead>\n<tr>",
        names.join(", ")
    );
    let right = |at: usize| if at == 0 && names[0] != "feature" { " class=\"right\"" } else { "" };
    for (at, name) in names.iter().enumerate() {
        let _ = write!(out, "<th scope=\"col\"{}>{name}</th>", right(at));
    }
    out.push_str("</tr>\n</thead>\n<tbody>\n");
    for row in rows.iter().take(MOST) {
        out.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let _ = write!(out, "<td{}>{cell}</td>", right(at));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
    if let Some(more @ 1..) = rows.len().checked_sub(MOST) {
        let _ = writeln!(out, "<p class=\"faint\">and {more} more</p>");
    }
}

fn causes(out: &mut String, all: &Group) {
    let mut causes: Vec<(&str, usize)> = all.causes.iter().map(|(rule, n)| (*rule, *n)).collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut rows: Vec<[String; 3]> = causes
        .iter()
        .map(|(rule, count)| {
            [
                count.to_string(),
                share(*count, all.captures),
                format!("<code>{}</code>", escaped(rule)),
            ]
        })
        .collect();
    if let Some(nothing @ 1..) = all.captures.checked_sub(all.found()) {
        let part = share(nothing, all.captures);
        rows.push([nothing.to_string(), part, "nothing above a note".to_owned()]);
    }
    out.push_str("<h2>Causes</h2>\n");
    table(out, ["captures", "share", "rule"], &rows);
}

fn groups(out: &mut String, groups: &[Group], by: By) {
    if groups.len() < 2 {
        return;
    }
    let rows: Vec<[String; 4]> = groups
        .iter()
        .map(|group| {
            let mut causes: Vec<(&str, usize)> =
                group.causes.iter().map(|(rule, n)| (*rule, *n)).collect();
            causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let causes: Vec<String> = causes
                .iter()
                .take(3)
                .map(|(rule, count)| format!("<code>{}</code> {count}", escaped(rule)))
                .collect();
            [
                group.captures.to_string(),
                format!("{} ({})", group.found(), share(group.found(), group.captures)),
                shown(group.name.as_deref().unwrap_or("(not shown)")),
                causes.join(", "),
            ]
        })
        .collect();
    let _ = writeln!(out, "<h2>By {}</h2>", by.word());
    table(out, ["captures", "with a finding", by.word(), "most often"], &rows);
}

fn set_apart(out: &mut String, apart: &Apart) {
    out.push_str("<h2>What sets them apart</h2>\n");
    let (good, bad) = (apart.good, apart.bad);
    if good < FEWEST || bad < FEWEST {
        let _ = writeln!(
            out,
            "<p>{good} good runs and {bad} bad ones are too few to say: at least {FEWEST} of each are needed.</p>"
        );
        return;
    }
    if apart.differences.is_empty() {
        let _ = writeln!(
            out,
            "<p>Nothing that chance does not explain, of {} features of {good} good runs and {bad} bad ones.</p>",
            apart.tested
        );
        return;
    }
    let rows: Vec<[String; 5]> = apart.differences.iter().map(difference).collect();
    table(out, ["feature", "good", "bad", "difference (95 %)", "p"], &rows);
    let _ = writeln!(
        out,
        "<p class=\"faint\">Of {} features. p is corrected for all of them (Holm) and told below {ALPHA}. A difference sets the \
         groups apart; it need not be the cause.</p>",
        apart.tested
    );
    if let Some((good, bad)) = &apart.pair {
        let _ = writeln!(
            out,
            "<p>A usual pair, to go on from: <code>hcidiff {} {}</code></p>",
            shown(good),
            shown(bad)
        );
    }
}

fn difference(one: &Difference) -> [String; 5] {
    let range = format!("{} to {}", number(one.effect.low), number(one.effect.high));
    let value = number(one.effect.value);
    let (good, bad, effect) = match one.measured {
        Measured::There { good, bad } => (
            format!("in {} of {}", good.0, good.1),
            format!("in {} of {}", bad.0, bad.1),
            format!("odds ratio {value} ({range})"),
        ),
        Measured::Middle { good, bad } => (
            format!("median {}", number(good.0)),
            format!("median {}", number(bad.0)),
            format!("{value} ({range})"),
        ),
    };
    let p = probability(one.corrected);
    [shown(&one.feature), good, bad, effect, escaped(p.strip_prefix("= ").unwrap_or(&p))]
}
