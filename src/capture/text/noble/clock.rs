//! Whose clock the differences at the ends of debug lines count on.
//!
//! `+4ms` is what went by since a line before. Up to version 2 of the `debug` package that is the
//! line before of whatever namespace; since version 3 it is the line before of the same one.
//! Nothing in a text says which version printed it. Its lines do: they stand in the order of their
//! times, and where clocks of their own would contradict that order there is only one.
use std::collections::BTreeMap;

/// So many changes of namespace that fit clocks of their own are no accident.
const ENOUGH: u32 = 8;
/// Namespaces that are compared; programs have a dozen.
const MOST: usize = 32;

/// A difference in microseconds, the namespace of its line, and how far it may be rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Difference<'a> {
    pub namespace: &'a str,
    pub micros: i64,
    pub rounded: i64,
}

impl<'a> Difference<'a> {
    /// `  gap startScanning +12ms`; a journal may put its own words before the line.
    pub fn of(line: &'a str) -> Option<Self> {
        let (text, printed) = line.rsplit_once(" +")?;
        let (micros, rounded) = span(printed)?;
        let names = ["noble:", "bleno:"];
        let text =
            names.iter().find_map(|name| text.rsplit_once(name)).map_or(text, |(_, rest)| rest);
        let namespace = text.trim_start_matches(['>', ' ', '\t']).split([' ', '\t']).next()?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':');
        (!namespace.is_empty() && namespace.chars().all(is_name)).then_some(Self {
            namespace,
            micros,
            rounded,
        })
    }
}

/// `4ms`, `2s`, `1m`: a difference in microseconds, and half of the unit it was rounded to.
pub(super) fn span(text: &str) -> Option<(i64, i64)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit.trim() {
        "ms" => 1000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    let rounded = if unit == 1000 { 0 } else { unit / 2 };
    Some((number.parse::<i64>().ok()?.checked_mul(unit)?, rounded))
}

/// Whether all namespaces of a text share one clock.
pub(super) fn is_common<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let mut elapsed: BTreeMap<&str, i64> = BTreeMap::new();
    // By how much the second namespace's clock began later than the first's, at least.
    let mut later: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let (mut before, mut slack, mut changes, mut from_start) = (None, 1000, 0, false);
    for found in lines.filter_map(Difference::of) {
        let Difference { namespace, micros, rounded } = found;
        slack += rounded;
        if !elapsed.contains_key(namespace) {
            // A clock of its own begins with its first line.
            if elapsed.is_empty() {
                from_start = micros == 0;
            } else if from_start && micros > 0 {
                return true;
            }
            if elapsed.len() == MOST {
                continue;
            }
            elapsed.insert(namespace, 0);
        } else if let Some(at) = elapsed.get_mut(namespace) {
            *at = at.saturating_add(micros);
        }
        let last = before.replace(namespace);
        let Some(last) = last.filter(|last| *last != namespace) else { continue };
        changes += 1;
        let at = |name| elapsed.get(name).copied().unwrap_or_default();
        let least = at(last) - at(namespace);
        let bound = later.entry((last, namespace)).or_insert(least);
        *bound = least.max(*bound);
        let bound = *bound;
        if later.get(&(namespace, last)).is_some_and(|back| back.saturating_add(bound) > slack) {
            return true;
        }
    }
    changes < ENOUGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_namespace_and_a_difference() {
        let of = |line| Difference::of(line).map(|d| (d.namespace, d.micros, d.rounded));
        assert_eq!(of("  hci onSocketData: 04 +4ms"), Some(("hci", 4000, 0)));
        assert_eq!(
            of("pi node[1]: noble:hci-usb write +2s"),
            Some(("hci-usb", 2_000_000, 500_000))
        );
        assert_eq!(of("hci onSocketData: 04"), None);
        assert_eq!(of("C++ is +4 ms"), None);
    }

    /// The same moments, printed with one clock and with clocks of their own.
    fn printed(moments: &[(&str, i64)], common: bool) -> Vec<String> {
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        let mut lines = Vec::new();
        for (name, at) in moments {
            let before = last.insert(if common { "" } else { name }, *at).unwrap_or(*at);
            lines.push(format!("  {name} says something +{}ms", at - before));
        }
        lines
    }

    #[test]
    fn the_order_of_lines_tells_one_clock_from_several() {
        let moments: Vec<_> =
            (0..40).map(|n| (["hci", "hci", "gap", "hci", "att"][n % 5], 7 * n as i64)).collect();
        let judge = |lines: &[String]| is_common(lines.iter().map(String::as_str));
        for from in [0, 3, 11] {
            assert!(judge(&printed(&moments, true)[from..]), "one clock, from line {from}");
            assert!(!judge(&printed(&moments, false)[from..]), "several clocks, from line {from}");
        }
        // One namespace has one clock either way, and few lines prove nothing.
        assert!(judge(&printed(&[("hci", 0), ("hci", 4)], false)));
        assert!(judge(&["  hci a +0ms".into(), "  gap b +3ms".into()]));
    }
}
