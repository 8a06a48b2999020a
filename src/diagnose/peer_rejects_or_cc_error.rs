use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict};
use crate::packet::Status;
use crate::timeline::{Connection, Role, Transport};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "peer-rejects-or-cc-error",
    title: "The connection event itself carries an error",
    basis: Basis::Laboratory,
    silences: &["create-conn-timeout-cancel", "connection-cancelled-by-app"],
    docs: "\
## What it means
The controller took up the connect command and later reported that no link came of it.

## How it shows
LE Connection Complete with a status other than 0 and 0x02. 0x3E: the connect request went out and the device never answered;
some controllers say so here instead of first reporting a link. 0x3C: directed advertising found no taker (this host is the
peripheral). 0x09 and 0x0D: no room for another link. 0x1F: the controller does not say.

## What else it could be
0x02 after a cancel is no error: see `create-conn-timeout-cancel`.

## What to do
0x3E: as for `never-heard-peer`: retry, stop scanning first, test with Wi-Fi off. 0x3C: advertise again.",
    sources: &["Apache NimBLE and Zephyr host: how LE Connection Complete with an error is handled"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| failed(Status::FAILED_TO_BE_ESTABLISHED).into()),
        Case::silent("the nearest other trace", || Trace::new().advertises(0).create().wait_ms(900).cancel().into()),
    ],
};

fn failed(status: Status) -> Trace {
    Trace::new().advertises(0).create().wait_ms(400).connect_failed(status)
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let status = connection.status?;
    let frame = connection.status_frame?;
    let request = connection.request.as_ref();
    // A refused command is another rule's.
    let refused = request.is_some_and(|r| r.status.is_some_and(|s| s != Status::SUCCESS));
    let ordinary = matches!(
        status,
        Status::SUCCESS | Status::UNKNOWN_CONNECTION_IDENTIFIER | Status::CANCELLED_BY_HOST
    );
    if connection.transport != Transport::Le || refused || ordinary {
        return None;
    }
    let central = connection.role != Some(Role::Peripheral);
    let verdict = match status {
        Status::FAILED_TO_BE_ESTABLISHED if central => Verdict::cause(
            "The connect request went out and nothing from the device was ever heard; this controller reports it in the connection event itself. \
             This is decided below ATT: no missing or late ATT packet can be the cause.",
        )
        .sure(Confidence::High)
        .rules_out("missing-mtu-exchange", "no link came up, so no ATT exchange could have happened or helped")
        .try_this("Retry three to five times, 0.5-1 s apart: a single 0x3E is ordinary radio loss. Stop scanning before connecting.")
        .try_this("On a combined Wi-Fi and Bluetooth chip repeat once with Wi-Fi off, and once with a USB dongle."),
        Status::ADVERTISING_TIMEOUT => Verdict::note("Directed advertising ended without a connection: the other side did not come.")
            .try_this("Advertise again, undirected, if the other side may have lost its bond."),
        _ => Verdict::cause(format!("The controller took up the connect command and reported {status}: no link came up."))
            .try_this("Look the code up with `hcidiff explain`; power-cycle the adapter if it comes back."),
    };
    let verdict = match request {
        Some(request) => {
            verdict.sees(request.frame, format!("{} to {}", request.kind, request.peer))
        }
        None => verdict,
    };
    Some(verdict.sees(frame, format!("Connection Complete, status {status}")))
}
