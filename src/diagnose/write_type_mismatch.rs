use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    see,
};
use crate::packet::Direction::{Received, Sent};
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::prose::Text;
use crate::text;
use crate::timeline::{AttributeKind, Connection, Outcome, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "write-type-mismatch",
    title: "Written in the way that the characteristic does not support",
    basis: Basis::Laboratory,
    silences: &["zombie-link-data-silence", "connection-cancelled-by-app"],
    docs: "\
## What it means
A characteristic says in its properties whether it takes a Write Request (0x08), a Write Command (0x04), or both. This host
used the other kind. A Write Command that is not supported is dropped without any answer.

## How it shows
Write Commands to a characteristic whose declaration on this link lacks 0x04, with nothing from the device afterwards; or a
Write Request that the device refuses with 0x03 or 0x06, to one that lacks 0x08.

## What else it could be
Many devices take a kind that they do not announce: where the device goes on to answer, this is silent. Without the
declaration (cached services) the kind cannot be judged. A refused CCCD is `notifications-never-enabled`.

## What to do
Use the other kind of write.",
    sources: &["Bluetooth Core, Vol 3, Part G: characteristic properties"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "a Write Request is refused where Write Commands are announced", || {
            refused_as(0x04, ErrorCode::WRITE_NOT_PERMITTED).into()
        })
        .about(&[1])
        .saying("Write Not Permitted (0x03)")
        .pins(&["WRITE"]),
        Case::silent("it is refused although it is announced", || {
            refused_as(0x0c, ErrorCode::WRITE_NOT_PERMITTED).into()
        })
        .pins(&["WRITE"]),
        Case::cause(Confidence::High, "it is not supported where nothing but reads is announced", || {
            refused_as(0x02, ErrorCode::REQUEST_NOT_SUPPORTED).into()
        })
        .saying("announce no write at all"),
        Case::silent("it is refused for want of a pairing", || {
            refused_as(0x04, ErrorCode::INSUFFICIENT_AUTHENTICATION).into()
        }),
        Case::silent("the characteristic was not discovered on this link", || {
            ends(Trace::new().up().mtu().refused(WRITE_REQUEST, ErrorCode::WRITE_NOT_PERMITTED)).into()
        }),
        Case::silent("the device connected to us", || {
            let trace = Trace::new().connected_as(1, 39, 0, 42).features().discovery(0x04);
            ends(trace.refused(WRITE_REQUEST, ErrorCode::WRITE_NOT_PERMITTED)).into()
        }),
        Case::suspect(Confidence::Medium, "Write Commands where Write Requests are announced, and a subscription in vain", || {
            ends(up(0x18).write(4, &[1, 0]).writes_to(3, 2)).into()
        })
        .saying("which its properties (0x18) do not announce"),
        Case::note(Confidence::Low, "this host subscribed to nothing, so nothing shows that it missed an answer", || {
            ends(up(0x08).writes_to(3, 2)).into()
        })
        .pins(&["WRITE_COMMAND"]),
        Case::silent("Write Commands where both are announced", || {
            ends(up(0x0c).writes_to(3, 2)).into()
        })
        .pins(&["WRITE_COMMAND"]),
        Case::silent("Write Commands where nothing but reads is announced", || {
            ends(up(0x02).writes_to(3, 2)).into()
        }),
        Case::silent("no properties are announced", || {
            refused_as(0, ErrorCode::WRITE_NOT_PERMITTED).into()
        }),
        Case::silent("a read is refused", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            ends(up(0x02).refused(read, ErrorCode::REQUEST_NOT_SUPPORTED)).into()
        }),
        Case::silent("this host refuses what the device writes", || {
            let write = up(0x02).from_peer(&[0x12, 3, 0, 1], &[0x01, 0x12, 3, 0, 0x03]);
            ends(write).into()
        }),
        Case::suspect(Confidence::Medium, "the device notifies before", || {
            ends(up(0x18).write(4, &[1, 0]).notified(3, &[1]).writes_to(3, 2)).into()
        }),
        Case::note(Confidence::Low, "this host notifies afterwards", || {
            ends(up(0x18).writes_to(3, 2).notified_by_us(3, &[1])).into()
        }),
        Case::note(Confidence::Low, "the working host's Write Request is refused", || {
            let refused = up(0x08).refused(WRITE_REQUEST, ErrorCode::INVALID_VALUE_LENGTH);
            Example::pair(ends(refused), ends(up(0x08).writes_to(3, 2)))
        }),
        Case::silent("the device notifies afterwards", || {
            ends(up(0x18).writes_to(3, 2).notified(3, &[1])).into()
        }),
        Case::cause(Confidence::High, "the working host sends a Write Request", || {
            Example::pair(ends(up(0x08).write(3, &[1])), ends(up(0x08).writes_to(3, 2)))
        })
        .saying("the working host sends a Write Request, and is answered"),
        Case::suspect(Confidence::Medium, "the working host does not write it", || {
            Example::pair(ends(up(0x18)), ends(up(0x18).write(4, &[1, 0]).writes_to(3, 2)))
        }),
        Case::note(Confidence::Low, "the device asks this host something afterwards", || {
            ends(up(0x08).writes_to(3, 2).from_peer(&[0x0a, 3, 0], &[0x0b, 1])).into()
        }),
        Case::note(Confidence::Low, "the working host only reads it", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            let works = up(0x0a).exchange(read, Pdu::ReadResponse { attribute_value: &[1] });
            Example::pair(ends(works), ends(up(0x0a).writes_to(3, 2)))
        }),
        Case::note(Confidence::Low, "the working host writes another characteristic", || {
            let two = |link: Trace| {
                let second = [7, 5, 0, 8, 6, 0, 0x1a, 0x2a];
                link.by_wire(&[0x08, 4, 0, 6, 0, 0x03, 0x28], 0x09, &second)
            };
            let works = two(up(0x08)).write(6, &[1]);
            Example::pair(ends(works), ends(two(up(0x08)).writes_to(3, 2)))
        }),
    ],
};

