//! How btmon prints HCI events and LE Meta subevents.
use super::layout::Part::{self, Address, Bytes, Each, First, Flags, Lead, N, Soft, Text};

const STATUS: Part = N(1, "Status");
const HANDLE: Part = Lead(2, "Handle|Connection handle");
const ADDRESS: Part = Address("Address");
const INTERVAL: Part = N(2, "Connection interval");
const LATENCY: Part = N(2, "Connection latency|Peripheral latency|Slave latency");
const TIMEOUT: Part = N(2, "Supervision timeout");
const ROLE: Part = N(1, "Role");
const PEER_TYPE: Part = N(1, "Peer address type");
const PEER: Part = Address("Peer address");

/// Lines of a connection event that a paste may lack: the connection is known without them.
const SOFT_INTERVAL: Part = Soft(2, "Connection interval");
const SOFT_LATENCY: Part = Soft(2, "Connection latency|Peripheral latency|Slave latency");
const SOFT_TIMEOUT: Part = Soft(2, "Supervision timeout");
const ACCURACY: Part = Soft(1, "Central clock accuracy|Master clock accuracy");
const LOCAL_RPA: Part = Address("Local resolvable private address");
const PEER_RPA: Part = Address("Peer resolvable private address");

/// By event code. Command Complete and Command Status, and what nests, are read by hand.
#[rustfmt::skip]
pub(super) const EVENTS: &[(u8, &[Part])] = &[
    (0x01, &[STATUS]),
    (0x03, &[STATUS, HANDLE, ADDRESS, N(1, "Link type"), N(1, "Encryption")]),
    (0x04, &[ADDRESS, N(3, "Class"), N(1, "Link type")]),
    (0x05, &[STATUS, HANDLE, N(1, "Reason")]),
    (0x06, &[STATUS, HANDLE]),
    (0x07, &[STATUS, ADDRESS, Text(248, "Name")]),
    (0x08, &[STATUS, HANDLE, N(1, "Encryption")]),
    (0x09, &[STATUS, HANDLE]),
    (0x0b, &[STATUS, HANDLE, Flags(8, "Features")]),
    (0x0c, &[STATUS, HANDLE, First(1, "LMP version"), N(2, "Manufacturer"), N(2, "LMP version")]),
    (0x10, &[N(1, "Code")]),
    (0x11, &[HANDLE]),
    (0x12, &[STATUS, ADDRESS, N(1, "Role")]),
    (0x13, &[Each(1, "Num handles", &[HANDLE, N(2, "Count")])]),
    (0x14, &[STATUS, HANDLE, N(1, "Mode"), N(2, "Interval")]),
    (0x16, &[ADDRESS]),
    (0x17, &[ADDRESS]),
    (0x18, &[ADDRESS, Bytes(16, "Link key"), N(1, "Key type")]),
    (0x1a, &[N(1, "Link type")]),
    (0x1b, &[HANDLE, N(1, "Max slots")]),
    (0x1c, &[STATUS, HANDLE, N(2, "Clock offset")]),
    (0x1d, &[STATUS, HANDLE, N(2, "Packet type")]),
    (0x1e, &[HANDLE]),
    (0x23, &[STATUS, HANDLE, First(1, "Page"), Part::Within(1, "Page", "/"), Flags(8, "Features")]),
    (0x2c, &[
        STATUS, HANDLE, ADDRESS, N(1, "Link type"), N(1, "Transmission interval"), N(1, "Retransmission window"),
        N(2, "RX packet length"), N(2, "TX packet length"), N(1, "Air mode"),
    ]),
    (0x30, &[STATUS, HANDLE]),
    (0x31, &[ADDRESS]),
    (0x32, &[ADDRESS, N(1, "IO capability"), N(1, "OOB data"), N(1, "Authentication")]),
    (0x33, &[ADDRESS, N(4, "Passkey")]),
    (0x34, &[ADDRESS]),
    (0x36, &[STATUS, ADDRESS]),
    (0x38, &[HANDLE, N(2, "Timeout")]),
    (0x39, &[HANDLE]),
    (0x3b, &[ADDRESS, N(4, "Passkey")]),
    (0x57, &[HANDLE]),
    (0x59, &[STATUS, HANDLE, N(1, "Encryption"), N(1, "Key size|Encryption key size")]),
];

