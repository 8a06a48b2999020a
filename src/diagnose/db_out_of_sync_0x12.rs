use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction::Sent;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::prose::{self, Text};
use crate::text;
use crate::timeline::{Connection, Detail, Outcome, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "db-out-of-sync-0x12",
    title: "The device says that its database changed, and this host does not look again",
    basis: Basis::Laboratory,
    silences: &["gatt-cache-stale", "connection-cancelled-by-app", "zombie-link-data-silence"],
    docs: "\
## What it means
With robust caching the device answers the first request after a change of its database with Database Out Of Sync (0x12). The
host is meant to read the Database Hash or to discover again. This host went on with its old handles.

## How it shows
Error Response with code 0x12, and afterwards neither a read of 0x2B2A nor a discovery.

## What else it could be
One such error followed by a hash read or a discovery is robust caching at work, and no fault: then this is only a note.

## What to do
Use a host stack that reacts, or make this host forget the device's services.",
    sources: &["bluez/bluez PR 1715, 1879, 1925"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "two requests are refused, and the host goes on", || {
            refused(link(), 2).hangs_up(HUNG_UP).into()
        })
        .about(&[1])
        .saying("2 requests")
        .pins(&["SURE"]),
        Case::cause(Confidence::Medium, "one request is refused", || {
            refused(link(), 1).hangs_up(HUNG_UP).into()
        })
        .pins(&["SURE"]),
        Case::silent("the device says Read Not Permitted", || {
            let denied = ErrorCode::READ_NOT_PERMITTED;
            link().refused(READ, denied).refused(READ, denied).hangs_up(HUNG_UP).into()
        }),
        Case::note(Confidence::High, "the host then discovers afresh", || {
            refused(link(), 1).discovery(2).into()
        })
        .saying("looked again"),
        Case::note(Confidence::High, "the host then reads the hash", || {
            let hash = [0x08, 1, 0, 0xff, 0xff, 0x2a, 0x2b];
            refused(link(), 1).by_wire(&hash, 0x09, &[4, 9, 0, 7, 7]).into()
        }),
        Case::cause(Confidence::High, "it is refused again after the host looked", || {
            refused(refused(link(), 1).discovery(2), 1).hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::Medium, "the host had looked before, and not since", || {
            refused(link().discovery(2), 1).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the host asks for the hash, and the capture ends before the answer", || {
            let hash = [0x08, 1, 0, 0xff, 0xff, 0x2a, 0x2b];
            refused(link(), 1).acl(Sent, 4, &hash).into()
        }),
        Case::silent("the capture ends 0.9 s after the refusal", || watched(900).into())
            .pins(&["see::REACTS"]),
        Case::cause(Confidence::Medium, "the capture goes on for 1.1 s without a reaction", || {
            watched(1_100).into()
        })
        .pins(&["see::REACTS"]),
        Case::cause(Confidence::Medium, "the link ends 0.6 s after the refusal", || {
            refused(link(), 1).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the device connected to us", || {
            refused(Trace::new().connected_as(1, 24, 0, 42).features().mtu(), 2).into()
        }),

        Case::silent("this host's own server refuses the device with it", || {
            let asked = |link: Trace| link.from_peer(&[0x0a, 3, 0], &[0x01, 0x0a, 3, 0, 0x12]);
            asked(asked(link())).wait_ms(2_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("an update of the connection fails with the same number", || {
            let update = crate::packet::hci::Command::LeConnectionUpdate {
                connection_handle: crate::trace::HANDLE,
                connection_interval_min: 6,
                connection_interval_max: 6,
                max_latency: 0,
                supervision_timeout: 42,
                min_ce_length: 0,
                max_ce_length: 0,
            };
            let opcode = update.opcode();
            let refused = link().command(update).status(opcode, Status::INVALID_PARAMETERS);
            refused.wait_ms(2_000).hangs_up(HUNG_UP).into()
        }),
        Case::note(Confidence::High, "a host that looked again needs no advice", || {
            refused(link(), 1).discovery(2).into()
        })
        .not_saying("drop the remembered handles"),
        Case::cause(Confidence::High, "a host that did not is told to", || {
            refused(link(), 2).hangs_up(HUNG_UP).into()
        })
        .saying("drop the remembered handles"),
        Case::cause(Confidence::Medium, "only the device looks at this host's services", || {
            let asks = |link: Trace| {
                link.from_peer(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], &[0x01, 0x10, 1, 0, 0x0a])
            };
            asks(refused(link(), 1)).wait_ms(900).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the host asks for the hash late, and the capture ends before the answer", || {
            let hash = [0x08, 1, 0, 0xff, 0xff, 0x2a, 0x2b];
            refused(link(), 1).wait_ms(1_200).acl(Sent, 4, &hash).into()
        }),
        Case::cause(Confidence::Medium, "the host asks for something else, and the capture ends before the answer", || {
            refused(link(), 1).wait_ms(1_200).att(Sent, READ).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;
const READ: Pdu<'static> = Pdu::ReadRequest { attribute_handle: Handle(0x4e) };

fn link() -> Trace {
    Trace::new().up().mtu()
}

/// So many reads that the device refuses with Database Out Of Sync.
fn refused(link: Trace, times: u32) -> Trace {
    let code = ErrorCode::DATABASE_OUT_OF_SYNC;
    (0..times).fold(link, |link, _| link.refused(READ, code).wait_ms(600))
}

/// One refused read, and something else that happens so much later.
fn watched(ms: u32) -> Trace {
    link().refused(READ, ErrorCode::DATABASE_OUT_OF_SYNC).wait_ms(ms).advertises(0)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Use a BlueZ with commit 7c9c8630c (February 2026), which discovers again after 0x12; until then `sudo systemctl stop bluetooth`, delete /var/lib/bluetooth/ADAPTER/cache/PEER, `sudo systemctl start bluetooth`, and connect again: a bond stays.",
    ),
    Remedy::on(
        &[Stack::Noble, Stack::NimBle, Stack::Esp, Stack::Zephyr, Stack::Bumble, Stack::BtStack],
        "On error 0x12 drop the remembered handles and discover again, then repeat the request.",
    ),
];

/// So many refused requests show that the host does not understand the error.
const SURE: usize = 2;

/// Requests that the device refused because its database changed.
#[derive(Debug)]
struct OutOfSync {
    count: usize,
    refused: Vec<Step>,
    /// What the host did about it, after the last one.
    cure: Option<Step>,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let refused = connection.steps.iter().filter(|s| {
        s.by == Sent && s.is_att() && s.status == Some(ErrorCode::DATABASE_OUT_OF_SYNC.0)
    });
    let refused: Vec<&Step> = refused.collect();
    let last = *refused.last()?;
    if connection.role == Some(Role::Peripheral) {
        return None;
    }
    let looks = |s: &&Step| s.by == Sent && s.comes_after(last.last.frame) && looks_again(s);
    let cure = connection.steps.iter().filter(looks).find(|s| s.outcome == Outcome::Ok);
    // What it asked for when the capture ended, or would have asked next, nobody knows.
    let asking = connection
        .steps
        .iter()
        .filter(looks)
        .any(|s| matches!(s.outcome, Outcome::Unanswered | Outcome::Unknown));
    if cure.is_none() && !connection.end_seen && (asking || !see::watched(connection, last.last.at))
    {
        return None;
    }
    let facts = OutOfSync {
        count: refused.len(),
        refused: refused.iter().take(super::see::SHOWN).map(|step| (*step).clone()).collect(),
        cure: cure.cloned(),
    };
    let sure = if facts.count >= SURE { Confidence::High } else { Confidence::Medium };
    Some(match facts.cure {
        Some(_) => Verdict::note(facts).sure(Confidence::High),
        None => Verdict::cause(facts).sure(sure),
    })
}

impl Facts for OutOfSync {
    fn says(&self) -> Text {
        if self.cure.is_some() {
            return "The device said that its database had changed, and this host looked again, as it should.".into();
        }
        let many = prose::count(self.count, "request", "requests");
        text!(
            "The device answered {} with Database Out Of Sync (0x12); this host neither read the hash nor discovered again.",
            if self.count == 1 { "a request".into() } else { many }
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let cure = self.cure.as_ref().map(|step| Sight::here(step.frame, see::request(step)));
        let refused = self.refused.iter().map(|step| {
            let text = text!("{} refused: Database Out Of Sync (0x12)", see::request(step));
            Sight::here(step.last.frame, text)
        });
        cure.into_iter().chain(refused).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "the device answered on ATT")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        // A host that looked again needs no advice.
        if self.cure.is_some() { Vec::new() } else { REMEDIES.to_vec() }
    }
}

/// A read of the Database Hash, or a discovery.
fn looks_again(step: &Step) -> bool {
    matches!(step.procedure, Procedure::DiscoverServices | Procedure::DiscoverCharacteristics)
        || matches!(step.detail, Detail::Read { by_type: 0x2b2a, .. })
}
