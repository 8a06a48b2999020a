use super::named::{Elsewhere, Named, elsewhere};
use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, orders,
    see,
};
use crate::packet::att::{Handle, Pdu};
use crate::packet::{Direction, Status};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Procedure, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "immediate-0x13-after-first-att",
    title: "The device hangs up right after one particular packet",
    basis: Basis::Laboratory,
    silences: &["peer-hangs-up-on-deadline", "att-request-unanswered", "remote-user-terminated-idle", "mtu-exchange-breaks-peer"],
    docs: "\
## What it means
In every try the same request of this host is the last one, and the device ends the link within two seconds of it, whenever
it comes. The device cannot cope with that request, or answers it by hanging up.

## How it shows
Disconnection Complete 0x13 between one connection interval and two seconds after the same packet in two or more tries, while
the time since the connection differs.

## What else it could be
A fixed time since the connection points to a deadline of the device. A discovery request that a working host never sends is
`discovery-order-or-volume-difference`.

## What to do
Suppress that request: no MTU exchange, cached services, no plugin that reads it, discovery by UUID. Report it to the vendor.",
    sources: &["bluez/bluez#875 (a mouse leaves during HID reads)", "espressif/esp-idf#4036"],
    check: Check::Device(check),
    cases: &[
        Case::cause(Confidence::Medium, "two links of different length end 120 ms after the same read", || {
            twice(3, 3, 120).into()
        })
        .about(&[1, 2])
        .saying("read of attribute 0x0003"),
        Case::silent("they end after different reads", || twice(3, 5, 120).into()),
        Case::cause(Confidence::Medium, "1.95 s after the read", || twice(3, 3, 1_950).into())
            .pins(&["LONGEST"]),
        Case::silent("2.05 s after the read", || twice(3, 3, 2_050).into()).pins(&["LONGEST"]),
        Case::silent("sooner than one connection interval", || twice(3, 3, 40).into()),
        Case::silent("once", || dies(Trace::new().up(), 3, 120).into()).pins(&["FEWEST"]),
        Case::cause(Confidence::Medium, "three times", || {
            let third = Trace::new().up().wait_ms(7_000);
            twice(3, 3, 120).wait_ms(900).followed_by(dies(third, 3, 120)).into()
        })
        .pins(&["FEWEST"]),
        Case::silent("another link ends at another moment", || {
            let idle = Trace::new().up().mtu().wait_ms(9_000).disconnected(HUNG_UP).wait_ms(900);
            idle.followed_by(twice(3, 3, 120)).into()
        }),
        Case::silent("both links last equally long", || {
            dies(Trace::new().up(), 3, 120).repeated(2, 900).into()
        }),
        Case::silent("the device connected to us", || {
            let link = |wait| {
                let link = Trace::new().connected_as(1, 39, 0, 42).features().wait_ms(wait);
                dies(link, 3, 120).wait_ms(900)
            };
            link(100).followed_by(link(4_000)).into()
        }),
        Case::silent("this host hangs up", || {
            let link = |wait| {
                let link = Trace::new().up().wait_ms(wait).att(Direction::Sent, read(3));
                link.wait_ms(120).hangs_up(HUNG_UP).wait_ms(900)
            };
            link(100).followed_by(link(4_000)).into()
        }),

        Case::silent("the last thing that this host sent was a pairing", || {
            let pairs = |link: Trace| link.asks_to_pair().wait_ms(120).disconnected(HUNG_UP);
            let longer = Trace::new().up().discovery(2).wait_ms(9_000);
            pairs(Trace::new().up()).wait_ms(1_000).followed_by(pairs(longer)).into()
        }),
        Case::silent("a wish of the device was left open", || {
            let wish = crate::packet::smp::Pdu::SecurityRequest { auth_req: 1 };
            let longer = Trace::new().up().discovery(2).wait_ms(9_000);
            let wishes = |link: Trace| link.smp(Direction::Received, wish);
            let first = dies(wishes(Trace::new().up()), 3, 120).wait_ms(1_000);
            first.followed_by(dies(wishes(longer), 3, 120)).into()
        }),
        Case::cause(Confidence::Medium, "a discovery request can be left out", || {
            let asks = |link: Trace| {
                let asked = link.acl(Direction::Sent, 4, &[0x08, 0x40, 0, 0x49, 0, 0x03, 0x28]);
                asked.wait_ms(120).disconnected(HUNG_UP)
            };
            let longer = Trace::new().up().mtu().wait_ms(9_000);
            asks(Trace::new().up()).wait_ms(1_000).followed_by(asks(longer)).into()
        })
        .saying("Discover by UUID"),
        Case::cause(Confidence::Medium, "a read is no discovery", || twice(3, 3, 120).into())
            .not_saying("Discover by UUID"),
        Case::silent("exactly 2 s after the read", || twice_after(2_000_000).into()),
        Case::cause(Confidence::Medium, "a moment less than 2 s after the read", || {
            twice_after(1_999_999).into()
        }),
        Case::cause(Confidence::Medium, "exactly one connection interval after the read", || {
            twice_after(48_750).into()
        }),
        Case::silent("a moment less than one connection interval after it", || {
            twice_after(48_749).into()
        }),
        Case::silent("the write orders the restart after an update", || {
            let update = |link: Trace| {
                let link = link.mtu().write(0x10, &[1, 4]).writes_to(0x0e, 8);
                let link = link.notified(0x10, &[0x10, 1, 1]).write(0x10, &[4]);
                let link = link.notified(0x10, &[0x10, 4, 1]).wait_ms(10).write(0x10, &[5]);
                link.wait_ms(67).disconnected(HUNG_UP)
            };
            let longer = Trace::new().up().discovery(2).wait_ms(9_000);
            update(Trace::new().up()).wait_ms(1_000).followed_by(update(longer)).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

fn read(handle: u16) -> Pdu<'static> {
    Pdu::ReadRequest { attribute_handle: Handle(handle) }
}

/// A read, and the end `ms` after it.
fn dies(link: Trace, handle: u16, ms: u32) -> Trace {
    link.att(Direction::Sent, read(handle)).wait_ms(ms).disconnected(HUNG_UP)
}

/// Two links of different length, each with its read.
fn twice(first: u16, second: u16, ms: u32) -> Trace {
    let longer = Trace::new().up().discovery(2).wait_ms(9_000);
    dies(Trace::new().up(), first, ms).wait_ms(1_000).followed_by(dies(longer, second, ms))
}

/// What noble asks for can be chosen; its MTU request cannot.
/// The same, to the microsecond.
fn twice_after(us: u32) -> Trace {
    let dies = |link: Trace| link.att(Direction::Sent, read(3)).after_us(us).disconnected(HUNG_UP);
    let longer = Trace::new().up().discovery(2).wait_ms(9_000);
    dies(Trace::new().up()).wait_ms(1_000).followed_by(dies(longer))
}

const BY_UUID: Remedy = Remedy::on(
    &[Stack::Noble],
    "Discover by UUID (`discoverSomeServicesAndCharacteristics`) and leave the request out.",
);

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "If it is a read that a plugin makes (0x2A00 and 0x2A01: gap), run `bluetoothd --noplugin=gap`. If it is the MTU request, the way around it is raw ATT over an L2CAP socket on channel 4.",
    ),
    Remedy::on(
        &[Stack::Android, Stack::Ios, Stack::MacOs],
        "Leave that request out in the application, if the application sends it.",
    ),
    Remedy::any(
        "Report the packet to the device's vendor: the device should answer with an Error Response, not hang up.",
    ),
];

