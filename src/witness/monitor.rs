//! dbus-monitor's text: a head line for each message, and its values indented below. Read, and written.
use super::bus::{Leaf, Message, Type};
use super::reader::behind;
use std::fmt::Write;

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
        let property = line.strip_prefix("variant").map(str::trim_start);
        let text = |quoted: &str| short(quoted.strip_suffix('"').unwrap_or(quoted)).to_owned();
        let leaf = match property.unwrap_or(line) {
            "boolean true" => Leaf::Bool(true),
            "boolean false" => Leaf::Bool(false),
            _ if property.is_some() => return,
            line => match (line.strip_prefix("string \""), line.strip_prefix("object path \"")) {
                (Some(quoted), _) => Leaf::Text(text(quoted)),
                (_, Some(quoted)) => Leaf::Path(text(quoted)),
                _ => return,
            },
        };
        self.message.body.push(leaf);
    }
}

/// A message as dbus-monitor prints it, with the values that are kept of it.
pub(super) fn write(message: &Message, micros: Option<i64>, out: &mut String) {
    let kind = match message.kind {
        Type::Call => "method call",
        Type::Return => "method return",
        Type::Error => "error",
        Type::Signal => "signal",
    };
    out.push_str(kind);
    // Writing to a String cannot fail.
    if let Some(micros) = micros.filter(|micros| *micros >= 0) {
        let _ = write!(out, " time={}.{:06}", micros / 1_000_000, micros % 1_000_000);
    }
    let or = |name: &str, nothing: &str| one_line(if name.is_empty() { nothing } else { name });
    let sender = or(&message.sender, "(null sender)");
    let _ = write!(out, " sender={sender} -> destination=");
    out.push_str(&or(&message.destination, "(null destination)"));
    if !message.error.is_empty() {
        let _ = write!(out, " error_name={}", one_line(&message.error));
    }
    let _ = write!(out, " serial={}", message.serial);
    if matches!(message.kind, Type::Return | Type::Error) {
        let _ = write!(out, " reply_serial={}", message.reply_serial);
    } else {
        let place = [&message.path, &message.interface, &message.member].map(|it| one_line(it));
        let [path, interface, member] = place;
        let _ = write!(out, " path={path}; interface={interface}; member={member}");
    }
    out.push('\n');
    for leaf in &message.body {
        let _ = match leaf {
            Leaf::Text(text) => writeln!(out, "   string \"{}\"", one_line(text)),
            Leaf::Path(path) => writeln!(out, "   object path \"{}\"", one_line(path)),
            Leaf::Bool(value) => writeln!(out, "   boolean {value}"),
        };
    }
}

/// A text without what would end its line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
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
        let property = [Leaf::Text("Name".into())];
        let mut open = head(line, 7).unwrap();
        for line in ["   string \"Name\"", "      variant  string \"LabSensor\"", "   uint32 7"] {
            open.value(line);
        }
        assert_eq!(open.message.body, property, "values of properties are nobody's business");
        assert!(head("signal strength sender", 1).is_none());
        assert!(head("method of sender=", 1).is_none());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let call = Message {
            sender: ":1.7".into(),
            destination: "org.bluez".into(),
            path: "/org/bluez/hci0/dev_F0_12_7C_AA_00_01".into(),
            interface: "org.bluez.Device1".into(),
            member: "Connect".into(),
            serial: 2,
            ..Message::default()
        };
        let answer = Message {
            kind: Type::Error,
            sender: ":1.3".into(),
            destination: ":1.7".into(),
            error: "org.bluez.Error.Failed".into(),
            serial: 1_234_567,
            reply_serial: 2,
            body: vec![Leaf::Text("le-connection-abort-by-local".into())],
            ..Message::default()
        };
        let signal = Message {
            kind: Type::Signal,
            sender: ":1.3".into(),
            destination: ":1.9".into(),
            path: "/".into(),
            interface: "org.freedesktop.DBus.ObjectManager".into(),
            member: "InterfacesAdded".into(),
            serial: 3,
            body: vec![Leaf::Path("/org/bluez/hci0".into()), Leaf::Bool(false)],
            ..Message::default()
        };
        for message in [call, answer, signal] {
            let mut text = String::new();
            write(&message, Some(1_795_852_434_000_462), &mut text);
            let mut lines = text.lines();
            let mut open = head(lines.next().unwrap(), 1).unwrap();
            lines.for_each(|line| open.value(line));
            assert_eq!((open.micros, open.message), (Some(1_795_852_434_000_462), message));
        }
        let mut text = String::new();
        let two = Leaf::Text("one\nsignal sender=:1.3".into());
        write(&Message { body: vec![two], ..Message::default() }, None, &mut text);
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
