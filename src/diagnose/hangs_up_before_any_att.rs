use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    see,
};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Detail, Encryption, End, Outcome, Role, Step, Transport};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "hangs-up-before-any-att",
    title: "The device ends the link at once, before this host asked for anything",
    basis: Basis::Author,
    silences: &["unexplained-end"],
    docs: "\
## What it means
The device took the connection and ended it itself within a second, before this host sent any ATT request. Nothing that the
host asked for can be the reason: the device does not want this host, or not now.

## How it shows
Disconnection Complete 0x13 (0x14, 0x15) without a command of ours, less than a second after the connection, and no ATT packet of
this host before it. The feature request may end with the same code: that is an echo of the end. No capture of the laboratory
shows it; the traces are the author's.

## What else it could be
A device that never answered ends with 0x3E. A request for security or for other parameters that this host refused has rules of
its own.

## What to do
See whether the device is bonded with another host, or takes only hosts from a list; put it into pairing mode.",
    sources: &["threads: devices that take connections only from hosts they are bonded with"],
    check: Check::Device(check),
    cases: &[
        Case::suspect(Confidence::Medium, "twice, 85 ms after the connection", || {
            at_once(85).repeated(2, 1_500).into()
        })
        .about(&[1, 2])
        .pins(&["SURE"]),
        Case::suspect(Confidence::Low, "once", || at_once(85).into()).pins(&["SURE"]),
        Case::suspect(Confidence::Low, "990 ms after the connection", || at_once(990).into())
            .pins(&["SOON"]),
        Case::silent("1.01 s after the connection", || at_once(1_010).into()).pins(&["SOON"]),
        Case::silent("this host had asked for the MTU", || {
            let link = Trace::new().create().connected().features().mtu();
            link.wait_ms(30).disconnected(HUNG_UP).into()
        }),
        Case::silent("the device connected to us", || {
            Trace::new().connected_as(1, 39, 0, 42).wait_ms(85).disconnected(HUNG_UP).into()
        }),
        Case::silent("this host hangs up", || {
            Trace::new().create().connected().wait_ms(85).hangs_up(HUNG_UP).into()
        }),
        Case::suspect(Confidence::Low, "the working host is bonded with the device", || {
            let works = Trace::new().up().encrypts().wait_ms(150).encryption(Status::SUCCESS);
            Example::pair(works.mtu().wait_ms(2_000).hangs_up(HUNG_UP), at_once(85))
        })
        .saying("has a bond"),
        Case::silent("exactly 1 s after the connection", || {
            let link = Trace::new().create().connected().after_ms(1_000);
            link.disconnected(HUNG_UP).into()
        }),
        Case::suspect(Confidence::Low, "the working host paired just now: that shows no bond", || {
            let random_value = crate::packet::Secret::new([0; 16]);
            let random = crate::packet::smp::Pdu::PairingRandom { random_value };
            let paired = Trace::new().up().asks_to_pair().answers_pairing();
            let paired = paired.smp(crate::packet::Direction::Received, random).wait_ms(20);
            let works = paired.encrypts().wait_ms(150).encryption(Status::SUCCESS);
            Example::pair(works.mtu().wait_ms(2_000).hangs_up(HUNG_UP), at_once(85))
        })
        .not_saying("has a bond"),
        Case::suspect(Confidence::Low, "the working host's key was not taken", || {
            let works = Trace::new().up().encrypts().wait_ms(150);
            let works = works.encryption(Status::AUTHENTICATION_FAILURE).mtu();
            Example::pair(works.wait_ms(2_000).hangs_up(HUNG_UP), at_once(85))
        })
        .not_saying("has a bond"),
        Case::suspect(Confidence::Low, "both hosts encrypt", || {
            let works = Trace::new().up().encrypts().wait_ms(150).encryption(Status::SUCCESS);
            let fails = Trace::new().create().connected().encrypts().wait_ms(100);
            let fails = fails.encryption(Status::SUCCESS).wait_ms(20).disconnected(HUNG_UP);
            Example::pair(works.mtu().wait_ms(2_000).hangs_up(HUNG_UP), fails)
        })
        .not_saying("has a bond"),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

fn at_once(ms: u32) -> Trace {
    Trace::new().create().connected().wait_ms(ms).disconnected(HUNG_UP)
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "See whether the device is connected or bonded with another host: disconnect that one, or delete the bond there.",
    ),
    Remedy::any(
        "Put the device into pairing mode (its manual says how), and pair it with this host.",
    ),
];

