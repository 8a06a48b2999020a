use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    see,
};
use crate::packet::Direction::{Received, Sent};
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, LastUuid, Pdu};
use crate::packet::hci::Command;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Detail, End, Pending, Procedure, Role, Stack, Step};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "discovery-order-or-volume-difference",
    title: "The device fails at one discovery request that the working host never sends",
    basis: Basis::Laboratory,
    silences: &["immediate-0x13-after-first-att", "peer-hangs-up-on-deadline", "remote-user-terminated-idle", "att-request-unanswered", "supervision-timeout-0x08"],
    docs: "\
## What it means
This host discovers more than the working one, and the device does not survive one certain request: it hangs up, or stops
answering, whenever that range is searched. The working host discovered by UUID, skipped that step, or used a cache.

## How it shows
In two or more tries the same discovery request, over the same range, is open when the device hangs up (0x13) or is lost
(0x08); the time since the connection differs; the reference never sent that request.

## What else it could be
The same time since the connection in every try is a deadline. Without a working capture to compare with, only
`immediate-0x13-after-first-att` can be said. More discovery by itself is a habit of the stack and no fault.

## What to do
Make this host discover less: by UUID, or from a cache after one success. Report range and request to the vendor.",
    sources: &["bluez/bluez#2224", "hbldh/bleak#1171"],
    check: Check::Device(check),
    cases: &[
        Case::cause(Confidence::High, "twice the device leaves at a request that the working host never sends", || {
            Example::pair(works(), twice(400, 1_900))
        })
        .about(&[1, 2])
        .saying("In all 2 tries")
        .pins(&["FEWEST"]),
        Case::silent("once", || Example::pair(works(), left(at_search(Trace::new(), 400))))
            .pins(&["FEWEST"]),
        Case::cause(Confidence::High, "twice the device is lost at that request", || {
            let first = lost(at_search(Trace::new(), 400)).wait_ms(1_000);
            Example::pair(works(), lost(at_search(first, 1_900)))
        }),
        Case::silent("the working host sends the same request, and lives", || {
            let trace = Trace::new().up().mtu().discovery(2).write(3, &[1]);
            Example::pair(ends_well(trace.refused(search(0x40), NOTHING)), twice(400, 1_900))
        }),
        Case::silent("the working host searches a range that holds this one", || {
            let trace = Trace::new().up().mtu().discovery(2).write(3, &[1]);
            let wider = Pdu::ReadByTypeRequest {
                starting_handle: Handle(0x20),
                ending_handle: Handle(0xffff),
                attribute_type: LastUuid::short(0x2803),
            };
            Example::pair(ends_well(trace.refused(wider, NOTHING)), twice(400, 1_900))
        }),
        Case::silent("the capture of the working host began late", || {
            Example::pair(ends_well(Trace::new().mtu().discovery(2)), twice(400, 1_900))
        }),
        Case::silent("there is nothing to compare with", || twice(400, 1_900).into()),
        Case::silent("both links lasted equally long", || Example::pair(works(), twice(400, 400))),
        Case::silent("the second try ends at another range", || {
            let first = left(at_search(Trace::new(), 400)).wait_ms(1_000);
            let second = first.up().mtu().wait_ms(1_900).att(Sent, search(0x60)).wait_ms(100);
            Example::pair(works(), left(second))
        }),
        Case::silent("a third link ends without a request", || {
            let third = twice(400, 1_900).wait_ms(1_000).up().mtu().wait_ms(5_000);
            Example::pair(works(), left(third))
        }),
        Case::silent("the request was only just sent", || {
            let dies = |trace: Trace, busy| {
                left(trace.up().mtu().wait_ms(busy).att(Sent, search(0x40)).wait_ms(48))
            };
            Example::pair(works(), dies(dies(Trace::new(), 400).wait_ms(1_000), 1_900))
        }),
        Case::silent("this host hangs up", || {
            let first = at_search(Trace::new(), 400).hangs_up(HUNG_UP).wait_ms(1_000);
            Example::pair(works(), at_search(first, 1_900).hangs_up(HUNG_UP))
        }),
        Case::silent("a read is open, not a discovery", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            let dies = |trace: Trace, busy| {
                left(trace.up().mtu().wait_ms(busy).att(Sent, read).wait_ms(100))
            };
            Example::pair(works(), dies(dies(Trace::new(), 400).wait_ms(1_000), 1_900))
        }),

        Case::cause(Confidence::High, "what the working host does instead is shown", || {
            Example::pair(works(), twice(400, 1_900))
        })
        .saying("the working host instead: discovery of services from 0x0001"),
        Case::cause(Confidence::High, "the working host searched up to the handle before it", || {
            let before = Pdu::ReadByTypeRequest {
                starting_handle: Handle(0x20),
                ending_handle: Handle(0x3f),
                attribute_type: LastUuid::short(0x2803),
            };
            let trace = Trace::new().up().mtu().refused(before, NOTHING).write(3, &[1]);
            Example::pair(ends_well(trace), twice(400, 1_900))
        }),
        Case::silent("the working host searched up to its first handle", || {
            let before = Pdu::ReadByTypeRequest {
                starting_handle: Handle(0x20),
                ending_handle: Handle(0x40),
                attribute_type: LastUuid::short(0x2803),
            };
            let trace = Trace::new().up().mtu().refused(before, NOTHING).write(3, &[1]);
            Example::pair(ends_well(trace), twice(400, 1_900))
        }),
        Case::cause(Confidence::High, "the working host searched from the handle behind it", || {
            let behind = Pdu::ReadByTypeRequest {
                starting_handle: Handle(0x41),
                ending_handle: Handle(0xffff),
                attribute_type: LastUuid::short(0x2803),
            };
            let trace = Trace::new().up().mtu().refused(behind, NOTHING).write(3, &[1]);
            Example::pair(ends_well(trace), twice(400, 1_900))
        }),
        Case::cause(Confidence::High, "the device searched that range in the working host", || {
            let trace = Trace::new().up().mtu().discovery(2).write(3, &[1]);
            let asked = trace.from_peer(&[0x08, 0x40, 0, 0x49, 0, 0x03, 0x28], &[0x01, 0x08, 0x40, 0, 0x0a]);
            Example::pair(ends_well(asked), twice(400, 1_900))
        }),
        Case::silent("the links are lost after this host had asked for their end", || {
            let gone = |link: Trace| {
                lost(link.taken(Command::Disconnect { connection_handle: HANDLE, reason: HUNG_UP }))
            };
            let first = gone(at_search(Trace::new(), 400)).wait_ms(1_000);
            Example::pair(works(), gone(at_search(first, 1_900)))
        }),
        Case::silent("the links end for another reason", || {
            let fails = |link: Trace| link.disconnected(Status::MIC_FAILURE);
            let first = fails(at_search(Trace::new(), 400)).wait_ms(1_000);
            Example::pair(works(), fails(at_search(first, 1_900)))
        }),
        Case::silent("the device's own search is open", || {
            let dies = |trace: Trace, busy| {
                let asked = trace.up().mtu().wait_ms(busy);
                left(asked.acl(Received, 4, &[0x08, 0x40, 0, 0x49, 0, 0x03, 0x28]).wait_ms(100))
            };
            Example::pair(works(), dies(dies(Trace::new(), 400).wait_ms(1_000), 1_900))
        }),
        Case::cause(Confidence::High, "the request was sent exactly one interval before", || {
            let dies = |trace: Trace, busy| {
                left(trace.up().mtu().wait_ms(busy).att(Sent, search(0x40)).after_us(48_750))
            };
            Example::pair(works(), dies(dies(Trace::new(), 400).wait_ms(1_000), 1_900))
        }),
        Case::cause(Confidence::High, "the device looks at the working host first", || {
            let asked = Trace::new().up().mtu().from_peer(
                &[0x10, 0x10, 0, 0xff, 0xff, 0x00, 0x28],
                &[0x01, 0x10, 0x10, 0, 0x0a],
            );
            Example::pair(ends_well(asked.discovery(2).write(3, &[1])), twice(400, 1_900))
        })
        .saying("the working host instead: discovery of services from 0x0001"),
        Case::cause(Confidence::High, "the working host searched that range for descriptors alone", || {
            let trace = Trace::new().up().mtu().discovery(2).write(3, &[1]);
            let descriptors = trace.by_wire(&[0x04, 0x40, 0, 0x49, 0], 0x01, &[0x04, 0x40, 0, 0x0a]);
            Example::pair(ends_well(descriptors), twice(400, 1_900))
        }),
        Case::cause(Confidence::High, "a pairing is open as well", || {
            let dies = |trace: Trace, busy| {
                let asked = trace.up().mtu().wait_ms(busy).asks_to_pair();
                left(asked.att(Sent, search(0x40)).wait_ms(100))
            };
            Example::pair(works(), dies(dies(Trace::new(), 400).wait_ms(1_000), 1_900))
        }),
        Case::silent("the working host searched on, range after range", || {
            let trace = Trace::new().up().mtu().discovery(2).write(3, &[1]);
            let found = [7, 0x12, 0, 2, 0x13, 0, 0x19, 0x2a];
            let searched = trace
                .by_wire(&[0x08, 0x10, 0, 0xff, 0xff, 0x03, 0x28], 0x09, &found)
                .by_wire(&[0x08, 0x13, 0, 0xff, 0xff, 0x03, 0x28], 0x01, &[0x08, 0x13, 0, 0x0a]);
            Example::pair(ends_well(searched), twice(400, 1_900))
        }),
        Case::cause(Confidence::High, "each link had searched other ranges before", || {
            let dies = |trace: Trace, busy| {
                let busy = trace.up().mtu().discovery(2).wait_ms(busy);
                left(busy.att(Sent, search(0x40)).wait_ms(100))
            };
            Example::pair(works(), dies(dies(Trace::new(), 400).wait_ms(1_000), 1_900))
        })
        .saying("discovery of characteristics from 0x0040 was open"),
        Case::silent("a read is open behind a discovery", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            let searched = |trace: Trace| trace.up().mtu().refused(search(0x40), NOTHING);
            let dies = |trace: Trace, busy| {
                left(searched(trace).wait_ms(busy).att(Sent, read).wait_ms(100))
            };
            Example::pair(works(), dies(dies(Trace::new(), 400).wait_ms(1_000), 1_900))
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;
const NOTHING: ErrorCode = ErrorCode::ATTRIBUTE_NOT_FOUND;

fn search(from: u16) -> Pdu<'static> {
    Pdu::ReadByTypeRequest {
        starting_handle: Handle(from),
        ending_handle: Handle(from + 9),
        attribute_type: LastUuid::short(0x2803),
    }
}

