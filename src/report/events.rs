//! `hcidiff events`: one line for each record, as a table or as JSON.
use super::clock::Moments;
use super::line::Line;
use super::{fields, hexdump, safe, sentence};
use crate::packet::air::{Air, Header};
use crate::packet::{Address, Direction, Event, Packet, Problem, secrecy};
use crate::redact;
use crate::time::{Clock, Timestamp};
use std::fmt::Write as _;
use std::io::{self, Write};

/// What is known of an event from the connections around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// Connection number.
    pub connection: Option<u32>,
    /// The device at the other end, where it is known.
    pub peer: Option<Address>,
    /// What somebody wrote beside the record (pcapng).
    pub comment: Option<&'a str>,
    /// The record's bytes, where they are to be shown.
    pub record: Option<&'a [u8]>,
}

/// How events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Columns for people.
    Table,
    /// One JSON object a line.
    JsonLines,
}

/// Writes events one after the other.
pub struct Events {
    style: Style,
    /// Attribute values and other bytes are shown.
    values: bool,
    clock: Clock,
    first: Option<Timestamp>,
    moments: Moments,
    line: Line,
    text: String,
    scratch: String,
}

const HEADING: &str = " frame       time s  hci  dir   layer    handle  event\n";

impl Events {
    /// A listing in this style; `values` shows the bytes of attributes.
    pub fn new(style: Style, values: bool, clock: Clock) -> Self {
        Self {
            style,
            values,
            clock,
            first: None,
            moments: Moments::default(),
            line: Line::default(),
            text: String::new(),
            scratch: String::new(),
        }
    }

    /// What stands before the first event.
    pub fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        match self.style {
            Style::Table => out.write_all(HEADING.as_bytes()),
            Style::JsonLines => Ok(()),
        }
    }

    /// Takes notice of an event that is not shown: times count from the first record.
    pub fn skip(&mut self, event: &Event<'_>) {
        self.first = self.first.or(event.time);
    }

    /// Writes the line of one event.
    pub fn push(
        &mut self,
        event: &Event<'_>,
        place: Place<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        self.skip(event);
        self.text.clear();
        sentence::write(&mut self.text, &event.packet, self.values && !event.hidden);
        match self.style {
            Style::Table => self.row(event, place, out),
            Style::JsonLines => self.json(event, place, out),
        }
    }

    /// Microseconds since the first record that has a time.
    fn offset(&self, event: &Event<'_>) -> Option<i64> {
        Some((event.time? - self.first?).0)
    }

    fn row(&mut self, event: &Event<'_>, place: Place<'_>, out: &mut impl Write) -> io::Result<()> {
        let row = &mut self.scratch;
        row.clear();
        let offset = match (event.time, self.first) {
            (Some(time), Some(first)) => format!("{:.6}", (time - first).as_s()),
            _ => "-".into(),
        };
        let adapter = event.adapter.map_or("-".into(), |adapter| adapter.to_string());
        let direction = direction(event.direction).unwrap_or("-");
        let direction = if direction == "received" { "recv" } else { direction };
        // A link on the air has no handle but the decoder's own.
        let handle = event.packet.handle().filter(|_| event.air.is_none());
        let handle = handle.map_or("-".into(), |handle| handle.to_string());
        let layer = event.packet.layer();
        // Writing to a String cannot fail.
        let _ = write!(
            row,
            "{:>6} {offset:>12}  {adapter:>3}  {direction:<4}  {layer:<7}  {handle:<6}  {}",
            event.frame, self.text
        );
        if event.air.is_some_and(|air| air.repeated) {
            row.push_str(" [repeated]");
        }
        if let Some(problem) = event.problem {
            let _ = write!(row, " [{}]", problem_word(problem));
        } else if event.cut {
            row.push_str(" [cut]");
        }
        if let Some(comment) = place.comment {
            let _ = write!(row, " ({})", safe::text(&redact::text(comment)));
        }
        row.push('\n');
        // A note is text, and the text is shown.
        if let Some(record) = place.record
            && !matches!(event.packet, Packet::Note(_))
        {
            hexdump::write(row, secrecy::pieces(event, record).as_deref());
        }
        out.write_all(row.as_bytes())
    }

    fn json(
        &mut self,
        event: &Event<'_>,
        place: Place<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let offset = self.offset(event);
        let packet = &event.packet;
        let line = &mut self.line;
        line.begin();
        line.key("frame");
        line.number(event.frame.into());
        for (key, clock, zone) in [("time", Clock::Utc, "Z"), ("local_time", Clock::Local, "")] {
            line.key(key);
            self.scratch.clear();
            let time = event.time.filter(|_| self.clock == clock);
            match time {
                Some(time) if self.moments.push(&mut self.scratch, time, zone) => {
                    line.word(&self.scratch)
                }
                _ => line.null(),
            }
        }
        line.key("offset_s");
        match offset {
            Some(offset) => line.seconds(offset),
            None => line.null(),
        }
        line.optional("adapter", event.adapter);
        line.key("dir");
        match direction(event.direction) {
            Some(word) => line.word(word),
            None => line.null(),
        }
        line.key("layer");
        line.word(packet.layer());
        line.optional("code", packet.code());
        line.optional("subcode", packet.subcode());
        line.key("name");
        line.word(packet.name());
        line.optional("conn", place.connection);
        let handle = packet.handle().filter(|_| event.air.is_none());
        line.optional("handle", handle.map(|handle| handle.0));
        line.key("peer");
        match place.peer {
            Some(peer) => {
                self.scratch.clear();
                let _ = write!(self.scratch, "{peer}");
                line.word(&self.scratch);
            }
            None => line.null(),
        }
        line.optional("cid", packet.cid());
        line.optional("status", packet.status());
        line.optional("reason", packet.reason());
        line.optional("answers", event.answers);
        line.key("cut");
        line.bool(event.cut);
        line.key("problem");
        match event.problem {
            Some(problem) => line.word(problem_word(problem)),
            None => line.null(),
        }
        line.key("fields");
        fields::write(line, &mut self.scratch, packet, self.values && !event.hidden);
        if let Some(air) = event.air {
            on_air(line, air);
        }
        line.key("text");
        line.made_safe(&self.text);
        if let Some(comment) = place.comment {
            line.key("comment");
            line.text(&redact::text(comment));
        }
        if let Some(record) = place.record {
            line.key("bytes");
            match secrecy::pieces(event, record) {
                Some(pieces) => line.word(&hexdump::digits(&pieces)),
                None => line.null(),
            }
        }
        out.write_all(line.end())
    }
}