/// A device that leaves later than this does so for another reason.
const LONGEST: Span = Span::from_ms(2_000);

/// Fewest links that show that it is this packet.
const FEWEST: usize = 2;

/// One link that ended after the packet.
#[derive(Debug)]
struct Try {
    frame: u32,
    wait: Span,
    life: Option<Span>,
    end: End,
}

/// The same packet before every end.
#[derive(Debug)]
struct SamePacket {
    packet: Named,
    tries: Vec<Try>,
    elsewhere: Option<Elsewhere>,
}

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    // An end that this host ordered belongs to no fault.
    let hung_up = attempts
        .iter()
        .copied()
        .filter(|c| see::peer_hung_up(c).is_some() && orders::obeyed(scene, c).is_none());
    let hung_up: Vec<&Connection> = hung_up.collect();
    let reacted = hung_up.iter().copied().filter_map(|c| {
        let whole = c.start_seen && c.cut_packets == 0 && c.role == Some(Role::Central);
        let step = see::last_sent(c).filter(|s| s.is_att())?;
        let end = c.end.clone()?;
        let wait = end.at.since(c.last_sent_pdu?.at)?;
        let reaction = wait >= c.granted?.interval() && wait < LONGEST;
        let frame = c.last_sent_pdu?.frame;
        (whole && reaction && !see::peer_request_open(c)).then_some((
            c,
            step,
            Try { frame, wait, life: c.life(), end },
        ))
    });
    let reacted: Vec<_> = reacted.collect();
    let (link, first, _) = reacted.first()?;
    let lives: Vec<Span> = reacted.iter().filter_map(|(.., a_try)| a_try.life).collect();
    if reacted.len() < FEWEST
        || reacted.len() != hung_up.len()
        || !reacted.iter().all(|(_, step, _)| see::same_pdu(first, step))
        || see::constant(&lives)
    {
        return None;
    }
    let numbers: Vec<u32> = reacted.iter().map(|(c, ..)| c.number).collect();
    let packet = Named::of(scene, link, first);
    let elsewhere = elsewhere(scene, link, first);
    let tries = reacted.into_iter().map(|(.., a_try)| a_try).collect();
    let facts = SamePacket { packet, tries, elsewhere };
    Some(Verdict::cause(facts).sure(Confidence::Medium).about(numbers))
}

impl SamePacket {
    fn discovery(&self) -> bool {
        matches!(
            self.packet.step.procedure,
            Procedure::DiscoverServices
                | Procedure::DiscoverCharacteristics
                | Procedure::DiscoverIncludes
                | Procedure::DiscoverDescriptors
        )
    }
}

impl Facts for SamePacket {
    fn says(&self) -> Text {
        let waits: Vec<Span> = self.tries.iter().map(|t| t.wait).collect();
        let lives: Vec<Span> = self.tries.iter().filter_map(|t| t.life).collect();
        text!(
            "In all {} tries the last thing that this host sent was the same, {}, and the device hung up {} later; the time since the connection differed ({}).{}",
            self.tries.len(),
            self.packet.request(),
            see::from_to(&waits),
            see::from_to(&lives),
            self.elsewhere.map(Elsewhere::says)
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let tries = self.tries.iter().flat_map(|Try { frame, wait, end, .. }| {
            let ends = text!("{}, {} later", end.reason, *wait);
            [Sight::here(*frame, self.packet.request()), Sight::here(end.frame, ends)]
        });
        tries.collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new(
                "peer-hangs-up-on-deadline",
                "the time since the connection differs from try to try",
            ),
            RuledOut::new("never-heard-peer", "the device was heard"),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        let compare = "Compare with a host that works: does it send this discovery request at all?";
        if self.discovery() { vec![compare.into()] } else { Vec::new() }
    }

    fn remedies(&self) -> Vec<Remedy> {
        let by_uuid = self.discovery().then_some(BY_UUID);
        by_uuid.into_iter().chain(REMEDIES.iter().cloned()).collect()
    }
}
