//! From a question, or a line of a log, to the cards that it is about: names first, then numbers.
use super::NAMESPACES;
use super::card::{Hit, Namespace};
use super::index::{INDEX, stands_alone};
use super::nimble::BASES;

/// Words that stand before a number which matters.
const KEYS: &[&str] = &["reason", "status", "error", "err", "rsn", "code", "rc", "errno", "failed"];

/// Words between such a word and its number: `status code = 8`.
const BETWEEN: &[&str] = &["code", "with", "is", "was", "number", "hci", "att", "smp", "mgmt"];

/// Longer lines are sentences: a number without a word before it can be anything there.
const MOST_WORDS: usize = 6;

/// What makes a line one about Bluetooth, wherever it stands in it.
const SMELLS: &[&str] = &[
    "bluetooth",
    "bluez",
    "bleak",
    "noble",
    "nimble",
    "connect",
    "bonding",
    "pairing",
    "l2cap",
    "device.c",
    "adapter.c",
    "att.c",
];

/// The same at the beginning of a word.
const BEGINNINGS: &[&str] = &["hci", "gatt", "ble_", "bt_", "att_", "esp_gatt", "bta_"];

/// The same as a word of its own.
const ALONE: &[&str] = &["ble", "smp", "mgmt", "rsn", "att", "le"];

/// The cards that somebody's question is about, the likeliest first.
pub fn question(text: &str) -> Vec<Hit> {
    let text = text.to_ascii_lowercase();
    if let Some(hit) = by_id(&text) {
        return vec![hit];
    }
    let named: Vec<Hit> = INDEX.find(&text).iter().map(|(_, name)| name.hit()).collect();
    let numbers = numbers(&text);
    let keyed: Vec<&Number<'_>> = numbers.iter().filter(|number| number.key.is_some()).collect();
    let said = said(&text);
    let mut carried = Vec::new();
    if named.iter().all(|hit| hit.card.carries) {
        let few = text.split_whitespace().count() <= MOST_WORDS;
        let asked = if !keyed.is_empty() {
            keyed
        } else if few || !said.is_empty() {
            numbers.iter().collect()
        } else {
            Vec::new()
        };
        for number in asked {
            let meant = meanings(number, &said, &text);
            // If the text names the namespace, the others are not mentioned.
            carried.extend(if meant.is_empty() { possible(number) } else { meant });
        }
    } else {
        carried.extend(keyed.iter().flat_map(|number| meanings(number, &said, &text)));
    }
    unique(ordered(named, carried))
}

/// The cards that a line of a log is about.
pub fn line(text: &str) -> Vec<Hit> {
    let text = text.to_ascii_lowercase();
    // A traceback prints the source of the program too: that is no message.
    if text.contains("{self.") || text.trim_start().starts_with("raise ") {
        return Vec::new();
    }
    let smells = is_about_bluetooth(&text);
    let named = INDEX
        .find(&text)
        .iter()
        .filter(|(_, name)| !name.namespace.whole && (smells || !name.namespace.everyday))
        .map(|(_, name)| name.hit())
        .filter(|hit| hit.card.numbers != Some((0, 0)))
        .collect::<Vec<Hit>>();
    let mut carried = Vec::new();
    if smells {
        let said = said(&text);
        for number in numbers(&text).iter().filter(|number| number.key.is_some()) {
            let mut found = meanings(number, &said, &text);
            if found.is_empty() && named.iter().all(|hit| hit.card.carries) {
                found.extend(possible(number).into_iter().take(1));
            }
            carried.extend(found);
        }
    }
    let (carriers, telling): (Vec<Hit>, Vec<Hit>) =
        named.into_iter().partition(|hit| hit.card.carries);
    // What only says that something follows is passed over where that was understood.
    let rest = if telling.is_empty() && carried.is_empty() { carriers } else { Vec::new() };
    unique(telling.into_iter().chain(carried).chain(rest).collect())
}

fn is_about_bluetooth(line: &str) -> bool {
    let word = |word: &str| {
        ALONE.contains(&word) || BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
    };
    SMELLS.iter().any(|smell| line.contains(smell)) || words(line).into_iter().any(|(_, w)| word(w))
}

