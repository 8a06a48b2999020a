//! How btmon prints the parameters of HCI commands, and what controllers return.
use super::layout::Part::{
    self, Address, Bits, Bytes, Data, Each, First, Flags, Lead, N, PerPhy, Text, Within,
};

const HANDLE: Part = Lead(2, "Handle|Connection handle");
const REASON: Part = N(1, "Reason");
const ADDRESS: Part = Address("Address");
const ADDRESS_TYPE: Part = N(1, "Address type");
const LATENCY: Part =
    N(2, "Connection latency|Peripheral latency|Slave latency|Max latency|Latency");
const TIMEOUT: Part = N(2, "Supervision timeout");
const MIN_INTERVAL: Part = N(2, "Min connection interval");
const MAX_INTERVAL: Part = N(2, "Max connection interval");
const MIN_LENGTH: Part = N(2, "Min connection length");
const MAX_LENGTH: Part = N(2, "Max connection length");
const INITIATING: &[Part] = &[
    N(2, "Scan interval"),
    N(2, "Scan window"),
    MIN_INTERVAL,
    MAX_INTERVAL,
    LATENCY,
    TIMEOUT,
    MIN_LENGTH,
    MAX_LENGTH,
];
const OWN: Part = N(1, "Own address type");
const FILTER: Part = N(1, "Filter policy");

