//! hcidump's text: decoded (versions 1 to 5), or raw with `-R`.
//!
//! Decoded text leaves much out: of LE Connection Complete the interval and timeout, of read
//! responses the value. What is printed of a packet is the beginning of its bytes or its
//! fields; the rest is marked as missing, never filled in.
use super::super::stream::Stream;
use super::super::{
    Boxed, CaptureError, Claim, Description, Format, Head, Kind, OpenOptions, Record, Source,
    Warning,
};
use super::lines;
use super::transcript::{Shown, Start, Transcript};
use crate::packet::Opcode;
use crate::packet::outline::{Data, Extent, Outline, Shape};
use data::Protocol;
use header::{Details, Header, Line, What};

mod commands;
mod data;
mod events;
mod fixed;
mod header;
mod raw;

pub(crate) use raw::FORMAT as RAW;

pub(crate) const FORMAT: Format = Format { name: "hcidump-text", claim, open };

/// What is said of a text in which something is missing.
const LACKS: &str = "hcidump's decoded text leaves out parts of packets (of LE Connection Complete the interval and the timeouts, of read responses the values): what is missing is unknown, and no finding is made from it; a file of `btmon -w` or `hcidump -w` has all";

fn claim(head: &Head<'_>) -> Claim {
    let lines = lines::of_head(head);
    let count = |test: fn(&str) -> bool| lines.iter().filter(|line| test(line)).count();
    let headers =
        count(|line| matches!(Line::parse(line), Line::Header(header) if !header.what.is_cut()));
    // btmon prints some of the same lines, where a paste lost their right-hand side.
    let btmon = count(|line| {
        ["ACL Data ", "@ MGMT", "= Note:", "Bluetooth monitor ver", "= New Index"]
            .iter()
            .any(|mark| line.contains(mark))
    });
    if btmon > 0 { Claim::NONE } else { Claim::chain(u32::try_from(headers).unwrap_or(1 << 20)) }
}

fn open(mut stream: Stream, options: &OpenOptions) -> Result<Boxed, CaptureError> {
    let (lines, _) = lines::ahead(&mut stream)?;
    let first = lines.iter().find_map(|line| match Line::parse(line) {
        Line::Header(header) => Some(header.when),
        _ => None,
    });
    Ok(Box::new(Reader {
        text: Transcript::new(stream, options, first.flatten()),
        open: None,
        details: Details::default(),
        bytes: Vec::new(),
        parameters: Vec::new(),
    }))
}

struct Reader {
    text: Transcript,
    /// The packet whose details are being gathered, and where it begins.
    open: Option<(Header, u64)>,
    details: Details,
    /// What is printed of the packet that is lent, as bytes.
    bytes: Vec<u8>,
    /// The parameters of its outline.
    parameters: Vec<u8>,
}

impl Reader {
    /// Gathers the lines of one packet.
    fn gather(&mut self) -> Result<Option<(Header, u64)>, CaptureError> {
        self.details.clear();
        loop {
            if !self.text.next_line()? {
                let last = self.open.take();
                if last.is_none() {
                    self.text.finish()?;
                }
                return Ok(last);
            }
            let line = self.text.line();
            match Line::parse(line.certain()) {
                Line::Header(header) => {
                    let begun = (header, line.offset());
                    if let Some(complete) = self.open.replace(begun) {
                        return Ok(Some(complete));
                    }
                }
                Line::Puzzle => {
                    self.text.puzzle();
                    // What stands below it belongs to no packet, least of all to the one before.
                    if let Some(complete) = self.open.take() {
                        return Ok(Some(complete));
                    }
                }
                Line::Detail if self.open.is_some() && !line.certain().is_empty() => {
                    self.details.push(line.certain());
                }
                Line::Detail => {}
            }
        }
    }
}

/// How much of a packet is there.
struct Printed {
    kind: Kind,
    original: usize,
}

/// Writes the beginning of a command or event as far as it is printed.
fn prefix(what: What, details: &Details, bytes: &mut Vec<u8>) -> Option<Printed> {
    let (kind, length) = match what {
        What::Command { opcode, length } => {
            bytes.extend(opcode.to_le_bytes());
            bytes.push(0);
            (Kind::Command, length)
        }
        What::Event { code, length } => {
            bytes.extend([code, 0]);
            (Kind::Event, length)
        }
        What::Acl { .. } | What::Sco { .. } => return None,
    };
    let header = bytes.len();
    details.dump(bytes);
    let dumped = bytes.len() - header;
    // Where the line lost the length, the bytes below tell it.
    let known = match length {
        None if dumped > 0 => u8::try_from(dumped).ok(),
        length => length,
    };
    if known.map(usize::from) != Some(dumped) {
        bytes.truncate(header);
        match what {
            What::Command { opcode, .. } => commands::parameters(opcode, details, bytes),
            What::Event { code, .. } => events::parameters(code, known, details, bytes),
            _ => {}
        }
    }
    // Then the fields, if the packet has always the same ones.
    let known = known.or_else(|| fixed::length(what));
    // More than the packet has: it was read wrongly.
    if known.is_some_and(|known| bytes.len() > header + usize::from(known)) {
        bytes.truncate(header);
    }
    // Of a packet of unknown length the end is missing.
    let length = known.unwrap_or(u8::MAX);
    if let Some(last) = header.checked_sub(1).and_then(|at| bytes.get_mut(at)) {
        *last = length;
    }
    Some(Printed { kind, original: header + usize::from(length) })
}

