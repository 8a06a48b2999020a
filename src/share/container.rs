//! The file that a replaced capture is written into: of the kind that it was, where there is a writer for it.
use super::replace::Held;
use crate::capture::btsnoop::Datalink;
use crate::capture::{Kind, Payload, Record, WriteError, btsnoop, packetlogger, pcap, pcapng};
use std::io::Write;

/// What the records of a capture need of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// There are Linux monitor records.
    pub monitor: bool,
    /// Some record names its adapter.
    pub adapters: bool,
    /// Some record has no time.
    pub untimed: bool,
    /// Some record has a kind that only PacketLogger knows.
    pub notes: bool,
}

impl Needs {
    pub fn see(&mut self, record: &Record<'_>) {
        self.monitor |= matches!(record.kind, Kind::Monitor(_));
        self.adapters |= record.adapter.is_some();
        self.untimed |= record.time.is_none();
        self.notes |= matches!(record.kind, Kind::Note(_));
    }
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// btsnoop, as Android and btmon write it.
    Btsnoop(Datalink),
    /// PacketLogger, as Apple writes it.
    PacketLogger {
        /// The least significant byte is first.
        little: bool,
    },
    /// pcap.
    Pcap {
        /// The records are those of the Linux monitor.
        monitor: bool,
    },
    /// pcapng.
    Pcapng {
        /// The records are those of the Linux monitor.
        monitor: bool,
    },
    /// Text, of the tool that it came from.
    Text,
    /// A log, beside a capture.
    Log,
}

impl Container {
    /// The kind of file for a capture of this format.
    pub fn of(format: &str, variant: &str, needs: Needs) -> Self {
        let monitor = needs.monitor;
        match format {
            "btsnoop" if variant.starts_with("H1") => Self::Btsnoop(Datalink::H1),
            "btsnoop" if variant.starts_with("H4") => Self::Btsnoop(Datalink::H4),
            "packetlogger" => Self::PacketLogger { little: variant == "little-endian" },
            "pcapng" if !needs.untimed => Self::Pcapng { monitor },
            // pcap has one link type, and 201 does not tell adapters apart.
            "pcap" if !needs.untimed && (monitor || !needs.adapters) => Self::Pcap { monitor },
            _ if monitor || needs.adapters => Self::Btsnoop(Datalink::Monitor),
            "btsnoop" => Self::Btsnoop(Datalink::Monitor),
            _ => Self::Btsnoop(Datalink::H4),
        }
    }

    /// The kind of file that a name's ending asks for.
    pub fn of_ending(ending: &str, needs: Needs) -> Option<Self> {
        let monitor = needs.monitor;
        Some(match ending.to_ascii_lowercase().as_str() {
            "btsnoop" | "snoop" | "log" | "cfa" if monitor || needs.adapters => {
                Self::Btsnoop(Datalink::Monitor)
            }
            "btsnoop" | "snoop" | "log" | "cfa" => Self::Btsnoop(Datalink::H4),
            "pklg" => Self::PacketLogger { little: false },
            "pcap" => Self::Pcap { monitor },
            "pcapng" => Self::Pcapng { monitor },
            _ => return None,
        })
    }

    /// The usual ending of its name.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Btsnoop(_) => "btsnoop",
            Self::PacketLogger { .. } => "pklg",
            Self::Pcap { .. } => "pcap",
            Self::Pcapng { .. } => "pcapng",
            Self::Text | Self::Log => "txt",
        }
    }

    /// The reader's name for it.
    pub fn format(self) -> &'static str {
        match self {
            Self::Btsnoop(_) => "btsnoop",
            Self::PacketLogger { .. } => "packetlogger",
            Self::Pcap { .. } => "pcap",
            Self::Pcapng { .. } => "pcapng",
            Self::Text | Self::Log => "",
        }
    }
}

