use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::{Address, Status};
use crate::prose::Text;
use crate::seen::Seen;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, RequestKind, Role, Transport};
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
some controllers say so here instead of first reporting a link. 0x3C: nobody answered the directed advertising (this host is the
peripheral). 0x09 and 0x0D: no room for another link. 0x1F: the controller does not say.

## What else it could be
0x02 after a cancel is no error: see `create-conn-timeout-cancel`.

## What to do
0x3E: as for `never-heard-peer`: retry, test with Wi-Fi off. 0x3C: advertise again.",
    sources: &["Apache NimBLE and Zephyr host: how LE Connection Complete with an error is handled"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "0x3E in the connection event", || {
            failed(Status::FAILED_TO_BE_ESTABLISHED).into()
        })
        .about(&[1])
        .saying("nothing from the device was ever heard"),
        Case::note(Confidence::High, "once, and the next attempt is heard 0.9 s later", || {
            failed(Status::FAILED_TO_BE_ESTABLISHED).wait_ms(930).up().into()
        })
        .about(&[1])
        .saying("came through")
        .not_saying("Retry three to five times")
        .pins(&["AT_ONCE"]),
        Case::cause(Confidence::High, "once, and the next attempt comes up 1.1 s later", || {
            failed(Status::FAILED_TO_BE_ESTABLISHED).wait_ms(1_040).up().into()
        })
        .about(&[1])
        .pins(&["AT_ONCE"]),
        Case::cause(Confidence::High, "twice, and the next attempt is heard at once", || {
            let twice = failed(Status::FAILED_TO_BE_ESTABLISHED).wait_ms(500);
            let again = twice.followed_by(failed(Status::FAILED_TO_BE_ESTABLISHED));
            again.wait_ms(300).up().into()
        })
        .about(&[1, 2]),
        Case::cause(Confidence::Medium, "another error", || {
            failed(Status::UNSPECIFIED_ERROR).into()
        })
        .saying("no link came up"),
        Case::note(Confidence::Medium, "directed advertising found nobody", || {
            failed(Status::ADVERTISING_TIMEOUT).into()
        }),
        Case::silent("cancelled by this host", || {
            Trace::new().advertises(0).create().wait_ms(900).cancel().into()
        }),
        Case::silent("the command itself was refused", || {
            Trace::new().create_refused(Status::COMMAND_DISALLOWED).into()
        }),
        Case::silent("BR/EDR: nobody answered the page", || Trace::new().pages_in_vain().into()),

        Case::cause(Confidence::High, "one link was never heard, either", || {
            let unheard = Trace::new().create().connected().wait_ms(315);
            let unheard = unheard.disconnected(Status::FAILED_TO_BE_ESTABLISHED).wait_ms(500);
            unheard.followed_by(failed(Status::FAILED_TO_BE_ESTABLISHED)).wait_ms(300).up().into()
        })
        .about(&[2]),
        Case::note(Confidence::High, "the attempt before came through as well", || {
            let works = Trace::new().up().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500);
            works.followed_by(failed(Status::FAILED_TO_BE_ESTABLISHED)).wait_ms(300).up().into()
        })
        .about(&[2]),
        Case::cause(Confidence::High, "only the attempt before came through", || {
            let works = Trace::new().up().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500);
            works.followed_by(failed(Status::FAILED_TO_BE_ESTABLISHED)).into()
        })
        .about(&[2]),
        Case::note(Confidence::High, "the next attempt was cancelled, and the one after it came through", || {
            let next = failed(Status::FAILED_TO_BE_ESTABLISHED).wait_ms(10).create();
            next.wait_ms(100).cancel().wait_ms(10).up().into()
        })
        .about(&[1]),
        Case::cause(Confidence::High, "the next link comes up at once and is not heard", || {
            failed(Status::FAILED_TO_BE_ESTABLISHED).wait_ms(300).create().connected().wait_ms(900).into()
        })
        .about(&[1]),
        Case::cause(Confidence::Medium, "another error, and the next attempt comes through at once", || {
            failed(Status::UNSPECIFIED_ERROR).wait_ms(300).up().into()
        })
        .about(&[1])
        .saying("no link came up"),
        Case::cause(Confidence::High, "who got no answer tries again", || {
            failed(Status::FAILED_TO_BE_ESTABLISHED).into()
        })
        .saying("Retry three to five times"),
        Case::cause(Confidence::Medium, "another error says nothing about the radio", || {
            failed(Status::UNSPECIFIED_ERROR).into()
        })
        .saying("Look the code up")
        .not_saying("Retry three to five times"),
        Case::cause(Confidence::High, "no answer to the request rules out what comes after a link", || {
            failed(Status::FAILED_TO_BE_ESTABLISHED).into()
        })
        .saying("not missing-mtu-exchange"),
        Case::cause(Confidence::Medium, "another error rules out nothing", || {
            failed(Status::UNSPECIFIED_ERROR).into()
        })
        .not_saying("not missing-mtu-exchange"),
        Case::note(Confidence::High, "once, and the next attempt comes up exactly 1 s later", || {
            failed(Status::FAILED_TO_BE_ESTABLISHED).after_us(939_800).up().into()
        })
        .about(&[1]),
        Case::cause(Confidence::High, "once, and the next attempt comes up a moment later than that", || {
            failed(Status::FAILED_TO_BE_ESTABLISHED).after_us(939_801).up().into()
        })
        .about(&[1]),
    ],
};

