use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict};
use crate::packet::Status;
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
        Case::fires(|| example(0).into()),
        Case::silent("the nearest other trace", || example(1).into()),
    ],
};

fn example(phys: u8) -> Trace {
    Trace::new().advertises(0).create_extended(phys, Status::UNSUPPORTED_FEATURE)
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let request = connection.request.as_ref()?;
    let extended =
        matches!(request.kind, RequestKind::LeExtendedCreate | RequestKind::LeExtendedCreateV2);
    let status = request.status.filter(|status| *status != Status::SUCCESS)?;
    if !extended || request.phys != 0 {
        return None;
    }
    Some(
        Verdict::cause("The host sent LE Extended Create Connection without naming any PHY, and the controller refused it. Nothing was sent on the air.")
            .sure(Confidence::High)
            .sees(request.frame, "LE Extended Create Connection, Initiating_PHYs 0x00")
            .sees(request.status_frame?, format!("Command Status: {status}"))
            .rules_out("never-heard-peer", "no connect request left this host")
            .try_this("Update the kernel (the host builds this command wrongly for this controller); until then use another adapter."),
    )
}
