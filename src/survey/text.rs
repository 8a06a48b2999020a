//! A survey for people.
use super::{ALPHA, Apart, By, Difference, FEWEST, Group, Measured, Survey};
use crate::report::safe;

/// Groups, causes and reasons beyond these are counted.
const MOST: usize = 12;

/// The whole survey as text of at most 80 columns, but for file names.
pub fn text(survey: &Survey, by: By) -> String {
    let mut out = String::new();
    let all = survey.all();
    let files = survey.rows.len();
    let unread = survey.unread();
    let failed: usize = unread.values().sum();
    out.push_str(&format!("{files} files: {} captures read, {failed} not\n", all.captures));
    for (why, count) in unread.iter().take(MOST) {
        out.push_str(&format!("  {count:>6}  {}\n", safe::fit(why, 70)));
    }
    if unread.len() > MOST {
        out.push_str(&format!("          and {} more reasons\n", unread.len() - MOST));
    }
    if all.captures == 0 {
        return out;
    }
    out.push_str("\nall captures\n");
    causes(&mut out, &all);
    let groups = survey.by(by);
    if groups.len() > 1 {
        out.push_str(&format!("\nby {}\n", by.word()));
        for group in groups.iter().take(MOST) {
            let name = group.name.as_deref().unwrap_or("(not shown)");
            out.push_str(&format!(
                "  {:>6}  {} with a finding ({})  {}\n",
                group.captures,
                group.found(),
                share(group.found(), group.captures),
                safe::fit(name, 44),
            ));
        }
        if groups.len() > MOST {
            out.push_str(&format!("          and {} more\n", groups.len() - MOST));
        }
    }
    let apart = survey.apart();
    if apart.good + apart.bad > 0 {
        out.push_str(&set_apart(&apart));
    }
    out
}

fn causes(out: &mut String, group: &Group) {
    let nothing = group.captures - group.found();
    let mut causes: Vec<(&str, usize)> = group.causes.iter().map(|(rule, n)| (*rule, *n)).collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let line = |count: usize, says: &str| {
        format!("  {count:>6}  {:>6}  {says}\n", share(count, group.captures))
    };
    for (rule, count) in causes.iter().take(MOST) {
        out.push_str(&line(*count, rule));
    }
    let rest: usize = causes.iter().skip(MOST).map(|(_, count)| count).sum();
    if rest > 0 {
        out.push_str(&line(rest, &format!("{} other rules", causes.len() - MOST)));
    }
    if nothing > 0 {
        out.push_str(&line(nothing, "nothing above a note"));
    }
}

fn set_apart(apart: &Apart) -> String {
    let mut out =
        format!("\nwhat sets {} bad runs apart from {} good ones\n", apart.bad, apart.good);
    if apart.good < FEWEST || apart.bad < FEWEST {
        out.push_str(&format!("  too few runs to say: at least {FEWEST} of each are needed\n"));
        return out;
    }
    for difference in apart.differences.iter().take(MOST) {
        out.push_str(&told(difference));
    }
    if apart.differences.is_empty() {
        out.push_str(&format!(
            "  nothing that chance does not explain, of {} features\n",
            apart.tested
        ));
    } else {
        out.push_str(&format!(
            "  of {} features; p is corrected for all of them (Holm) and told below {ALPHA}\n",
            apart.tested
        ));
    }
    if let Some((good, bad)) = &apart.pair {
        out.push_str(&format!(
            "\na usual pair   hcidiff {} {}\n",
            safe::text(good),
            safe::text(bad)
        ));
    }
    out
}

fn told(one: &Difference) -> String {
    let name = safe::text(&one.feature);
    let range = |effect: &super::Effect| {
        format!(
            "{} (95 %: {} to {})",
            number(effect.value),
            number(effect.low),
            number(effect.high)
        )
    };
    let says = match one.measured {
        Measured::There { good, bad } => format!(
            "in {} of {} good, {} of {} bad; odds ratio {}",
            good.0,
            good.1,
            bad.0,
            bad.1,
            range(&one.effect)
        ),
        Measured::Middle { good, bad } => format!(
            "median {} good, {} bad; difference {}",
            number(good.0),
            number(bad.0),
            range(&one.effect)
        ),
    };
    format!("  {name}\n      {says}\n      p {}\n", probability(one.corrected))
}

pub(super) fn probability(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".into() } else { format!("= {p:.4}") }
}

/// Three digits that count.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

pub(super) fn share(count: usize, of: usize) -> String {
    if of == 0 {
        return String::new();
    }
    format!("{:.0} %", 100.0 * count as f64 / of as f64)
}
