//! Text that programs wrote: what of it may be shown.
//!
//! A word stays where it is one of this tool's own vocabulary or of the usual words of logs. Every other word may be
//! the name of somebody, and becomes a row of `x`. Keys go first, and addresses and names get their aliases.
use super::glance::Glance;
use crate::packet::Address;
use crate::redact;
use crate::report::aliases::{spelling, vocabulary};
use crate::share::table::Table;
use aho_corasick::AhoCorasick;
use foldhash::HashSet;
use std::borrow::Cow;
use std::sync::OnceLock;

/// Shorter names are not looked for in text: they occur by chance. As words they go anyway.
const SHORTEST_NAME: usize = 3;
/// Letters and digits of bluetoothd's objects of its GATT tree: `service004a/char004b/desc004d`.
const TREE: [usize; 2] = ["char004b".len(), "service004a".len()];
/// Longer numbers may be a passkey or a serial number.
pub const MOST_DIGITS: usize = 5;

/// Words of logs and notes that the texts of the rules do not have.
const USUAL: &str = "linux version kernel subsystem bluetooth bluetoothd btmon bluetoothctl hciconfig hcitool hcidump \
    gatttool python python3 node noble bluez daemon mgmt hci0 hci1 hci2 hci3 hci4 src profiles plugins shared lib \
    client gatt att smp sdp l2cap rfcomm device adapter agent service input audio battery main log c h py js \
    debug info warn warning error err fatal notice trace verbose x86 x86_64 aarch64 armv6l armv7l arm64 rpi rpt v6 v7 v8 \
    generic lts amd64 deb ubuntu debian fedora raspi raspbian arch manjaro opensuse fc pc unknown software product \
    mac macos ios ipad iphone os x build apple mobilebluetooth host hardware model firmware revision chip chipset \
    intel broadcom realtek qualcomm mediatek nordic espressif usb uart sdio pci bus btstack btusb hci acl sco iso \
    connect connected connection connecting disconnect disconnected disconnecting timeout reason status failed fail \
    failure refused rejected reject aborted abort cancelled canceled cancel busy not found no yes true false null none \
    on off set get add remove removed added new old start started stop stopped begin end ready done ok retry retrying \
    retries attempt attempts after before while during until since already in at of to from for by with without and or \
    is was are be been has have had will would can could may must should do does did it its this that these those a an \
    the all any each every one two first last next previous more less than then else if when where which who what why \
    how up down out into over under again too very only also same other another same read write notify notification \
    indicate indication value handle characteristic descriptor database cache discovery discover scan scanning \
    advertising advertisement report address random public static private resolvable identity type name alias paired \
    pairing bonded bonding trusted blocked key keys missing encryption authentication authorization security insufficient \
    software caused implemented unexpected agent available probe driver profile browse uuid uuids path dev org hci rfkill \
    event idx op soft hard opened closed open close socket channel mtu interval latency supervision parameter parameters \
    update request response reply answer command complete disabled enabled enable disable powered power suspend resume \
    local remote peer central peripheral master slave role supported support unsupported invalid argument arguments \
    permission denied operation progress input output resource temporarily unavailable transport endpoint such file \
    directory function call returned return code errno msg shown ms us s sec seconds min minutes hour usec msec id cb fn";

/// Words that programs print whose logs are read as witnesses.
const LOGS: &str = include_str!("logs.txt");

/// What cleans text.
pub struct Words {
    known: &'static HashSet<String>,
    names: Option<AhoCorasick>,
    aliases: Vec<String>,
    glance: Glance,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({} names)", self.aliases.len())
    }
}

