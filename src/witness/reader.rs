//! What a reader of one kind of log is, and what all of them share.
use super::claim::{Kind, Radio, What};
use super::head::Form;
use super::{
    apple_log, bleak, bluetoothctl, bluetoothd, esp_idf, esphome, home_assistant, kernel, logcat,
    nimble, program, retry_connector,
};
use crate::packet::Address;
use memchr::memmem;
use std::sync::LazyLock;

/// One kind of log: by which words its lines are known, and what they mean.
pub(super) struct Reader {
    pub kind: Kind,
    /// A line that holds none of these words is not read. They stand in the line as bytes.
    pub marks: &'static [&'static str],
    pub read: fn(&Message<'_>, &Memory) -> Option<Said>,
}

/// Every kind, in the order in which they are asked. The first that understands a line has it.
pub(super) const READERS: &[Reader] = &[
    bluetoothd::READER,
    apple_log::READER,
    bleak::READER,
    retry_connector::READER,
    home_assistant::READER,
    kernel::READER,
    esphome::READER,
    esp_idf::READER,
    nimble::READER,
    logcat::READER,
    bluetoothctl::READER,
    program::READER,
];

/// A line, split.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    /// `None`: the line has no head and belongs to the one before it.
    pub form: Option<Form>,
    /// The process, logger, component or tag.
    pub author: &'a str,
    pub level: &'a str,
    pub text: &'a str,
}

/// What readers remember of the lines before, bounded.
#[derive(Default)]
pub(super) struct Memory {
    /// Loggers that have spoken of a connection.
    programs: Vec<String>,
}

impl Memory {
    /// Most loggers that are remembered.
    const MOST_PROGRAMS: usize = 64;

    pub fn knows(&self, program: &str) -> bool {
        self.programs.iter().any(|known| known == program)
    }

    pub fn remember(&mut self, program: &str) {
        if !program.is_empty() && !self.knows(program) && self.programs.len() < Self::MOST_PROGRAMS
        {
            self.programs.push(program.to_owned());
        }
    }
}

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub what: What,
    pub radio: Radio,
    pub handle: Option<u16>,
    pub adapter_address: Option<Address>,
}

impl From<What> for Said {
    fn from(what: What) -> Self {
        Self { what, radio: Radio::Unsaid, handle: None, adapter_address: None }
    }
}

impl Said {
    pub fn over(mut self, radio: Radio) -> Self {
        self.radio = radio;
        self
    }

    pub fn on(mut self, handle: Option<u16>) -> Self {
        self.handle = handle;
        self
    }
}

/// What stands behind the first occurrence of these words.
pub(super) fn behind<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    text.split_once(words).map(|(_, behind)| behind)
}

/// The decimal number at the beginning.
pub(super) fn decimal(text: &str) -> Option<u32> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// The hexadecimal number at the beginning, with or without `0x`.
pub(super) fn hexadecimal(text: &str) -> Option<u32> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let end = text.bytes().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(text.len());
    u32::from_str_radix(text.get(..end)?, 16).ok()
}

/// A number that is hexadecimal where it has `0x`, else decimal.
pub(super) fn either(text: &str) -> Option<u32> {
    if text.starts_with("0x") { hexadecimal(text) } else { decimal(text) }
}

/// The last number in round brackets: `Function not implemented (38)`.
pub(super) fn bracketed(text: &str) -> Option<u32> {
    let open = text.rfind('(')?;
    decimal(text.get(open + 1..)?)
}

/// `hciN` in a text.
pub(super) fn adapter(text: &str) -> Option<u16> {
    let mut rest = text;
    while let Some(at) = rest.find("hci") {
        let before = rest.get(..at).and_then(|before| before.bytes().next_back());
        let behind = rest.get(at + 3..)?;
        let alone = before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'_');
        if alone && let Some(number) = decimal(behind) {
            return u16::try_from(number).ok();
        }
        rest = behind;
    }
    None
}

/// What stands before the address of a device in its object path.
static DEVICE: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("dev_"));

/// The first device address of a text: of an object path, else with colons, dashes or spaces.
pub(super) fn device(text: &str) -> Option<Address> {
    if DEVICE.find(text.as_bytes()).is_some()
        && let Some(path) = behind(text, "/dev_").or_else(|| behind(text, "'dev_"))
        && let Some(found) = address_at(path, b"_")
    {
        return Some(found);
    }
    colon_address(text).map(|(_, address)| address)
}

/// The first device address that is written with colons or dashes, and where it begins.
pub(super) fn colon_address(text: &str) -> Option<(usize, Address)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b':', b'-', rest)) {
        let separator = at + found;
        // Times and words have such signs, too; few have another one three places behind.
        if matches!(bytes.get(separator + 3), Some(b':' | b'-'))
            && let Some(start) = separator.checked_sub(2)
            && text.is_char_boundary(start)
            && start.checked_sub(1).is_none_or(|before| !is_part(bytes, before))
            && let Some(address) = address_at(&text[start..], b":-")
            && !is_adapters(text, start)
        {
            return Some((start, address));
        }
        at = separator + 1;
    }
    None
}

