use super::waits::{in_vain, show};
use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict};
use crate::timeline::Connection;
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "peer-nonconnectable",
    title: "The device advertises, but does not accept connections",
    basis: Basis::Laboratory,
    silences: &["create-conn-timeout-cancel", "connection-cancelled-by-app", "peer-gone-or-moved"],
    docs: "\
## What it means
The device is there and says with every advertisement that it takes no connection now.

## How it shows
All reports of its address are of a kind without the connectable bit; the connect request waits until the host cancels.

## What else it could be
Another central holds the device and it goes on advertising for others; it sleeps, or its firmware offers no connections in
this state.

## What to do
Close the phone app or the other computer that may hold the connection, wake the device or press its button, and look for
connectable advertising before connecting.",
    sources: &["Core Specification, Vol 4, Part E, 7.7.65.2: advertising event types"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| asked_after(3).into()),
        Case::silent("the nearest other trace", || asked_after(0).into()),
    ],
};

fn asked_after(event_type: u8) -> Trace {
    let heard = Trace::new().advertises(event_type).wait_ms(100).advertises(event_type);
    heard.wait_ms(300).create().wait_ms(20_500).cancel()
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection)?;
    let (peer, _) = wait.whom?;
    let report = connection.report_before?;
    let device = scene.capture().device(peer)?;
    if device.connectable_reports > 0 || device.reports == 0 {
        return None;
    }
    let count = device.reports;
    let mut verdict = Verdict::cause(format!(
        "The device is heard, but all {count} of its advertising reports say that it takes no connection, so the request of {} could not succeed.",
        wait.lasted
    ))
    .sure(if count > 1 { Confidence::High } else { Confidence::Medium })
    .sees(report.frame, "advertising report of this address: not connectable");
    if let Some(last) = device.last.filter(|last| last.frame != report.frame) {
        verdict =
            verdict.sees(last.frame, "the last report of this address: not connectable either");
    }
    Some(
        show(verdict, wait.shown())
            .rules_out("never-heard-peer", "no connect request can be sent to a device that does not offer a connection")
            .try_this("Close the phone app or the other computer that may hold the device, and wake it (button, lid, power) until it advertises connectable.")
            .try_these([super::Remedy::no_use("More tries, while its reports stay as they are.")]),
    )
}