const WRITE_REQUEST: Pdu<'_> =
    Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: &[1] };

fn up(properties: u8) -> Trace {
    Trace::new().up().mtu().discovery(properties)
}

fn ends(trace: Trace) -> Trace {
    trace.wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn refused_as(properties: u8, error: ErrorCode) -> Trace {
    ends(up(properties).refused(WRITE_REQUEST, error))
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "With bleak: `write_gatt_char(…, response=True)` for a Write Request, `response=False` for a Write Command; over D-Bus the `type` option (`request`, `command`).",
    ),
    Remedy::on(
        &[Stack::Noble],
        "`characteristic.write(data, withoutResponse)`: `false` sends a Write Request, `true` a Write Command.",
    ),
    Remedy::on(
        &[Stack::Android],
        "Set the write type: `WRITE_TYPE_DEFAULT` is a Write Request, `WRITE_TYPE_NO_RESPONSE` a Write Command.",
    ),
    Remedy::on(
        &[Stack::Ios, Stack::MacOs],
        "`writeValue(_:for:type:)` with `.withResponse` or `.withoutResponse`, as the properties say.",
    ),
    Remedy::firmware("announce in the properties every kind of write that is accepted."),
];

/// Bits of a characteristic's properties.
const WRITE_COMMAND: u8 = 0x04;
const WRITE: u8 = 0x08;

/// Write Requests that the device refused, as its properties say.
#[derive(Debug)]
struct Refused {
    properties: u8,
    /// Never empty.
    writes: Vec<Step>,
}

/// A Write Command that the device does not announce, and nothing came of it.
#[derive(Debug)]
struct Ignored {
    properties: u8,
    write: Step,
    /// Where the working host sends a Write Request.
    reference_frame: Option<u32>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    if connection.cut_packets > 0 || connection.role == Some(Role::Peripheral) {
        return None;
    }
    refused(connection).or_else(|| ignored(scene, connection))
}

/// What the declaration says of the characteristic that a step writes, if this link showed it.
fn properties(connection: &Connection, step: &Step) -> Option<u8> {
    let attribute = connection.remote.get(step.attribute)?;
    (attribute.kind == AttributeKind::Value && attribute.properties != 0)
        .then_some(attribute.properties)
}

