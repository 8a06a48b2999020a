//! ESP-IDF and ESPHome: texts of an ESP32's radio, which no capture of another host can hold.
use super::card::{Card, Namespace, number, word};
use crate::packet::Status;

pub const NAMESPACE: Namespace = Namespace {
    id: "esp",
    title: "ESP-IDF or ESPHome (an ESP32's radio)",
    printed: "ESP-IDF's `rsn` and `reason` above 0xFF are its own",
    words: &[
        "esp",
        "esp_gatt",
        "esp-idf",
        "esphome",
        "bt_appl",
        "bta_gattc_conn_cback",
        "connection state changed to connected",
        "gattc_conn_cb",
        "esp32_ble_client",
    ],
    cards: CARDS,
    sources: &[
        "ESP-IDF esp_gatt_defs.h (esp_gatt_conn_reason_t)",
        "bleak-esphome and aioesphomeapi error names",
    ],
    ..Namespace::NONE
};

const PROXY: &str = "Home Assistant prints this name when the attempt went over an ESPHome Bluetooth proxy: this is the proxy's radio, not this host's adapter. No capture of this host can hold the attempt; a manual test on the host used another radio.";

/// Names that Home Assistant prints: the proxy's radio.
const fn proxy(number_: u32, title: &'static str, says: &'static str) -> Card {
    number(number_, title, says).likely(PROXY)
}

const CARDS: &[Card] = &[
    proxy(0, "ESP_GATT_CONN_UNKNOWN", "ESP-IDF, reason 0: no cause is known."),
    proxy(1, "ESP_GATT_CONN_L2C_FAILURE", "ESP-IDF, reason 1: the L2CAP channel could not be had."),
    proxy(0x08, "ESP_GATT_CONN_TIMEOUT", "ESP-IDF, HCI 0x08: the link was lost for want of packets.")
        .codes(&[Status::CONNECTION_TIMEOUT])
        .rules(&["attempt-not-in-this-capture", "supervision-timeout-0x08"]),
    proxy(0x13, "ESP_GATT_CONN_TERMINATE_PEER_USER", "ESP-IDF, HCI 0x13: the device hung up.")
        .codes(&[Status::REMOTE_USER_TERMINATED])
        .rules(&["attempt-not-in-this-capture", "remote-user-terminated-idle"]),
    proxy(0x16, "ESP_GATT_CONN_TERMINATE_LOCAL_HOST", "ESP-IDF, HCI 0x16: the ESP32 itself hung up, as a rule because Home Assistant asked for it.")
        .codes(&[Status::LOCAL_HOST_TERMINATED])
        .rules(&["attempt-not-in-this-capture"]),
    proxy(0x22, "ESP_GATT_CONN_LMP_TIMEOUT", "ESP-IDF, HCI 0x22: a link-layer procedure was not finished.")
        .codes(&[Status::LL_RESPONSE_TIMEOUT])
        .rules(&["attempt-not-in-this-capture", "ll-response-timeout-40s"]),
    proxy(0x3e, "ESP_GATT_CONN_FAIL_ESTABLISH", "ESP-IDF, HCI 0x3E: the ESP32 created a link and heard nothing from the device on it.")
        .named(&["conn_fail_establish"])
        .codes(&[Status::FAILED_TO_BE_ESTABLISHED])
        .rules(&["attempt-not-in-this-capture", "never-heard-peer"]),
    proxy(0x85, "ESP_GATT_ERROR", "ESP-IDF, 0x85 (133): generic. 0x3E or a cancelled attempt; look at the `reason` line beside it.")
        .named(&["connection open error, status=133", "esp_gattc_open_evt in disconnecting state"])
        .codes(&[Status::FAILED_TO_BE_ESTABLISHED])
        .rules(&["attempt-not-in-this-capture"]),
    proxy(0x100, "ESP_GATT_CONN_CONN_CANCEL", "ESP-IDF, 0x100 (256): the connect was cancelled on the ESP32 before a link came up. It is none of HCI's codes.")
        .named(&["conn_cancel"])
        .codes(&[Status::LIMITED_RESOURCES])
        .decides("On proxies as a rule no slot was free, or the time was over: the proxy's own log, `slots` in Home Assistant's.")
        .rules(&["attempt-not-in-this-capture", "adapter-slots-exhausted"]),
    proxy(0x101, "ESP_GATT_CONN_NONE", "ESP-IDF, 0x101 (257): there was no connection to cancel.")
        .rules(&["attempt-not-in-this-capture"]),
    word("disconnect-event", "ESP_GATTC_DISCONNECT_EVT", "The ESP32's link ended. The number behind `reason` is HCI's. Since ESPHome 2025.8 it is printed as 0x3e; before, in decimal or in hexadecimal without 0x, so `reason 14` can be 0x14 or 0x0E.")
        .decides("The line `rsn 0x..` of ESP-IDF beside it, which is hexadecimal always.").carries(),
    word("gattc-conn", "gattc_conn_cb:", "ESP-IDF says the same once for each registered client: three lines are one event.")
        .named(&["bta_gattc_conn_cback"]).carries(),
    word("discovery-closed", "Remote closed during discovery", "ESPHome: the device hung up (0x13) while its services were being read.")
        .codes(&[Status::REMOTE_USER_TERMINATED])
        .rules(&["discovery-order-or-volume-difference", "peer-hangs-up-on-deadline"]),
    word("proxy-state", "Connection state changed to connected=False", "Home Assistant over an ESPHome proxy: the number behind `error=` is HCI's, in decimal. This is the proxy's radio.")
        .rules(&["attempt-not-in-this-capture"]),
    word("proxy-timeout", "Timeout waiting for BluetoothDeviceConnectionResponse", "Home Assistant got no answer from the ESPHome proxy in time: the proxy's radio, or the network to it.")
        .rules(&["attempt-not-in-this-capture"]),
    word("proxy-dropped", "BluetoothConnectionDroppedError", "The ESPHome proxy's link to the device ended during the call. This is the proxy's radio; its reason stands in the proxy's log.")
        .rules(&["attempt-not-in-this-capture"]),
    word("no-free-slots", "no free slots", "The ESPHome proxy has no connection slot left.")
        .named(&["no connections available", "no available connections"])
        .rules(&["adapter-slots-exhausted"]),
];
