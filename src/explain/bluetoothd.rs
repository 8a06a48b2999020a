//! Lines of bluetoothd's and bluetoothctl's own logs.
use super::card::{Card, Namespace, word};

pub const NAMESPACE: Namespace = Namespace {
    id: "bluetoothd",
    title: "bluetoothd or bluetoothctl",
    cards: CARDS,
    sources: &[
        "BlueZ src/device.c, src/adapter.c and src/shared",
        "laboratory captures beside bluetoothd's log",
    ],
    ..Namespace::NONE
};

const CARDS: &[Card] = &[
    word("automatic-connection-disabled", "Automatic connection disabled", "A debug line: BlueZ will not connect to this device by itself. It does not refuse a connection that the device makes, and it poisons no bond.")
        .likely("It follows a local Disconnect of a device that is not trusted, or its removal. Connect() and Pair() clear it; `bluetoothctl trust ADDRESS` lets BlueZ connect by itself."),
    word("bonding-failed", "device_bonding_failed()", "bluetoothd prints it with `status 14` (disconnected) after every disconnect, paired or not. It is no failed bonding and means nothing by itself.")
        .named(&["bonding_attempt_complete()", "device_bonding_failed", "bonding_attempt_complete", "bonding_failed"])
        .decides("Pairing Failed in the capture is a failed pairing. A status other than 14 is one, too."),
    word("proxy-removed", "proxy_removed_cb", "The program that offered the services left the D-Bus: bluetoothd removes them, and tells a connected client with Service Changed.")
        .likely("On the peripheral's side this is why the other side does not come back: it discovers again, finds the service gone, and drops its profile or bond. Stop advertising, disconnect, then exit; or keep the server in a program that stays.")
        .rules(&["service-changed-on-exit"]),
    word("send-notification", "send_notification_to_device", "bluetoothd sends a notification or indication to a client. After `proxy_removed_cb` it is Service Changed: the services are gone.")
        .rules(&["service-changed-on-exit"]),
    word("disconnected", "dev_disconnected()", "The link ended. The number behind `reason` is Linux's management reason (0 to 5), not HCI's. It is often logged twice for one event.")
        .named(&["dev_disconnected"]).carries(),
    word("connect-failed", "connect_failed_callback()", "A connect failed. The number behind `status` is Linux's management status in decimal: 8 the kernel's 20 s ran out, 14 the waiting was given up.")
        .named(&["connect_failed_callback"])
        .rules(&["create-conn-timeout-cancel"]).carries(),
    word("no-matching-connection", "No matching connection for device", "No fault: bluetoothd prints it after this host's own ordinary disconnect."),
    word("att-timeout", "Operation timed out: 0x", "bluetoothd waited 30 s for the answer to an ATT request, and then closes the link. The number is the request's opcode: 0x02 MTU, 0x0a read, 0x12 write.")
        .named(&["timeout_cb() (chan"])
        .rules(&["att-transaction-timeout-30s"]),
    word("no-agent", "No agent available for request type", "No agent is registered to confirm the pairing: it fails at once. Have one registered while the pairing runs: at the prompt of an open `bluetoothctl`, `agent NoInputNoOutput`, then `default-agent`; or in the program, with AgentManager1.RegisterAgent. A single call of `bluetoothctl agent` ends, and its agent with it.")
        .rules(&["no-pairing-agent"]),
    word("exchange-mtu", "MTU exchange complete", "The MTU was agreed; no failure."),
    word("client-ready-failed", "gatt_client_ready_cb() status: failed", "The discovery of services did not end well: as a rule the link ended during it. Look at the reason of the disconnect.")
        .named(&["status: failed, error:"]).carries(),
    word("connect-cb", "att_connect_cb()", "A link ended before ATT was up. The words behind it are Linux's, made of the HCI reason.")
        .named(&["att_connect_cb"]).carries(),
    word("att-disconnected", "att_disconnected_cb()", "The ATT channel ended. `Success (0)`: bluetoothd closed it itself after an ATT timeout.")
        .named(&["att_disconnected_cb"])
        .rules(&["att-transaction-timeout-30s"]),
    word("terminating", "bluetoothd: Terminating", "bluetoothd was stopped; all its links end. It may only be the user who started it anew.")
        .named(&["stopping sdp server"])
        .rules(&["local-stack-stopped"]),
    word("rfkill", "RFKILL event", "The adapter was switched by rfkill (`soft 1` is off): no fault of the device.")
        .rules(&["suspend-or-power"]),
    word("connected-yes", "Connected: yes", "bluetoothctl: a link is up on this host. It does not say that the device's services were found."),
    word("connected-no", "Connected: no", "bluetoothctl: the link is gone, or never was. The line with `reason` beside it says more."),
    word("failed-to-connect", "Failed to connect: org.bluez.Error", "bluetoothctl: the connect failed; the error's name and its text say more.")
        .decides("The word at the end of the line.").carries(),
    word("failed-to-pair", "Failed to pair: org.bluez.Error", "bluetoothctl: the pairing failed; the error's name says more."),
    word("host-power-off", "Failed to set power on", "The adapter cannot be switched on: rfkill, or its firmware.")
        .named(&["failed to set mode: blocked through rfkill", "blocked through rfkill"]),
];
