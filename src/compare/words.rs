//! Steps, outcomes and endings in plain words: one spelling for every output.
use super::names::{Names, subscribes};
use super::standing::{Failure, Standing};
use crate::packet::att::{self, ErrorCode, Uuid};
use crate::packet::units::{Interval, Timeout};
use crate::packet::{Status, hci, signal, smp};
use crate::timeline::{
    AdapterLoss, Connection, Detail, EndedBy, Gone, OpenRequest, Outcome, Owner, Pending,
    Procedure, Role, Step, Transport,
};

/// `Write 0x004c Heart Rate Control Point`: what a step did, named as well as the captures allow.
pub fn step(connection: &Connection, names: &Names, step: &Step) -> String {
    let attribute = names.attribute(connection, step);
    let verb = verb(step, subscribes(step, names.of_step(connection, step)));
    let mut text = match (&attribute, step.detail) {
        (Some(attribute), _) if attribute.handle != 0 && !attribute.name.is_empty() => {
            format!("{verb} {:#06x} {}", attribute.handle, attribute.name)
        }
        (Some(attribute), _) if attribute.handle != 0 => {
            format!("{verb} {:#06x}", attribute.handle)
        }
        (Some(attribute), _) => format!("{verb} {}", attribute.name),
        (None, Detail::Discovery { attribute_type, by_uuid, .. }) => match attribute_type {
            0x2800 if by_uuid => "Discover services by UUID".to_owned(),
            0x2801 => "Discover secondary services".to_owned(),
            0x2a05 => "Service Changed".to_owned(),
            _ => verb,
        },
        (None, _) => verb,
    };
    if step.count > 1 && !matches!(step.procedure, Procedure::Pair | Procedure::Connect) {
        text.push_str(&format!(" ×{}", step.count));
    }
    text
}

/// A step's name without its attribute.
fn verb(step: &Step, subscribes: bool) -> String {
    use Procedure::*;
    let text = match (step.procedure, step.detail) {
        (Connect, _) => "Connect",
        (Features, _) => "Read remote features",
        (Version, _) => "Read remote version",
        (DataLength, _) => "Data length",
        (Phy, _) => "PHY",
        (ParameterUpdate, _) => "Parameter update",
        (ExchangeMtu, _) => "Exchange MTU",
        (DiscoverServices, _) => "Discover services",
        (DiscoverIncludes, _) => "Discover includes",
        (DiscoverCharacteristics, _) => "Discover characteristics",
        (DiscoverDescriptors, _) => "Discover descriptors",
        (Read, Detail::Read { offset: 1.., .. }) => "Read on",
        (Read, _) => "Read",
        (Write | Subscribe, _) if subscribes => "Subscribe",
        (Write, Detail::Write { prepared: true, .. }) => "Write (long)",
        (Write, _) => "Write",
        (WriteCommand, Detail::Write { signed: true, .. }) => "Write command (signed)",
        (WriteCommand, _) => "Write command",
        (Subscribe, _) => "Subscribe",
        (Notify, _) => "Notification",
        (Indicate, _) => "Indication",
        (Pair, Detail::SecurityRequest { .. }) => "Security request",
        // BR/EDR pairs below HCI: the host asks for authentication.
        (Pair, Detail::None) => "Authenticate",
        (Pair, _) => "Pair",
        (Encrypt, Detail::Encryption { key, .. }) => return format!("Encrypt ({key})"),
        (Encrypt, _) => "Encrypt",
        (Channel, Detail::Signal { psm, .. }) if psm != 0 => {
            return format!("Open channel {psm:#06x}");
        }
        (Channel, Detail::Signal { code, .. }) => {
            return signal::Pdu::name_of(code).unwrap_or("Channel signalling").to_owned();
        }
        (Channel, _) => "Channel signalling",
        (Scan, Detail::Scan { on: true, .. }) => "Scan on",
        (Scan, _) => "Scan off",
        (Disconnect, _) => "Disconnect",
        (_, Detail::Att { opcode }) => return format!("ATT {opcode:#04x}"),
        (_, Detail::Hci { code: 0x57 }) => "Authenticated payload timeout expired",
        (_, Detail::Hci { code }) => {
            return hci::names::command(code)
                .map_or_else(|| format!("HCI {code:#06x}"), str::to_owned);
        }
        _ => "Other",
    };
    text.to_owned()
}

/// `ok`, `Insufficient Authentication (0x05)`, `unanswered`, `cut off`.
pub fn outcome(step: &Step) -> String {
    match step.outcome {
        Outcome::Ok => "ok".to_owned(),
        Outcome::Error => status(step).unwrap_or_else(|| "error".to_owned()),
        Outcome::Unanswered => "unanswered".to_owned(),
        Outcome::CutOff => "cut off by the link's end".to_owned(),
        Outcome::Unknown => "outcome not in the capture".to_owned(),
    }
}

