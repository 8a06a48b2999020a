//! Decodes any bytes as packets of every kind, one after the other: what decodes without a
//! problem encodes to the same bytes, and nothing panics on the way to a printed line.
#![no_main]
use hcidiff::capture::{Kind, Payload, Record};
use hcidiff::packet::field::FieldSink;
use hcidiff::decode::Decoder;
use hcidiff::packet::{Direction, att, hci, mgmt, signal, smp};
use libfuzzer_sys::fuzz_target;
use std::fmt::Display;

struct Nothing;

impl FieldSink for Nothing {
    fn number(&mut self, _: &'static str, _: i64) {}
    fn text(&mut self, _: &'static str, value: &dyn Display) {
        let _ = value.to_string();
    }
    fn said(&mut self, _: &'static str, _: &str) {}
    fn bytes(&mut self, _: &'static str, _: &[u8]) {}
    fn advertising(&mut self, _: &'static str, data: &[u8]) {
        let _ = hcidiff::packet::ad::hex(data);
    }
    fn secret(&mut self, _: &'static str, _: usize) {}
    fn begin_list(&mut self, _: &'static str) {}
    fn begin_item(&mut self) {}
    fn end_item(&mut self) {}
    fn end_list(&mut self) {}
}

macro_rules! table {
    ($Pdu:ty, $code:expr, $bytes:expr, $cut:expr) => {{
        let (pdu, problem) = <$Pdu>::decode($code, $bytes, $cut);
        let mut out = Vec::new();
        pdu.encode(&mut out);
        assert!($bytes.starts_with(&out), "{pdu:?}");
        assert!(problem.is_some() || out.len() == $bytes.len(), "{pdu:?}");
        pdu.fields(&mut Nothing);
        let _ = format!("{pdu:?}");
    }};
}

fn tables(code: u16, bytes: &[u8], cut: bool) {
    let [low, _] = code.to_le_bytes();
    table!(hci::Command, code, bytes, cut);
    table!(hci::Return, code, bytes, cut);
    table!(hci::Event, low, bytes, cut);
    table!(hci::LeEvent, low, bytes, cut);
    table!(att::Pdu, low, bytes, cut);
    table!(smp::Pdu, low, bytes, cut);
    table!(signal::Pdu, low, bytes, cut);
    table!(mgmt::Command, code, bytes, cut);
    table!(mgmt::Event, code, bytes, cut);
    table!(mgmt::Return, code, bytes, cut);
    let (event, _) = hci::Event::read(low, bytes, cut);
    let _ = (event.le_connection_complete(), event.status(), event.connection_handle());
    assert!(event.advertising().count() <= 255);
}

/// Packets: kind, length, bytes, repeated. One decoder sees them all.
fn packets(mut rest: &[u8]) {
    let mut decoder = Decoder::new();
    let mut frame = 0;
    while let [kind, length, behind @ ..] = rest {
        let (bytes, after) = behind.split_at(usize::from(*length).min(behind.len()));
        rest = after;
        frame += 1;
        let record = Record {
            frame,
            offset: 0,
            time: None,
            adapter: (kind & 0x80 != 0).then_some(1),
            direction: Some(if kind & 0x40 != 0 { Direction::Sent } else { Direction::Received }),
            kind: match kind & 7 {
                0 => Kind::Command,
                1 => Kind::Event,
                2 => Kind::Sco,
                3 => Kind::Iso,
                4 => Kind::Monitor(u16::from(kind >> 3) & 0x1f),
                5 => Kind::Note(*kind),
                _ => Kind::Acl,
            },
            payload: Payload::Bytes(bytes),
            original_len: bytes.len() as u32 + u32::from(kind & 0x20 != 0),
            comment: None,
        };
        let event = decoder.decode(&record);
        let packet = &event.packet;
        let _ = (packet.layer(), packet.code(), packet.name(), packet.handle(), packet.status());
        let _ = (packet.reason(), packet.peer(), packet.attribute_handle(), format!("{event:?}"));
        packet.addresses(&mut |named| assert!(packet.names(named.address)));
    }
}

fuzz_target!(|input: &[u8]| {
    if let Some((&[choice, low, high], bytes)) = input.split_first_chunk() {
        match choice & 1 {
            0 => tables(u16::from_le_bytes([low, high]), bytes, choice & 2 != 0),
            _ => packets(bytes),
        }
    }
});
