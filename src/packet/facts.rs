//! What every packet has in common: where it belongs, its code, its name, its outcome.
use super::att::{self, Handle};
use super::visit::{self, AddressKind, Addresses, Kind, Named, Rewriter, Visitor, VisitorMut};
use super::{Address, ConnHandle, Layer, Packet, air, hci};

impl Packet<'_> {
    /// The highest layer that was decoded, in the words of the event lines.
    pub fn layer(&self) -> &'static str {
        match self {
            Packet::Command(_) => "command",
            Packet::Event(_) => "event",
            Packet::Att { .. } => "att",
            Packet::Smp { .. } => "smp",
            Packet::Signal { .. } => "signal",
            Packet::L2cap { .. } => "l2cap",
            Packet::Fragment { .. } => "acl",
            Packet::Sco { .. } => "sco",
            Packet::Iso { .. } => "iso",
            Packet::Mgmt { .. } => "mgmt",
            Packet::Note(_) => "note",
            Packet::Air(air::Pdu::Advertising(_) | air::Pdu::Auxiliary(..)) => "advertising",
            Packet::Air(_) => "link",
            Packet::Opaque { layer: Layer::Vendor | Layer::ChipLog, .. } => "vendor",
            Packet::Opaque { .. } => "opaque",
        }
    }

    /// The number that the layer tells its packets apart by.
    pub fn code(&self) -> Option<u32> {
        Some(match self {
            Packet::Command(command) => command.code().into(),
            Packet::Event(event) => event.code().into(),
            Packet::Att { pdu, .. } => pdu.code().into(),
            Packet::Smp { pdu, .. } => pdu.code().into(),
            Packet::Signal { pdu, .. } => pdu.code().into(),
            Packet::Mgmt { pdu, .. } => pdu.code().into(),
            Packet::Note(note) => note.code().into(),
            Packet::Air(pdu) => return pdu.code().map(u32::from),
            Packet::Opaque { code, .. } => *code,
            Packet::L2cap { .. }
            | Packet::Fragment { .. }
            | Packet::Sco { .. }
            | Packet::Iso { .. } => return None,
        })
    }

    /// LE Meta's subevent; for management 0 is a command and 1 an event.
    pub fn subcode(&self) -> Option<u8> {
        match self {
            Packet::Event(event) => event.subevent(),
            Packet::Mgmt { pdu, .. } => Some(pdu.is_event().into()),
            _ => None,
        }
    }

    /// The specification's name.
    pub fn name(&self) -> &'static str {
        match self {
            Packet::Command(command) => match command.opcode() {
                opcode if opcode.0 >> 10 == 0x3f => "Vendor Command",
                opcode => opcode.name().unwrap_or("Unknown Command"),
            },
            Packet::Event(event) => event_name(event),
            Packet::Att { pdu, .. } => pdu.name().unwrap_or("Unknown ATT PDU"),
            Packet::Smp { pdu, .. } => pdu.name().unwrap_or("Unknown SMP PDU"),
            Packet::Signal { pdu, .. } => pdu.name().unwrap_or("Unknown Signalling Command"),
            Packet::L2cap { .. } => "L2CAP Frame",
            Packet::Fragment { .. } => "ACL Fragment",
            Packet::Sco { .. } => "SCO Data",
            Packet::Iso { .. } => "ISO Data",
            Packet::Mgmt { pdu, .. } if pdu.is_event() => {
                pdu.name().unwrap_or("Unknown Management Event")
            }
            Packet::Mgmt { pdu, .. } => pdu.name().unwrap_or("Unknown Management Command"),
            Packet::Note(note) => note.name(),
            Packet::Air(pdu) => pdu.name(),
            Packet::Opaque { layer: Layer::Vendor, .. } => "Vendor Packet",
            Packet::Opaque { layer: Layer::ChipLog, .. } => "Vendor Log",
            Packet::Opaque { layer: Layer::Foreign, .. } => "Foreign Packet",
            Packet::Opaque { .. } => "Unknown Packet",
        }
    }

    /// The link that the packet belongs to or is about.
    pub fn handle(&self) -> Option<ConnHandle> {
        match self {
            Packet::Command(command) => command.connection_handle(),
            Packet::Event(hci::Event::NumberOfCompletedPackets { handles }) => {
                let mut handles = handles.iter();
                handles.next().filter(|_| handles.next().is_none()).map(|(handle, _)| handle)
            }
            Packet::Event(event) => event.connection_handle(),
            Packet::Att { handle, .. }
            | Packet::Smp { handle, .. }
            | Packet::Signal { handle, .. }
            | Packet::L2cap { handle, .. }
            | Packet::Fragment { handle, .. }
            | Packet::Sco { handle, .. }
            | Packet::Iso { handle, .. } => Some(*handle),
            Packet::Opaque { layer: Layer::ChipLog, code, .. } => {
                u16::try_from(*code).ok().map(ConnHandle)
            }
            Packet::Mgmt { .. } | Packet::Note(_) | Packet::Air(_) | Packet::Opaque { .. } => None,
        }
    }

    /// The L2CAP channel.
    pub fn cid(&self) -> Option<u16> {
        match self {
            Packet::Att { cid, .. }
            | Packet::Smp { cid, .. }
            | Packet::Signal { cid, .. }
            | Packet::L2cap { cid, .. } => Some(*cid),
            _ => None,
        }
    }

    /// The status that the packet carries; 0 is success.
    pub fn status(&self) -> Option<u8> {
        match self {
            Packet::Event(event) => event.status().map(|status| status.0),
            Packet::Mgmt { pdu, .. } => pdu.status().map(|status| status.0),
            _ => None,
        }
    }

    /// Disconnect reason, ATT error, SMP failure reason or signalling result.
    pub fn reason(&self) -> Option<u16> {
        let reason = match self {
            Packet::Command(command) => command.first(Kind::Reason),
            Packet::Event(event) => event.first(Kind::Reason),
            Packet::Att { pdu, .. } => pdu.first(Kind::Reason),
            Packet::Smp { pdu, .. } => pdu.first(Kind::Reason),
            Packet::Signal { pdu, .. } => pdu.first(Kind::Reason),
            Packet::Mgmt { pdu, .. } => pdu.reason().map(i64::from),
            Packet::Air(air::Pdu::Control(pdu)) => pdu.first(Kind::Reason),
            _ => None,
        };
        reason.and_then(|reason| u16::try_from(reason).ok())
    }

    /// Shows every field of the packet's parameters to the visitor, in wire order. The headers of
    /// the layers below it are not among them.
    pub fn visit(&self, visitor: &mut dyn Visitor) {
        match self {
            Packet::Command(pdu) => pdu.visit(visitor),
            Packet::Event(pdu) => pdu.visit_whole(visitor),
            Packet::Att { pdu, .. } => pdu.visit(visitor),
            Packet::Smp { pdu, .. } => pdu.visit(visitor),
            Packet::Signal { pdu, .. } => pdu.visit(visitor),
            Packet::Mgmt { pdu, .. } => pdu.visit(visitor),
            Packet::L2cap { payload, .. } => visit::opaque("payload", payload, visitor),
            Packet::Note(note) => note.visit(visitor),
            Packet::Air(air::Pdu::Advertising(pdu) | air::Pdu::Auxiliary(_, pdu)) => {
                pdu.visit(visitor)
            }
            Packet::Air(air::Pdu::Control(pdu)) => pdu.visit(visitor),
            Packet::Fragment { .. }
            | Packet::Sco { .. }
            | Packet::Iso { .. }
            | Packet::Air(_)
            | Packet::Opaque { .. } => {}
        }
    }

    /// Hands out every address that the packet carries, in wire order, with what the packet says of it.
    pub fn addresses(&self, see: &mut dyn FnMut(Named)) {
        let mut addresses = Addresses::new(see);
        self.visit(&mut addresses);
        addresses.close();
    }

    /// Writes the packet's parameters, each field as the visitor leaves it. False where they have no
    /// table: nothing is written then.
    pub fn visit_mut<V: VisitorMut + ?Sized>(&self, visitor: &mut V, out: &mut Vec<u8>) -> bool {
        let tabled = matches!(
            self,
            Packet::Command(_)
                | Packet::Event(_)
                | Packet::Att { .. }
                | Packet::Smp { .. }
                | Packet::Signal { .. }
                | Packet::Mgmt { .. }
                | Packet::Air(
                    air::Pdu::Advertising(_) | air::Pdu::Auxiliary(..) | air::Pdu::Control(_)
                )
        );
        if tabled {
            self.visit(&mut Rewriter { out, visitor });
        }
        tabled
    }

    /// The device that the packet names, where it names one: not one of several in a list.
    pub fn peer(&self) -> Option<Address> {
        // Either side sends its identity: the address does not say whose it is.
        if matches!(self, Packet::Smp { .. }) {
            return None;
        }
        let (mut peer, mut entries) = (None::<Named>, 0);
        self.addresses(&mut |named| {
            entries = entries.max(named.item.unwrap_or(1));
            // An address with a type goes before the private one that stands beside it without.
            let better = peer.is_none_or(|peer| {
                peer.of == AddressKind::Untold && named.of != AddressKind::Untold
            });
            if !named.own && better {
                peer = Some(named);
            }
        });
        peer.filter(|_| entries == 1).map(|named| named.address)
    }

    /// Whether the packet names this device, perhaps among others.
    pub fn names(&self, address: Address) -> bool {
        let mut found = false;
        self.addresses(&mut |named| found |= named.address == address);
        found
    }

    /// The attribute value that the packet carries, or a part of it.
    pub fn attribute_value(&self) -> Option<&[u8]> {
        let Packet::Att { pdu, .. } = self else { return None };
        match *pdu {
            att::Pdu::ReadResponse { attribute_value: value }
            | att::Pdu::ReadBlobResponse { part_attribute_value: value }
            | att::Pdu::WriteRequest { attribute_value: value, .. }
            | att::Pdu::WriteCommand { attribute_value: value, .. }
            | att::Pdu::PrepareWriteRequest { part_attribute_value: value, .. }
            | att::Pdu::HandleValueNotification { attribute_value: value, .. }
            | att::Pdu::HandleValueIndication { attribute_value: value, .. } => Some(value),
            att::Pdu::SignedWriteCommand { ref attribute_value, .. } => Some(attribute_value.value),
            _ => None,
        }
    }

    /// The attribute that the packet names.
    pub fn attribute_handle(&self) -> Option<Handle> {
        match self {
            Packet::Att { pdu, .. } => pdu.attribute_handle(),
            _ => None,
        }
    }
}

fn event_name(event: &hci::Event<'_>) -> &'static str {
    match event {
        hci::Event::Le { event } => event
            .name()
            .or_else(|| hci::names::subevent(event.code()))
            .unwrap_or("Unknown LE Meta Event"),
        _ => event.name().or_else(|| hci::names::event(event.code())).unwrap_or("Unknown Event"),
    }
}

#[cfg(test)]
mod tests;
