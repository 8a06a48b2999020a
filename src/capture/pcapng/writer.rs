//! Writes pcapng files of HCI with direction (201), which Wireshark opens with its comments.
use crate::capture::linktype::H4_WITH_DIRECTION;
use crate::capture::{LONGEST, Record, WriteError, h4};
use crate::packet::Direction;
use std::io::Write;

/// Writes a little-endian section with one interface an adapter.
pub struct Writer<W: Write> {
    output: W,
    /// The adapter of each interface so far.
    adapters: Vec<Option<u16>>,
}

impl<W: Write> Writer<W> {
    pub fn new(output: W) -> Result<Self, WriteError> {
        let mut writer = Self { output, adapters: Vec::new() };
        let mut section = Vec::new();
        section.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        section.extend_from_slice(&1u16.to_le_bytes());
        section.extend_from_slice(&0u16.to_le_bytes());
        section.extend_from_slice(&(-1i64).to_le_bytes());
        writer.block(0x0a0d_0d0a, &section)?;
        Ok(writer)
    }

    /// Appends a record; one that is no HCI packet is refused.
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), WriteError> {
        let byte =
            h4::byte(record.kind).ok_or(WriteError::Unfit("pcapng 201 holds HCI packets only"))?;
        let direction = h4::direction(record.kind)
            .or(record.direction)
            .ok_or(WriteError::Unfit("pcapng 201 needs to know a packet's direction"))?;
        let received = u32::from(direction == Direction::Received);
        let packet = record.bytes();
        let kept = u32::try_from(packet.len()).unwrap_or(u32::MAX).saturating_add(5);
        if kept > LONGEST {
            return Err(WriteError::Unfit("the packet is longer than readers accept"));
        }
        let original = record.original_len.saturating_add(5);
        let interface = self.interface(record.adapter)?;
        let Some(time) = record.time else {
            return Err(WriteError::Unfit("pcapng 201 needs a time"));
        };
        let ticks = u64::try_from(time.0)
            .map_err(|_| WriteError::Unfit("pcapng cannot hold times before 1970"))?;
        let mut body = Vec::with_capacity(packet.len() + 64);
        for word in [interface, (ticks >> 32) as u32, ticks as u32, kept, original] {
            body.extend_from_slice(&word.to_le_bytes());
        }
        body.extend_from_slice(&received.to_be_bytes());
        body.push(byte);
        body.extend_from_slice(packet);
        pad(&mut body);
        if let Some(comment) = &record.comment {
            option(&mut body, 1, comment.as_bytes());
        }
        // epb_flags: 1 is inbound, 2 outbound.
        option(&mut body, 2, &(2 - received).to_le_bytes());
        option(&mut body, 0, &[]);
        self.block(6, &body)
    }

    pub fn finish(mut self) -> Result<W, WriteError> {
        self.output.flush()?;
        Ok(self.output)
    }

    /// The interface of an adapter, described on first sight.
    fn interface(&mut self, adapter: Option<u16>) -> Result<u32, WriteError> {
        if let Some(at) = self.adapters.iter().position(|&known| known == adapter) {
            return Ok(at as u32);
        }
        let mut body = Vec::new();
        body.extend_from_slice(&H4_WITH_DIRECTION.to_le_bytes());
        body.extend_from_slice(&[0; 6]);
        if let Some(number) = adapter {
            option(&mut body, 2, format!("hci{number}").as_bytes());
        }
        option(&mut body, 9, &[6]);
        option(&mut body, 0, &[]);
        self.block(1, &body)?;
        self.adapters.push(adapter);
        Ok((self.adapters.len() - 1) as u32)
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
