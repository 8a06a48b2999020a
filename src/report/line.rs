//! JSON Lines, written straight into a buffer: no tree, no allocation a line.
use super::safe;

/// One line being written.
#[derive(Debug, Default)]
pub struct Line {
    buffer: Vec<u8>,
}

/// Two decimal digits of every number below 100.
const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

impl Line {
    /// Starts an object, forgetting the line before.
    pub fn begin(&mut self) {
        self.buffer.clear();
        self.buffer.push(b'{');
    }

    /// Ends the line.
    pub fn end(&mut self) -> &[u8] {
        self.buffer.extend_from_slice(b"}\n");
        &self.buffer
    }

    /// `"key":`, parted from what stands before it. Keys are our own plain words.
    #[inline]
    pub fn key(&mut self, key: &str) {
        self.part();
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(key.as_bytes());
        self.buffer.extend_from_slice(b"\":");
    }

    /// Opens an object or list: `{`, `[`.
    #[inline]
    pub fn open(&mut self, bracket: char) {
        self.buffer.push(bracket as u8);
    }

    #[inline]
    pub fn close(&mut self, bracket: char) {
        self.buffer.push(bracket as u8);
    }

    /// A comma, where something stands before in the same object or list.
    #[inline]
    pub fn part(&mut self) {
        if !matches!(self.buffer.last(), Some(b'{' | b'[' | b':')) {
            self.buffer.push(b',');
        }
    }

    pub fn null(&mut self) {
        self.buffer.extend_from_slice(b"null");
    }

    pub fn bool(&mut self, value: bool) {
        self.buffer.extend_from_slice(if value { b"true" } else { b"false" });
    }

    #[inline]
    pub fn number(&mut self, value: u64) {
        let mut room = [0; 20];
        self.buffer.extend_from_slice(digits(value, &mut room));
    }

    pub fn signed(&mut self, value: i64) {
        if value < 0 {
            self.buffer.push(b'-');
        }
        self.number(value.unsigned_abs());
    }

    /// Microseconds as seconds with six decimals.
    pub fn seconds(&mut self, us: i64) {
        if us < 0 {
            self.buffer.push(b'-');
        }
        let us = us.unsigned_abs();
        self.number(us / 1_000_000);
        self.buffer.push(b'.');
        self.buffer.extend_from_slice(&micros((us % 1_000_000) as u32));
    }

    /// Text from anywhere: made safe first, for what JSON hides its reader's terminal will show.
    pub fn text(&mut self, text: &str) {
        self.made_safe(&safe::text(text));
    }

    /// Text that is safe to show already.
    pub fn made_safe(&mut self, text: &str) {
        self.buffer.push(b'"');
        if text.bytes().any(|byte| matches!(byte, b'"' | b'\\')) {
            for byte in text.bytes() {
                if matches!(byte, b'"' | b'\\') {
                    self.buffer.push(b'\\');
                }
                self.buffer.push(byte);
            }
        } else {
            self.buffer.extend_from_slice(text.as_bytes());
        }
        self.buffer.push(b'"');
    }

    /// A number, or null.
    #[inline]
    pub fn optional(&mut self, key: &str, value: Option<impl Into<u64>>) {
        self.key(key);
        match value {
            Some(value) => self.number(value.into()),
            None => self.null(),
        }
    }

    /// Plain words of ours.
    #[inline]
    pub fn word(&mut self, word: &str) {
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(word.as_bytes());
        self.buffer.push(b'"');
    }

    /// Bytes as a string of hexadecimal digits.
    pub fn hex(&mut self, bytes: &[u8]) {
        self.buffer.push(b'"');
        self.buffer.extend(bytes.iter().flat_map(|byte| hex(*byte)));
        self.buffer.push(b'"');
    }
}

/// `0a1b…`
pub fn push_hex(buffer: &mut String, bytes: &[u8]) {
    buffer.extend(bytes.iter().flat_map(|byte| hex(*byte)).map(char::from));
}

fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// Decimal digits, faster than the formatter.
#[inline]
fn digits(mut value: u64, room: &mut [u8; 20]) -> &[u8] {
    let mut at = room.len();
    loop {
        at -= 1;
        room[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return &room[at..];
        }
    }
}

/// Six digits.
pub fn push_micros(buffer: &mut String, us: u32) {
    buffer.push_str(str::from_utf8(&micros(us)).unwrap_or_default());
}

fn micros(us: u32) -> [u8; 6] {
    let mut digits = [0; 6];
    for (place, pair) in digits.chunks_mut(2).zip([us / 10_000 % 100, us / 100 % 100, us % 100]) {
        let at = pair as usize * 2;
        place.copy_from_slice(&PAIRS[at..at + 2]);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(write: impl FnOnce(&mut Line)) -> Value {
        let mut line = Line::default();
        line.begin();
        write(&mut line);
        let bytes = line.end();
        assert_eq!(bytes.iter().filter(|&&byte| byte == b'\n').count(), 1);
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn a_line_is_json() {
        let value = written(|line| {
            line.key("a");
            line.number(u64::MAX);
            line.key("b");
            line.signed(-40);
            line.key("c");
            line.open('[');
            for number in [0, 10, 999] {
                line.part();
                line.number(number);
            }
            line.close(']');
            line.key("d");
            line.open('{');
            line.key("e");
            line.null();
            line.key("f");
            line.bool(true);
            line.close('}');
            line.key("g");
            line.hex(&[0x00, 0xfe]);
            line.key("h");
            line.seconds(-1_000_005);
        });
        let expected = json!({"a": u64::MAX, "b": -40, "c": [0, 10, 999], "d": {"e": null, "f": true}, "g": "00fe", "h": -1.000005});
        assert_eq!(value, expected);
    }

    #[test]
    fn text_stays_within_its_quotes_and_is_safe_to_show() {
        let value = written(|line| {
            line.key("name");
            line.text("a\"b\\c\n\x1b[2J\u{202e}ö");
        });
        assert_eq!(value, json!({"name": "a\"b\\c\\n\\x1b[2J\\u{202e}ö"}));
    }
}
