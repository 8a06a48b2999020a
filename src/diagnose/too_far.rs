use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    never_heard_peer,
};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Report, Role};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "too-far",
    title: "The device was hardly received when the attempts failed",
    basis: Basis::Real,
    silences: &[],
    docs: "\
## What it means
The attempts that failed were made at a moment at which this host hardly received the device. What it hardly hears, it cannot
expect to be heard by.

## How it shows
0x3E, and the advertising report right before the request is at -88 dBm or weaker, while other reports of the same device, or
those before attempts that came through, are stronger by 6 dB and more. Below -95 dBm no comparison is needed.

## What else it could be
A single weak report is chance: signals vary by 10 dB from packet to packet. What one receiver calls -90 dBm another calls -80.

## What to do
Repeat from one metre away. If that works: another place, an antenna on an extension lead, more power on the device's side.",
    sources: &["real attempts that failed at -91, -97 and -103 dBm"],
    check: Check::Device(check),
    cases: &[
        Case::suspect(Confidence::Medium, "two failed at -92 dBm, and one at -60 dBm came through", || {
            good(-60).followed_by(failed(-92).repeated(2, 900)).into()
        })
        .about(&[2, 3])
        .saying("-92 dBm"),
        Case::suspect(Confidence::Low, "one failed at -92 dBm", || {
            good(-60).followed_by(failed(-92)).into()
        }),
        Case::suspect(Confidence::Low, "one failed at -88 dBm", || {
            good(-60).followed_by(failed(-88)).into()
        })
        .pins(&["FAR"]),
        Case::silent("one failed at -87 dBm", || good(-60).followed_by(failed(-87)).into())
            .pins(&["FAR"]),
        Case::silent("one came through at a signal that is hardly better", || {
            good(-87).followed_by(failed(-92)).into()
        })
        .pins(&["BETTER"]),
        Case::suspect(Confidence::Low, "one came through at a signal that is 6 dB better", || {
            good(-86).followed_by(failed(-92)).into()
        })
        .pins(&["BETTER"]),
        Case::suspect(Confidence::Low, "all that is heard is at -95 dBm", || failed(-95).into())
            .pins(&["HOPELESS"]),
        Case::silent("all that is heard is at -94 dBm", || failed(-94).into())
            .pins(&["HOPELESS"]),
        Case::silent("another attempt failed at a good signal", || {
            good(-60).followed_by(failed(-92)).wait_ms(900).followed_by(failed(-60)).into()
        }),
        Case::silent("the attempt came through", || good(-92).followed_by(good(-60)).into()),
        Case::silent("the report is old", || {
            let old = Trace::new().heard_at(-92).wait_ms(6_000).create().connected().wait_ms(315);
            good(-60).followed_by(old.disconnected(Status::FAILED_TO_BE_ESTABLISHED)).into()
        }),
        Case::silent("one came through at the same signal, hopeless as it is", || {
            good(-96).followed_by(failed(-96)).into()
        }),
        Case::suspect(Confidence::Low, "of two that came through the stronger one counts", || {
            good(-89).followed_by(good(-60)).followed_by(failed(-92)).into()
        })
        .about(&[3])
        .saying("received with -60 dBm"),
        Case::suspect(Confidence::Low, "one that failed a good while ago, and was not received then, is not counted", || {
            let old = Trace::new().heard_at(-92).wait_ms(6_000).create().connected().wait_ms(315);
            let old = old.disconnected(Status::FAILED_TO_BE_ESTABLISHED).wait_ms(900);
            good(-60).followed_by(old).followed_by(failed(-92)).into()
        })
        .about(&[3]),
        Case::suspect(Confidence::Low, "two failed at -95 dBm, and none came through", || {
            failed(-95).repeated(2, 900).into()
        })
        .about(&[1, 2]),
        Case::suspect(Confidence::Low, "it was received well, and then hardly, and none came through", || {
            Trace::new().heard_at(-60).wait_ms(6_000).followed_by(failed(-92)).into()
        })
        .saying("At other times it was received with up to -60 dBm"),
        Case::silent("the device connected to us, and was hardly received", || {
            let link = Trace::new().heard_at(-92).connected_as(1, 39, 0, 42).wait_ms(315);
            good(-60).followed_by(link.disconnected(Status::FAILED_TO_BE_ESTABLISHED)).into()
        }),
        Case::silent("the link was given up although the device was heard", || {
            let link = Trace::new().heard_at(-92).up().mtu().wait_ms(500);
            good(-60).followed_by(link.disconnected(Status::FAILED_TO_BE_ESTABLISHED)).into()
        }),
    ],
};

