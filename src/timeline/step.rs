//! One step of a connection's timeline: a procedure, not a packet.
use crate::packet::Direction;
use crate::seen::{Seen, seen_at};
use crate::time::Span;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What kind of thing a step did: the report's closed vocabulary.
    Procedure {
        Connect "connect",
        Features "features",
        Version "version",
        DataLength "data-length",
        Phy "phy",
        ParameterUpdate "parameter-update",
        ExchangeMtu "exchange-mtu",
        DiscoverServices "discover-services",
        DiscoverIncludes "discover-includes",
        DiscoverCharacteristics "discover-characteristics",
        DiscoverDescriptors "discover-descriptors",
        Read "read",
        Write "write",
        WriteCommand "write-command",
        Subscribe "subscribe",
        Notify "notify",
        Indicate "indicate",
        Pair "pair",
        Encrypt "encrypt",
        Channel "channel",
        Scan "scan",
        Disconnect "disconnect",
        Other "other",
    }
}

vocabulary! {
    /// How a step ended.
    Outcome {
        Ok "ok",
        Error "error",
        /// No answer came although the link lived on (or the capture ended).
        Unanswered "unanswered",
        /// The link ended first.
        CutOff "cut-off",
        /// The capture is cut, filtered, or began too late to tell.
        Unknown "unknown",
    }
}

vocabulary! {
    /// Where an encryption's key came from.
    Encryption {
        /// A key of an earlier bond: no pairing precedes it on this link.
        Stored "stored key",
        /// The key of the pairing just made.
        Fresh "fresh key",
        /// The link was encrypted already.
        Refresh "key refresh",
    }
}

vocabulary! {
    /// How far a pairing got.
    PairingPhase {
        Requested "requested",
        Features "features exchanged",
        PublicKeys "public keys exchanged",
        Confirm "confirm value sent",
        Random "random value sent",
        DhKeyCheck "DHKey check sent",
        KeyDistribution "keys distributed",
        Failed "failed",
    }
}

/// One procedure, or one run of like traffic, on a connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// What kind of step.
    pub procedure: Procedure,
    /// Who started it: `Sent` is our host or controller, `Received` the peer.
    pub by: Direction,
    /// What came of it.
    pub outcome: Outcome,
    /// HCI status, ATT error, SMP reason or signalling result, as the procedure has it.
    pub status: Option<u8>,
    /// Attribute handle, 0 for none. Look it up in the connection's database.
    pub attribute: u16,
    /// The first of its packets.
    pub first: Seen,
    /// The last of its packets.
    pub last: Seen,
    /// PDUs (or request/response pairs) folded into this step; at least 1.
    pub count: u32,
    /// Attribute value bytes carried.
    pub bytes: u64,
    /// What its packets said.
    pub detail: Detail,
}