fn ends_well(trace: Trace) -> Trace {
    trace.wait_ms(4_000).hangs_up(HUNG_UP)
}

fn works() -> Trace {
    ends_well(Trace::new().up().mtu().discovery(2).write(3, &[1]))
}

/// One more link, on which the request is open for two intervals.
fn at_search(before: Trace, busy: u32) -> Trace {
    before.up().mtu().wait_ms(busy).att(Sent, search(0x40)).wait_ms(100)
}

fn left(trace: Trace) -> Trace {
    trace.disconnected(HUNG_UP)
}

fn lost(trace: Trace) -> Trace {
    trace.disconnected(Status::CONNECTION_TIMEOUT)
}

fn twice(first: u32, second: u32) -> Trace {
    left(at_search(left(at_search(Trace::new(), first)).wait_ms(1_000), second))
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "Discover by UUID: `discoverSomeServicesAndCharacteristicsAsync([service], [characteristic])`.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "BlueZ cannot discover by UUID. A cache file with the device's services, in /var/lib/bluetooth/ADAPTER/cache, keeps it from searching; `bluetoothctl trust ADDRESS` keeps that file.",
    ),
    Remedy::any(
        "Report the request and its range to the vendor: a server must answer any range, if only with Attribute Not Found.",
    ),
];