impl Words {
    pub fn of(table: &Table) -> Self {
        let (mut names, mut aliases) = (Vec::new(), Vec::new());
        let mut all: Vec<_> = table.names().filter(|_| !table.kept().names).collect();
        all.sort();
        for (name, alias) in all {
            if let (Ok(name), Ok(alias)) = (std::str::from_utf8(name), std::str::from_utf8(alias))
                && name.chars().count() >= SHORTEST_NAME
                && !is_our_word(name)
            {
                names.push(name.to_owned());
                aliases.push(alias.to_owned());
            }
        }
        let glance = Glance::of(&names);
        let names = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(aho_corasick::MatchKind::LeftmostLongest)
            .build(&names)
            .ok()
            .filter(|_| !aliases.is_empty());
        Self { known: known(), names, aliases, glance }
    }

    /// A text without anything that could tell who somebody is.
    pub fn clean<'t>(&self, table: &Table, text: &'t str) -> Cow<'t, str> {
        if table.kept().addresses {
            return redact::text(text);
        }
        self.glance.clean(table, text).unwrap_or_else(|| Cow::Owned(self.whole(table, text)))
    }

    /// The same, with a search for everything that a text may hold.
    fn whole(&self, table: &Table, text: &str) -> String {
        // Device addresses first: written without signs between their pairs they look like keys.
        let addressed = addressed(table, text);
        let text = redact::log(addressed.as_deref().unwrap_or(text));
        let mut cleaned = String::with_capacity(text.len());
        let mut rest: &str = &text;
        // Where nothing was found before, and nothing has gone since, no address is in it.
        if addressed.is_none() && matches!(text, Cow::Borrowed(_)) {
            self.names_in(rest, &mut cleaned);
            return cleaned;
        }
        while let Some(found) = spelling::next(rest, |_| false) {
            let (before, from) = rest.split_at(found.at);
            self.names_in(before, &mut cleaned);
            let (address, after) = from.split_at(found.length);
            if table.is_alias(&found.bytes) {
                cleaned.push_str(address);
            } else {
                spell(address, table.address(found.bytes), &mut cleaned);
            }
            rest = after;
        }
        self.names_in(rest, &mut cleaned);
        cleaned
    }

    /// Names get their aliases, and everything else stays.
    pub fn names_alone(&self, text: &str, cleaned: &mut String) {
        let mut rest = 0;
        for found in self.names.iter().flat_map(|names| names.find_iter(text)) {
            if is_whole(text, found.range()) {
                cleaned.push_str(&text[rest..found.start()]);
                cleaned.push_str(&self.aliases[found.pattern().as_usize()]);
                rest = found.end();
            }
        }
        cleaned.push_str(&text[rest..]);
    }

    /// Names get their aliases, and words that are neither ours nor `more` are masked.
    pub fn words_of(&self, text: &str, cleaned: &mut String, more: &HashSet<&str>) {
        self.names_and_words(text, cleaned, Some(more));
    }

    fn names_in(&self, text: &str, cleaned: &mut String) {
        self.names_and_words(text, cleaned, None);
    }

    fn names_and_words(&self, text: &str, cleaned: &mut String, more: Option<&HashSet<&str>>) {
        let mut rest = 0;
        if let Some(names) = &self.names {
            for found in names.find_iter(text) {
                if !is_whole(text, found.range()) {
                    continue;
                }
                self.words_in(&text[rest..found.start()], cleaned, more);
                cleaned.push_str(&self.aliases[found.pattern().as_usize()]);
                rest = found.end();
            }
        }
        self.words_in(&text[rest..], cleaned, more);
    }

    fn words_in(&self, text: &str, cleaned: &mut String, more: Option<&HashSet<&str>>) {
        let mut rest = text;
        while !rest.is_empty() {
            let word = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            let (this, after) = rest.split_at(word);
            if !this.is_empty() {
                let fraction = cleaned.ends_with('.');
                let tools = || more.is_some_and(|more| is_of_a_tool(more, this, fraction));
                if (self.is_known(this) || tools()) && !is_at_home(cleaned) {
                    cleaned.push_str(this);
                } else {
                    cleaned.extend(this.chars().map(|_| 'x'));
                }
            }
            let gap = after.find(char::is_alphanumeric).unwrap_or(after.len());
            let (between, after) = after.split_at(gap);
            // A character that is not a letter may still tell who somebody is, such as an emoji in a name.
            match between.is_ascii() {
                true => cleaned.push_str(between),
                false => {
                    cleaned.extend(between.chars().map(|c| if c.is_ascii() { c } else { '?' }));
                }
            }
            rest = after;
        }
    }

    /// Whether a word is nobody's.
    fn is_known(&self, word: &str) -> bool {
        word.len() <= 1 || shaped(word).unwrap_or_else(|| contains(self.known, word))
    }
}

