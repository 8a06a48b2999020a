use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, End, Outcome, Procedure};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "link-died-during-encryption",
    title: "The radio link was lost while encryption was being set up",
    basis: Basis::Real,
    silences: &["supervision-timeout-0x08", "short-supervision-timeout-linux-420ms", "pin-or-key-missing-0x06"],
    docs: "\
## What it means
Encryption was started, the peer fell silent, and the link ended for want of packets. The error on the encryption is only
the echo of the link's end. Nothing speaks against the keys.

## How it shows
LE Enable Encryption without an answer of the peer, Encryption Change with 0x08 at the moment of Disconnection Complete 0x08.

## What else it could be
Key trouble shows as 0x06 on the encryption, or as 0x3D on the link.

## What to do
Treat it as a lost link: distance, interference, a peer that resets when encryption starts. Do not delete the bond.",
    sources: &["measured on an iOS host: LE Enable Encryption unanswered, 0x08 after 692 ms; the same bond worked 91 s later"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "encryption ends with 0x08 together with the link", || {
            let link = encrypts().encryption(Status::CONNECTION_TIMEOUT);
            link.disconnected(Status::CONNECTION_TIMEOUT).into()
        })
        .about(&[1])
        .saying("only echoes the end"),
        Case::cause(Confidence::High, "encryption is still open when the link ends", || {
            encrypts().disconnected(Status::CONNECTION_TIMEOUT).into()
        })
        .not_saying("only echoes the end"),
        Case::silent("the key was refused, and this host hung up", || {
            let link = encrypts().encryption(Status::PIN_OR_KEY_MISSING);
            link.disconnected(Status::LOCAL_HOST_TERMINATED).into()
        }),
        Case::silent("the key was refused, and then the link was lost", || {
            let link = encrypts().encryption(Status::PIN_OR_KEY_MISSING).wait_ms(420);
            link.disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("encryption came through, and then the link was lost", || {
            let link = encrypts().encryption(Status::SUCCESS).wait_ms(420);
            link.disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("the device was heard after encryption was started", || {
            let link = encrypts().notified(3, &[1]).wait_ms(420);
            link.disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("the link ended for another reason", || {
            encrypts().disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("a read was open, and nothing was to be encrypted", || {
            let link = Trace::new().up().mtu().acl(crate::packet::Direction::Sent, 4, &[0x0a, 3, 0]);
            link.wait_ms(420).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
    ],
};

fn encrypts() -> Trace {
    Trace::new().up().encrypts().wait_ms(420)
}

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Try again and keep the bond. If it fails here each time, look whether the device resets when encryption starts (it then advertises right after the end).",
)];

/// A link that was lost while the peer owed an answer to the encryption.
#[derive(Debug)]
struct Died {
    started_frame: u32,
    /// The error that the end of the link left on the encryption.
    echo_frame: Option<u32>,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.reason == Status::CONNECTION_TIMEOUT)?;
    let started = connection.steps.iter().rev().find(|s| {
        s.procedure == Procedure::Encrypt
            && (matches!(s.outcome, Outcome::CutOff | Outcome::Unanswered)
                || s.status == Some(Status::CONNECTION_TIMEOUT.0))
    })?;
    // Nothing else may have gone well after the encryption began.
    if connection.last_heard.is_some_and(|heard| heard.comes_after(started.last.frame)) {
        return None;
    }
    let echo = (started.last.frame != started.frame).then_some(started.last.frame);
    let facts = Died { started_frame: started.frame, echo_frame: echo, end: end.clone() };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for Died {
    fn says(&self) -> Text {
        text!(
            "Encryption was started, the peer fell silent, and the link ended for want of packets. A device that lacks the key says so (0x06); this one said nothing."
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![
            Sight::here(self.started_frame, "encryption is started"),
            see::link_ended(&self.end),
        ];
        sights.extend(self.echo_frame.map(|frame| {
            Sight::here(frame, "the encryption's error only echoes the end of the link")
        }));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new(
                "pin-or-key-missing-0x06",
                "the peer never answered the encryption request, so it never refused the key",
            ),
            RuledOut::new("mic-failure-0x3d", "no encrypted packet was ever received"),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat close to the device: if encryption then completes, it was the radio.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