fn refused(connection: &Connection) -> Option<Verdict> {
    let codes = [ErrorCode::WRITE_NOT_PERMITTED, ErrorCode::REQUEST_NOT_SUPPORTED];
    let not_announced = |s: &&Step| {
        s.by == Sent
            && s.procedure == Procedure::Write
            && s.status.is_some_and(|code| codes.contains(&ErrorCode(code)))
            && properties(connection, s).is_some_and(|p| p & WRITE == 0)
    };
    let failed = connection.steps.iter().filter(not_announced);
    let writes: Vec<Step> = failed.take(super::see::SHOWN).cloned().collect();
    let facts = Refused { properties: properties(connection, writes.first()?)?, writes };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

fn ignored(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let (step, properties) = connection.steps.iter().find_map(|s| {
        let announced = properties(connection, s)?;
        let other = announced & WRITE_COMMAND == 0 && announced & WRITE != 0;
        (s.by == Sent && s.procedure == Procedure::WriteCommand && other).then_some((s, announced))
    })?;
    let answered = connection.steps.iter().any(|s| {
        s.by == Received
            && matches!(s.procedure, Procedure::Notify | Procedure::Indicate)
            && s.last.frame > step.frame
    });
    if answered {
        return None;
    }
    let uuid = connection.remote.get(step.attribute)?.uuid;
    let theirs = scene.reference().and_then(|r| {
        r.steps.iter().find(|s| {
            s.by == Sent
                && s.procedure == Procedure::Write
                && s.outcome == Outcome::Ok
                && r.remote.get(s.attribute).is_some_and(|a| a.uuid.is_some() && a.uuid == uuid)
        })
    });
    let facts =
        Ignored { properties, write: step.clone(), reference_frame: theirs.map(|s| s.frame) };
    // Many devices take commands that they do not announce: lamps do. Only who waits for an answer misses one.
    let waits = connection
        .steps
        .iter()
        .any(|s| s.by == Sent && s.procedure == Procedure::Subscribe && s.outcome == Outcome::Ok);
    Some(match (facts.reference_frame, waits) {
        (Some(_), _) => Verdict::cause(facts).sure(Confidence::High),
        (None, true) => Verdict::suspect(facts).sure(Confidence::Medium),
        (None, false) => Verdict::note(facts).sure(Confidence::Low),
    })
}

fn rules_out() -> Vec<RuledOut> {
    vec![RuledOut::new("never-heard-peer", "the device was heard and answered ATT")]
}

fn would_settle() -> Vec<Text> {
    vec![text!("Repeat with the other kind of write.")]
}

impl Facts for Refused {
    fn says(&self) -> Text {
        let first = self.writes.first();
        let properties = self.properties;
        text!(
            "This host wrote attribute {} with a Write Request, and the device refused it ({}): its properties ({}) announce {}.",
            first.map(|step| Handle(step.attribute)),
            first.and_then(|step| step.status).map(ErrorCode),
            format_args!("{properties:#04x}"),
            if properties & WRITE_COMMAND == 0 { "no write at all" } else { "Write Commands only" }
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let refused = |step: &Step| {
            let code = step.status.map(ErrorCode);
            Sight::here(step.last.frame, text!("{} refused: {}", see::request(step), code))
        };
        self.writes.iter().map(refused).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        rules_out()
    }

    fn would_settle(&self) -> Vec<Text> {
        would_settle()
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

impl Facts for Ignored {
    fn says(&self) -> Text {
        let properties = self.properties;
        text!(
            "This host wrote attribute {} with Write Commands, which its properties ({}) do not announce; a device drops such a packet without an answer, and nothing came afterwards.",
            Handle(self.write.attribute),
            format_args!("{properties:#04x}")
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let write = Sight::here(self.write.frame, see::request(&self.write));
        let theirs = self.reference_frame.map(|frame| {
            Sight::in_reference(frame, "the working host sends a Write Request, and is answered")
        });
        std::iter::once(write).chain(theirs).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        rules_out()
    }

    fn would_settle(&self) -> Vec<Text> {
        would_settle()
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
