use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::Command;
use crate::packet::{Address, AddressType, ConnHandle, Status};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, OddityKind, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "no-disconnection-complete",
    title: "The link is over, and the controller never said so",
    basis: Basis::Author,
    silences: &["zombie-link-data-silence"],
    docs: "\
## What it means
Two devices have at most one link with each other, and a handle belongs to one link. Here the same device connected again, or the
controller gave the handle to another link, and no Disconnection Complete had ended the first one. The host went on believing in
a link that was gone: programs wait on it, and its handle and buffers stay taken. This rule rests on traces of its author's.

## How it shows
A link without Disconnection Complete; then Connection Complete for the same device, or with the same handle. In a capture that
lost packets, or that leaves some out, the event is most likely missing from the capture alone: then nothing is said.

## What else it could be
A capture that somebody cut out of two.

## What to do
Update the controller's firmware; switch the adapter off and on to free what the lost link holds.",
    sources: &["Core Specification, Vol 6, Part B, 4.5: one connection between two devices"],
    check: Check::Connection(check),
    cases: &[
        Case::suspect(Confidence::Medium, "the same device connects again, with another handle", || {
            up().handle(0x41).up().into()
        })
        .about(&[1])
        .saying("the same device connects again"),
        Case::suspect(Confidence::Medium, "another device gets the handle", || {
            up().peer(OTHER, AddressType::RANDOM).up().into()
        })
        .about(&[1])
        .saying("handle 0x0040"),
        Case::silent("another device gets another handle", || {
            up().peer(OTHER, AddressType::RANDOM).handle(0x41).up().into()
        }),
        Case::silent("the first link had ended", || {
            up().disconnected(Status::CONNECTION_TIMEOUT).wait_ms(500).up().into()
        }),
        Case::silent("the adapter was reset in between", || {
            up().done(Command::Reset {}).wait_ms(500).up().into()
        }),
        Case::silent("the link was up before the capture began", || {
            Trace::new().mtu().wait_ms(3_000).up().into()
        }),
        Case::silent("the device connects to us as well: two links, one begun by each", || {
            up().handle(0x41).connected_as(1, 39, 0, 42).mtu().into()
        }),
        Case::silent("the device connects again on another adapter", || {
            up().adapter(1).up().into()
        }),
        Case::silent("it did not connect again: the attempt is refused", || {
            up().create_refused(Status::CONNECTION_ALREADY_EXISTS).into()
        }),

        Case::silent("it had connected before, and that link had ended", || {
            up().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500).followed_by(up()).into()
        }),
        Case::silent("the device has a link of the other kind as well", || {
            up().handle(0x41).connected_bredr().into()
        }),
        Case::suspect(Confidence::Medium, "the second link is shown", || up().handle(0x41).up().into())
            .saying("Connection Complete for the same device"),
        Case::suspect(Confidence::Medium, "the handle's second link is shown", || {
            up().peer(OTHER, AddressType::RANDOM).up().into()
        })
        .saying("Connection Complete with the same handle 0x0040"),
    ],
};

const OTHER: Address = Address([2, 0, 0, 0, 0, 0xc0]);

fn up() -> Trace {
    Trace::new().up().mtu().wait_ms(3_000)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Free the lost link: `sudo hciconfig hci0 down; sudo hciconfig hci0 up`. If it comes back, update the firmware (package linux-firmware) or try another adapter.",
    ),
    Remedy::any("Update the controller's firmware: reporting the end of a link is its task."),
];

/// A link that must be over, and has no end.
#[derive(Debug)]
struct Endless {
    connected_frame: u32,
    handle: Option<ConnHandle>,
    again_frame: u32,
    /// The same handle was given to another device.
    handle_only: bool,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let capture = scene.capture();
    let connected_frame = connection.connected_frame()?;
    if !connection.open() || !connection.start_seen {
        return None;
    }
    // What is missing may be missing from the capture alone.
    if capture.filtered || capture.lost_packets_of(connection) {
        return None;
    }
    let reused = |kind| kind == OddityKind::HandleReusedWithoutDisconnect;
    let reused = connection.oddities.iter().find(|odd| reused(odd.kind)).map(|odd| odd.frame);
    // Of a device that is tried all day, the next few attempts are enough.
    let next = capture.kin(connection, 64).filter(|c| c.number > connection.number);
    let again = next
        .filter(|c| c.adapter == connection.adapter && c.transport == connection.transport)
        // Two devices may have two links, one begun by each.
        .filter(|c| c.role == connection.role)
        .find_map(|c| c.connected_frame());
    let facts = Endless {
        connected_frame,
        handle: connection.handle,
        again_frame: again.or(reused)?,
        handle_only: again.is_none(),
    };
    Some(Verdict::suspect(facts))
}

impl Facts for Endless {
    fn says(&self) -> Text {
        let how = if self.handle_only {
            text!("the controller gives handle {} to another link", self.handle)
        } else {
            text!("the same device connects again")
        };
        text!(
            "The link was up, no Disconnection Complete ended it, and then {}: the link was over, and the controller had not said so.",
            how
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let again = if self.handle_only {
            text!("Connection Complete with the same handle {}", self.handle)
        } else {
            text!("Connection Complete for the same device")
        };
        vec![
            Sight::here(self.again_frame, again),
            Sight::here(self.connected_frame, "the first link came up; nothing ends it"),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "client-vanished-link-stays",
            "the link did not stay up: what comes after it shows that it was over",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "A second capture, with another recorder, shows whether the event is missing there too."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
