//! Which host stack made the capture, and what shows it.
use super::connection::{Connection, RequestKind, Role};
use super::trace::{Host, Stack};
use crate::packet::Opcode;

/// Vendor opcodes of Android's advertising packet content filter and its neighbours.
const ANDROID_VENDOR: &[u16] = &[0xfd53, 0xfd54, 0xfd56, 0xfd57, 0xfd59, 0xfd5d, 0xfd5f];

/// A sign of a host stack, the strongest first.
#[derive(Debug, Default)]
pub(super) struct HostSigns {
    said: Option<Host>,
    kernel: Option<(u32, String)>,
    android_vendor: Option<u32>,
    apple_vendor: u64,
    apple_vendor_frame: u32,
}

impl HostSigns {
    pub fn command(&mut self, opcode: Opcode, frame: u32) {
        if ANDROID_VENDOR.contains(&opcode.0) {
            self.android_vendor.get_or_insert(frame);
        }
        if opcode.0 >= 0xfc00 {
            self.apple_vendor += 1;
            if self.apple_vendor == 1 {
                self.apple_vendor_frame = frame;
            }
        }
    }

    /// A system note, a PacketLogger note, or a process name.
    pub fn text(&mut self, frame: u32, text: &str) {
        let found = |stack, version: Option<&str>| Host {
            stack,
            version: version.map(|v| short(v).to_owned()),
            evidence_frame: Some(frame),
            evidence: format!("note `{}`", short(text)),
            guessed: false,
        };
        if let Some(version) = text.strip_prefix("Linux version ") {
            self.kernel.get_or_insert((
                frame,
                short(version.split_whitespace().next().unwrap_or("")).to_owned(),
            ));
        } else if let Some(rest) = text.strip_prefix("bluetoothd ") {
            self.say(found(Stack::BlueZ, rest.split_whitespace().last()));
        } else if text.starts_with("Bluetooth daemon ") {
            self.say(found(Stack::BlueZ, text.strip_prefix("Bluetooth daemon ")));
        } else if text.starts_with("Product: iPhone") || text.starts_with("Product: iPad") {
            self.say(found(Stack::Ios, None));
        } else if text.starts_with("Product: Mac") {
            self.say(found(Stack::MacOs, None));
        } else if let Some(version) = text
            .strip_prefix("Software: Version ")
            .or_else(|| text.strip_prefix("Software: macOS Version "))
        {
            if let Some(host) = &mut self.said
                && host.version.is_none()
            {
                host.version = Some(short(version).to_owned());
            }
        } else if text.contains("Bluetooth Host: MobileBluetooth") {
            self.say(found(Stack::Ios, None));
        } else if text.contains("OS X") && text.contains("Device") {
            self.say(found(Stack::MacOs, None));
        } else if text.contains("btstack")
            || text.contains("BTstack")
            || text.starts_with("hci.c.")
            || text.starts_with("l2cap.c.")
        {
            self.say(found(Stack::BtStack, None));
        }
    }

    /// A process that opened a Bluetooth socket.
    pub fn process(&mut self, frame: u32, process: &str) {
        if process.starts_with("bluetoothd") {
            self.say(Host {
                stack: Stack::BlueZ,
                version: None,
                evidence_frame: Some(frame),
                evidence: "process `bluetoothd` opened a socket".to_owned(),
                guessed: false,
            });
        }
    }

    fn say(&mut self, host: Host) {
        match &mut self.said {
            Some(known) if known.stack == host.stack => {
                known.version = known.version.take().or(host.version)
            }
            Some(_) => {}
            None => self.said = Some(host),
        }
    }

    /// What all signs together show. Habits alone make a guess, and say so.
    pub fn conclude(self, format: &str, connections: &[Connection]) -> Option<Host> {
        if let Some(mut host) = self.said {
            if host.stack == Stack::BlueZ
                && let Some((_, kernel)) = self.kernel
            {
                host.version = Some(match host.version {
                    Some(version) => format!("{version}, kernel {kernel}"),
                    None => format!("kernel {kernel}"),
                });
            }
            return Some(host);
        }
        if let Some((frame, kernel)) = self.kernel {
            return Some(Host {
                stack: Stack::BlueZ,
                version: Some(format!("kernel {kernel}")),
                evidence_frame: Some(frame),
                evidence: "note with the Linux version".to_owned(),
                guessed: false,
            });
        }
        let guess = |stack, frame, evidence: &str| {
            Some(Host {
                stack,
                version: None,
                evidence_frame: Some(frame),
                evidence: evidence.to_owned(),
                guessed: true,
            })
        };
        if let Some(frame) = self.android_vendor {
            return guess(Stack::Android, frame, "vendor command of Android's advertising filter");
        }
        let mut requests = connections
            .iter()
            .filter(|c| c.role == Some(Role::Central))
            .filter_map(|c| c.request.as_deref().map(|r| (c, r)))
            .filter(|(_, r)| {
                matches!(
                    r.kind,
                    RequestKind::LeCreate
                        | RequestKind::LeExtendedCreate
                        | RequestKind::LeExtendedCreateV2
                )
            });
        if format == "packetlogger" && self.apple_vendor > 20 {
            return guess(
                Stack::Ios,
                self.apple_vendor_frame,
                "PacketLogger format with Apple's vendor commands",
            );
        }
        // noble asks for 7.5-22.5 ms with 420 ms and writes the MTU request of 256 before anything was heard.
        if let Some((c, _)) = requests.clone().find(|(c, r)| {
            r.interval_min == 6
                && r.interval_max == 18
                && r.timeout == 42
                && c.mtu.is_some_and(|m| m.requested == 256)
        }) {
            return guess(
                Stack::Noble,
                c.request.as_ref().map_or(0, |r| r.frame),
                "7.5-22.5 ms, 420 ms and MTU 256 at once",
            );
        }
        if let Some((_, r)) = requests.find(|(_, r)| {
            (r.timeout == 500 || r.timeout == 2000) && r.interval_min == 24 && r.interval_max == 40
        }) && format == "btsnoop"
        {
            return guess(
                Stack::Android,
                r.frame,
                "30-50 ms with 5 s or 20 s in a phone's log format",
            );
        }
        None
    }
}

fn short(text: &str) -> &str {
    let text = text.trim_end_matches('\0').trim();
    match text.char_indices().nth(80) {
        Some((at, _)) => &text[..at],
        None => text,
    }
}

/// How to record a capture on the system that made this one.
pub(super) fn recording_advice(capture: &super::trace::Capture) -> String {
    let stack = capture.host.as_ref().map(|h| h.stack);
    match (stack, capture.format) {
        (Some(Stack::BlueZ | Stack::Noble), _) | (None, "btmon-text" | "monitor-stream" | "hcidump" | "hcidump-text") => {
            "On Linux: `sudo btmon -w capture.btsnoop`, start it before the program, stop it with Ctrl-C."
        }
        (Some(Stack::Ios), _) => {
            "On iOS: install Apple's Bluetooth logging profile, restart, repeat, then take a sysdiagnose (logs/Bluetooth/*.pklg)."
        }
        (Some(Stack::MacOs), _) | (None, "packetlogger" | "packetlogger-text") => {
            "On macOS: PacketLogger (Additional Tools for Xcode), File > New macOS Trace before connecting, then save as .pklg."
        }
        (Some(Stack::Android), _) | (None, "btsnooz") => {
            "On Android: Developer options > Enable Bluetooth HCI snoop log (Enabled), toggle Bluetooth, repeat, then `adb bugreport`."
        }
        _ => "Record the HCI from before the connection to after its end.",
    }
    .to_owned()
}