/// A step's code, with its name in the step's own code space.
pub fn status(step: &Step) -> Option<String> {
    let code = step.status?;
    Some(match step.procedure {
        _ if step.is_att() => ErrorCode(code).to_string(),
        Procedure::Pair if step.detail != Detail::None => smp::Reason(code).to_string(),
        Procedure::Channel => format!("result {code:#04x}"),
        _ => Status(code).to_string(),
    })
}

/// What a CCCD was set to.
pub fn subscription(value: u16) -> &'static str {
    match value & 3 {
        0 => "off",
        1 => "notifications",
        2 => "indications",
        _ => "notifications and indications",
    }
}

/// `30 ms, latency 0, timeout 720 ms`, from raw units.
pub fn parameters(interval: u16, latency: u16, timeout: u16) -> String {
    format!("{}, latency {latency}, timeout {}", interval_ms(interval), timeout_ms(timeout))
}

/// An interval in units of 1.25 ms.
pub fn interval_ms(interval: u16) -> String {
    let ms = Interval(interval).ms();
    if ms.fract() == 0.0 { format!("{ms:.0} ms") } else { format!("{ms:.2} ms") }
}

/// A supervision timeout in units of 10 ms.
pub fn timeout_ms(timeout: u16) -> String {
    match Timeout(timeout).ms() {
        ms if ms >= 1000 && ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}

/// A disconnect reason as one would say it to a colleague.
pub fn reason(reason: Status) -> &'static str {
    match reason {
        Status::CONNECTION_TIMEOUT => "the peer fell silent until the supervision timeout ran out",
        Status::REMOTE_USER_TERMINATED => "the peer hung up",
        Status::REMOTE_LOW_RESOURCES => "the peer hung up: it was low on resources",
        Status::REMOTE_POWER_OFF => "the peer hung up: it was switched off",
        Status::LOCAL_HOST_TERMINATED => "this host hung up",
        Status::FAILED_TO_BE_ESTABLISHED => "the peer was never heard on this link",
        Status::MIC_FAILURE => "the two sides encrypted with different keys",
        Status::LL_RESPONSE_TIMEOUT => "the peer left a link-layer procedure unanswered",
        Status::AUTHENTICATION_FAILURE => "authentication failed",
        Status::PIN_OR_KEY_MISSING => "one side no longer has the key",
        Status::UNACCEPTABLE_CONNECTION_PARAMETERS => {
            "the connection parameters were not acceptable"
        }
        Status::INSTANT_PASSED => "an agreed change came too late",
        Status::UNSUPPORTED_REMOTE_FEATURE => "a feature is not supported",
        _ => "the link ended",
    }
}

/// Who ended the link.
pub fn ended_by(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Peer => "the peer",
        EndedBy::Host => "this host",
        EndedBy::Controller => "this controller",
    }
}

/// How an attempt came out, in one clause.
pub fn ending(connection: &Connection) -> String {
    if !connection.connected() {
        return match (connection.status, connection.request.as_ref().and_then(|r| r.cancelled)) {
            (Some(Status::UNKNOWN_CONNECTION_IDENTIFIER), Some(_))
                if connection.wanted().is_none() =>
            {
                "the wait for any device of the accept list was taken back (0x02)".to_owned()
            }
            (Some(Status::UNKNOWN_CONNECTION_IDENTIFIER), Some(_)) => {
                "never connected: this host gave up waiting (0x02)".to_owned()
            }
            (Some(Status::SUCCESS) | None, _) => {
                "never connected: nothing answered before the capture ended".to_owned()
            }
            (Some(status), _) => format!("never connected: {status}"),
        };
    }
    if let Some(gone) = &connection.gone {
        return adapter_lost(connection, gone);
    }
    if connection.end_unknown {
        return "how it ended is not in this capture".to_owned();
    }
    let Some(end) = &connection.end else {
        return match connection.capture_end.since(connection.zero()) {
            Some(open) => format!("still up {open} later, when the capture ends"),
            None => "still up when the capture ends".to_owned(),
        };
    };
    let code = match end.reason_sent {
        Some(sent) if end.by == EndedBy::Host => {
            format!("{:#04x}, sent {:#04x}", end.reason.0, sent.0)
        }
        _ => format!("{:#04x}", end.reason.0),
    };
    let says = match end.by {
        EndedBy::Host => "this host hung up",
        _ => reason(end.reason),
    };
    let because = match Failure::of(connection) {
        Some(Failure::Security(_)) => ", after pairing or encryption had failed",
        Some(Failure::Unanswered) => ", after waiting for an answer in vain",
        _ => "",
    };
    let was = if Standing::of(connection).usable { "worked" } else { "was connected" };
    match connection.life() {
        Some(life) if end.by == EndedBy::Host && Failure::of(connection).is_none() => {
            format!("{was} for {life}, then this host disconnected ({code})")
        }
        Some(life) => format!("{says} ({code}) after {life}{because}"),
        None => format!("{says} ({code}){because}"),
    }
}

