//! Steps, outcomes and endings in plain words: one spelling for every output.
use super::names::{Names, subscribes};
use super::standing::{Failure, Standing};
use crate::packet::att::{self, ErrorCode, Handle};
use crate::packet::units::{Interval, Timeout};
use crate::packet::{Status, hci, signal, smp};
use crate::prose::{Say, Text, count, quoted};
use crate::text;
use crate::timeline::{
    AdapterLoss, Connection, Detail, EndedBy, Gone, OpenRequest, Outcome, Owner, Pending,
    Procedure, Role, Step, Transport,
};

/// `Write 0x004c Heart Rate Control Point`: what a step did, named as well as the captures allow.
pub fn step(connection: &Connection, names: &Names, step: &Step) -> Text {
    let attribute = names.attribute(connection, step);
    let verb = verb(step, subscribes(step, names.of_step(connection, step)));
    let text = match (&attribute, step.detail) {
        (Some(attribute), _) if attribute.handle != 0 && !attribute.name.is_empty() => {
            text!("{} {} {}", verb, Handle(attribute.handle), quoted(&attribute.name))
        }
        (Some(attribute), _) if attribute.handle != 0 => {
            text!("{} {}", verb, Handle(attribute.handle))
        }
        (Some(attribute), _) => text!("{} {}", verb, quoted(&attribute.name)),
        (None, Detail::Discovery { attribute_type, by_uuid, .. }) => match attribute_type {
            0x2800 if by_uuid => "Discover services by UUID".into(),
            0x2801 => "Discover secondary services".into(),
            0x2a05 => "Service Changed".into(),
            _ => verb,
        },
        (None, _) => verb,
    };
    if step.count > 1 && !matches!(step.procedure, Procedure::Pair | Procedure::Connect) {
        return text!("{} ×{}", text, step.count);
    }
    text
}

/// A step's name without its attribute.
fn verb(step: &Step, subscribes: bool) -> Text {
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
        (Encrypt, Detail::Encryption { key, .. }) => return text!("Encrypt ({})", key),
        (Encrypt, _) => "Encrypt",
        (Channel, Detail::Signal { psm, .. }) if psm != 0 => {
            return text!("Open channel {}", format_args!("{psm:#06x}"));
        }
        (Channel, Detail::Signal { code, .. }) => {
            signal::Pdu::name_of(code).unwrap_or("Channel signalling")
        }
        (Channel, _) => "Channel signalling",
        (Scan, Detail::Scan { on: true, .. }) => "Scan on",
        (Scan, _) => "Scan off",
        (Disconnect, _) => "Disconnect",
        (_, Detail::Att { opcode }) => return text!("ATT {}", format_args!("{opcode:#04x}")),
        (_, Detail::Hci { code: 0x57 }) => "Authenticated payload timeout expired",
        (_, Detail::Hci { code }) => {
            return hci::names::command(code)
                .map_or_else(|| text!("HCI {}", format_args!("{code:#06x}")), Text::fixed);
        }
        _ => "Other",
    };
    text.into()
}

/// `ok`, `Insufficient Authentication (0x05)`, `unanswered`, `cut off`.
pub fn outcome(step: &Step) -> Text {
    match step.outcome {
        Outcome::Ok => "ok".into(),
        Outcome::Error => status(step).unwrap_or("error".into()),
        Outcome::Unanswered => "unanswered".into(),
        Outcome::CutOff => "cut off by the link's end".into(),
        Outcome::Unknown => "outcome not in the capture".into(),
    }
}

