//! The first reading: what a capture holds that must not be shown.
use super::container::Needs;
use super::originals::Originals;
use super::replace::{Attributes, Place, What};
use crate::capture::{Payload, Record};
use crate::packet::note::Note;
use crate::packet::visit::{Kind, Part, Visitor};
use crate::packet::{Event, Packet, mgmt};
use crate::report::aliases::spelling;

/// The name of a device in its GATT database.
const LONGEST_NAME: usize = 248;

/// Collects the originals of one capture.
#[derive(Debug)]
pub struct Survey<'o> {
    pub found: &'o mut Originals,
    pub needs: Needs,
    attributes: Attributes<'o>,
    /// The capture shows packets without their bytes.
    pub text: bool,
}

impl<'o> Survey<'o> {
    pub fn new(found: &'o mut Originals) -> Self {
        Self { found, needs: Needs::default(), attributes: Attributes::default(), text: false }
    }

    pub fn see(&mut self, record: &Record<'_>, event: &Event<'_>) {
        self.needs.see(record);
        self.text |= matches!(record.payload, Payload::Outline(_));
        if let Some(comment) = &record.comment {
            self.text(comment);
        }
        let place = self.attributes.see(event, None);
        let attribute = matches!(event.packet, Packet::Att { .. }).then_some(&place);
        let irks = matches!(
            &event.packet,
            Packet::Mgmt {
                pdu: mgmt::Pdu::Event(mgmt::Event::NewIdentityResolvingKey { .. })
                    | mgmt::Pdu::Command(mgmt::Command::LoadIdentityResolvingKeys { .. }),
                ..
            }
        );
        event.packet.visit(&mut Fields {
            found: self.found,
            attribute,
            irks,
            handle: None,
            uuid: None,
        });
        if let Packet::Note(note) = &event.packet {
            self.note(note);
        }
    }

    fn note(&mut self, note: &Note<'_>) {
        match note {
            Note::NewIndex { name, .. } if !is_numbered(name) => self.found.name(name.as_bytes()),
            Note::System { text }
            | Note::UserLogging { text, .. }
            | Note::PacketLogger { text, .. } => {
                self.text(text);
            }
            _ => {}
        }
    }

    /// Addresses in what programs wrote.
    pub fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(found) = spelling::next(rest, |bytes| self.found.has_address(&bytes)) {
            let mut reversed = found.bytes;
            reversed.reverse();
            if !self.found.has_address(&reversed) {
                self.found.address(found.bytes);
            }
            rest = &rest[found.at + found.length..];
        }
    }
}

struct Fields<'o> {
    found: &'o mut Originals,
    /// Of an ATT packet, whose values are attribute values.
    attribute: Option<&'o Place<'o>>,
    handle: Option<u16>,
    uuid: Option<u16>,
    /// The keys in it are identity resolving keys.
    irks: bool,
}

impl Visitor for Fields<'_> {
    fn part(&mut self, part: Part<'_>) {
        match part.kind {
            Kind::Address | Kind::OwnAddress => {
                if let Some(address) = part.address() {
                    self.found.address(address.0);
                }
            }
            Kind::Name => self.found.name(part.raw()),
            Kind::Secret if part.name == "return_parameters" => {}
            Kind::Secret => {
                self.found.key(part.raw());
                let named =
                    ["identity_resolving_key", "peer_irk", "local_irk"].contains(&part.name);
                if named || self.irks && part.name == "value" {
                    self.found.irk(part.raw());
                }
            }
            Kind::Attribute if part.name != "end_group_handle" => self.handle = number(part.raw()),
            Kind::Uuid => self.uuid = number(part.raw()),
            Kind::Value => {
                // What says how a server is built is kept, and shown in the report.
                let kept = |place: &Place<'_>| {
                    place.judge(self.handle, self.uuid, part.raw()) == What::Keep
                };
                if self.attribute.is_some_and(|place| !kept(place)) {
                    self.found.value(part.raw());
                }
            }
            _ => {}
        }
    }
}

fn number(bytes: &[u8]) -> Option<u16> {
    bytes.try_into().ok().map(u16::from_le_bytes)
}

/// `hci0` is the kernel's name for any adapter.
pub fn is_numbered(name: &str) -> bool {
    name.strip_prefix("hci").is_some_and(|number| number.parse::<u16>().is_ok())
}

/// A name that the timeline learned from an attribute.
pub fn learned_name(found: &mut Originals, name: &str) {
    if is_numbered(name) {
        return;
    }
    found.name(name.as_bytes().get(..LONGEST_NAME).unwrap_or(name.as_bytes()));
}