/// Writes replaced records.
pub enum Writer<W: Write> {
    Btsnoop(btsnoop::Writer<W>),
    PacketLogger(packetlogger::Writer<W>),
    Pcap(pcap::Writer<W>),
    Pcapng(Box<pcapng::Writer<W>>),
}

impl<W: Write> Writer<W> {
    pub fn new(container: Container, output: W) -> Result<Self, WriteError> {
        Ok(match container {
            Container::Btsnoop(datalink) => Self::Btsnoop(btsnoop::Writer::new(output, datalink)?),
            Container::PacketLogger { little: true } => {
                Self::PacketLogger(packetlogger::Writer::little_endian(output))
            }
            Container::PacketLogger { little: false } => {
                Self::PacketLogger(packetlogger::Writer::big_endian(output))
            }
            Container::Pcap { monitor: true } => Self::Pcap(pcap::Writer::monitor(output)?),
            Container::Pcap { monitor: false } => Self::Pcap(pcap::Writer::new(output)?),
            Container::Pcapng { monitor: true } => {
                Self::Pcapng(Box::new(pcapng::Writer::monitor(output)?))
            }
            Container::Text | Container::Log => {
                return Err(WriteError::Unfit("text is written line by line"));
            }
            Container::Pcapng { monitor: false } => {
                Self::Pcapng(Box::new(pcapng::Writer::new(output)?))
            }
        })
    }

    /// Writes a record with its time moved. False where the file has no place for it.
    pub fn push(&mut self, held: &Held, shift: i64) -> Result<bool, WriteError> {
        let time = held.time.map(|time| crate::time::Timestamp(time.0.saturating_add(shift)));
        let record = Record {
            frame: 0,
            offset: 0,
            time,
            adapter: held.adapter,
            direction: held.direction,
            kind: held.kind,
            payload: Payload::Bytes(&held.clean.bytes),
            original_len: held.original_len,
            comment: None,
        };
        let written = match self {
            Self::Btsnoop(writer) => {
                writer.lost(held.lost);
                writer.push(&record)
            }
            Self::PacketLogger(writer) => writer.push(&record),
            Self::Pcap(writer) => writer.push(&record),
            Self::Pcapng(writer) => {
                writer.lost(held.lost);
                writer.push(&record)
            }
        };
        match written {
            Ok(()) => Ok(true),
            Err(WriteError::Unfit(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub fn finish(self) -> Result<W, WriteError> {
        match self {
            Self::Btsnoop(writer) => writer.finish(),
            Self::PacketLogger(writer) => writer.finish(),
            Self::Pcap(writer) => writer.finish(),
            Self::Pcapng(writer) => writer.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_stays_of_its_kind_where_there_is_a_writer() {
        let plain = Needs::default();
        let monitor = Needs { monitor: true, adapters: true, ..plain };
        let of = |format, variant, needs| Container::of(format, variant, needs);
        assert_eq!(of("btsnoop", "H4 (1002)", plain), Container::Btsnoop(Datalink::H4));
        assert_eq!(of("btsnoop", "H1 (1001)", plain), Container::Btsnoop(Datalink::H1));
        let linux = Container::Btsnoop(Datalink::Monitor);
        assert_eq!(of("btsnoop", "Linux monitor (2001)", plain), linux);
        assert_eq!(of("monitor-stream", "", monitor), linux);
        assert_eq!(of("hcidump", "", plain), Container::Btsnoop(Datalink::H4));
        assert_eq!(of("pcapng", "", monitor), Container::Pcapng { monitor: true });
        assert_eq!(
            of("pcapng", "", Needs { untimed: true, ..plain }),
            Container::Btsnoop(Datalink::H4)
        );
        assert_eq!(of("pcap", "", plain), Container::Pcap { monitor: false });
        assert_eq!(
            of("pcap", "", Needs { adapters: true, ..plain }),
            linux,
            "USB with two adapters"
        );
        let little = Container::PacketLogger { little: true };
        assert_eq!(of("packetlogger", "little-endian", plain), little);
    }
}
