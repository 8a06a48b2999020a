//! BlueZ over D-Bus: errors, and the reasons in their text.
use super::card::{Card, Namespace, word};
use crate::packet::Status;

pub const NAMESPACE: Namespace = Namespace {
    id: "bluez",
    title: "BlueZ over D-Bus",
    cards: CARDS,
    sources: &["BlueZ src/error.h and src/error.c", "laboratory captures beside D-Bus captures"],
    ..Namespace::NONE
};

const CLASSIC: &str = "BlueZ tried BR/EDR (Classic).";

const CARDS: &[Card] = &[
    // LE reasons.
    word("le-connection-abort-by-local", "le-connection-abort-by-local", "BlueZ prints this for nearly every failed LE connect. It does not say who aborted. bleak tries again by itself.")
        .likely("0x3E: the device was never heard. Also a bond that is lost on the other side (0x06), and attempts that were cancelled after 20 s.")
        .decides("The reason in Disconnection Complete, or bluetoothd's `disconnected, reason N`: 0 is 0x3E, 4 is the bond.")
        .codes(&[Status::FAILED_TO_BE_ESTABLISHED, Status::PIN_OR_KEY_MISSING, Status::CONNECTION_TIMEOUT, Status::UNKNOWN_CONNECTION_IDENTIFIER])
        .rules(&["never-heard-peer", "pin-or-key-missing-0x06", "create-conn-timeout-cancel"]),
    word("le-connection-abort-by-remote", "le-connection-abort-by-remote", "The device ended the link before the connect was done, or this host lost its adapter: both are ECONNRESET.")
        .codes(&[Status::REMOTE_USER_TERMINATED, Status::REMOTE_LOW_RESOURCES, Status::REMOTE_POWER_OFF])
        .rules(&["immediate-0x13-after-first-att"]),
    word("le-connection-key-missing", "le-connection-key-missing", "The bond is lost on the device. Remove it here too, and pair again.")
        .named(&["org.bluez.error.leconnectionkeymissing", "le link key missing"])
        .codes(&[Status::PIN_OR_KEY_MISSING])
        .rules(&["pin-or-key-missing-0x06"]),
    word("le-connection-concurrent-connection-limit", "le-connection-concurrent-connection-limit", "No more links are possible on this adapter.")
        .codes(&[Status::CONNECTION_LIMIT_EXCEEDED, Status::LIMITED_RESOURCES])
        .rules(&["adapter-slots-exhausted"]),
    word("le-connection-busy", "le-connection-busy", "Another connect is under way on this adapter. Connect to one device at a time.")
        .codes(&[Status::COMMAND_DISALLOWED])
        .rules(&["inprogress-stale-connect", "create-conn-status-error"]),
    word("le-connection-already-connected", "le-connection-already-connected", "A link to the device is up or being made already.")
        .named(&["le-connection-already-connecting"])
        .codes(&[Status::CONNECTION_ALREADY_EXISTS]),
    word("le-connection-refused", "le-connection-refused", "Refused for want of resources or for security.")
        .codes(&[Status::LIMITED_RESOURCES, Status::PIN_OR_KEY_MISSING])
        .rules(&["pin-or-key-missing-0x06", "adapter-slots-exhausted"]),
    word("le-connection-timeout", "le-connection-timeout", "The link was lost before the connect was done.")
        .codes(&[Status::CONNECTION_TIMEOUT])
        .rules(&["supervision-timeout-0x08"]),
    word("le-connection-unknown", "le-connection-unknown", "An error without a word of its own.")
        .likely("0x3E on versions of BlueZ that do not turn it into another text.")
        .codes(&[Status::FAILED_TO_BE_ESTABLISHED])
        .rules(&["never-heard-peer"]),
    word("le-connection-link-layer-protocol-error", "le-connection-link-layer-protocol-error", "A link-layer procedure failed.")
        .codes(&[Status::LL_COLLISION, Status::PDU_NOT_ALLOWED, Status::INVALID_LL_PARAMETERS]),
    word("le-connection-gatt-browsing", "le-connection-gatt-browsing", "The discovery of services failed: the link ended during it, or a request was not answered.")
        .rules(&["discovery-order-or-volume-difference", "att-transaction-timeout-30s"]),
    word("le-connection-adapter-not-powered", "le-connection-adapter-not-powered", "The adapter is off: nothing was sent. `bluetoothctl power on`, `rfkill list`.")
        .rules(&["suspend-or-power"]),
    word("le-connection-not-supported", "le-connection-not-supported", "The adapter or its firmware does not support it.")
        .codes(&[Status::UNSUPPORTED_FEATURE]),
    word("le-connection-invalid-arguments", "le-connection-invalid-arguments", "The parameters contradict each other, often the supervision timeout.")
        .codes(&[Status::INVALID_PARAMETERS]),
    word("le-connection-bad-socket", "le-connection-bad-socket", "Inside bluetoothd: its socket is gone. Nothing of the device's doing."),
    word("le-connection-create-socket", "le-connection-create-socket", "bluetoothd could not make its socket (EIO). Nothing of the device's doing."),
    word("le-connection-memory-allocation", "le-connection-memory-allocation", "No memory was left on this host."),
    // BR/EDR reasons, which LE gets too.
    word("br-connection-canceled", "br-connection-canceled", "Its name misleads: it comes for LE devices too. The link or the attempt went away while Connect() was still pending.")
        .likely("A program cancelled or called Disconnect (its own time limit, another program), or 0x3E at a moment when bluetoothd heard of it by another way.")
        .decides("The capture: LE Create Connection Cancel or a Disconnect command is this host; Disconnection Complete 0x3E without one is the radio.")
        .codes(&[Status::LOCAL_HOST_TERMINATED, Status::FAILED_TO_BE_ESTABLISHED, Status::UNKNOWN_CONNECTION_IDENTIFIER])
        .rules(&["connection-cancelled-by-app", "never-heard-peer", "create-conn-timeout-cancel"]),
    word("br-connection-page-timeout", "br-connection-page-timeout", "BlueZ tried BR/EDR (Classic), and the device did not answer the page.")
        .codes(&[Status::PAGE_TIMEOUT])
        .rules(&["bredr-instead-of-le"]),
    word("br-connection-profile-unavailable", "br-connection-profile-unavailable", "BlueZ tried BR/EDR (Classic), where the device has no profile to connect. A LE device wants LE.")
        .named(&["org.bluez.error.brconnectionprofileunavailable"])
        .rules(&["bredr-instead-of-le"]),
    word("br-connection-refused", "br-connection-refused", "BlueZ tried BR/EDR (Classic), and it was refused.")
        .codes(&[Status::LIMITED_RESOURCES, Status::SECURITY_REASONS])
        .rules(&["bredr-instead-of-le"]),
    word("br-connection-timeout", "br-connection-timeout", "BlueZ tried BR/EDR (Classic), and the link was lost.")
        .codes(&[Status::CONNECTION_TIMEOUT]),
    word("br-connection-busy", "br-connection-busy", "BlueZ tried BR/EDR (Classic) while another connect was under way.")
        .rules(&["inprogress-stale-connect"]),
    word("br-connection-already-connected", "br-connection-already-connected", "A BR/EDR link to the device is up already."),
    word("br-connection-adapter-not-powered", "br-connection-adapter-not-powered", "The adapter is off: nothing was sent. `bluetoothctl power on`, `rfkill list`.")
        .rules(&["suspend-or-power"]),
    word("br-connection-aborted-by-remote", "br-connection-aborted-by-remote", "BlueZ tried BR/EDR (Classic), and the device ended it.")
        .named(&["br-connection-abort-by-remote"]),
    word("br-connection-aborted-by-local", "br-connection-aborted-by-local", "BlueZ tried BR/EDR (Classic), and this host ended it.")
        .named(&["br-connection-abort-by-local"]),
    word("br-connection-sdp-search", "br-connection-sdp-search", "BlueZ tried BR/EDR (Classic), and the search for its services failed.")
        .rules(&["bredr-instead-of-le"]),
    word("br-connection-key-missing", "br-connection-key-missing", "BR/EDR: the link key is lost on the device. Remove it here too, and pair again.")
        .named(&["org.bluez.error.brconnectionkeymissing"])
        .codes(&[Status::PIN_OR_KEY_MISSING]),
    word("br-connection-unknown", "br-connection-unknown", CLASSIC).likely("An error without a word of its own."),
    word("br-connection-create-socket", "br-connection-create-socket", "bluetoothd could not make its socket. Nothing of the device's doing."),
    word("br-connection-lmp-protocol-error", "br-connection-lmp-protocol-error", "BR/EDR: a link-manager procedure failed."),
    word("br-connection-concurrent-connection-limit", "br-connection-concurrent-connection-limit", "No more links are possible on this adapter.")
        .rules(&["adapter-slots-exhausted"]),
    word("br-connection-not-supported", "br-connection-not-supported", "The adapter does not support BR/EDR, or it is switched off."),
    word("br-connection-invalid-argument", "br-connection-invalid-argument", "The program or BlueZ asked for something contradictory.")
        .named(&["br-connection-invalid-arguments"]),
    word("br-connection-bad-socket", "br-connection-bad-socket", "Inside bluetoothd: its socket is gone. Nothing of the device's doing."),
    word("br-connection-memory-allocation", "br-connection-memory-allocation", "No memory was left on this host."),
    // Errors by name.
    word("in-progress", "org.bluez.Error.InProgress", "Another connect or discovery is under way, or BlueZ still believes so; often nothing reaches HCI at all.")
        .named(&["bluez.error.inprogress", "error.inprogress"])
        .likely("An earlier attempt that nobody cancelled. Disconnect or remove the device, and connect one at a time.")
        .decides("The capture around that moment: no new LE Create Connection means a state of BlueZ's, not of the air.")
        .rules(&["inprogress-stale-connect"]),
    word("failed", "org.bluez.Error.Failed", "BlueZ's general error: the text behind it says more.")
        .decides("The word after it, for example le-connection-abort-by-local.").carries(),
    word("not-ready", "org.bluez.Error.NotReady", "The adapter is off: nothing was sent. `bluetoothctl power on`, `rfkill list`.")
        .named(&["resource not ready"])
        .rules(&["suspend-or-power"]),
    word("not-connected", "org.bluez.Error.NotConnected", "There is no link: it ended before the call. The cause lies before this text."),
    word("already-connected", "org.bluez.Error.AlreadyConnected", "A link to the device is up already, perhaps of another program.")
        .rules(&["client-vanished-link-stays"]),
    word("already-exists", "org.bluez.Error.AlreadyExists", "The pairing or the object exists already."),
    word("does-not-exist", "org.bluez.Error.DoesNotExist", "BlueZ does not know the device (any more): scan again."),
    word("not-available", "org.bluez.Error.NotAvailable", "Not available now: no such profile, or the adapter is going.")
        .named(&["operation currently not available"]),
    word("not-supported", "org.bluez.Error.NotSupported", "The attribute or the adapter does not support that call."),
    word("not-permitted", "org.bluez.Error.NotPermitted", "The attribute cannot be used like that: wrong kind of write, or not readable.")
        .rules(&["write-type-mismatch"]),
    word("not-authorized", "org.bluez.Error.NotAuthorized", "BlueZ or the device wants a pairing or a user's consent first.")
        .rules(&["insufficient-auth-no-pairing"]),
    word("invalid-arguments", "org.bluez.Error.InvalidArguments", "The program called with wrong arguments: nothing of the device's doing."),
    word("authentication-failed", "org.bluez.Error.AuthenticationFailed", "Pairing or encryption failed, often because the bond is lost on one side, or because no agent was there.")
        .named(&["authenticationfailed"])
        .decides("Pairing Failed and its reason in the capture; Encryption Change 0x06 means a lost bond.")
        .codes(&[Status::PIN_OR_KEY_MISSING, Status::AUTHENTICATION_FAILURE])
        .rules(&["pin-or-key-missing-0x06", "no-pairing-agent", "pairing-refused-by-peer"]),
    word("authentication-canceled", "org.bluez.Error.AuthenticationCanceled", "Pairing was given up. With different keys on both sides the link ends 0x3D; else nobody confirmed.")
        .named(&["authenticationcanceled"])
        .codes(&[Status::MIC_FAILURE])
        .rules(&["mic-failure-0x3d", "no-pairing-agent"]),
    word("authentication-rejected", "org.bluez.Error.AuthenticationRejected", "The agent or the device refused the pairing.")
        .named(&["authenticationrejected"])
        .rules(&["no-pairing-agent", "pairing-refused-by-peer"]),
    word("authentication-timeout", "org.bluez.Error.AuthenticationTimeout", "The pairing was not finished in time.")
        .named(&["authenticationtimeout"])
        .rules(&["smp-timeout-30s"]),
    word("connection-attempt-failed", "org.bluez.Error.ConnectionAttemptFailed", "Pairing began with a connect, and that failed: see why the link did not come up.")
        .named(&["connectionattemptfailed"])
        .rules(&["never-heard-peer", "create-conn-timeout-cancel"]),
    word("services-resolved", "ServicesResolved", "BlueZ has finished discovering the device's services, or has given up: True is said in both cases.")
        .likely("`Connected` true and `ServicesResolved` never: the link is up in BlueZ's mind and discovery hangs, or the link is gone.")
        .decides("The capture: does discovery go on, does it wait for an answer, or is there no link?")
        .rules(&["never-usable-connection", "att-request-unanswered", "att-transaction-timeout-30s"]),
    word("dbus-access-denied", "org.freedesktop.DBus.Error.AccessDenied", "The D-Bus bus refused the call (its policy, or AppArmor): bluetoothd never saw it, and nothing was sent over the air.")
        .named(&["rejected send message", "an apparmor policy prevents this sender"]),
    word("dbus-no-reply", "org.freedesktop.DBus.Error.NoReply", "bluetoothd did not answer the call in time; the connect may still be under way.")
        .named(&["did not receive a reply"])
        .rules(&["create-conn-timeout-cancel"]),
    word("dbus-service-unknown", "org.freedesktop.DBus.Error.ServiceUnknown", "bluetoothd is not running.")
        .named(&["the name org.bluez was not provided"]),
    word("dbus-unknown-object", "org.freedesktop.DBus.Error.UnknownObject", "BlueZ has dropped the device or the attribute: scan, or wait until services are resolved.")
        .named(&["org.freedesktop.dbus.error.unknownmethod"]),
    word("interfaces-removed", "InterfacesRemoved", "BlueZ dropped an object: a device that was only temporary, or with /org/bluez/hciN the adapter itself.")
        .rules(&["suspend-or-power", "local-stack-stopped"]),
];