/// A device that leaves this soon does so before it can know what this host wants.
const SOON: Span = Span::from_ms(1_000);

/// Fewest links that make it more than an accident.
const SURE: usize = 2;

/// Links that the device ended at once.
#[derive(Debug)]
struct AtOnce {
    ends: Vec<(End, Span)>,
    /// Where the working side encrypts with the key of a bond.
    bonded: Option<u32>,
}

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let at_once = |c: &&&Connection| {
        see::peer_hung_up(c).is_some()
            && c.role == Some(Role::Central)
            && c.transport == Transport::Le
            && c.start_seen
            && c.att_sent == 0
            && c.cut_packets == 0
            && !scene.capture().lost_packets_of(c)
            && c.life().is_some_and(|life| life < SOON)
    };
    let links: Vec<&&Connection> = attempts.iter().filter(at_once).collect();
    let ends: Vec<_> = links.iter().filter_map(|c| Some((c.end.clone()?, c.life()?))).collect();
    if ends.is_empty() {
        return None;
    }
    let bond = |s: &&Step| {
        s.outcome == Outcome::Ok
            && matches!(s.detail, Detail::Encryption { key: Encryption::Stored, .. })
    };
    let bonded = scene.reference().and_then(|works| Some(works.steps.iter().find(bond)?.frame));
    let bonded = bonded.filter(|_| links.iter().all(|c| !c.encrypted));
    let confidence = if ends.len() >= SURE { Confidence::Medium } else { Confidence::Low };
    let verdict = Verdict::suspect(AtOnce { ends, bonded }).sure(confidence);
    Some(verdict.about(links.iter().map(|c| c.number)))
}

impl Facts for AtOnce {
    fn says(&self) -> Text {
        let lives: Vec<Span> = self.ends.iter().map(|(_, life)| *life).collect();
        text!(
            "The device ended {} {} after the connection was made. This host had sent no ATT request: nothing that it asked for can be the reason.{}",
            match self.ends.len() {
                1 => text!("the link"),
                count => text!("{} links", count),
            },
            see::from_to(&lives),
            if self.bonded.is_some() {
                " The working host has a bond with the device, and this one encrypts nothing."
            } else {
                ""
            }
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let ends = self.ends.iter().map(|(end, life)| {
            Sight::here(end.frame, text!("{}, {} after the connection", end.reason, *life))
        });
        let bonded = self.bonded.map(|frame| {
            Sight::in_reference(frame, "the working host encrypts with the key of a bond")
        });
        ends.chain(bonded).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new("never-heard-peer", "the device ended the link itself, so it was there"),
            RuledOut::new("missing-mtu-exchange", "the link was over before the MTU mattered"),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![
            "Connect with a host that the device has never met, a phone for example: does it stay?"
                .into(),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Warning, WarningKind};

    /// Of a link that lost packets nobody knows whether it was asked for something; the other one still tells.
    #[test]
    fn a_link_that_lost_packets_does_not_count() {
        let mut captures = [at_once(85).repeated(2, 1_500).run()];
        let said = |captures: &[crate::timeline::Capture]| {
            let scene = Scene { captures, testimonies: &[], subject: 0, comparison: None };
            let found = crate::diagnose::diagnose(&scene);
            let finding = found.iter().find(|finding| finding.rule == RULE.id).expect("found");
            (finding.confidence, finding.connections.clone())
        };
        assert_eq!(said(&captures), (Confidence::Medium, vec![1, 2]));
        let frame = captures[0].connections[1].connected_frame();
        let lost = Warning::of_all(WarningKind::DroppedPackets, "some");
        captures[0].warnings.push(Warning { frame, last_frame: frame, ..lost });
        assert_eq!(said(&captures), (Confidence::Low, vec![1]));
    }
}