/// A link whose adapter was lost: `the adapter was removed after 3.4 s`.
fn adapter_lost(connection: &Connection, gone: &Gone) -> String {
    let what = match (gone.how, gone.by) {
        (AdapterLoss::Removed, _) => "the adapter was removed",
        (AdapterLoss::PoweredOff, EndedBy::Host) => "this host switched its adapter off",
        (AdapterLoss::PoweredOff, _) => "the adapter was closed",
        (AdapterLoss::Reset, _) => "the adapter was reset",
    };
    let by = gone.process.as_ref().map_or(String::new(), |process| format!(" ({process})"));
    match gone.at.since(connection.zero()) {
        Some(life) => format!("{what}{by} after {life}"),
        None => format!("{what}{by}"),
    }
}

/// The number of connection intervals that a link lived, where that says something.
pub fn intervals(connection: &Connection) -> Option<f64> {
    let granted = connection.granted.filter(|g| g.interval > 0)?;
    Some(connection.life()?.0 as f64 / granted.interval().0 as f64)
}

/// A question that was open at the end: `Read 0x0012, open for 5.0 s`.
pub fn open_request(names: &Names, open: &OpenRequest) -> String {
    let what = match open.pending {
        Pending::Att(opcode) => match att_request(opcode) {
            Some(name) => name.to_owned(),
            None => format!("ATT {opcode:#04x}"),
        },
        Pending::Smp(_) => "pairing".to_owned(),
        Pending::Signal(code) => signal::Pdu::name_of(code)
            .map_or_else(|| format!("signalling request {code:#04x}"), str::to_owned),
        Pending::LongTermKey => "Long Term Key Request".to_owned(),
        Pending::LinkLayer(opcode) => {
            hci::names::command(opcode.0).map_or_else(|| opcode.to_string(), str::to_owned)
        }
        Pending::ParameterRequest => "Connection Parameter Request".to_owned(),
    };
    let sent = open.by == crate::packet::Direction::Sent;
    let mut text =
        if open.attribute != 0 { format!("{what} {:#06x}", open.attribute) } else { what };
    // An attribute belongs to the server: the peer's for our requests, ours for our indications.
    let indication = open.pending == Pending::Att(att::Pdu::INDICATION);
    let owner = if sent != indication { Owner::Peer } else { Owner::Host };
    if let Some(meaning) = names.meaning(open.attribute, owner) {
        text = format!("{text} {}", names.short(meaning.uuid));
    }
    if !sent {
        text.push_str(" of the peer");
    }
    if let Some(age) = open.age {
        text.push_str(&format!(", open for {age}"));
    }
    text
}

/// The specification's name of an ATT request.
pub fn att_request(opcode: u8) -> Option<&'static str> {
    att::Pdu::name_of(opcode)
}

/// The transport as the specification spells it.
pub fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Le => "LE",
        Transport::BrEdr => "BR/EDR",
        Transport::Unknown => "transport unknown",
    }
}

/// Our role on a link.
pub fn role(role: Option<Role>) -> &'static str {
    match role {
        Some(Role::Central) => "central",
        Some(Role::Peripheral) => "peripheral",
        None => "role unknown",
    }
}

/// A UUID with its assigned name, where it has one.
pub fn uuid(uuid: Uuid) -> String {
    match uuid {
        Uuid::Short(short) => {
            crate::numbers::uuid16(short).map_or_else(|| format!("0x{short:04X}"), str::to_owned)
        }
        full => full.to_string(),
    }
}

/// What a successful step brought, where that is more than "ok".
pub fn said(connection: &Connection, names: &Names, step: &Step) -> Option<String> {
    let bytes =
        || if step.bytes == 1 { "1 byte".to_owned() } else { format!("{} bytes", step.bytes) };
    Some(match step.detail {
        Detail::Write { head, .. } if subscribes(step, names.of_step(connection, step)) => {
            subscription(head).to_owned()
        }
        Detail::Mtu { asked, answered: Some(answered), .. } => {
            format!("{asked}, answered {answered}")
        }
        Detail::Version { version, company, .. } => {
            let who = crate::numbers::company(company)
                .map_or_else(|| format!("company {company:#06x}"), str::to_owned);
            format!("version {version:#04x}, {who}")
        }
        Detail::DataLength { tx_octets, rx_octets: rx_octets @ 1.., .. } => {
            format!("{tx_octets}/{rx_octets} bytes")
        }
        Detail::Parameters {
            granted_interval: interval @ 1..,
            granted_latency,
            granted_timeout,
            ..
        } => parameters(interval, granted_latency, granted_timeout),
        Detail::Discovery { first, last, found, .. } if step.procedure != Procedure::Indicate => {
            format!("{found} found in {first:#06x}-{last:#06x}")
        }
        Detail::Subscription { value } => subscription(value).to_owned(),
        Detail::Read { .. } | Detail::Write { .. } if step.bytes > 0 => bytes(),
        Detail::None if matches!(step.procedure, Procedure::Notify | Procedure::Indicate) => {
            bytes()
        }
        Detail::Pairing { phase, .. } => phase.to_string(),
        _ => return None,
    })
}
