use super::named::{Elsewhere, Named, elsewhere};
use super::orders::{self, Order};
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    see,
};
use crate::packet::Direction::Sent;
use crate::packet::Status;
use crate::packet::att::{Handle, Pdu};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Outcome, Role, Transport};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "hangs-up-after-command",
    title: "The device hangs up right after one request of this host",
    basis: Basis::Real,
    silences: &["unexplained-end"],
    docs: "\
## What it means
The last thing that this host asked for or wrote was the same in two or more links, and the device ended each of them right
after it, answered or not. Either it cannot cope with that request, or the request tells it to leave.

## How it shows
Disconnection Complete 0x13 (0x14, 0x15) within three connection intervals and 200 ms of the same request, or of its answer.

## What else it could be
Where the write is known to order a restart (the last step of an update: Nordic's 0x05, MCUmgr's reset, and others), the end is
as it should be, and this is only a note. The same time since the connection at different packets is `peer-hangs-up-on-deadline`.
Where the time since the connection differs and each try ends at that packet, `immediate-0x13-after-first-att` says it.

## What to do
Look up what the request means to this device. If it is not meant to end the link, leave it out, or send it later.",
    sources: &["real captures: a device that restarts when its update is activated"],
    check: Check::Device(check),
    cases: &[
        Case::cause(Confidence::Medium, "twice right after the same write", || {
            writes(Trace::new().up(), 40).repeated(2, 2_000).into()
        })
        .about(&[1, 2])
        .saying("write of attribute 0x0010 (1 byte)")
        .pins(&["FEWEST"]),
        Case::silent("once", || writes(Trace::new().up(), 40).into()).pins(&["FEWEST"]),
        Case::cause(Confidence::Medium, "at 7.5 ms, 200 ms and some intervals after the answer", || {
            writes(fast(), 215).repeated(2, 2_000).into()
        })
        .pins(&["see::REACTION_GRACE"]),
        Case::silent("at 7.5 ms, later than that", || {
            writes(fast(), 240).repeated(2, 2_000).into()
        })
        .pins(&["see::REACTION_GRACE"]),
        Case::cause(Confidence::Medium, "at 250 ms, 3.6 intervals after the answer", || {
            writes(slow(), 900).repeated(2, 5_000).into()
        })
        .pins(&["see::REACTION_INTERVALS"]),
        Case::silent("at 250 ms, 3.9 intervals after the answer", || {
            writes(slow(), 985).repeated(2, 5_000).into()
        })
        .pins(&["see::REACTION_INTERVALS"]),
        Case::suspect(Confidence::Medium, "twice, and once it left at another moment", || {
            let idle = Trace::new().up().mtu().wait_ms(4_000).disconnected(HUNG_UP).wait_ms(900);
            idle.followed_by(writes(Trace::new().up(), 40).repeated(2, 2_000)).into()
        })
        .about(&[2, 3]),
        Case::silent("twice of five ends", || {
            let idle = Trace::new().up().mtu().wait_ms(4_000).disconnected(HUNG_UP).wait_ms(900);
            let others = idle.clone().followed_by(idle.clone().wait_ms(77)).followed_by(idle);
            others.followed_by(writes(Trace::new().up(), 40).repeated(2, 2_000)).into()
        }),
        Case::silent("this host hangs up", || {
            let link = Trace::new().up().mtu().write(0x10, &[9]).wait_ms(40).hangs_up(HUNG_UP);
            link.repeated(2, 2_000).into()
        }),
        Case::silent("the device connected to us", || {
            let link = Trace::new().connected_as(1, 39, 0, 42).features();
            writes(link, 40).repeated(2, 2_000).into()
        }),
        Case::note(Confidence::High, "an update is activated, and the device restarts", || {
            updated(&[5]).into()
        })
        .saying("activate the update and restart (0x05)"),
        Case::silent("the last write of the update is no activation", || updated(&[7]).into()),
        Case::silent("the device leaves 3 s after the activation", || {
            update(&[5]).wait_ms(3_000).disconnected(HUNG_UP).into()
        }),
        Case::cause(Confidence::Medium, "the working host never sends it", || {
            let works = Trace::new().up().mtu().wait_ms(4_000).hangs_up(HUNG_UP);
            Example::pair(works, writes(Trace::new().up(), 40).repeated(2, 2_000))
        })
        .saying("The working side never sends it"),
        Case::suspect(Confidence::Medium, "twice of four ends", || {
            let idle = Trace::new().up().mtu().wait_ms(4_000).disconnected(HUNG_UP).wait_ms(900);
            let others = idle.clone().followed_by(idle.wait_ms(77));
            others.followed_by(writes(Trace::new().up(), 40).repeated(2, 2_000)).into()
        })
        .about(&[3, 4]),
        Case::silent("the last request is a pairing", || {
            let link = Trace::new().up().mtu().write(0x10, &[9]).asks_to_pair();
            link.wait_ms(40).disconnected(HUNG_UP).repeated(2, 2_000).into()
        }),
        Case::cause(Confidence::Medium, "the write is answered", || {
            writes(Trace::new().up(), 40).repeated(2, 2_000).into()
        })
        .saying("it or its answer"),
        Case::cause(Confidence::Medium, "the write is not answered", || {
            let write = Pdu::WriteRequest { attribute_handle: Handle(0x10), attribute_value: &[9] };
            let link = |pause| {
                let idle = Trace::new().up().mtu().wait_ms(pause);
                idle.att(Sent, write).wait_ms(40).disconnected(HUNG_UP)
            };
            link(400).wait_ms(2_000).followed_by(link(1_900)).into()
        })
        .saying("it, without an answer"),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// A write, its answer, and the end `ms` after it.
fn writes(link: Trace, ms: u32) -> Trace {
    link.mtu().write(0x10, &[9]).wait_ms(ms).disconnected(HUNG_UP)
}

fn fast() -> Trace {
    Trace::new().create().connected_as(0, 6, 0, 42).features()
}

fn slow() -> Trace {
    Trace::new().create().connected_as(0, 200, 0, 600).features()
}

/// Nordic's old update protocol: start, data, validate, and a last command.
fn update(last: &[u8]) -> Trace {
    let link = Trace::new().up().mtu().write(0x10, &[1, 4]).writes_to(0x0e, 8);
    let link = link.notified(0x10, &[0x10, 1, 1]).write(0x10, &[4]).notified(0x10, &[0x10, 4, 1]);
    link.wait_ms(10).write(0x10, last)
}

fn updated(last: &[u8]) -> Trace {
    update(last).wait_ms(67).disconnected(HUNG_UP)
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Leave that request out once, or send it as the last one: if the link then lives, it is this request that ends it.",
    ),
    Remedy::any(
        "Look the request up in the device's protocol: if it means \"leave\" or \"restart\", expect the end and connect again; if not, report it to the vendor.",
    ),
];

