//! How btmon prints the management interface.
use super::layout::Part::{self, Address, Bytes, Data, Device, N, Text};

const TYPES: Part = N(1, "Address type");
const STORE: Part = N(1, "Store hint");

/// By code; what is not here is told by its code alone.
#[rustfmt::skip]
pub(super) const COMMANDS: &[(u16, &[Part])] = &[
    (0x0005, &[N(1, "Powered")]),
    (0x0006, &[N(1, "Discoverable"), N(2, "Timeout")]),
    (0x0007, &[N(1, "Connectable")]),
    (0x0009, &[N(1, "Bondable")]),
    (0x000b, &[N(1, "Secure Simple Pairing|SSP")]),
    (0x000d, &[N(1, "Low Energy|Enabled")]),
    (0x000f, &[Text(249, "Name"), Text(11, "Short name")]),
    (0x0013, &[N(2, "Keys")]),
    (0x0014, &[Device]),
    (0x0018, &[N(1, "Capability")]),
    (0x0019, &[Device, N(1, "Capability")]),
    (0x001a, &[Device]),
    (0x001b, &[Device, N(1, "Disconnect")]),
    (0x001c, &[Device]),
    (0x001d, &[Device]),
    (0x001e, &[Device, N(4, "Passkey")]),
    (0x0023, &[TYPES]),
    (0x0024, &[TYPES]),
    (0x0025, &[Device, N(1, "Name known")]),
    (0x0026, &[Device]),
    (0x0027, &[Device]),
    (0x002d, &[N(1, "Secure Connections")]),
    (0x002f, &[N(1, "Privacy"), Bytes(16, "Key")]),
    (0x0030, &[N(2, "Keys")]),
    (0x0031, &[Device]),
    (0x0033, &[Device, N(1, "Action")]),
    (0x0034, &[Device]),
    (0x0035, &[N(2, "Parameters")]),
    (0x003a, &[TYPES, N(1, "RSSI"), N(2, "UUIDs")]),
];

#[rustfmt::skip]
pub(super) const EVENTS: &[(u16, &[Part])] = &[
    (0x0003, &[N(1, "Error")]),
    (0x0004, &[]),
    (0x0005, &[]),
    (0x0006, &[N(4, "Current settings")]),
    (0x0007, &[N(3, "Class")]),
    (0x0009, &[STORE, Device, N(1, "Key type"), Bytes(16, "Link key|Key"), N(1, "PIN length")]),
    (0x000a, &[
        STORE, Device, N(1, "Key type"), N(1, "Central|Master"), N(1, "Encryption size"), Bytes(2, "Diversifier"),
        Bytes(8, "Randomizer"), Bytes(16, "Key"),
    ]),
    (0x000b, &[Device, N(4, "Flags"), Data(2, 0)]),
    (0x000c, &[Device, N(1, "Reason")]),
    (0x000d, &[Device, N(1, "Status")]),
    (0x000e, &[Device, N(1, "Secure PIN|Secure")]),
    (0x000f, &[Device, N(1, "Confirm hint"), N(4, "Value")]),
    (0x0010, &[Device]),
    (0x0011, &[Device, N(1, "Status")]),
    (0x0012, &[Device, N(1, "RSSI"), N(4, "Flags"), Data(2, 0)]),
    (0x0013, &[TYPES, N(1, "Discovery")]),
    (0x0014, &[Device]),
    (0x0015, &[Device]),
    (0x0016, &[Device]),
    (0x0017, &[Device, N(4, "Passkey"), N(1, "Entered")]),
    (0x0018, &[STORE, Address("Random address"), Device, Bytes(16, "Key|Identity resolving key")]),
    (0x0019, &[STORE, Device, N(1, "Key type"), Bytes(16, "Key")]),
    (0x001a, &[Device, N(1, "Action")]),
    (0x001b, &[Device]),
    // Printed from the wrong offsets by all versions so far: in this order the bytes are right.
    (0x001c, &[
        STORE, Device, N(2, "Min connection interval"), N(2, "Max connection interval"), N(2, "Connection latency"),
        N(2, "Supervision timeout"),
    ]),
    (0x001d, &[]),
    (0x001e, &[]),
    (0x001f, &[N(4, "Missing options")]),
    (0x0020, &[N(1, "Type"), N(1, "Bus")]),
    (0x0021, &[N(1, "Type"), N(1, "Bus")]),
    (0x002a, &[Device, N(4, "Supported Flags"), N(4, "Current Flags")]),
    (0x002d, &[N(1, "Suspend state|State")]),
];
