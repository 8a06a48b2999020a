//! Which host stack made the capture, and what shows it.
use super::any::AnyOf;
use super::connection::{Connection, RequestKind, Role};
use super::trace::{Host, Stack};
use crate::packet::Opcode;
use crate::redact;
use std::sync::LazyLock;

/// Vendor opcodes of Android's advertising packet content filter and its neighbours.
const ANDROID_VENDOR: &[u16] = &[0xfd53, 0xfd54, 0xfd56, 0xfd57, 0xfd59, 0xfd5d, 0xfd5f];

/// A sign of a host stack, the strongest first.
#[derive(Clone, Debug, Default)]
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
        if opcode.0 >= 0xfc00 {
            if ANDROID_VENDOR.contains(&opcode.0) {
                self.android_vendor.get_or_insert(frame);
            }
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

/// Finds whether a text has any of them.
static ANY_CONTENT: LazyLock<AnyOf> =
    LazyLock::new(|| AnyOf::new(CONTENTS.iter().map(|(mark, _)| *mark)));

/// The mark of a host stack that a text has.
fn mark_in(text: &str) -> Option<(&'static str, Stack)> {
    let begins = BEGINNINGS.iter().find(|(mark, _)| text.starts_with(mark));
    if begins.is_none() && !ANY_CONTENT.is_in(text) {
        return None;
    }
    let device = text.contains("Device");
    let mut contents = CONTENTS.iter().filter(|(_, stack)| device || *stack != Stack::MacOs);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::hci::Command;
    use crate::packet::{AddressType, att};
    use crate::trace::{PEER, Trace};

    fn said(texts: &[&str]) -> Option<(Stack, Option<String>)> {
        let mut signs = HostSigns::default();
        texts.iter().zip(1..).for_each(|(text, frame)| signs.text(frame, text));
        signs.conclude("btsnoop", &[]).map(|host| (host.stack, host.version))
    }

    #[test]
    fn a_host_names_itself_with_its_version() {
        let of = |texts: &[&str]| {
            said(texts).map(|(stack, version)| (stack, version.unwrap_or_default()))
        };
        let is = |stack, version: &str| Some((stack, version.to_owned()));
        assert_eq!(of(&["bluetoothd 5.66"]), is(Stack::BlueZ, "5.66"));
        assert_eq!(of(&["Linux version 6.1.21 (x)"]), is(Stack::BlueZ, "kernel 6.1.21"));
        let both = ["Linux version 6.1.21 (x)", "Bluetooth daemon 5.82"];
        assert_eq!(of(&both), is(Stack::BlueZ, "5.82, kernel 6.1.21"));
        assert_eq!(
            of(&["Linux version 6.1.21", "bluetoothd 5"]),
            is(Stack::BlueZ, "kernel 6.1.21")
        );
        assert_eq!(of(&["bluetoothd 5.66", "bluetoothd 5.82"]), is(Stack::BlueZ, "5.66"));
        assert_eq!(of(&["bluetoothd ", "bluetoothd 5.82"]), is(Stack::BlueZ, "5.82"));
        let phone = ["Product: iPhone14,5", "Software: Version 17.5 (Build 21F79)"];
        assert_eq!(of(&phone), is(Stack::Ios, "17.5 (Build 21F79)"));
        assert_eq!(of(&["Product: iPhone14,5", "Linux version 6.1.21"]), is(Stack::Ios, ""));
        assert_eq!(
            of(&["Product: Mac14,2", "Software: macOS Version 14.5"]),
            is(Stack::MacOs, "14.5")
        );
        let again = [phone[0], phone[1], "Software: Version 18.0"];
        assert_eq!(of(&again), is(Stack::Ios, "17.5 (Build 21F79)"));
        assert_eq!(of(&["Software: Version 17.5"]), None, "a version of nothing");
        // Of a machine only together with its device.
        assert_eq!(of(&["Mac OS X", "no stack"]), None);
        assert_eq!(of(&["Mac OS X 10.9, Device 3"]), is(Stack::MacOs, ""));
        assert_eq!(of(&["a btstack note"]), is(Stack::BtStack, ""));
        assert_eq!(of(&["nothing"]), None);
    }

    #[test]
    fn a_version_is_a_short_word_of_digits_and_a_dot() {
        assert!(version_of("5.66").is_some() && version_of("5.66\0").is_some());
        assert!(version_of("v5.66").is_none() && version_of("566").is_none());
        assert!(version_of("5.66/x").is_none());
        assert!(version_of("1.00112233445566778899aabbccddeeff").is_none(), "it may be a key");
        let long = |length: usize| format!("1.{}", "2".repeat(length - 2));
        let hidden = |word: &str| redact::text(word) != word;
        assert!(version_of(&long(41)).is_none());
        assert!(hidden(&long(40)) || version_of(&long(40)).is_some());
        let build = |build: &str| system_version(&format!("14.5 (Build {build})"));
        assert_eq!(build("23F79").as_deref(), Some("14.5 (Build 23F79)"));
        assert_eq!(build("23XYZ789").as_deref(), Some("14.5 (Build 23XYZ789)"));
        assert_eq!(build("23XYZ7890").as_deref(), Some("14.5"));
        assert_eq!(build("23-F7").as_deref(), Some("14.5"));
        assert_eq!(system_version("14.5 Build 23F79)").as_deref(), Some("14.5"));
        assert_eq!(system_version("soon"), None);
    }

    #[test]
    fn a_process_tells_only_where_it_is_the_daemon() {
        let of = |process| {
            let mut signs = HostSigns::default();
            signs.process(7, process);
            signs
                .conclude("btsnoop", &[])
                .map(|host| (host.stack, host.evidence_frame, host.guessed))
        };
        assert_eq!(of("bluetoothd"), Some((Stack::BlueZ, Some(7), false)));
        assert_eq!(of("bluetoothctl"), None);
    }

    #[test]
    fn commands_of_a_maker_make_a_guess() {
        let of = |format: &str, opcodes: &[u16]| {
            let mut signs = HostSigns::default();
            opcodes
                .iter()
                .zip(1..)
                .for_each(|(opcode, frame)| signs.command(Opcode(*opcode), frame));
            signs.conclude(format, &[]).map(|host| (host.stack, host.evidence_frame, host.guessed))
        };
        for opcode in [0xfd53, 0xfd54, 0xfd56, 0xfd57, 0xfd59, 0xfd5d, 0xfd5f] {
            assert_eq!(of("btsnoop", &[0x2005, opcode]), Some((Stack::Android, Some(2), true)));
        }
        assert_eq!(of("btsnoop", &[0xfd55]), None);
        let apples = |count: usize| {
            let mut opcodes = vec![0x2005, 0x0c03];
            opcodes.extend(vec![0xfc00; count]);
            opcodes
        };
        assert_eq!(of("packetlogger", &apples(21)), Some((Stack::Ios, Some(3), true)));
        assert_eq!(of("packetlogger", &apples(20)), None);
        assert_eq!(of("btsnoop", &apples(21)), None);
        assert_eq!(of("packetlogger", &[0xfbff; 30]), None);
    }

    #[test]
    fn parameters_of_a_request_make_a_guess() {
        let asks = |min, max, timeout, mtu| {
            let create = Command::LeCreateConnection {
                le_scan_interval: 0x60,
                le_scan_window: 0x60,
                initiator_filter_policy: 0,
                peer_address_type: AddressType::RANDOM,
                peer_address: PEER,
                own_address_type: 0,
                connection_interval_min: min,
                connection_interval_max: max,
                max_latency: 0,
                supervision_timeout: timeout,
                min_ce_length: 0,
                max_ce_length: 0,
            };
            let ask = att::Pdu::ExchangeMtuRequest { client_rx_mtu: mtu };
            let answer = att::Pdu::ExchangeMtuResponse { server_rx_mtu: 247 };
            Trace::new().taken(create).connected().features().exchange(ask, answer)
        };
        let of = |trace: Trace, format| {
            let connections = trace.run().connections;
            let host = HostSigns::default().conclude(format, &connections);
            host.map(|host| (host.stack, host.guessed))
        };
        let noble = Some((Stack::Noble, true));
        assert_eq!(of(asks(6, 18, 42, 256), "btsnoop"), noble);
        for (min, max, timeout, mtu) in
            [(7, 18, 42, 256), (6, 19, 42, 256), (6, 18, 43, 256), (6, 18, 42, 257)]
        {
            assert_eq!(
                of(asks(min, max, timeout, mtu), "btsnoop"),
                None,
                "{min} {max} {timeout} {mtu}"
            );
        }
        let android = Some((Stack::Android, true));
        assert_eq!(of(asks(24, 40, 500, 517), "btsnoop"), android);
        assert_eq!(of(asks(24, 40, 2000, 517), "btsnoop"), android);
        assert_eq!(of(asks(24, 40, 500, 517), "pcap"), None);
        for (min, max, timeout) in [(24, 40, 501), (25, 40, 500), (24, 41, 500), (24, 40, 2001)] {
            assert_eq!(of(asks(min, max, timeout, 517), "btsnoop"), None, "{min} {max} {timeout}");
        }
        // Who was asked asks for nothing.
        let asked = Trace::new().connected_as(1, 24, 0, 500).mtu();
        assert_eq!(of(asked, "btsnoop"), None);
    }

    /// What is longer than any version is none.
    #[test]
    fn a_version_is_no_longer_than_forty_letters() {
        let of = |letters: usize| version_of(&format!("5.{:-<1$}", "66", letters - 2)).is_some();
        assert!(of(4) && of(40) && !of(41));
        assert_eq!(version_of("566"), None, "a number alone is none");
    }
}
