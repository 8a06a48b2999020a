//! What a capture says that no controller said: adapters come and go, programs
//! open sockets, daemons log, systems name themselves.
//!
//! Linux monitor records by opcode, and PacketLogger records by type.
use super::field::FieldSink;
use super::visit::{Kind, Part, Visitor};
use super::{Address, Problem};
use std::borrow::Cow;

/// A record that is no packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note<'a> {
    /// An adapter has come.
    NewIndex {
        /// 0 primary, 1 AMP.
        kind: u8,
        /// How it is attached: 1 USB, 3 UART …
        bus: u8,
        /// Its address, all zero where it is not known yet.
        address: Address,
        /// Its name in the kernel: `hci0`.
        name: Cow<'a, str>,
    },
    /// An adapter has gone.
    DeleteIndex,
    /// An adapter was opened.
    OpenIndex,
    /// An adapter was closed.
    CloseIndex,
    /// What an adapter is, once it was asked.
    IndexInfo {
        /// Its address.
        address: Address,
        /// Company identifier.
        manufacturer: u16,
    },
    /// What a controller tells its maker alone.
    VendorDiagnostic {
        /// Bytes of it.
        len: u32,
    },
    /// Of the kernel or a daemon: `Linux version 6.12 (x86_64)`, `Bluetooth subsystem version 2.22`.
    System {
        /// What it says.
        text: Cow<'a, str>,
    },
    /// A line of a daemon's log.
    UserLogging {
        /// As syslog: 3 error, 4 warning, 6 info, 7 debug; [`Note::NO_PRIORITY`] where text does not tell.
        priority: u8,
        /// The program.
        process: Cow<'a, str>,
        /// The line.
        text: Cow<'a, str>,
    },
    /// A frame that a program tells of, not one from the controller.
    UserData {
        /// It was sent, not received.
        sent: bool,
        /// The program.
        process: Cow<'a, str>,
        /// The L2CAP channel.
        cid: u16,
        /// The service that the channel belongs to.
        psm: u16,
        /// Bytes of the frame.
        len: u32,
    },
    /// A program opened a socket of the kernel's Bluetooth.
    ControlOpen {
        /// The number of the socket, until it is closed.
        cookie: u32,
        /// 0 raw, 1 user, 2 control, 0xffff logging.
        format: u16,
        /// The program.
        process: Cow<'a, str>,
    },
    /// A program closed its socket.
    ControlClose {
        /// The number of the socket.
        cookie: u32,
        /// Text names the process here too.
        process: Option<Cow<'a, str>>,
    },
    /// A PacketLogger record that is a text.
    PacketLogger {
        /// The record type: 0xf8 kernel, 0xfa error, 0xfc note, 0xfd configuration …
        kind: u8,
        /// Of syslog records.
        process: Option<Cow<'a, str>>,
        /// What it says.
        text: Cow<'a, str>,
    },
}

/// Linux monitor opcodes that are notes.
const NAMES: &[(u16, &str)] = &[
    (0, "New Index"),
    (1, "Delete Index"),
    (8, "Open Index"),
    (9, "Close Index"),
    (10, "Index Info"),
    (11, "Vendor Diagnostic"),
    (12, "System Note"),
    (13, "User Logging"),
    (14, "Control Open"),
    (15, "Control Close"),
];

/// PacketLogger types that are notes.
const KINDS: &[(u8, &str)] = &[
    (0xf7, "Syslog"),
    (0xf8, "Kernel"),
    (0xf9, "Kernel Debug"),
    (0xfa, "Error"),
    (0xfb, "Power"),
    (0xfc, "Note"),
    (0xfd, "Configuration"),
    (0xfe, "New Controller"),
];

impl<'a> Note<'a> {
    /// The priority of a log line that was read from text.
    pub const NO_PRIORITY: u8 = u8::MAX;

    /// A Linux monitor record; [`Problem::Unknown`] where the opcode is no note's.
    pub fn decode_monitor(opcode: u16, bytes: &'a [u8]) -> Result<Self, Problem> {
        let mut bytes = Bytes(bytes);
        let note = match opcode {
            0 => {
                let (kind, bus) = (bytes.u8(), bytes.u8());
                Self::NewIndex {
                    kind: kind?,
                    bus: bus?,
                    address: Address(bytes.array()?),
                    name: text(bytes.0),
                }
            }
            1 => Self::DeleteIndex,
            8 => Self::OpenIndex,
            9 => Self::CloseIndex,
            10 => Self::IndexInfo { address: Address(bytes.array()?), manufacturer: bytes.u16()? },
            11 => Self::VendorDiagnostic { len: bytes.len() },
            12 => Self::System { text: text(bytes.0) },
            13 => {
                let (priority, length) = (bytes.u8(), bytes.u8());
                let (priority, process) = (priority?, bytes.take(length?.into())?);
                match process.split_first() {
                    Some((mark @ (b'<' | b'>'), process)) => Self::UserData {
                        sent: *mark == b'<',
                        process: text(process),
                        cid: bytes.u16()?,
                        psm: bytes.u16()?,
                        // One filler byte ends the record.
                        len: bytes.len().saturating_sub(1),
                    },
                    _ => {
                        Self::UserLogging { priority, process: text(process), text: text(bytes.0) }
                    }
                }
            }
            14 => {
                let (cookie, format) = (bytes.u32()?, bytes.u16()?);
                // Version, revision and flags came later, and the name behind them.
                let process = match bytes.array::<7>().and_then(|_| bytes.u8()) {
                    Ok(length) => bytes.take(length.into())?,
                    Err(_) => &[],
                };
                Self::ControlOpen { cookie, format, process: text(process) }
            }
            15 => Self::ControlClose { cookie: bytes.u32()?, process: None },
            _ => return Err(Problem::Unknown),
        };
        Ok(note)
    }

