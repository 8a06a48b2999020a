//! Messages on the D-Bus with secrets in every place, as dbus-monitor prints them and as a capture holds them.
use crate::search::Secret;
use std::fmt::Write;

const DEVICE: &str = "/org/bluez/hci0/dev_F0_12_7C_AA_00_01";

/// A value of a message's body.
enum Value {
    Text(String),
    Path(String),
    Number(u32),
    Bytes(Vec<u8>),
    Truth(bool),
    Texts(Vec<String>),
    Variant(Box<Value>),
    Properties(Vec<(&'static str, Value)>),
}

use Value::{Bytes, Number, Path, Properties, Text, Texts, Truth, Variant};

/// A message: what it is (1 call, 2 return, 3 error, 4 signal), and its fields by number, in the order of the text.
struct Message {
    kind: u8,
    sender: String,
    destination: String,
    path: String,
    interface: String,
    member: String,
    error: String,
    reply: u32,
    body: Vec<Value>,
}

fn message(kind: u8, body: Vec<Value>) -> Message {
    let text = String::new;
    let (sender, destination) = (":1.3".to_owned(), ":1.7".to_owned());
    let (path, interface, member) = (text(), text(), text());
    Message { kind, sender, destination, path, interface, member, error: text(), reply: 0, body }
}

fn call(destination: &str, path: &str, interface: &str, member: &str, body: Vec<Value>) -> Message {
    Message {
        sender: ":1.7".into(),
        destination: destination.into(),
        path: path.into(),
        interface: interface.into(),
        member: member.into(),
        ..message(1, body)
    }
}

fn signal(path: &str, interface: &str, member: &str, body: Vec<Value>) -> Message {
    Message { kind: 4, destination: ":1.9".into(), ..call("", path, interface, member, body) }
}

fn answer(reply: u32, body: Vec<Value>) -> Message {
    Message { reply, ..message(2, body) }
}

/// Secrets as they are asked for.
#[derive(Default)]
struct Planted(Vec<Secret>);

impl Planted {
    fn letters(&self) -> String {
        let mut seed = 77 + 1_000_003 * self.0.len() as u32;
        let mut letter = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + (seed >> 24) as u8 % 26)
        };
        (0..9).map(|_| letter()).collect()
    }

    fn text(&mut self, what: &str) -> String {
        let text = self.letters();
        let secret = Some(text.clone());
        self.0.push(Secret { what: what.into(), bytes: vec![], text: secret, identity: true });
        text
    }

    fn string(&mut self, what: &str) -> Value {
        Text(self.text(what))
    }

    fn property(&mut self, what: &str) -> Value {
        Variant(Box::new(self.string(what)))
    }

    /// Six digits, or the four of a usual PIN.
    fn number(&mut self, what: &str, least: u32) -> u32 {
        let number = least + 317 * self.0.len() as u32 + 11;
        let text = Some(number.to_string());
        self.0.push(Secret { what: what.into(), bytes: vec![], text, identity: false });
        number
    }

    fn bytes(&mut self, what: &str) -> Value {
        let bytes: Vec<u8> = self.letters().bytes().chain(self.letters().bytes().rev()).collect();
        let bytes: Vec<u8> = bytes.iter().map(|byte| byte.wrapping_mul(167)).collect();
        let secret = bytes.clone();
        self.0.push(Secret { what: what.into(), bytes: secret, text: None, identity: false });
        Bytes(bytes)
    }
}

