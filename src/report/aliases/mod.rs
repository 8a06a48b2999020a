//! Aliases for addresses and names, so that a report can be shown to anyone.
//!
//! A sentence is made of pieces that know what they are: an address, a name. An alias stands in the place of such a
//! piece, and our own words stay as they are. Words from outside, whose parts nobody knows (file names, lines of a
//! log, captured values), are searched: whatever address or name they hold, and however it is spelled, is caught.
mod kind;
mod name;
pub(crate) mod spelling;

use crate::packet::Address;
use crate::timeline::{Capture, Peer};
use crate::witness::Testimony;
use name::NameAliases;
pub(crate) use name::{tells_somebody, vocabulary};
use spelling::Spelled;
use std::collections::HashMap;

/// What stands for what: the same alias for the same address in all captures of a report.
#[derive(Clone, Debug, Default)]
pub struct Aliases {
    /// By the address's bytes, in both orders.
    addresses: HashMap<[u8; 6], String>,
    names: NameAliases,
    /// How many addresses each device has.
    devices: HashMap<String, u32>,
    adapters: u32,
}

/// What stands for an address that no table of the captures has.
const STRANGER: &str = "unknown-device";

/// What a machine is called that a log names without an address: a proxy, as a rule.
const MACHINE: &str = "host";

impl Aliases {
    /// Aliases for everything in the captures that could tell who somebody is.
    pub fn of(captures: &[Capture]) -> Self {
        let mut aliases = Self::default();
        for adapter in captures.iter().flat_map(|capture| &capture.adapters) {
            let alias = match adapter.address {
                Some(address) => match aliases.addresses.get(&address.0) {
                    Some(known) => known.clone(),
                    None => {
                        let alias = aliases.next_adapter();
                        aliases.name_address(address, &alias);
                        alias
                    }
                },
                None if adapter.name.is_some() => aliases.next_adapter(),
                None => continue,
            };
            if let Some(name) = &adapter.name {
                aliases.names.add(name, &alias);
            }
        }
        // Those that somebody connected to come first: they are what the report speaks of.
        let heard = captures.iter().flat_map(|capture| &capture.devices);
        let kinds: HashMap<_, _> =
            heard.map(|device| (device.address, kind::of(device))).rev().collect();
        for connection in captures.iter().flat_map(|capture| &capture.connections) {
            aliases.peer(&kinds, &connection.peer);
        }
        for heard in captures.iter().flat_map(|capture| &capture.devices) {
            let identity = heard.identity.map(|(address, _)| address);
            aliases.device(
                &[identity, Some(heard.address)],
                kind::of(heard),
                heard.name.as_deref(),
            );
        }
        aliases
    }

    /// The same with what logs name beside the captures: devices, and machines that speak for them.
    pub fn and_of(mut self, testimonies: &[Testimony]) -> Self {
        for log in testimonies.iter().map(|testimony| &testimony.log) {
            for (device, name) in &log.names {
                let kind = if device.is_some() { kind::DEVICE } else { MACHINE };
                self.device(&[*device], kind, Some(name));
            }
            for device in log.claims.iter().filter_map(|claim| claim.device) {
                self.device(&[Some(device)], kind::DEVICE, None);
            }
        }
        self
    }

    fn next_adapter(&mut self) -> String {
        self.adapters += 1;
        format!("adapter-{}", self.adapters)
    }

    fn peer(&mut self, kinds: &HashMap<Address, &'static str>, peer: &Peer) {
        let addresses = [peer.identity.map(|(address, _)| address), peer.address, peer.on_air];
        let kind = addresses.iter().flatten().find_map(|address| kinds.get(address));
        self.device(&addresses, kind.copied().unwrap_or(kind::DEVICE), peer.name.as_deref());
    }

    /// One device, by any of its addresses: `lamp-1`; its further addresses are `lamp-1-b`, `lamp-1-c`.
    fn device(&mut self, addresses: &[Option<Address>], kind: &str, name: Option<&str>) {
        let known = addresses.iter().flatten().find_map(|a| self.addresses.get(&a.0)).cloned();
        if addresses.iter().all(Option::is_none)
            && name.is_none_or(|name| self.names.alias(name).is_some())
        {
            return;
        }
        let alias = match known {
            // The device, not one of its addresses.
            Some(known) => device_of(&known).to_owned(),
            None => {
                format!("{kind}-{}", self.devices.len() + 1)
            }
        };
        for address in addresses.iter().flatten() {
            if !self.addresses.contains_key(&address.0) {
                let count = self.devices.entry(alias.clone()).or_default();
                let alias = further(&alias, *count);
                *count += 1;
                self.name_address(*address, &alias);
            }
        }
        self.devices.entry(alias.clone()).or_default();
        if let Some(name) = name {
            self.names.add(name, &alias);
        }
    }

