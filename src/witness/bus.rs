//! What messages on the D-Bus mean: calls of programs, bluetoothd's answers and signals.
//!
//! A capture and dbus-monitor's text both end here. Calls wait for their answers by caller and serial number.
use super::bleak::{failure, is_denied};
use super::claim::{Asker, FailedAt, Failure, Radio, Reason, What};
use super::reader::{adapter, device};
use crate::packet::Address;
use std::collections::HashMap;

/// Most calls that wait for an answer at once. More are not followed.
const MOST_CALLS: usize = 4096;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Type {
    #[default]
    Call,
    Return,
    Error,
    Signal,
}

/// A value of a message's body, as far as anybody asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    Text(String),
    /// The path of an object.
    Path(String),
    Bool(bool),
}

/// A message, with the texts and truth values of its body in order. Texts that are values of properties are left out:
/// names of devices are among them, and nobody asks for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub kind: Type,
    pub sender: String,
    pub destination: String,
    pub path: String,
    pub interface: String,
    pub member: String,
    pub error: String,
    pub serial: u32,
    pub reply_serial: u32,
    pub body: Vec<Leaf>,
}

impl Message {
    fn text(&self, place: usize) -> &str {
        match self.body.get(place) {
            Some(Leaf::Text(text) | Leaf::Path(text)) => text,
            _ => "",
        }
    }

    /// The truth value behind this name.
    fn property(&self, name: &str) -> Option<bool> {
        let place =
            self.body.iter().position(|leaf| matches!(leaf, Leaf::Text(text) if text == name))?;
        match self.body.get(place + 1) {
            Some(Leaf::Bool(value)) => Some(*value),
            _ => None,
        }
    }
}

/// A claim of a message, before it has a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BusClaim {
    pub what: What,
    pub device: Option<Address>,
    pub radio: Radio,
    pub client: Option<u32>,
    /// The message that is answered.
    pub answers: Option<u32>,
    pub text: String,
}

/// The calls that wait.
#[derive(Default)]
pub(super) struct Bus {
    calls: HashMap<(String, u32), Call>,
    /// bluetoothd's own name on the bus.
    daemon: String,
}

struct Call {
    line: u32,
    member: &'static str,
    path: String,
}

/// Calls whose answers are told.
const FOLLOWED: [&str; 5] = ["Connect", "Pair", "Disconnect", "StartDiscovery", "RemoveDevice"];

impl Bus {
    /// What a message claims.
    pub fn push(&mut self, message: &Message, line: u32) -> Vec<BusClaim> {
        match message.kind {
            Type::Call => self.call(message, line).into_iter().collect(),
            Type::Return | Type::Error => self.answer(message).into_iter().collect(),
            Type::Signal => self.signal(message),
        }
    }

    fn call(&mut self, message: &Message, line: u32) -> Option<BusClaim> {
        let to_daemon = message.destination == "org.bluez"
            || !self.daemon.is_empty() && message.destination == self.daemon;
        let agent = message.interface == "org.bluez.Agent1";
        if !to_daemon && !agent {
            return None;
        }
        if agent {
            return Some(claim(What::AgentAsked, message, message.text(0)));
        }
        let member = FOLLOWED.into_iter().find(|member| *member == message.member)?;
        let what = match member {
            "Connect" => What::ConnectAsked(Asker::Stack),
            "Pair" => What::PairAsked,
            "Disconnect" => What::HangUpAsked,
            "StartDiscovery" => What::ScanAsked,
            _ => What::Aside,
        };
        if self.calls.len() < MOST_CALLS {
            let call = Call { line, member, path: message.path.clone() };
            self.calls.insert((message.sender.clone(), message.serial), call);
        }
        Some(claim(what, message, &message.path))
    }

