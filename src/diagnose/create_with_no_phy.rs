use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, RequestKind};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "create-with-no-phy",
    title: "The host asked to connect on no PHY at all",
    basis: Basis::Real,
    silences: &["create-conn-status-error", "connection-cancelled-by-app"],
    docs: "\
## What it means
The extended create command names the PHYs to connect on, and here it names none. The controller can only refuse. Nothing
went out on the air; the device was not involved.

## How it shows
LE Extended Create Connection with Initiating_PHYs 0, answered by Command Status 0x11 (or 0x12).

## What else it could be
A refusal with a PHY named is `create-conn-status-error`: a PHY or parameter that the controller does not support.

## What to do
Update the kernel: this is a bug of the host with some controllers (seen with kernel 6.8.9 on a BCM4388).",
    sources: &["a btmon trace of kernel 6.8.9 on BCM4388, linux-bluetooth mailing list"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "no PHY is named, and the controller refuses", || {
            example(0).into()
        })
        .about(&[1])
        .saying("Unsupported Feature"),
        Case::silent("one PHY is named", || example(1).into()),
        Case::silent("no PHY is named, and the controller takes it", || {
            Trace::new().advertises(0).create_extended(0, Status::SUCCESS).into()
        }),
        Case::silent("the legacy command, which names none", || {
            Trace::new().advertises(0).create_refused(Status::UNSUPPORTED_FEATURE).into()
        }),
    ],
};

fn example(phys: u8) -> Trace {
    Trace::new().advertises(0).create_extended(phys, Status::UNSUPPORTED_FEATURE)
}

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Update the kernel (the host builds this command wrongly for this controller); until then use another adapter.",
)];

/// An extended connect command that names no PHY.
#[derive(Debug)]
struct NoPhy {
    request_frame: u32,
    status: Status,
    status_frame: u32,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let request = connection.request.as_ref()?;
    let extended =
        matches!(request.kind, RequestKind::LeExtendedCreate | RequestKind::LeExtendedCreateV2);
    let status = request.status.filter(|status| *status != Status::SUCCESS)?;
    if !extended || request.phys != 0 {
        return None;
    }
    let facts = NoPhy { request_frame: request.frame, status, status_frame: request.status_frame? };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for NoPhy {
    fn says(&self) -> Text {
        text!(
            "The host sent LE Extended Create Connection without naming any PHY, and the controller refused it. Nothing was sent on the air."
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.request_frame, "LE Extended Create Connection, Initiating_PHYs 0x00"),
            Sight::here(self.status_frame, text!("Command Status: {}", self.status)),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "no connect request left this host")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
