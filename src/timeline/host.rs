//! Which host stack made the capture, and what shows it.
use super::connection::{Connection, RequestKind, Role};
use super::trace::{Host, Stack};
use crate::packet::Opcode;
use crate::redact;

/// Vendor opcodes of Android's advertising packet content filter and its neighbours.
const ANDROID_VENDOR: &[u16] = &[0xfd53, 0xfd54, 0xfd56, 0xfd57, 0xfd59, 0xfd5d, 0xfd5f];

/// A sign of a host stack, the strongest first.
#[derive(Debug, Default)]
pub(super) struct HostSigns {
    said: Option<Host>,
    /// Where the kernel named itself, and its version if it is one.
    kernel: Option<(u32, Option<String>)>,
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

    /// A system note, a PacketLogger note, or a daemon's log line. What it says beside the mark is
    /// not kept: a log may hold anything.
    pub fn text(&mut self, frame: u32, text: &str) {
        if let Some(version) = text.strip_prefix("Linux version ") {
            let version = version.split_whitespace().next().and_then(version_of);
            self.kernel.get_or_insert((frame, version));
        } else if let Some(version) = text
            .strip_prefix("Software: Version ")
            .or_else(|| text.strip_prefix("Software: macOS Version "))
        {
            if let Some(host) = &mut self.said
                && host.version.is_none()
            {
                host.version = system_version(version);
            }
        } else if let Some((mark, stack)) = mark_in(text) {
            let version = match stack {
                Stack::BlueZ => {
                    let said = text.get(mark.len()..).unwrap_or_default();
                    said.split_whitespace().next().and_then(version_of)
                }
                _ => None,
            };
            self.say(Host {
                stack,
                version,
                evidence_frame: Some(frame),
                evidence: format!("note with `{mark}`"),
                guessed: false,
            });
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
                && let Some((_, Some(kernel))) = self.kernel
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
                version: kernel.map(|kernel| format!("kernel {kernel}")),
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

/// Longer versions are none.
const LONGEST_VERSION: usize = 40;

/// What hosts write of themselves, and whose mark it is.
const BEGINNINGS: &[(&str, Stack)] = &[
    ("bluetoothd ", Stack::BlueZ),
    ("Bluetooth daemon ", Stack::BlueZ),
    ("Product: iPhone", Stack::Ios),
    ("Product: iPad", Stack::Ios),
    ("Product: Mac", Stack::MacOs),
    ("hci.c.", Stack::BtStack),
    ("l2cap.c.", Stack::BtStack),
];
const CONTENTS: &[(&str, Stack)] = &[
    ("Bluetooth Host: MobileBluetooth", Stack::Ios),
    // Of a machine only together with its `Device`.
    ("OS X", Stack::MacOs),
    ("btstack", Stack::BtStack),
    ("BTstack", Stack::BtStack),
];

/// The mark of a host stack that a text has.
fn mark_in(text: &str) -> Option<(&'static str, Stack)> {
    let begins = BEGINNINGS.iter().find(|(mark, _)| text.starts_with(mark));
    let mac = text.contains("OS X") && text.contains("Device");
    let mut contents = CONTENTS.iter().filter(|(_, stack)| mac || *stack != Stack::MacOs);
    let (mark, stack) = begins.or_else(|| contents.find(|(mark, _)| text.contains(mark)))?;
    Some((mark.trim_end(), *stack))
}

/// A word that is a version: it begins with a digit, has a dot, and nothing in it is hidden.
fn version_of(word: &str) -> Option<String> {
    let word = word.trim_end_matches('\0');
    let usual = |c: char| c.is_ascii_alphanumeric() || ".+-_~".contains(c);
    let is_version = word.len() <= LONGEST_VERSION
        && word.starts_with(|c: char| c.is_ascii_digit())
        && word.contains('.')
        && word.chars().all(usual)
        && redact::text(word) == word;
    is_version.then(|| word.to_owned())
}

/// `14.5 (Build 23F79)`, as Apple's systems write it: the version, and the build in brackets.
fn system_version(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let version = version_of(words.next()?)?;
    let build = words.next().filter(|word| *word == "(Build").and_then(|_| words.next());
    let build = build.and_then(|build| build.trim_end_matches('\0').strip_suffix(')'));
    let short = |build: &&str| {
        build.len() <= 8
            && build.chars().all(|c| c.is_ascii_alphanumeric())
            && redact::text(build) == *build
    };
    Some(match build.filter(short) {
        Some(build) => format!("{version} (Build {build})"),
        None => version,
    })
}
