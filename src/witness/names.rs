//! Names that a log gives to devices and to the machines that speak for them: whoever shows a log to others hides them.
use super::head::{Form, Head};
use super::reader::colon_address;
use crate::packet::Address;
use memchr::memmem;
use std::sync::LazyLock;

/// Most names that are remembered of one log.
pub(super) const MOST: usize = 256;
/// Longer words are no name.
const LONGEST: usize = 60;

/// A name, and the device that it belongs to; none: a proxy, or a device whose address the line does not say.
pub(super) type Named<'a> = (Option<Address>, &'a str);

static PATH: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(" -> "));
static VIA: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(" via "));

/// What stands behind the first occurrence of these words.
fn behind<'a>(text: &'a str, words: &memmem::Finder<'_>) -> Option<&'a str> {
    text.get(words.find(text.as_bytes())? + words.needle().len()..)
}

/// The names in a line.
pub(super) fn of(text: &str) -> impl Iterator<Item = Named<'_>> {
    let beside = colon_address(text).and_then(|(at, address)| {
        let (before, after) = (text.get(..at)?, text.get(at + ADDRESS..)?);
        // `NAME - ADDRESS: `, behind a proxy's name and a colon.
        let first = before.strip_suffix(" - ").and_then(|before| before.rsplit(": ").next());
        // `ADDRESS - NAME: `.
        let second = after.strip_prefix(" - ").and_then(|after| after.split(": ").next());
        let second = second.map(|name| name.split(" -> ").next().unwrap_or(name));
        // bluetoothctl: `[NEW] Device ADDRESS NAME`.
        let third = after.strip_prefix(' ').filter(|_| before.ends_with("[NEW] Device "));
        Some((Some(address), first.or(second).or(third)?))
    });
    // bluetoothctl's prompt has the name of the device that is connected.
    let prompt = text.strip_prefix('[').and_then(|text| text.split_once("]> ")).map(|of| of.0);
    let prompt = prompt.filter(|name| !name.starts_with("bluetooth") && !name.contains('['));
    // `… -> PROXY: Connecting via PROXY (ADDRESS)`.
    let path = behind(text, &PATH).and_then(|path| path.split(": ").next());
    let via = behind(text, &VIA).and_then(|via| via.split(" (").next());
    let proxy = |name: &&str| !name.starts_with("/org/") && !is_adapter(name);
    let machines = [path, via].into_iter().flatten().filter(proxy).chain(prompt);
    let all = beside.into_iter().chain(machines.map(|name| (None, name)));
    all.map(|(address, name)| (address, name.trim())).filter(|(_, name)| is_name(name))
}

/// The host that wrote a line of a journal: it stands between the time and the program.
pub(super) fn host<'a>(line: &'a str, head: &Head<'_>) -> Option<&'a str> {
    (head.form == Form::Journal && !head.author.is_empty()).then_some(())?;
    let before = line.get(..line.find(head.author)?)?;
    let host = before.trim_end().rsplit(' ').next()?;
    (!host.contains([':', ',', '[', ']']) && host.chars().any(char::is_alphabetic)).then_some(host)
}

/// Whether a host or a user has a name that thousands have.
pub(super) fn is_default(name: &str) -> bool {
    const DEFAULTS: [&str; 10] = [
        "homeassistant",
        "raspberrypi",
        "localhost",
        "bluetooth",
        "kernel",
        "debian",
        "ubuntu",
        "fedora",
        "root",
        "user",
    ];
    DEFAULTS.contains(&name)
}

/// How long a written address is.
const ADDRESS: usize = 17;

fn is_adapter(name: &str) -> bool {
    name.strip_prefix("hci").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_name(name: &str) -> bool {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric()).count();
    letters >= 2 && name.len() <= LONGEST && colon_address(name).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_stands_before_its_program() {
        let of = |line| host(line, &super::super::head::split(line).unwrap());
        assert_eq!(of("Nov 28 07:51:49 attic bluetoothd[264]: Exit"), Some("attic"));
        assert_eq!(of("2026-11-28T07:51:49.238613+00:00 attic bluetoothd[264]: x"), Some("attic"));
        assert_eq!(of("bluetoothd[264]: Exit"), None);
    }

    #[test]
    fn names_stand_beside_addresses_and_in_prompts() {
        let address = "F0:12:7C:AA:00:01".parse().ok();
        for (text, names) in [
            ("LabSensor - F0:12:7C:AA:00:01: Connection attempt: 1", vec![(address, "LabSensor")]),
            (
                "hall-proxy: Lab Sensor - F0:12:7C:AA:00:01: Connection state changed",
                vec![(address, "Lab Sensor")],
            ),
            (
                "F0:12:7C:AA:00:01 - LabSensor -> hall-proxy: Connecting via hall-proxy (B8:27:EB:12:34:56) [x]",
                vec![(address, "LabSensor"), (None, "hall-proxy"), (None, "hall-proxy")],
            ),
            (
                "F0:12:7C:AA:00:01 - LabSensor -> /org/bluez/hci0: Connecting via hci0 (B8:27:EB:12:34:56)",
                vec![(address, "LabSensor")],
            ),
            ("[NEW] Device F0:12:7C:AA:00:01 LabSensor", vec![(address, "LabSensor")]),
            ("[LabSensor]> Failed to pair", vec![(None, "LabSensor")]),
            ("[bluetoothctl]> [CHG] Device F0:12:7C:AA:00:01 Connected: yes", vec![]),
            ("[CHG] Device F0:12:7C:AA:00:01 Connected: yes", vec![]),
            ("Connecting to F0:12:7C:AA:00:01", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(of(text).collect::<Vec<_>>(), names, "{text}");
        }
    }
}
