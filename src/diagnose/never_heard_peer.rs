use super::on_air;
use super::witnessed::{self, Line};
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::packet::{Direction, Status};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Advertised, Connection, Report, Role};
use crate::trace::Trace;
use crate::trace::on_air::{Asked, OnAir};
use crate::witness::{Detail, Failure, RelationKind, What};

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
then Disconnection Complete with 0x3E, as a rule 5 to 7.5 intervals later. 0x3E alone says that the link had just been made
and was never heard, also where the capture does not hold its beginning. One such failure, after which the next attempt came
through at once, is a note; not where a log tells of more of them before or after the capture.

## What else it could be
Nothing else ends a link with 0x3E. Why the request or its answer was lost is another question: radio time taken by
scanning or Wi-Fi, a stale or wrong address, a device that only answers hosts it knows, or plain radio loss.

## What to do
Try again three to five times with half a second between: single failures are ordinary radio loss. Stop a scan that is on.
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
            Trace::new().create().connected().after_us(48_750).disconnected(GIVEN_UP).into()
        })
        .saying("1.0 connection intervals"),
        Case::cause(Confidence::High, "given up a moment before one interval was over", || {
            Trace::new().create().connected().after_us(48_749).disconnected(GIVEN_UP).into()
        })
        .saying("delivered together"),
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
        Case::cause(Confidence::Medium, "the capture begins after the link was made", || {
            Trace::new().disconnected(GIVEN_UP).into()
        })
        .saying("its beginning is not in the capture"),
        Case::cause(Confidence::High, "text that does not print the interval", || {
            Trace::new().create().connected_as(0, 0, 0, 0).wait_ms(315).disconnected(GIVEN_UP).into()
        })
        .not_saying("interval"),
        Case::silent("the capture begins late, and the device was heard", || {
            Trace::new().notified(3, &[1]).wait_ms(100).disconnected(GIVEN_UP).into()
        }),
        Case::note(Confidence::High, "one, and the next attempt came through 160 ms later", || {
            unanswered(315).wait_ms(10).up().mtu().into()
        })
        .about(&[1])
        .saying("the next attempt came through"),
        Case::note(Confidence::High, "the next attempt came through 2 s later", || {
            unanswered(315).wait_ms(1_930).up().into()
        })
        .pins(&["AT_ONCE"]),
        Case::cause(Confidence::High, "the next attempt came through 2.1 s later", || {
            unanswered(315).wait_ms(2_030).up().into()
        })
        .pins(&["AT_ONCE"]),
        Case::cause(Confidence::High, "two, and then one that came through", || {
            unanswered(315).wait_ms(500).followed_by(unanswered(315)).wait_ms(10).up().into()
        })
        .about(&[1, 2]),
        Case::cause(Confidence::High, "one came through before it, and none after it", || {
            let works = Trace::new().up().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500);
            works.followed_by(unanswered(315)).into()
        })
        .about(&[2]),
        Case::cause(Confidence::High, "the next link is made at once and is not heard either", || {
            unanswered(315).wait_ms(10).create().connected().into()
        })
        .about(&[1]),
        Case::cause(Confidence::High, "the log tells of another one before the capture began", || {
            Example::with_log(unanswered(315).wait_ms(500).up().mtu(), TWO)
        })
        .about(&[1])
        .saying("nothing from the device was ever heard"),
        Case::note(Confidence::High, "the log tells of another end before the capture began", || {
            Example::with_log(unanswered(315).wait_ms(500).up().mtu(), OTHER)
        }),
        Case::cause(Confidence::High, "a report 4.9 s before the request", || {
            Trace::new().advertises(0).wait_ms(4_900).followed_by(dead()).into()
        })
        .saying("4.90 s before the request")
        .pins(&["FRESH"]),
        Case::cause(Confidence::High, "a report 5.1 s before the request", || {
            Trace::new().advertises(0).wait_ms(5_100).followed_by(dead()).into()
        })
        .not_saying("advertising report")
        .pins(&["FRESH"]),
        Case::cause(Confidence::High, "it goes on advertising during the link", || {
            let link = Trace::new().advertises(0).create().connected().wait_ms(100).advertises(0);
            link.wait_ms(215).disconnected(GIVEN_UP).into()
        })
        .saying("it had not taken the connect request"),
        Case::cause(Confidence::High, "a sniffer lies beside it and heard no request", || {
            let host = Trace::new().create().connected_as(0, 24, 0, 72).wait_ms(200);
            Example::sniffed(host.disconnected(GIVEN_UP), OnAir::new().advertises(true).into())
        })
        .saying("see `connect-request-never-sent`"),
        Case::cause(Confidence::High, "no scan is on", || {
            Trace::new().scan(true, 96, 48).scan(false, 0, 0).followed_by(unanswered(315)).into()
        })
        .not_saying("scanning"),
        Case::cause(Confidence::High, "a scan is on", || {
            Trace::new().scan(true, 96, 48).followed_by(unanswered(315)).into()
        })
        .saying("Stop scanning before connecting"),

        Case::note(Confidence::High, "one, and the attempt before it came through as well", || {
            let works = Trace::new().up().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500);
            works.followed_by(unanswered(315)).wait_ms(10).up().mtu().into()
        })
        .about(&[2])
        .saying("the next attempt came through"),
        Case::note(Confidence::High, "the next attempt was cancelled, and the one after it came through", || {
            unanswered(315).wait_ms(10).create().wait_ms(400).cancel().wait_ms(10).up().mtu().into()
        })
        .about(&[1]),
        Case::cause(Confidence::High, "what was heard before a request by list does not count from the request", || {
            let asked = Trace::new().create_for_anybody().wait_ms(20_000).advertises(0);
            asked.connected().wait_ms(315).disconnected(GIVEN_UP).into()
        })
        .saying("before the link"),
        Case::cause(Confidence::High, "a request for one device: its report came before that", || {
            Trace::new().advertises(0).wait_ms(900).followed_by(dead()).into()
        })
        .saying("before the request"),
        Case::cause(Confidence::High, "the scan is switched on again right behind the link", || {
            let link = Trace::new().create().connected().scan(true, 96, 48);
            link.wait_ms(315).disconnected(GIVEN_UP).into()
        })
        .saying("Stop scanning before connecting"),
        Case::cause(Confidence::High, "a report exactly 5 s before the request", || {
            Trace::new().advertises(0).after_ms(5_000).followed_by(dead()).into()
        })
        .saying("5.00 s before the request")
        .pins(&["FRESH"]),
        Case::cause(Confidence::High, "a report a moment earlier than that", || {
            Trace::new().advertises(0).after_us(5_000_001).followed_by(dead()).into()
        })
        .not_saying("advertising report")
        .pins(&["FRESH"]),
        // A link is made 60.2 ms after its request.
        Case::note(Confidence::High, "the next attempt came through exactly 2 s later", || {
            unanswered(315).after_us(2_000_000 - 60_200).up().into()
        })
        .pins(&["AT_ONCE"]),
        Case::cause(Confidence::High, "the next attempt came through a moment later than that", || {
            unanswered(315).after_us(2_000_001 - 60_200).up().into()
        })
        .pins(&["AT_ONCE"]),
        Case::note(Confidence::High, "the log tells of another device before the capture began", || {
            Example::with_log(unanswered(315).wait_ms(500).up().mtu(), ANOTHER_DEVICE)
        }),
        Case::suspect(Confidence::High, "a sniffer beside it heard a request that was not answered", || {
            Example::sniffed(sniffed_host(), sniffed_common().unanswered(6).into())
        })
        .about(&[2])
        .saying("see `peripheral-never-answered`"),
        Case::suspect(Confidence::High, "a sniffer beside it heard the device's answers", || {
            let air = (0..6).fold(sniffed_common(), |air, _| air.answered_in_vain());
            Example::sniffed(sniffed_host(), air.into())
        })
        .about(&[2])
        .saying("see `peripheral-answered-unheard`"),
    ],
};