fn messages() -> (Vec<Message>, Vec<Secret>) {
    let mut plant = Planted::default();
    let device = || Path(DEVICE.into());
    let bluez = "org.bluez";
    let agent = "org.bluez.Agent1";
    let properties = "org.freedesktop.DBus.Properties";
    let mut all = vec![call(bluez, DEVICE, "org.bluez.Device1", "Connect", vec![])];
    let mut failed = answer(1, vec![Text("le-connection-abort-by-local".into())]);
    (failed.kind, failed.error) = (3, "org.bluez.Error.Failed".into());
    all.push(failed);

    // What an agent is told, and what it answers.
    for member in ["DisplayPinCode", "AuthorizeService"] {
        let secret = plant.string(member);
        all.push(call(":1.7", "/agent", agent, member, vec![device(), secret]));
    }
    let pin = plant.number("a PIN of four digits that is displayed", 4_000).to_string();
    all.push(call(":1.7", "/agent", agent, "DisplayPinCode", vec![device(), Text(pin)]));
    for member in ["DisplayPasskey", "RequestConfirmation"] {
        let secret = Number(plant.number(member, 700_000));
        all.push(call(":1.7", "/agent", agent, member, vec![device(), secret]));
    }
    all.push(call(":1.7", "/agent", agent, "RequestPinCode", vec![device()]));
    let pin = plant.number("a PIN of four digits that is answered", 5_000).to_string();
    all.push(answer(8, vec![Text(pin)]));
    all.push(answer(8, vec![plant.string("a PIN of letters that is answered")]));
    all.push(answer(8, vec![Number(plant.number("a passkey that is answered", 800_000))]));
    let path = format!("/home/{}/agent", plant.text("a user in an agent's path"));
    let capability = Text("KeyboardDisplay".into());
    all.push(call(
        bluez,
        "/org/bluez",
        "org.bluez.AgentManager1",
        "RegisterAgent",
        vec![Path(path), capability],
    ));

    // Values.
    let characteristic = format!("{DEVICE}/service0010/char0011");
    let gatt = "org.bluez.GattCharacteristic1";
    let written = plant.bytes("a value that is written");
    let kind = Variant(Box::new(Text("request".into())));
    let options = Properties(vec![("type", kind)]);
    all.push(call(bluez, &characteristic, gatt, "WriteValue", vec![written, options]));
    all.push(answer(13, vec![plant.bytes("a value that is read")]));
    let notified = Variant(Box::new(plant.bytes("a value that is notified")));
    all.push(signal(
        &characteristic,
        properties,
        "PropertiesChanged",
        vec![Text(gatt.into()), Properties(vec![("Value", notified)]), Texts(vec![])],
    ));

    // Devices: their names, and what they advertise.
    let known = |plant: &mut Planted, place: &str| {
        let mut text = |name: &'static str| (name, plant.property(&format!("{name} {place}")));
        let mut all = vec![text("Name"), text("Alias"), text("Icon"), text("Modalias")];
        all.push(("Connected", Variant(Box::new(Truth(true)))));
        let services = vec![plant.text(&format!("UUIDs {place}"))];
        all.push(("UUIDs", Variant(Box::new(Texts(services)))));
        let data = plant.bytes(&format!("ManufacturerData {place}"));
        all.push(("ManufacturerData", Variant(Box::new(data))));
        Properties(all)
    };
    let changed = known(&mut plant, "that changed");
    let of_device = || Text("org.bluez.Device1".into());
    let body = vec![of_device(), changed, Texts(vec![])];
    all.push(signal(DEVICE, properties, "PropertiesChanged", body));
    let manager = "org.freedesktop.DBus.ObjectManager";
    let added = known(&mut plant, "of an added object");
    all.push(signal("/", manager, "InterfacesAdded", vec![device(), of_device(), added]));
    let managed = known(&mut plant, "of managed objects");
    all.push(answer(17, vec![device(), of_device(), managed]));
    let alias = plant.property("an alias that is set");
    let body = vec![of_device(), Text("Alias".into()), alias];
    all.push(call(bluez, DEVICE, properties, "Set", body));

    // What else is on the bus.
    let notify = ["an application", "a summary", "a body"].map(|what| plant.string(what));
    let desktop = "org.freedesktop.Notifications";
    all.push(call(desktop, "/desktop", desktop, "Notify", notify.into()));
    let said = format!("{} said {}", plant.text("one word"), plant.text("another word"));
    all.push(signal("/desktop", desktop, "Said", vec![Text(said)]));
    let owner = format!("org.{}.App", plant.text("a program's name on the bus"));
    all.push(call(&owner, "/desktop", desktop, "Show", vec![]));
    let path = format!("/org/{}", plant.text("a path"));
    let interface = format!("org.{}.Thing", plant.text("an interface"));
    all.push(signal(&path, &interface, &plant.text("a member"), vec![]));
    for said in ["token=", "failed in /home/", "passkey "] {
        let secret = plant.text(said);
        let mut error = answer(2, vec![Text(format!("{said}{secret}"))]);
        (error.kind, error.error) = (3, format!("org.{}.Error", plant.text("an error's name")));
        all.push(error);
    }
    (all, plant.0)
}

