//! What is on the air: packets of the LE link layer, as a sniffer sees them.
//!
//! A frame is access address, header, payload and check sequence (Core, Vol 6, Part B, 2.1). The tables of its PDUs
//! stand in `advertising.rs` and `control.rs`; attributes, signalling and pairing above them are the same as in HCI.
mod advertising;
mod control;
pub mod crc;
mod extended;

pub use advertising::Advertising;
pub use control::Control;
pub use extended::Extended;

/// The access address of advertising.
pub const ADVERTISING: u32 = 0x8e89_bed6;

/// The first of the three channels on which advertising begins; those below carry connections and auxiliary packets.
pub const FIRST_PRIMARY: u8 = 37;

/// How the bits are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phy {
    /// LE 1M.
    OneMegabit,
    /// LE 2M.
    TwoMegabit,
    /// LE Coded, S=2 or S=8.
    Coded,
}

impl Phy {
    /// As a sniffer's header counts.
    pub fn of(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::OneMegabit),
            1 => Some(Self::TwoMegabit),
            2 => Some(Self::Coded),
            _ => None,
        }
    }

    /// `LE 1M`
    pub fn name(self) -> &'static str {
        match self {
            Self::OneMegabit => "LE 1M",
            Self::TwoMegabit => "LE 2M",
            Self::Coded => "LE Coded",
        }
    }

    /// How long a packet with this payload is on the air, in microseconds. Coded packets are taken as S=8.
    pub fn air_time_us(self, payload: u8) -> i64 {
        let bytes = i64::from(payload);
        match self {
            // Preamble, access address, header, payload, check sequence.
            Self::OneMegabit => (1 + 4 + 2 + bytes + 3) * 8,
            Self::TwoMegabit => (2 + 4 + 2 + bytes + 3) * 4,
            Self::Coded => 80 + 256 + 16 + 24 + (2 + bytes + 3) * 64 + 24,
        }
    }
}

/// What a packet's sniffer takes it for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Physical {
    /// The header does not say it: the access address does.
    #[default]
    Untold,
    /// On one of the three primary channels.
    Advertising,
    /// On a secondary channel: which auxiliary packet, where the sniffer knows.
    Auxiliary(Option<Auxiliary>),
    /// Of a connection.
    Data,
    /// Of an isochronous stream.
    Isochronous,
}

/// Which packet on a secondary advertising channel; the PDU alone does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Auxiliary {
    /// AUX_ADV_IND: what an ADV_EXT_IND points to.
    Advertisement,
    /// AUX_CHAIN_IND: more data of the packet before.
    Chain,
    /// AUX_SYNC_IND: periodic advertising.
    Sync,
    /// AUX_SCAN_RSP: the answer to a scan request.
    ScanResponse,
}

/// What a sniffer says of a packet besides its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Radio {
    /// The channel's index, 0 to 39.
    pub channel: Option<u8>,
    /// In dBm.
    pub rssi: Option<i8>,
    /// How the bits were sent.
    pub phy: Option<Phy>,
    /// The check sequence fits; `None` where the sniffer did not check it.
    pub crc_ok: Option<bool>,
    /// The message integrity check fits; `None` where there is none or it was not checked.
    pub mic_ok: Option<bool>,
    /// The packet was encrypted on the air, as far as the sniffer says.
    pub encrypted: bool,
    /// The sniffer decrypted it.
    pub decrypted: bool,
    /// What the sniffer takes the packet for.
    pub physical: Physical,
    /// The connection event, as the sniffer counts.
    pub event_counter: Option<u16>,
    /// The sniffer's own number of the packet, which shows what was lost on its way to the file.
    pub packet_counter: Option<u16>,
}

impl Radio {
    /// The channel index of a frequency, counted in steps of 2 MHz from 2402 MHz.
    pub fn channel_of_rf(rf: u8) -> Option<u8> {
        match rf {
            0 => Some(37),
            12 => Some(38),
            39 => Some(39),
            1..=11 => Some(rf - 1),
            13..=38 => Some(rf - 2),
            _ => None,
        }
    }
}

/// The two bytes after the access address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// The frame is too short to have one, or nobody knows its form.
    #[default]
    None,
    /// Of an advertising PDU.
    Advertising {
        /// The type, 0 to 15: ADV_IND, ADV_DIRECT_IND …
        pdu_type: u8,
        /// Channel selection algorithm #2 is supported.
        ch_sel: bool,
        /// The sender's address is random.
        tx_random: bool,
        /// The receiver's address is random.
        rx_random: bool,
        /// Length of the payload.
        length: u8,
    },
    /// Of a data PDU.
    Data {
        /// Which kind of data: 1 continues a message, 2 begins one, 3 is link-layer control.
        llid: u8,
        /// What the sender expects next.
        nesn: bool,
        /// The packet's own sequence number.
        sn: bool,
        /// More data follows in this connection event.
        md: bool,
        /// Length of the payload.
        length: u8,
    },
}

