//! Android and iOS.
use super::{Instructions, Lack};

/// What every Android needs that cuts values.
const LOGCAT: &[&str] = &["`adb logcat -v threadtime > logcat.txt`, started before connecting."];

const LAST: &str = "The log is rotated: the beginning may be in `btsnoop_hci.log.last` of the same bug report (`hcidiff --member btsnoop_hci.log.last phone.zip`). Else switch Bluetooth off and on, connect at once, and take the report at once.";

pub(super) const ANDROID: Instructions = Instructions {
    id: "android",
    name: "Android 10 and newer",
    short: "On Android: Developer options > Enable Bluetooth HCI snoop log (Enabled), toggle Bluetooth, repeat, then `adb bugreport`.",
    steps: &[
        "Settings > About phone: tap the build number seven times. In Developer options set Bluetooth HCI snoop log to Enabled, not Filtered.",
        "Switch Bluetooth off and on: the setting counts from then on.",
        "Connect, and wait until it has failed.",
        "`adb bugreport phone.zip`; hcidiff reads the zip as it is.",
    ],
    worked: "the zip holds `btsnoop_hci.log` (in FS/data/misc/bluetooth/logs, on Samsung in FS/data/log/bt). Where it holds only `btsnooz_hci.log`, the setting was not in force.",
    beside: LOGCAT,
    again: &[
        (
            Lack::Values,
            "The setting was off or on Filtered: then data packets keep only their first bytes (15 in `btsnooz_hci.log`). Set Bluetooth HCI snoop log to Enabled, switch Bluetooth off and on, and repeat.",
        ),
        (
            Lack::OneKind,
            "Filtered leaves packets out. Set Bluetooth HCI snoop log to Enabled, switch Bluetooth off and on, and repeat.",
        ),
        (Lack::Beginning, LAST),
        (Lack::Failure, LAST),
    ],
    sources: &[
        "source.android.com: Verify and debug Bluetooth",
        "AOSP: persist.bluetooth.btsnooplogmode",
    ],
};

pub(super) const ANDROID_9: Instructions = Instructions {
    id: "android-9",
    name: "Android 8 and 9",
    short: "On Android: Developer options > Enable Bluetooth HCI snoop log, toggle Bluetooth, repeat, then `adb bugreport`.",
    steps: &[
        "In Developer options switch Enable Bluetooth HCI snoop log on.",
        "Switch Bluetooth off and on.",
        "Connect, and wait until it has failed.",
        "`adb bugreport phone.zip`: the log lies where programs cannot read it, and the report is the way to it.",
    ],
    worked: ANDROID.worked,
    beside: LOGCAT,
    again: &[
        (
            Lack::Values,
            "The setting was off, and the report holds only the short log that is always kept. Switch it on, switch Bluetooth off and on, and repeat.",
        ),
        (Lack::Beginning, LAST),
    ],
    sources: ANDROID.sources,
};

pub(super) const ANDROID_7: Instructions = Instructions {
    id: "android-7",
    name: "Android 7 and older",
    short: "On Android 7 and older: Developer options > Enable Bluetooth HCI snoop log, toggle Bluetooth, repeat, then copy /sdcard/btsnoop_hci.log.",
    steps: &[
        "In Developer options switch Enable Bluetooth HCI snoop log on.",
        "Switch Bluetooth off and on.",
        "Connect, and wait until it has failed.",
        "`adb pull /sdcard/btsnoop_hci.log` (some makers: /sdcard/Android/data/btsnoop_hci.log, or /data/log/bt).",
    ],
    worked: "the file grows while Bluetooth is used.",
    beside: LOGCAT,
    again: &[(
        Lack::Beginning,
        "Each time Bluetooth is switched on the file begins anew: switch it off and on, then connect.",
    )],
    sources: &["AOSP before 8: BtSnoopFileName in bt_stack.conf"],
};

pub(super) const IOS: Instructions = Instructions {
    id: "ios",
    name: "iPhone and iPad",
    short: "On iOS: install Apple's Bluetooth logging profile, restart, repeat, then take a sysdiagnose (logs/Bluetooth/*.pklg).",
    steps: &[
        "On the phone install the Bluetooth logging profile from Apple's page Profiles and Logs, and restart it. The profile expires after some days.",
        "Live, over USB: `idevicebtlogger phone.pklg` (libimobiledevice), or PacketLogger on a Mac: File > New iOS Trace.",
        "Connect, and wait until it has worked or failed; then stop.",
        "Without a cable: take a sysdiagnose right after it (both volume buttons and the side button); hcidiff reads the archive as it is.",
    ],
    worked: "`hcidiff phone.pklg` lists an attempt; a sysdiagnose holds logs/Bluetooth/bluetoothd-hci-latest.pklg.",
    beside: &["The sysdiagnose also holds the system's log of that time."],
    again: &[
        (
            Lack::Beginning,
            "The log in a sysdiagnose is a ring: take it within minutes, or record live over USB.",
        ),
        (
            Lack::Failure,
            "The log in a sysdiagnose is a ring: take it right after the failure, or record live over USB.",
        ),
        (
            Lack::Values,
            "Without the profile the phone keeps little: install it, restart, and record again.",
        ),
        (
            Lack::OneKind,
            "`idevicebtlogger -f packetlogger` keeps all kinds of records; its `pcap` does not.",
        ),
    ],
    sources: &["Apple, Profiles and Logs: Bluetooth for iOS", "libimobiledevice: idevicebtlogger"],
};
