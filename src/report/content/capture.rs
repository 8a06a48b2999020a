//! What one capture is, whether it is fit for a diagnosis, and who was heard in it.
use super::{Field, Paint, Section, Topic};
use crate::numbers;
use crate::prose::{Text, count, name, quoted};
use crate::report::words;
use crate::text;
use crate::time::Clock;
use crate::timeline::{Adapter, Capture, Device};
use std::collections::HashSet;

/// Most devices listed.
const MOST_DEVICES: usize = 12;

/// How long the capture is, and when it began.
pub fn time(capture: &Capture) -> Option<Text> {
    let (first, last) = (capture.first_time?, capture.last_time?);
    let begins = match capture.clock {
        Clock::Utc => first.rfc3339().map(|t| text!(", from {}", format_args!("{t}"))),
        Clock::Local => first.wall().map(|t| text!(", from {} local time", format_args!("{t}"))),
        Clock::Relative | Clock::None => None,
    };
    Some(text!("{}{}", last - first, begins))
}

/// Host, adapters, times, warnings and fitness.
pub fn facts(capture: &Capture) -> Section {
    let mut section = Section::new(Topic::Capture, "Capture");
    let file = quoted(&capture.file);
    let (records, format) = (capture.totals.records, capture.format);
    section.item("file", text!("{}, {} records, {}", file, records, format), Paint::Plain);
    if let Some(time) = time(capture) {
        section.item("time", time, Paint::Plain);
    }
    if let Some(host) = words::host(capture) {
        let evidence = capture.host.as_ref().map(|host| quoted(&host.evidence));
        section.item("host", text!("{} ({})", host, evidence), Paint::Plain);
    }
    if capture.on_air() {
        let says = "a sniffer's capture of the air: sent is what the central sent, received what the peripheral sent";
        section.item("air", says, Paint::Plain);
    }
    for adapter in capture.adapters.iter().filter(|_| !capture.on_air()) {
        section.item("adapter", self::adapter(adapter), Paint::Plain);
    }
    for warning in &capture.warnings {
        let place = warning.frame.map(|frame| text!("frame {}: ", frame));
        let says = text!("{}{}", place, quoted(&warning.text));
        section.item("warning", says, Paint::Yellow);
    }
    for fitness in &capture.fitness {
        section.item("fitness", fitness.says.clone(), Paint::Yellow);
        if !fitness.remedy.is_empty() {
            section.item("", fitness.remedy.clone(), Paint::Plain);
        }
    }
    super::air::links(
        &mut section,
        capture.connections.iter().filter_map(|c| Some((c.number, c.air.as_deref()?))),
    );
    if capture.fitness.is_empty() {
        section.item("fitness", "nothing speaks against a diagnosis", Paint::Green);
    }
    section
}

/// Who made an adapter.
pub fn maker(adapter: &Adapter) -> Option<Text> {
    let id = adapter.manufacturer?;
    let known = numbers::company(id).map(Text::fixed);
    Some(known.unwrap_or_else(|| text!("{}", format_args!("{id:#06x}"))))
}

/// Address, name, maker, version.
pub fn adapter(adapter: &Adapter) -> Text {
    let index = adapter.index.map(|index| text!("hci{}", index));
    let mut parts = vec![index.unwrap_or("unnamed".into())];
    parts.extend(adapter.address.map(|address| text!("{}", address)));
    parts.extend(adapter.name.as_deref().map(|called| Text::from(name(called))));
    parts.extend(maker(adapter));
    let version = adapter.version;
    parts.extend(version.map(|v| text!("HCI version {}", format_args!("{v:#04x}"))));
    let attempts = usize::try_from(adapter.attempts).unwrap_or(usize::MAX);
    parts.push(count(attempts, "attempt", "attempts"));
    Text::joined(parts, ", ")
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
            (0, 0) => "scan responses only".into(),
            (0, _) => "not connectable".into(),
            (c, r) if c == r => "connectable".into(),
            (c, _) => text!("connectable in {}", c),
        };
        let rssi = match (device.rssi_min, device.rssi_max) {
            (low, high) if low > high => Text::EMPTY,
            (low, high) if low == high => text!("{} dBm", low),
            (low, high) => text!("{} to {} dBm", low, high),
        };
        let called = device.name.as_deref().map(|called| Text::from(name(called)));
        let reports = usize::try_from(device.reports).unwrap_or(usize::MAX);
        vec![
            Field::from(text!("{}", device.address)),
            Field::from(device.address_type.name().unwrap_or("")),
            Field::from(called.unwrap_or_default()),
            Field::right(count(reports, "report", "reports")),
            Field::from(kind),
            Field::from(rssi),
        ]
    });
    section.table(None, rows.collect());
    if heard.len() > MOST_DEVICES {
        section.item("", text!("and {} more", heard.len() - MOST_DEVICES), Paint::Faint);
    }
    Some(section)
}
