use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::hci::{Command, LeEvent};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Outcome, Pending, Procedure, Stack, Step};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "ll-response-timeout-40s",
    title: "A link-layer procedure was never finished",
    basis: Basis::Real,
    silences: &["att-transaction-timeout-30s", "att-request-unanswered", "supervision-timeout-0x08", "phy-or-dle-update-kills-link", "remote-user-terminated-idle"],
    docs: "\
## What it means
One controller asked the other for something (features, version, a PHY, parameters, encryption) and the procedure was not
finished. The link layer allows 40 s, then it ends the link with 0x22. Data may flow all the while.

## How it shows
Disconnection Complete 0x22, about 40 s after such a procedure began, or at any time when the procedure's own Complete event
carries 0x22.

## What else it could be
30 s with an open ATT request is ATT's own limit. Silence ends a link with 0x08. 0x22 after a Disconnect command of ours is
`terminate-not-acknowledged`. A link younger than the limit cannot have run into it.

## What to do
Avoid that procedure: stay on 1M, do not request data length or parameters; in the device's firmware disable its automatic
requests; try another controller.",
    sources: &["raspberrypi/pico-sdk#3051", "NordicSemiconductor/pc-ble-driver-py#159", "measured once: 0x22 1067 ms after a connection update"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "a PHY request that nobody finished, 40 s later", || {
            asked().wait_ms(40_000).disconnected(LATE).into()
        })
        .about(&[1])
        .saying("This host began"),
        Case::cause(Confidence::High, "41.9 s later", || asked().wait_ms(41_900).disconnected(LATE).into())
            .pins(&["LATEST"]),
        Case::cause(Confidence::Medium, "42.1 s later", || {
            asked().wait_ms(42_100).disconnected(LATE).into()
        })
        .pins(&["LATEST"]),
        Case::cause(Confidence::High, "38.1 s later", || asked().wait_ms(38_100).disconnected(LATE).into())
            .pins(&["EARLIEST"]),
        Case::cause(Confidence::Medium, "37.9 s later", || {
            asked().wait_ms(37_900).disconnected(LATE).into()
        })
        .pins(&["EARLIEST"]),
        Case::cause(Confidence::Medium, "its Complete event carries 0x22, after one second", || {
            refused(asked(), LATE, 1).disconnected(LATE).into()
        })
        .saying("sooner than the 40 s"),
        Case::cause(Confidence::Medium, "the same procedure works on the next link", || {
            refused(asked(), LATE, 1).wait_ms(500).disconnected(LATE).followed_by(
                refused(asked(), Status::SUCCESS, 2).wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED),
            ).into()
        })
        .about(&[1])
        .saying("worked on another link"),
        Case::cause(Confidence::Medium, "nobody is seen asking, and the link is old enough", || {
            Trace::new().up().mtu().wait_ms(40_000).disconnected(LATE).into()
        })
        .saying("which one does not show"),
        Case::suspect(Confidence::Low, "nobody is seen asking, and the link is younger than 38 s", || {
            Trace::new().up().mtu().wait_ms(30_000).disconnected(LATE).into()
        })
        .saying("younger than"),
        Case::silent("our host asked for the end", || {
            let ends = Command::Disconnect {
                connection_handle: HANDLE,
                reason: Status::REMOTE_USER_TERMINATED,
            };
            Trace::new().up().mtu().taken(ends).wait_ms(7_000).disconnected(LATE).into()
        }),
        Case::silent("another reason", || {
            asked().wait_ms(40_000).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),

        Case::cause(Confidence::High, "another procedure works on the next link", || {
            let ends = asked().wait_ms(40_000).disconnected(LATE).wait_ms(900);
            ends.followed_by(Trace::new().up().mtu().hangs_up(Status::REMOTE_USER_TERMINATED)).into()
        })
        .about(&[1])
        .not_saying("worked on another link"),
        Case::cause(Confidence::Medium, "the same procedure fails on the next link, too", || {
            let fails = || refused(asked(), LATE, 1).wait_ms(500).disconnected(LATE);
            fails().wait_ms(900).followed_by(fails()).into()
        })
        .not_saying("worked on another link"),
        Case::cause(Confidence::Medium, "a procedure that works now and then is tried again", || {
            refused(asked(), LATE, 1).wait_ms(500).disconnected(LATE).followed_by(
                refused(asked(), Status::SUCCESS, 2).wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED),
            ).into()
        })
        .saying("Connect again: the device knows the procedure"),
        Case::suspect(Confidence::Low, "an ATT request is open: it is no procedure of the link layer", || {
            let read = crate::packet::att::Pdu::ReadRequest {
                attribute_handle: crate::packet::att::Handle(3),
            };
            let link = Trace::new().up().mtu().att(crate::packet::Direction::Sent, read);
            link.wait_ms(20_000).disconnected(LATE).into()
        })
        .saying("younger than"),
        Case::cause(Confidence::Medium, "nobody is seen asking: only the air shows the request", || {
            Trace::new().up().mtu().wait_ms(40_000).disconnected(LATE).into()
        })
        .saying("An over-the-air sniffer shows"),
        Case::cause(Confidence::High, "the request is seen: no sniffer is asked for", || {
            asked().wait_ms(40_000).disconnected(LATE).into()
        })
        .not_saying("An over-the-air sniffer shows"),
        Case::cause(Confidence::Medium, "exactly 38 s later", || {
            asked().after_us(37_999_900).disconnected(LATE).into()
        })
        .saying("sooner than the 40 s"),
        Case::cause(Confidence::High, "a moment later than that", || {
            asked().after_us(37_999_901).disconnected(LATE).into()
        })
        .not_saying("sooner than the 40 s"),
        Case::cause(Confidence::Medium, "exactly 42 s later", || {
            asked().after_us(41_999_900).disconnected(LATE).into()
        }),
        Case::suspect(Confidence::Low, "nobody is seen asking, and the link is 38 s old", || {
            Trace::new().up().mtu().after_us(38_000_000 - 140_500).disconnected(LATE).into()
        })
        .saying("younger than"),
        Case::cause(Confidence::Medium, "nobody is seen asking, and the link is a moment older", || {
            Trace::new().up().mtu().after_us(38_000_001 - 140_500).disconnected(LATE).into()
        }),
        Case::cause(Confidence::Medium, "after 40 s, and the same procedure works on the next link", || {
            let ends = asked().wait_ms(40_000).disconnected(LATE).wait_ms(900);
            let works = refused(asked(), Status::SUCCESS, 2).wait_ms(500);
            ends.followed_by(works.hangs_up(Status::REMOTE_USER_TERMINATED)).into()
        })
        .about(&[1])
        .saying("worked on another link"),
        Case::cause(Confidence::High, "the device asked for a key", || {
            let link = Trace::new().connected_as(1, 24, 0, 72).mtu().le(LeEvent::LongTermKeyRequest {
                connection_handle: HANDLE,
                random_number: crate::packet::Secret::new([0; 8]),
                encrypted_diversifier: 0,
            });
            link.wait_ms(40_000).disconnected(LATE).into()
        })
        .saying("The peer began"),
    ],
};

