//! One message of D-Bus, as dbus-monitor prints it: its head stays, and of its values what no device, user or secret
//! can stand in.
//!
//! What a program is told and what it answers may be anything: a PIN, a value, a name. A reader of claims needs none of
//! it. Signals keep their names of interfaces and properties, errors their text.
use super::Tools;

/// The lines of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    says: Says,
    /// How far the variant is indented whose value is being printed.
    variant: Option<usize>,
}

/// What the texts in a message are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// Names of interfaces and properties.
    Names,
    /// A sentence for the user.
    Sentence,
    /// What somebody told somebody.
    Anything,
}

/// Lines that only show how values are nested.
const STRUCTURE: [&str; 8] =
    ["array [", "array of bytes [", "dict entry(", "struct {", "]", ")", "}", "boolean true"];
/// Words for the types of values.
const TYPES: [&str; 10] = [
    "byte",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "double",
    "file",
    "signature",
];

impl Message {
    /// Takes the head of a message, and gives what of it is written.
    pub fn begin(head: &str, tools: &Tools) -> (Self, String) {
        let bare = head.trim_start();
        let says = if bare.starts_with("signal") {
            Says::Names
        } else if bare.starts_with("error") {
            Says::Sentence
        } else {
            Says::Anything
        };
        let words: Vec<_> = bare.split(' ').map(|word| field(word, tools)).collect();
        (Self { says, variant: None }, words.join(" "))
    }

    /// A line below the head.
    pub fn line(&mut self, line: &str, tools: &Tools) -> String {
        let indent = line.len() - line.trim_start().len();
        let (blank, value) = line.split_at(indent);
        // A text of several lines goes on at the left edge.
        let goes_on = indent == 0;
        let inside = self.variant.is_some_and(|variant| indent > variant);
        let property = value.strip_prefix("variant").map(str::trim_start);
        if !inside {
            self.variant = property.is_some().then_some(indent);
        }
        let bare = property.unwrap_or(value);
        let is_path = bare.starts_with("object path \"") && self.says != Says::Sentence;
        let stays = !goes_on && (STRUCTURE.contains(&bare) || bare == "boolean false");
        let shown = !goes_on && !inside && property.is_none();
        let mut written = blank.to_owned();
        if stays {
            written.push_str(value);
        } else if shown && (is_path || bare.starts_with("string \"") && self.shows(bare)) {
            written.push_str(&tools.words.clean(&tools.table, value));
        } else {
            let kind = if goes_on { 0 } else { kind(value) };
            written.push_str(&value[..kind]);
            written.extend(value[kind..].chars().map(masked));
        }
        written
    }

    /// Whether what is no property may be shown, as far as its words are usual ones.
    fn shows(self, value: &str) -> bool {
        let text = value.strip_prefix("string \"").unwrap_or(value);
        let text = text.strip_suffix('"').unwrap_or(text);
        match self.says {
            // A name is one word, and has letters; one on the bus begins with a colon.
            Says::Names => {
                let letters = text.starts_with(':') || text.contains(|c: char| c.is_alphabetic());
                letters && !text.contains(char::is_whitespace)
            }
            Says::Sentence => true,
            Says::Anything => false,
        }
    }
}

