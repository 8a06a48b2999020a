use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict, see};
use crate::packet::{Address, AddressType, Direction, Status};
use crate::time::Span;
use crate::timeline::{Connection, Procedure};
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
Disconnection Complete 0x13 within two seconds of a write of this host, then advertising from the address plus (or minus) one
that was not heard before.

## What else it could be
A device that hangs up and comes back under its own address has only restarted.

## What to do
Scan for the new address (or the update service) after the reboot, connect there, and do not use cached services.",
    sources: &["Nordic DFU: bootloader address plus one", "hbldh/bleak#882"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(2).into()),
        Case::silent("the nearest other trace", || example(1).into()),
    ],
};

/// Hangs up after a write and advertises again: under the next address, or under its own.
fn example(last: u8) -> Trace {
    let mut address = PEER.0;
    address[0] = last;
    Trace::new()
        .advertises(0)
        .up()
        .mtu()
        .write(0x10, &[1])
        .wait_ms(900)
        .disconnected(Status::REMOTE_USER_TERMINATED)
        .peer(Address(address), AddressType::RANDOM)
        .wait_ms(1200)
        .advertises(0)
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = see::peer_hung_up(connection)?;
    let write = connection.steps.iter().rev().find(|s| {
        s.by == Direction::Sent && matches!(s.procedure, Procedure::Write | Procedure::WriteCommand)
    })?;
    end.at.since(write.last.at).filter(|d| *d < Span::from_ms(2_500))?;
    let old = connection.peer.address?;
    let capture = scene.capture();
    let neighbours = [1, 0xff].map(|step: u8| {
        let mut address = old;
        address.0[0] = address.0[0].wrapping_add(step);
        address
    });
    let moved = neighbours.into_iter().filter_map(|address| capture.device(address)).find(|d| {
        d.first.is_some_and(|r| {
            r.frame > end.frame && r.at.since(end.at).is_some_and(|t| t < Span::from_ms(30_000))
        })
    })?;
    let first = moved.first?;
    let retries: Vec<u32> = capture
        .attempts_to(old)
        .filter(|c| c.number > connection.number && c.status != Some(Status::SUCCESS))
        .map(|c| c.number)
        .collect();
    let (frame, text) = see::ended(end);
    let mut verdict = Verdict::cause(format!(
        "After a write of this host the device hung up and came back under the neighbouring address, as a bootloader does.{}",
        if retries.is_empty() { "" } else { " This host went on trying the old address, where nobody is." }
    ))
    .sure(Confidence::High)
    .about(std::iter::once(connection.number).chain(retries))
    .sees(write.frame, see::pdu(write))
    .sees(frame, text)
    .sees(first.frame, "first advertising of the neighbouring address");
    if let Some(name) = &moved.name {
        verdict = verdict.settled_by(format!(
            "The new address advertises as `{name}`: if that is the bootloader's name, connect there."
        ));
    }
    Some(
        verdict
            .rules_out("remote-user-terminated-idle", "the end follows a write that asked for it")
            .try_this("After the reboot scan for the new address (the old one plus one) or for the update service, and connect there without cached services."),
    )
}
