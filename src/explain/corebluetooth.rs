//! CoreBluetooth on macOS and iOS: CBErrorDomain, and its sentences.
use super::card::{Card, Namespace, number, word};
use crate::packet::Status;

pub const NAMESPACE: Namespace = Namespace {
    id: "corebluetooth",
    title: "CoreBluetooth error (CBErrorDomain)",
    printed: "macOS and iOS print them as `Error Domain=CBErrorDomain Code=6`",
    words: &["cberrordomain", "cberror", "corebluetooth"],
    decimal: true,
    cards: CARDS,
    sources: &[
        "Apple CoreBluetooth/CBError.h; which HCI code stands behind each is not documented, and inferred here",
    ],
    ..Namespace::NONE
};

const CARDS: &[Card] = &[
    number(0, "CBErrorUnknown", "Apple gives no cause.").named(&["unknown error. code=0"]),
    number(1, "CBErrorInvalidParameters", "A parameter of the call is wrong."),
    number(2, "CBErrorInvalidHandle", "The attribute's handle is not valid (any more): discover again.")
        .rules(&["gatt-cache-stale"]),
    number(3, "CBErrorNotConnected", "There is no link: it ended before the call.")
        .named(&["the device is not connected"]),
    number(4, "CBErrorOutOfSpace", "No room was left."),
    number(5, "CBErrorOperationCancelled", "The program or the system cancelled it."),
    number(6, "CBErrorConnectionTimeout", "The link or the attempt ran out of time: nothing was received any more.")
        .named(&["the connection has timed out unexpectedly"])
        .likely("The link was lost: HCI 0x08. While connecting it can be 0x3E.")
        .decides("A PacketLogger capture: the reason in Disconnection Complete.")
        .codes(&[Status::CONNECTION_TIMEOUT, Status::FAILED_TO_BE_ESTABLISHED])
        .rules(&["supervision-timeout-0x08"]),
    number(7, "CBErrorPeripheralDisconnected", "The device hung up.")
        .named(&["has disconnected from us", "the specified device has disconnected from us"])
        .codes(&[Status::REMOTE_USER_TERMINATED])
        .rules(&["remote-user-terminated-idle", "immediate-0x13-after-first-att"]),
    number(8, "CBErrorUUIDNotAllowed", "The system does not let programs use this UUID."),
    number(9, "CBErrorAlreadyAdvertising", "Advertising is on already."),
    number(10, "CBErrorConnectionFailed", "The connection could not be made; Apple gives no cause.")
        .named(&["the connection has failed unexpectedly"])
        .likely("The device was never heard after the connect request: HCI 0x3E.")
        .decides("A PacketLogger capture: the reason in Disconnection Complete.")
        .codes(&[Status::FAILED_TO_BE_ESTABLISHED])
        .rules(&["never-heard-peer"]),
    number(11, "CBErrorConnectionLimitReached", "No more links are possible on this Mac or phone.")
        .codes(&[Status::CONNECTION_LIMIT_EXCEEDED])
        .rules(&["adapter-slots-exhausted"]),
    number(12, "CBErrorUnknownDevice", "The system does not know the device: scan again.")
        .named(&["cberrorunkowndevice"]),
    number(13, "CBErrorOperationNotSupported", "Not supported here."),
    number(
        14,
        "CBErrorPeerRemovedPairingInformation",
        "The device has no key for this Mac or phone any more: its side of the bond was deleted. Forget the device in the Bluetooth settings and pair again.",
    )
    .named(&["peer removed pairing information"])
    .codes(&[Status::PIN_OR_KEY_MISSING])
    .rules(&["pin-or-key-missing-0x06"]),
    number(15, "CBErrorEncryptionTimedOut", "Encryption was not finished in time.")
        .named(&["failed to encrypt the connection, the connection has timed out unexpectedly"])
        .rules(&["link-died-during-encryption"]),
    number(16, "CBErrorTooManyLEPairedDevices", "The system has no room for another pairing: forget some."),
    number(
        17,
        "CBErrorLeGattExceededBackgroundNotificationLimit",
        "The device sent too many notifications to a program in the background.",
    ),
    number(
        18,
        "CBErrorLeGattNearBackgroundNotificationLimit",
        "The device is about to send too many notifications to a program in the background.",
    ),
    word("domain", "CBErrorDomain", "Apple's errors of the connection itself; the number behind `Code=` says which (0 to 18).").carries(),
    word("att-domain", "CBATTErrorDomain", "An ATT error: the device answered, and refused. The number behind `Code=` is ATT's.").carries(),
];