    /// A PacketLogger record; [`Problem::Unknown`] where the type is no note's.
    pub fn decode_packetlogger(kind: u8, bytes: &'a [u8]) -> Result<Self, Problem> {
        match kind {
            // Process identifier and level, then process, sender, subsystem, category, message.
            0xf7 => {
                let mut parts =
                    bytes.get(5..).ok_or(Problem::Malformed)?.splitn(5, |&byte| byte == 0);
                let process = parts.next().ok_or(Problem::Malformed)?;
                let message = parts.nth(3).ok_or(Problem::Malformed)?;
                Ok(Self::PacketLogger { kind, process: Some(text(process)), text: text(message) })
            }
            0xf8..=0xfe => Ok(Self::PacketLogger { kind, process: None, text: text(bytes) }),
            _ => Err(Problem::Unknown),
        }
    }

    /// Monitor opcode, or PacketLogger type.
    pub fn code(&self) -> u16 {
        match self {
            Self::NewIndex { .. } => 0,
            Self::DeleteIndex => 1,
            Self::OpenIndex => 8,
            Self::CloseIndex => 9,
            Self::IndexInfo { .. } => 10,
            Self::VendorDiagnostic { .. } => 11,
            Self::System { .. } => 12,
            Self::UserLogging { .. } | Self::UserData { .. } => 13,
            Self::ControlOpen { .. } => 14,
            Self::ControlClose { .. } => 15,
            Self::PacketLogger { kind, .. } => u16::from(*kind),
        }
    }

    /// Shows the fields that a visitor may want: addresses, and what a person or a program wrote.
    /// A note is no packet of a table, so these are not all its bytes.
    pub fn visit(&self, visitor: &mut dyn Visitor) {
        let mut text =
            |name, text: &str| visitor.part(Part::new(name, Kind::Value, text.as_bytes()));
        match self {
            Self::NewIndex { address, name, .. } => {
                visitor.part(Part::new("address", Kind::OwnAddress, &address.0));
                visitor.part(Part::new("name", Kind::Value, name.as_bytes()));
            }
            Self::IndexInfo { address, .. } => {
                visitor.part(Part::new("address", Kind::OwnAddress, &address.0));
            }
            Self::System { text: it } => text("text", it),
            Self::UserLogging { process, text: it, .. } => {
                text("process", process);
                text("text", it);
            }
            Self::UserData { process, .. } | Self::ControlOpen { process, .. } => {
                text("process", process);
            }
            Self::ControlClose { process, .. } => {
                process.iter().for_each(|process| text("process", process));
            }
            Self::PacketLogger { process, text: it, .. } => {
                process.iter().for_each(|process| text("process", process));
                text("text", it);
            }
            Self::DeleteIndex
            | Self::OpenIndex
            | Self::CloseIndex
            | Self::VendorDiagnostic { .. } => {}
        }
    }

    /// Hands every field to the sink.
    pub fn fields(&self, sink: &mut dyn FieldSink) {
        match self {
            Self::NewIndex { kind, bus, address, name } => {
                sink.number("type", i64::from(*kind));
                sink.number("bus", i64::from(*bus));
                sink.text("address", address);
                sink.said("name", name);
            }
            Self::DeleteIndex | Self::OpenIndex | Self::CloseIndex => {}
            Self::IndexInfo { address, manufacturer } => {
                sink.text("address", address);
                sink.number("manufacturer", i64::from(*manufacturer));
            }
            Self::VendorDiagnostic { len } => sink.number("len", i64::from(*len)),
            Self::System { text } => sink.said("text", text),
            Self::UserLogging { priority, process, text } => {
                sink.number("priority", i64::from(*priority));
                sink.said("process", process);
                sink.said("text", text);
            }
            Self::UserData { process, cid, psm, len, .. } => {
                sink.said("process", process);
                sink.number("cid", i64::from(*cid));
                sink.number("psm", i64::from(*psm));
                sink.number("len", i64::from(*len));
            }
            Self::ControlOpen { cookie, format, process } => {
                sink.number("cookie", i64::from(*cookie));
                sink.number("format", i64::from(*format));
                sink.said("process", process);
            }
            Self::ControlClose { cookie, process } => {
                sink.number("cookie", i64::from(*cookie));
                if let Some(process) = process {
                    sink.said("process", process);
                }
            }
            Self::PacketLogger { process, text, .. } => {
                if let Some(process) = process {
                    sink.said("process", process);
                }
                sink.said("text", text);
            }
        }
    }

