//! Writes pcapng files of HCI with direction (201) or of the Linux monitor (254), which Wireshark opens with its comments.
use crate::capture::linktype::{self, H4_WITH_DIRECTION, LINUX_MONITOR};
use crate::capture::{LONGEST, Record, WriteError, h4};
use crate::packet::Direction;
use std::io::Write;

/// Writes a little-endian section with one interface an adapter, or one interface a side.
pub struct Writer<W: Write> {
    output: W,
    linktype: u16,
    interfaces: Vec<Interface>,
    /// Packets that were lost, up to the record that comes next, and up to the one that was written last.
    lost: u64,
    told: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Interface {
    linktype: u16,
    /// Of a side; else the adapter names it.
    name: Option<String>,
    adapter: Option<u16>,
}

impl<W: Write> Writer<W> {
    /// HCI packets with their direction.
    pub fn new(output: W) -> Result<Self, WriteError> {
        Self::of(output, H4_WITH_DIRECTION)
    }

    /// Linux monitor records: management traffic and notes too.
    pub fn monitor(output: W) -> Result<Self, WriteError> {
        Self::of(output, LINUX_MONITOR)
    }

    fn of(output: W, linktype: u16) -> Result<Self, WriteError> {
        let mut writer = Self { output, linktype, interfaces: Vec::new(), lost: 0, told: 0 };
        let mut section = Vec::new();
        section.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        section.extend_from_slice(&1u16.to_le_bytes());
        section.extend_from_slice(&0u16.to_le_bytes());
        section.extend_from_slice(&(-1i64).to_le_bytes());
        writer.block(0x0a0d_0d0a, &section)?;
        Ok(writer)
    }

    /// How many packets were lost, up to the record that comes next.
    pub fn lost(&mut self, lost: u64) {
        self.lost = lost;
    }

    /// Appends a record; one that the link type has no place for is refused.
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), WriteError> {
        // Monitor records name their adapter themselves.
        let adapter = record.adapter.filter(|_| self.linktype == H4_WITH_DIRECTION);
        let interface = Interface { linktype: self.linktype, name: None, adapter };
        self.push_on(interface, record)
    }

    /// Appends a record of one of several captures, each of which is an interface.
    pub fn push_as(
        &mut self,
        side: &str,
        monitor: bool,
        record: &Record<'_>,
    ) -> Result<(), WriteError> {
        let linktype = if monitor { LINUX_MONITOR } else { H4_WITH_DIRECTION };
        let interface = Interface { linktype, name: Some(side.to_owned()), adapter: None };
        self.push_on(interface, record)
    }

    fn push_on(&mut self, interface: Interface, record: &Record<'_>) -> Result<(), WriteError> {
        let (header, length) = linktype::header(interface.linktype, record)?;
        let header = header.get(..length).unwrap_or(&header);
        let packet = record.bytes();
        let longer = u32::try_from(length).unwrap_or(u32::MAX);
        let kept = u32::try_from(packet.len()).unwrap_or(u32::MAX).saturating_add(longer);
        if kept > LONGEST {
            return Err(WriteError::Unfit("the packet is longer than readers accept"));
        }
        let original = record.original_len.saturating_add(longer);
        let Some(time) = record.time else {
            return Err(WriteError::Unfit("pcapng needs a time"));
        };
        let ticks = u64::try_from(time.0)
            .map_err(|_| WriteError::Unfit("pcapng cannot hold times before 1970"))?;
        let interface = self.interface(interface)?;
        let mut body = Vec::with_capacity(packet.len() + 64);
        for word in [interface, (ticks >> 32) as u32, ticks as u32, kept, original] {
            body.extend_from_slice(&word.to_le_bytes());
        }
        body.extend_from_slice(header);
        body.extend_from_slice(packet);
        pad(&mut body);
        if let Some(comment) = &record.comment {
            option(&mut body, 1, comment.as_bytes());
        }
        if let Some(direction) = h4::direction(record.kind).or(record.direction) {
            // epb_flags: 1 is inbound, 2 outbound.
            let received = u32::from(direction == Direction::Received);
            option(&mut body, 2, &(2 - received).to_le_bytes());
        }
        if self.lost > self.told {
            option(&mut body, 4, &(self.lost - self.told).to_le_bytes());
            self.told = self.lost;
        }
        option(&mut body, 0, &[]);
        self.block(6, &body)
    }

    /// Writes what is left, and gives the output back.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.output.flush()?;
        Ok(self.output)
    }

    /// The number of an interface, which is described on first sight.
    fn interface(&mut self, interface: Interface) -> Result<u32, WriteError> {
        if let Some(at) = self.interfaces.iter().position(|known| *known == interface) {
            return Ok(at as u32);
        }
        let mut body = Vec::new();
        body.extend_from_slice(&interface.linktype.to_le_bytes());
        body.extend_from_slice(&[0; 6]);
        if let Some(name) = &interface.name {
            option(&mut body, 2, name.as_bytes());
        } else if let Some(number) = interface.adapter {
            option(&mut body, 2, format!("hci{number}").as_bytes());
        }
        option(&mut body, 9, &[6]);
        option(&mut body, 0, &[]);
        self.block(1, &body)?;
        self.interfaces.push(interface);
        Ok((self.interfaces.len() - 1) as u32)
    }

    fn block(&mut self, kind: u32, body: &[u8]) -> Result<(), WriteError> {
        let len = (12 + body.len() as u32).to_le_bytes();
        self.output.write_all(&kind.to_le_bytes())?;
        self.output.write_all(&len)?;
        self.output.write_all(body)?;
        Ok(self.output.write_all(&len)?)
    }
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..0xffff).unwrap_or(value);
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&(value.len() as u16).to_le_bytes());
    body.extend_from_slice(value);
    pad(body);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Kind, Payload};

    #[test]
    fn a_kind_without_a_type_byte_is_refused() {
        let mut writer = Writer::new(Vec::new()).unwrap();
        let record = Record {
            frame: 1,
            offset: 0,
            time: None,
            adapter: None,
            direction: None,
            kind: Kind::Note(0xfc),
            payload: Payload::Bytes(b"note"),
            original_len: 4,
            comment: None,
        };
        assert!(matches!(writer.push(&record), Err(WriteError::Unfit(_))));
    }
}
