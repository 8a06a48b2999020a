//! One D-Bus message on the wire: its header's fields, and the text and truth values of its body.
//!
//! The signature decides how the body is walked. A hostile one can neither recurse deep nor loop.
use super::super::bus::{Leaf, Message, Type};

/// No more values of one message are kept.
const MOST_VALUES: usize = 256;
/// Most values passed, kept or not.
const MOST_STEPS: usize = 20_000;
/// The longest text kept of one value.
const LONGEST: usize = 512;
/// How deep the specification allows containers to nest: 32 arrays and 32 structures.
const DEEPEST: usize = 64;

/// Header fields by number.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SENDER: u8 = 7;
const SIGNATURE: u8 = 8;

/// A message; `None` where its header is cut or none.
pub(in super::super) fn decode(bytes: &[u8]) -> Option<Message> {
    let big = match bytes.first()? {
        b'l' => false,
        b'B' => true,
        _ => return None,
    };
    let kind = match bytes.get(1)? {
        1 => Type::Call,
        2 => Type::Return,
        3 => Type::Error,
        4 => Type::Signal,
        _ => return None,
    };
    let mut walk = Walk { bytes, at: 8, big, steps: 0, variants: 0, leaves: Vec::new() };
    let mut message = Message { kind, serial: walk.u32()?, ..Message::default() };
    let end = walk.u32()? as usize;
    let end = end.checked_add(walk.at)?;
    let mut signature = "";
    while walk.at < end.min(bytes.len()) {
        walk.align(8);
        let field = walk.byte()?;
        match (field, walk.signature()?) {
            (REPLY_SERIAL, "u") => message.reply_serial = walk.u32()?,
            (SIGNATURE, "g") => signature = walk.signature()?,
            (_, "s" | "o") => {
                let text = walk.text()?;
                let place = match field {
                    PATH => &mut message.path,
                    INTERFACE => &mut message.interface,
                    MEMBER => &mut message.member,
                    ERROR_NAME => &mut message.error,
                    DESTINATION => &mut message.destination,
                    SENDER => &mut message.sender,
                    _ => continue,
                };
                *place = text.to_owned();
            }
            (_, other) => {
                walk.value(other, 0)?;
                walk.leaves.clear();
            }
        }
    }
    walk.at = end;
    walk.align(8);
    // What a cut body still shows is worth having.
    let mut rest = signature;
    while !rest.is_empty() {
        match walk.value(rest, 0) {
            Some(behind) => rest = behind,
            None => break,
        }
    }
    message.body = walk.leaves;
    Some(message)
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    big: bool,
    steps: usize,
    /// How many variants the value stands in.
    variants: usize,
    leaves: Vec<Leaf>,
}

impl<'a> Walk<'a> {
    /// The body and the header's fields both begin at multiples of 8 of the message.
    fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.align(4);
        let bytes = *self.bytes.get(self.at..)?.first_chunk()?;
        self.at += 4;
        Some(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn pass(&mut self, align: usize, size: usize) -> Option<()> {
        self.align(align);
        self.at = self.at.checked_add(size).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    fn slice(&mut self, length: usize) -> Option<&'a str> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        // With the zero behind it.
        self.at += length + 1;
        let shown = bytes.get(..LONGEST).unwrap_or(bytes);
        Some(match std::str::from_utf8(shown) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(shown.get(..error.valid_up_to())?).ok()?,
        })
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.u32()? as usize;
        self.slice(length)
    }

    fn signature(&mut self) -> Option<&'a str> {
        let length = usize::from(self.byte()?);
        self.slice(length)
    }

    /// Passes the first complete value of a signature; what is left of the signature.
    fn value<'s>(&mut self, signature: &'s str, depth: usize) -> Option<&'s str> {
        self.steps += 1;
        if depth > DEEPEST || self.steps > MOST_STEPS {
            return None;
        }
        let (kind, rest) = signature.split_at_checked(1)?;
        match kind {
            "y" => self.pass(1, 1)?,
            "n" | "q" => self.pass(2, 2)?,
            "i" | "u" | "h" => self.pass(4, 4)?,
            "x" | "t" | "d" => self.pass(8, 8)?,
            "b" => {
                let value = self.u32()? != 0;
                self.keep(Leaf::Bool(value));
            }
            "s" | "o" => {
                let text = self.text()?;
                // What stands in a variant is a property's value.
                if self.variants == 0 {
                    let leaf = if kind == "s" { Leaf::Text } else { Leaf::Path };
                    self.keep(leaf(text.to_owned()));
                }
            }
            "g" => drop(self.signature()?),
            "v" => {
                let inner = self.signature()?;
                self.variants += 1;
                self.value(inner, depth + 1)?;
                self.variants -= 1;
            }
            "a" => return self.array(rest, depth),
            "(" | "{" => {
                self.align(8);
                let mut rest = rest;
                while !rest.starts_with([')', '}']) {
                    rest = self.value(rest, depth + 1)?;
                }
                return rest.get(1..);
            }
            _ => return None,
        }
        Some(rest)
    }

    fn array<'s>(&mut self, element: &'s str, depth: usize) -> Option<&'s str> {
        let length = self.u32()? as usize;
        let align = match element.bytes().next()? {
            b'x' | b't' | b'd' | b'(' | b'{' => 8,
            b'y' | b'g' | b'v' => 1,
            b'n' | b'q' => 2,
            _ => 4,
        };
        self.align(align);
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        let behind = complete(element, 0)?;
        if matches!(
            element.as_bytes().first(),
            Some(b'y' | b'n' | b'q' | b'i' | b'u' | b'x' | b't' | b'd')
        ) {
            self.at = end;
            return Some(behind);
        }
        while self.at < end {
            let before = self.at;
            self.value(element, depth + 1)?;
            if self.at == before {
                return None;
            }
        }
        self.at = end;
        Some(behind)
    }

    fn keep(&mut self, leaf: Leaf) {
        if self.leaves.len() < MOST_VALUES {
            self.leaves.push(leaf);
        }
    }
}

