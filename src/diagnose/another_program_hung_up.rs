use super::witnessed::{self, Line};
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::packet::{Address, AddressType, Status};
use crate::prose::Text;
use crate::text;
use crate::timeline::Stack;
use crate::trace::Trace;
use crate::witness::{Claim, Relation, Testimony, What};

pub const RULE: Rule = Rule {
    id: "another-program-hung-up",
    title: "Another program on this host ended the connection",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
Two programs share one daemon. One asked for the connection, another asked the daemon to end it. The device has done nothing, and the first program learns
only that the device is disconnected.

## How it shows
On the D-Bus: `Device1.Connect` of one sender and `Device1.Disconnect` of another; our Disconnect command some two seconds later.

## What else it could be
A program that connects through a helper has two senders of its own.

## What to do
Find the other program: `busctl status :1.N` while it runs. Let only one of them use the device.",
    sources: &["laboratory: two programs, one device"],
    check: Check::Witness(check),
    cases: &[
        Case::cause(Confidence::High, "one sender connects and another disconnects", || {
            Example::with_log(hung_up(), "\
method call time=1757000000.000001 sender=:1.7 -> destination=org.bluez serial=2 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Connect\n\
signal time=1757000000.400000 sender=:1.3 -> destination=(null destination) serial=9 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.freedesktop.DBus.Properties; member=PropertiesChanged\n   string \"org.bluez.Device1\"\n   string \"Connected\"\n   boolean true\n\
method call time=1757000000.900000 sender=:1.8 -> destination=org.bluez serial=2 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Disconnect\n\
signal time=1757000002.900000 sender=:1.3 -> destination=(null destination) serial=12 path=/; interface=a.b; member=C\n\
")
        })
        .about(&[1])
        .saying(":1.8"),
        Case::silent("the same sender does both", || {
            Example::with_log(hung_up(), "\
method call time=1757000000.000001 sender=:1.7 -> destination=org.bluez serial=2 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Connect\n\
signal time=1757000000.400000 sender=:1.3 -> destination=(null destination) serial=9 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.freedesktop.DBus.Properties; member=PropertiesChanged\n   string \"org.bluez.Device1\"\n   string \"Connected\"\n   boolean true\n\
method call time=1757000000.900000 sender=:1.7 -> destination=org.bluez serial=2 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Disconnect\n\
signal time=1757000002.900000 sender=:1.3 -> destination=(null destination) serial=12 path=/; interface=a.b; member=C\n\
")
        }),
        Case::silent("another sender asks for the connection as well, and nobody ends it", || {
            Example::with_log(Trace::new().wait_ms(200).up().mtu().wait_ms(2_800), "\
method call time=1757000000.000001 sender=:1.7 -> destination=org.bluez serial=2 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Connect\n\
method call time=1757000000.100001 sender=:1.8 -> destination=org.bluez serial=2 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Connect\n\
signal time=1757000000.400000 sender=:1.3 -> destination=(null destination) serial=9 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.freedesktop.DBus.Properties; member=PropertiesChanged\n   string \"org.bluez.Device1\"\n   string \"Connected\"\n   boolean true\n\
signal time=1757000002.900000 sender=:1.3 -> destination=(null destination) serial=12 path=/; interface=a.b; member=C\n\
")
        }),
        Case::silent("another sender connected to another device, and nobody else to this one", || {
            Example::with_log(two_devices(), "\
method call time=1757000000.000001 sender=:1.7 -> destination=org.bluez serial=2 path=/org/bluez/hci0/dev_C0_00_00_00_00_09; interface=org.bluez.Device1; member=Connect\n\
method call time=1757000001.000001 sender=:1.8 -> destination=org.bluez serial=2 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Connect\n\
method call time=1757000002.900000 sender=:1.8 -> destination=org.bluez serial=3 path=/org/bluez/hci0/dev_C0_00_00_00_00_01; interface=org.bluez.Device1; member=Disconnect\n\
signal time=1757000004.900000 sender=:1.3 -> destination=(null destination) serial=12 path=/; interface=a.b; member=C\n\
")
        }),
    ],
};

fn hung_up() -> Trace {
    let up = Trace::new().wait_ms(200).create().connected().features().mtu();
    up.wait_ms(2_500).hangs_up(Status::REMOTE_USER_TERMINATED)
}

/// Links to two devices, one after the other; this host ends both.
fn two_devices() -> Trace {
    let other = Address([9, 0, 0, 0, 0, 0xc0]);
    let first = Trace::new().wait_ms(200).peer(other, AddressType::RANDOM).up().mtu();
    let first = first.wait_ms(300).hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(300);
    first.followed_by(hung_up())
}

const REMEDIES: &[Remedy] = &[Remedy::on(
    &[Stack::BlueZ],
    "Find the other program (`busctl status :1.N` while it runs) and let only one of the two use the device.",
)];

/// Who asked for the link, and who for its end.
#[derive(Debug)]
struct Others {
    connects: u32,
    hangs_up: u32,
    call: Line,
    end: Line,
    frame: u32,
}

fn check(scene: &Scene<'_>, testimony: &Testimony) -> Option<Verdict> {
    let ends = witnessed::related(testimony).filter(|(claim, _)| claim.what == What::HangUpAsked);
    ends.filter_map(|(end, relation)| {
        let (number, frame, hangs_up) = (relation.connection?, relation.frame?, end.client?);
        let own = |(claim, of): &(&Claim, &Relation)| {
            witnessed::asks(claim) && of.connection == Some(number)
        };
        let (call, _) = witnessed::related(testimony).find(own)?;
        let connects = call.client.filter(|connects| *connects != hangs_up)?;
        scene.capture().connection(number)?;
        let (call, end) = (Line::of(testimony, call), Line::of(testimony, end));
        let facts = Others { connects, hangs_up, call, end, frame };
        Some(Verdict::cause(facts).sure(Confidence::High).about([number]))
    })
    .next()
}

impl Facts for Others {
    fn says(&self) -> Text {
        text!(
            "Program :1.{} on the D-Bus asked for the connection, and another one, :1.{}, ended it. The device did nothing.",
            self.connects,
            self.hangs_up
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.frame, "our Disconnect command"),
            self.end.sight("the call that ends it"),
            self.call.sight("the call that asked for it"),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("remote-user-terminated-idle", "this host sent Disconnect")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
