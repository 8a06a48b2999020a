//! Links on the air in numbers: of a capture of the air, or of one that is a witness.
use super::{FromOne, objects};
use crate::air::{self, CHANNELS, Link};
use crate::packet::Direction;
use crate::seen::Seen;
use crate::witness::Sniffed;

objects! {
    /// An air capture beside a host's.
    Air {
        /// The links that are connections of the host's capture, in its order.
        joined: Vec<JoinedLink>,
        /// All links that the sniffer heard anything of.
        links: usize,
    }

    JoinedLink {
        /// The connection of the host's capture.
        connection: FromOne,
        link: AirLink,
        /// The link's number in the air capture.
        number: FromOne,
    }

    /// A link as a sniffer saw it. Frames are those of the air capture.
    AirLink {
        #[cfg_attr(test, schemars(extend("pattern" = "^0x[0-9a-f]{8}$")))]
        access_address: String,
        central: AirSide,
        /// Channels on which events of the central had no answer.
        channels_lost: Vec<LostChannel>,
        events: AirEvents,
        /// The first packet of the peripheral.
        first_answer: Option<FirstAnswer>,
        /// Anything was heard behind the connect request.
        followed: bool,
        /// The central's first packet that acknowledges one of the peripheral.
        heard_by_central_frame: Option<FromOne>,
        /// Packets whose sender the sniffer named wrongly.
        mislabelled: u64,
        peripheral: AirSide,
        /// The connect request; null where the capture began later, or the sniffer missed it.
        request_frame: Option<FromOne>,
        terminated: Option<AirEnd>,
    }

    /// Packets of one side.
    AirSide {
        /// Received damaged by the sniffer.
        broken: u64,
        /// With nothing to say.
        empty: u64,
        packets: u64,
        /// Sent again, because they were not acknowledged.
        retransmissions: u64,
        /// Packets that the sniffer missed: the next one's number shows it.
        sniffer_missed: u64,
    }

    /// Connection events while the sniffer followed the link.
    AirEvents {
        /// In which both sides were heard.
        answered: u32,
        /// In which the central was heard.
        central: u32,
        /// In which anything was heard.
        heard: u32,
        /// The most missed events in a row.
        longest_gap: u32,
        /// Of which nothing was heard: the sniffer missed them, or nobody spoke.
        missed: u32,
        missed_percent: u32,
    }

    FirstAnswer {
        /// The connection event, counted from 0; null where the sniffer cannot tell.
        event: Option<u32>,
        frame: FromOne,
    }

    LostChannel {
        answered: u32,
        #[cfg_attr(test, schemars(range(max = 36)))]
        channel: u8,
        /// Events in which the central was heard.
        events: u32,
    }

    /// LL_TERMINATE_IND.
    AirEnd {
        acknowledged_frame: Option<FromOne>,
        #[cfg_attr(test, schemars(extend("enum" = ["central", "peripheral"])))]
        by: &'static str,
        frame: FromOne,
        reason: u8,
    }
}

fn frame(seen: Seen) -> FromOne {
    FromOne(seen.frame)
}

impl Air {
    pub(super) fn of(sniffed: &Sniffed) -> Self {
        let links = sniffed.capture.connections.iter().filter(|c| c.air.is_some());
        let joined = sniffed.joined.iter().filter_map(|joined| {
            Some(JoinedLink {
                connection: FromOne(joined.number),
                link: AirLink::of(sniffed.link_of(joined.number)?),
                number: FromOne(joined.on_air),
            })
        });
        Self { joined: joined.collect(), links: links.count() }
    }
}

impl AirLink {
    pub(super) fn of(link: &Link) -> Self {
        let lost = |channel: u8| {
            let fared = link.channels.get(usize::from(channel))?;
            (fared.answered < fared.events).then_some(LostChannel {
                answered: fared.answered,
                channel,
                events: fared.events,
            })
        };
        let timing = &link.timing;
        Self {
            access_address: format!("{:#010x}", link.access_address),
            central: AirSide::of(&link.central),
            channels_lost: (0..CHANNELS).filter_map(lost).collect(),
            events: AirEvents {
                answered: timing.answered,
                central: timing.central,
                heard: timing.heard,
                longest_gap: timing.longest_gap,
                missed: timing.missed,
                missed_percent: link.sniffer_missed(),
            },
            first_answer: link
                .first_answer
                .map(|(seen, event)| FirstAnswer { event, frame: frame(seen) }),
            followed: link.is_followed(),
            heard_by_central_frame: link.heard_by_central.map(frame),
            mislabelled: link.mislabelled,
            peripheral: AirSide::of(&link.peripheral),
            request_frame: link.request.map(|request| frame(request.seen)),
            terminated: link.terminated.map(|end| AirEnd {
                acknowledged_frame: end.acknowledged.map(frame),
                by: if end.by == Direction::Sent { "central" } else { "peripheral" },
                frame: frame(end.seen),
                reason: end.reason.0,
            }),
        }
    }
}

impl AirSide {
    fn of(side: &air::Side) -> Self {
        Self {
            broken: side.broken,
            empty: side.empty,
            packets: side.packets,
            retransmissions: side.repeated,
            sniffer_missed: side.skipped,
        }
    }
}
