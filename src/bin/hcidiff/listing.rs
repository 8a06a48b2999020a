//! `hcidiff events`: from a file to its event lines.
use crate::cli;
use hcidiff::Case;
use hcidiff::capture::{self, CaptureError, Input, OpenOptions, Warning};
use hcidiff::case::{self, Range, Side};
use hcidiff::compare::{Peer, Sought};
use hcidiff::decode::Decoder;
use hcidiff::packet::{Address, Event};
use hcidiff::report::events::{Events, Place, Style};
use hcidiff::share::{self, Excerpt, Refusal};
use hcidiff::timeline::Tracker;
use std::collections::HashSet;
use std::io::Write;

/// Which events, and how.
#[derive(Clone, Debug)]
pub struct Listing {
    pub style: Style,
    /// Attribute values and other bytes are shown.
    pub values: bool,
    /// The bytes of each record are shown.
    pub bytes: bool,
    pub peer: Option<Peer>,
    pub adapter: Option<u16>,
    /// Connection number.
    pub connection: Option<u32>,
    pub range: Range,
}

impl Listing {
    /// What `hcidiff events` was asked for.
    pub fn asked(events: &cli::Events, style: Style) -> Self {
        Self {
            style,
            values: events.show_values,
            bytes: events.bytes,
            peer: events.peer.clone(),
            adapter: events.adapter,
            connection: events.connection,
            range: events.range(),
        }
    }

    /// Writes the events of a capture. What was noticed about the file comes back.
    pub fn write(
        &self,
        input: &Input,
        options: &OpenOptions,
        out: &mut impl Write,
    ) -> Result<Vec<Warning>, CaptureError> {
        let peers = self.peers(input, options)?;
        let mut opened = capture::open(input, options)?;
        let mut warnings = std::mem::take(&mut opened.warnings);
        let clock = opened.source.describe().clock;
        let mut decoder = Decoder::new();
        let mut tracker = Tracker::new();
        let mut range = self.range.clone();
        let mut events = Events::new(self.style, self.values, clock);
        events.begin(out)?;
        while let Some(record) = opened.source.next()? {
            let event = decoder.decode(&record);
            let connection = tracker.push(&event);
            let tracked = connection.and_then(|number| tracker.peer_of(number));
            let place = Place {
                connection,
                peer: tracked.or_else(|| event.packet.peer()),
                comment: record.comment.as_deref(),
                record: self.bytes.then_some(record.bytes()),
            };
            let inside = range.has(event.frame, event.time);
            if inside && self.wants(&event, place, peers.as_ref()) {
                events.push(&event, place, out)?;
            } else {
                events.skip(&event);
            }
        }
        out.flush()?;
        warnings.extend(opened.source.warnings());
        Ok(warnings)
    }

    /// Writes the same records as a capture of their own, of the kind that the ending names.
    pub fn excerpt(
        &self,
        input: &Input,
        options: &OpenOptions,
        ending: &str,
        out: &mut dyn Write,
    ) -> Result<Excerpt, Refusal> {
        let peers = self
            .peers(input, options)
            .map_err(|error| Refusal::Capture { name: input.name().into_owned(), error })?;
        let mut side = Side::new(input.clone());
        side.reading = options.clone();
        let mut range = self.range.clone();
        let wants = |event: &Event<'_>, connection: Option<u32>, tracked: Option<Address>| {
            let peer = tracked.or_else(|| event.packet.peer());
            let place = Place { connection, peer, ..Place::default() };
            range.has(event.frame, event.time) && self.wants(event, place, peers.as_ref())
        };
        share::excerpt(&Case::one(side), ending, Box::new(wants), out)
    }

    /// The addresses of the device that is asked for. Whose a name is shows only at the end of a capture, so a
    /// name takes a look at all of it before.
    fn peers(
        &self,
        input: &Input,
        options: &OpenOptions,
    ) -> Result<Option<HashSet<Address>>, CaptureError> {
        let name = match &self.peer {
            None => return Ok(None),
            Some(Peer::Address(address)) => return Ok(Some(HashSet::from([*address]))),
            Some(Peer::Name(name)) => name,
        };
        let refused = |why: String| Err(CaptureError::Refused(why));
        if input.is_read_once() {
            let why = "a name is looked up in the whole capture first: give a file, or the device's address";
            return refused(why.to_owned());
        }
        let mut side = Side::new(input.clone());
        side.reading = options.clone();
        let capture = case::read(&side)?;
        let sought = Sought::of(&Peer::Name(name.clone()), &capture);
        if sought.addresses.is_empty() {
            return refused(format!("no device here is called {name}"));
        }
        Ok(Some(sought.addresses))
    }

    fn wants(&self, event: &Event<'_>, place: Place<'_>, peers: Option<&HashSet<Address>>) -> bool {
        let peer = |peers: &HashSet<Address>| {
            place.peer.is_some_and(|peer| peers.contains(&peer))
                || peers.iter().any(|peer| event.packet.names(*peer))
        };
        self.adapter.is_none_or(|adapter| event.adapter == Some(adapter))
            && self.connection.is_none_or(|number| place.connection == Some(number))
            && peers.is_none_or(peer)
    }
}
