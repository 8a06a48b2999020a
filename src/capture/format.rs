//! The formats that can be read, and how the content of a file chooses among them.
use super::stream::Stream;
use super::{
    CaptureError, OpenOptions, Source, btsnoop, btsnooz, foreign, hcidump, monitor_stream,
    packetlogger, pcap, pcapng, text,
};
use std::cell::OnceCell;

/// A source of some format.
pub(crate) type Boxed = Box<dyn Source>;

/// A capture format: how to know it, how to read it.
pub(crate) struct Format {
    pub name: &'static str,
    pub claim: fn(&Head<'_>) -> Claim,
    pub open: fn(Stream, &OpenOptions) -> Result<Boxed, CaptureError>,
}

/// Every binary format. The strongest claim wins, and the earlier of two equal ones.
///
/// A new format is a file with a `FORMAT`, and one line here (text: in [`text::FORMATS`]).
static FORMATS: &[Format] = &[
    btsnoop::FORMAT,
    pcapng::FORMAT,
    pcap::FORMAT,
    foreign::MODIFIED_PCAP,
    foreign::SNOOP,
    btsnooz::FORMAT,
    packetlogger::BIG,
    packetlogger::LITTLE,
    hcidump::FORMAT,
    monitor_stream::FORMAT,
];

/// The beginning of a file.
pub(crate) struct Head<'a> {
    pub bytes: &'a [u8],
    /// Whether this is the whole file.
    pub whole: bool,
    /// Its lines, once a format of text has asked for them.
    pub lines: OnceCell<Vec<String>>,
}

/// How sure a format is that a file is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim(u32);

impl Claim {
    pub const NONE: Self = Self(0);
    /// Only worth trying when no other format claims the file.
    pub const FAINT: Self = Self(1);
    /// A magic number.
    pub const CERTAIN: Self = Self(u32::MAX);

    pub fn magic(head: &Head<'_>, magic: &[u8]) -> Self {
        if head.bytes.starts_with(magic) { Self::CERTAIN } else { Self::NONE }
    }

    /// As many clean records or lines as were found.
    pub fn chain(clean: u32) -> Self {
        if clean == 0 { Self::NONE } else { Self(clean.saturating_add(1)) }
    }
}

impl<'a> Head<'a> {
    pub fn new(bytes: &'a [u8], whole: bool) -> Self {
        Self { bytes, whole, lines: OnceCell::new() }
    }

    /// Whether the first page holds characters only: no zeroes, no control codes but a few.
    pub fn is_text(&self) -> bool {
        let page = self.bytes.get(..4096).unwrap_or(self.bytes);
        !page.is_empty()
            && page.iter().all(|&byte| {
                matches!(byte, b'\t' | b'\n' | b'\r' | 0x07 | 0x08 | 0x0c | 0x1b) || byte >= 0x20
            })
    }

    /// The format with the strongest claim. Whoever is certain ends the search: the others read the whole head, and
    /// over many small captures that took most of the time.
    pub fn format(&self) -> Option<(&'static Format, Claim)> {
        let mut best: Option<(&'static Format, Claim)> = None;
        for format in FORMATS.iter().chain(text::FORMATS) {
            let claim = (format.claim)(self);
            if claim > best.map_or(Claim::NONE, |(_, claim)| claim) {
                best = Some((format, claim));
            }
            if claim == Claim::CERTAIN {
                break;
            }
        }
        best
    }
}

/// How much of a file is looked at: sixteen records of any sensible size.
pub(crate) const HEAD: usize = 256 * 1024;

/// Opens the capture that the stream's content shows it to be.
pub(crate) fn detect(
    mut stream: Stream,
    options: &OpenOptions,
) -> Result<Box<dyn Source>, CaptureError> {
    // A pipe that is still being written shows its magic number long before a whole head.
    for want in [64, HEAD] {
        let bytes = stream.peek(want)?;
        let head = Head::new(bytes, bytes.len() < want);
        match head.format() {
            Some((format, claim)) if claim == Claim::CERTAIN || want == HEAD || head.whole => {
                return (format.open)(stream, options);
            }
            _ => {}
        }
    }
    let failure = stream.failure().map(str::to_owned);
    let bytes = stream.peek(HEAD)?;
    let head = Head::new(bytes, bytes.len() < HEAD);
    Err(CaptureError::Refused(match failure {
        Some(failure) => {
            format!("the compressed data is damaged from its beginning on ({failure})")
        }
        None if bytes.is_empty() => "the file is empty".into(),
        None if bytes.iter().all(|&byte| byte == 0) => {
            "the file holds nothing but zeroes: the logger reserved it and wrote nothing".into()
        }
        None if head.is_text() => {
            format!(
                "not an HCI capture that this tool reads: it looks like {}",
                text::likeness(bytes)
            )
        }
        None => format!(
            "not an HCI capture in any format this tool knows (it begins with {}): btsnoop, PacketLogger, pcap, pcapng, hcidump and Android bug reports are",
            hex(bytes.get(..8).unwrap_or(bytes))
        ),
    }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
