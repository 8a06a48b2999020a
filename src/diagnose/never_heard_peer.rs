use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Report, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "never-heard-peer",
    title: "The device never answered after the connect request",
    basis: Basis::Real,
    silences: &[],
    docs: "\
## What it means
The controller reported a new link, and nothing from the device ever arrived on it. LE Connection Complete only says that
the connect request was sent. A link without one packet from the peer is given up after six connection intervals, and the
controller reports 0x3E. This is decided by the two radios: no ATT, MTU, pairing or keep-alive traffic can prevent or cure it.

## How it shows
LE Connection Complete with status 0; no data, no answered link-layer procedure and no acknowledged packet on that handle;
then Disconnection Complete with 0x3E, as a rule 5 to 7.5 intervals later.

## What else it could be
Nothing else ends a link with 0x3E. Why the request or its answer was lost is another question: radio time taken by
scanning or Wi-Fi, a stale or wrong address, a device that only answers hosts it knows, or plain radio loss.

## What to do
Try again three to five times with half a second between: single failures are ordinary radio loss. Stop scanning first.
On a combined Wi-Fi and Bluetooth chip, repeat with Wi-Fi off. Try a USB dongle on an extension lead.",
    sources: &[
        "Apache NimBLE controller, ble_ll_conn.c: a created link ends after six intervals with 0x3E",
        "hbldh/bleak#993",
        "noble/noble#474",
    ],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "a link that ends 315 ms after it was made", || {
            unanswered(315).into()
        })
        .about(&[1])
        .saying("6.5 connection intervals"),
        Case::cause(Confidence::High, "made and ended in one batch of events", || {
            unanswered(40).into()
        })
        .saying("delivered together"),
        Case::cause(Confidence::High, "given up after exactly one interval", || {
            Trace::new().create().connected().wait_ms(49).disconnected(GIVEN_UP).into()
        })
        .saying("1.0 connection intervals"),
        Case::silent("the device answered one link-layer request", || {
            Trace::new().advertises(0).up().wait_ms(315).disconnected(GIVEN_UP).into()
        }),
        Case::silent("it was never heard, and ended for another reason", || {
            let link = Trace::new().advertises(0).create().connected().wait_ms(315);
            link.disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("the device connected to us", || {
            Trace::new().connected_as(1, 39, 0, 42).wait_ms(315).disconnected(GIVEN_UP).into()
        }),
        Case::silent("the link was up before the capture began", || {
            Trace::new().disconnected(GIVEN_UP).into()
        }),
    ],
};

const GIVEN_UP: Status = Status::FAILED_TO_BE_ESTABLISHED;

fn unanswered(ms: u32) -> Trace {
    Trace::new().advertises(0).create().connected().wait_ms(ms).disconnected(GIVEN_UP)
}

const REMEDIES: &[Remedy] = &[
    Remedy::any("Retry three to five times, 0.5-1 s apart: a single 0x3E is ordinary radio loss."),
    Remedy::on(
        &[Stack::BlueZ],
        "Stop scanning before connecting: `bluetoothctl scan off`; with bleak `await scanner.stop()` before `connect()`.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Call `noble.stopScanning()` and wait for `scanStop` before `peripheral.connect()`.",
    ),
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "On a Raspberry Pi repeat once with `sudo rfkill block wlan`, and once with a USB dongle.",
    ),
];

/// A link on which nothing from the device ever arrived.
#[derive(Debug)]
struct NeverHeard {
    connected_frame: u32,
    interval: Span,
    end_frame: u32,
    reason: Status,
    /// From the link's beginning to its end.
    life: Option<Span>,
    /// The last advertising report before the request.
    report: Option<Report>,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref()?;
    let central = connection.role == Some(Role::Central);
    if end.reason != GIVEN_UP || connection.peer_heard() || !central {
        return None;
    }
    let facts = NeverHeard {
        connected_frame: connection.connected_frame?,
        interval: connection.granted?.interval(),
        end_frame: end.frame,
        reason: end.reason,
        life: connection.life(),
        report: connection.report_before,
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl NeverHeard {
    fn when_given_up(&self) -> Text {
        let Some(life) = self.life.filter(|_| self.interval.0 > 0) else {
            return text!("later");
        };
        let intervals = life.0 as f64 / self.interval.0 as f64;
        if intervals < 1.0 {
            text!(
                "{} later: both events were delivered together, the link itself lived longer",
                life
            )
        } else {
            text!("{} later, {} connection intervals", life, format_args!("{intervals:.1}"))
        }
    }
}

impl Facts for NeverHeard {
    fn says(&self) -> Text {
        text!(
            "The link was created, nothing from the device was ever heard on it, and the controller gave it up {}. \
             This is decided below ATT: no missing or late ATT packet can be the cause.",
            self.when_given_up()
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![
            Sight::here(
                self.connected_frame,
                text!("LE Connection Complete, interval {}", self.interval),
            ),
            Sight::here(
                self.end_frame,
                text!("Disconnection Complete, {}; nothing received in between", self.reason),
            ),
        ];
        if let Some(report) = self.report {
            let rssi = report.rssi.map(|rssi| text!(" at {} dBm", rssi));
            sights.push(Sight::here(
                report.frame,
                text!("last advertising report of this address before the request{}", rssi),
            ));
        }
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new(
                "missing-mtu-exchange",
                "the peer was never heard, so no ATT exchange could have happened or helped",
            ),
            RuledOut::new(
                "pin-or-key-missing-0x06",
                "encryption was never negotiated with the peer",
            ),
            RuledOut::new(
                "short-supervision-timeout-linux-420ms",
                "the supervision timeout counts only after the first packet of the peer",
            ),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "An over-the-air sniffer shows whether CONNECT_IND was sent on a moment when the device listened, and whether it answered."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
