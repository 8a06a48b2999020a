//! The file around D-Bus messages: pcap's records or pcapng's packets of link type 231.
use crate::capture::Stream;
use std::io;
use std::ops::Range;

/// D-Bus, among the link types of pcap.
pub(in super::super) const LINKTYPE_DBUS: u32 = 231;

/// The longest message that is read; the rest of a longer one is passed over.
const LONGEST: usize = 1 << 20;
/// Most interfaces of one section.
const MOST_INTERFACES: usize = 256;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const SIMPLE: u32 = 3;
const ENHANCED: u32 = 6;

/// One message's place and time.
pub(in super::super) struct Frame<'a> {
    /// From 1; packets of other link types count, too.
    pub number: u32,
    pub micros: Option<i64>,
    pub bytes: &'a [u8],
}

/// Reads messages one by one.
pub(in super::super) struct Container {
    stream: Stream,
    form: FileForm,
    number: u32,
    /// The bytes of the last message, where the stream lent too little.
    kept: Vec<u8>,
}

enum FileForm {
    Pcap { big: bool, nanoseconds: bool },
    Pcapng { big: bool, interfaces: Vec<Interface> },
}

#[derive(Clone, Copy)]
struct Interface {
    dbus: bool,
    /// Ticks in a second.
    ticks: u64,
}