/// By opcode. Commands without parameters need no entry.
#[rustfmt::skip]
pub(super) const COMMANDS: &[(u16, &[Part])] = &[
    (0x0401, &[Bytes(3, "Access code"), N(1, "Length"), N(1, "Num responses")]),
    (0x0405, &[ADDRESS, N(2, "Packet type"), N(1, "Page scan repetition mode"), N(1, "Page scan mode"), N(2, "Clock offset"), N(1, "Role switch")]),
    (0x0406, &[HANDLE, REASON]),
    (0x0408, &[ADDRESS]),
    (0x0409, &[ADDRESS, N(1, "Role")]),
    (0x040a, &[ADDRESS, REASON]),
    (0x040b, &[ADDRESS, Bytes(16, "Link key")]),
    (0x040c, &[ADDRESS]),
    (0x040e, &[ADDRESS]),
    (0x0411, &[HANDLE]),
    (0x0413, &[HANDLE, N(1, "Encryption")]),
    (0x0419, &[ADDRESS, N(1, "Page scan repetition mode"), N(1, "Page scan mode"), N(2, "Clock offset")]),
    (0x041b, &[HANDLE]),
    (0x041c, &[HANDLE, N(1, "Page")]),
    (0x041d, &[HANDLE]),
    (0x041f, &[HANDLE]),
    (0x042b, &[ADDRESS, N(1, "IO capability"), N(1, "OOB data"), N(1, "Authentication")]),
    (0x042c, &[ADDRESS]),
    (0x042d, &[ADDRESS]),
    (0x042e, &[ADDRESS, N(4, "Passkey")]),
    (0x042f, &[ADDRESS]),
    (0x0434, &[ADDRESS, REASON]),
    (0x080b, &[ADDRESS, N(1, "Role")]),
    (0x080d, &[HANDLE, N(2, "Link policy")]),
    (0x0c01, &[N(8, "Mask")]),
    (0x0c13, &[Text(248, "Name")]),
    (0x0c63, &[N(8, "Mask")]),
    (0x0c7b, &[HANDLE]),
    (0x0c7c, &[HANDLE, N(2, "Timeout")]),
    (0x1004, &[N(1, "Page")]),
    (0x1405, &[HANDLE]),
    (0x1408, &[HANDLE]),
    (0x2001, &[N(8, "Mask")]),
    (0x2005, &[ADDRESS]),
    (0x2006, &[
        N(2, "Min advertising interval"), N(2, "Max advertising interval"), N(1, "Type"), OWN, N(1, "Direct address type"),
        Address("Direct address"), N(1, "Channel map"), FILTER,
    ]),
    (0x2008, &[Data(1, 31)]),
    (0x2009, &[Data(1, 31)]),
    (0x200a, &[N(1, "Advertising")]),
    (0x200b, &[N(1, "Type"), N(2, "Interval"), N(2, "Window"), OWN, FILTER]),
    (0x200c, &[N(1, "Scanning"), N(1, "Filter duplicates")]),
    (0x200d, &[
        N(2, "Scan interval"), N(2, "Scan window"), FILTER, N(1, "Peer address type"), Address("Peer address"), OWN,
        MIN_INTERVAL, MAX_INTERVAL, LATENCY, TIMEOUT, MIN_LENGTH, MAX_LENGTH,
    ]),
    (0x2011, &[ADDRESS_TYPE, ADDRESS]),
    (0x2012, &[ADDRESS_TYPE, ADDRESS]),
    (0x2013, &[HANDLE, MIN_INTERVAL, MAX_INTERVAL, LATENCY, TIMEOUT, MIN_LENGTH, MAX_LENGTH]),
    (0x2014, &[Bytes(5, "Channel map")]),
    (0x2015, &[HANDLE]),
    (0x2016, &[HANDLE]),
    (0x2017, &[Bytes(16, "Key"), Bytes(16, "Plaintext data")]),
    (0x2019, &[HANDLE, N(8, "Random number"), N(2, "Encrypted diversifier"), Bytes(16, "Long term key")]),
    (0x201a, &[HANDLE, Bytes(16, "Long term key")]),
    (0x201b, &[HANDLE]),
    (0x2020, &[HANDLE, MIN_INTERVAL, MAX_INTERVAL, LATENCY, TIMEOUT, MIN_LENGTH, MAX_LENGTH]),
    (0x2021, &[HANDLE, REASON]),
    (0x2022, &[HANDLE, N(2, "TX octets"), N(2, "TX time")]),
    (0x2024, &[N(2, "TX octets"), N(2, "TX time")]),
    (0x2027, &[ADDRESS_TYPE, ADDRESS, Bytes(16, "Peer identity resolving key"), Bytes(16, "Local identity resolving key")]),
    (0x2028, &[ADDRESS_TYPE, ADDRESS]),
    (0x202d, &[N(1, "Address resolution")]),
    (0x202e, &[N(2, "Timeout")]),
    (0x2030, &[HANDLE]),
    (0x2031, &[N(1, "All PHYs preference"), N(1, "TX PHYs preference"), N(1, "RX PHYs preference")]),
    (0x2032, &[
        HANDLE, N(1, "All PHYs preference"), N(1, "TX PHYs preference"), N(1, "RX PHYs preference"), N(2, "PHY options preference"),
    ]),
    (0x2035, &[N(1, "Advertising handle|Handle"), Address("Advertising random address|Random address|Address")]),
    (0x2036, &[
        N(1, "Handle"), N(2, "Properties"), N(3, "Min advertising interval"), N(3, "Max advertising interval"), N(1, "Channel map"),
        OWN, N(1, "Peer address type"), Address("Peer address"), FILTER, N(1, "TX power"), N(1, "Primary PHY"),
        N(1, "Secondary max skip"), N(1, "Secondary PHY"), N(1, "SID"), N(1, "Scan request notifications"),
    ]),
    (0x2037, &[N(1, "Handle"), N(1, "Operation"), N(1, "Fragment preference"), Data(1, 0)]),
    (0x2038, &[N(1, "Handle"), N(1, "Operation"), N(1, "Fragment preference"), Data(1, 0)]),
    (0x2039, &[
        N(1, "Extended advertising"),
        Each(1, "Number of sets", &[N(1, "Handle"), N(2, "Duration"), N(1, "Max ext adv events")]),
    ]),
    (0x203c, &[N(1, "Handle|Advertising handle")]),
    (0x2041, &[OWN, FILTER, PerPhy("PHYs", &[N(1, "Type"), N(2, "Interval"), N(2, "Window")])]),
    (0x2042, &[N(1, "Extended scan"), N(1, "Filter duplicates"), N(2, "Duration"), N(2, "Period")]),
    (0x2043, &[FILTER, OWN, N(1, "Peer address type"), Address("Peer address"), PerPhy("Initiating PHYs", INITIATING)]),
    (0x204e, &[N(1, "Peer identity address type"), Address("Peer identity address"), N(1, "Privacy mode")]),
    (0x206d, &[HANDLE]),
    (0x207d, &[N(2, "Subrate min"), N(2, "Subrate max"), N(2, "Max latency"), N(2, "Continuation number"), TIMEOUT]),
    (0x207e, &[HANDLE, N(2, "Subrate min"), N(2, "Subrate max"), N(2, "Max latency"), N(2, "Continuation number"), TIMEOUT]),
];