const LATE: Status = Status::LL_RESPONSE_TIMEOUT;

fn asked() -> Trace {
    Trace::new().up().mtu().taken(Command::LeSetPhy {
        connection_handle: HANDLE,
        all_phys: 0,
        tx_phys: 2,
        rx_phys: 2,
        phy_options: 0,
    })
}

/// A second later the procedure is complete, with that status.
fn refused(trace: Trace, status: Status, phy: u8) -> Trace {
    let event =
        LeEvent::PhyUpdateComplete { status, connection_handle: HANDLE, tx_phy: phy, rx_phy: phy };
    trace.wait_ms(1_000).le(event)
}

/// The link layer allows a procedure 40 s. Events are stamped late, and some clocks are off.
const EARLIEST: Span = Span::from_ms(38_000);
const LATEST: Span = Span::from_ms(42_000);

const AGAIN: Remedy = Remedy::any(
    "Connect again: the device knows the procedure, and one that fails now and then is radio loss. Count how often it fails.",
);

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Stay on the 1M PHY for a test: `sudo btmgmt phy LE1MTX LE1MRX`; test another adapter.",
    ),
    Remedy::on(
        &[Stack::Android],
        "Leave out `setPreferredPhy` and `requestConnectionPriority` for one test, if the app calls them.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Switch automatic PHY, data length and parameter requests off (Zephyr: `CONFIG_BT_AUTO_PHY_UPDATE=n`, `CONFIG_BT_AUTO_DATA_LEN_UPDATE=n`).",
    ),
    Remedy::firmware("the link layer must answer what it does not know with LL_UNKNOWN_RSP."),
];

/// A procedure that was not finished.
#[derive(Debug)]
struct Unfinished {
    /// What is seen of it; the peer's controller may have begun it, or this one by itself.
    seen: Option<Procedures>,
    /// The same procedure of the same device was finished on another link, there.
    worked: Option<u32>,
    /// The link was younger than the link layer's limit.
    young: Option<Span>,
    end: End,
}