/// Two links that were given up. The capture begins after the first.
const TWO: &str = "\
2025-09-04T15:33:17.000000+00:00 host bluetoothd[7]: src/device.c:device_connect_le() Connection attempt to: C0:00:00:00:00:01
2025-09-04T15:33:17.100000+00:00 host bluetoothd[7]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
2025-09-04T15:33:17.400000+00:00 host bluetoothd[7]: src/device.c:att_connect_cb() connect to C0:00:00:00:00:01: Function not implemented (38)
2025-09-04T15:33:20.000000+00:00 host bluetoothd[7]: src/device.c:device_connect_le() Connection attempt to: C0:00:00:00:00:01
2025-09-04T15:33:20.070000+00:00 host bluetoothd[7]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
2025-09-04T15:33:20.390000+00:00 host bluetoothd[7]: src/device.c:att_connect_cb() connect to C0:00:00:00:00:01: Function not implemented (38)
2025-09-04T15:33:20.940000+00:00 host bluetoothd[7]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
";

/// The same, but the peer ended the first of them.
const OTHER: &str = "\
2025-09-04T15:33:17.000000+00:00 host bluetoothd[7]: src/device.c:device_connect_le() Connection attempt to: C0:00:00:00:00:01
2025-09-04T15:33:17.100000+00:00 host bluetoothd[7]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
2025-09-04T15:33:17.400000+00:00 host bluetoothd[7]: src/adapter.c:dev_disconnected() Device C0:00:00:00:00:01 disconnected, reason 3
2025-09-04T15:33:20.000000+00:00 host bluetoothd[7]: src/device.c:device_connect_le() Connection attempt to: C0:00:00:00:00:01
2025-09-04T15:33:20.070000+00:00 host bluetoothd[7]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
2025-09-04T15:33:20.390000+00:00 host bluetoothd[7]: src/device.c:att_connect_cb() connect to C0:00:00:00:00:01: Function not implemented (38)
2025-09-04T15:33:20.940000+00:00 host bluetoothd[7]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
";