    fn answer(&mut self, message: &Message) -> Option<BusClaim> {
        let asked = self.calls.remove(&(message.destination.clone(), message.reply_serial));
        let said = format!("{} {}", message.error, message.text(0));
        let denied = message.kind == Type::Error && is_denied(&said);
        let Some(call) = asked else {
            // The bus itself answers, and perhaps before the monitor saw the call.
            let nobody = message.kind == Type::Error && failure(&said) == Failure::NoDaemon;
            let what = match denied {
                true => What::Denied,
                false if nobody => What::Failed { how: Failure::NoDaemon, by: FailedAt::Call },
                false => return None,
            };
            return Some(BusClaim {
                client: client(&message.destination),
                ..claim(what, message, "")
            });
        };
        let connects = matches!(call.member, "Connect" | "Pair");
        let what = match message.kind {
            _ if denied => What::Denied,
            Type::Error if connects => What::Failed { how: failure(&said), by: FailedAt::Call },
            // Whatever was asked for: the adapter is off.
            Type::Error if failure(&said) == Failure::AdapterOff => {
                What::Failed { how: Failure::AdapterOff, by: FailedAt::Call }
            }
            Type::Error => What::Aside,
            _ if connects => What::ConnectAnswered,
            _ => return None,
        };
        let answers = Some(call.line);
        let text = match message.kind {
            Type::Error => format!("{}: {said}", call.member),
            _ => format!("{} answered", call.member),
        };
        Some(BusClaim {
            client: client(&message.destination),
            answers,
            text,
            ..claim(what, message, &call.path)
        })
    }

    fn signal(&mut self, message: &Message) -> Vec<BusClaim> {
        let one = |what, path: &str| vec![claim(what, message, path)];
        match message.member.as_str() {
            "NameOwnerChanged" if message.text(0) == "org.bluez" => {
                self.daemon = message.text(2).to_owned();
                let what =
                    if self.daemon.is_empty() { What::DaemonStopped } else { What::DaemonStarted };
                one(what, "")
            }
            "InterfacesRemoved" => {
                let path = message.text(0);
                let is = |interface| {
                    let same = |leaf: &Leaf| matches!(leaf, Leaf::Text(text) if text == interface);
                    message.body.iter().skip(1).any(same)
                };
                if is("org.bluez.Adapter1") {
                    one(What::AdapterGone, path)
                } else if is("org.bluez.Device1") {
                    one(What::ObjectRemoved, path)
                } else {
                    Vec::new()
                }
            }
            "InterfacesAdded" => {
                let exports = |leaf: &Leaf| matches!(leaf, Leaf::Text(text) if text == "org.bluez.GattService1");
                if message.body.iter().any(exports) {
                    one(What::ServiceExported, message.text(0))
                } else {
                    Vec::new()
                }
            }
            "PropertiesChanged" => changed(message),
            _ => Vec::new(),
        }
    }
}

