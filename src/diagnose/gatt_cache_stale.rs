use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    see,
};
use crate::packet::Direction::Sent;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Outcome, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "gatt-cache-stale",
    title: "This host uses remembered attribute handles that the device no longer has",
    basis: Basis::Laboratory,
    silences: &["connection-cancelled-by-app", "zombie-link-data-silence"],
    docs: "\
## What it means
The host did not discover on this link. It used the handles of an earlier connection, and the device answers that they do not
exist: its database changed, by new firmware or another mode, and nothing told the host.

## How it shows
No discovery before the first reads and writes by handle, which fail with Invalid Handle (0x01) or Attribute Not Found (0x0A);
no Service Changed indication.

## What else it could be
Handles found on this link and refused later are a fault of the device. Error 0x12 is `db-out-of-sync-0x12`. A first failure
that the host answers with a fresh discovery is how a cache is meant to work.

## What to do
Make this host forget the device's services. A Database Hash or Service Changed in the firmware helps only hosts that look again at
what lies inside a service: BlueZ 5.66 and 5.82 do not, where the service kept its range.",
    sources: &["bluez/bluez#191", "hbldh/bleak#882", "bleak documentation, troubleshooting"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "two reads by handle are refused, and nothing was discovered", || {
            twice(Trace::new().up().mtu(), INVALID).into()
        })
        .about(&[1])
        .saying("2 of its requests with Invalid Handle (0x01)"),
        Case::cause(Confidence::Medium, "one read is refused", || {
            refused(Trace::new().up().mtu(), 3, INVALID).into()
        }),
        Case::cause(Confidence::High, "the device says Attribute Not Found", || {
            twice(Trace::new().up().mtu(), ErrorCode::ATTRIBUTE_NOT_FOUND).into()
        })
        .saying("Attribute Not Found (0x0a)"),
        Case::silent("the device says Read Not Permitted", || {
            twice(Trace::new().up().mtu(), ErrorCode::READ_NOT_PERMITTED).into()
        }),
        Case::silent("this link's own discovery found the handles", || {
            twice(Trace::new().up().mtu().discovery(2), INVALID).into()
        }),
        Case::note(Confidence::Medium, "the host then discovers afresh", || {
            twice(Trace::new().up().mtu(), INVALID).discovery(2).into()
        })
        .saying("discovered afresh"),
        Case::silent("a read by type is refused", || {
            let by_type = [0x08, 1, 0, 0xff, 0xff, 0x00, 0x2a];
            let trace = Trace::new().up().mtu();
            trace.by_wire(&by_type, 0x01, &[0x08, 1, 0, 0x0a]).into()
        }),
        Case::silent("the link was up before the capture began", || {
            twice(Trace::new().mtu(), INVALID).into()
        }),
        Case::silent("the device connected to us", || {
            twice(Trace::new().connected_as(1, 24, 0, 42).features().mtu(), INVALID).into()
        }),
        Case::cause(Confidence::High, "the working host discovers", || {
            let works = Trace::new().up().mtu().discovery(2).wait_ms(1_000);
            let fails = twice(Trace::new().up().mtu(), INVALID);
            Example::pair(works.hangs_up(Status::REMOTE_USER_TERMINATED), fails)
        })
        .saying("the working host discovers"),

        Case::silent("a handle of zero is none that was remembered", || {
            twice(refused(Trace::new().up().mtu(), 0, ErrorCode::INVALID_HANDLE), ErrorCode::READ_NOT_PERMITTED).into()
        }),
        Case::cause(Confidence::Medium, "one handle of a read", || {
            refused(Trace::new().up().mtu(), 1, ErrorCode::INVALID_HANDLE).wait_ms(1_000).into()
        }),
        Case::cause(Confidence::High, "the host wanted to discover, and the device refused", || {
            let looked = Trace::new().up().mtu().by_wire(
                &[0x08, 1, 0, 0xff, 0xff, 0x03, 0x28],
                0x01,
                &[0x08, 1, 0, 0x06],
            );
            twice(looked, INVALID).into()
        }),
        Case::silent("the device uses handles that this host does not have", || {
            let asked = |link: Trace| link.from_peer(&[0x0a, 9, 0], &[0x01, 0x0a, 9, 0, 0x01]);
            asked(asked(Trace::new().up().mtu())).wait_ms(1_000).into()
        }),
        Case::cause(Confidence::High, "it is refused again after a fresh discovery", || {
            let again = refused(Trace::new().up().mtu(), 3, INVALID).discovery(2);
            refused(again, 4, INVALID).wait_ms(1_000).into()
        })
        .not_saying("as it should"),
        Case::cause(Confidence::High, "in the working capture only the device discovers", || {
            let works = Trace::new().up().mtu().from_peer(
                &[0x08, 1, 0, 9, 0, 0x03, 0x28],
                &[0x09, 7, 2, 0, 0x1a, 3, 0, 0x00, 0x2a],
            );
            let works = works.write(3, &[1]).wait_ms(1_000).hangs_up(Status::REMOTE_USER_TERMINATED);
            Example::pair(works, twice(Trace::new().up().mtu(), INVALID))
        })
        .not_saying("the working host discovers"),
        Case::cause(Confidence::High, "the working host only looks for services", || {
            let works = Trace::new().up().mtu().by_wire(
                &[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28],
                0x11,
                &[6, 1, 0, 0xff, 0xff, 0x0f, 0x18],
            );
            let works = works.write(3, &[1]).wait_ms(1_000).hangs_up(Status::REMOTE_USER_TERMINATED);
            Example::pair(works, twice(Trace::new().up().mtu(), INVALID))
        })
        .not_saying("the working host discovers"),
    ],
};

