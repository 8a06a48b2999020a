use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{Handle, LastUuid, Pdu};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, EndedBy, Pending, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "never-usable-connection",
    title: "Connected, and yet never usable: discovery did not complete",
    basis: Basis::Laboratory,
    silences: &["att-request-unanswered", "zombie-link-data-silence", "connection-cancelled-by-app"],
    docs: "\
## What it means
The link was up, so the host said Connected; but the MTU exchange or service discovery started and never completed, so no
program could use it. It stays Connected without services until somebody gives up.

## How it shows
A live link on which an MTU exchange or discovery request has no answer for seconds, then our own Disconnect.

## What else it could be
A request of the application without answer, after a complete discovery, is `att-request-unanswered`.

## What to do
In the program: count Connected without ServicesResolved for 10 to 20 s as dead, disconnect, and try again. In the device:
answer discovery.",
    sources: &["bleak-retry-connector#230, #231", "laboratory: a phantom connection"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "discovery is open for 12 s, and this host gives up", || {
            open(Trace::new().up().mtu(), 12_000).hangs_up(HUNG_UP).into()
        })
        .about(&[1])
        .saying("discovery of services from 0x0001"),
        Case::cause(Confidence::Medium, "open for 3 s", || {
            open(Trace::new().up().mtu(), 2_960).hangs_up(HUNG_UP).into()
        })
        .pins(&["SHORTEST"]),
        Case::silent("open for 2.9 s", || {
            open(Trace::new().up().mtu(), 2_800).hangs_up(HUNG_UP).into()
        })
        .pins(&["SHORTEST"]),
        Case::silent("the application had got to work", || {
            open(Trace::new().up().mtu().write(3, &[1]), 12_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("a read is open", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            let link = Trace::new().up().mtu().att(Direction::Sent, read);
            link.wait_ms(12_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("nothing was ever heard", || {
            open(Trace::new().create().connected(), 12_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the device connected to us", || {
            let link = Trace::new().connected_as(1, 39, 0, 42).features();
            open(link, 12_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the device hangs up", || {
            open(Trace::new().up().mtu(), 12_000).disconnected(HUNG_UP).into()
        }),
        Case::cause(Confidence::Medium, "open for exactly 3 s", || for_us(3_000_000).into()),
        Case::silent("open for a little less than 3 s", || for_us(2_999_999).into()),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// Discovery that nobody answers, for so long.
fn open(link: Trace, ms: u32) -> Trace {
    let request = Pdu::ReadByGroupTypeRequest {
        starting_handle: Handle(1),
        ending_handle: Handle(0xffff),
        attribute_group_type: LastUuid::short(0x2800),
    };
    link.att(Direction::Sent, request).wait_ms(ms)
}

/// The same, and the link ends exactly so long after the request.
fn for_us(us: u32) -> Trace {
    let hang_up = crate::packet::hci::Command::Disconnect {
        connection_handle: crate::trace::HANDLE,
        reason: HUNG_UP,
    };
    let link = open(Trace::new().up().mtu(), 0).after_us(us - 50_000).taken(hang_up);
    link.after_us(49_900).disconnected(Status::LOCAL_HOST_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Treat `Connected` without `ServicesResolved` after 20 s as failed: `Device1.Disconnect`, then connect again; if it stays, `bluetoothctl remove ADDRESS`.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Give discovery a timeout of some seconds, then `peripheral.disconnect()` and try again.",
    ),
    Remedy::firmware("answer discovery requests also right after a connection."),
];

/// A device may take its time: a shorter wait says nothing.
const SHORTEST: Span = Span::from_ms(3_000);

/// The set-up of a link that stopped at a request without an answer.
#[derive(Debug)]
struct Unusable {
    connected_frame: u32,
    request: Step,
    age: Span,
    command_frame: u32,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.clone().filter(|end| end.by == EndedBy::Host)?;
    let open = connection.open_requests.iter().find(|o| {
        o.by == Direction::Sent
            && matches!(o.pending, Pending::Att(0x02 | 0x04 | 0x06 | 0x08 | 0x10))
    })?;
    let age = open.age.filter(|age| *age >= SHORTEST)?;
    let request = connection.steps.iter().find(|s| s.frame == open.frame)?.clone();
    if see::used(connection) || connection.role != Some(Role::Central) || !connection.peer_heard() {
        return None;
    }
    let (connected_frame, command_frame) = (connection.connected_frame()?, end.command_frame()?);
    let facts = Unusable { connected_frame, request, age, command_frame, end };
    Some(Verdict::cause(facts).sure(Confidence::Medium))
}

impl Facts for Unusable {
    fn says(&self) -> Text {
        text!(
            "The link was up and the peer's radio answered, but {} got no answer for {}: the connection was never usable, and this host gave it up.",
            see::request(&self.request),
            self.age
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let asked = text!("{}, without answer", see::request(&self.request));
        vec![
            Sight::here(
                self.connected_frame,
                "LE Connection Complete: the host now calls the device connected",
            ),
            Sight::here(self.request.frame, asked),
            Sight::here(self.command_frame, "this host hangs up"),
            see::link_ended(&self.end),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "the peer's link layer answered")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec!["Wait longer once: a host gives up by itself 30 s after the request.".into()]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
