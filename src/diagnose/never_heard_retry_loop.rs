use super::see::range;
use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict};
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Connection, Role};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "never-heard-retry-loop",
    title: "Attempt after attempt was never answered by the device",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
Three or more links to the same device ended without one packet from it. What the attempts have in common, and whether one of
them came through, says where to look.

## How it shows
Disconnection Complete with 0x3E, nothing heard, again and again. With a pause of less than half a second somebody in the stack
repeats by itself; with a pause of seconds it is the application. If one attempt in between was heard, the two devices can talk
and radio time or radio loss is the matter. If none of ten was, it is something fixed: address, PHY or kind of request, a device
that takes only hosts it knows, or two programs on one adapter.

## What else it could be
A device at the edge of its range behaves like this too: compare the signal strength of its advertising reports.

## What to do
If some attempts come through: stop scanning during setup, test with Wi-Fi off, come closer, retry with 0.5-1 s between.
If none does: more retries will not help; change one thing at a time.",
    sources: &["espressif/esp-idf#10201", "espressif/esp-nimble#73", "Bluetooth-Devices/bleak-retry-connector: its pauses"],
    check: Check::Device(check),
    cases: &[
        Case::fires(|| dead().repeated(4, 900).into()),
        Case::silent("the nearest other trace", || dead().repeated(2, 900).into()),
    ],
};

fn dead() -> Trace {
    Trace::new()
        .advertises(0)
        .create()
        .connected()
        .wait_ms(315)
        .disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

fn check(_: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let unheard: Vec<&&Connection> = attempts
        .iter()
        .filter(|c| {
            c.never_heard()
                && c.reason() == Some(Status::FAILED_TO_BE_ESTABLISHED)
                && c.role == Some(Role::Central)
        })
        .collect();
    let count = unheard.len();
    if count < 3 {
        return None;
    }
    let heard = attempts.iter().find(|c| c.connected_frame.is_some() && c.peer_heard());
    let of = attempts.iter().filter(|c| c.connected_frame.is_some()).count();
    let pauses: Vec<Span> = unheard
        .windows(2)
        .filter_map(|pair| pair[1].connected_at.since(pair[0].end.as_ref()?.at))
        .collect();
    let cadence = match pauses.iter().max() {
        Some(longest) if *longest < Span::from_ms(500) => {
            format!(
                " The pause between them ({}) is too short for an application: the stack repeats by itself.",
                range(&pauses)
            )
        }
        Some(_) => format!(" The pauses between them: {}.", range(&pauses)),
        None => String::new(),
    };
    let meaning = match heard {
        Some(_) => {
            "Some attempts came through, so the two can talk: radio time or radio loss is the matter."
        }
        None if count >= 10 => {
            "None came through: something fixed is the matter, and more retries will not help."
        }
        None => "None came through: too few attempts to tell radio loss from something fixed.",
    };
    let mut verdict = Verdict::suspect(format!(
        "{count} of {of} links to this device ended without one packet from it. {meaning}{cadence}"
    ))
    .sure(if heard.is_some() || count >= 10 { Confidence::High } else { Confidence::Medium })
    .about(unheard.iter().map(|c| c.number))
    .rules_out(
        "missing-mtu-exchange",
        "the device was never heard, so no ATT exchange could have helped",
    );
    for connection in unheard.iter().take(8) {
        let end = connection.end.as_ref()?;
        let after = connection
            .life()
            .map_or(String::new(), |life| format!(", {life} after the link was made"));
        verdict = verdict.sees(end.frame, format!("Disconnection Complete, {}{after}", end.reason));
    }
    if let Some(sighting) = heard.and_then(|c| c.heard) {
        verdict =
            verdict.sees(sighting.seen.frame, format!("another attempt is heard: {}", sighting.by));
    }
    let signal = unheard.iter().filter_map(|c| c.report_before?.rssi).max();
    if let Some(rssi) = signal {
        verdict = verdict.settled_by(if rssi > -75 {
            format!("The device was received with up to {rssi} dBm: distance is not a likely reason.")
        } else {
            format!("The device was received with {rssi} dBm at best: repeat the test from one metre away.")
        });
    }
    Some(match heard {
        Some(_) => verdict
            .try_this("Retry with 0.5-1 s between attempts, and stop scanning until services are resolved.")
            .try_this("Repeat the test with Wi-Fi off, and once with a USB dongle on an extension lead."),
        None => verdict
            .try_this("Stop retrying and change one thing at a time: the kind of adapter, the address the scan reports, 1M PHY only, the device in pairing mode, nothing else connected to it.")
            .try_this("Test the same adapter with another device, and the same device with a phone: the pair tells on which side to look."),
    })
}