/// What is left of a signature behind its first complete type.
fn complete(signature: &str, depth: usize) -> Option<&str> {
    if depth > DEEPEST {
        return None;
    }
    let (kind, rest) = signature.split_at_checked(1)?;
    match kind {
        "a" => complete(rest, depth + 1),
        "(" | "{" => {
            let mut rest = rest;
            while !rest.starts_with([')', '}']) {
                rest = complete(rest, depth + 1)?;
            }
            rest.get(1..)
        }
        _ => Some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `signal PropertiesChanged("org.bluez.Device1", {"Connected": true}, [])`, little endian.
    fn changed() -> Vec<u8> {
        fn string(out: &mut Vec<u8>, text: &str) {
            while !out.len().is_multiple_of(4) {
                out.push(0);
            }
            out.extend((text.len() as u32).to_le_bytes());
            out.extend(text.as_bytes());
            out.push(0);
        }
        let mut fields = Vec::new();
        for (number, kind, text) in
            [(1, "o", "/org/bluez/hci0"), (3, "s", "PropertiesChanged"), (8, "g", "sa{sv}as")]
        {
            while !fields.len().is_multiple_of(8) {
                fields.push(0);
            }
            fields.extend([number, 1, kind.as_bytes()[0], 0]);
            if kind == "g" {
                fields.push(text.len() as u8);
                fields.extend(text.as_bytes());
                fields.push(0);
            } else {
                string(&mut fields, text);
            }
        }
        let mut body = Vec::new();
        string(&mut body, "org.bluez.Device1");
        let mut entry = Vec::new();
        string(&mut entry, "Connected");
        entry.extend([1, b'b', 0]);
        while !entry.len().is_multiple_of(4) {
            entry.push(0);
        }
        entry.extend(1_u32.to_le_bytes());
        while !body.len().is_multiple_of(4) {
            body.push(0);
        }
        body.extend((entry.len() as u32).to_le_bytes());
        while !body.len().is_multiple_of(8) {
            body.push(0);
        }
        body.extend(entry);
        body.extend(0_u32.to_le_bytes());
        let mut out = vec![b'l', 4, 1, 1];
        out.extend((body.len() as u32).to_le_bytes());
        out.extend(9_u32.to_le_bytes());
        out.extend((fields.len() as u32).to_le_bytes());
        out.extend(fields);
        while !out.len().is_multiple_of(8) {
            out.push(0);
        }
        out.extend(body);
        out
    }

    #[test]
    fn a_signal_is_read() {
        let message = decode(&changed()).unwrap();
        assert_eq!((message.kind, message.serial), (Type::Signal, 9));
        assert_eq!(
            (message.path.as_str(), message.member.as_str()),
            ("/org/bluez/hci0", "PropertiesChanged")
        );
        let text = |text: &str| Leaf::Text(text.into());
        assert_eq!(message.body, [text("org.bluez.Device1"), text("Connected"), Leaf::Bool(true)]);
    }

    #[test]
    fn a_cut_message_gives_what_is_left() {
        let whole = changed();
        for end in 0..whole.len() {
            if let Some(message) = decode(&whole[..end]) {
                assert!(message.body.len() <= 3);
            }
        }
    }

    #[test]
    fn a_signature_that_nests_without_end_is_left() {
        assert_eq!(complete(&"a".repeat(200), 0), None);
        assert_eq!(complete("a{sv}as", 0), Some("as"));
        assert_eq!(complete("(s(ub))x", 0), Some("x"));
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..200, byte: u8) {
            decode(&bytes);
            let mut broken = changed();
            if let Some(place) = broken.get_mut(at) {
                *place = byte;
            }
            decode(&broken);
        }
    }
}