#[derive(Debug)]
struct Procedures {
    frame: u32,
    /// What is looked for on other links.
    procedure: Option<Procedure>,
    name: &'static str,
    ours: bool,
    wait: Span,
    /// The frame whose status is 0x22.
    failed_frame: Option<u32>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    // After our own Disconnect it only says that the peer did not acknowledge that.
    let end = connection
        .end
        .as_ref()
        .filter(|end| end.reason == Status::LL_RESPONSE_TIMEOUT && end.command_frame().is_none())?;
    let seen = seen(connection, end);
    let in_time = seen.as_ref().is_some_and(|seen| seen.wait > EARLIEST && seen.wait < LATEST);
    let worked = seen.as_ref().and_then(|seen| worked(scene, connection, seen));
    let young = connection.life().filter(|life| *life <= EARLIEST && seen.is_none());
    let confidence = match (&seen, young) {
        (Some(_), _) if in_time && worked.is_none() => Confidence::High,
        (None, Some(_)) => Confidence::Low,
        _ => Confidence::Medium,
    };
    let facts = Unfinished { seen, worked, young, end: end.clone() };
    let verdict = if young.is_some() { Verdict::suspect(facts) } else { Verdict::cause(facts) };
    Some(verdict.sure(confidence))
}

/// Whether the device finished such a procedure on another link.
fn worked(scene: &Scene<'_>, connection: &Connection, seen: &Procedures) -> Option<u32> {
    let procedure = seen.procedure?;
    let kin = scene.capture().kin(connection, super::see::SHOWN_KIN);
    let same = |s: &&Step| s.procedure == procedure && s.outcome == Outcome::Ok;
    kin.flat_map(|c| &c.steps).find(same).map(|step| step.last.frame)
}

/// The procedure that failed with 0x22, else one that was open. What the peer asks of the controller itself shows on
/// HCI only as a parameter request.
fn seen(connection: &Connection, end: &End) -> Option<Procedures> {
    let failed = connection
        .steps
        .iter()
        .find(|s| s.outcome == Outcome::Error && s.status == Some(Status::LL_RESPONSE_TIMEOUT.0));
    if let Some(step) = failed {
        return Some(Procedures {
            frame: step.frame,
            procedure: Some(step.procedure),
            name: step.procedure.word(),
            ours: step.by == Direction::Sent,
            wait: end.at.since(step.at)?,
            failed_frame: Some(step.last.frame),
        });
    }
    let open = connection.open_requests.iter().find(|o| o.pending.is_link_layer())?;
    let name = match open.pending {
        Pending::LinkLayer(opcode) => opcode.name().unwrap_or("link-layer procedure"),
        Pending::Control(opcode) => {
            crate::packet::air::Control::name_of(opcode).unwrap_or("link-layer procedure")
        }
        Pending::LongTermKey => "Long Term Key Request",
        _ => Procedure::ParameterUpdate.word(),
    };
    let step = connection.steps.iter().find(|s| s.frame == open.frame);
    Some(Procedures {
        frame: open.frame,
        procedure: step.map(|step| step.procedure),
        name,
        ours: open.by == Direction::Sent,
        wait: end.at.since(open.at)?,
        failed_frame: None,
    })
}

impl Facts for Unfinished {
    fn says(&self) -> Text {
        match (&self.seen, self.young) {
            (Some(seen), _) => text!(
                "{} began {}, the {} never finished it, and {} later the link layer gave up (0x22).{}{}",
                if seen.ours { "This host" } else { "The peer" },
                seen.name,
                if seen.ours { "peer" } else { "other side" },
                seen.wait,
                if seen.wait <= EARLIEST {
                    " That is sooner than the 40 s of the specification: the controller's own decision."
                } else {
                    ""
                },
                if self.worked.is_some() {
                    " The same procedure worked on another link to this device."
                } else {
                    ""
                }
            ),
            (None, Some(life)) => text!(
                "The link ended with 0x22 after {}: younger than the 40 s that the link layer allows a procedure. No procedure of this host was open; the controllers fell out over something that HCI does not show.",
                life
            ),
            (None, None) => text!(
                "The link ended because a link-layer procedure was not finished within its 40 s; which one does not show on this host's HCI, so the peer's controller (or this one by itself) began it."
            ),
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = Vec::new();
        if let Some(seen) = &self.seen {
            sights.push(Sight::here(seen.frame, text!("{} begins", seen.name)));
            sights.extend(
                seen.failed_frame
                    .map(|frame| Sight::here(frame, "its Complete event carries 0x22")),
            );
        }
        sights.push(see::link_ended(&self.end));
        sights.extend(
            self.worked.map(|frame| Sight::here(frame, "on another link the device finished it")),
        );
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new(
                "att-transaction-timeout-30s",
                "0x22 is the link layer's own limit of 40 s, not ATT's of 30 s",
            ),
            RuledOut::new(
                "supervision-timeout-0x08",
                "the reason is 0x22, not 0x08: the controller waited for an answer, not for packets",
            ),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        if self.seen.is_some() {
            return Vec::new();
        }
        vec![text!("An over-the-air sniffer shows the link-layer request that was never answered.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        let again = self.worked.map(|_| AGAIN);
        again.into_iter().chain(REMEDIES.iter().cloned()).collect()
    }
}
