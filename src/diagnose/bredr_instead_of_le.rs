use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::Event;
use crate::packet::{Address, AddressType, ConnHandle, Status};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Capture, Connection, Stack, Transport};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "bredr-instead-of-le",
    title: "The host tried Bluetooth Classic where the device speaks LE",
    basis: Basis::Laboratory,
    silences: &["create-conn-timeout-cancel", "peer-gone-or-moved"],
    docs: "\
## What it means
The host paged the device on BR/EDR (Bluetooth Classic). The device is heard advertising on LE and did not answer the page.
The error texts speak of `br-connection-page-timeout` although the program wanted a LE device.

## How it shows
Create Connection (BR/EDR) to an address that advertises on LE, Connection Complete with Page Timeout (0x04) about 5 s
later, and no LE create command to that address.

## What else it could be
A dual-mode device that is really meant to be used on Classic and is switched off: then no LE reports of its address stand
in the capture. A host that also pages a device which it connects to on LE pages whatever it knows: then this is a note.

## What to do
Make the host use LE: BlueZ `ControllerMode = le` in `[General]` of /etc/bluetooth/main.conf, or remove and rescan the
device. In firmware set the flag `BR/EDR Not Supported` in the advertising data, where it is not set.",
    sources: &["project-chip/connectedhomeip PR5214", "BlueZ src/error.h", "bluez/bluez#2034"],
    check: Check::Device(check),
    cases: &[
        Case::cause(Confidence::High, "a device that says that it has no BR/EDR is paged", || {
            Trace::new().advertises(0).pages_in_vain().into()
        })
        .about(&[1])
        .saying("says that it does not support BR/EDR")
        .not_saying("In the device's firmware")
        .pins(&["NO_BREDR"]),
        Case::suspect(Confidence::Medium, "a device that does not say so is paged", || {
            says_nothing(Trace::new()).pages_in_vain().into()
        })
        .saying("In the device's firmware")
        .not_saying("says that it does not support BR/EDR"),
        Case::suspect(Confidence::Low, "a device that says that it has both", || {
            says_both(Trace::new()).pages_in_vain().into()
        })
        .saying("it is off, or taken")
        .pins(&["NO_BREDR"]),
        Case::silent("nothing is heard of it on LE", || Trace::new().pages_in_vain().into()),
        Case::silent("it is heard, and takes no connection", || {
            Trace::new().advertises(3).pages_in_vain().into()
        }),
        Case::silent("it is asked on LE as well", || {
            Trace::new().advertises(0).pages_in_vain().wait_ms(100).up().into()
        }),
        Case::silent("it answers another page", || {
            let answered = Trace::new().advertises(0).pages_in_vain().wait_ms(100);
            answered.event(answers()).into()
        }),
        Case::silent("the page was refused for another reason", || {
            let refused = Event::ConnectionComplete {
                status: Status::LIMITED_RESOURCES,
                connection_handle: ConnHandle(0),
                bd_addr: PEER,
                link_type: 1,
                encryption_enabled: 0,
            };
            Trace::new().advertises(0).event(refused).into()
        }),
        Case::note(Confidence::Medium, "the host pages a device as well that it connects to on LE", || {
            let known = Trace::new().peer(KNOWN, AddressType::RANDOM).up().mtu().wait_ms(500);
            let known = known.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500).pages_in_vain();
            known.peer(PEER, AddressType::RANDOM).advertises(0).pages_in_vain().into()
        })
        .about(&[3]),
        Case::cause(Confidence::High, "it connects to another device on LE, and pages that one never", || {
            let known = Trace::new().peer(KNOWN, AddressType::RANDOM).up().mtu().wait_ms(500);
            let known = known.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500);
            known.peer(PEER, AddressType::RANDOM).advertises(0).pages_in_vain().into()
        })
        .about(&[2]),

        Case::silent("it is connected to on LE already when the capture begins, and asked on LE again", || {
            let link = Trace::new().advertises(0).up().mtu().hangs_up(Status::REMOTE_USER_TERMINATED);
            link.wait_ms(500).pages_in_vain().into()
        }),
        Case::cause(Confidence::High, "the host asked for the other device on LE in vain as well", || {
            let known = Trace::new().peer(KNOWN, AddressType::RANDOM).create().wait_ms(5_000).cancel();
            let known = known.wait_ms(500).pages_in_vain();
            known.peer(PEER, AddressType::RANDOM).advertises(0).pages_in_vain().into()
        })
        .about(&[3]),
        Case::cause(Confidence::High, "the host has a BR/EDR link to the other device, and pages it", || {
            let known = Trace::new().peer(KNOWN, AddressType::PUBLIC).connected_bredr().wait_ms(500);
            let known = known.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500).pages_in_vain();
            known.peer(PEER, AddressType::RANDOM).advertises(0).pages_in_vain().into()
        })
        .about(&[3]),
        Case::cause(Confidence::High, "a device that says so is not said to have both", || {
            Trace::new().advertises(0).pages_in_vain().into()
        })
        .not_saying("it is off, or taken"),
        Case::cause(Confidence::High, "the pages mean something", || {
            Trace::new().advertises(0).pages_in_vain().into()
        })
        .not_saying("need not mean anything"),
        Case::cause(Confidence::High, "a page before was refused for another reason", || {
            let refused = Event::ConnectionComplete {
                status: Status::LIMITED_RESOURCES,
                connection_handle: ConnHandle(0),
                bd_addr: PEER,
                link_type: 1,
                encryption_enabled: 0,
            };
            Trace::new().advertises(0).event(refused).wait_ms(900).pages_in_vain().into()
        })
        .about(&[2]),
    ],
};