/// Once may be chance.
const FEWEST: usize = 2;

/// One link that ended while the request was open.
#[derive(Debug)]
struct Try {
    request_frame: u32,
    end: End,
    life: Option<Span>,
}

/// A discovery request that the device does not survive.
#[derive(Debug)]
struct Killer {
    request: Step,
    tries: Vec<Try>,
    /// What the working host discovers instead.
    theirs: Option<Step>,
}

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let reference = scene.reference().filter(|r| r.start_seen && r.cut_packets == 0)?;
    let killed: Vec<(&Connection, &Step)> =
        attempts.iter().filter_map(|c| Some((*c, killer(c)?))).collect();
    let (_, first) = *killed.first()?;
    let ended = attempts.iter().filter(|c| died(c)).count();
    let tries = killed.iter().map(|(c, step)| {
        Some(Try { request_frame: step.frame, end: c.end.clone()?, life: c.life() })
    });
    let theirs = reference.steps.iter().find(|s| s.by == Sent && discovers(s));
    let facts = Killer {
        request: first.clone(),
        tries: tries.collect::<Option<_>>()?,
        theirs: theirs.cloned(),
    };
    let always = killed.len() >= FEWEST
        && killed.len() == ended
        && killed.iter().all(|(_, step)| see::same_pdu(first, step));
    let harmless = reference.steps.iter().any(|step| covers(step, first));
    (always && !harmless && !see::constant(&facts.lives())).then(|| {
        let about = killed.iter().map(|(c, _)| c.number);
        Verdict::cause(facts).sure(Confidence::High).about(about)
    })
}