/// The frame on the air: what the sniffer says of it, and its header.
fn on_air(line: &mut Line, air: &Air) {
    line.key("air");
    line.open('{');
    line.key("access_address");
    line.word(&format!("{:#010x}", air.access_address));
    line.optional("channel", air.radio.channel);
    line.key("rssi");
    match air.radio.rssi {
        Some(rssi) => line.signed(rssi.into()),
        None => line.null(),
    }
    line.key("phy");
    match air.radio.phy {
        Some(phy) => line.word(phy.name()),
        None => line.null(),
    }
    let mut flag = |name, value: Option<bool>| {
        line.key(name);
        match value {
            Some(value) => line.bool(value),
            None => line.null(),
        }
    };
    flag("crc_ok", air.crc_ok);
    flag("mic_ok", air.radio.mic_ok);
    match air.header {
        Header::None => {}
        Header::Advertising { ch_sel, tx_random, rx_random, length, .. } => {
            flag("ch_sel", Some(ch_sel));
            flag("tx_random", Some(tx_random));
            flag("rx_random", Some(rx_random));
            line.optional("length", Some(length));
        }
        Header::Data { llid, nesn, sn, md, length } => {
            flag("nesn", Some(nesn));
            flag("sn", Some(sn));
            flag("md", Some(md));
            flag("encrypted", Some(air.encrypted));
            flag("repeated", Some(air.repeated));
            flag("direction_inferred", Some(air.inferred));
            flag("direction_mislabelled", Some(air.mislabelled));
            line.optional("llid", Some(llid));
            line.optional("length", Some(length));
            line.optional("event_counter", air.radio.event_counter);
        }
    }
    line.close('}');
}

fn direction(direction: Option<Direction>) -> Option<&'static str> {
    direction.map(|direction| match direction {
        Direction::Sent => "sent",
        Direction::Received => "received",
    })
}

fn problem_word(problem: Problem) -> &'static str {
    match problem {
        Problem::Unknown => "unknown",
        Problem::Cut => "cut",
        Problem::Malformed => "malformed",
    }
}
