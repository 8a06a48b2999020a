//! How to record a capture on each host: one table, one row a host.
//!
//! The report takes its advice from here, and `hcidiff doctor` shows a row whole: the steps, how to tell that they
//! worked, what to record beside the capture, and what to do about what recordings of that host lack.
use crate::vocabulary::vocabulary;

mod boards;
mod computers;
mod phones;

#[cfg(test)]
mod tests;

vocabulary! {
    /// What a recording lacks.
    Lack {
        Beginning "beginning",
        OneKind "one-kind",
        Values "values",
        Packets "packets",
        Adapter "adapter",
        Failure "failure",
        Control "control",
        Times "times",
        Bytes "bytes",
    }
}

impl Lack {
    /// What the recording may not be used for then.
    pub fn caution(self) -> &'static str {
        match self {
            Self::Beginning => {
                "How the link was made is not in it: do not conclude that a step at the beginning was left out."
            }
            Self::OneKind => {
                "A whole kind of packet is not in it: do not conclude that nobody asked or answered."
            }
            Self::Values => {
                "Packets are cut short: do not conclude that a value is wrong or that an answer is missing."
            }
            Self::Packets => {
                "The logger lost packets: do not conclude that a packet was never sent or never answered."
            }
            Self::Adapter => {
                "The attempt may have gone through another adapter: do not conclude that the program never tried."
            }
            Self::Failure => {
                "No attempt failed in it: do not conclude that the fault is gone, or that this recording shows it."
            }
            Self::Control => {
                "It has no command and no event: do not conclude how a link began, who ended it, or when."
            }
            Self::Times => "It has no times: do not conclude that anything was slow or late.",
            Self::Bytes => {
                "It is text that leaves bytes out: do not conclude anything from what it does not print."
            }
        }
    }

    /// What to do about it on a host whose row says nothing special.
    pub fn cure(self) -> &'static str {
        match self {
            Self::Beginning => "Start recording first, then connect.",
            Self::OneKind => "Record without a filter, in both directions.",
            Self::Values => "Record whole packets, without a snap length.",
            Self::Packets => {
                "Record onto a faster disk or into memory, and with less other traffic."
            }
            Self::Adapter => "Find out which adapter the program uses, and record that one.",
            Self::Failure => "Keep recording until it has failed, and stop only then.",
            Self::Control => {
                "Send the recording itself, or export all packets (Wireshark: File, Export Specified Packets, All packets)."
            }
            Self::Times => "Send the recorded file, not a text without times.",
            Self::Bytes => "Send the recorded file, not what a tool printed of it.",
        }
    }
}

/// A host, and how to record on it.
#[derive(Debug)]
pub struct Instructions {
    /// What to type after `hcidiff doctor --on`.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// The shortest advice, for a line of a report.
    pub short: &'static str,
    /// What to do, in order.
    pub steps: &'static [&'static str],
    /// How to tell that it worked.
    pub worked: &'static str,
    /// What to record at the same time, because the capture does not show it.
    pub beside: &'static [&'static str],
    /// What recordings of this host often lack, and how to get it there.
    pub again: &'static [(Lack, &'static str)],
    /// Who says so.
    pub sources: &'static [&'static str],
}

impl Instructions {
    /// How to record again, so that the recording does not lack that.
    pub fn again(&self, lack: Lack) -> &'static str {
        let special = self.again.iter().find(|(other, _)| *other == lack);
        special.map_or(lack.cure(), |(_, cure)| cure)
    }
}

/// All hosts.
pub const HOSTS: &[&Instructions] = &[
    &computers::BLUEZ,
    &computers::NOBLE,
    &computers::HOME_ASSISTANT,
    &boards::PROXY,
    &phones::ANDROID,
    &phones::ANDROID_9,
    &phones::ANDROID_7,
    &phones::IOS,
    &computers::MACOS,
    &computers::WINDOWS,
    &boards::ESP32,
    &boards::ZEPHYR,
];

/// The row of that id.
pub fn instructions(id: &str) -> Option<&'static Instructions> {
    HOSTS.iter().copied().find(|host| host.id == id)
}

/// The row of an Android version; of an unknown one, the newest.
pub fn android(version: Option<&str>) -> &'static Instructions {
    let major =
        version.and_then(|v| v.split(|c: char| !c.is_ascii_digit()).find(|n| !n.is_empty()));
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(..=7) => &phones::ANDROID_7,
        Some(8 | 9) => &phones::ANDROID_9,
        _ => &phones::ANDROID,
    }
}