const KNOWN: Address = Address([2, 0, 0, 0, 0, 0xc0]);

/// A connectable report without the flags of the usual one.
fn says_nothing(trace: Trace) -> Trace {
    let Address([a, b, c, d, e, f]) = PEER;
    let parameters = [0x02, 1, 0, 1, a, b, c, d, e, f, 0, 0xc4];
    trace.event(Event::Other { code: 0x3e, parameters: &parameters })
}

/// A connectable report with the flags of a device that has BR/EDR too.
fn says_both(trace: Trace) -> Trace {
    let Address([a, b, c, d, e, f]) = PEER;
    let parameters = [0x02, 1, 0, 1, a, b, c, d, e, f, 3, 2, 1, 0x02, 0xc4];
    trace.event(Event::Other { code: 0x3e, parameters: &parameters })
}

fn answers() -> Event<'static> {
    Event::ConnectionComplete {
        status: Status::SUCCESS,
        connection_handle: ConnHandle(0x41),
        bd_addr: PEER,
        link_type: 1,
        encryption_enabled: 0,
    }
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "`bluetoothctl`, then at its prompt `remove ADDRESS`, `scan le` until it is found, `connect ADDRESS`.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Set `ControllerMode = le` under `[General]` in /etc/bluetooth/main.conf, then `sudo systemctl restart bluetooth`: this switches BR/EDR off for all devices.",
    ),
    Remedy::any(
        "Ask for a connection over LE in the program, where it leaves the choice to the host.",
    ),
];

const SET_THE_FLAG: Remedy =
    Remedy::firmware("set the advertising flag `BR/EDR Not Supported` (0x04).");

/// The advertising flag BR/EDR Not Supported.
const NO_BREDR: u8 = 0x04;

/// Pages of a device that advertises on LE.
#[derive(Debug)]
struct Paged {
    report_frame: u32,
    /// Its advertising says that it has no BR/EDR.
    flagged: bool,
    /// Each request, and its Connection Complete.
    pages: Vec<(u32, u32)>,
    /// Its advertising says that it has both: headphones and phones advertise on LE and take pages as well.
    both: bool,
    /// This host pages a device that it connects to on LE as well.
    habit: bool,
}

