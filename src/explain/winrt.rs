//! Windows: WinRT's statuses, and how programs print them.
use super::card::{Card, Namespace, number, word};

pub const NAMESPACE: Namespace = Namespace {
    id: "winrt",
    title: "Windows (WinRT) GATT status",
    printed: "Windows' GattCommunicationStatus",
    words: &["winrt", "gattcommunicationstatus", "windows"],
    decimal: true,
    everyday: true,
    cards: CARDS,
    sources: &[
        "Windows.Devices.Bluetooth.GenericAttributeProfile.GattCommunicationStatus",
        "bleak bleak/backends/winrt",
    ],
    ..Namespace::NONE
};

const CARDS: &[Card] = &[
    number(0, "GattCommunicationStatus.Success", "It worked."),
    number(
        1,
        "GattCommunicationStatus.Unreachable",
        "Windows could not speak with the device at that moment: no link, or no answer. It does not say which.",
    )
    .named(&["unreachable", "gattcommunicationstatus.unreachable", "could not get gatt services: unreachable", "device unreachable"])
    .likely("The device was out of range, asleep, or connected to somebody else; or the link ended during the call. Windows connects only when the first GATT call is made, so the first call carries the failure.")
    .decides("A capture of this Windows host: was there a connection, and how did it end?")
    .rules(&["never-heard-peer", "create-conn-timeout-cancel", "supervision-timeout-0x08"]),
    number(2, "GattCommunicationStatus.ProtocolError", "The device answered with an ATT error; its number stands beside it.")
        .named(&["protocol error 0x"]),
    number(
        3,
        "GattCommunicationStatus.AccessDenied",
        "Windows itself refused: the program may not use this service or device. Nothing was sent.",
    )
    .named(&["accessdenied", "access denied", "could not get gatt services: access denied"])
    .likely("Another program or Windows holds the service (HID, for example), or the program lacks the Bluetooth permission.")
    .decides("On Linux the same words come from the D-Bus bus: org.freedesktop.DBus.Error.AccessDenied."),
    word(
        "object-closed",
        "The object has been closed",
        "Windows dropped the device or its services, as a rule because the link ended. The cause lies before this text.",
    )
    .named(&["0x80000013", "-2147483629"]),
    word("semaphore-timeout", "The semaphore timeout period has expired", "Windows gave up waiting for the device.")
        .named(&["0x80070079", "-2147024775"]),
];
