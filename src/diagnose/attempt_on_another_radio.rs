use super::witnessed::{self, Line};
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::packet::{Address, AddressType, Status};
use crate::prose::Text;
use crate::text;
use crate::trace::Trace;
use crate::witness::{Detail, Radio, Relation, Testimony};

pub const RULE: Rule = Rule {
    id: "attempt-on-another-radio",
    title: "The attempt went over another radio than this capture's",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The log's program asked for the connection over another adapter, or over a proxy. This capture shows one adapter, and it did nothing for that device:
the attempt is not in it.

## How it shows
The log names the path: `hci1`, `/org/bluez/hci1/dev_…`, or a proxy's name. The capture has no connect request for the device.

## What else it could be
A log of another machine, or of another time.

## What to do
Capture on the adapter that the log names. What a proxy does shows in the proxy's own log alone.",
    sources: &["laboratory: two adapters, the capture of one of them"],
    check: Check::Witness(check),
    cases: &[
        Case::cause(Confidence::Medium, "the log says hci1, and the capture has hci0", || {
            Example::with_log(heard(), "\
method call time=1757000000.100000 sender=:1.7 -> destination=org.bluez serial=2 path=/org/bluez/hci1/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Connect
signal time=1757000000.300000 sender=:1.3 -> destination=(null destination) serial=9 path=/org/bluez/hci0; interface=a.b; member=C
")
        })
        .saying("hci1"),
        Case::silent("the log says hci0", || {
            Example::with_log(heard(), "\
method call time=1757000000.100000 sender=:1.7 -> destination=org.bluez serial=2 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Connect
signal time=1757000000.300000 sender=:1.3 -> destination=(null destination) serial=9 path=/org/bluez/hci0; interface=a.b; member=C
")
        }),
        Case::silent("the device was connected to on this adapter as well", || {
            Example::with_log(heard().up().mtu().wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED), "\
method call time=1757000000.100000 sender=:1.7 -> destination=org.bluez serial=2 path=/org/bluez/hci1/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Connect
signal time=1757000000.300000 sender=:1.3 -> destination=(null destination) serial=9 path=/org/bluez/hci0; interface=a.b; member=C
")
        }),
        Case::cause(Confidence::Medium, "another device was connected to on this adapter", || {
            let other = Address([9, 9, 9, 9, 9, 0xc9]);
            let linked = heard().peer(other, AddressType::RANDOM).up().mtu().wait_ms(500);
            Example::with_log(linked.hangs_up(Status::REMOTE_USER_TERMINATED), "\
method call time=1757000000.100000 sender=:1.7 -> destination=org.bluez serial=2 path=/org/bluez/hci1/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Connect
signal time=1757000000.300000 sender=:1.3 -> destination=(null destination) serial=9 path=/org/bluez/hci0; interface=a.b; member=C
")
        })
        .saying("asks for it 1 time"),
        Case::cause(Confidence::Medium, "the log asks twice", || {
            Example::with_log(heard(), "\
method call time=1757000000.100000 sender=:1.7 -> destination=org.bluez serial=2 path=/org/bluez/hci1/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Connect
method call time=1757000002.100000 sender=:1.7 -> destination=org.bluez serial=3 path=/org/bluez/hci1/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Disconnect
method call time=1757000003.100000 sender=:1.7 -> destination=org.bluez serial=4 path=/org/bluez/hci1/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Connect
signal time=1757000003.300000 sender=:1.3 -> destination=(null destination) serial=9 path=/org/bluez/hci0; interface=a.b; member=C
")
        })
        .saying("asks for it 2 times"),
        Case::silent("only the end of a connection is asked for on the other adapter", || {
            Example::with_log(heard(), "\
method call time=1757000002.100000 sender=:1.7 -> destination=org.bluez serial=3 path=/org/bluez/hci1/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Disconnect
signal time=1757000003.300000 sender=:1.3 -> destination=(null destination) serial=9 path=/org/bluez/hci0; interface=a.b; member=C
")
        }),
    ],
};

fn heard() -> Trace {
    Trace::new().scan(true, 96, 48).advertises(0).wait_ms(5_000).advertises(0)
}

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Capture on the adapter that the log names, or switch the other adapters and proxies off for the test.",
)];

/// A connect that was asked over another radio.
#[derive(Debug)]
struct Elsewhere {
    adapter: Option<u16>,
    line: Line,
    lines: usize,
}

fn check(scene: &Scene<'_>, testimony: &Testimony) -> Option<Verdict> {
    if testimony.alone {
        return None;
    }
    let over_other = |relation: &Relation| relation.detail == Some(Detail::OtherAdapter);
    let asked = || {
        witnessed::related(testimony)
            .filter(|(claim, relation)| witnessed::asks(claim) && over_other(relation))
            .map(|(claim, _)| claim)
    };
    let first = asked().next()?;
    // A device that was connected here as well has its story here.
    let device = first.device?;
    if scene.capture().connections.iter().any(|c| witnessed::is_with(c, device)) {
        return None;
    }
    let adapter = asked().find_map(|claim| match claim.radio {
        Radio::Adapter(number) => Some(number),
        Radio::Unsaid | Radio::Proxy => None,
    });
    let facts = Elsewhere { adapter, line: Line::of(testimony, first), lines: asked().count() };
    Some(Verdict::cause(facts).sure(Confidence::Medium))
}

impl Facts for Elsewhere {
    fn says(&self) -> Text {
        let radio = match self.adapter {
            Some(number) => text!("hci{}", number),
            None => Text::fixed("a proxy's radio"),
        };
        text!(
            "The program asked for the connection over {}, and this capture is of another adapter: the attempt is not in it.",
            radio
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![self.line.sight("the call")]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "never-heard-peer",
            "this adapter sent no connect request for the device",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        let times = crate::prose::count(self.lines, "time", "times");
        vec![text!("A capture of that radio; the log asks for it {}.", times)]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
