//! What hosts print when a connection fails, and what HCI had said.
use crate::packet::Status;

/// One complaint of a host.
pub struct Text {
    /// Spellings, in lower case; a longer text that holds one of them is the same complaint.
    pub names: &'static [&'static str],
    pub says: &'static str,
    /// The HCI codes that can be behind it; none: it has nothing to do with HCI, or any can.
    pub codes: &'static [Status],
}

const fn text(
    names: &'static [&'static str],
    says: &'static str,
    codes: &'static [Status],
) -> Text {
    Text { names, says, codes }
}

pub const TEXTS: &[Text] = &[
    // BlueZ, over D-Bus.
    text(
        &["le-connection-abort-by-local"],
        "BlueZ prints this for nearly every failed LE connect. It does not say who aborted: 0x3E, a lost link, and attempts that were cancelled after 20 s all end up here. bleak tries again by itself. Look at the capture's reason code.",
        &[
            Status::FAILED_TO_BE_ESTABLISHED,
            Status::CONNECTION_TIMEOUT,
            Status::UNKNOWN_CONNECTION_IDENTIFIER,
        ],
    ),
    text(
        &["le-connection-key-missing"],
        "BlueZ: the bond is lost on the device. Remove it here too, and pair again.",
        &[Status::PIN_OR_KEY_MISSING],
    ),
    text(
        &["le-connection-concurrent-connection-limit"],
        "BlueZ: no more links are possible on this adapter.",
        &[Status::CONNECTION_LIMIT_EXCEEDED, Status::LIMITED_RESOURCES],
    ),
    text(
        &["le-connection-busy", "le-connection-already-connecting"],
        "BlueZ: another connect is under way on this adapter. Connect to one device at a time.",
        &[Status::COMMAND_DISALLOWED],
    ),
    text(
        &["le-connection-refused"],
        "BlueZ: the controller or the peer refused for want of resources or for security.",
        &[Status::LIMITED_RESOURCES],
    ),
    text(
        &["br-connection-canceled"],
        "BlueZ, misleading for LE: the link went away while Connect() was still pending.",
        &[Status::LOCAL_HOST_TERMINATED],
    ),
    text(
        &["br-connection-page-timeout"],
        "BlueZ tried BR/EDR (Classic), and the device did not answer the page.",
        &[Status::PAGE_TIMEOUT],
    ),
    text(
        &["br-connection-profile-unavailable"],
        "BlueZ tried BR/EDR (Classic), where the device has no profile to connect. A LE device wants LE.",
        &[],
    ),
    text(
        &[
            "org.bluez.error.inprogress",
            "operation already in progress",
            "ealready",
            "errno 114",
            "errno: 114",
        ],
        "BlueZ: another connect or discovery is under way; often none reaches HCI at all. Disconnect or remove the device, and connect one at a time. From the kernel (errno 114): a link to the device exists already.",
        &[Status::CONNECTION_ALREADY_EXISTS],
    ),
    text(
        &["authenticationcanceled"],
        "BlueZ: pairing was given up. With different keys on both sides the link ends 0x3D; else nobody confirmed.",
        &[Status::MIC_FAILURE],
    ),
    text(
        &["authenticationfailed"],
        "BlueZ: pairing or encryption failed, often because the bond is lost on one side.",
        &[Status::PIN_OR_KEY_MISSING, Status::AUTHENTICATION_FAILURE],
    ),
    // The kernel's errno of a link's end or refusal (bt_to_errno).
    text(
        &["transport endpoint is not connected", "enotconn", "errno 107", "errno: 107"],
        "Linux, errno 107: there is no such link any more.",
        &[Status::UNKNOWN_CONNECTION_IDENTIFIER],
    ),
    text(
        &["permission denied", "eacces", "errno 13", "errno: 13"],
        "Linux, errno 13, on a Bluetooth socket: authentication failed.",
        &[Status::AUTHENTICATION_FAILURE],
    ),
    text(
        &["invalid exchange", "ebade", "errno 52", "errno: 52"],
        "Linux, errno 52: the bond's key is missing on the other side.",
        &[Status::PIN_OR_KEY_MISSING],
    ),
    text(
        &["connection timed out", "etimedout", "errno 110", "errno: 110"],
        "Linux, errno 110: the link was lost, or the peer did not accept in time.",
        &[Status::CONNECTION_TIMEOUT, Status(0x10)],
    ),
    text(
        &["too many links", "emlink", "errno 31", "errno: 31"],
        "Linux, errno 31: no more links are possible on this adapter.",
        &[Status::CONNECTION_LIMIT_EXCEEDED, Status::SYNCHRONOUS_LIMIT_EXCEEDED],
    ),
    text(
        &["device or resource busy", "ebusy", "errno 16", "errno: 16"],
        "Linux, errno 16: the controller is busy with another request; also the kernel's own answer while another LE connect runs.",
        &[Status::COMMAND_DISALLOWED],
    ),
    text(
        &["connection refused", "econnrefused", "errno 111", "errno: 111"],
        "Linux, errno 111: refused for want of resources, for security, or for an unacceptable address.",
        &[Status::LIMITED_RESOURCES, Status(0x0e), Status(0x0f)],
    ),
    text(
        &["operation not supported", "eopnotsupp", "errno 95", "errno: 95"],
        "Linux, errno 95: the controller does not support a feature or value that was asked for.",
        &[Status::UNSUPPORTED_FEATURE],
    ),
    text(
        &["invalid argument", "einval", "errno 22", "errno: 22"],
        "Linux, errno 22: the parameters of the request contradict each other, for example a supervision timeout too short for interval and latency.",
        &[Status::INVALID_PARAMETERS],
    ),
    text(
        &["connection reset by peer", "econnreset", "errno 104", "errno: 104"],
        "Linux, errno 104: the peer hung up.",
        &[Status::REMOTE_USER_TERMINATED, Status::REMOTE_LOW_RESOURCES, Status::REMOTE_POWER_OFF],
    ),
    text(
        &["software caused connection abort", "econnaborted", "errno 103", "errno: 103"],
        "Linux, errno 103. From the kernel: this host hung up. From bluetoothd: nearly every failed connect, as le-connection-abort-by-local.",
        &[Status::LOCAL_HOST_TERMINATED, Status::FAILED_TO_BE_ESTABLISHED],
    ),
    text(
        &["protocol not supported", "eprotonosupport", "errno 93", "errno: 93"],
        "Linux, errno 93: the peer does not know a procedure.",
        &[Status::UNSUPPORTED_REMOTE_FEATURE],
    ),
    text(
        &["protocol error", "eproto", "errno 71", "errno: 71"],
        "Linux, errno 71: a link-manager procedure failed.",
        &[Status(0x19), Status(0x1e), Status(0x23), Status(0x24), Status(0x25)],
    ),
    text(
        &["function not implemented", "enosys", "errno 38", "errno: 38"],
        "Linux, errno 38: an HCI reason that the kernel maps to nothing, as a rule 0x3E.",
        &[
            Status::FAILED_TO_BE_ESTABLISHED,
            Status::LL_RESPONSE_TIMEOUT,
            Status(0x3b),
            Status::MIC_FAILURE,
        ],
    ),
    text(
        &["tx timeout"],
        "The kernel's log: the controller did not answer a command. A matter of its firmware or its serial line, not of the device.",
        &[],
    ),
    // bleak and its friends.
    text(
        &["service discovery has not been performed yet"],
        "bleak: the list of services is empty because the link is gone already, or connecting has not finished. The cause lies before this text: look at how the link ended.",
        &[],
    ),
    text(
        &["failed to discover services, device disconnected", "failed to discover services"],
        "bleak: the link was lost between connected and services resolved. Look at the disconnect reason.",
        &[],
    ),
    text(
        &["bleakcharacteristicnotfounderror"],
        "bleak: the characteristic is not in the list of services, which may be an old cache or that of another mode of the device.",
        &[],
    ),
    text(
        &["not connected"],
        "bleak: the link is gone, or was never established. The cause lies before this text.",
        &[],
    ),
    // ESP-IDF, ESPHome and the proxies.
    text(
        &[
            "esp_gatt_conn_fail_establish",
            "gatt_conn_fail_establish",
            "gatt_conn_failed_establishment",
        ],
        "ESP-IDF and Android: 0x3E (62). An ESP_GATT text comes from an ESP32's radio: a capture of another adapter cannot show that attempt.",
        &[Status::FAILED_TO_BE_ESTABLISHED],
    ),
    text(
        &["conn_cancel", "0x100"],
        "ESP-IDF: the connect was cancelled before anything was sent; on Bluetooth proxies as a rule because no slot was free.",
        &[Status::LIMITED_RESOURCES],
    ),
    text(
        &["conn_failed_to_be_established"],
        "SoftDevice: 0x3E, nothing was ever heard from the peer.",
        &[Status::FAILED_TO_BE_ESTABLISHED],
    ),
    // Android.
    text(
        &["gatt_error", "status 133", "status=133", "status 0x85"],
        "Android, 133 (0x85): generic. A direct connect that ran into its 30 s, or 0x3E on many phones. Look at the capture.",
        &[],
    ),
    text(
        &["status 62", "status=62"],
        "Android: 0x3E, the connection failed to be established.",
        &[Status::FAILED_TO_BE_ESTABLISHED],
    ),
    text(&["status 8", "status=8"], "Android: the link was lost.", &[Status::CONNECTION_TIMEOUT]),
    text(
        &["status 19", "status=19"],
        "Android: the peer hung up.",
        &[Status::REMOTE_USER_TERMINATED],
    ),
    text(
        &["status 22", "status=22"],
        "Android: this host hung up.",
        &[Status::LOCAL_HOST_TERMINATED],
    ),
    text(
        &["status 34", "status=34"],
        "Android: a link-layer procedure was not finished.",
        &[Status::LL_RESPONSE_TIMEOUT],
    ),
];

/// The complaint that is that text, or is in it; of several the one that says most.
pub fn find(asked: &str) -> Option<&'static Text> {
    let exact = TEXTS.iter().find(|t| t.names.contains(&asked));
    let fits = |t: &'static Text| {
        let names = t.names.iter().filter(|name| stands_in(asked, name));
        names.map(|name| name.len()).max().map(|length| (length, t))
    };
    exact
        .or_else(|| TEXTS.iter().filter_map(fits).max_by_key(|(length, _)| *length).map(|(_, t)| t))
}

/// Whether the text holds that name as words of its own: `status 8` is not in `status 84`.
fn stands_in(text: &str, name: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text.get(..at), text.get(at + name.len()..));
        !word(before.and_then(|b| b.chars().next_back()))
            && !word(after.and_then(|a| a.chars().next()))
    })
}