/// The same, but the link before the capture was to another device.
const ANOTHER_DEVICE: &str = "\
2025-09-04T15:33:17.000000+00:00 host bluetoothd[7]: src/device.c:device_connect_le() Connection attempt to: C0:00:00:00:00:02
2025-09-04T15:33:17.100000+00:00 host bluetoothd[7]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:02 connected eir_len 14
2025-09-04T15:33:17.400000+00:00 host bluetoothd[7]: src/device.c:att_connect_cb() connect to C0:00:00:00:00:02: Function not implemented (38)
2025-09-04T15:33:20.000000+00:00 host bluetoothd[7]: src/device.c:device_connect_le() Connection attempt to: C0:00:00:00:00:01
2025-09-04T15:33:20.070000+00:00 host bluetoothd[7]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
2025-09-04T15:33:20.390000+00:00 host bluetoothd[7]: src/device.c:att_connect_cb() connect to C0:00:00:00:00:01: Function not implemented (38)
2025-09-04T15:33:20.940000+00:00 host bluetoothd[7]: src/adapter.c:connected_callback() hci0 device C0:00:00:00:00:01 connected eir_len 14
";

const GIVEN_UP: Status = Status::FAILED_TO_BE_ESTABLISHED;

/// A link that a sniffer heard too, and one 3 s later that was never heard.
fn sniffed_host() -> Trace {
    let up = Trace::new().create().connected_as(0, 24, 0, 72).features().wait_ms(305);
    let up = up.disconnected(Status::REMOTE_USER_TERMINATED).wait_ms(3_000);
    up.create().connected_as(0, 24, 0, 72).wait_ms(200).disconnected(GIVEN_UP)
}