/// The same messages as a text and as a capture, with what was planted in them.
pub fn logs() -> (Vec<(String, Vec<u8>)>, Vec<Secret>) {
    let (messages, secrets) = messages();
    let mut text = String::new();
    // pcap, little-endian, link type 231.
    let mut pcap = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    pcap.extend([0_u32, 0, 65_535, 231].map(u32::to_le_bytes).concat());
    for (at, message) in messages.iter().enumerate() {
        let serial = at as u32 + 1;
        let micros = 1_000 * serial;
        message.print(serial, micros, &mut text);
        let bytes = message.wire(serial);
        let length = bytes.len() as u32;
        pcap.extend([1_795_852_434, micros, length, length].map(u32::to_le_bytes).concat());
        pcap.extend(bytes);
    }
    let logs =
        vec![("dbus-monitor.txt".to_owned(), text.into_bytes()), ("dbus.pcap".to_owned(), pcap)];
    (logs, secrets)
}

impl Message {
    fn print(&self, serial: u32, micros: u32, out: &mut String) {
        let Self { sender, destination, path, interface, member, error, reply, .. } = self;
        let kind = ["method call", "method return", "error", "signal"][usize::from(self.kind) - 1];
        let to =
            format!("time=1795852434.{micros:06} sender={sender} -> destination={destination}");
        // Writing to a String cannot fail.
        let _ = match self.kind {
            2 => writeln!(out, "{kind} {to} serial={serial} reply_serial={reply}"),
            3 => writeln!(out, "{kind} {to} error_name={error} reply_serial={reply}"),
            _ => writeln!(
                out,
                "{kind} {to} serial={serial} path={path}; interface={interface}; member={member}"
            ),
        };
        self.body.iter().for_each(|value| value.print(1, "", out));
    }

    fn wire(&self, serial: u32) -> Vec<u8> {
        let mut fields = Vec::new();
        let texts = [
            (1, "o", &self.path),
            (2, "s", &self.interface),
            (3, "s", &self.member),
            (4, "s", &self.error),
            (6, "s", &self.destination),
            (7, "s", &self.sender),
        ];
        for (number, kind, text) in texts.into_iter().filter(|(_, _, text)| !text.is_empty()) {
            align(&mut fields, 8);
            fields.push(number);
            Variant(Box::new(if kind == "o" { Path(text.clone()) } else { Text(text.clone()) }))
                .wire(&mut fields);
        }
        if self.reply > 0 {
            align(&mut fields, 8);
            fields.push(5);
            Variant(Box::new(Number(self.reply))).wire(&mut fields);
        }
        align(&mut fields, 8);
        let signature: String = self.body.iter().map(Value::signature).collect();
        fields.extend([8, 1, b'g', 0, signature.len() as u8]);
        fields.extend(signature.bytes().chain([0]));
        let mut body = Vec::new();
        self.body.iter().for_each(|value| value.wire(&mut body));
        let mut out = vec![b'l', self.kind, 0, 1];
        out.extend([body.len() as u32, serial, fields.len() as u32].map(u32::to_le_bytes).concat());
        out.extend(fields);
        align(&mut out, 8);
        out.extend(body);
        out
    }
}

fn align(out: &mut Vec<u8>, to: usize) {
    out.resize(out.len().next_multiple_of(to), 0);
}