/// Whether a folder of users was written last: what follows is one's name.
fn is_at_home(cleaned: &str) -> bool {
    cleaned.ends_with(['/', '\\'])
        && ["home/", "users/", "users\\"].iter().any(|folder| {
            let end = cleaned.len().checked_sub(folder.len()).and_then(|at| cleaned.get(at..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(folder))
        })
}

/// Whether a word is nobody's, where its digits say it.
pub(super) fn shaped(word: &str) -> Option<bool> {
    let is_number = |digits: &str| {
        (1..=MOST_DIGITS).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if is_number(word) {
        return Some(true);
    }
    if let Some(digits) = word.strip_prefix("0x") {
        return Some(digits.len() <= 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    if !has_digit && !TREE.contains(&word.len()) {
        return None;
    }
    let of_tree = ["service", "char", "desc"].iter().find_map(|kind| word.strip_prefix(kind));
    if of_tree.is_some_and(|at| at.len() == 4 && at.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Some(true);
    }
    let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = word.get(number.len()..).unwrap_or_default();
    (has_digit && is_number(number) && ["ms", "s", "us", "dBm", "min"].contains(&unit))
        .then_some(true)
}

/// The text with aliases for all known addresses, each as a word of its own. Nothing where no address is in it.
fn addressed(table: &Table, text: &str) -> Option<String> {
    let next = |text| spelling::next(text, |bytes| table.known_address(bytes).is_some());
    let mut found_next = Some(next(text)?);
    let mut addressed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = found_next {
        let (before, from) = rest.split_at(found.at);
        let (address, after) = from.split_at(found.length);
        addressed.push_str(before);
        let signs = address.contains([':', '-', '_', '.']);
        match table.known_address(found.bytes) {
            Some(alias) if signs => spell(address, alias, &mut addressed),
            // In a row of bytes the least significant one comes first.
            Some(mut alias) => {
                if !table.is_original(&found.bytes) {
                    alias.reverse();
                }
                addressed.push_str(&format!(" {} ", Address(alias)));
            }
            None => addressed.push_str(address),
        }
        rest = after;
        found_next = next(rest);
    }
    addressed.push_str(rest);
    Some(addressed)
}

/// Whether a tool prints this word: one of its own, or the number of a record, or a time's part.
fn is_of_a_tool(more: &HashSet<&str>, word: &str, fraction: bool) -> bool {
    /// Digits of a second's millionths.
    const MICROSECONDS: usize = 6;
    let digits =
        fraction && word.len() <= MICROSECONDS && word.bytes().all(|byte| byte.is_ascii_digit());
    let hex = word.strip_prefix("0x").unwrap_or(word);
    let hex = (1..=6).contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits || hex && word.starts_with("0x") || more.contains(word.to_ascii_lowercase().as_str())
}

/// Whether a name is one word that everybody uses.
pub fn is_our_word(name: &str) -> bool {
    contains(known(), name)
}

/// Whether a word of small letters is among these, in whatever case it is written.
fn contains(words: &HashSet<String>, word: &str) -> bool {
    match word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => words.contains(&word.to_ascii_lowercase()),
        false => words.contains(word),
    }
}

pub(super) fn known() -> &'static HashSet<String> {
    static KNOWN: OnceLock<HashSet<String>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let usual = USUAL.split_whitespace().chain(LOGS.split_whitespace());
        vocabulary().iter().cloned().chain(usual.map(str::to_owned)).collect()
    })
}

