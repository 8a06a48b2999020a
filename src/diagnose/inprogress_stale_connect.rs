use super::waits::pending;
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, Scene, Sight, Verdict};
use crate::packet::hci::Command;
use crate::packet::{Address, AddressType, Status};
use crate::prose::Text;
use crate::text;
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
        Case::note(Confidence::Medium, "the older request still waits", || example(false).into())
            .about(&[2]),
        Case::silent("the older request was cancelled before", || example(true).into()),
        Case::silent("the next one is refused for another reason", || {
            let first = Trace::new().create().wait_ms(3_000);
            first.create_refused(Status::INVALID_PARAMETERS).into()
        }),
        Case::silent("no older request waits", || {
            Trace::new().create_refused(Status::COMMAND_DISALLOWED).into()
        }),
        Case::silent("the older request is cancelled, and its end comes later", || {
            let asked = Trace::new().create().wait_ms(3_000);
            asked.done(Command::LeCreateConnectionCancel {}).create_refused(Status::COMMAND_DISALLOWED).into()
        }),
        Case::note(Confidence::Medium, "the older request is cancelled only afterwards", || {
            let waits = example(false).wait_ms(5_000).done(Command::LeCreateConnectionCancel {});
            waits.connect_failed(Status::UNKNOWN_CONNECTION_IDENTIFIER).into()
        })
        .about(&[2]),
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

/// A request that was refused because of an older one.
#[derive(Debug)]
struct Stale {
    older_frame: u32,
    status_frame: u32,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let request =
        connection.request.as_deref().filter(|r| r.status == Some(Status::COMMAND_DISALLOWED))?;
    let older = pending(scene, connection)?.request.as_deref()?;
    if older.cancelled.is_some_and(|seen| seen.comes_before(request.frame)) {
        return None;
    }
    let facts = Stale { older_frame: older.frame, status_frame: request.status_frame? };
    Some(Verdict::note(facts).sure(Confidence::Medium))
}

impl Facts for Stale {
    fn says(&self) -> Text {
        text!(
            "An earlier connect attempt was still pending, neither answered nor cancelled, when this one was refused."
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.older_frame, "the older connect request, still pending"),
            Sight::here(self.status_frame, "Command Disallowed (0x0c) for the next one"),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