impl Killer {
    fn lives(&self) -> Vec<Span> {
        self.tries.iter().filter_map(|a_try| a_try.life).collect()
    }
}

impl Facts for Killer {
    fn says(&self) -> Text {
        text!(
            "In all {} tries the device failed while {} was open, {} after the connection; the working host never searched that range.",
            self.tries.len(),
            see::request(&self.request),
            see::from_to(&self.lives())
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let tries = self.tries.iter().flat_map(|Try { request_frame, end, .. }| {
            let text = text!("{}, without answer", see::request(&self.request));
            [Sight::here(*request_frame, text), see::link_ended(end)]
        });
        let theirs = self.theirs.iter().map(|step| {
            let text = text!("the working host instead: {}", see::request(step));
            Sight::in_reference(step.frame, text)
        });
        tries.chain(theirs).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new(
                "peer-hangs-up-on-deadline",
                "the time since the connection differs from try to try",
            ),
            RuledOut::new("never-heard-peer", "the device was heard and answered ATT"),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat with discovery by UUID, or with a cached database, on this host.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

/// Ended by the peer, or lost.
fn died(c: &Connection) -> bool {
    see::peer_hung_up(c).is_some()
        || c.end.as_ref().is_some_and(|end| {
            end.reason == Status::CONNECTION_TIMEOUT && end.command_frame().is_none()
        })
}

/// The discovery request that was open, long enough to have mattered, when the link ended.
fn killer(c: &Connection) -> Option<&Step> {
    if !died(c) || c.role != Some(Role::Central) || !c.start_seen || c.cut_packets > 0 {
        return None;
    }
    let open = c.open_requests.iter().find(|o| {
        o.by == Sent
            && matches!(o.pending, Pending::Att(_))
            && o.age.zip(c.granted).is_some_and(|(age, granted)| age >= granted.interval())
    })?;
    c.steps.iter().find(|s| s.frame == open.frame && discovers(s))
}

fn discovers(step: &Step) -> bool {
    use Procedure::*;
    matches!(
        step.procedure,
        DiscoverServices | DiscoverIncludes | DiscoverCharacteristics | DiscoverDescriptors
    )
}

/// Whether a discovery may have searched the handle at which the other begins: a folded one may have gone
/// further than what it found.
fn covers(step: &Step, other: &Step) -> bool {
    let (
        Detail::Discovery { first, last, by_uuid: false, .. },
        Detail::Discovery { first: at, .. },
    ) = (step.detail, other.detail)
    else {
        return false;
    };
    step.by == Sent
        && step.procedure == other.procedure
        && first <= at
        && (at <= last || step.count > 1)
}