const INVALID: ErrorCode = ErrorCode::INVALID_HANDLE;

fn refused(trace: Trace, handle: u16, error: ErrorCode) -> Trace {
    trace.refused(Pdu::ReadRequest { attribute_handle: Handle(handle) }, error)
}

/// Two reads by handle that the device refuses, and the end.
fn twice(trace: Trace, error: ErrorCode) -> Trace {
    refused(refused(trace, 3, error), 4, error).wait_ms(1_000)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "`bluetoothctl remove ADDRESS`, scan, and connect again (this also removes a bond). To keep the bond: `systemctl stop bluetooth`, delete /var/lib/bluetooth/ADAPTER/cache/ADDRESS, `systemctl start bluetooth`. For a test: `[GATT]` `Cache=no` in /etc/bluetooth/main.conf.",
    ),
    Remedy::firmware(
        "keep handles where they are, and give a service that changed another range of handles: hosts notice that.",
    ),
];

/// Requests by remembered handles that the device refused.
#[derive(Debug)]
struct StaleHandles {
    /// How many there were, and the first of them.
    count: usize,
    refused: Vec<Step>,
    /// The host discovered after that.
    cured: bool,
    /// Where the working host discovers.
    reference_frame: Option<u32>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    if !connection.start_seen
        || connection.cut_packets > 0
        || connection.elided_steps > 0
        || connection.role != Some(Role::Central)
    {
        return None;
    }
    let refused: Vec<&Step> = connection.steps.iter().filter(|s| by_dead_handle(s)).collect();
    let (first, last) = (*refused.first()?, *refused.last()?);
    let discovery = connection.steps.iter().find(|s| discovers(s));
    if discovery.is_some_and(|s| s.comes_before(first.frame)) {
        return None;
    }
    let theirs = scene.reference().and_then(|reference| {
        let searches = |s: &&Step| s.procedure == Procedure::DiscoverCharacteristics;
        reference.steps.iter().filter(searches).find(|s| s.by == Sent)
    });
    let facts = StaleHandles {
        count: refused.len(),
        refused: refused.iter().take(super::see::SHOWN).map(|step| (*step).clone()).collect(),
        cured: discovery.is_some_and(|s| s.comes_after(last.last.frame)),
        reference_frame: theirs.map(|step| step.frame),
    };
    let confidence = if facts.count > 1 { Confidence::High } else { Confidence::Medium };
    Some(if facts.cured { Verdict::note(facts) } else { Verdict::cause(facts).sure(confidence) })
}

impl Facts for StaleHandles {
    fn says(&self) -> Text {
        let code = self.refused.first().and_then(|step| step.status);
        text!(
            "This host discovered nothing on this link and used remembered handles; the device answered {} of its requests with {}.{}",
            self.count,
            code.map(ErrorCode),
            if self.cured { " The host then discovered afresh, as it should." } else { "" }
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let refused = self.refused.iter().map(|step| {
            let code = step.status.map(ErrorCode);
            Sight::here(step.last.frame, text!("{} refused: {}", see::request(step), code))
        });
        let theirs = self.reference_frame;
        let theirs = theirs.map(|frame| Sight::in_reference(frame, "the working host discovers"));
        refused.chain(theirs).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "insufficient-auth-no-pairing",
            "the device refuses the handle itself, not the right to use it",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "Forget the device on this host and connect again: does it then use other handles?"
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

/// Our host looks for services or characteristics, and finds some.
fn discovers(step: &Step) -> bool {
    use Procedure::{DiscoverCharacteristics, DiscoverServices};
    step.by == Sent
        && step.outcome == Outcome::Ok
        && matches!(step.procedure, DiscoverServices | DiscoverCharacteristics)
}

/// A read or write by handle that the device says does not exist.
fn by_dead_handle(step: &Step) -> bool {
    let by_handle = match step.procedure {
        Procedure::Read => {
            !matches!(step.detail, crate::timeline::Detail::Read { by_type, .. } if by_type != 0)
        }
        Procedure::Write | Procedure::Subscribe => true,
        _ => false,
    };
    by_handle && step.by == Sent && step.attribute != 0 && matches!(step.status, Some(0x01 | 0x0a))
}