/// By subevent; advertising reports are read by hand.
#[rustfmt::skip]
pub(super) const LE: &[(u8, &[Part])] = &[
    (0x01, &[STATUS, HANDLE, ROLE, PEER_TYPE, PEER, SOFT_INTERVAL, SOFT_LATENCY, SOFT_TIMEOUT, ACCURACY]),
    (0x03, &[STATUS, HANDLE, INTERVAL, LATENCY, TIMEOUT]),
    (0x04, &[STATUS, HANDLE, Flags(8, "Features")]),
    (0x05, &[HANDLE, N(8, "Random number"), N(2, "Encrypted diversifier")]),
    (0x06, &[HANDLE, N(2, "Min connection interval"), N(2, "Max connection interval"), LATENCY, TIMEOUT]),
    (0x07, &[HANDLE, N(2, "Max TX octets"), N(2, "Max TX time"), N(2, "Max RX octets"), N(2, "Max RX time")]),
    (0x0a, &[
        STATUS, HANDLE, ROLE, PEER_TYPE, PEER, LOCAL_RPA, PEER_RPA, SOFT_INTERVAL, SOFT_LATENCY, SOFT_TIMEOUT, ACCURACY,
    ]),
    (0x0c, &[STATUS, HANDLE, N(1, "TX PHY"), N(1, "RX PHY")]),
    (0x10, &[N(2, "Sync handle")]),
    (0x11, &[]),
    (0x12, &[
        STATUS, N(1, "Handle|Advertising handle"), N(2, "Connection handle"),
        N(1, "Number of completed extended advertising events|Number of completed ext adv events"),
    ]),
    (0x13, &[N(1, "Handle|Advertising handle"), N(1, "Scanner address type"), Address("Scanner address")]),
    (0x14, &[HANDLE, N(1, "Algorithm")]),
    (0x19, &[
        STATUS, N(2, "Connection Handle"), N(3, "CIG Synchronization Delay"), N(3, "CIS Synchronization Delay"),
        N(3, "Central to Peripheral Latency|Master to Slave Latency"), N(3, "Peripheral to Central Latency|Slave to Master Latency"),
        N(1, "Central to Peripheral PHY|Master to Slave PHY"), N(1, "Peripheral to Central PHY|Slave to Master PHY"), N(1, "Number of Subevents"),
        N(1, "Central to Peripheral Burst Number|Master to Slave Burst Number"), N(1, "Peripheral to Central Burst Number|Slave to Master Burst Number"),
        N(1, "Central to Peripheral Flush Timeout|Master to Slave Flush Timeout"), N(1, "Peripheral to Central Flush Timeout|Slave to Master Flush Timeout"),
        N(2, "Central to Peripheral MTU|Master to Slave MTU"), N(2, "Peripheral to Central MTU|Slave to Master MTU"), N(2, "ISO Interval"),
    ]),
    (0x1a, &[N(2, "ACL Handle"), N(2, "CIS Handle"), N(1, "CIG ID"), N(1, "CIS ID")]),
    (0x1f, &[STATUS, HANDLE, N(1, "Peer clock accuracy|SCA")]),
    (0x23, &[STATUS, HANDLE, N(2, "Subrate factor"), LATENCY, N(2, "Continuation number"), TIMEOUT]),
    (0x29, &[
        STATUS, HANDLE, ROLE, PEER_TYPE, PEER, LOCAL_RPA, PEER_RPA, SOFT_INTERVAL, SOFT_LATENCY, SOFT_TIMEOUT, ACCURACY,
        N(1, "Advertising handle"), N(2, "Sync handle"),
    ]),
];
