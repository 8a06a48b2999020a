//! The words without which no report can be read. Also for the README.
use super::card::{Card, Namespace, word};

pub const NAMESPACE: Namespace = Namespace {
    id: "word",
    title: "Glossary",
    whole: true,
    cards: CARDS,
    sources: &["Bluetooth Core Specification"],
    ..Namespace::NONE
};

const CARDS: &[Card] = &[
    word("advertising", "advertising", "A device calls out on three radio channels that it is there. Only while it advertises can it be found and connected to; most devices stop as soon as somebody is connected.")
        .named(&["advertisement", "advertise", "adv"]),
    word("central-peripheral", "central and peripheral", "The central (phone, computer) asks for the connection; the peripheral (lamp, sensor) advertised and is asked.")
        .named(&["central", "peripheral", "master", "slave"]),
    word("connection-interval", "connection interval", "How often the two sides meet on a link: 7.5 ms to 4 s. Everything on a link takes some of these intervals; six of them without an answer at the start are 0x3E.")
        .named(&["interval"]),
    word("latency", "peripheral latency", "How many meetings in a row the device may sleep through while it has nothing to say.")
        .named(&["slave latency", "latency"]),
    word("supervision-timeout", "supervision timeout", "How long a link that was up may be silent before it counts as lost (0x08): 100 ms to 32 s; Linux takes 420 ms unless told otherwise.")
        .rules(&["supervision-timeout-0x08", "short-supervision-timeout-linux-420ms"]),
    word("gatt", "GATT", "How a device orders what it offers: services, which hold characteristics, which hold values. `Service discovery` reads that order.")
        .named(&["gatt", "service", "characteristic", "services"]),
    word("att", "ATT", "The protocol that carries GATT: read, write, notify, one request at a time, each answered within 30 s.")
        .named(&["attribute protocol"]),
    word("mtu", "MTU", "The largest ATT packet that both sides accept: 23 bytes until they agree on more. A value of a write or notification may be 3 bytes shorter.")
        .named(&["att mtu", "exchange mtu", "mtu exchange"])
        .rules(&["missing-mtu-exchange", "mtu-exchange-breaks-peer", "long-write-mtu-mismatch"]),
    word("handle", "handle", "A number in place of a name. An attribute handle is one row of the device's table; a connection handle is one link of the controller. Either can stand for something else next time.")
        .named(&["attribute handle", "connection handle"]),
    word("bonding", "bonding", "Pairing makes keys; bonding keeps them for the next time. If one side loses its half, the next connection fails until both have forgotten and paired anew.")
        .named(&["bond", "pairing", "ltk"])
        .rules(&["pin-or-key-missing-0x06"]),
    word("controller-host", "controller and host", "The controller is the radio chip with its firmware. The host is the software above it: BlueZ, Android, CoreBluetooth, noble. A capture is taken between the two.")
        .named(&["controller", "host"]),
    word("hci", "HCI", "The language between host and controller: commands down, events up, data both ways. A capture holds exactly this, and so nothing that only happened on the air.")
        .named(&["host controller interface"]),
    word("rssi", "RSSI", "How strong a packet arrived, in dBm: -50 is near, -70 is fair, below -90 much is lost.")
        .named(&["dbm", "signal strength"]),
    word("never-heard", "never heard", "The link was asked for and nothing ever came back on it: 0x3E. It is not the same as a link that was lost (0x08) or that the device ended (0x13).")
        .rules(&["never-heard-peer"]),
    word("private-address", "private address", "A random address that a device changes every few minutes, so that strangers cannot follow it. Only who is bonded with it can tell whose it is.")
        .named(&["rpa", "resolvable private address", "random address", "irk"])
        .rules(&["rpa-identity-mismatch", "peer-gone-or-moved"]),
    word("notification", "notification", "A value that the device sends by itself, after somebody has subscribed (written its CCCD). An indication is the same with a confirmation.")
        .named(&["indication", "cccd", "subscribe"])
        .rules(&["notifications-never-enabled"]),
];

/// The words and what they mean, for a page of documentation.
pub fn words() -> impl Iterator<Item = (&'static str, &'static str)> {
    CARDS.iter().map(|card| (card.title, card.says))
}