/// Words that only carry a number come after it.
fn ordered(named: Vec<Hit>, carried: Vec<Hit>) -> Vec<Hit> {
    let (carriers, telling): (Vec<Hit>, Vec<Hit>) =
        named.into_iter().partition(|hit| hit.card.carries);
    telling.into_iter().chain(carried).chain(carriers).collect()
}

fn unique(hits: Vec<Hit>) -> Vec<Hit> {
    let mut kept: Vec<Hit> = Vec::new();
    for hit in hits {
        match kept.iter_mut().find(|other| other.id() == hit.id()) {
            Some(other) => other.sure |= hit.sure,
            None => kept.push(hit),
        }
    }
    kept.sort_by_key(|hit| !hit.sure);
    kept
}

/// `hci:0x3e`, `bleak:timeout`: as cards and lists name them.
fn by_id(text: &str) -> Option<Hit> {
    let (namespace, key) = text.split_once(':')?;
    let namespace = NAMESPACES.iter().find(|known| known.id == namespace.trim())?;
    let key = key.trim();
    if let Some((value, Form::Hexadecimal | Form::Decimal)) = number(key, false, 1) {
        return direct(namespace, value);
    }
    let card = namespace.cards.iter().find(|card| !card.key.is_empty() && card.key == key)?;
    Some(Hit { sure: true, ..Hit::of(namespace, card) })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `0x3e`
    Hexadecimal,
    /// `62`
    Decimal,
    /// `3e`
    Bare,
    /// `-110`
    Negative,
}

/// A number, and the word before it that says what it is.
#[derive(Debug)]
struct Number<'a> {
    value: u32,
    form: Form,
    at: usize,
    key: Option<&'a str>,
}

fn numbers(text: &str) -> Vec<Number<'_>> {
    let words = words(text);
    let mut numbers = Vec::new();
    for (place, (at, word)) in words.iter().enumerate() {
        let negative = text[..*at].ends_with('-')
            && !text[..*at].trim_end_matches('-').ends_with(char::is_alphanumeric);
        let Some((value, form)) = number(word, negative, words.len()) else { continue };
        let before = words[..place].iter().rev().map(|(_, word)| *word);
        let key = before
            .take(3)
            .take_while(|word| KEYS.contains(word) || BETWEEN.contains(word))
            .find(|word| KEYS.contains(word));
        numbers.push(Number { value, form, at: *at, key });
    }
    numbers
}

/// Words and where they begin. Marks are no words.
fn words(text: &str) -> Vec<(usize, &str)> {
    let begin = text.as_ptr() as usize;
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr() as usize - begin, word))
        .collect()
}

fn number(word: &str, negative: bool, words: usize) -> Option<(u32, Form)> {
    if let Some(hex) = word.strip_prefix("0x") {
        return Some((u32::from_str_radix(hex, 16).ok()?, Form::Hexadecimal));
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        let form = if negative { Form::Negative } else { Form::Decimal };
        return Some((word.parse().ok()?, form));
    }
    let bare = word.len() == 2 && words <= 3;
    bare.then(|| u32::from_str_radix(word, 16).ok()).flatten().map(|value| (value, Form::Bare))
}

/// Namespaces that the text names, and where.
fn said(text: &str) -> Vec<(usize, &'static Namespace)> {
    let mut said = Vec::new();
    for namespace in NAMESPACES.iter().copied() {
        for word in namespace.words {
            let places = text.match_indices(word);
            let alone = |at: &usize| stands_alone(text, *at..*at + word.len());
            said.extend(places.map(|(at, _)| at).filter(alone).map(|at| (at, namespace)));
        }
    }
    said
}