/// Whether a stretch of text is no part of a longer word.
fn is_whole(text: &str, found: std::ops::Range<usize>) -> bool {
    let before = text[..found.start].chars().next_back();
    let after = text[found.end..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

/// Writes an alias as the address was written: the same signs between its pairs, the same letters large or small.
pub fn spell(address: &str, alias: [u8; 6], out: &mut String) {
    const LARGE: &[u8; 16] = b"0123456789ABCDEF";
    const SMALL: &[u8; 16] = b"0123456789abcdef";
    let digits = if address.bytes().any(|byte| byte.is_ascii_uppercase()) { LARGE } else { SMALL };
    let mut nibbles = alias.iter().rev().flat_map(|byte| [byte >> 4, byte & 15]);
    for c in address.chars() {
        match c.is_ascii_hexdigit().then(|| nibbles.next()).flatten() {
            Some(nibble) => out.push(char::from(digits[usize::from(nibble)])),
            None => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::aliases::Aliases;
    use crate::share::originals::Originals;

    fn cleaned(text: &str) -> String {
        let mut found = Originals::default();
        found.address([1, 0x53, 0, 0x5e, 0, 0xc0]);
        found.name("Zoe's lamp".as_bytes());
        let table = Table::of(&found, &Aliases::default(), Default::default());
        Words::of(&table).clean(&table, text).into_owned()
    }

    #[test]
    fn usual_lines_stay() {
        for line in [
            "Linux version 6.12.25+rpt-rpi-v8 (aarch64)",
            "Bluetooth subsystem version 2.22",
            "src/device.c:connect_cb() connect error: Software caused connection abort (103)",
            "reason 3, status 0x3e after 315 ms",
            "/org/bluez/hci0/service004a/char004b/desc004d",
            "bleak.exc.BleakError: failed to discover services, device disconnected",
        ] {
            assert_eq!(cleaned(line), line);
        }
    }

    #[test]
    fn names_and_words_that_nobody_knows_go() {
        assert_eq!(cleaned("connected to ZOE'S LAMP"), "connected to name-1____");
        assert_eq!(cleaned("user Zoltan, host zoltans-pi"), "user xxxxxx, host xxxxxxx-pi");
        assert_eq!(cleaned("/home/max/log"), "/home/(not shown)/log");
        assert_eq!(
            cleaned("host 192.168.17.4 or me@example.org"),
            "host (not shown) or (not shown)"
        );
        assert_eq!(cleaned("serial 1234567"), "serial xxxxxxx");
        assert_eq!(cleaned("charlotte, service-beer"), "xxxxxxxxx, service-xxxx");
        assert_eq!(cleaned("K\u{fc}che \u{1f321}"), "xxxxx ?");
    }

    #[test]
    fn an_address_keeps_its_spelling() {
        for (spelled, alias) in [
            ("C0:00:5E:00:53:01", "C2:53:48:00:00:01"),
            ("c0:00:5e:00:53:01", "c2:53:48:00:00:01"),
            ("/org/bluez/hci0/dev_C0_00_5E_00_53_01", "/org/bluez/hci0/dev_C2_53_48_00_00_01"),
            ("c0005e005301", " C2:53:48:00:00:01 "),
            ("01 53 00 5e 00 c0", " C2:53:48:00:00:01 "),
            ("C6:11:22:33:44:55", "C2:53:48:FF:FF:FE"),
        ] {
            assert_eq!(cleaned(spelled), alias);
        }
    }

    #[test]
    fn keys_go_in_every_spelling() {
        let key = "6f1ed294b8037ce541af902bd7583ce6";
        assert!(!cleaned(&format!("LTK {key}")).contains("6f1e"));
        let list = "111, 30, 210, 148, 184, 3, 124, 229, 65, 175, 144, 43, 215, 88, 60, 230";
        assert!(!cleaned(list).contains("111"));
    }
    /// What a line may be made of: each piece means something for those beside it.
    const PIECES: &[&str] = &[
        "status",
        "device.c",
        "connect",
        "btd_device_set()",
        "Key",
        "key",
        "does",
        "not",
        "have",
        "code",
        "pairing",
        "PIN",
        "passkey",
        "api_key",
        "token",
        "bearer",
        "/home/",
        "Users\\",
        "/data/user/",
        "name",
        "Zoe",
        "Zoe's lamp",
        "zoltan",
        "a",
        "be",
        "add",
        "0x0010",
        "0x3e",
        "x1b",
        "12",
        "07",
        "123",
        "1234",
        "98765",
        "123456",
        "1.2",
        "10.0.0.1",
        "C0:00:5E:00:53:01",
        "c0-00-5e-00-53-01",
        "dev_C0_00_5E_00_53_01",
        "01:53:00:5E:00:C0",
        "C6:11:22:33:44:55",
        "c0005e005301",
        "C0",
        "5E",
        "00",
        "00:00:5E",
        "0000180f-0000-1000-8000-00805f9b34fb",
        "deadbeef",
        "ltkdeadbeef01",
        "Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1",
        "src/shared/att/profiles/audio",
        "a@b.c",
        "\u{e9}",
        "\u{1f321}",
        "(103)",
        "315",
        "ms",
        "315ms",
        "service004a",
        "char004b",
        "",
        "peer_irk",
        "mykey",
        "pin4711",
        "hci0",
        "802",
        "#1",
        "*",
        "+",
        "=",
    ];
    const SIGNS: &[&str] = &[
        " ", " ", " ", "", ":", "-", "_", ".", ",", ", ", ": ", "=", "/", "\\", "+", " : ", " - ",
        "\t", "     ", "\u{0}", "%",
    ];

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4_000))]
        #[test]
        fn what_a_glance_says_is_what_the_whole_cleaning_says(
            line in proptest::collection::vec(
                (proptest::sample::select(PIECES), proptest::sample::select(SIGNS)),
                0..9,
            ),
        ) {
            let line: String = line.iter().flat_map(|(piece, sign)| [*piece, *sign]).collect();
            let mut found = Originals::default();
            found.address([1, 0x53, 0, 0x5e, 0, 0xc0]);
            found.name("Zoe's lamp".as_bytes());
            let table = Table::of(&found, &Aliases::default(), Default::default());
            let words = Words::of(&table);
            if let Some(seen) = words.glance.clean(&table, &line) {
                proptest::prop_assert_eq!(&*seen, words.whole(&table, &line), "{:?}", line);
            }
        }
    }

    #[test]
    fn a_glance_is_enough_for_usual_lines() {
        let mut found = Originals::default();
        found.address([1, 0x53, 0, 0x5e, 0, 0xc0]);
        let table = Table::of(&found, &Aliases::default(), Default::default());
        let words = Words::of(&table);
        for line in [
            "bluetoothd",
            "src/main.c:parse_config() Key file does not have key",
            "src/adapter.c:connected_callback() hci0 device C0:00:5E:00:53:01 connected eir_len 14",
            "src/device.c:att_connect_cb() connect to C0:00:5E:00:53:01: Function not implemented (38)",
            "/org/bluez/hci0/dev_C0_00_5E_00_53_01/service004a/char004b",
            "src/shared/mgmt.c:can_read_data() [0x0000] command 0x0010 complete: 0x00",
            "discover_chrcs_cb() start: 0x0001, uuid: 00002a05-0000-1000-8000-00805f9b34fb",
            "src/adapter.c:zoltan() sending remove uuid command for index 0",
        ] {
            assert!(words.glance.clean(&table, line).is_some(), "{line}");
        }
    }
}
