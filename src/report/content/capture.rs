//! What one capture is, whether it is fit for a diagnosis, and who was heard in it.
use super::{Field, Paint, Section, Topic};
use crate::numbers;
use crate::report::words;
use crate::time::Clock;
use crate::timeline::{Adapter, Capture, Device};
use std::collections::HashSet;

/// Most devices listed.
const MOST_DEVICES: usize = 12;

/// How long the capture is, and when it began.
pub fn time(capture: &Capture) -> Option<String> {
    let (first, last) = (capture.first_time?, capture.last_time?);
    let begins = match capture.clock {
        Clock::Utc => first.rfc3339().map(|t| format!(", from {t}")),
        Clock::Local => first.wall().map(|t| format!(", from {t} local time")),
        Clock::Relative | Clock::None => None,
    };
    Some(format!("{}{}", last - first, begins.unwrap_or_default()))
}

/// Host, adapters, times, warnings and fitness.
pub fn facts(capture: &Capture) -> Section {
    let mut section = Section::new(Topic::Capture, "Capture");
    section.item(
        "file",
        &format!("{}, {} records, {}", capture.file, capture.totals.records, capture.format),
        Paint::Plain,
    );
    if let Some(time) = time(capture) {
        section.item("time", &time, Paint::Plain);
    }
    if let Some(host) = words::host(capture) {
        let evidence = capture.host.as_ref().map_or("", |h| h.evidence.as_str());
        section.item("host", &format!("{host} ({evidence})"), Paint::Plain);
    }
    for adapter in &capture.adapters {
        section.item("adapter", &self::adapter(adapter), Paint::Plain);
    }
    for warning in &capture.warnings {
        let place = warning.frame.map_or_else(String::new, |frame| format!("frame {frame}: "));
        section.item("warning", &format!("{place}{}", warning.text), Paint::Yellow);
    }
    for fitness in &capture.fitness {
        section.item("fitness", &fitness.says, Paint::Yellow);
        if !fitness.remedy.is_empty() {
            section.item("", &fitness.remedy, Paint::Plain);
        }
    }
    if capture.fitness.is_empty() {
        section.item("fitness", "nothing speaks against a diagnosis", Paint::Green);
    }
    section
}

/// Who made an adapter.
pub fn maker(adapter: &Adapter) -> Option<String> {
    let id = adapter.manufacturer?;
    Some(numbers::company(id).map_or_else(|| format!("{id:#06x}"), str::to_owned))
}

/// Address, name, maker, version.
pub fn adapter(adapter: &Adapter) -> String {
    let mut parts =
        vec![adapter.index.map_or_else(|| "unnamed".to_owned(), |index| format!("hci{index}"))];
    parts.extend(adapter.address.map(|address| address.to_string()));
    parts.extend(adapter.name.as_ref().map(|name| format!("\"{name}\"")));
    parts.extend(maker(adapter));
    parts.extend(adapter.version.map(|version| format!("HCI version {version:#04x}")));
    parts.push(match adapter.attempts {
        1 => "1 attempt".to_owned(),
        attempts => format!("{attempts} attempts"),
    });
    parts.join(", ")
}

/// Advertising of the devices that somebody tried to connect to; of all where nobody did.
pub fn devices(capture: &Capture) -> Option<Section> {
    let peers = capture.connections.iter().map(|c| &c.peer);
    let known: HashSet<_> = peers
        .flat_map(|peer| [peer.address, peer.on_air, peer.identity.map(|(address, _)| address)])
        .flatten()
        .collect();
    let tried = |device: &&Device| {
        known.contains(&device.address)
            || device.identity.is_some_and(|(address, _)| known.contains(&address))
    };
    let mut heard: Vec<&Device> =
        capture.devices.iter().filter(|d| d.reports + d.scan_responses > 0).collect();
    if !capture.connections.is_empty() {
        heard.retain(|device| tried(device));
    }
    heard.sort_by_key(|device| std::cmp::Reverse(device.reports));
    if heard.is_empty() {
        return None;
    }
    let title = if capture.connections.is_empty() {
        "Heard advertising"
    } else {
        "Heard advertising, of those tried"
    };
    let mut section = Section::new(Topic::Capture, title);
    let rows = heard.iter().take(MOST_DEVICES).map(|device| {
        let kind = match (device.connectable_reports, device.reports) {
            (0, 0) => "scan responses only".to_owned(),
            (0, _) => "not connectable".to_owned(),
            (c, r) if c == r => "connectable".to_owned(),
            (c, _) => format!("connectable in {c}"),
        };
        let rssi = match (device.rssi_min, device.rssi_max) {
            (low, high) if low > high => String::new(),
            (low, high) if low == high => format!("{low} dBm"),
            (low, high) => format!("{low} to {high} dBm"),
        };
        let name = device.name.as_ref().map_or_else(String::new, |name| format!("\"{name}\""));
        vec![
            Field::from(device.address.to_string()),
            Field::from(device.address_type.name().unwrap_or("")),
            Field::from(name),
            Field::right(if device.reports == 1 {
                "1 report".to_owned()
            } else {
                format!("{} reports", device.reports)
            }),
            Field::from(kind),
            Field::from(rssi),
        ]
    });
    section.table(None, rows.collect());
    if heard.len() > MOST_DEVICES {
        section.item("", &format!("and {} more", heard.len() - MOST_DEVICES), Paint::Faint);
    }
    Some(section)
}