fn changed(message: &Message) -> Vec<BusClaim> {
    let told = |name: &str, yes: What, no: Option<What>| {
        let value = message.property(name)?;
        let what = if value { Some(yes) } else { no }?;
        Some(BusClaim { text: format!("{name}: {value}"), ..claim(what, message, &message.path) })
    };
    let ended = What::Disconnected(Reason::Unsaid);
    match message.text(0) {
        "org.bluez.Device1" => [
            told("Connected", What::Connected, Some(ended)),
            told("ServicesResolved", What::ServicesResolved, None),
            told("Paired", What::Paired, None),
        ]
        .into_iter()
        .flatten()
        .collect(),
        "org.bluez.Adapter1" => {
            told("Powered", What::PoweredOn, Some(What::PoweredOff)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn claim(what: What, message: &Message, path: &str) -> BusClaim {
    let text = match message.kind {
        Type::Call => format!("{} calls {}.{}", message.sender, message.interface, message.member),
        Type::Signal => format!("{} {}", message.member, message.text(0)),
        _ => format!("{} {}", message.error, message.text(0)),
    };
    BusClaim {
        what,
        device: device(path),
        radio: adapter(path).map_or(Radio::Unsaid, Radio::Adapter),
        client: (message.kind == Type::Call).then(|| client(&message.sender)).flatten(),
        answers: None,
        text,
    }
}

/// `:1.16` is the sixteenth who came onto the bus.
fn client(name: &str) -> Option<u32> {
    name.rsplit_once('.')?.1.parse().ok().filter(|_| name.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(member: &str, serial: u32) -> Message {
        Message {
            sender: ":1.7".into(),
            destination: "org.bluez".into(),
            path: "/org/bluez/hci0/dev_F0_12_7C_AA_00_01".into(),
            interface: "org.bluez.Device1".into(),
            member: member.into(),
            serial,
            ..Message::default()
        }
    }

    fn error(name: &str, text: &str, reply_serial: u32) -> Message {
        Message {
            kind: Type::Error,
            destination: ":1.7".into(),
            error: name.into(),
            reply_serial,
            body: vec![Leaf::Text(text.into())],
            ..Message::default()
        }
    }

    fn only(claims: Vec<BusClaim>) -> BusClaim {
        assert_eq!(claims.len(), 1);
        claims.into_iter().next().unwrap()
    }

    #[test]
    fn an_answer_belongs_to_its_call() {
        let mut bus = Bus::default();
        let asked = only(bus.push(&call("Connect", 2), 10));
        assert_eq!((asked.what, asked.client), (What::ConnectAsked(Asker::Stack), Some(7)));
        assert_eq!(asked.radio, Radio::Adapter(0));
        let failed = error("org.bluez.Error.Failed", "le-connection-abort-by-local", 2);
        let failed = only(bus.push(&failed, 11));
        assert_eq!(failed.what, What::Failed { how: Failure::AbortByLocal, by: FailedAt::Call });
        assert_eq!((failed.answers, failed.device), (Some(10), asked.device));
        assert!(bus.push(&error("org.bluez.Error.Failed", "x", 2), 12).is_empty());
        bus.push(&call("StartDiscovery", 3), 13);
        let off = only(bus.push(&error("org.bluez.Error.NotReady", "Resource Not Ready", 3), 14));
        assert_eq!(off.what, What::Failed { how: Failure::AdapterOff, by: FailedAt::Call });
        bus.push(&call("StartDiscovery", 4), 15);
        let other = only(bus.push(&error("org.bluez.Error.Failed", "x", 4), 16));
        assert_eq!(other.what, What::Aside);
    }

    #[test]
    fn the_bus_refuses_a_call_whether_it_was_seen_or_not() {
        let mut bus = Bus::default();
        let refused = error("org.freedesktop.DBus.Error.AccessDenied", "Rejected send message", 3);
        assert_eq!(only(bus.push(&refused, 1)).what, What::Denied);
        bus.push(&call("Connect", 3), 2);
        assert_eq!(only(bus.push(&refused, 3)).answers, Some(2));
    }

    #[test]
    fn signals_tell_what_changed() {
        let mut bus = Bus::default();
        let text = |text: &str| Leaf::Text(text.into());
        let signal = |member: &str, body| Message {
            kind: Type::Signal,
            member: member.into(),
            path: "/org/bluez/hci1/dev_F0_12_7C_AA_00_01".into(),
            body,
            ..Message::default()
        };
        let both = signal(
            "PropertiesChanged",
            vec![
                text("org.bluez.Device1"),
                text("ServicesResolved"),
                Leaf::Bool(true),
                text("Connected"),
                Leaf::Bool(false),
            ],
        );
        let whats: Vec<_> = bus.push(&both, 1).into_iter().map(|claim| claim.what).collect();
        assert_eq!(whats, [What::Disconnected(Reason::Unsaid), What::ServicesResolved]);
        let gone = signal("NameOwnerChanged", vec![text("org.bluez"), text(":1.3"), text("")]);
        assert_eq!(only(bus.push(&gone, 2)).what, What::DaemonStopped);
        let removed =
            signal("InterfacesRemoved", vec![text("/org/bluez/hci0"), text("org.bluez.Adapter1")]);
        assert_eq!(only(bus.push(&removed, 3)).what, What::AdapterGone);
    }
}
