use super::waits::pending;
use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::{Address, AddressType, Status};
use crate::timeline::{Connection, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "inprogress-stale-connect",
    title: "An older connect attempt was still pending when the next one came",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
A controller starts one connection at a time. An earlier request was still waiting, not cancelled, when the host asked for the
next, and that was refused. Programs see `InProgress` or `Command Disallowed`; as often the host refuses by itself, and then
nothing of it shows on HCI.

## How it shows
A create command without answer or cancel, and a second one answered with Command Disallowed (0x0C).

## What else it could be
Two programs that share the adapter; see `two-stacks-one-adapter`.

## What to do
Connect to one device at a time; end the old attempt first.",
    sources: &["bleak-retry-connector#226", "hbldh/bleak#490, #1036", "Linux net/bluetooth: hci_connect_le returns EBUSY"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(false).into()),
        Case::silent("the nearest other trace", || example(true).into()),
    ],
};

fn example(cancelled: bool) -> Trace {
    let other = Address([2, 0, 0, 0, 0, 0xc0]);
    let first = Trace::new().create().wait_ms(3000);
    let first = if cancelled { first.cancel() } else { first };
    let again = first.peer(other, AddressType::RANDOM).wait_ms(10);
    again.create_refused(Status::COMMAND_DISALLOWED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "End the old attempt first: `Device1.Disconnect` cancels a pending connect; connect to one device at a time on an adapter.",
    ),
    Remedy::on(&[Stack::Noble], "Await one `connect` (or call `cancelConnect`) before the next."),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let request =
        connection.request.as_deref().filter(|r| r.status == Some(Status::COMMAND_DISALLOWED))?;
    let older = pending(scene, connection)?.request.as_deref()?;
    if older.cancel_frame.is_some_and(|frame| frame < request.frame) {
        return None;
    }
    Some(
        Verdict::note("An earlier connect attempt was still pending, neither answered nor cancelled, when this one was refused.")
            .sure(Confidence::Medium)
            .sees(older.frame, "the older connect request, still pending")
            .sees(request.status_frame?, "Command Disallowed (0x0c) for the next one")
            .try_these(remedies(scene, REMEDIES)),
    )
}
