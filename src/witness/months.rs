//! Names of months as logs print them: glibc's `%b` in the languages of its users.

/// Twelve names a language, shortened as glibc does. A full stop at the end is left out.
const NAMES: &[[&str; 12]] = &[
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    ["jan", "feb", "mär", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez"],
    ["jän", "feb", "mrz", "apr", "mai", "juni", "juli", "aug", "sept", "okt", "nov", "dez"],
    ["janv", "févr", "mars", "avril", "mai", "juin", "juil", "août", "sept", "oct", "nov", "déc"],
    ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"],
    ["gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"],
    ["jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"],
    ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"],
    ["jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"],
    [
        "tammi", "helmi", "maalis", "huhti", "touko", "kesä", "heinä", "elo", "syys", "loka",
        "marras", "joulu",
    ],
    ["sty", "lut", "mar", "kwi", "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru"],
    ["led", "úno", "bře", "dub", "kvě", "čen", "čec", "srp", "zář", "říj", "lis", "pro"],
    ["jan", "feb", "már", "ápr", "máj", "jún", "júl", "aug", "szept", "okt", "nov", "dec"],
    ["ian", "feb", "mar", "apr", "mai", "iun", "iul", "aug", "sep", "oct", "noi", "dec"],
    ["oca", "şub", "mar", "nis", "may", "haz", "tem", "ağu", "eyl", "eki", "kas", "ara"],
    ["янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
    ["янв", "февр", "марта", "апр", "май", "июня", "июля", "авг", "сент", "окт", "нояб", "дек"],
    ["січ", "лют", "бер", "кві", "тра", "чер", "лип", "сер", "вер", "жов", "лис", "гру"],
    ["яну", "фев", "мар", "апр", "май", "юни", "юли", "авг", "сеп", "окт", "ное", "дек"],
    ["ιαν", "φεβ", "μαρ", "απρ", "μαΐ", "ιουν", "ιουλ", "αυγ", "σεπ", "οκτ", "νοε", "δεκ"],
    ["ינו", "פבר", "מרץ", "אפר", "מאי", "יונ", "יול", "אוג", "ספט", "אוק", "נוב", "דצמ"],
    ["ม.ค", "ก.พ", "มี.ค", "เม.ย", "พ.ค", "มิ.ย", "ก.ค", "ส.ค", "ก.ย", "ต.ค", "พ.ย", "ธ.ค"],
];

/// The longest name in bytes, with its full stop. Longer words are none.
const LONGEST: usize = 24;

/// Which month a word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Month {
    Known(u32),
    /// A word in a language that is not known here: the date stays open.
    Unknown,
}

/// The month of a word; `None` where the word can be no month.
pub(super) fn month(word: &str) -> Option<Month> {
    if word.len() > LONGEST || word.is_empty() {
        return None;
    }
    // Chinese, Japanese and Korean count: 11月, 11월.
    if let Some(number) = word.strip_suffix('月').or_else(|| word.strip_suffix('월')) {
        return number.trim().parse().ok().filter(|n| (1..=12).contains(n)).map(Month::Known);
    }
    let lower = word.to_lowercase();
    let lower = lower.trim_end_matches('.');
    for names in NAMES {
        if let Some(place) = names.iter().position(|name| *name == lower) {
            return Some(Month::Known(place as u32 + 1));
        }
    }
    // A word of letters alone may be a month of another language. ASCII words are left to
    // the other formats: they are far too often no month.
    let foreign = !word.is_ascii() && lower.chars().all(|c| c.is_alphabetic() || !c.is_ascii());
    foreign.then_some(Month::Unknown)
}

/// Whether a word is the name of a month in one of the known languages.
pub(crate) fn is_month(word: &str) -> bool {
    matches!(month(word), Some(Month::Known(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_of_many_languages_are_known() {
        for (word, number) in [
            ("Nov", 11),
            ("ноя", 11),
            ("мая", 5),
            ("nov.", 11),
            ("11月", 11),
            ("Mär", 3),
            ("août", 8),
            ("paź", 10),
            ("12월", 12),
            ("déc.", 12),
        ] {
            assert_eq!(month(word), Some(Month::Known(number)), "{word}");
        }
        assert_eq!(month("नवंबर"), Some(Month::Unknown));
        for word in ["", "bluetoothd", "13月", "2026", "Error:"] {
            assert_eq!(month(word), None, "{word}");
        }
    }

    #[test]
    fn a_word_names_one_month_in_all_languages() {
        // Lists use one word for different months (Polish and Czech `lis`, Croatian none here): the first
        // list decides, and no list before it may disagree about English, German and French words.
        for names in &NAMES[..4] {
            for (place, name) in names.iter().enumerate() {
                assert_eq!(month(name), Some(Month::Known(place as u32 + 1)), "{name}");
            }
        }
    }
}
