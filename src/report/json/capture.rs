//! A capture, its logs, and what their lines have to do with the packets.
use super::air::Air;
use super::connection::Connection;
use super::{FromOne, objects, outside};
use crate::capture::WarningKind;
use crate::report::{Report, line};
use crate::time::{Clock, Timestamp};
use crate::timeline::{self, FitnessKind, Stack};
use crate::witness::{self, Kind, LogClock, RelationKind, Testimony};
use serde::Serialize;
use serde::ser::Serializer;

objects! {
    Capture<'a> {
        adapters: Vec<Adapter>,
        #[cfg_attr(test, schemars(with = "Vec<Connection<'a>>"))]
        connections: Connections<'a>,
        duration_s: Option<f64>,
        first_time: Option<String>,
        fitness: Vec<Fitness>,
        #[cfg_attr(test, schemars(extend("enum" = [
            "btsnoop", "packetlogger", "pcap", "pcapng", "hcidump", "btsnooz", "monitor-stream", "btmon-text",
            "packetlogger-text", "hcidump-text", "hex-text", "log",
        ])))]
        format: &'static str,
        host: Option<Host>,
        label: String,
        last_time: Option<String>,
        #[cfg_attr(test, schemars(extend("pattern" = "^[^/]*$")))]
        path: String,
        records: u64,
        /// Of the file as it was given, compressed or not; of an archive's member, where `path` names one. Null where the file could not be read to its end, or nobody asked for it.
        #[cfg_attr(test, schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
        sha256: Option<String>,
        warnings: Vec<Warning>,
        witnesses: Vec<Witness>,
    }

    Adapter {
        address: Option<String>,
        index: Option<u16>,
        manufacturer: Option<u16>,
        name: Option<String>,
        version: Option<u8>,
    }

    Host {
        guessed: bool,
        stack: Stack,
        version: Option<String>,
    }

    Warning {
        code: WarningKind,
        frame: Option<u32>,
        offset: Option<u64>,
        text: String,
    }

    Fitness {
        code: FitnessKind,
        remedy: String,
        says: String,
    }

    /// A log, and how it lies against the capture.
    Witness {
        /// Of an air capture alone.
        #[serde(skip_serializing_if = "Option::is_none")]
        air: Option<Air>,
        aligned: bool,
        anchors: usize,
        /// Lines that say something about a connection.
        claims: u64,
        clock: LogClock,
        drift_ppm: Option<f64>,
        kind: Kind,
        /// Of a D-Bus capture: its messages.
        lines: u64,
        #[cfg_attr(test, schemars(range(min = 0)))]
        offset_error_s: Option<f64>,
        /// The log's clock minus the capture's; null where it was not found, or where only the order of the lines tells.
        offset_s: Option<f64>,
        #[cfg_attr(test, schemars(extend("pattern" = "^[^/]*$")))]
        path: String,
        /// The smallest step of its times; null where it has none.
        resolution_s: Option<f64>,
    }

    /// What a line of a log has to do with the packets.
    Relation {
        connection: Option<FromOne>,
        /// HCI's status or reason, or what took the link away; of `elsewhere`, where it happened.
        #[cfg_attr(test, schemars(extend("pattern" = "^(0x[0-9a-f]{2}|adapter-removed|powered-off|reset|denied|other-time|other-adapter|other-device|after-capture|before-capture)$")))]
        detail: Option<String>,
        frame: Option<FromOne>,
        /// `context` is counted among the claims and not listed.
        #[cfg_attr(test, schemars(extend("enum" = ["cause", "echo", "contradiction", "elsewhere"])))]
        kind: RelationKind,
        says: String,
        /// The line's message, without keys and shortened.
        text: Option<String>,
        witness: Place,
    }

    /// A line of a log.
    Place {
        capture: usize,
        index: usize,
        line: FromOne,
    }
}

impl<'a> Capture<'a> {
    pub(super) fn of(report: &'a Report, at: usize) -> Self {
        let capture = &report.captures[at];
        let time = |time: Option<Timestamp>| match capture.clock {
            Clock::Utc => time?.rfc3339(),
            Clock::Local => time?.wall(),
            Clock::Relative | Clock::None => None,
        };
        let times = capture.last_time.zip(capture.first_time);
        let witnesses = report.testimonies.iter().filter(|of| of.capture == at);
        Self {
            adapters: capture.adapters.iter().map(|it| Adapter::of(report, it)).collect(),
            connections: Connections(report, at),
            duration_s: times.map(|(last, first)| (last - first).as_s()),
            first_time: time(capture.first_time),
            fitness: capture
                .fitness
                .iter()
                .map(|it| Fitness {
                    code: it.kind,
                    remedy: report.visible(&it.remedy),
                    says: report.visible(&it.says),
                })
                .collect(),
            format: capture.format,
            host: capture.host.as_ref().map(|host| Host {
                guessed: host.guessed,
                stack: host.stack,
                version: host.version.as_deref().map(|version| outside(report, version)),
            }),
            label: outside(report, &capture.label),
            last_time: time(capture.last_time),
            path: outside(report, &capture.file),
            records: capture.totals.records,
            sha256: capture.sha256.map(hex),
            warnings: capture
                .warnings
                .iter()
                .map(|it| Warning {
                    code: it.kind,
                    frame: it.frame,
                    offset: it.offset,
                    text: outside(report, &it.text),
                })
                .collect(),
            witnesses: witnesses.map(|it| Witness::of(report, it)).collect(),
        }
    }
}

impl Adapter {
    fn of(report: &Report, adapter: &timeline::Adapter) -> Self {
        Self {
            address: adapter.address.map(|address| report.visible(&address)),
            index: adapter.index,
            manufacturer: adapter.manufacturer,
            name: adapter.name.as_deref().map(|name| report.named(name)),
            version: adapter.version,
        }
    }
}

impl Witness {
    fn of(report: &Report, testimony: &Testimony) -> Self {
        let Testimony { log, alignment, .. } = testimony;
        let seconds = |micros: i64| micros as f64 / 1e6;
        Self {
            air: testimony.air.as_ref().map(Air::of),
            aligned: alignment.aligned,
            anchors: alignment.anchors,
            claims: log.understood,
            clock: log.clock,
            drift_ppm: alignment.drift_ppm,
            kind: log.kind,
            lines: log.lines,
            offset_error_s: alignment.error.map(seconds),
            offset_s: alignment.offset.map(seconds),
            path: outside(report, &log.file),
            resolution_s: (log.resolution_us > 0).then(|| f64::from(log.resolution_us) / 1e6),
        }
    }
}

impl Relation {
    pub(super) fn of(report: &Report, testimony: &Testimony, relation: &witness::Relation) -> Self {
        let claim = testimony.claim(relation);
        Self {
            connection: relation.connection.map(FromOne),
            detail: relation.detail.map(|detail| detail.to_string()),
            frame: relation.frame.map(FromOne),
            kind: relation.kind,
            says: report.visible(&relation.says),
            text: claim.map(|claim| outside(report, &claim.text)),
            witness: Place {
                capture: testimony.capture,
                index: testimony.index,
                line: FromOne(relation.line),
            },
        }
    }
}

/// The connections of a capture.
pub(super) struct Connections<'a>(&'a Report, usize);

impl Serialize for Connections<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(report, at) = *self;
        let all = report.captures[at].connections.iter();
        to.collect_seq(all.map(|connection| Connection::of(report, at, connection)))
    }
}

fn hex(bytes: [u8; 32]) -> String {
    let mut text = String::with_capacity(64);
    line::push_hex(&mut text, &bytes);
    text
}