/// What a step's packets said, by procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Detail {
    /// Nothing beyond the procedure.
    None,
    /// Connect: reason of creation lies in [`super::Request`].
    Features([u8; 8]),
    /// Who made the peer's controller.
    Version {
        /// The version of the specification, by its number.
        version: u8,
        /// The company identifier.
        company: u16,
        /// The company's own number.
        subversion: u16,
    },
    /// How long packets may be.
    DataLength {
        /// Longest packet sent, in bytes.
        tx_octets: u16,
        /// The longest time that a sent packet takes, in microseconds.
        tx_time: u16,
        /// Longest packet received, in bytes.
        rx_octets: u16,
        /// Longest packet received, in microseconds.
        rx_time: u16,
    },
    /// Requested (all-PHYs mask aside) and granted; 0 where that half was not seen.
    Phy {
        /// Mask of PHYs asked for to send.
        asked_tx: u8,
        /// Mask of PHYs asked for to receive.
        asked_rx: u8,
        /// The PHY to send.
        tx: u8,
        /// The PHY to receive.
        rx: u8,
    },
    /// A parameter update: what was asked (0 where nothing was) and what was granted (0 where nothing was).
    Parameters {
        /// The shortest interval, in units of 1.25 ms.
        min: u16,
        /// The longest interval, in units of 1.25 ms.
        max: u16,
        /// The latency, in events.
        latency: u16,
        /// The supervision timeout, in units of 10 ms.
        timeout: u16,
        /// The interval, in units of 1.25 ms.
        granted_interval: u16,
        /// The latency, in events.
        granted_latency: u16,
        /// The supervision timeout, in units of 10 ms.
        granted_timeout: u16,
    },
    /// How the channels are chosen.
    ChannelSelection {
        /// 0 is algorithm 1, 1 is algorithm 2.
        algorithm: u8,
    },
    /// `answers`: how many responses came (2 is a fault).
    Mtu {
        /// What was asked for, in bytes.
        asked: u16,
        /// What was answered, in bytes.
        answered: Option<u16>,
        /// How many answers came.
        answers: u8,
    },
    /// A discovery over a handle range; `by_uuid` for Find By Type Value and by-UUID reads.
    /// `attribute_type`: the 16-bit type asked for (0x2800, 0x2803, 0x2a00 …), 0 where it is a 128-bit one.
    Discovery {
        /// The first handle asked for.
        first: u16,
        /// The last handle asked for.
        last: u16,
        /// How many attributes were found.
        found: u16,
        /// The 16-bit type asked for.
        attribute_type: u16,
        /// One type was asked for.
        by_uuid: bool,
    },
    /// A read; `offset` > 0 for a blob; `by_type`: the 16-bit UUID of a Read By Type, 0 otherwise.
    Read {
        /// Where in the value.
        offset: u16,
        /// The 16-bit type asked for.
        by_type: u16,
    },
    /// A write: 16-bit little-endian value of a CCCD or of the first two bytes, prepared (long) or not, signed or not.
    Write {
        /// The first two bytes of the value.
        head: u16,
        /// It was prepared and executed.
        prepared: bool,
        /// It was signed.
        signed: bool,
    },
    /// A CCCD write.
    Subscription {
        /// 0, or what is switched on: 1 notifications, 2 indications.
        value: u16,
    },
    /// Peer's or our wish for security: the Security Request's AuthReq.
    SecurityRequest {
        /// What the peer asked for, as in its packet.
        auth_req: u8,
    },
    /// IO capability, OOB, AuthReq, key size of request and response (0xff where not seen);
    /// who sent Pairing Failed.
    Pairing {
        /// How far it got.
        phase: PairingPhase,
        /// What the request says.
        request: [u8; 4],
        /// What the response says.
        response: [u8; 4],
        /// Who ended it.
        refused_by: Option<Direction>,
    },
    /// Encryption is switched on.
    Encryption {
        /// Which key is used.
        key: Encryption,
        /// The size of the key in bytes, where it is said.
        key_size: u8,
    },
    /// L2CAP channel or other signalling: code, PSM, channel ids.
    Signal {
        /// What was asked, by its number.
        code: u8,
        /// The service that the channel is for.
        psm: u16,
        /// Our identifier of the channel.
        ours: u16,
        /// The peer's identifier of the channel.
        theirs: u16,
    },
    /// Scanning was switched.
    Scan {
        /// On, or off.
        on: bool,
        /// The scan interval, in slots of 0.625 ms.
        interval: u16,
        /// The scan window, in slots of 0.625 ms.
        window: u16,
    },
    /// The link ends.
    Disconnect {
        /// The reason in our Disconnect command.
        reason_sent: Option<u8>,
    },
    /// An ATT PDU outside the named procedures: its opcode.
    Att {
        /// What it was, by its number.
        opcode: u8,
    },
    /// An HCI command (opcode) or event (code, with the LE subevent in the high byte) outside the named procedures.
    Hci {
        /// What it was, by its number.
        code: u16,
    },
}

seen_at!(Step: first);

impl Step {
    /// From its first packet to its last.
    pub fn duration(&self) -> Option<Span> {
        self.last.since(&self.first)
    }

    /// Whether this is one of a kind that folds when repeated (failures never do).
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Error | Outcome::Unanswered | Outcome::CutOff)
    }

    /// Whether the step belongs to the attribute protocol.
    pub fn is_att(&self) -> bool {
        use Procedure::*;
        match self.procedure {
            ExchangeMtu
            | DiscoverServices
            | DiscoverIncludes
            | DiscoverCharacteristics
            | DiscoverDescriptors
            | Read
            | Write
            | WriteCommand
            | Subscribe
            | Notify
            | Indicate => true,
            Other => matches!(self.detail, Detail::Att { .. }),
            _ => false,
        }
    }
}
