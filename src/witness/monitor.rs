//! dbus-monitor's text: a head line for each message, and its values indented below.
use super::bus::{Leaf, Message, Type};
use super::reader::behind;

/// Most values kept of one message.
const MOST_VALUES: usize = 256;
/// The longest text kept of one value.
const LONGEST: usize = 512;

/// A message whose values are still being printed.
pub(super) struct Open {
    pub line: u32,
    /// Microseconds since 1970, where the head says it.
    pub micros: Option<i64>,
    pub message: Message,
}

/// The head of a message.
pub(super) fn head(text: &str, line: u32) -> Option<Open> {
    let kind = match text.split_once([' ', '='])?.0 {
        "signal" => Type::Signal,
        "error" => Type::Error,
        "method" if text.starts_with("method call ") => Type::Call,
        "method" if text.starts_with("method return ") => Type::Return,
        _ => return None,
    };
    let (_, places) = text.split_once("sender=")?;
    let value = |name: &str| {
        let value = behind(places, name)?;
        let end = value.find([' ', ';', '\n']).unwrap_or(value.len());
        value.get(..end).map(|value| short(value).to_owned())
    };
    let number = |name: &str| value(name).and_then(|value| value.parse().ok()).unwrap_or_default();
    let sender = places.split(' ').next().map(short).unwrap_or_default().to_owned();
    let micros = behind(text, "time=").and_then(|time| {
        let (seconds, fraction) = time.split(' ').next()?.split_once('.')?;
        let seconds: i64 = seconds.parse().ok()?;
        let fraction: i64 = format!("{:0<6.6}", fraction).parse().ok()?;
        seconds.checked_mul(1_000_000)?.checked_add(fraction)
    });
    let message = Message {
        kind,
        sender,
        destination: value("destination=").unwrap_or_default(),
        path: value("path=").unwrap_or_default(),
        interface: value("interface=").unwrap_or_default(),
        member: value("member=").unwrap_or_default(),
        error: value("error_name=").unwrap_or_default(),
        serial: number(" serial="),
        reply_serial: number("reply_serial="),
        body: Vec::new(),
    };
    Some(Open { line, micros, message })
}

fn short(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

impl Open {
    /// A line below the head.
    pub fn value(&mut self, line: &str) {
        if self.message.body.len() >= MOST_VALUES {
            return;
        }
        let line = line.trim_start();
        let line = line.strip_prefix("variant").map_or(line, str::trim_start);
        let quoted = line.strip_prefix("string \"").or_else(|| line.strip_prefix("object path \""));
        let leaf = match line {
            "boolean true" => Leaf::Bool(true),
            "boolean false" => Leaf::Bool(false),
            _ => match quoted {
                Some(text) => Leaf::Text(short(text.strip_suffix('"').unwrap_or(text)).to_owned()),
                None => return,
            },
        };
        self.message.body.push(leaf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_from_its_lines() {
        let line = "signal time=1795852434.166462 sender=:1.3 -> destination=(null destination) serial=18 path=/org/bluez/hci0; interface=org.freedesktop.DBus.Properties; member=PropertiesChanged";
        let mut open = head(line, 7).unwrap();
        assert_eq!(open.micros, Some(1_795_852_434_166_462));
        assert_eq!((open.message.serial, open.message.path.as_str()), (18, "/org/bluez/hci0"));
        assert_eq!(open.message.member, "PropertiesChanged");
        for line in [
            "   string \"org.bluez.Adapter1\"",
            "   array [",
            "         variant             boolean true",
        ] {
            open.value(line);
        }
        assert_eq!(open.message.body, [Leaf::Text("org.bluez.Adapter1".into()), Leaf::Bool(true)]);
        let call = head("method call time=1.5 sender=:1.7 -> destination=org.bluez serial=2 path=/a; interface=b; member=Connect", 1).unwrap();
        assert_eq!((call.micros, call.message.kind), (Some(1_500_000), Type::Call));
        assert!(head("signal strength sender", 1).is_none());
        assert!(head("method of sender=", 1).is_none());
    }
}