const STATUS: Part = N(1, "Status");

/// What follows the opcode in Command Complete; without an entry it is taken as a status.
#[rustfmt::skip]
pub(super) const RETURNS: &[(u16, &[Part])] = &[
    (0x0408, &[STATUS, ADDRESS]),
    (0x040b, &[STATUS, ADDRESS]),
    (0x040c, &[STATUS, ADDRESS]),
    (0x040d, &[STATUS, ADDRESS]),
    (0x040e, &[STATUS, ADDRESS]),
    (0x042b, &[STATUS, ADDRESS]),
    (0x042c, &[STATUS, ADDRESS]),
    (0x042d, &[STATUS, ADDRESS]),
    (0x042e, &[STATUS, ADDRESS]),
    (0x042f, &[STATUS, ADDRESS]),
    (0x0434, &[STATUS, ADDRESS]),
    (0x0c14, &[STATUS, Text(248, "Name")]),
    (0x0c7b, &[STATUS, HANDLE, N(2, "Timeout")]),
    (0x0c7c, &[STATUS, HANDLE]),
    (0x1001, &[
        STATUS, First(1, "HCI version"), N(2, "HCI version"), First(1, "LMP version"), N(2, "Manufacturer"), N(2, "LMP version"),
    ]),
    (0x1002, &[STATUS, Bits(64, "Commands")]),
    (0x1003, &[STATUS, Flags(8, "Features")]),
    (0x1004, &[STATUS, First(1, "Page"), Within(1, "Page", "/"), Flags(8, "Features")]),
    (0x1005, &[
        STATUS, N(2, "ACL MTU"), N(1, "SCO MTU"), Within(2, "ACL MTU", "ACL max packet"), Within(2, "SCO MTU", "SCO max packet"),
    ]),
    (0x1009, &[STATUS, ADDRESS]),
    (0x1405, &[STATUS, HANDLE, N(1, "RSSI")]),
    (0x1408, &[STATUS, HANDLE, N(1, "Key size")]),
    (0x2002, &[STATUS, N(2, "Data packet length|ACL MTU"), N(1, "Num data packets|ACL max packet")]),
    (0x2003, &[STATUS, Flags(8, "Features")]),
    (0x2007, &[STATUS, N(1, "TX power")]),
    (0x200f, &[STATUS, N(1, "Size")]),
    (0x2015, &[STATUS, HANDLE, Bytes(5, "Channel map")]),
    (0x2017, &[STATUS, Bytes(16, "Data|Encrypted data")]),
    (0x2018, &[STATUS, N(8, "Random number|Number")]),
    (0x201a, &[STATUS, HANDLE]),
    (0x201b, &[STATUS, HANDLE]),
    (0x201c, &[STATUS, N(8, "States")]),
    (0x2020, &[STATUS, HANDLE]),
    (0x2021, &[STATUS, HANDLE]),
    (0x2022, &[STATUS, HANDLE]),
    (0x2023, &[STATUS, N(2, "TX octets"), N(2, "TX time")]),
    (0x202a, &[STATUS, N(1, "Size")]),
    (0x202f, &[STATUS, N(2, "Max TX octets"), N(2, "Max TX time"), N(2, "Max RX octets"), N(2, "Max RX time")]),
    (0x2030, &[STATUS, HANDLE, N(1, "TX PHY"), N(1, "RX PHY")]),
    (0x2036, &[STATUS, N(1, "TX power (selected)|TX power")]),
    (0x203a, &[STATUS, N(2, "Max length|Max adv data length")]),
    (0x203b, &[STATUS, N(1, "Num supported adv sets")]),
    (0x204b, &[STATUS, N(1, "Min Tx power"), N(1, "Max Tx power")]),
    (0x2060, &[STATUS, N(2, "ACL MTU"), N(1, "ACL max packet"), N(2, "ISO MTU"), N(1, "ISO max packet")]),
];