/// Our page that nobody answered: its request, and its Connection Complete.
fn page(connection: &Connection) -> Option<(u32, u32)> {
    let request = connection.request.as_ref()?;
    let timeout = connection.status == Some(Status::PAGE_TIMEOUT);
    Some((request.frame, connection.status_frame().filter(|_| timeout)?))
}

/// Whether the host pages a device in vain that it connects to on LE: then it pages what it knows, and means nothing by it.
fn pages_whatever_it_knows(capture: &Capture) -> bool {
    capture.connections.iter().filter(|c| page(c).is_some()).any(|paged| {
        let mut same =
            paged.peer.address.into_iter().flat_map(|address| capture.attempts_to(address));
        same.any(|c| c.transport == Transport::Le && c.connected_frame().is_some())
    })
}

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let paged: Vec<&Connection> = attempts.iter().copied().filter(|c| page(c).is_some()).collect();
    let device = scene.capture().device(paged.first()?.peer.address?)?;
    let report = device.first.filter(|_| device.connectable_reports > 0)?;
    // A device that answers a page after all has BR/EDR, whatever its advertising says.
    let answers =
        |c: &&Connection| c.transport == Transport::BrEdr && c.connected_frame().is_some();
    let tried_le = |c: &&Connection| c.transport == Transport::Le && c.start_seen;
    if attempts.iter().any(|c| answers(c) || tried_le(c)) {
        return None;
    }
    let facts = Paged {
        report_frame: report.frame,
        flagged: device.flags.is_some_and(|flags| flags & NO_BREDR != 0),
        both: device.flags.is_some_and(|flags| flags & NO_BREDR == 0),
        pages: paged.iter().filter_map(|c| page(c)).collect(),
        habit: pages_whatever_it_knows(scene.capture()),
    };
    let verdict = match (facts.habit, facts.flagged, facts.both) {
        (true, ..) => Verdict::note(facts),
        (false, true, _) => Verdict::cause(facts).sure(Confidence::High),
        (false, false, true) => Verdict::suspect(facts).sure(Confidence::Low),
        (false, false, false) => Verdict::suspect(facts),
    };
    Some(verdict.about(paged.iter().map(|c| c.number)))
}

impl Facts for Paged {
    fn says(&self) -> Text {
        let flagged =
            self.flagged.then_some(" The device even says that it does not support BR/EDR.");
        let both = self.both.then_some(
            " Its advertising says that it has BR/EDR as well: where that is true, it is off, or taken by another host.",
        );
        let habit = self.habit.then_some(
            " This host also pages a device that it connects to on LE, so the pages need not mean anything.",
        );
        text!(
            "The host paged the device on BR/EDR and got no answer; the same address advertises as connectable on LE, and no LE connection was tried.{}{}{}",
            flagged,
            both,
            habit
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let report = Sight::here(self.report_frame, "connectable LE advertising of this address");
        let pages = self.pages.iter().flat_map(|(request, complete)| {
            [
                Sight::here(*request, "Create Connection (BR/EDR)"),
                Sight::here(*complete, "Connection Complete: Page Timeout (0x04)"),
            ]
        });
        std::iter::once(report).chain(pages).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "no LE link was created")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        let mut remedies = REMEDIES.to_vec();
        if !self.flagged {
            remedies.push(SET_THE_FLAG);
        }
        remedies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link whose beginning is not in the capture does not show that this host asked for it on LE.
    #[test]
    fn a_link_on_le_from_before_the_capture_is_no_try_on_le() {
        let link = Trace::new().advertises(0).pages_in_vain().wait_ms(100).up();
        let mut captures = [link.run()];
        let said = |captures: &[Capture]| {
            let scene = Scene { captures, testimonies: &[], subject: 0, comparison: None };
            let attempts: Vec<&Connection> = captures[0].connections.iter().collect();
            check(&scene, &attempts).is_some()
        };
        assert!(!said(&captures));
        captures[0].connections[1].start_seen = false;
        assert!(said(&captures));
        captures[0].connections[1].transport = Transport::BrEdr;
        assert!(!said(&captures), "it answers on BR/EDR");
    }
}
