//! HCI statuses and disconnect reasons, and what they usually are on LE.
use super::card::{Card, Namespace, number};
use crate::packet::Status;

pub const NAMESPACE: Namespace = Namespace {
    id: "hci",
    title: "HCI status or disconnect reason",
    printed: "the Bluetooth controller's own codes; btmon, noble, ESP-IDF, Android and many others print them",
    words: &["hci", "rsn"],
    everyday: true,
    cards: CARDS,
    sources: &[
        "Bluetooth Core, Vol 1, Part F (error codes)",
        "the names of Zephyr's hci_types.h and NimBLE's ble.h",
    ],
    ..Namespace::NONE
};

const fn code(status: Status, names: &'static [&'static str], says: &'static str) -> Card {
    let title = match status.name() {
        Some(name) => name,
        None => "",
    };
    number(status.0 as u32, title, says).named(names)
}

const CARDS: &[Card] = &[
    code(Status::SUCCESS, &[], "It worked. In LE Connection Complete: the link was created; nothing shows yet that the other side answered.")
        .rules(&["never-heard-peer"]),
    code(Status::UNKNOWN_COMMAND, &["bt_hci_err_unknown_cmd"], "The controller does not know this command."),
    code(
        Status::UNKNOWN_CONNECTION_IDENTIFIER,
        &["bt_hci_err_unknown_conn_id", "ble_err_unk_conn_id"],
        "There is no such link or attempt any more. After LE Create Connection Cancel it says that the cancel succeeded: no error of its own, and routine on phones.",
    )
    .rules(&["create-conn-timeout-cancel"]),
    code(Status::HARDWARE_FAILURE, &["bt_hci_err_hw_failure"], "The controller could not do it.")
        .rules(&["controller-hardware-error"]),
    code(
        Status::PAGE_TIMEOUT,
        &["bt_hci_err_page_timeout"],
        "BR/EDR only: the device did not answer the page. If the device is a LE device, the host used the wrong radio mode.",
    )
    .rules(&["bredr-instead-of-le"]),
    code(
        Status::AUTHENTICATION_FAILURE,
        &["bt_hci_err_auth_fail", "bt_hci_err_authentication_fail", "ble_err_auth_fail", "ble_hci_authentication_failure"],
        "Security could not be agreed: a wrong or absent key, or a refused pairing.",
    )
    .rules(&["pin-or-key-missing-0x06", "pairing-refused-by-peer"]),
    code(
        Status::PIN_OR_KEY_MISSING,
        &["bt_hci_err_pin_or_key_missing", "ble_err_pinkey_missing", "ble_hci_status_code_pin_or_key_missing"],
        "The other side has no key for this host: the bond was deleted there. Remove it here too, and pair again.",
    )
    .rules(&["pin-or-key-missing-0x06"]),
    code(
        Status::MEMORY_CAPACITY_EXCEEDED,
        &["bt_hci_err_mem_capacity_exceeded"],
        "The controller or stack ran out of memory or slots.",
    ),
    code(
        Status::CONNECTION_TIMEOUT,
        &["bt_hci_err_conn_timeout", "ble_err_conn_spvn_tmo", "ble_hci_connection_timeout", "gatt_conn_timeout"],
        "The link was up, and then nothing at all was received for the supervision timeout: out of range, reset, radio off, or disturbed. It proves that the link had been established.",
    )
    .rules(&["supervision-timeout-0x08", "short-supervision-timeout-linux-420ms", "ota-erase-silence"]),
    code(
        Status::CONNECTION_LIMIT_EXCEEDED,
        &["bt_hci_err_conn_limit_exceeded", "ble_err_conn_limit"],
        "No more links are possible on this adapter: close idle ones.",
    )
    .rules(&["adapter-slots-exhausted"]),
    code(Status::SYNCHRONOUS_LIMIT_EXCEEDED, &[], "BR/EDR only: no more audio links to this device."),
    code(
        Status::CONNECTION_ALREADY_EXISTS,
        &["bt_hci_err_conn_already_exists", "ble_err_acl_conn_exists"],
        "A link to that device is up already, perhaps one that a program forgot.",
    )
    .rules(&["client-vanished-link-stays"]),
    code(
        Status::COMMAND_DISALLOWED,
        &["bt_hci_err_cmd_disallowed", "ble_err_cmd_disallowed"],
        "Not in this state: another connect or scan is under way, often of a second program on the same adapter.",
    )
    .rules(&["create-conn-status-error", "two-stacks-one-adapter"]),
    code(
        Status::LIMITED_RESOURCES,
        &["bt_hci_err_insufficient_resources", "ble_err_conn_rej_resources"],
        "Refused for want of resources: slots, or roles that exclude each other.",
    )
    .rules(&["adapter-slots-exhausted"]),
    code(Status::SECURITY_REASONS, &["bt_hci_err_insufficient_security"], "Refused for security. Rare on LE."),
    code(Status::UNACCEPTABLE_ADDRESS, &["bt_hci_err_bd_addr_unacceptable"], "Refused because of the address. Rare on LE."),
    code(Status::ACCEPT_TIMEOUT, &["bt_hci_err_conn_accept_timeout"], "BR/EDR only: the request was not accepted in time."),
    code(
        Status::UNSUPPORTED_FEATURE,
        &["bt_hci_err_unsupp_feature_param_val"],
        "The controller does not support this feature or value, a PHY for example.",
    )
    .rules(&["create-with-no-phy", "create-conn-status-error"]),
    code(
        Status::INVALID_PARAMETERS,
        &["bt_hci_err_invalid_param", "ble_err_inv_hci_cmd_parms"],
        "The command's parameters do not fit each other, for example a supervision timeout too short for interval and latency.",
    )
    .rules(&["create-conn-status-error"]),
    code(
        Status::REMOTE_USER_TERMINATED,
        &[
            "bt_hci_err_remote_user_term_conn",
            "ble_err_rem_user_conn_term",
            "ble_hci_remote_user_terminated_connection",
            "hci_oe_user_ended_connection",
            "gatt_conn_terminate_peer_user",
            "remote user terminated",
        ],
        "The peer chose to hang up: a policy, a timer, a reboot, a user. Look at what was missing or refused before it.",
    )
    .decides("In this host's own Disconnect command the same number is only what it tells the other side.")
    .rules(&[
        "remote-user-terminated-idle",
        "immediate-0x13-after-first-att",
        "peer-hangs-up-on-deadline",
        "param-update-unanswered-then-drop",
    ]),
    code(
        Status::REMOTE_LOW_RESOURCES,
        &["bt_hci_err_remote_low_resources"],
        "The peer hung up because it was low on resources.",
    ),
    code(
        Status::REMOTE_POWER_OFF,
        &["bt_hci_err_remote_power_off", "gatt_conn_terminated_power_off"],
        "The peer hung up because it was being switched off. In our own Disconnect command: this host's adapter was going off.",
    )
    .rules(&["suspend-or-power"]),
    code(
        Status::LOCAL_HOST_TERMINATED,
        &[
            "bt_hci_err_localhost_term_conn",
            "ble_err_conn_term_local",
            "ble_hci_local_host_terminated_connection",
            "gatt_conn_terminate_local_host",
        ],
        "This host ended the link. The reason that it gave lies in its Disconnect command, not here.",
    )
    .decides("Which program asked for it: btmon shows who has the adapter open, the daemon's log who called Disconnect.")
    .rules(&["local-stack-stopped", "connection-cancelled-by-app", "local-disconnect-2s-kernel-idle"]),
    code(Status::REPEATED_ATTEMPTS, &[], "Too many failed pairings in a row: wait."),
    code(Status::PAIRING_NOT_ALLOWED, &["bt_hci_err_pairing_not_allowed"], "The device does not pair now."),
    code(Status::UNKNOWN_LMP_PDU, &[], "BR/EDR only: the peer does not know a link-manager message."),
    code(
        Status::UNSUPPORTED_REMOTE_FEATURE,
        &["bt_hci_err_unsupp_remote_feature", "ble_err_unsupp_rem_feature"],
        "The peer does not know that procedure. It is an answer: the peer is alive.",
    )
    .rules(&["local-drop-after-feature-reject"]),
    code(Status::SCO_OFFSET_REJECTED, &[], "Audio on BR/EDR only."),
    code(Status::SCO_INTERVAL_REJECTED, &[], "Audio on BR/EDR only."),
    code(Status::SCO_AIR_MODE_REJECTED, &[], "Audio on BR/EDR only."),
    code(Status::INVALID_LL_PARAMETERS, &["bt_hci_err_invalid_ll_param"], "A link-layer message had parameters that are not allowed."),
    code(Status::UNSPECIFIED_ERROR, &["bt_hci_err_unspecified"], "No better code applied: mostly the controller's firmware."),
    code(Status::UNSUPPORTED_LL_PARAMETER, &["bt_hci_err_unsupp_ll_param_val"], "A link-layer parameter has a value that is not supported."),
    code(Status::ROLE_CHANGE_NOT_ALLOWED, &[], "BR/EDR only: central and peripheral cannot be exchanged now."),
    code(
        Status::LL_RESPONSE_TIMEOUT,
        &["bt_hci_err_ll_resp_timeout", "ble_err_lmp_ll_rsp_tmo", "ble_hci_status_code_lmp_response_timeout", "gatt_conn_lmp_timeout"],
        "A link-layer procedure (PHY, data length, parameters, features, encryption) was not finished within 40 s, or failed outright.",
    )
    .decides("After this host's own Disconnect it means that the other side never acknowledged it: then it was gone already.")
    .rules(&["ll-response-timeout-40s"]),
    code(Status::LL_COLLISION, &["bt_hci_err_ll_proc_collision"], "Both sides began the same link-layer procedure at once."),
    code(Status::PDU_NOT_ALLOWED, &[], "A link-layer message came that is not allowed at that moment: a fault of the peer's."),
    code(Status::ENCRYPTION_MODE_NOT_ACCEPTABLE, &[], "The two sides cannot agree on encryption."),
    code(Status::LINK_KEY_CANNOT_CHANGE, &[], "The link's key cannot be changed."),
    code(Status::QOS_NOT_SUPPORTED, &[], "The quality of service asked for is not supported."),
    code(
        Status::INSTANT_PASSED,
        &["bt_hci_err_instant_passed"],
        "The moment agreed for a change had passed before the packet arrived.",
    )
    .rules(&["phy-or-dle-update-kills-link"]),
    code(Status::UNIT_KEY_NOT_SUPPORTED, &["bt_hci_err_pairing_not_supported"], "Pairing with a unit key is not supported."),
    code(Status::DIFFERENT_TRANSACTION_COLLISION, &["bt_hci_err_diff_trans_collision"], "Two different link-layer procedures met."),
    code(Status::QOS_UNACCEPTABLE, &[], "The quality of service asked for is not acceptable."),
    code(Status::QOS_REJECTED, &[], "The quality of service asked for was rejected."),
    code(Status::CHANNEL_CLASSIFICATION, &[], "Channel classification is not supported."),
    code(Status::INSUFFICIENT_SECURITY, &[], "The link's security is too weak for this."),
    code(Status::OUT_OF_RANGE, &[], "A parameter lies outside the range that must be supported."),
    code(Status::ROLE_SWITCH_PENDING, &[], "BR/EDR only: a role switch is under way."),
    code(Status::RESERVED_SLOT_VIOLATION, &[], "BR/EDR only."),
    code(Status::ROLE_SWITCH_FAILED, &[], "BR/EDR only: the role switch failed."),
    code(Status::EIR_TOO_LARGE, &[], "BR/EDR only: the inquiry response is too large."),
    code(Status::SSP_NOT_SUPPORTED, &[], "BR/EDR only: the host does not support Secure Simple Pairing."),
    code(Status::HOST_BUSY_PAIRING, &[], "The other host is pairing with somebody else."),
    code(Status::NO_SUITABLE_CHANNEL, &[], "No radio channel is free enough for the link."),
    code(Status::CONTROLLER_BUSY, &[], "The controller has something else to do: try again later."),
    code(
        Status::UNACCEPTABLE_CONNECTION_PARAMETERS,
        &["bt_hci_err_unaccept_conn_param", "ble_err_conn_parms"],
        "The parameters asked for were not acceptable to the other side.",
    )
    .rules(&["param-update-unanswered-then-drop"]),
    code(
        Status::ADVERTISING_TIMEOUT,
        &["bt_hci_err_adv_timeout", "ble_err_dir_adv_tmo"],
        "Directed advertising ended without a connection (peripheral role).",
    ),
    code(
        Status::MIC_FAILURE,
        &["bt_hci_err_term_due_to_mic_fail", "ble_err_conn_term_mic", "ble_hci_conn_terminated_due_to_mic_failure", "mic failure"],
        "An encrypted packet failed its check, and the link was ended for it.",
    )
    .likely("Soon after encryption began: the two sides have different keys. Late in a long link, or with a key that had worked: a fault of a controller.")
    .rules(&["mic-failure-0x3d"]),
    code(
        Status::FAILED_TO_BE_ESTABLISHED,
        &[
            "bt_hci_err_conn_fail_to_estab",
            "ble_err_conn_establishment",
            "ble_hci_conn_failed_to_be_established",
            "conn_failed_to_be_established",
            "connection failed to establish",
            "gatt_conn_failed_establishment",
            "gatt_conn_fail_establish",
        ],
        "The link was created, and nothing from the peer was ever heard on it; the controller gives up after six connection intervals (90 to 350 ms). It is decided below ATT: no MTU exchange, pairing or keep-alive can cause or cure it.",
    )
    .likely("Ordinary radio loss where it happens once. Else, best first: retry 0.5-1 s apart, stop scanning before you connect, look at radio, address and Wi-Fi.")
    .rules(&[
        "never-heard-peer",
        "never-heard-retry-loop",
        "scan-starves-new-link",
        "wifi-coexistence-combo-chip",
        "two-stacks-one-adapter",
    ]),
    code(Status::MAC_CONNECTION_FAILED, &[], "An old code for alternative radios."),
    code(Status::COARSE_CLOCK_REJECTED, &[], "BR/EDR only."),
    code(Status::TYPE0_SUBMAP_NOT_DEFINED, &[], "BR/EDR only."),
    code(Status::UNKNOWN_ADVERTISING_IDENTIFIER, &[], "There is no advertising set with this number."),
    code(Status::LIMIT_REACHED, &["bt_hci_err_limit_reached"], "The controller has no room for more."),
    code(Status::CANCELLED_BY_HOST, &["bt_hci_err_op_cancelled_by_host"], "The host cancelled the operation."),
    code(Status::PACKET_TOO_LONG, &["bt_hci_err_packet_too_long"], "A packet was longer than allowed."),
];