fn failed(status: Status) -> Trace {
    Trace::new().advertises(0).create().wait_ms(400).connect_failed(status)
}

const UNANSWERED: &[Remedy] = &[
    Remedy::any("Retry three to five times, 0.5-1 s apart: a single 0x3E is ordinary radio loss."),
    Remedy::any(
        "On a combined Wi-Fi and Bluetooth chip repeat once with Wi-Fi off, and once with a USB dongle.",
    ),
];

const NOBODY_CAME: &[Remedy] =
    &[Remedy::any("Advertise again, undirected, if the other side may have lost its bond.")];

const OTHER: &[Remedy] = &[Remedy::any(
    "Look the code up with `hcidiff explain`; power-cycle the adapter if it comes back.",
)];

/// A host that tries again by itself does so within this time: what then comes through was chance.
const AT_ONCE: Span = Span::from_ms(1_000);

/// The attempt that came through right after this one, where this one is the only failure of its kind.
fn recovered(scene: &Scene<'_>, connection: &Connection) -> Option<u32> {
    let status = connection.status;
    let others: Vec<&Connection> = scene.capture().kin(connection, super::see::SHOWN_KIN).collect();
    if others.iter().any(|other| other.status == status || other.never_heard()) {
        return None;
    }
    let next = others.iter().find(|other| other.number > connection.number && other.connected())?;
    next.connected_at()
        .since(Seen::when(connection.status_seen))
        .filter(|later| *later <= AT_ONCE)?;
    next.connected_frame().filter(|_| next.peer_heard())
}

/// A connection event with an error.
#[derive(Debug)]
struct Failed {
    status: Status,
    frame: u32,
    /// The command, where the capture shows it.
    request: Option<(u32, RequestKind, Address)>,
    unanswered: bool,
    /// Connection Complete of the attempt that came through right after.
    recovered: Option<u32>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let status = connection.status?;
    let frame = connection.status_frame()?;
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
    let unanswered = status == Status::FAILED_TO_BE_ESTABLISHED && central;
    let facts = Failed {
        status,
        frame,
        request: request.map(|request| (request.frame, request.kind, request.peer)),
        unanswered,
        recovered: recovered(scene, connection).filter(|_| unanswered),
    };
    Some(match status {
        _ if facts.recovered.is_some() => Verdict::note(facts).sure(Confidence::High).apart(1),
        _ if unanswered => Verdict::cause(facts).sure(Confidence::High),
        Status::ADVERTISING_TIMEOUT => Verdict::note(facts),
        _ => Verdict::cause(facts),
    })
}

impl Facts for Failed {
    fn says(&self) -> Text {
        match self.status {
            _ if self.recovered.is_some() => text!(
                "One connect request got no answer (0x3e, reported in the connection event itself), and the next attempt came through at once: an ordinary lost packet."
            ),
            _ if self.unanswered => text!(
                "The connect request went out and nothing from the device was ever heard; this controller reports it in the connection event itself. \
                 This is decided below ATT: no missing or late ATT packet can be the cause."
            ),
            Status::ADVERTISING_TIMEOUT => text!(
                "Directed advertising ended without a connection: the other side did not come."
            ),
            status => text!(
                "The controller took up the connect command and reported {}: no link came up.",
                status
            ),
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let request = self
            .request
            .map(|(frame, kind, peer)| Sight::here(frame, text!("{} to {}", kind, peer)));
        let failed = text!("Connection Complete, status {}", self.status);
        let next = self.recovered.map(|frame| Sight::here(frame, "the next attempt comes through"));
        request.into_iter().chain([Sight::here(self.frame, failed)]).chain(next).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        if !self.unanswered {
            return Vec::new();
        }
        vec![RuledOut::new(
            "missing-mtu-exchange",
            "no link came up, so no ATT exchange could have happened or helped",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        match self.status {
            _ if self.recovered.is_some() => Vec::new(),
            _ if self.unanswered => UNANSWERED.to_vec(),
            Status::ADVERTISING_TIMEOUT => NOBODY_CAME.to_vec(),
            _ => OTHER.to_vec(),
        }
    }
}
