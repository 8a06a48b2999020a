use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::{Address, AddressType, Status};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Stack, Transport};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "adapter-slots-exhausted",
    title: "The adapter has no link left for another device",
    basis: Basis::Laboratory,
    silences: &["create-conn-status-error"],
    docs: "\
## What it means
A controller serves a fixed number of links, often five to seven, some only three. All of them are taken. The device that cannot
be reached has nothing to do with it.

## How it shows
The connect command, or Connection Complete, says 0x09 (connection limit) or 0x0D (limited resources) while several links are
open on the adapter.

## What else it could be
0x0D with few links open: the controller's scanning, advertising and connecting at once may exceed what it can do.

## What to do
Close links that nobody uses; links that a crashed program left behind count too. Use a second adapter or a proxy.",
    sources: &["Bluetooth-Devices/bleak-retry-connector#67: CSR 5 links, Broadcom 7", "noble/noble#214, #387"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "the limit is reached with three links open", || {
            refused(links(3), Status::CONNECTION_LIMIT_EXCEEDED).into()
        })
        .about(&[4])
        .saying("3 links were open"),
        Case::silent("it is refused for another reason", || {
            refused(links(3), Status::COMMAND_DISALLOWED).into()
        }),
        Case::cause(Confidence::High, "the limit is reached with two links open", || {
            refused(links(2), Status::CONNECTION_LIMIT_EXCEEDED).into()
        })
        .pins(&["FEWEST_AT_LIMIT"]),
        Case::silent("the limit is reached with one link open", || {
            refused(links(1), Status::CONNECTION_LIMIT_EXCEEDED).into()
        })
        .pins(&["FEWEST_AT_LIMIT"]),
        Case::suspect(Confidence::Medium, "no resources with three links open", || {
            refused(links(3), Status::LIMITED_RESOURCES).into()
        })
        .pins(&["FEWEST_WITHOUT_RESOURCES"]),
        Case::silent("no resources with two links open", || {
            refused(links(2), Status::LIMITED_RESOURCES).into()
        })
        .pins(&["FEWEST_WITHOUT_RESOURCES"]),
        Case::cause(Confidence::High, "a link that was closed before is not counted", || {
            let closed = links(3).hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(100);
            refused(closed, Status::CONNECTION_LIMIT_EXCEEDED).into()
        })
        .saying("2 links were open"),

        Case::cause(Confidence::High, "each open link is shown", || {
            refused(links(2), Status::CONNECTION_LIMIT_EXCEEDED).into()
        })
        .saying("a link to C0:00:00:00:00:02 comes up, and is open still"),
        Case::cause(Confidence::High, "a closed link is not shown", || {
            let closed = links(3).hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(100);
            refused(closed, Status::CONNECTION_LIMIT_EXCEEDED).into()
        })
        .not_saying("a link to C0:00:00:00:00:03"),
        Case::cause(Confidence::High, "a link that comes up later is not shown", || {
            let later = refused(links(2), Status::CONNECTION_LIMIT_EXCEEDED).wait_ms(900);
            let third = Address([3, 0, 0, 0, 0, 0xc0]);
            later.peer(third, AddressType::RANDOM).handle(0x50).up().into()
        })
        .about(&[3])
        .not_saying("a link to C0:00:00:00:00:03"),
        Case::cause(Confidence::High, "a link that ends later is shown", || {
            let later = refused(links(2), Status::CONNECTION_LIMIT_EXCEEDED).wait_ms(900);
            later.hangs_up(Status::REMOTE_USER_TERMINATED).into()
        })
        .saying("a link to C0:00:00:00:00:02 comes up, and is open still"),
        Case::cause(Confidence::High, "of nine open links eight are shown", || {
            refused(links(9), Status::CONNECTION_LIMIT_EXCEEDED).into()
        })
        .saying("a link to C0:00:00:00:00:08 comes up")
        .not_saying("a link to C0:00:00:00:00:09 comes up"),
    ],
};

const NEXT: Address = Address([9, 0, 0, 0, 0, 0xc0]);

fn refused(trace: Trace, status: Status) -> Trace {
    trace.peer(NEXT, AddressType::RANDOM).create_refused(status)
}

fn links(open: u8) -> Trace {
    (0..open).fold(Trace::new(), |trace, n| {
        let Address(mut address) = PEER;
        address[0] += n;
        trace
            .peer(Address(address), AddressType::RANDOM)
            .handle(0x40 + u16::from(n))
            .up()
            .mtu()
            .wait_ms(200)
    })
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "See what is connected (`bluetoothctl devices Connected`) and close what is not needed (`bluetoothctl disconnect ADDRESS`); power-cycle the adapter if links are held that no program knows.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Call `disconnect()` on peripherals that are not in use, also on the way out of the program.",
    ),
    Remedy::any("Use a second adapter for some of the devices, or connect to them in turn."),
];

/// Most links that one finding names.
const SHOWN: usize = 8;

/// A controller that has reached its limit with fewer links counts others than those of this host.
const FEWEST_AT_LIMIT: u16 = 2;

/// With fewer links the lack of resources is another one: scanning and advertising need some too.
const FEWEST_WITHOUT_RESOURCES: u16 = 3;

/// A connect command that was refused for want of a link.
#[derive(Debug)]
struct Full {
    status: Status,
    frame: u32,
    open: u16,
    /// Links that were open: to whom, and where they came up.
    links: Vec<(Option<Address>, u32)>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let status = connection.status?;
    let open = connection.links_open;
    let limit = status == Status::CONNECTION_LIMIT_EXCEEDED && open >= FEWEST_AT_LIMIT;
    let resources = status == Status::LIMITED_RESOURCES && open >= FEWEST_WITHOUT_RESOURCES;
    if connection.transport != Transport::Le || !(limit || resources) {
        return None;
    }
    let frame = connection.status_frame()?;
    let over = |c: &Connection| {
        let end = c.end.as_ref().map(|end| end.seen);
        end.or(c.gone.as_ref().map(|gone| gone.seen))
    };
    let others = scene.capture().connections.iter().filter_map(|c| {
        let up = c.up.filter(|up| up.comes_before(frame) && c.adapter == connection.adapter)?;
        over(c).is_none_or(|end| end.comes_after(frame)).then_some((c.peer.address, up.frame))
    });
    let facts = Full { status, frame, open, links: others.take(SHOWN).collect() };
    Some(if limit { Verdict::cause(facts).sure(Confidence::High) } else { Verdict::suspect(facts) })
}

impl Facts for Full {
    fn says(&self) -> Text {
        text!(
            "{} links were open on this adapter when it refused the next one with {}.",
            self.open,
            self.status
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![Sight::here(self.frame, text!("refused: {}", self.status))];
        sights.extend(self.links.iter().map(|(whom, frame)| {
            let whom = whom.map(|address| text!(" to {}", address));
            Sight::here(*frame, text!("a link{} comes up, and is open still", whom))
        }));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "no connect request left this host")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
