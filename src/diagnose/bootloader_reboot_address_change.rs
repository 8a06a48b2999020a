use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::{Address, AddressType, Direction, Status};
use crate::prose::{Text, name};
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Procedure, Step};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "bootloader-reboot-address-change",
    title: "The device rebooted into its bootloader and has another address there",
    basis: Basis::Laboratory,
    silences: &["create-conn-timeout-cancel", "peer-gone-or-moved", "remote-user-terminated-idle", "peer-hangs-up-on-deadline", "immediate-0x13-after-first-att"],
    docs: "\
## What it means
A write told the device to restart for an update. It hung up, as intended, and now advertises as a bootloader under its address
plus one. A host that goes on trying the old address waits in vain.

## How it shows
Disconnection Complete 0x13 within two and a half seconds of a write of this host, then advertising from the address plus (or minus) one
that was not heard before.

## What else it could be
A device that hangs up and comes back under its own address has only restarted.

## What to do
Scan for the new address (or the update service) after the reboot, connect there, and do not use cached services.",
    sources: &["Nordic DFU: bootloader address plus one", "hbldh/bleak#882"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "after a write it leaves, and advertises under the next address", || {
            returns_as(2).into()
        })
        .about(&[1])
        .saying("first advertising of the neighbouring address")
        .not_saying("went on trying"),
        Case::cause(Confidence::High, "it advertises under the address before its own", || {
            returns_as(0).into()
        }),
        Case::cause(Confidence::High, "a write command told it to restart", || {
            let told = up().writes_to(0x10, 1).wait_ms(900);
            back(told.disconnected(LEFT), 2, 1_200).into()
        }),
        Case::cause(Confidence::High, "this host goes on trying the old address", || {
            returns_as(2).peer(PEER, AddressType::RANDOM).create().wait_ms(5_000).cancel().into()
        })
        .about(&[1, 2])
        .saying("went on trying the old address"),
        Case::cause(Confidence::High, "the new address has a name", || {
            let left = up().write(0x10, &[1]).wait_ms(900).disconnected(LEFT).wait_ms(1_200);
            left.peer(numbered(2), AddressType::RANDOM).advertises_as("DfuTarg").into()
        })
        .saying("advertises as \"DfuTarg\""),
        Case::silent("it advertises under its own address again", || returns_as(1).into()),
        Case::silent("the neighbour is another device of the same make: both are heard", || {
            returns_as(2).wait_ms(500).peer(PEER, AddressType::RANDOM).advertises(0).into()
        }),
        Case::silent("it advertises under the address after the next", || returns_as(3).into()),
        Case::silent("the neighbour was heard before", || {
            let neighbour = Trace::new().peer(numbered(2), AddressType::RANDOM).advertises(0);
            let link = neighbour.peer(PEER, AddressType::RANDOM).up().mtu().write(0x10, &[1]);
            back(link.wait_ms(900).disconnected(LEFT), 2, 1_200).into()
        }),
        Case::silent("nothing was written", || {
            back(up().discovery(2).wait_ms(900).disconnected(LEFT), 2, 1_200).into()
        }),
        Case::silent("this host ended the link", || {
            back(up().write(0x10, &[1]).wait_ms(900).hangs_up(LEFT), 2, 1_200).into()
        }),
        Case::cause(Confidence::High, "it leaves 2.49 s after the write", || {
            leaves_after(2_490).into()
        })
        .pins(&["LEAVES_WITHIN"]),
        Case::silent("it leaves 2.51 s after the write", || leaves_after(2_510).into())
            .pins(&["LEAVES_WITHIN"]),
        Case::cause(Confidence::High, "it is back after 29.9 s", || {
            back(up().write(0x10, &[1]).wait_ms(900).disconnected(LEFT), 2, 29_900).into()
        })
        .pins(&["BACK_WITHIN"]),
        Case::silent("it is back after 30.1 s", || {
            back(up().write(0x10, &[1]).wait_ms(900).disconnected(LEFT), 2, 30_100).into()
        })
        .pins(&["BACK_WITHIN"]),

        Case::cause(Confidence::High, "the last write is the device's own", || {
            let asked = up().write(0x10, &[1]).from_peer(&[0x12, 3, 0, 1], &[0x13]);
            back(asked.wait_ms(900).disconnected(LEFT), 2, 1_200).into()
        })
        .saying("0x0010"),
        Case::cause(Confidence::High, "an attempt before was refused", || {
            let before = Trace::new().create_refused(Status::COMMAND_DISALLOWED).wait_ms(500);
            before.followed_by(returns_as(2)).into()
        })
        .about(&[2])
        .not_saying("went on trying the old address"),
        Case::cause(Confidence::High, "the old address is asked for again, and a link comes up", || {
            returns_as(2).peer(PEER, AddressType::RANDOM).wait_ms(60_000).up().into()
        })
        .about(&[1])
        .not_saying("went on trying the old address"),
        Case::silent("it leaves exactly 2.5 s after the write", || {
            back(up().write(0x10, &[1]).after_ms(2_500).disconnected(LEFT), 2, 1_200).into()
        }),
        Case::silent("it is back after exactly 30 s", || {
            let left = up().write(0x10, &[1]).wait_ms(900).disconnected(LEFT);
            left.peer(numbered(2), AddressType::RANDOM).after_ms(30_000).advertises(0).into()
        }),
        Case::cause(Confidence::High, "the old address is asked for again, and that request still waits", || {
            returns_as(2).peer(PEER, AddressType::RANDOM).create().wait_ms(5_000).into()
        })
        .about(&[1, 2])
        .saying("went on trying the old address"),
    ],
};