fn word(bytes: &[u8], at: usize, big: bool) -> Option<u32> {
    let bytes = *bytes.get(at..)?.first_chunk()?;
    Some(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}

impl Container {
    /// Takes the stream where it begins with a D-Bus capture; gives it back where not.
    pub fn open(mut stream: Stream) -> io::Result<Result<Self, Stream>> {
        let head = stream.peek(4096)?;
        let form = match head.first_chunk::<4>() {
            Some([0xd4, 0xc3, 0xb2, 0xa1]) => Some((false, false)),
            Some([0xa1, 0xb2, 0xc3, 0xd4]) => Some((true, false)),
            Some([0x4d, 0x3c, 0xb2, 0xa1]) => Some((false, true)),
            Some([0xa1, 0xb2, 0x3c, 0x4d]) => Some((true, true)),
            _ => None,
        };
        if let Some((big, nanoseconds)) = form {
            if word(head, 20, big).map(|linktype| linktype & 0xffff) != Some(LINKTYPE_DBUS) {
                return Ok(Err(stream));
            }
            stream.consume(24);
            let form = FileForm::Pcap { big, nanoseconds };
            return Ok(Ok(Self { stream, form, number: 0, kept: Vec::new() }));
        }
        let big = match (head.first_chunk::<4>(), word(head, 8, false)) {
            (Some([0x0a, 0x0d, 0x0d, 0x0a]), Some(0x1a2b_3c4d)) => false,
            (Some([0x0a, 0x0d, 0x0d, 0x0a]), Some(0x4d3c_2b1a)) => true,
            _ => return Ok(Err(stream)),
        };
        // The first interface stands behind the section's header, as a rule at once.
        let mut at = word(head, 4, big).unwrap_or_default() as usize;
        let mut is_dbus = false;
        while let (Some(kind), Some(length)) = (word(head, at, big), word(head, at + 4, big)) {
            if kind == INTERFACE {
                is_dbus = word(head, at + 8, big).map(|linktype| linktype & 0xffff)
                    == Some(LINKTYPE_DBUS);
                break;
            }
            at = match at.checked_add(length.max(12) as usize) {
                Some(next) if next < head.len() => next,
                _ => break,
            };
        }
        if !is_dbus {
            return Ok(Err(stream));
        }
        let form = FileForm::Pcapng { big, interfaces: Vec::new() };
        Ok(Ok(Self { stream, form, number: 0, kept: Vec::new() }))
    }

    /// The next message. The file ends where its structure does.
    pub fn next(&mut self) -> io::Result<Option<Frame<'_>>> {
        match self.form {
            FileForm::Pcap { big, nanoseconds } => {
                let head = self.stream.peek(16)?;
                let field = |at| word(head, at, big);
                let (Some(seconds), Some(fraction), Some(length), Some(_)) =
                    (field(0), field(4), field(8), field(12))
                else {
                    return Ok(None);
                };
                self.stream.consume(16);
                let fraction = if nanoseconds { fraction / 1000 } else { fraction };
                let micros = i64::from(seconds) * 1_000_000 + i64::from(fraction);
                self.take(u64::from(length), 0)?;
                self.number = self.number.saturating_add(1);
                Ok(Some(Frame { number: self.number, micros: Some(micros), bytes: &self.kept }))
            }
            FileForm::Pcapng { .. } => {
                let Some((micros, place)) = self.next_block()? else { return Ok(None) };
                let bytes = self.kept.get(place).unwrap_or_default();
                Ok(Some(Frame { number: self.number, micros, bytes }))
            }
        }
    }

    /// The time of the next packet of a D-Bus interface, and where it lies in what is kept.
    fn next_block(&mut self) -> io::Result<Option<(Option<i64>, Range<usize>)>> {
        loop {
            let FileForm::Pcapng { big, interfaces } = &mut self.form else { return Ok(None) };
            let head = self.stream.peek(12)?;
            let section = head.starts_with(&SECTION.to_be_bytes())
                || head.starts_with(&SECTION.to_le_bytes());
            if section {
                *big = word(head, 8, false) == Some(0x4d3c_2b1a);
                interfaces.clear();
            }
            let (Some(kind), Some(length)) = (word(head, 0, *big), word(head, 4, *big)) else {
                return Ok(None);
            };
            let big = *big;
            let Some(body) = length.checked_sub(12) else { return Ok(None) };
            self.stream.consume(8);
            self.take(u64::from(body), 4)?;
            let FileForm::Pcapng { interfaces, .. } = &mut self.form else { return Ok(None) };
            let kept = self.kept.as_slice();
            match kind {
                INTERFACE if interfaces.len() < MOST_INTERFACES => {
                    let linktype = word(kept, 0, big).unwrap_or_default();
                    let linktype = if big { linktype >> 16 } else { linktype & 0xffff };
                    let ticks = ticks(kept.get(8..).unwrap_or_default(), big);
                    interfaces.push(Interface { dbus: linktype == LINKTYPE_DBUS, ticks });
                }
                ENHANCED | SIMPLE => {
                    self.number = self.number.saturating_add(1);
                    let enhanced = kind == ENHANCED;
                    let at = if enhanced { word(kept, 0, big).unwrap_or_default() } else { 0 };
                    let Some(interface) = interfaces.get(at as usize).filter(|i| i.dbus) else {
                        continue;
                    };
                    let (start, length) =
                        if enhanced { (20, word(kept, 12, big)) } else { (4, word(kept, 0, big)) };
                    let length = length.unwrap_or_default() as usize;
                    let start = start.min(kept.len());
                    let place = start..start.saturating_add(length).min(kept.len());
                    let time = word(kept, 4, big).zip(word(kept, 8, big)).filter(|_| enhanced);
                    let micros = time.map(|(high, low)| {
                        let ticks = u128::from(u64::from(high) << 32 | u64::from(low)) * 1_000_000;
                        i64::try_from(ticks / u128::from(interface.ticks)).unwrap_or(i64::MAX)
                    });
                    return Ok(Some((micros, place)));
                }
                _ => {}
            }
        }
    }

    /// Keeps this many bytes, as far as they are there, and passes those and what is longer, and a trailer.
    fn take(&mut self, length: u64, trailer: u64) -> io::Result<()> {
        self.kept.clear();
        let want = usize::try_from(length).unwrap_or(usize::MAX).min(LONGEST);
        let there = self.stream.peek(want)?;
        self.kept.extend_from_slice(there.get(..want).unwrap_or(there));
        let passed = self.kept.len();
        self.stream.consume(passed);
        let rest = length.saturating_sub(passed as u64).saturating_add(trailer);
        self.stream.skip(rest)?;
        Ok(())
    }
}

/// Ticks in a second: option 9 of an interface.
fn ticks(options: &[u8], big: bool) -> u64 {
    let mut at = 0;
    while let Some(word) = word(options, at, big) {
        let (code, length) =
            if big { (word >> 16, word & 0xffff) } else { (word & 0xffff, word >> 16) };
        if code == 0 {
            break;
        }
        if code == 9
            && let Some(value) = options.get(at + 4)
        {
            let power = u32::from(value & 0x7f);
            let base: u64 = if value & 0x80 == 0 { 10 } else { 2 };
            return base.checked_pow(power).unwrap_or(1_000_000);
        }
        at += 4 + (length as usize).next_multiple_of(4);
    }
    1_000_000
}