/// The same on the air, as far as the second connect request.
fn sniffed_common() -> OnAir {
    let (by, reason) = (Direction::Received, Status::REMOTE_USER_TERMINATED);
    let first = OnAir::new().advertises(true).asks(Asked::default()).idles(12);
    first.hangs_up(by, reason).wait_ms(2_900).advertises(true).asks(Asked::default())
}

fn unanswered(ms: u32) -> Trace {
    Trace::new().advertises(0).create().connected().wait_ms(ms).disconnected(GIVEN_UP)
}

/// The same, and no report of the device.
fn dead() -> Trace {
    Trace::new().create().connected().wait_ms(315).disconnected(GIVEN_UP)
}

/// The next attempt, by the host or its user, comes this soon. Nobody noticed the failure.
const AT_ONCE: Span = Span::from_ms(2_000);

/// A report older than this says nothing of where the device was at the request.
const FRESH: Span = Span::from_ms(5_000);

const REMEDIES: &[Remedy] = &[
    Remedy::any("Retry three to five times, 0.5-1 s apart: a single 0x3E is ordinary radio loss."),
    Remedy::any(
        "Repeat once with Wi-Fi on 2.4 GHz off, and once at one metre with a USB dongle on an extension lead.",
    ),
];

/// A link on which nothing from the device ever arrived.
#[derive(Debug)]
struct NeverHeard {
    /// Where the capture holds the link's beginning.
    connected_frame: Option<u32>,
    interval: Option<Span>,
    end_frame: u32,
    reason: Status,
    /// From the link's beginning to its end.
    life: Option<Span>,
    /// The last fresh advertising report, and how long before the request it came.
    report: Option<(Report, Span)>,
    /// The device was chosen by what was heard after the request.
    by_list: bool,
    /// It advertised during the link.
    advertised: Option<Advertised>,
    /// The next attempt, if it came through at once: its frame, and how much later.
    recovered: Option<(u32, Span)>,
    /// A log tells of another one, before the capture began or after it ended.
    told: Option<Line>,
    /// A sniffer's capture lies beside this one: the rule that says what it shows.
    on_air: Option<&'static str>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref()?;
    let peripheral = connection.role == Some(Role::Peripheral);
    if end.reason != GIVEN_UP || connection.peer_heard() || peripheral {
        return None;
    }
    let told = told(scene, connection);
    let recovered = recovered(scene, connection).filter(|_| told.is_none());
    let facts = NeverHeard {
        connected_frame: connection.connected_frame(),
        interval: connection.granted.map(|granted| granted.interval()),
        end_frame: end.frame,
        reason: end.reason,
        life: connection.life(),
        report: fresh(connection),
        by_list: by_list(connection),
        advertised: connection.advertised,
        recovered,
        told,
        on_air: on_air::points_to(scene, connection),
    };
    Some(match recovered {
        Some(_) => Verdict::note(facts).sure(Confidence::High).apart(1),
        None => Verdict::cause(facts).sure(Confidence::High),
    })
}

/// The attempt that came through right after this one, where this one is the only failure of its kind.
fn recovered(scene: &Scene<'_>, connection: &Connection) -> Option<(u32, Span)> {
    let end = connection.end.as_ref()?;
    let others: Vec<&Connection> = scene.capture().kin(connection, super::see::SHOWN_KIN).collect();
    if others.iter().any(|other| other.reason() == Some(GIVEN_UP)) {
        return None;
    }
    let next = others.iter().find(|other| other.number > connection.number && other.connected())?;
    let later =
        next.connected_at().since(end.at).filter(|later| (Span(0)..=AT_ONCE).contains(later))?;
    next.peer_heard().then_some((next.connected_frame()?, later))
}