fn failed(rssi: i8) -> Trace {
    let link = Trace::new().heard_at(rssi).create().connected().wait_ms(315);
    link.disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

fn good(rssi: i8) -> Trace {
    let link = Trace::new().heard_at(rssi).up().mtu().wait_ms(500);
    link.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(900)
}

/// A signal this weak, in dBm, is near the end of what receivers hear.
const FAR: i8 = -88;

/// How many dB stronger the device must be at other times.
const BETTER: i8 = 6;

/// A signal weaker than this is weak without a comparison.
const HOPELESS: i8 = -95;

const REMEDIES: &[Remedy] = &[
    Remedy::any("Repeat from one metre away: if that works ten times of ten, it was the distance."),
    Remedy::any(
        "Give the receiver another place: an adapter on an extension lead, away from USB 3 and Wi-Fi; or the device more transmit power.",
    ),
];

/// Attempts that failed while the device was hardly received.
#[derive(Debug)]
struct Far {
    /// Report and end of each failed attempt.
    failed: Vec<(Report, u32)>,
    strongest: i8,
    /// Before attempts that came through, or of all reports of the device.
    otherwise: Option<i8>,
    came_through: bool,
}

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let report = |c: &Connection| never_heard_peer::fresh(c).map(|(report, _)| report);
    let central = |c: &&&Connection| c.role != Some(Role::Peripheral);
    let dead: Vec<&&Connection> = attempts
        .iter()
        .filter(central)
        .filter(|c| c.reason() == Some(Status::FAILED_TO_BE_ESTABLISHED) && !c.peer_heard())
        .collect();
    let failed: Vec<(Report, u32)> = dead
        .iter()
        .filter_map(|c| Some((report(c)?, c.end.as_ref()?.frame)))
        .filter(|(report, _)| report.rssi.is_some())
        .collect();
    let strongest = failed.iter().filter_map(|(report, _)| report.rssi).max()?;
    if strongest > FAR {
        return None;
    }
    let good = attempts.iter().filter(central).filter(|c| c.connected() && c.peer_heard());
    let mut good: Vec<i8> = good.filter_map(|c| report(c)?.rssi).collect();
    good.sort_unstable();
    let came_through = good.get(good.len() / 2).copied();
    let heard = attempts.first().and_then(|c| scene.capture().device(c.peer.address?));
    let otherwise = came_through.or(heard.map(|device| device.rssi_max));
    let better = otherwise.is_some_and(|other| other.saturating_sub(BETTER) >= strongest);
    let hopeless = strongest <= HOPELESS && came_through.is_none();
    if !(better || hopeless) {
        return None;
    }
    let sure = failed.len() > 1 && came_through.is_some();
    let about: Vec<u32> = dead.iter().filter(|c| report(c).is_some()).map(|c| c.number).collect();
    let facts = Far {
        failed,
        strongest,
        otherwise: otherwise.filter(|_| better),
        came_through: came_through.is_some(),
    };
    let confidence = if sure { Confidence::Medium } else { Confidence::Low };
    Some(Verdict::suspect(facts).sure(confidence).about(about))
}

impl Facts for Far {
    fn says(&self) -> Text {
        let otherwise = self.otherwise.map(|rssi| {
            if self.came_through {
                text!(" Before attempts that came through it was received with {} dBm.", rssi)
            } else {
                text!(" At other times it was received with up to {} dBm.", rssi)
            }
        });
        text!(
            "Right before the attempts that were not answered the device was received with {} dBm at best: it was hardly in reach.{}",
            self.strongest,
            otherwise
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let of = |(report, end): &(Report, u32)| {
            let text = text!("advertising report before the request, at {} dBm", report.rssi);
            let end = Sight::here(*end, "the link is given up unanswered (0x3E)");
            [Sight::here(report.frame, text), end]
        };
        self.failed.iter().take(super::see::SHOWN).flat_map(of).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::no_exchange_was_possible()]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Ten attempts from one metre away, ten from here: only the difference counts.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