/// The frame that a PDU came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Air {
    /// What the sniffer says of it.
    pub radio: Radio,
    /// Which link, or advertising.
    pub access_address: u32,
    /// The two bytes behind the access address.
    pub header: Header,
    /// The check sequence fits: as the sniffer says, else as it was computed where that is possible.
    pub crc_ok: Option<bool>,
    /// The same PDU as the one before in this direction: it was not acknowledged.
    pub repeated: bool,
    /// The payload is encrypted, so nobody can read it.
    pub encrypted: bool,
    /// The sniffer does not say who sent it: its place in the connection event does.
    pub inferred: bool,
    /// The sniffer names the wrong sender: only the other side sends such a PDU.
    pub mislabelled: bool,
    /// A packet of this side was missed before this one: its number shows it.
    pub skipped: bool,
}

impl Air {
    /// How long the packet is on the air, in microseconds.
    pub fn air_time_us(&self) -> i64 {
        let length = match self.header {
            Header::None => 0,
            Header::Advertising { length, .. } | Header::Data { length, .. } => length,
        };
        self.radio.phy.unwrap_or(Phy::OneMegabit).air_time_us(length)
    }

    /// The check sequence does not fit: nothing in the packet can be relied on.
    pub fn broken(&self) -> bool {
        self.crc_ok == Some(false)
    }
}

/// A PDU of the link layer itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pdu<'a> {
    /// On one of the three primary channels.
    Advertising(Advertising<'a>),
    /// On a secondary channel.
    Auxiliary(Option<Auxiliary>, Advertising<'a>),
    /// A PDU by which the two link layers agree.
    Control(Control<'a>),
    /// Nothing to say: it acknowledges, and keeps the link alive.
    Empty,
    /// Encrypted: `control` tells link-layer control from data.
    Encrypted {
        /// It is link-layer control.
        control: bool,
        /// Bytes of the payload.
        len: u8,
    },
    /// Of an isochronous stream.
    Isochronous {
        /// Bytes of the payload.
        len: u8,
    },
}

impl Pdu<'_> {
    /// The specification's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Advertising(pdu) => pdu.name().unwrap_or("Unknown Advertising PDU"),
            Self::Auxiliary(kind, pdu) => match (pdu.code(), kind) {
                (3, _) => "AUX_SCAN_REQ",
                (5, _) => "AUX_CONNECT_REQ",
                (7, Some(Auxiliary::Advertisement)) => "AUX_ADV_IND",
                (7, Some(Auxiliary::Chain)) => "AUX_CHAIN_IND",
                (7, Some(Auxiliary::Sync)) => "AUX_SYNC_IND",
                (7, Some(Auxiliary::ScanResponse)) => "AUX_SCAN_RSP",
                (7, None) => "Auxiliary Advertising PDU",
                _ => pdu.name().unwrap_or("Unknown Auxiliary PDU"),
            },
            Self::Control(pdu) => pdu.name().unwrap_or("Unknown LL Control PDU"),
            Self::Empty => "Empty PDU",
            Self::Encrypted { control: true, .. } => "Encrypted LL Control PDU",
            Self::Encrypted { .. } => "Encrypted Data PDU",
            Self::Isochronous { .. } => "Isochronous PDU",
        }
    }

    /// The PDU type of advertising, the opcode of control.
    pub fn code(&self) -> Option<u8> {
        match self {
            Self::Advertising(pdu) | Self::Auxiliary(_, pdu) => Some(pdu.code()),
            Self::Control(pdu) => Some(pdu.code()),
            Self::Empty | Self::Encrypted { .. } | Self::Isochronous { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_numbered_around_the_three_of_advertising() {
        let channel = |megahertz: u16| Radio::channel_of_rf(((megahertz - 2402) / 2) as u8);
        for (megahertz, index) in
            [(2402, 37), (2404, 0), (2424, 10), (2426, 38), (2428, 11), (2478, 36), (2480, 39)]
        {
            assert_eq!(channel(megahertz), Some(index), "{megahertz} MHz");
        }
        assert_eq!(channel(2482), None);
    }

    #[test]
    fn an_empty_packet_takes_eighty_microseconds() {
        assert_eq!(Phy::OneMegabit.air_time_us(0), 80);
        assert_eq!(Phy::TwoMegabit.air_time_us(0), 44);
        assert_eq!(Phy::OneMegabit.air_time_us(251), 2088);
        assert_eq!(Phy::Coded.air_time_us(0), 720);
    }
}
