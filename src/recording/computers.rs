//! Linux, macOS and Windows.
use super::{Instructions, Lack};

pub(super) const BLUEZ: Instructions = Instructions {
    id: "bluez",
    name: "Linux with BlueZ",
    short: "On Linux: `sudo btmon -w capture.btsnoop`, start it before the program, stop it with Ctrl-C.",
    steps: &[
        "Disconnect the device: `bluetoothctl disconnect ADDRESS`.",
        "Start recording: `sudo btmon -w capture.btsnoop`; or `sudo hcidiff record -o capture.btsnoop`, which prints each attempt as it ends and then the report.",
        "Start the program that fails, and wait until it has failed.",
        "Stop recording with Ctrl-C.",
    ],
    worked: "btmon prints packets while the program runs, and `hcidiff capture.btsnoop` lists an attempt.",
    beside: &[
        "The daemon's log: `journalctl -u bluetooth -o short-precise > bluetooth.log`.",
        "The kernel's log, for the adapter itself: `journalctl -k -o short-precise > kernel.log`.",
        "What the program prints, with times.",
    ],
    again: &[
        (
            Lack::Adapter,
            "btmon records all adapters. `bluetoothctl list` shows them and which one is the default: let the program use that one, or name it in the program. An adapter that a program drives over USB by itself is not among them: record that with `usbmon`.",
        ),
        (Lack::Packets, "Record into memory: `sudo btmon -w /dev/shm/capture.btsnoop`."),
        (Lack::Bytes, "Send the file that `btmon -w` writes, not what btmon prints."),
        (Lack::Times, "Send the file that `btmon -w` writes: it has times."),
        (
            Lack::OneKind,
            "Record with `sudo btmon -w capture.btsnoop`: it has commands, events and data in both directions.",
        ),
    ],
    sources: &["btmon(1)", "bluez/bluez wiki: btmon"],
};

pub(super) const NOBLE: Instructions = Instructions {
    id: "noble",
    name: "Linux with noble or bleno",
    short: BLUEZ.short,
    steps: &[
        "Start recording: `sudo btmon -w capture.btsnoop`. It sees the raw HCI socket that noble opens, too.",
        "Start the program with its own log: `DEBUG=noble*,hci* node app.js 2> noble.log`.",
        "Wait until it has failed, then stop btmon with Ctrl-C.",
    ],
    worked: "`hcidiff capture.btsnoop` names noble or its process, and lists an attempt.",
    beside: &[
        "noble's own log (`noble.log` above); hcidiff reads the packets in it as well.",
        "`ps aux | grep bluetoothd`: a second stack on the same adapter disturbs it.",
    ],
    again: &[
        (
            Lack::Adapter,
            "`NOBLE_HCI_DEVICE_ID=1` chooses hci1. With BLUETOOTH_HCI_SOCKET_USB_VID and _PID noble drives the adapter over USB and the kernel sees nothing: `sudo modprobe usbmon; sudo tshark -i usbmon0 -w capture.pcapng` records it then.",
        ),
        (Lack::Packets, "Record into memory: `sudo btmon -w /dev/shm/capture.btsnoop`."),
        (Lack::Bytes, "Send the file that `btmon -w` writes beside noble's log."),
        (
            Lack::Times,
            "Send noble's output to a file (`2> noble.log`): its lines then begin with a date.",
        ),
    ],
    sources: &[
        "noble README: environment variables",
        "debug (npm) README: dates where the output is no terminal",
    ],
};