/// A word of a head: `path=/org/bluez/hci0;`. Times, serial numbers and places on the bus are nobody's.
fn field(word: &str, tools: &Tools) -> String {
    let numbers = ["time=", "serial=", "reply_serial=", "sender=:", "destination=:", "dest=:"];
    let is_number = |name: &&str| {
        let value = word.strip_prefix(*name).map(|value| value.trim_end_matches(';'));
        value.is_some_and(|value| value.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    };
    match numbers.iter().any(is_number) {
        true => word.to_owned(),
        false => tools.words.clean(&tools.table, word).into_owned(),
    }
}

/// How long the words are that say of which type a value is.
fn kind(value: &str) -> usize {
    let bare = value.strip_prefix("variant").map_or(value, str::trim_start);
    let before = value.len() - bare.len();
    if let Some(quote) = ["string \"", "object path \"", "array of bytes \"", "signature \""]
        .iter()
        .find(|kind| bare.starts_with(**kind))
    {
        return before + quote.len();
    }
    let first = bare.split(' ').next().unwrap_or_default();
    if TYPES.contains(&first) { before + first.len() } else { 0 }
}

fn masked(c: char) -> char {
    match c {
        c if c.is_alphanumeric() => 'x',
        c if c.is_ascii() => c,
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(lines: &[&str]) -> Vec<String> {
        let tools = Tools::for_tests();
        let (mut message, head) = Message::begin(lines[0], &tools);
        let values = lines[1..].iter().map(|line| message.line(line, &tools));
        std::iter::once(head).chain(values).collect()
    }

    const CHANGED: &str = "signal time=1795852434.166462 sender=:1.123456 -> destination=(null destination) \
         serial=1234567 path=/org/bluez/hci0; interface=org.freedesktop.DBus.Properties; member=PropertiesChanged";

    #[test]
    fn what_a_reader_of_claims_needs_stays() {
        let lines = [
            CHANGED,
            "   string \"org.bluez.Device1\"",
            "   array [",
            "      dict entry(",
            "         string \"Connected\"",
            "         variant             boolean true",
            "      )",
            "   ]",
            "   array [",
            "   ]",
        ];
        assert_eq!(cleaned(&lines), lines);
        let lines = [
            "error time=1795852438.868893 sender=:1.3 -> destination=:1.4 error_name=org.bluez.Error.Failed reply_serial=2",
            "   string \"le-connection-abort-by-local\"",
        ];
        assert_eq!(cleaned(&lines), lines);
    }

    #[test]
    fn an_address_in_a_path_has_its_alias() {
        let call = "method call time=1.5 sender=:1.7 -> destination=org.bluez serial=2 \
             path=/org/bluez/hci0/dev_C0_00_5E_00_53_01; interface=org.bluez.Device1; member=Connect";
        let said = &cleaned(&[call])[0];
        assert_eq!(*said, call.replace("C0_00_5E_00_53_01", "C2_53_48_00_00_01"));
    }

    #[test]
    fn names_values_and_secrets_go() {
        let lines = [
            CHANGED,
            "         string \"Name\"",
            "         variant             string \"LabSensor\"",
            "         variant             array [",
            "               string \"Battery\"",
            "               array of bytes [",
            "                  02 0a",
            "               ]",
            "            ]",
            "         string \"1234\"",
            "         string \"new device\"",
            "         uint32 42",
            "         byte 7",
        ];
        assert_eq!(
            cleaned(&lines)[1..],
            [
                "         string \"Name\"",
                "         variant             string \"xxxxxxxxx\"",
                "         variant             array [",
                "               string \"xxxxxxx\"",
                "               array of bytes [",
                "                  xx xx",
                "               ]",
                "            ]",
                "         string \"xxxx\"",
                "         string \"xxx xxxxxx\"",
                "         uint32 xx",
                "         byte x",
            ]
        );
    }

    /// `RequestPinCode` is answered with a text, `DisplayPasskey` is called with a number, `WriteValue` with bytes.
    #[test]
    fn what_programs_tell_each_other_goes() {
        for head in [
            "method return time=1.5 sender=:1.7 -> destination=:1.3 serial=9 reply_serial=8",
            "method call time=1.5 sender=:1.3 -> destination=:1.7 serial=8 path=/agent; \
             interface=org.bluez.Agent1; member=DisplayPinCode",
        ] {
            let lines = [
                head,
                "   object path \"/org/bluez/hci0\"",
                "   string \"0000\"",
                "   string \"device",
                "name 12\"",
                "   array of bytes \"on\"",
                "   uint32 98765",
            ];
            assert_eq!(
                cleaned(&lines)[1..],
                [
                    "   object path \"/org/bluez/hci0\"",
                    "   string \"xxxx\"",
                    "   string \"xxxxxx",
                    "xxxx xx\"",
                    "   array of bytes \"xx\"",
                    "   uint32 xxxxx",
                ]
            );
        }
    }
}
