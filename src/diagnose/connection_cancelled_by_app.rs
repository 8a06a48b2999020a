use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{Handle, LastUuid, Pdu};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, EndedBy, Pending, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "connection-cancelled-by-app",
    title: "This host gave the connection up before it was done with it",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The peer answered, discovery or a read was still going on, and this host ended the link: a timeout in the program that is
shorter than the work, or a user who cancelled.

## How it shows
Our Disconnect command while a discovery or read was open for less than three seconds, before any application data passed.

## What else it could be
A request that had been open for long is the peer's silence.

## What to do
Give the connection more time; let discovery finish first.",
    sources: &["BlueZ src/device.c: device_remove_connection"],
    check: Check::Connection(check),
    cases: &[
        Case::suspect(Confidence::Medium, "in the middle of discovery", || {
            asked(up(), 60).hangs_up(HANGS_UP).into()
        })
        .about(&[1])
        .saying("in the middle of its own work"),
        Case::suspect(Confidence::Medium, "a request was open for 2.9 s", || {
            asked(up(), 2_940).hangs_up(HANGS_UP).into()
        })
        .pins(&["STILL_WORKING"]),
        Case::silent("a request was open for 3.1 s: the peer is silent", || {
            asked(up(), 3_100).hangs_up(HANGS_UP).into()
        })
        .pins(&["STILL_WORKING"]),
        Case::silent("the peer hangs up", || asked(up(), 60).disconnected(HANGS_UP).into()),
        Case::silent("nothing was open", || up().wait_ms(60).hangs_up(HANGS_UP).into()),
        Case::silent("pairing had failed", || {
            asked(up(), 60).hangs_up(Status::AUTHENTICATION_FAILURE).into()
        }),
        Case::silent("a write was open: that is no discovery", || {
            let write = Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: &[1] };
            up().att(Direction::Sent, write).wait_ms(60).hangs_up(HANGS_UP).into()
        }),
        Case::silent("the program had written already", || {
            asked(up().write(3, &[1]), 60).hangs_up(HANGS_UP).into()
        }),
        Case::silent("the device connected to us", || {
            asked(Trace::new().connected_as(1, 39, 0, 42).features(), 60).hangs_up(HANGS_UP).into()
        }),
        Case::suspect(Confidence::Medium, "29 s after connecting", || {
            asked(up().wait_ms(28_000), 60).hangs_up(HANGS_UP).into()
        })
        .pins(&["YOUNG"]),
        Case::silent("31 s after connecting", || {
            asked(up().wait_ms(30_500), 60).hangs_up(HANGS_UP).into()
        })
        .pins(&["YOUNG"]),

        Case::silent("only the device's question was open", || {
            let asked = up().acl(Direction::Received, 4, &[0x0a, 3, 0]);
            asked.wait_ms(60).hangs_up(HANGS_UP).into()
        }),
        Case::suspect(Confidence::Medium, "a pairing is open as well", || {
            asked(up().asks_to_pair(), 60).hangs_up(HANGS_UP).into()
        })
        .about(&[1]),
        Case::silent("a request was open for exactly 3 s", || for_us(up(), 3_000_000).into()),
        Case::suspect(Confidence::Medium, "a request was open for a little less", || {
            for_us(up(), 2_999_999).into()
        }),
        // The discovery is over 341.3 ms after the connection, and the next packet comes 0.1 ms later at the earliest.
        Case::silent("exactly 30 s after connecting", || {
            for_us(up().wait_ms(29_000), 1_000_000 - 341_400).into()
        }),
        Case::suspect(Confidence::Medium, "a little less than 30 s after connecting", || {
            for_us(up().wait_ms(29_000), 999_999 - 341_400).into()
        }),
    ],
};

const HANGS_UP: Status = Status::REMOTE_USER_TERMINATED;

fn up() -> Trace {
    Trace::new().up().mtu().discovery(2)
}

/// One more discovery request, and how long it stays open.
fn asked(trace: Trace, ms: u32) -> Trace {
    let request = Pdu::ReadByTypeRequest {
        starting_handle: Handle(7),
        ending_handle: Handle(0xffff),
        attribute_type: LastUuid::short(0x2803),
    };
    trace.att(Direction::Sent, request).wait_ms(ms)
}

/// One more discovery request, which is open for exactly so long when the link ends.
fn for_us(trace: Trace, us: u32) -> Trace {
    let hang_up = crate::packet::hci::Command::Disconnect {
        connection_handle: crate::trace::HANDLE,
        reason: HANGS_UP,
    };
    let link = asked(trace, 0).after_us(us - 50_000).taken(hang_up);
    link.after_us(49_900).disconnected(Status::LOCAL_HOST_TERMINATED)
}

/// A request that is open for longer is the peer's silence.
const STILL_WORKING: Span = Span::from_ms(3_000);

/// Discovery that goes on for longer is not the first one: the program knows the device.
const YOUNG: Span = Span::from_ms(30_000);

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Lengthen the program's timeout: bleak `BleakClient(address, timeout=30)`; BlueZ needs some seconds for its first full discovery.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Lengthen the timeout around connect and discovery, or discover only the needed service.",
    ),
    Remedy::no_use(
        "Looking for the fault in the device: its log will show this host's own disconnect.",
    ),
];

/// A link that this host ended in the middle of its own work.
#[derive(Debug)]
struct GivenUp {
    life: Span,
    open: Step,
    age: Span,
    command_frame: u32,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| {
        end.by == EndedBy::Host && end.reason_sent != Some(Status::AUTHENTICATION_FAILURE)
    })?;
    let open = connection.open_requests.iter().find(|o| {
        o.by == Direction::Sent
            && matches!(o.pending, Pending::Att(_))
            && o.age.is_some_and(|age| age < STILL_WORKING)
    })?;
    let step = connection.steps.iter().find(|s| s.frame == open.frame)?;
    let working = matches!(
        step.procedure,
        Procedure::ExchangeMtu
            | Procedure::DiscoverServices
            | Procedure::DiscoverIncludes
            | Procedure::DiscoverCharacteristics
            | Procedure::DiscoverDescriptors
            | Procedure::Read
    );
    let life = connection.life().filter(|life| *life < YOUNG)?;
    let central = connection.role == Some(Role::Central);
    if !working || see::used(connection) || !central || !connection.peer_heard() {
        return None;
    }
    let facts = GivenUp {
        life,
        open: step.clone(),
        age: open.age?,
        command_frame: end.command_frame()?,
        end: end.clone(),
    };
    Some(Verdict::suspect(facts).sure(Confidence::Medium))
}

impl Facts for GivenUp {
    fn says(&self) -> Text {
        text!(
            "This host hung up {} after connecting, in the middle of its own work ({} was open for only {}): a timeout of the program, or somebody cancelled.",
            self.life,
            see::request(&self.open),
            self.age
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.open.frame, text!("{}, still open", see::request(&self.open))),
            Sight::here(self.command_frame, "Disconnect command of this host"),
            see::link_ended(&self.end),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new(
                "peer-hangs-up-on-deadline",
                "the Disconnect command came from this host",
            ),
            RuledOut::new("never-heard-peer", "the peer answered"),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat with a longer timeout in the program.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