pub(super) const HOME_ASSISTANT: Instructions = Instructions {
    id: "home-assistant",
    name: "Home Assistant with an adapter of its own",
    short: "On Home Assistant OS: run btmon in a container of the host's network (`hcidiff doctor --on home-assistant`).",
    steps: &[
        "Install the app (add-on) Advanced SSH & Web Terminal, and switch its protection mode off.",
        "In its terminal: `docker run --rm -it --privileged --net=host -v /mnt/data/supervisor/share:/share alpine sh -c 'apk add bluez-btmon && btmon -w /share/capture.btsnoop'`.",
        "In Home Assistant reload the integration of the device, and wait until it has failed.",
        "Stop with Ctrl-C; the file lies in the folder `share`.",
        "Home Assistant in a container of your own or on a plain Linux: record on the host, as on Linux with BlueZ.",
    ],
    worked: "btmon prints packets when the integration is reloaded, and `hcidiff capture.btsnoop` lists an attempt to the device.",
    beside: &[
        "Home Assistant's log with the loggers `habluetooth`, `bleak`, `bleak_retry_connector`, `homeassistant.components.bluetooth` and the integration's own at `debug`.",
        "Settings > System > Hardware: which adapter it is.",
    ],
    again: &[
        (
            Lack::Adapter,
            "Home Assistant may have connected through a Bluetooth proxy, and nothing of that is in a capture of this machine. The log names the one that it chose; switch the proxies off for a test, or see `hcidiff doctor --on home-assistant-proxy`.",
        ),
        (
            Lack::Failure,
            "Home Assistant retries through whichever adapter or proxy is nearest: keep recording until the log has the failure, and compare its time.",
        ),
        (
            Lack::Packets,
            "Record into memory first (`btmon -w /dev/shm/capture.btsnoop`), then copy the file.",
        ),
        (Lack::Bytes, "Send the file that `btmon -w` writes, not what btmon prints."),
    ],
    sources: &[
        "scyto/ha-bluetooth-audio-manager pull requests 6 and 7: btmon on Alpine is `bluez-btmon`, and needs the host's network",
        "home-assistant/core#93171: btmon is not in the image",
    ],
};

pub(super) const MACOS: Instructions = Instructions {
    id: "macos",
    name: "macOS",
    short: "On macOS: PacketLogger (Additional Tools for Xcode), File > New macOS Trace before connecting, then save as .pklg.",
    steps: &[
        "Get PacketLogger: Additional Tools for Xcode, on Apple's developer downloads (a free account is enough).",
        "PacketLogger: File > New macOS Trace.",
        "Connect with the program that is to be recorded, and wait until it has worked or failed.",
        "File > Save as `.pklg`.",
    ],
    worked: "packets scroll by while the program runs, and `hcidiff mac.pklg` lists an attempt.",
    beside: &[
        "`log stream --predicate 'subsystem == \"com.apple.bluetooth\"' --style syslog > mac.log`, started before the program.",
    ],
    again: &[
        (Lack::Bytes, "Save as `.pklg` instead of exporting text."),
        (Lack::OneKind, "Clear PacketLogger's filters before saving."),
    ],
    sources: &["Apple, Additional Tools for Xcode: PacketLogger"],
};

pub(super) const WINDOWS: Instructions = Instructions {
    id: "windows",
    name: "Windows",
    short: "On Windows: record with `wpr` and BluetoothStack.wprp, and convert with btetlparse (`hcidiff doctor --on windows`).",
    steps: &[
        "Get `BluetoothStack.wprp` from Microsoft's repository busiotools, and `btetlparse` from the Bluetooth Test Platform.",
        "As administrator: `wpr.exe -start BluetoothStack.wprp!BluetoothStack -filemode`.",
        "Connect, and wait until it has failed.",
        "`wpr.exe -stop bt.etl`, then `btetlparse -pcapng win.pcapng bt.etl`.",
    ],
    worked: "btetlparse says how many packets it wrote, and `hcidiff win.pcapng` lists an attempt.",
    beside: &["Event Viewer, Windows Logs, System: entries of BTHUSB and BthLEEnum of that time."],
    again: &[(
        Lack::Values,
        "Windows cuts attribute values on purpose. For values record the same device on another host, or with an air sniffer.",
    )],
    sources: &[
        "microsoft/busiotools, bluetooth tracing",
        "microsoft/busiotools#85: values are cut by default",
    ],
};