const LEFT: Status = Status::REMOTE_USER_TERMINATED;

fn up() -> Trace {
    Trace::new().advertises(0).up().mtu()
}

/// The device's address with another last byte; its own is 1.
fn numbered(last: u8) -> Address {
    let mut address = PEER;
    address.0[0] = last;
    address
}

/// Some time later something advertises under that address.
fn back(left: Trace, last: u8, ms: u32) -> Trace {
    left.peer(numbered(last), AddressType::RANDOM).wait_ms(ms).advertises(0)
}

fn returns_as(last: u8) -> Trace {
    back(up().write(0x10, &[1]).wait_ms(900).disconnected(LEFT), last, 1_200)
}

fn leaves_after(ms: u32) -> Trace {
    back(up().write(0x10, &[1]).wait_ms(ms).disconnected(LEFT), 2, 1_200)
}

const REMEDIES: &[Remedy] = &[Remedy::any(
    "After the reboot scan for the new address (the old one plus one) or for the update service, and connect there without cached services.",
)];

/// A device that restarts because it was told to leaves this soon after the write.
const LEAVES_WITHIN: Span = Span::from_ms(2_500);

/// A bootloader advertises this soon after the restart. Who appears later may be another device.
const BACK_WITHIN: Span = Span::from_ms(30_000);

/// A device that restarted under a neighbouring address.
#[derive(Debug)]
struct Rebooted {
    write: Step,
    end: End,
    /// The first advertising report of the new address, and its name.
    back_frame: u32,
    name: Option<Box<str>>,
    /// The host asked for the old address again.
    retried: bool,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = see::peer_hung_up(connection)?;
    let write = connection.steps.iter().rev().find(|s| {
        s.by == Direction::Sent && matches!(s.procedure, Procedure::Write | Procedure::WriteCommand)
    })?;
    end.at.since(write.last.at).filter(|after| *after < LEAVES_WITHIN)?;
    let old = connection.peer.address?;
    let capture = scene.capture();
    let neighbours = [1, 0xff].map(|step: u8| {
        let mut address = old;
        address.0[0] = address.0[0].wrapping_add(step);
        address
    });
    let moved = neighbours.into_iter().filter_map(|address| capture.device(address)).find(|d| {
        d.first.is_some_and(|first| {
            first.comes_after(end.frame) && first.at.since(end.at).is_some_and(|t| t < BACK_WITHIN)
        })
    })?;
    // Devices out of one box have neighbouring addresses: one that comes back under its own has not moved.
    let again = capture.device(old).and_then(|device| device.last);
    if again.is_some_and(|last| moved.first.is_some_and(|first| last.comes_after(first.frame))) {
        return None;
    }
    let retries: Vec<u32> = capture
        .attempts_to(old)
        .filter(|c| c.number > connection.number && c.connected_frame().is_none())
        .map(|c| c.number)
        .collect();
    let facts = Rebooted {
        write: write.clone(),
        end: end.clone(),
        back_frame: moved.first?.frame,
        name: moved.name.as_deref().map(Into::into),
        retried: !retries.is_empty(),
    };
    let about = std::iter::once(connection.number).chain(retries);
    Some(Verdict::cause(facts).sure(Confidence::High).about(about))
}

impl Facts for Rebooted {
    fn says(&self) -> Text {
        text!(
            "After a write of this host the device hung up and came back under the neighbouring address, as a bootloader does.{}",
            if self.retried {
                " This host went on trying the old address, where nobody is."
            } else {
                ""
            }
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.write.frame, see::request(&self.write)),
            see::link_ended(&self.end),
            Sight::here(self.back_frame, "first advertising of the neighbouring address"),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "remote-user-terminated-idle",
            "the end follows a write that asked for it",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        let named = self.name.as_deref().map(|new| {
            text!(
                "The new address advertises as {}: if that is the bootloader's name, connect there.",
                name(new)
            )
        });
        named.into_iter().collect()
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