/// What is shown of a packet whose bytes cannot be had: its shape, and how much of it is there.
fn outline(
    header: &Header,
    details: &Details,
    parameters: &mut Vec<u8>,
) -> Option<(Shape<'static>, Extent)> {
    match header.what {
        What::Command { opcode: opcode @ 0x0405, .. } => {
            commands::create_connection(details, parameters)?;
            Some((Shape::Command(Opcode(opcode)), Extent::Part))
        }
        What::Event { code: code @ 0x03, .. } if details.hides_address() => {
            events::connection_complete(details, parameters)?;
            Some((Shape::Event(code), Extent::Part))
        }
        What::Event { code: code @ 0x3e, .. } if events::subevent(details.first()) == Some(1) => {
            events::le_connection(details, parameters)?;
            Some((Shape::Event(code), Extent::Part))
        }
        What::Acl { handle, boundary, length } => {
            let (data, extent) = match data::pdu(details, parameters) {
                Some(pdu) => {
                    // The last of several fragments shows the whole frame.
                    let whole =
                        boundary == 1 || length.map(usize::from) == Some(parameters.len() + 5);
                    let data = match pdu.protocol {
                        Protocol::Att => Data::Att { cid: 4, opcode: pdu.code },
                        Protocol::Smp => Data::Smp { cid: 6, code: pdu.code },
                    };
                    (data, Extent::unread_unless(whole))
                }
                None => (other_data(boundary, details), Extent::Part),
            };
            Some((Shape::Acl { handle: Some(handle), len: length.unwrap_or(0), data }, extent))
        }
        What::Sco { handle, length } => {
            let shape = Shape::Sco { handle, len: length.unwrap_or(0) };
            Some((shape, Extent::part_unless(length.is_some())))
        }
        _ => None,
    }
}

/// Data of which only the channel is printed, or nothing: then it completes no frame.
fn other_data(boundary: u8, details: &Details) -> Data {
    match details.first().strip_prefix("L2CAP(") {
        Some(_) => {
            let cid = details.number("cid").and_then(|cid| u16::try_from(cid).ok());
            let psm =
                details.word("[psm").and_then(|psm| header::number(psm.trim_end_matches(']')));
            let psm = psm.and_then(|psm| u16::try_from(psm).ok()).filter(|&psm| psm > 0);
            // Signalling shows no channel: on BR/EDR it is 1.
            Data::L2cap { cid: cid.unwrap_or(1), psm }
        }
        None => Data::Fragment { start: boundary != 1 },
    }
}

impl Source for Reader {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        let Some((header, offset)) = self.gather()? else { return Ok(None) };
        let Header { when, direction, .. } = header;
        let start = Start { offset, when, adapter: None, direction };
        self.bytes.clear();
        let printed = prefix(header.what, &self.details, &mut self.bytes);
        let (kind, original) = match header.what {
            What::Acl { length, .. } => (Kind::Acl, 4 + usize::from(length.unwrap_or(0))),
            What::Sco { length, .. } => (Kind::Sco, 3 + usize::from(length.unwrap_or(0))),
            _ => printed.map_or((Kind::Empty, 0), |printed| (printed.kind, printed.original)),
        };
        let whole = self.bytes.len() == original;
        self.parameters.clear();
        let outline =
            if whole { None } else { outline(&header, &self.details, &mut self.parameters) };
        let shown = match outline {
            Some((shape, extent)) => {
                let parameters = self.parameters.as_slice();
                Shown::Outline(kind, Outline { shape, parameters, extent }, original)
            }
            None => Shown::Prefix(kind, &self.bytes, original),
        };
        Ok(Some(self.text.record(start, shown)))
    }

    fn describe(&self) -> Description {
        let clock = self.text.clock();
        Description { format: FORMAT.name, variant: "decoded".into(), clock, resolution_us: 1 }
    }

    fn warnings(&self) -> Vec<Warning> {
        self.text.warnings(Some(LACKS))
    }
}