    /// What kind of note it is, in words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PacketLogger { kind, .. } => packetlogger_name(*kind).unwrap_or("Note"),
            _ => monitor_name(self.code()).unwrap_or("Note"),
        }
    }
}

/// Name of a Linux monitor opcode that is a note's.
pub fn monitor_name(opcode: u16) -> Option<&'static str> {
    NAMES.iter().find(|(number, _)| *number == opcode).map(|(_, name)| *name)
}

/// Name of a PacketLogger type that is a note's.
pub fn packetlogger_name(kind: u8) -> Option<&'static str> {
    KINDS.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// Text up to its NUL; what is no UTF-8 becomes U+FFFD.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let text = &bytes[..end];
    // The same as the lossy reading, but several times as fast where all is well.
    std::str::from_utf8(text).map_or_else(|_| String::from_utf8_lossy(text), Cow::Borrowed)
}

/// Bytes taken from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Problem> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Problem::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Problem::Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, Problem> {
        self.array().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Result<u16, Problem> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Problem> {
        self.array().map(u32::from_le_bytes)
    }

    fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitor_notes() {
        let index =
            Note::decode_monitor(0, b"\x00\x03\x01\xee\xff\xc0\xde\xc0hci0\0\0\0\0").unwrap();
        let address = Address([1, 0xee, 0xff, 0xc0, 0xde, 0xc0]);
        assert_eq!(index, Note::NewIndex { kind: 0, bus: 3, address, name: "hci0".into() });
        assert_eq!(index.name(), "New Index");
        let info = Note::decode_monitor(10, b"\x01\xee\xff\xc0\xde\xc0\x0f\x00").unwrap();
        assert_eq!(info, Note::IndexInfo { address, manufacturer: 15 });
        let system = Note::decode_monitor(12, b"Linux version 6.12 (x86_64)\0").unwrap();
        assert_eq!(system, Note::System { text: "Linux version 6.12 (x86_64)".into() });
    }

    #[test]
    fn a_daemons_log_line_has_its_process() {
        let line =
            Note::decode_monitor(13, b"\x07\x0bbluetoothd\0src/adapter.c:connected()\0").unwrap();
        let (process, text) = ("bluetoothd".into(), "src/adapter.c:connected()".into());
        assert_eq!(line, Note::UserLogging { priority: 7, process, text });
        let data =
            Note::decode_monitor(13, b"\x07\x05<a2dp\x41\x00\x19\x00\x01\x02\x03\x00").unwrap();
        assert_eq!(
            data,
            Note::UserData { sent: true, process: "a2dp".into(), cid: 0x41, psm: 0x19, len: 3 }
        );
    }

    #[test]
    fn sockets_are_opened_by_processes() {
        let open = b"\x01\0\0\0\x02\0\x01\x16\0\x01\0\0\0\x0bbluetoothd\0";
        let opened = Note::decode_monitor(14, open).unwrap();
        assert_eq!(
            opened,
            Note::ControlOpen { cookie: 1, format: 2, process: "bluetoothd".into() }
        );
        let old = Note::decode_monitor(14, &open[..6]).unwrap();
        assert_eq!(old, Note::ControlOpen { cookie: 1, format: 2, process: "".into() });
        assert_eq!(
            Note::decode_monitor(15, b"\x01\0\0\0").unwrap(),
            Note::ControlClose { cookie: 1, process: None }
        );
    }

    #[test]
    fn packetlogger_notes() {
        let note = Note::decode_packetlogger(0xfc, b"Mac OS Version: 14").unwrap();
        assert_eq!(
            note,
            Note::PacketLogger { kind: 0xfc, process: None, text: "Mac OS Version: 14".into() }
        );
        let syslog = b"\x20\0\0\0\x07bluetoothd\0sender\0com.apple\0category\0it happened\0";
        let line = Note::decode_packetlogger(0xf7, syslog).unwrap();
        let process = Some("bluetoothd".into());
        assert_eq!(line, Note::PacketLogger { kind: 0xf7, process, text: "it happened".into() });
    }

    #[test]
    fn short_notes_are_malformed_and_strange_ones_unknown() {
        for opcode in [0, 10, 13, 14, 15] {
            assert_eq!(Note::decode_monitor(opcode, b"\x01"), Err(Problem::Malformed), "{opcode}");
        }
        assert_eq!(Note::decode_monitor(20, b""), Err(Problem::Unknown));
        assert_eq!(Note::decode_packetlogger(0xff, b""), Err(Problem::Unknown));
        assert_eq!(Note::decode_packetlogger(0xf7, b"\0"), Err(Problem::Malformed));
        assert_eq!(Note::decode_packetlogger(0xf7, b"12345proc\0"), Err(Problem::Malformed));
    }
}