fn is_part(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|byte| byte.is_ascii_hexdigit() || *byte == b':')
}

/// Whether the address belongs to an adapter: `hci0 (B8:27:EB:…`, `Controller B8:27:EB:…`.
fn is_adapters(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.ends_with("Controller ")
        || before.strip_suffix('(').is_some_and(|before| {
            let word = before.trim_end().rsplit([' ', '[']).next().unwrap_or_default();
            word.starts_with("hci")
        })
}

/// Whether an address stands here of which somebody took digits away: `XX:XX:XX:XX:XX:01`, `F0:12:**:**:**:**`.
pub(super) fn names_hidden_device(text: &str) -> bool {
    // Five signs at the places of an address: few lines have them, and the rest takes long.
    let bytes = text.as_bytes();
    let is_separator = |at: usize| matches!(bytes.get(at), Some(b':' | b'_' | b'-'));
    let may_be = |first: usize| {
        first >= 2
            && bytes.len() >= first + 15
            && [3, 6, 9, 12].iter().all(|behind| is_separator(first + behind))
    };
    if !memchr::memchr3_iter(b':', b'_', b'-', bytes).any(may_be) {
        return false;
    }
    let words = text.split([' ', '(', ')', '[', ']', ',', '/', '"', '\'']);
    words.map(|word| word.trim_start_matches("dev_").trim_end_matches([':', '.'])).any(|word| {
        let parts = || word.split([':', '_', '-']);
        let sign = |c: char| c.is_ascii_hexdigit() || "xX*#".contains(c);
        word.len() == 17
            && word.contains(['x', 'X', '*', '#'])
            && parts().count() == 6
            && parts().all(|part| part.len() == 2 && part.chars().all(sign))
    })
}

/// The address of an adapter that a text names beside its `hciN`.
pub(super) fn adapter_address(text: &str) -> Option<Address> {
    let (before, address) = text.split_once(" (")?;
    let named = before.rsplit(' ').next()?.starts_with("hci");
    named.then(|| address_at(address, b":")).flatten()
}

/// Six bytes at the beginning, with one of these signs between them.
pub(super) fn address_at(text: &str, separators: &[u8]) -> Option<Address> {
    let bytes = text.as_bytes();
    let mut address = [0_u8; 6];
    for (place, byte) in address.iter_mut().rev().enumerate() {
        let at = place * 3;
        let pair = text.get(at..at + 2)?;
        pair.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
        if place < 5 && !separators.contains(bytes.get(at + 2)?) {
            return None;
        }
    }
    // A seventh byte makes it something else; a colon alone ends a word.
    let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let ends = !(hex(17) || bytes.get(17) == Some(&b':') && hex(18));
    ends.then_some(Address(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_every_spelling() {
        let address: Address = "F0:12:7C:AA:00:01".parse().unwrap();
        for text in [
            "Connecting to F0:12:7C:AA:00:01",
            "F0:12:7C:AA:00:01: LabSensor",
            "path /org/bluez/hci0/dev_F0_12_7C_AA_00_01/service0001",
            "device 'dev_F0_12_7C_AA_00_01' not found",
            "[0] [F0:12:7C:AA:00:01] 0x01 Connecting",
            "Connecting via hci0 (B8:27:EB:12:34:56) to F0-12-7C-AA-00-01",
            "07:54:02 f0:12:7c:aa:00:01",
        ] {
            assert_eq!(device(text), Some(address), "{text}");
        }
        for text in [
            "",
            "07:54:02",
            "Controller B8:27:EB:12:34:56 Pairable",
            "00:11:22:33:44:55:66:77",
            "ф0:12:7C:AA:00:01",
        ] {
            assert_eq!(device(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_without_its_digits_is_known_as_one() {
        for text in [
            "Connecting to XX:XX:XX:XX:XX:01",
            "/org/bluez/hci0/dev_XX_XX_XX_XX_XX_01/service0001",
            "F0:12:**:**:**:**: LabSensor",
        ] {
            assert!(names_hidden_device(text), "{text}");
            assert_eq!(device(text), None);
        }
        for text in ["F0:12:7C:AA:00:01", "XX:XX", "xx-xx-xx-xx-xx-xx-xx"] {
            assert!(!names_hidden_device(text), "{text}");
        }
    }

    #[test]
    fn adapters_are_found_as_words() {
        assert_eq!(adapter("Connecting via hci0 (B8:27:EB:12:34:56)"), Some(0));
        assert_eq!(adapter("/org/bluez/hci12/dev_"), Some(12));
        assert_eq!(adapter("mhci1 src/hci.c hcitool"), None);
        let address = adapter_address("Connecting via hci0 (B8:27:EB:12:34:56) [x]");
        assert_eq!(address.map(|a| a.to_string()).as_deref(), Some("B8:27:EB:12:34:56"));
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        assert_eq!(bracketed("Function not implemented (38)"), Some(38));
        assert_eq!(either("0x3e, x"), Some(0x3e));
        assert_eq!(either("62"), Some(62));
        assert_eq!(hexadecimal("3e dev_find"), Some(0x3e));
        assert_eq!(decimal(""), None);
    }
}
