//! What a capture of a trace would hold, and what becomes of it.
use super::Trace;
use crate::capture::{Payload, Record};
use crate::decode::Decoder;
use crate::seen::SourceId;
use crate::time::{Clock, Timestamp};
use crate::timeline::{Capture, Origin, Tracker};

impl Trace {
    /// The records that a capture of this would have.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        (1..).zip(&self.packets).map(|(frame, packet)| Record {
            frame,
            offset: 0,
            time: Some(Timestamp(packet.at)),
            adapter: Some(packet.adapter),
            direction: Some(packet.direction),
            kind: packet.kind,
            payload: Payload::Bytes(&packet.bytes),
            original_len: packet.bytes.len() as u32,
            comment: None,
        })
    }

    /// Through decoder and tracker, as any capture.
    pub fn run(&self) -> Capture {
        self.run_as("btsnoop")
    }

    /// The same as a capture of that format.
    pub fn run_as(&self, format: &'static str) -> Capture {
        self.recorded(format, |_| true)
    }

    /// What a recording makes of it that holds only those records.
    pub fn run_where(&self, keeps: impl Fn(&Record<'_>) -> bool) -> Capture {
        self.recorded("btsnoop", keeps)
    }

    /// The same as a witness.
    pub fn run_of(&self, source: SourceId) -> Capture {
        self.recorded_of(source, "pcapng", |_| true)
    }

    fn recorded(&self, format: &'static str, keeps: impl Fn(&Record<'_>) -> bool) -> Capture {
        self.recorded_of(SourceId::FIRST, format, keeps)
    }

    fn recorded_of(
        &self,
        source: SourceId,
        format: &'static str,
        keeps: impl Fn(&Record<'_>) -> bool,
    ) -> Capture {
        let mut decoder = Decoder::new();
        let mut tracker = Tracker::of(source);
        for record in self.records().filter(keeps) {
            tracker.push(&decoder.decode(&record));
        }
        tracker.finish(Origin {
            file: "example".to_owned(),
            label: "example".to_owned(),
            description: crate::capture::Description {
                format,
                variant: String::new(),
                clock: Clock::Utc,
                resolution_us: 1,
            },
            warnings: Vec::new(),
            sha256: None,
        })
    }
}