/// Fewest links that show that the request, and not chance, ends them.
const FEWEST: usize = 2;

/// One link that the device ended right after the request.
#[derive(Debug)]
struct Try {
    request: Named,
    /// From the request, or from its answer, to the end.
    wait: Span,
    end: End,
}

/// The same request before each end.
#[derive(Debug)]
struct AfterCommand {
    tries: Vec<Try>,
    elsewhere: Option<Elsewhere>,
}

/// An end that was asked for.
#[derive(Debug)]
struct Ordered {
    ends: Vec<(Order, End)>,
}

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let ended = attempts.iter().copied().filter(|c| {
        see::peer_hung_up(c).is_some()
            && c.role == Some(Role::Central)
            && c.transport == Transport::Le
            && c.cut_packets == 0
    });
    let (ordered, ended): (Vec<_>, Vec<_>) =
        ended.partition(|c| orders::obeyed(scene, c).is_some());
    after_command(scene, &ended).or_else(|| {
        let ends = ordered.iter().filter_map(|c| Some((orders::obeyed(scene, c)?, c.end.clone()?)));
        let facts = Ordered { ends: ends.collect() };
        let about = ordered.iter().map(|c| c.number);
        (!ordered.is_empty()).then(|| Verdict::note(facts).sure(Confidence::High).about(about))
    })
}

fn after_command(scene: &Scene<'_>, ended: &[&Connection]) -> Option<Verdict> {
    let reacted = ended.iter().copied().filter_map(|c| {
        let step = see::last_request(c).filter(|s| s.is_att())?;
        Some((c, step, see::reaction(c, step)?))
    });
    let reacted: Vec<_> = reacted.collect();
    let (_, first, _) = reacted.first()?;
    let same: Vec<_> = reacted.iter().filter(|(_, step, _)| see::same_pdu(first, step)).collect();
    let (first, step, _) = *same.first()?;
    if same.len() < FEWEST || same.len() * 2 < ended.len() {
        return None;
    }
    let tries = same.iter().filter_map(|(c, step, wait)| {
        let request = Named::of(scene, c, step);
        Some(Try { request, wait: *wait, end: c.end.clone()? })
    });
    let facts = AfterCommand { tries: tries.collect(), elsewhere: elsewhere(scene, first, step) };
    let all = same.len() == ended.len();
    let verdict = if all { Verdict::cause(facts) } else { Verdict::suspect(facts) };
    Some(verdict.sure(Confidence::Medium).about(same.iter().map(|(c, ..)| c.number)))
}

impl Facts for AfterCommand {
    fn says(&self) -> Text {
        let waits: Vec<Span> = self.tries.iter().map(|t| t.wait).collect();
        let first = self.tries.first();
        let answered = first.is_some_and(|t| t.request.step.outcome != Outcome::CutOff);
        text!(
            "In {} links the last request of this host was the same, {}, and the device hung up {} after {}.{}",
            self.tries.len(),
            first.map(|t| t.request.request()),
            see::from_to(&waits),
            if answered { "it or its answer" } else { "it, without an answer" },
            self.elsewhere.map(Elsewhere::says)
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let tries = self.tries.iter().flat_map(|Try { request, wait, end }| {
            let ends = text!("{}, {} later", end.reason, *wait);
            [Sight::here(request.step.last.frame, request.request()), Sight::here(end.frame, ends)]
        });
        let theirs = self.elsewhere.and_then(Elsewhere::frame);
        let theirs =
            theirs.map(|frame| Sight::in_reference(frame, "the working side sends the same"));
        tries.chain(theirs).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new("supervision-timeout-0x08", "the device ended the link itself"),
            RuledOut::new("never-heard-peer", "the device answered on this link"),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec!["Leave the request out once: does the link then live?".into()]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

impl Facts for Ordered {
    fn says(&self) -> Text {
        let (order, _) = match self.ends.first() {
            Some(first) => first,
            None => return Text::EMPTY,
        };
        text!(
            "This host's last write told the device to {}, and it hung up, as it was told to. This end is no fault.",
            order.what
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let ends = self.ends.iter().flat_map(|(order, end)| {
            let after = end.at.since(order.written.at);
            let ends = match after {
                Some(after) => text!("{}, {} later", end.reason, after),
                None => text!("{}", end.reason),
            };
            [Sight::here(order.written.frame, order.line()), Sight::here(end.frame, ends)]
        });
        ends.collect()
    }
}
