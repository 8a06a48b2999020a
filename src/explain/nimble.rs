//! NimBLE's return codes: its own up to 30, others' with a base added.
use super::card::{Card, Namespace, number};

pub const NAMESPACE: Namespace = Namespace {
    id: "nimble",
    title: "NimBLE host return code",
    printed: "NimBLE prints them in decimal (`status=13`)",
    words: &["nimble", "ble_hs"],
    decimal: true,
    cards: CARDS,
    sources: &["NimBLE host/include/host/ble_hs.h"],
    ..Namespace::NONE
};

/// What NimBLE adds to the numbers of other namespaces: base, namespace, why.
pub const BASES: &[(u32, &str, &str)] = &[
    (0x100, "att", "NimBLE adds 0x100 (256) to ATT errors"),
    (0x200, "hci", "NimBLE adds 0x200 (512) to HCI codes"),
    (0x400, "smp", "NimBLE adds 0x400 (1024) to SMP reasons that it sends itself"),
    (0x500, "smp", "NimBLE adds 0x500 (1280) to SMP reasons that the other side sent"),
];

const CARDS: &[Card] = &[
    number(1, "BLE_HS_EAGAIN", "Not now: try again."),
    number(2, "BLE_HS_EALREADY", "That is under way already, or done."),
    number(3, "BLE_HS_EINVAL", "A parameter is not valid."),
    number(4, "BLE_HS_EMSGSIZE", "The buffer is too small."),
    number(5, "BLE_HS_ENOENT", "There is no such entry."),
    number(6, "BLE_HS_ENOMEM", "No memory, or no connection slot, was left.").rules(&["adapter-slots-exhausted"]),
    number(7, "BLE_HS_ENOTCONN", "There is no such link: it ended before the call."),
    number(8, "BLE_HS_ENOTSUP", "Not supported."),
    number(9, "BLE_HS_EAPP", "The application's callback refused."),
    number(10, "BLE_HS_EBADDATA", "The other side sent something malformed."),
    number(11, "BLE_HS_EOS", "The operating system failed."),
    number(12, "BLE_HS_ECONTROLLER", "The controller answered something that does not fit."),
    number(13, "BLE_HS_ETIMEOUT", "The host's own time ran out. No HCI code: HCI 0x0D is something else.")
        .likely("As `Connection failed; status=13`: the device was not heard advertising within the time given.")
        .rules(&["create-conn-timeout-cancel"]),
    number(14, "BLE_HS_EDONE", "The procedure is complete; in callbacks no failure."),
    number(15, "BLE_HS_EBUSY", "Another procedure is under way.").rules(&["inprogress-stale-connect"]),
    number(16, "BLE_HS_EREJECT", "The other side rejected it."),
    number(17, "BLE_HS_EUNKNOWN", "An error without a name."),
    number(18, "BLE_HS_EROLE", "Not in this role."),
    number(19, "BLE_HS_ETIMEOUT_HCI", "The controller did not answer a command in time.")
        .rules(&["command-timeout-0x2016-or-other"]),
    number(20, "BLE_HS_ENOMEM_EVT", "No memory was left for an event of the controller's."),
    number(21, "BLE_HS_ENOADDR", "The device has no address of the kind that was asked for."),
    number(22, "BLE_HS_ENOTSYNCED", "The host has not yet spoken with the controller: wait for the sync callback."),
    number(23, "BLE_HS_EAUTHEN", "Pairing is needed first."),
    number(24, "BLE_HS_EAUTHOR", "Authorization is needed first."),
    number(25, "BLE_HS_EENCRYPT", "Encryption is needed first."),
    number(26, "BLE_HS_EENCRYPT_KEY_SZ", "The key is too short."),
    number(27, "BLE_HS_ESTORE_CAP", "The store of bonds is full."),
    number(28, "BLE_HS_ESTORE_FAIL", "The store of bonds could not be written or read."),
    number(29, "BLE_HS_EPREEMPTED", "Something more urgent took its place."),
    number(30, "BLE_HS_EDISABLED", "The host is switched off."),
];