/// A step's code, with its name in the step's own code space.
pub fn status(step: &Step) -> Option<Text> {
    let code = step.status?;
    Some(match step.procedure {
        _ if step.is_att() => text!("{}", ErrorCode(code)),
        Procedure::Pair if step.detail != Detail::None => text!("{}", smp::Reason(code)),
        Procedure::Channel => text!("result {}", format_args!("{code:#04x}")),
        _ => text!("{}", Status(code)),
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
pub fn parameters(interval: u16, latency: u16, timeout: u16) -> Text {
    let (interval, timeout) = (interval_ms(interval), timeout_ms(timeout));
    text!("{}, latency {}, timeout {}", interval, latency, timeout)
}

/// An interval in units of 1.25 ms.
pub fn interval_ms(interval: u16) -> Text {
    text!("{} ms", interval_number(interval))
}

/// The same without its unit.
pub fn interval_number(interval: u16) -> Text {
    let ms = Interval(interval).ms();
    if ms.fract() == 0.0 {
        text!("{}", format_args!("{ms:.0}"))
    } else {
        text!("{}", format_args!("{ms:.2}"))
    }
}

/// A supervision timeout in units of 10 ms.
pub fn timeout_ms(timeout: u16) -> Text {
    match Timeout(timeout).ms() {
        ms if ms >= 1000 && ms % 1000 == 0 => text!("{} s", ms / 1000),
        ms => text!("{} ms", ms),
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
pub fn ending(connection: &Connection) -> Text {
    if !connection.connected() {
        let cancelled = connection.request.as_ref().and_then(|r| r.cancelled);
        return match (connection.status, cancelled) {
            (Some(Status::UNKNOWN_CONNECTION_IDENTIFIER), Some(_))
                if connection.wanted().is_none() =>
            {
                "the wait for any device of the accept list was taken back (0x02)".into()
            }
            (Some(Status::UNKNOWN_CONNECTION_IDENTIFIER), Some(_)) => {
                "never connected: this host gave up waiting (0x02)".into()
            }
            (Some(Status::SUCCESS) | None, _) => {
                "never connected: nothing answered before the capture ended".into()
            }
            (Some(status), _) => text!("never connected: {}", status),
        };
    }
    if let Some(gone) = &connection.gone {
        return adapter_lost(connection, gone);
    }
    if connection.only_requested() {
        return "only the connect request was heard: the sniffer did not follow the link".into();
    }
    if connection.end_unknown {
        return "how it ended is not in this capture".into();
    }
    let Some(end) = &connection.end else {
        return match connection.capture_end.since(connection.zero()) {
            Some(open) => text!("still up {} later, when the capture ends", open),
            None => "still up when the capture ends".into(),
        };
    };
    let reason_code = end.reason.0;
    let code = text!("{}", format_args!("{reason_code:#04x}"));
    let code = match end.reason_sent {
        Some(Status(sent)) if end.by == EndedBy::Host => {
            text!("{}, sent {}", code, format_args!("{sent:#04x}"))
        }
        _ => code,
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
            text!("{} for {}, then this host disconnected ({})", was, life, code)
        }
        Some(life) => text!("{} ({}) after {}{}", says, code, life, because),
        None => text!("{} ({}){}", says, code, because),
    }
}

/// A link whose adapter was lost: `the adapter was removed after 3.4 s`.
fn adapter_lost(connection: &Connection, gone: &Gone) -> Text {
    let what = match (gone.how, gone.by) {
        (AdapterLoss::Removed, _) => "the adapter was removed",
        (AdapterLoss::PoweredOff, EndedBy::Host) => "this host switched its adapter off",
        (AdapterLoss::PoweredOff, _) => "the adapter was closed",
        (AdapterLoss::Reset, _) => "the adapter was reset",
    };
    let by = gone.process.as_deref().map(|process| text!(" ({})", quoted(process)));
    let after = gone.at.since(connection.zero()).map(|life| text!(" after {}", life));
    text!("{}{}{}", what, by, after)
}

/// The number of connection intervals that a link lived, where that says something.
pub fn intervals(connection: &Connection) -> Option<f64> {
    let granted = connection.granted.filter(|g| g.interval > 0)?;
    Some(connection.life()?.0 as f64 / granted.interval().0 as f64)
}

/// A question that was open at the end: `Read 0x0012, open for 5.0 s`.
pub fn open_request(names: &Names, open: &OpenRequest) -> Text {
    let what = match open.pending {
        Pending::Att(opcode) => match att_request(opcode) {
            Some(name) => name.into(),
            None => text!("ATT {}", format_args!("{opcode:#04x}")),
        },
        Pending::Smp(_) => "pairing".into(),
        Pending::Signal(code) => match signal::Pdu::name_of(code) {
            Some(name) => name.into(),
            None => text!("signalling request {}", format_args!("{code:#04x}")),
        },
        Pending::LongTermKey => "Long Term Key Request".into(),
        Pending::LinkLayer(opcode) => match hci::names::command(opcode.0) {
            Some(name) => name.into(),
            None => text!("{}", opcode),
        },
        Pending::Control(opcode) => match crate::packet::air::Control::name_of(opcode) {
            Some(name) => name.into(),
            None => text!("link-layer request {}", format_args!("{opcode:#04x}")),
        },
        Pending::ParameterRequest => "Connection Parameter Request".into(),
    };
    let sent = open.by == crate::packet::Direction::Sent;
    let handle = (open.attribute != 0).then(|| text!(" {}", Handle(open.attribute)));
    // An attribute belongs to the server: the peer's for our requests, ours for our indications.
    let indication = open.pending == Pending::Att(att::Pdu::INDICATION);
    let owner = if sent != indication { Owner::Peer } else { Owner::Host };
    let meaning = names.meaning(open.attribute, owner);
    let named = meaning.map(|meaning| text!(" {}", quoted(&names.short(meaning.uuid))));
    let whose = if sent { "" } else { " of the peer" };
    let age = open.age.map(|age| text!(", open for {}", age));
    text!("{}{}{}{}{}", what, handle, named, whose, age)
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

/// What a successful step brought, where that is more than "ok".
pub fn said(connection: &Connection, names: &Names, step: &Step) -> Option<Text> {
    let bytes = || count(usize::try_from(step.bytes).unwrap_or(usize::MAX), "byte", "bytes");
    Some(match step.detail {
        Detail::Write { head, .. } if subscribes(step, names.of_step(connection, step)) => {
            subscription(head).into()
        }
        Detail::Mtu { asked, answered: Some(answered), .. } => {
            text!("{}, answered {}", asked, answered)
        }
        Detail::Version { version, company, .. } => self::version(version, company),
        Detail::DataLength { tx_octets, rx_octets: rx_octets @ 1.., .. } => {
            text!("{}/{} bytes", tx_octets, rx_octets)
        }
        Detail::Parameters {
            granted_interval: interval @ 1..,
            granted_latency,
            granted_timeout,
            ..
        } => parameters(interval, granted_latency, granted_timeout),
        Detail::Discovery { first, last, found, .. } if step.procedure != Procedure::Indicate => {
            text!("{} found in {}-{}", found, Handle(first), Handle(last))
        }
        Detail::Subscription { value } => subscription(value).into(),
        Detail::Read { .. } | Detail::Write { .. } if step.bytes > 0 => bytes(),
        Detail::None if matches!(step.procedure, Procedure::Notify | Procedure::Indicate) => {
            bytes()
        }
        Detail::Pairing { phase, .. } => text!("{}", phase),
        _ => return None,
    })
}

/// `0x09, Nordic Semiconductor ASA`, of a Read Remote Version.
pub fn version(version: u8, company: u16) -> Text {
    let who = crate::numbers::company(company).map(Text::fixed);
    let who = who.unwrap_or_else(|| text!("company {}", format_args!("{company:#06x}")));
    text!("version {}, {}", format_args!("{version:#04x}"), who)
}

/// A difference between two things of one kind: `ok against unanswered`.
pub fn against(reference: impl Say, subject: impl Say) -> Text {
    text!("{} against {}", reference, subject)
}

#[cfg(test)]
mod tests;
