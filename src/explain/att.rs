//! ATT errors: why a server refused a request.
use super::card::{Card, Namespace, number, range};
use crate::packet::att::ErrorCode;

pub const NAMESPACE: Namespace = Namespace {
    id: "att",
    title: "ATT error",
    printed: "a device's answer to a read, write or subscription; BlueZ, bleak, Android and Apple print them",
    words: &["att", "cbatterrordomain", "cbatterror", "att error", "gatt protocol error"],
    everyday: true,
    cards: CARDS,
    sources: &[
        "Bluetooth Core, Vol 3, Part F, 3.4.1.1",
        "Core Specification Supplement, Part B (0xE0-0xFF)",
    ],
    ..Namespace::NONE
};

const fn code(error: ErrorCode, names: &'static [&'static str], says: &'static str) -> Card {
    let title = match error.name() {
        Some(name) => name,
        None => "",
    };
    number(error.0 as u32, title, says).named(names)
}

const CARDS: &[Card] = &[
    code(
        ErrorCode::INVALID_HANDLE,
        &["cbatterrorinvalidhandle", "the handle is invalid"],
        "There is no attribute with this handle.",
    )
    .likely("After a firmware change: the host uses handles of an old cache.")
    .rules(&["gatt-cache-stale"]),
    code(
        ErrorCode::READ_NOT_PERMITTED,
        &["cbatterrorreadnotpermitted", "gatt_read_not_permitted", "reading is not permitted"],
        "The attribute cannot be read.",
    ),
    code(
        ErrorCode::WRITE_NOT_PERMITTED,
        &["cbatterrorwritenotpermitted", "gatt_write_not_permitted", "writing is not permitted"],
        "The attribute cannot be written this way: write with or without response instead, as its properties say.",
    )
    .rules(&["write-type-mismatch"]),
    code(ErrorCode::INVALID_PDU, &["cbatterrorinvalidpdu", "the command is invalid"], "The server found the request malformed.")
        .rules(&["noble-stall-mtu-invalid-pdu"]),
    code(
        ErrorCode::INSUFFICIENT_AUTHENTICATION,
        &["cbatterrorinsufficientauthentication", "gatt_insufficient_authentication", "authentication is insufficient", "gatt_insuf_authentication"],
        "Pair first; if paired, pair with a passkey.",
    )
    .rules(&["insufficient-auth-no-pairing", "pairing-method-mismatch"]),
    code(
        ErrorCode::REQUEST_NOT_SUPPORTED,
        &["cbatterrorrequestnotsupported", "gatt_request_not_supported", "gatt_req_not_supported", "the request is not supported"],
        "The server does not know this request: harmless for optional ones (MTU, long writes).",
    )
    .rules(&["long-write-mtu-mismatch"]),
    code(ErrorCode::INVALID_OFFSET, &["cbatterrorinvalidoffset", "gatt_invalid_offset"], "A long read or write began past the value's end."),
    code(
        ErrorCode::INSUFFICIENT_AUTHORIZATION,
        &["cbatterrorinsufficientauthorization", "gatt_insufficient_authorization", "authorization is insufficient"],
        "The device's application refuses: a login or a user's consent is missing.",
    ),
    code(ErrorCode::PREPARE_QUEUE_FULL, &["cbatterrorpreparequeuefull"], "Too many parts of a long write are waiting."),
    code(
        ErrorCode::ATTRIBUTE_NOT_FOUND,
        &["cbatterrorattributenotfound", "the attribute could not be found", "gatt_not_found"],
        "The normal end of every discovery.",
    ),
    code(ErrorCode::ATTRIBUTE_NOT_LONG, &["cbatterrorattributenotlong"], "The value fits into one packet: read it without an offset."),
    code(
        ErrorCode::ENCRYPTION_KEY_TOO_SHORT,
        &["cbatterrorinsufficientencryptionkeysize"],
        "The link's key is shorter than the attribute demands.",
    ),
    code(
        ErrorCode::INVALID_VALUE_LENGTH,
        &["cbatterrorinvalidattributevaluelength", "gatt_invalid_attribute_length", "gatt_invalid_attr_len", "the value's length is invalid"],
        "The value has the wrong length for this attribute, or is too long for the MTU.",
    )
    .rules(&["long-write-mtu-mismatch"]),
    code(
        ErrorCode::UNLIKELY_ERROR,
        &["cbatterrorunlikelyerror", "unlikely error"],
        "Sent by a device: its application failed.",
    )
    .likely("Printed by BlueZ or bleak: often no device sent it. BlueZ also gives programs this error for a read that was open when the link was lost, and for a request that nobody answered for 30 s.")
    .decides("The capture: with an ATT Error Response of code 0x0e the device said it; without one look at how the link ended, or which request stayed open.")
    .rules(&["att-transaction-timeout-30s", "supervision-timeout-0x08"]),
    code(
        ErrorCode::INSUFFICIENT_ENCRYPTION,
        &["cbatterrorinsufficientencryption", "gatt_insufficient_encryption", "gatt_insuf_encryption", "encryption is insufficient"],
        "Encrypt first: pair, or use the bond.",
    )
    .rules(&["insufficient-auth-no-pairing"]),
    code(
        ErrorCode::UNSUPPORTED_GROUP_TYPE,
        &["cbatterrorunsupportedgrouptype"],
        "The server knows no such group: normal for secondary services.",
    ),
    code(ErrorCode::INSUFFICIENT_RESOURCES, &["cbatterrorinsufficientresources", "gatt_insuf_resource"], "The device is out of memory."),
    code(
        ErrorCode::DATABASE_OUT_OF_SYNC,
        &["gatt_database_out_of_sync"],
        "The database changed: read the Database Hash or discover again.",
    )
    .rules(&["db-out-of-sync-0x12"]),
    code(ErrorCode::VALUE_NOT_ALLOWED, &["gatt_value_not_allowed"], "The value is not allowed now."),
    range(
        0x80,
        0x9f,
        "Application error",
        "An error of the device's application: its profile or its vendor says what it means.",
    ),
    code(ErrorCode::WRITE_REQUEST_REJECTED, &[], "The profile rejects the write."),
    code(
        ErrorCode::CCCD_IMPROPERLY_CONFIGURED,
        &["gatt_ccc_cfg_err", "cccd improperly configured"],
        "Subscribe (write the CCCD) first.",
    )
    .rules(&["notifications-never-enabled"]),
    code(ErrorCode::PROCEDURE_IN_PROGRESS, &["gatt_prc_in_progress"], "Another procedure is still running."),
    code(ErrorCode::OUT_OF_RANGE, &[], "The value lies outside the range that the profile allows."),
];
