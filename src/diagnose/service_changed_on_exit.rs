use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::Handle;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Detail, End, Procedure, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "service-changed-on-exit",
    title: "This peripheral removed its services while the host was connected",
    basis: Basis::Laboratory,
    silences: &["immediate-0x13-after-first-att", "peer-hangs-up-on-deadline", "remote-user-terminated-idle", "reverse-discovery-collides", "connection-cancelled-by-app"],
    docs: "\
## What it means
A program that served a GATT service ended (or crashed) while a host was connected. The server told the host that its services
changed, the host looked again, did not find them, and left. It may drop its bond or profile for this peripheral with them.

## How it shows
On the peripheral: an indication of Service Changed (0x2A05) sent by us, the host discovers again, then Disconnection Complete
0x13 from the host.

## What else it could be
Service Changed after a firmware update or at start-up, followed by ordinary use, is normal.

## What to do
Stop advertising, disconnect, wait for the disconnection, and only then end the program; or keep the GATT server in a process
that does not restart, with stable handles.",
    sources: &["laboratory: a BlueZ HID peripheral whose application exits"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "the host is told of a change, looks again, and leaves", || {
            looks_again(told()).wait_ms(800).disconnected(LEFT).into()
        })
        .about(&[1])
        .saying("its services 0x000e to 0xffff changed"),
        Case::cause(Confidence::Medium, "the host leaves without another look", || {
            told().wait_ms(800).disconnected(LEFT).into()
        })
        .saying("did not even look again"),
        Case::silent("the link is lost", || {
            looks_again(told()).wait_ms(800).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("this peripheral hangs up", || {
            looks_again(told()).wait_ms(800).hangs_up(LEFT).into()
        }),
        Case::cause(Confidence::Medium, "the host leaves 29.9 s after it was told", || {
            told().wait_ms(29_850).disconnected(LEFT).into()
        })
        .pins(&["SOON"]),
        Case::silent("the host leaves 30.1 s after it was told", || {
            told().wait_ms(30_050).disconnected(LEFT).into()
        })
        .pins(&["SOON"]),
        Case::silent("another value is indicated", || {
            let trace = up(0x19, 0x2a).to_peer(&[0x1d, 8, 0, 1], &[0x1e]);
            looks_again(trace).wait_ms(800).disconnected(LEFT).into()
        }),
        Case::silent("the device tells this host of a change", || {
            let found = [7, 7, 0, 0x20, 8, 0, 0x05, 0x2a];
            let trace = Trace::new().up();
            let trace = trace.by_wire(&[8, 1, 0, 0xff, 0xff, 0x03, 0x28], 0x09, &found);
            let trace = trace.from_peer(&[0x1d, 8, 0, 0x0e, 0, 0xff, 0xff], &[0x1e]);
            trace.wait_ms(800).disconnected(LEFT).into()
        }),
        // The host confirms 50.1 ms after it was told.
        Case::silent("the host leaves exactly 30 s after it was told", || {
            told().after_us(30_000_000 - 50_100).disconnected(LEFT).into()
        }),
        Case::cause(Confidence::Medium, "the host leaves a moment sooner", || {
            told().after_us(29_999_999 - 50_100).disconnected(LEFT).into()
        }),
        Case::cause(Confidence::Medium, "only this peripheral looks at the host's services after that", || {
            let looks = told().to_peer(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], &[0x01, 0x10, 1, 0, 0x0a]);
            looks.wait_ms(800).disconnected(LEFT).into()
        })
        .saying("did not even look again"),
    ],
};

const LEFT: Status = Status::REMOTE_USER_TERMINATED;

/// The central finds a characteristic of that kind at 0x0008, and its CCCD, and subscribes.
fn up(low: u8, high: u8) -> Trace {
    let declared = [0x09, 7, 7, 0, 0x20, 8, 0, low, high];
    Trace::new()
        .connected_as(1, 24, 0, 72)
        .from_peer(&[0x08, 1, 0, 0xff, 0xff, 0x03, 0x28], &declared)
        .from_peer(&[0x04, 9, 0, 9, 0], &[0x05, 1, 9, 0, 0x02, 0x29])
        .from_peer(&[0x12, 9, 0, 2, 0], &[0x13])
        .wait_ms(1_000)
}

/// The central is told that services changed.
fn told() -> Trace {
    up(0x05, 0x2a).to_peer(&[0x1d, 8, 0, 0x0e, 0, 0xff, 0xff], &[0x1e])
}

fn looks_again(trace: Trace) -> Trace {
    trace.from_peer(&[0x10, 0x0e, 0, 0xff, 0xff, 0x00, 0x28], &[0x01, 0x10, 0x0e, 0, 0x0a])
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Keep the GATT application in a process that is not restarted. Else give each service the property `Handle` of `GattService1`, and at shutdown stop advertising, call `Device1.Disconnect`, wait until `Connected` is false, and only then leave D-Bus.",
    ),
    Remedy::on(
        &[Stack::Bumble, Stack::NimBle, Stack::Zephyr, Stack::Esp],
        "Disconnect before changing the GATT database, and keep the handles stable between runs.",
    ),
    Remedy::any(
        "If the host does not come back, remove this peripheral in the host's Bluetooth settings and pair again.",
    ),
];

/// A host that misses a service leaves within this time.
const SOON: Span = Span::from_ms(30_000);

/// The host left after it was told that services changed.
#[derive(Debug)]
struct Changed {
    first: Handle,
    last: Handle,
    indication_frame: u32,
    /// Where the host discovered again.
    again_frame: Option<u32>,
    wait: Span,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = see::peer_hung_up(connection)?;
    if connection.role != Some(Role::Peripheral) {
        return None;
    }
    let (changed, first, last) = connection.steps.iter().find_map(|s| match s.detail {
        Detail::Discovery { attribute_type: 0x2a05, first, last, .. }
            if s.procedure == Procedure::Indicate && s.by == Direction::Sent =>
        {
            Some((s, first, last))
        }
        _ => None,
    })?;
    let again = connection.steps.iter().find(|s| {
        s.frame > changed.frame
            && s.by == Direction::Received
            && matches!(
                s.procedure,
                Procedure::DiscoverServices | Procedure::DiscoverCharacteristics
            )
    });
    let facts = Changed {
        first: Handle(first),
        last: Handle(last),
        indication_frame: changed.frame,
        again_frame: again.map(|step| step.frame),
        wait: end.at.since(changed.at).filter(|wait| *wait < SOON)?,
        end: end.clone(),
    };
    let confidence = if again.is_some() { Confidence::High } else { Confidence::Medium };
    Some(Verdict::cause(facts).sure(confidence))
}

impl Facts for Changed {
    fn says(&self) -> Text {
        let again = match self.again_frame {
            Some(_) => "the host looked again",
            None => "the host did not even look again",
        };
        text!(
            "This peripheral told the host that its services {} to {} changed; {} and {} later it left. The host left because of this peripheral's own change.",
            self.first,
            self.last,
            again,
            self.wait
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let sent = text!("Service Changed indication sent, {} to {}", self.first, self.last);
        let mut sights = vec![Sight::here(self.indication_frame, sent)];
        sights.extend(self.again_frame.map(|f| Sight::here(f, "the host discovers again")));
        sights.push(see::link_ended(&self.end));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new("supervision-timeout-0x08", "the host ended the link itself"),
            RuledOut::new(
                "remote-user-terminated-idle",
                "the end follows our indication and the host's new discovery",
            ),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