/// Another failure of this kind that a log tells of and the capture does not hold. Many words stand for several ends: these
/// are the words that the log has for this one.
fn told(scene: &Scene<'_>, connection: &Connection) -> Option<Line> {
    scene.witnesses().find_map(|testimony| {
        let of_this = || {
            let here = witnessed::related(testimony).filter(|(_, relation)| {
                relation.connection == Some(connection.number)
                    && relation.detail == Some(Detail::Code(GIVEN_UP.0))
            });
            here.map(|(claim, _)| claim.what).filter(|what| names_it(*what))
        };
        let outside = witnessed::related(testimony).filter(|(claim, relation)| {
            let outside =
                matches!(relation.detail, Some(Detail::BeforeCapture | Detail::AfterCapture));
            relation.kind == RelationKind::Elsewhere
                && outside
                && claim.device.is_some_and(|device| witnessed::is_with(connection, device))
        });
        outside
            .map(|(claim, _)| claim)
            .find(|claim| of_this().any(|what| what == claim.what))
            .map(|claim| Line::of(testimony, claim))
    })
}

/// Whether a log's words can stand for such an end, and not for every end.
fn names_it(what: What) -> bool {
    let reason = what.reason().is_some_and(|reason| reason.hci().contains(&GIVEN_UP.0));
    reason || matches!(what, What::Failed { how: Failure::AbortByLocal, .. })
}

/// Whether the request was for any device of the accept list.
fn by_list(connection: &Connection) -> bool {
    connection.request.as_ref().is_some_and(|request| request.filter_policy != 0)
}

/// The last report before the request; for a link by the accept list, before the link.
pub(super) fn fresh(connection: &Connection) -> Option<(Report, Span)> {
    let report = connection.report_before?;
    let request = connection.request.as_ref().filter(|_| !by_list(connection));
    let age = request.map_or(connection.connected_at(), |request| request.at).since(report.at)?;
    (Span(0) <= age && age <= FRESH).then_some((report, age))
}

impl NeverHeard {
    fn when_given_up(&self) -> Text {
        let Some(life) = self.life else {
            return text!("at once; its beginning is not in the capture");
        };
        let Some(interval) = self.interval else {
            return text!("{} later", life);
        };
        let intervals = life.0 as f64 / interval.0 as f64;
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
        let Some((_, later)) = self.recovered else {
            return text!(
                "The link was created, nothing from the device was ever heard on it, and the controller gave it up {}. \
                 This is decided below ATT: no missing or late ATT packet can be the cause.",
                self.when_given_up()
            );
        };
        text!(
            "One connect request was not answered, and the controller gave the link up {}; the next attempt came through {} \
             after that. Single failures are ordinary radio loss.",
            self.when_given_up(),
            later
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let connected = self.connected_frame.map(|frame| {
            let interval = self.interval.map(|interval| text!(", interval {}", interval));
            Sight::here(frame, text!("LE Connection Complete{}", interval))
        });
        let mut sights: Vec<Sight> = connected.into_iter().collect();
        sights.push(Sight::here(
            self.end_frame,
            text!("Disconnection Complete, {}; nothing received in between", self.reason),
        ));
        if let Some((report, age)) = self.report {
            let rssi = report.rssi.map(|rssi| text!(" at {} dBm", rssi));
            let before = if self.by_list { "link" } else { "request" };
            let text = text!(
                "last advertising report of this address{}, {} before the {}",
                rssi,
                age,
                before
            );
            sights.push(Sight::here(report.frame, text));
        }
        if let Some(advertised) = self.advertised {
            let text =
                "it goes on advertising during the link: it had not taken the connect request";
            sights.push(Sight::here(advertised.first.frame, text));
        }
        sights.extend(
            self.told.as_ref().map(|line| {
                line.sight("the log tells of another one, which is not in the capture")
            }),
        );
        if let Some((frame, _)) = self.recovered {
            sights.push(Sight::here(
                frame,
                "LE Connection Complete of the attempt that came through",
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
        if let Some(rule) = self.on_air {
            return vec![text!(
                "A sniffer's capture lies beside this one and tells more: see `{}`.",
                rule
            )];
        }
        vec![text!(
            "An over-the-air sniffer shows whether CONNECT_IND was sent on a moment when the device listened, and whether it answered."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
