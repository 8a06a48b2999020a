use super::witnessed::Line;
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::prose::Text;
use crate::trace::Trace;
use crate::witness::{Claim, Testimony, What};

pub const RULE: Rule = Rule {
    id: "daemon-or-adapter-restarted",
    title: "The daemon or the adapter was started anew in between",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
bluetoothd was restarted, or the adapter was switched off, removed or reset, while the device was in use. What was open then is gone: links, calls, objects. The device has no part in it.

## How it shows
A second start of the daemon in the log after a connection, or the adapter leaving the bus; in the capture the links end without a Disconnection Complete.

## What else it could be
Somebody who restarts the service to get a more talkative log: then nothing was in use.

## What to do
Look at what restarted it: the service's own journal, a power supply that gives in, a USB port that is switched off.",
    sources: &["laboratory: bluetoothd killed while connected, adapter removed, adapter reset"],
    check: Check::Witness(check),
    cases: &[
        Case::suspect(Confidence::Medium, "the daemon starts again after the link came up", || {
            Example::with_log(up(), "\
bluetoothd[1]: Bluetooth daemon 5.82
bluetoothd[1]: src/device.c:device_connect_le() Connection attempt to: C0:00:00:00:00:01
bluetoothd[1]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
bluetoothd[2]: Bluetooth daemon 5.82
")
        }),
        Case::silent("it starts once", || {
            Example::with_log(up(), "\
bluetoothd[1]: Bluetooth daemon 5.82
bluetoothd[1]: src/device.c:device_connect_le() Connection attempt to: C0:00:00:00:00:01
bluetoothd[1]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
")
        }),
        Case::silent("the device had been disconnected before", || {
            Example::with_log(up(), "\
bluetoothd[1]: Bluetooth daemon 5.82
bluetoothd[1]: src/device.c:device_connect_le() Connection attempt to: C0:00:00:00:00:01
bluetoothd[1]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
bluetoothd[1]: src/adapter.c:dev_disconnected() Device C0:00:00:00:00:01 disconnected, reason 2
bluetoothd[2]: Bluetooth daemon 5.82
")
        }),
        Case::suspect(Confidence::Medium, "the device had been disconnected, and connected again", || {
            Example::with_log(up(), "\
bluetoothd[1]: Bluetooth daemon 5.82
bluetoothd[1]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
bluetoothd[1]: src/adapter.c:dev_disconnected() Device C0:00:00:00:00:01 disconnected, reason 2
bluetoothd[1]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
bluetoothd[2]: Bluetooth daemon 5.82
")
        }),
        Case::silent("it is stopped, and not started again", || {
            Example::with_log(up(), "\
bluetoothd[1]: Bluetooth daemon 5.82
bluetoothd[1]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
bluetoothd[1]: Terminating
")
        }),
    ],
};

fn up() -> Trace {
    Trace::new().wait_ms(200).create().connected().features().mtu().wait_ms(3_000)
}

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Find out what restarted it: the journal around that line, the power supply, the USB port's power saving.",
)];

/// What began anew, and what was in use.
#[derive(Debug)]
struct Restarted {
    again: Line,
    used: Line,
}

fn check(_: &Scene<'_>, testimony: &Testimony) -> Option<Verdict> {
    let claims = &testimony.log.claims;
    let up = claims.iter().position(|claim| claim.what == What::Connected)?;
    let behind = claims.get(up + 1..)?;
    let place = behind.iter().position(begins_anew)?;
    // A program that had disconnected before lost nothing.
    let down = |claim: &Claim| matches!(claim.what, What::Disconnected(_));
    let before = behind.get(..place)?;
    let later_up = before.iter().filter(|claim| claim.what == What::Connected).count();
    if before.iter().filter(|claim| down(claim)).count() > later_up {
        return None;
    }
    let (used, again) =
        (Line::of(testimony, claims.get(up)?), Line::of(testimony, behind.get(place)?));
    Some(Verdict::suspect(Restarted { again, used }).sure(Confidence::Medium))
}

/// The end of a journal is no restart: the service may have been stopped on purpose.
fn begins_anew(claim: &Claim) -> bool {
    matches!(claim.what, What::DaemonStarted | What::PoweredOn)
}

impl Facts for Restarted {
    fn says(&self) -> Text {
        Text::fixed(
            "The daemon or the adapter was started anew after the link had come up: what was open then ended with it, and not by the device.",
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![self.again.sight("started anew"), self.used.sight("in use before")]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("peer-hangs-up-on-deadline", "this host's own side ended")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
