//! bleak, bleak-retry-connector and Home Assistant's Bluetooth.
use super::card::{Card, Namespace, word};
use crate::packet::Status;

pub const NAMESPACE: Namespace = Namespace {
    id: "bleak",
    title: "bleak (Python) and what is built on it",
    cards: CARDS,
    sources: &[
        "bleak 3.1 bleak/exc.py and bleak/backends",
        "bleak-retry-connector 4.7",
        "habluetooth 7.1",
    ],
    ..Namespace::NONE
};

const CARDS: &[Card] = &[
    word("not-performed-yet", "Service Discovery has not been performed yet", "bleak: the list of services is empty because the link is gone already, or connecting has not finished. The cause lies before this text.")
        .decides("How the link ended just before: in the log `disconnected` or `Connected False`, in the capture Disconnection Complete. Without one the program looked too early.")
        .rules(&["supervision-timeout-0x08", "ota-erase-silence", "bootloader-reboot-address-change"]),
    word("discover-failed", "failed to discover services, device disconnected", "bleak: the link was lost between connected and services resolved. The same words stand for the device hanging up and for this host hanging up.")
        .named(&["failed to discover services"])
        .decides("bluetoothd's `disconnected, reason N`: 3 is the device, 2 is this host (another program, or a time limit); or the reason in Disconnection Complete.")
        .codes(&[Status::REMOTE_USER_TERMINATED, Status::LOCAL_HOST_TERMINATED])
        .rules(&["discovery-order-or-volume-difference", "peer-hangs-up-on-deadline", "connection-cancelled-by-app"]),
    word("device-not-found", "BleakDeviceNotFoundError", "bleak: the operating system has never heard this device, or has forgotten it. No connect was tried.")
        .named(&["device with address", "bleaknotfounderror"])
        .likely("The device does not advertise now, is out of range, connected to somebody else, or advertises under another private address. Scan first, and hand the found device to BleakClient.")
        .rules(&["peer-gone-or-moved", "rpa-identity-mismatch", "attempt-not-in-this-capture"]),
    word("characteristic-not-found", "BleakCharacteristicNotFoundError", "bleak: the characteristic is not in the list of services.")
        .named(&["characteristic not found", "bleakcharacteristicnotfound"])
        .likely("An old cache, another mode of the device (bootloader), or a list that was read before BlueZ had filled it.")
        .rules(&["gatt-cache-stale", "bootloader-reboot-address-change", "never-usable-connection"]),
    word("not-connected", "Not connected", "The link is gone, or was never established. The cause lies before this text."),
    word("timeout", "TimeoutError", "The program's own time limit ran out; it has no other meaning, and no text. The attempt may still have been under way.")
        .named(&["asyncio.exceptions.timeouterror", "asyncio.timeouterror", "bleaktimeouterror", "timed out trying to connect"])
        .likely("During connect(): the device did not advertise or was not heard within the limit; or a discovery was still running, and Linux begins a connect up to 10 s late then. During a read or write: an answer that never came.")
        .decides("The capture: no LE Create Connection is a waiting host, a cancelled one (status 0x02) an absent device, 0x3E a silent one, an open ATT request a silent server.")
        .rules(&["create-conn-timeout-cancel", "att-request-unanswered", "att-transaction-timeout-30s", "background-connect-accept-list-stall"]),
    word("dbus-error", "BleakDBusError", "bleak passes on what BlueZ or the D-Bus said: the name in brackets and the text behind it say more.").carries(),
    word("gatt-protocol-error", "BleakGATTProtocolError", "The device, or BlueZ in its place, answered with an ATT error; its name stands beside it.")
        .named(&["gatt protocol error"]).carries(),
    word("bluetooth-not-available", "BleakBluetoothNotAvailableError", "bleak: no Bluetooth adapter, switched off, or not allowed to this program.")
        .named(&["bluetooth device is turned off", "no bluetooth adapters found", "no powered bluetooth adapters found"])
        .rules(&["suspend-or-power"]),
    word("retry-abort", "retry due to le-connection-abort-by-local", "bleak tries again by itself inside the same connect(): one call can be many links.")
        .rules(&["never-heard-retry-loop"])
        .codes(&[Status::FAILED_TO_BE_ESTABLISHED, Status::PIN_OR_KEY_MISSING]).carries(),
    word("skip-connect", "skipping calling \"Connect\" since", "A link of an earlier life of the program is used: no connect is in the capture.")
        .rules(&["client-vanished-link-stays"]),
    word("device-disconnected", "Device disconnected (/org/bluez", "bleak: BlueZ said that the link is gone. It does not say why."),
    word("out-of-slots", "BleakOutOfConnectionSlotsError", "bleak-retry-connector: no adapter or proxy has a free connection slot.")
        .named(&["no backend with an available connection slot", "out of connection slots", "connection slots"])
        .rules(&["adapter-slots-exhausted"]),
    word("aborted", "BleakAbortedError", "bleak-retry-connector gave up after repeated aborts.")
        .likely("0x3E again and again; its advice about interference and range is the same for every cause.")
        .codes(&[Status::FAILED_TO_BE_ESTABLISHED])
        .rules(&["never-heard-retry-loop"]),
    word("connection-error", "BleakConnectionError", "bleak-retry-connector gave up; the text behind it is that of the last failure.").carries(),
    word("failed-after-attempts", "Failed to connect after", "bleak-retry-connector gave up. It counts calls of connect(), not links: one call can be many links.")
        .rules(&["never-heard-retry-loop"]).carries(),
    word("backing-off", "backing off:", "bleak-retry-connector waits and tries again: no failure of its own."),
    word("disconnected-error", "BleakDisconnectedError", "The link ended during the call. The cause lies before this text.")
        .named(&["disconnected during operation", "device disconnected while"]),
    word("interference", "Interference/range", "Home Assistant's general advice: it is printed for every cause and proves none.")
        .named(&["interference/range issues", "interference or range"]),
    word("paths", "connection path(s), preferred order", "Home Assistant lists the radios that heard the device, the preferred one first. Only an attempt through an adapter of this host (`hciN`) is in this host's captures.")
        .rules(&["attempt-not-in-this-capture"]),
    word("not-connectable", "No connectable", "Home Assistant: no radio that can connect hears the device now.")
        .named(&["not reachable by any bluetooth adapter", "no longer reachable"])
        .rules(&["attempt-not-in-this-capture", "peer-nonconnectable"]),
    word("notify-acquired", "Notify acquired", "Another program has taken this characteristic's notifications for itself.")
        .named(&["org.bluez.error.notifyacquired"]),
    word("end-of-file", "EOFError", "The D-Bus connection was closed: bluetoothd or the bus was restarted.")
        .rules(&["local-stack-stopped"]),
];
