//! `hcidiff events`: from a file to its event lines.
use hcidiff::capture::{self, CaptureError, Input, OpenOptions, Warning};
use hcidiff::decode::Decoder;
use hcidiff::packet::{Address, Event};
use hcidiff::report::events::{Events, Place, Style};
use hcidiff::timeline::Tracker;
use std::io::Write;

/// Which events, and how.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    pub style: Style,
    /// Attribute values and other bytes are shown.
    pub values: bool,
    pub peer: Option<Address>,
    pub adapter: Option<u16>,
    /// Connection number.
    pub connection: Option<u32>,
}

impl Listing {
    /// Writes the events of a capture. What was noticed about the file comes back.
    pub fn write(
        &self,
        input: &Input,
        options: &OpenOptions,
        out: &mut impl Write,
    ) -> Result<Vec<Warning>, CaptureError> {
        let mut opened = capture::open(input, options)?;
        let mut warnings = std::mem::take(&mut opened.warnings);
        let clock = opened.source.describe().clock;
        let mut decoder = Decoder::new();
        let mut tracker = Tracker::new();
        let mut events = Events::new(self.style, self.values, clock);
        events.begin(out)?;
        while let Some(record) = opened.source.next()? {
            let event = decoder.decode(&record);
            let connection = tracker.push(&event);
            let tracked = connection.and_then(|number| tracker.peer_of(number));
            let peer = tracked.or_else(|| event.packet.peer());
            let place = Place { connection, peer, comment: record.comment.as_deref() };
            if self.wants(&event, place) {
                events.push(&event, place, out)?;
            } else {
                events.skip(&event);
            }
        }
        out.flush()?;
        warnings.extend(opened.source.take_warnings());
        Ok(warnings)
    }

    fn wants(&self, event: &Event<'_>, place: Place<'_>) -> bool {
        let peer = |peer| place.peer == Some(peer) || event.packet.names(peer);
        self.adapter.is_none_or(|adapter| event.adapter == Some(adapter))
            && self.connection.is_none_or(|number| place.connection == Some(number))
            && self.peer.is_none_or(peer)
    }
}
