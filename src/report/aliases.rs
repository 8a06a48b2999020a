//! Aliases for addresses and names, so that a report can be shown to anyone.
//!
//! They replace text in the finished report: whatever part of the report wrote
//! an address or a quoted name, it is caught.
use crate::link::Capture;
use crate::wire::Address;
use serde_json::Value;
use std::collections::HashMap;

/// What stands for what: the same alias for the same address in all captures of a report.
#[derive(Clone, Debug, Default)]
pub struct Aliases {
    addresses: HashMap<String, String>,
    names: Vec<(String, String)>,
}

impl Aliases {
    /// Aliases for everything in the captures that could tell who somebody is.
    pub fn of(captures: &[Capture]) -> Self {
        let mut aliases = Self::default();
        let mut adapters = 0;
        for adapter in captures.iter().flat_map(|capture| &capture.adapters) {
            let Some(address) = adapter.address else { continue };
            if aliases.address(address, || format!("adapter-{}", adapters + 1)) {
                adapters += 1;
            }
            if let Some(name) = &adapter.name {
                aliases.name(name, address);
            }
        }
        let mut devices = 0;
        let mut device = |aliases: &mut Self, address: Address, name: Option<&str>| {
            if aliases.address(address, || format!("device-{}", devices + 1)) {
                devices += 1;
            }
            if let Some(name) = name {
                aliases.name(name, address);
            }
        };
        // Those that somebody connected to come first: they are what the report speaks of.
        for connection in captures.iter().flat_map(|capture| &capture.connections) {
            let peer = &connection.peer;
            let addresses = [peer.identity.map(|(address, _)| address), peer.address, peer.on_air];
            for address in addresses.into_iter().flatten() {
                device(&mut aliases, address, peer.name.as_deref());
            }
        }
        for heard in captures.iter().flat_map(|capture| &capture.devices) {
            device(&mut aliases, heard.address, heard.name.as_deref());
        }
        aliases
    }

    /// Whether the address is new.
    fn address(&mut self, address: Address, alias: impl FnOnce() -> String) -> bool {
        let new = !self.addresses.contains_key(&address.to_string());
        if new {
            self.addresses.insert(address.to_string(), alias());
        }
        new
    }

    fn name(&mut self, name: &str, of: Address) {
        let shown = format!("\"{}\"", super::safe::text(name));
        if let Some(alias) = self.addresses.get(&of.to_string())
            && !name.is_empty()
            && !self.names.iter().any(|(known, _)| *known == shown)
        {
            self.names.push((shown, format!("\"{alias}\"")));
        }
    }

    /// The text without the addresses and quoted names that it had. An address that is in no
    /// capture's tables becomes `unknown-device`: none passes.
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = find_address(rest) {
            let (before, after) = rest.split_at(at);
            let (address, after) = after.split_at(ADDRESS);
            hidden.push_str(before);
            hidden.push_str(self.addresses.get(address).map_or("unknown-device", String::as_str));
            rest = after;
        }
        hidden.push_str(rest);
        for (name, alias) in &self.names {
            if hidden.contains(name.as_str()) {
                hidden = hidden.replace(name.as_str(), alias);
            }
        }
        hidden
    }

    /// The same in what becomes JSON: before it is written, when a name is not yet escaped and
    /// cannot be taken for a key. A field called `name` is nothing but a name.
    pub fn hide_in(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hide(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_in(item)),
            Value::Object(fields) => {
                for (key, field) in fields {
                    match field {
                        Value::String(name) if key == "name" => *name = self.hide_name(name),
                        field => self.hide_in(field),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn hide_name(&self, name: &str) -> String {
        let quoted = format!("\"{}\"", super::safe::text(name));
        match self.names.iter().find(|(known, _)| *known == quoted) {
            Some((_, alias)) => alias.trim_matches('"').to_owned(),
            None => self.hide(name),
        }
    }
}

/// Characters of a printed address.
const ADDRESS: usize = 17;

/// Where the next address begins.
fn find_address(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    bytes.windows(ADDRESS).position(|window| {
        window.iter().enumerate().all(|(at, byte)| {
            if at % 3 == 2 {
                *byte == b':'
            } else {
                byte.is_ascii_digit() || (b'A'..=b'F').contains(byte)
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_replaced_everywhere() {
        let mut aliases = Aliases::default();
        let address = Address([1, 0, 0xaa, 0x7c, 0x12, 0xf0]);
        assert!(aliases.address(address, || "device-1".to_owned()));
        assert!(!aliases.address(address, || "device-2".to_owned()));
        aliases.name("Lamp", address);
        assert_eq!(
            aliases.hide("F0:12:7C:AA:00:01 (random), \"Lamp\"; C0:00:00:00:00:09; Lamp"),
            "device-1 (random), \"device-1\"; unknown-device; Lamp"
        );
        assert_eq!(aliases.hide("F0:12:7C:AA:00"), "F0:12:7C:AA:00");
        assert_eq!(aliases.hide("é F0:12:7C:AA:00:01é"), "é device-1é");
    }

    #[test]
    fn a_name_that_is_a_key_or_holds_a_quote_leaves_json_whole() {
        for name in ["transport", "Lab\"Senso", "device-1", "name", "back\\slash"] {
            let mut aliases = Aliases::default();
            let address = Address([1, 0, 0xaa, 0x7c, 0x12, 0xf0]);
            aliases.address(address, || "device-7".to_owned());
            aliases.name(name, address);
            let mut value = serde_json::json!({
                "transport": "le",
                "peer": { "name": name, "address": "F0:12:7C:AA:00:01" },
                "texts": [format!("{address} \"{name}\"")],
            });
            aliases.hide_in(&mut value);
            assert_eq!(
                value,
                serde_json::json!({
                    "transport": "le",
                    "peer": { "name": "device-7", "address": "device-7" },
                    "texts": ["device-7 \"device-7\""],
                }),
                "{name}"
            );
        }
    }
}