    fn name_address(&mut self, address: Address, alias: &str) {
        let mut reversed = address.0;
        reversed.reverse();
        self.addresses.entry(reversed).or_insert_with(|| alias.to_owned());
        self.addresses.insert(address.0, alias.to_owned());
    }

    /// What stands for an address.
    pub(crate) fn of_address(&self, address: Address) -> Option<&str> {
        self.addresses.get(&address.0).map(String::as_str)
    }

    /// What stands for exactly this name.
    pub(crate) fn of_name(&self, name: &str) -> Option<&str> {
        self.names.alias(name)
    }

    /// The same aliases for a capture in which addresses and names were replaced: what is called `lamp-1` in the
    /// original is called so there.
    pub(crate) fn renamed(
        &self,
        addresses: impl Iterator<Item = (Address, Address)>,
        names: impl Iterator<Item = (String, String)>,
    ) -> Self {
        let mut renamed = Self::default();
        for (original, replaced) in addresses {
            if let Some(alias) = self.addresses.get(&original.0) {
                renamed.name_address(replaced, alias);
            }
        }
        for (original, replaced) in names {
            if let Some(alias) = self.names.alias(&original) {
                renamed.names.add(&replaced, alias);
            }
        }
        renamed
    }

    /// What stands for an address; one that is in no capture's tables is `unknown-device`.
    pub(super) fn address(&self, address: Address) -> &str {
        self.of_address(address).unwrap_or(STRANGER)
    }

    /// Words from outside without the addresses and names that they had.
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(found) = spelling::next(rest, |bytes| self.addresses.contains_key(&bytes)) {
            let Spelled { at, length, bytes } = found;
            hidden.push_str(&rest[..at]);
            hidden.push_str(self.addresses.get(&bytes).map_or(STRANGER, String::as_str));
            rest = &rest[at + length..];
        }
        hidden.push_str(rest);
        once(self.names.hide(&hidden))
    }

    /// Whether a value holds a name that has an alias, or an address in letters.
    pub fn tells_name(&self, value: &[u8]) -> bool {
        let text = String::from_utf8_lossy(value);
        self.hide(&text) != text
    }

    /// What stands for a name. One that no capture's tables have is searched: it may hold an address.
    pub(super) fn hide_name(&self, name: &str) -> String {
        self.names.alias(name).map_or_else(|| self.hide(name), str::to_owned)
    }
}

/// `lamp-1 (random), "lamp-1"` is said once: its name and its address have the same alias.
fn once(text: String) -> String {
    let mut rest = text.as_str();
    let mut said = String::new();
    while let Some(at) = rest.find("), \"") {
        let (before, after) = rest.split_at(at + 1);
        said.push_str(before);
        rest = after;
        let Some(alias) = after.get(3..).and_then(|name| name.split('"').next()) else { continue };
        let address = before.rsplit_once(" (").map_or("", |(address, _)| address);
        if !alias.is_empty() && address.ends_with(alias) {
            rest = after.get(alias.len() + 4..).unwrap_or("");
        }
    }
    said.push_str(rest);
    said
}

/// `lamp-1-b` for the second address of `lamp-1`.
fn further(alias: &str, at: u32) -> String {
    match at {
        0 => alias.to_owned(),
        1..=25 => format!("{alias}-{}", char::from(b'a' + at as u8)),
        _ => format!("{alias}-{at}"),
    }
}