/// What a number means in the namespaces that the text names; the name nearest before it counts most.
fn meanings(number: &Number<'_>, said: &[(usize, &'static Namespace)], text: &str) -> Vec<Hit> {
    if number.form == Form::Negative {
        let errno = NAMESPACES.iter().copied().filter(|namespace| namespace.id == "errno");
        return errno.filter_map(|errno| direct(errno, number.value)).collect();
    }
    let mut said: Vec<(usize, &'static Namespace)> = said.to_vec();
    // Of mgmt's two number systems the word before the number chooses.
    let other = |namespace: &Namespace| match number.key {
        Some("status") => namespace.id == "mgmt",
        _ => namespace.id == "mgmt-status",
    };
    said.sort_by_key(|(at, namespace)| {
        let distance = number.at.checked_sub(*at).unwrap_or(usize::MAX / 2);
        (distance, other(namespace))
    });
    for (at, namespace) in &said {
        let found = within(namespace, number.value, text);
        if !found.is_empty() {
            let twins = said.iter().filter(|(place, twin)| place == at && twin.id != namespace.id);
            let twins = twins.flat_map(|(_, twin)| within(twin, number.value, text));
            let all = found.into_iter().chain(twins);
            return all.map(|hit| Hit { sure: true, ..hit }).collect();
        }
    }
    Vec::new()
}

fn direct(namespace: &'static Namespace, value: u32) -> Option<Hit> {
    let card = namespace.cards.iter().find(|card| card.has(value))?;
    Some(Hit { number: Some(value), sure: true, ..Hit::of(namespace, card) })
}

fn space(id: &str) -> Option<&'static Namespace> {
    NAMESPACES.iter().copied().find(|namespace| namespace.id == id)
}

/// What a number is in a namespace that borrows numbers of others, too.
fn within(namespace: &'static Namespace, value: u32, text: &str) -> Vec<Hit> {
    match namespace.id {
        "nimble" if value >= BASES[0].0 => borrowed(value).into_iter().collect(),
        "android" => {
            let own = direct(namespace, value);
            let operation = ["oncharacteristic", "ondescriptor", "onservices", "onmtu"];
            let (id, why) = if operation.iter().any(|word| text.contains(word)) {
                ("att", "For an operation Android's status is the ATT error, in decimal.")
            } else {
                ("hci", "For a connection Android's status is HCI's reason, in decimal.")
            };
            let lent = || Some(Hit { why, ..direct(space(id)?, value)? });
            own.or_else(lent).into_iter().collect()
        }
        "esp" if value < 0x100 => {
            space("hci").and_then(|hci| direct(hci, value)).into_iter().collect()
        }
        _ => direct(namespace, value).into_iter().collect(),
    }
}

/// NimBLE adds a base to the numbers of others.
fn borrowed(value: u32) -> Option<Hit> {
    let (base, id, why) = BASES.iter().find(|(base, ..)| value & !0xff == *base)?;
    Some(Hit { why, ..direct(space(id)?, value - base)? })
}

/// Every namespace that has the number, the likeliest first.
fn possible(number: &Number<'_>) -> Vec<Hit> {
    let mut found: Vec<(u8, Hit)> = Vec::new();
    for namespace in NAMESPACES.iter().copied().filter(|n| n.id != "esp" || number.value > 0xff) {
        if let (Some(hit), Some(weight)) =
            (direct(namespace, number.value), weight(namespace.id, number))
        {
            found.push((weight, Hit { why: namespace.printed, sure: false, ..hit }));
        }
    }
    if let Some(hit) = borrowed(number.value) {
        found.push((40, Hit { sure: false, ..hit }));
    }
    found.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let alone = found.len() == 1;
    let mut hits: Vec<Hit> = found.into_iter().map(|(_, hit)| hit).collect();
    if let Some(first) = hits.first_mut() {
        first.sure = true;
        if alone && first.namespace.id != "hci" && borrowed(number.value).is_none() {
            first.why = "";
        }
    }
    hits
}

/// How likely a number is meant as one of this namespace's, where nothing names it.
fn weight(namespace: &str, number: &Number<'_>) -> Option<u8> {
    let decimal = number.form == Form::Decimal;
    let small = number.value <= 5;
    Some(match (namespace, number.key) {
        // bluetoothd's lines; HCI reasons below 6 end no link, except 0x05.
        ("mgmt", Some("reason")) if decimal && small => 60,
        ("mgmt-status", Some("status")) if decimal && number.value == 14 => 60,
        ("hci", Some("reason" | "rsn")) => 55,
        ("hci", _) => 50,
        ("android", _) => 46,
        ("esp", _) => 45,
        ("mgmt-status", Some("status")) if decimal => 35,
        ("att", _) => 30,
        ("smp", _) => 25,
        ("mgmt", _) => 20,
        ("mgmt-status", _) => 18,
        ("nimble", _) => 15,
        ("corebluetooth", _) => 12,
        ("winrt", _) => 10,
        ("errno", _) => 8,
        _ => return None,
    })
}
