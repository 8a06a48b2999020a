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
pub struct Step {
    pub procedure: Procedure,
    /// Who started it: `Sent` is our host or controller, `Received` the peer.
    pub by: Direction,
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
    pub detail: Detail,
}

/// What a step's packets said, by procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Detail {
    None,
    /// Connect: reason of creation lies in [`super::Request`].
    Features([u8; 8]),
    Version {
        version: u8,
        company: u16,
        subversion: u16,
    },
    DataLength {
        tx_octets: u16,
        tx_time: u16,
        rx_octets: u16,
        rx_time: u16,
    },
    /// Requested (all-PHYs mask aside) and granted; 0 where that half was not seen.
    Phy {
        asked_tx: u8,
        asked_rx: u8,
        tx: u8,
        rx: u8,
    },
    /// A parameter update: what was asked (0 where nothing was) and what was granted (0 where nothing was).
    Parameters {
        min: u16,
        max: u16,
        latency: u16,
        timeout: u16,
        granted_interval: u16,
        granted_latency: u16,
        granted_timeout: u16,
    },
    ChannelSelection {
        algorithm: u8,
    },
    /// `answers`: how many responses came (2 is a fault).
    Mtu {
        asked: u16,
        answered: Option<u16>,
        answers: u8,
    },
    /// A discovery over a handle range; `by_uuid` for Find By Type Value and by-UUID reads.
    /// `attribute_type`: the 16-bit type asked for (0x2800, 0x2803, 0x2a00 …), 0 where it is a 128-bit one.
    Discovery {
        first: u16,
        last: u16,
        found: u16,
        attribute_type: u16,
        by_uuid: bool,
    },
    /// A read; `offset` > 0 for a blob; `by_type`: the 16-bit UUID of a Read By Type, 0 otherwise.
    Read {
        offset: u16,
        by_type: u16,
    },
    /// A write: 16-bit little-endian value of a CCCD or of the first two bytes, prepared (long) or not, signed or not.
    Write {
        head: u16,
        prepared: bool,
        signed: bool,
    },
    /// A CCCD write.
    Subscription {
        value: u16,
    },
    /// Peer's or our wish for security: the Security Request's AuthReq.
    SecurityRequest {
        auth_req: u8,
    },
    /// IO capability, OOB, AuthReq, key size of request and response (0xff where not seen);
    /// who sent Pairing Failed.
    Pairing {
        phase: PairingPhase,
        request: [u8; 4],
        response: [u8; 4],
        refused_by: Option<Direction>,
    },
    Encryption {
        key: Encryption,
        key_size: u8,
    },
    /// L2CAP channel or other signalling: code, PSM, channel ids.
    Signal {
        code: u8,
        psm: u16,
        ours: u16,
        theirs: u16,
    },
    Scan {
        on: bool,
        interval: u16,
        window: u16,
    },
    Disconnect {
        reason_sent: Option<u8>,
    },
    /// An ATT PDU outside the named procedures: its opcode.
    Att {
        opcode: u8,
    },
    /// An HCI command (opcode) or event (code, with the LE subevent in the high byte) outside the named procedures.
    Hci {
        code: u16,
    },
}

seen_at!(Step: first);

impl Step {
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