/// `lamp-1` of `lamp-1-b`.
fn device_of(alias: &str) -> &str {
    match alias.match_indices('-').nth(1) {
        Some((at, _)) => &alias[..at],
        None => alias,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prose::{Text, name, quoted};
    use crate::report::spans;
    use crate::text;
    use serde_json::Value;

    const LAMP: Address = Address([1, 0, 0xaa, 0x7c, 0x12, 0xf0]);

    fn lamp(name: &str) -> Aliases {
        let mut aliases = Aliases::default();
        aliases.device(&[Some(LAMP)], "lamp", Some(name));
        aliases
    }

    fn show(aliases: &Aliases, text: &Text) -> String {
        spans::show(text, Some(aliases))
    }

    #[test]
    fn addresses_and_names_are_replaced_everywhere() {
        let aliases = lamp("Wohnzimmer 3");
        assert_eq!(
            aliases.hide("F0:12:7C:AA:00:01 (random), \"Wohnzimmer 3\"; C0:00:00:00:00:09"),
            "lamp-1 (random); unknown-device"
        );
        assert_eq!(
            aliases.hide("wohnzimmer 3.btsnoop, Wohnzimmer 31"),
            "lamp-1.btsnoop, Wohnzimmer 31"
        );
        assert_eq!(aliases.hide("F0:12:7C:AA:00"), "F0:12:7C:AA:00");
        assert_eq!(aliases.hide("é F0:12:7C:AA:00:01é"), "é lamp-1é");
    }

    #[test]
    fn an_alias_stands_in_the_place_of_a_piece() {
        let aliases = lamp("connection");
        let peer = text!("{} ({}), {}", LAMP, "random", name("connection"));
        assert_eq!(
            show(&aliases, &text!("{}: the connection is lost", peer)),
            "lamp-1 (random): the connection is lost"
        );
        let other = text!("{}, {}", Address([9; 6]), name("connection"));
        assert_eq!(show(&aliases, &other), "unknown-device, \"lamp-1\"");
        let outside = text!("{} of {}", quoted("wohnzimmer 3.log\u{1b}[2J"), "us");
        assert_eq!(show(&lamp("Wohnzimmer 3"), &outside), "lamp-1.log\\x1b[2J of us");
    }

    #[test]
    fn an_alias_for_address_and_name_is_said_once() {
        let aliases = lamp("Zoe");
        assert_eq!(
            aliases.hide("F0:12:7C:AA:00:01 (random), \"Zoe\": gone"),
            "lamp-1 (random): gone"
        );
        assert_eq!(
            aliases.hide("C0:00:00:00:00:01 (random), \"Zoe\""),
            "unknown-device (random), \"lamp-1\""
        );
        assert_eq!(aliases.hide("a (b), \""), "a (b), \"");
    }

    #[test]
    fn every_spelling_of_an_address_is_caught() {
        let aliases = lamp("x");
        for spelled in [
            "F0:12:7C:AA:00:01",
            "f0:12:7c:aa:00:01",
            "F0-12-7C-AA-00-01",
            "f0127caa0001",
            "F0127CAA0001",
            "0100aa7c12f0",
            "01 00 aa 7c 12 f0",
            "01:00:AA:7C:12:F0",
            "F0_12_7C_AA_00_01",
        ] {
            assert_eq!(aliases.hide(spelled), "lamp-1", "{spelled}");
            assert_eq!(aliases.hide(&format!("dev_{spelled}/x")), "dev_lamp-1/x", "{spelled}");
        }
        assert_eq!(aliases.hide("0201060100aa7c12f0ff"), "020106lamp-1ff");
        let uuid = "0000180f-0000-1000-8000-00805f9b34fb";
        assert_eq!(aliases.hide(uuid), uuid);
    }

    #[test]
    fn one_device_has_one_alias_with_a_letter_for_each_further_address() {
        let mut aliases = lamp("x");
        let private = Address([9, 8, 7, 6, 5, 0x44]);
        aliases.device(&[Some(LAMP), Some(private)], "device", None);
        let other = Address([9, 8, 7, 6, 5, 0xc4]);
        aliases.device(&[Some(other)], "phone", None);
        assert_eq!(aliases.hide(&format!("{LAMP} {private} {other}")), "lamp-1 lamp-1-b phone-2");
    }

    #[test]
    fn a_name_that_is_a_key_or_holds_a_quote_leaves_json_whole() {
        for name in ["transport", "Lab\"Senso", "device-1", "name", "back\\slash", "le"] {
            let mut aliases = Aliases::default();
            aliases.device(&[Some(Address([7; 6]))], "device", None);
            aliases.device(&[Some(LAMP)], "device", Some(name));
            let mut value = serde_json::json!({
                "transport": "le",
                "peer": { "name": name, "address": "F0:12:7C:AA:00:01" },
                "texts": [format!("{LAMP} \"{name}\"")],
            });
            hide_in(&aliases, &mut value);
            assert_eq!(
                value,
                serde_json::json!({
                    "transport": "le",
                    "peer": { "name": "device-2", "address": "device-2" },
                    "texts": ["device-2 \"device-2\""],
                }),
                "{name}"
            );
        }
    }

    /// The scan of a finished report. Nothing that is shown needs it: every sentence knows its addresses and names.
    fn hide_in(aliases: &Aliases, value: &mut Value) {
        match value {
            Value::String(text) => *text = aliases.hide(text),
            Value::Array(items) => items.iter_mut().for_each(|item| hide_in(aliases, item)),
            Value::Object(fields) => {
                for (key, field) in fields {
                    match field {
                        Value::String(name) if key == "name" => *name = aliases.hide_name(name),
                        field => hide_in(aliases, field),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A rule that names a device takes its name as a whole. Of a name that was cut no alias is known, and half of it
    /// would stay.
    #[test]
    fn no_half_of_a_long_name_stays() {
        use crate::compare::Options;
        use crate::packet::{AddressType, Status};
        use crate::report::terminal::{self, Screen};
        use crate::report::{Report, Shown, facts, html, json, markdown};
        use crate::trace::{PEER, Trace};
        const NAME: &str =
            "Kittiwake Harbour Lantern Umbrella Foxglove Marmalade Quince Thistledown";
        let words = || NAME.split(' ');
        let mut next = PEER;
        next.0[0] += 1;
        let left = Trace::new().advertises(0).up().mtu().write(0x10, &[1]).wait_ms(900);
        let back = left.disconnected(Status::REMOTE_USER_TERMINATED).wait_ms(1_200);
        let trace = back.peer(next, AddressType::RANDOM).advertises_as(NAME);
        let analysis = crate::Analysis::of(vec![trace.run()], &Options::default());
        let rule = "bootloader-reboot-address-change";
        assert!(analysis.findings.iter().any(|finding| finding.rule == rule));
        let shown = Shown { aliases: true, full: true, ..Shown::default() };
        let mut report = Report { shown, ..Report::from(analysis) };
        let screen = Screen { width: 100, colour: false };
        let all = |report: &Report| {
            [
                terminal::first(report, screen, usize::MAX),
                terminal::render(report, screen),
                terminal::letter(report),
                markdown::render(report),
                html::render(report),
                json::render(report),
                facts::render(report),
            ]
        };
        for text in all(&report) {
            let stayed: Vec<_> = words().filter(|word| text.contains(word)).collect();
            assert!(stayed.is_empty(), "{stayed:?} in {text}");
        }
        report.shown.aliases = false;
        assert!(all(&report).iter().any(|text| words().all(|word| text.contains(word))));
    }

    /// What the scan would still find in a finished report would be a piece that nobody hid.
    #[test]
    fn the_scan_of_a_finished_report_finds_nothing() {
        use crate::capture::Input;
        use crate::case::{Case, analyse};
        use crate::report::terminal::{self, Screen};
        use crate::report::{Report, Shown, html, json, markdown};
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/flagship");
        let read = |name: &str| {
            let bytes = std::fs::read(format!("{folder}/{name}")).expect("a fixture");
            // The file's name tells who it is, too.
            Input::bytes(format!("LabSensor F0-12-7C-AA-00-01 {name}"), bytes)
        };
        let (works, fails) = ("mac.pklg", "pi-kicked.btsnoop");
        for case in [
            Case::pair(read(works), read(fails)),
            Case::pair(read(fails), read(works)),
            Case::one(read(fails)),
            Case::pair(read(works), Input::bytes("LabSensor", *b"no capture")),
        ] {
            let shown = Shown { aliases: true, full: true, strict: true, ..Shown::default() };
            let report = Report { shown, ..Report::from(analyse(&case).expect("a capture")) };
            let mut said = vec![markdown::render(&report), html::render(&report)];
            said.push(terminal::render(&report, Screen { width: 100, colour: false }));
            said.push(terminal::first(
                &report,
                Screen { width: 80, colour: false },
                terminal::ROWS,
            ));
            for text in said {
                assert!(!text.contains("LabSensor"), "{text}");
                assert_eq!(report.aliases().hide(&text), text);
            }
            let value: Value = serde_json::from_str(&json::render(&report)).expect("JSON");
            let mut scanned = value.clone();
            hide_in(report.aliases(), &mut scanned);
            assert_eq!(scanned, value);
        }
    }
}