impl Value {
    fn signature(&self) -> String {
        let kind = match self {
            Text(_) => "s",
            Path(_) => "o",
            Number(_) => "u",
            Bytes(_) => "ay",
            Truth(_) => "b",
            Texts(_) => "as",
            Variant(_) => "v",
            Properties(_) => "a{sv}",
        };
        kind.to_owned()
    }

    fn wire(&self, out: &mut Vec<u8>) {
        let text = |text: &str, out: &mut Vec<u8>| {
            align(out, 4);
            out.extend((text.len() as u32).to_le_bytes());
            out.extend(text.bytes().chain([0]));
        };
        match self {
            Text(said) | Path(said) => text(said, out),
            Number(number) => {
                align(out, 4);
                out.extend(number.to_le_bytes());
            }
            Truth(value) => Number(u32::from(*value)).wire(out),
            Bytes(bytes) => {
                Number(bytes.len() as u32).wire(out);
                out.extend(bytes);
            }
            Variant(value) => {
                let signature = value.signature();
                out.push(signature.len() as u8);
                out.extend(signature.bytes().chain([0]));
                value.wire(out);
            }
            Texts(texts) => array(out, 4, |out| texts.iter().for_each(|it| text(it, out))),
            Properties(all) => array(out, 8, |out| {
                for (name, value) in all {
                    align(out, 8);
                    text(name, out);
                    value.wire(out);
                }
            }),
        }
    }

    fn print(&self, depth: usize, before: &str, out: &mut String) {
        let indent = "   ".repeat(depth);
        let _ = match self {
            Text(text) => writeln!(out, "{indent}{before}string \"{text}\""),
            Path(path) => writeln!(out, "{indent}{before}object path \"{path}\""),
            Number(number) => writeln!(out, "{indent}{before}uint32 {number}"),
            Truth(value) => writeln!(out, "{indent}{before}boolean {value}"),
            Bytes(bytes) => {
                let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                writeln!(
                    out,
                    "{indent}{before}array of bytes [\n{indent}   {}\n{indent}]",
                    pairs.join(" ")
                )
            }
            Texts(texts) => {
                let _ = writeln!(out, "{indent}{before}array [");
                texts.iter().for_each(|text| Text(text.clone()).print(depth + 1, "", out));
                writeln!(out, "{indent}]")
            }
            Variant(value) => {
                value.print(depth, "variant             ", out);
                Ok(())
            }
            Properties(all) => {
                let _ = writeln!(out, "{indent}{before}array [");
                for (name, value) in all {
                    let _ = writeln!(out, "{indent}   dict entry(");
                    Text((*name).to_owned()).print(depth + 2, "", out);
                    value.print(depth + 2, "", out);
                    let _ = writeln!(out, "{indent}   )");
                }
                writeln!(out, "{indent}]")
            }
        };
    }
}

fn array(out: &mut Vec<u8>, to: usize, fill: impl FnOnce(&mut Vec<u8>)) {
    align(out, 4);
    let length = out.len();
    out.extend([0; 4]);
    align(out, to);
    let start = out.len();
    fill(out);
    let filled = (out.len() - start) as u32;
    out[length..length + 4].copy_from_slice(&filled.to_le_bytes());
}

/// Both tell the same; a capture that nobody can read would hide its secrets well.
#[test]
fn both_are_read_as_messages() {
    for (name, bytes) in logs().0 {
        let input = hcidiff::capture::Input::bytes(name.as_str(), bytes.as_slice());
        let log = hcidiff::witness::read(&input, &Default::default()).unwrap().expect("a log");
        assert_eq!(log.kind, hcidiff::witness::Kind::DBus, "{name}");
        // The call, its answer, seven requests of an agent, and what changed in the device.
        let whats: Vec<_> = log.claims.iter().map(|claim| claim.what.word()).collect();
        assert!(whats.len() >= 9, "{name}: {whats:?}");
    }
}
