//! Android's GATT statuses that are none of HCI's.
use super::card::{Card, Namespace, number, word};
use crate::packet::Status;

pub const NAMESPACE: Namespace = Namespace {
    id: "android",
    title: "Android GATT status",
    printed: "Android's BluetoothGatt prints them in decimal (`status=133`)",
    words: &[
        "android",
        "bluetoothgatt",
        "onclientconnectionstate",
        "onconnectionstatechange",
        "gatt status",
    ],
    decimal: true,
    cards: CARDS,
    sources: &[
        "Android stack/include/gatt_api.h (tGATT_STATUS)",
        "android.bluetooth.BluetoothGatt",
    ],
    ..Namespace::NONE
};

const CARDS: &[Card] = &[
    number(128, "GATT_NO_RESOURCES", "The phone's stack has no room left: close unused BluetoothGatt objects."),
    number(129, "GATT_INTERNAL_ERROR", "An error inside the phone's stack."),
    number(130, "GATT_WRONG_STATE", "The call does not fit the state of the connection."),
    number(131, "GATT_DB_FULL", "The phone's server database is full."),
    number(132, "GATT_BUSY", "Another operation is still running: one at a time."),
    number(
        133,
        "GATT_ERROR",
        "Android's generic error: it names no cause.",
    )
    .named(&["status 133", "status=133", "error 133", "gatt error 133"])
    .likely("While connecting: 0x3E on many phones, a direct connect that ran into its 30 s, or too many open BluetoothGatt objects. Try again after close().")
    .decides("The HCI snoop log: Disconnection Complete 0x3E, or LE Create Connection Cancel after 30 s.")
    .codes(&[Status::FAILED_TO_BE_ESTABLISHED, Status::UNKNOWN_CONNECTION_IDENTIFIER])
    .rules(&["never-heard-peer", "create-conn-timeout-cancel"]),
    number(134, "GATT_CMD_STARTED", "The command was started; no failure."),
    number(135, "GATT_ILLEGAL_PARAMETER", "A parameter of the call is wrong."),
    number(136, "GATT_PENDING", "The operation waits for another one."),
    number(137, "GATT_AUTH_FAIL", "Pairing or encryption failed: the bond is often lost on one side.")
        .codes(&[Status::AUTHENTICATION_FAILURE, Status::PIN_OR_KEY_MISSING])
        .rules(&["pin-or-key-missing-0x06"]),
    number(138, "GATT_MORE", "More data follow; no failure."),
    number(139, "GATT_INVALID_CFG", "The configuration is not valid."),
    number(140, "GATT_SERVICE_STARTED", "The service was started; no failure."),
    number(141, "GATT_ENCRYPTED_NO_MITM", "The link is encrypted without protection against a third party."),
    number(142, "GATT_NOT_ENCRYPTED", "The link is not encrypted."),
    number(143, "GATT_CONGESTED", "Too much was written too fast: wait for the callback.")
        .named(&["gatt_connection_congested"])
        .rules(&["write-command-flood"]),
    number(147, "GATT_CONNECTION_TIMEOUT", "The connection attempt ran into Android's own limit.")
        .rules(&["create-conn-timeout-cancel"]),
    number(
        257,
        "GATT_FAILURE",
        "Android's public constant for `the operation failed`, with no cause: 0x101 is none of HCI's numbers.",
    )
    .likely("The link was gone or busy when the call was made.")
    .decides("The status of the next onConnectionStateChange, or the HCI snoop log."),
    word(
        "status-0",
        "onConnectionStateChange status=0",
        "0 is success: with newState=2 connected, with newState=0 an orderly disconnect of this phone's own.",
    )
    .named(&["onclientconnectionstate() - status=0"]),
    word(
        "l2c-failure",
        "GATT_CONN_L2C_FAILURE",
        "Android and ESP-IDF, reason 1: the L2CAP channel could not be had. No HCI code.",
    ),
];
