use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::packet::{Address, AddressType, Status};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::Capture;
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "attempt-not-in-this-capture",
    title: "This capture has no attempt to connect to the device",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The working capture shows a connection to the device; this one shows the device advertising and no request to connect to it. The
failing attempt went over another radio, or was refused before it reached this adapter.

## How it shows
Advertising reports of the device; no create command, accept-list request or connection event for it.

## What else it could be
The capture was started after the attempt, or stopped before it.

## What to do
Find out which adapter or proxy the program used (Home Assistant names the source of each device; BlueZ object paths say hciN),
and capture there. An `ESP_GATT_…` error always comes from an ESPHome proxy and never from a local adapter.",
    sources: &["home-assistant/core#150241", "Bluetooth-Devices/bleak-retry-connector, ble_device_description"],
    check: Check::Capture(check),
    cases: &[
        Case::cause(Confidence::Medium, "the device is only heard", || {
            Example::pair(works(), heard())
        })
        .saying("2 reports"),
        Case::silent("there is a request to it", || {
            let asks = Trace::new().scan(true, 96, 48).advertises(0).create().wait_ms(900);
            Example::pair(works(), asks)
        }),
        Case::cause(Confidence::Medium, "there are requests to other devices only", || {
            let others = heard().peer(OTHER, RANDOM).up().peer(THIRD, RANDOM).handle(0x41).up();
            Example::pair(works(), others)
        }),
        Case::silent("a request to any device of the accept list may have been it", || {
            Example::pair(works(), heard().create_for_anybody())
        }),
        Case::silent("it is not heard", || {
            Example::pair(works(), Trace::new().scan(true, 96, 48).wait_ms(5_000))
        }),
        Case::silent("it works nowhere", || {
            let dead = Trace::new().advertises(0).create().connected().wait_ms(315);
            Example::pair(dead.disconnected(Status::FAILED_TO_BE_ESTABLISHED), heard())
        }),

        Case::silent("it is asked for under its identity", || {
            let air = Address([3, 2, 1, 0, 0, 0x5a]);
            let known = Trace::new().known_under(air).wait_ms(500).peer(PEER, RANDOM).advertises(0);
            Example::pair(works(), known)
        }),
        Case::silent("a device of that name is asked for under another address", || {
            let named = Trace::new().peer(OTHER, RANDOM).advertises_as("Lamp").up().mtu().wait_ms(500);
            let heard = named.hangs_up(Status::REMOTE_USER_TERMINATED).peer(PEER, RANDOM).advertises(0);
            Example::pair(lamp(), heard.wait_ms(100).advertises_as("Lamp"))
        }),
        Case::cause(Confidence::Medium, "a device of that name is heard under another address", || {
            let heard = Trace::new().scan(true, 96, 48).peer(OTHER, RANDOM).advertises_as("Lamp");
            Example::pair(lamp(), heard.wait_ms(500).advertises_as("Lamp"))
        })
        .saying("2 reports"),
        Case::silent("a device of another name is heard", || {
            let heard = Trace::new().scan(true, 96, 48).peer(OTHER, RANDOM).advertises_as("Radio");
            Example::pair(lamp(), heard)
        }),
        Case::silent("only devices without a name are heard, and the working one has none", || {
            let heard = Trace::new().scan(true, 96, 48).peer(OTHER, RANDOM).advertises(0);
            Example::pair(works(), heard)
        }),
        Case::cause(Confidence::Medium, "the working capture has an unheard attempt to another device first", || {
            let dead = Trace::new().peer(OTHER, RANDOM).create().connected().wait_ms(315);
            let dead = dead.disconnected(Status::FAILED_TO_BE_ESTABLISHED).wait_ms(500);
            Example::pair(dead.followed_by(works()), heard())
        })
        .saying("2 reports"),
        Case::cause(Confidence::Medium, "the working capture begins in a link whose device it does not show", || {
            let link = Trace::new().handle(0x77).mtu().wait_ms(500);
            let ended = link.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500).handle(0x40);
            Example::pair(ended.followed_by(works()), heard())
        }),
        Case::cause(Confidence::Medium, "a device of another name is connected to", || {
            let named = Trace::new().peer(OTHER, RANDOM).advertises_as("Radio").up().mtu().wait_ms(500);
            let heard = named.hangs_up(Status::REMOTE_USER_TERMINATED).peer(PEER, RANDOM);
            Example::pair(lamp(), heard.advertises_as("Lamp").wait_ms(100).advertises_as("Lamp"))
        })
        .saying("2 reports"),
    ],
};

/// The same with a device that tells its name.
fn lamp() -> Trace {
    let link = Trace::new().advertises_as("Lamp").up().mtu().wait_ms(500);
    link.hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn works() -> Trace {
    Trace::new().advertises(0).up().mtu().wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED)
}

const RANDOM: AddressType = AddressType::RANDOM;
const OTHER: Address = Address([9, 9, 9, 9, 9, 0xc9]);
const THIRD: Address = Address([8, 9, 9, 9, 9, 0xc9]);

fn heard() -> Trace {
    Trace::new().scan(true, 96, 48).advertises(0).wait_ms(5_000).advertises(0)
}

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Capture on the adapter that the program uses (`/org/bluez/hciN` in its log), or switch Bluetooth proxies off for the test.",
)];

/// A device that is heard here, and that nobody asks for.
#[derive(Debug)]
struct NotHere {
    reports: u64,
    first_frame: u32,
    last_frame: u32,
    /// From the first report to the last.
    lasted: Option<Span>,
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    verdict(scene).into_iter().collect()
}

fn verdict(scene: &Scene<'_>) -> Option<Verdict> {
    let [reference, subject] = scene.captures else { return None };
    // A filtered recording, or a request to the whole accept list, may hide the attempt.
    let hidden = subject.filtered || subject.connections.iter().any(|c| c.peer.address.is_none());
    if scene.comparison.is_some() || scene.subject != 1 || hidden {
        return None;
    }
    let wanted =
        reference.connections.iter().find(|c| c.peer_heard() && c.peer.address.is_some())?;
    let address = wanted.peer.address?;
    let tried = |capture: &Capture| {
        capture.connections.iter().any(|c| {
            c.peer.address == Some(address)
                || c.peer.identity.is_some_and(|(known, _)| known == address)
                || (c.peer.name.is_some() && c.peer.name == wanted.peer.name)
        })
    };
    if tried(subject) {
        return None;
    }
    let named =
        |name: &Option<String>| name.is_some() && name.as_deref() == wanted.peer.name.as_deref();
    let device = subject.devices.iter().find(|d| d.address == address || named(&d.name))?;
    let (first, last) = (device.first?, device.last?);
    let facts = NotHere {
        reports: device.reports,
        first_frame: first.frame,
        last_frame: last.frame,
        lasted: last.at.since(first.at),
    };
    Some(Verdict::cause(facts).sure(Confidence::Medium))
}

impl Facts for NotHere {
    fn says(&self) -> Text {
        let lasted = self.lasted.map(|lasted| text!(" over {}", lasted));
        text!(
            "The device is heard in this capture ({} reports{}), and no request to connect to it was ever sent on this adapter. The failing attempt is not in this capture.",
            self.reports,
            lasted
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.first_frame, "first advertising report of the device"),
            Sight::here(
                self.last_frame,
                "last advertising report of the device; no connect request in between or after",
            ),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "no connect request was sent")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "The program's log names the adapter or proxy that it used: capture there, from before the attempt until after the error."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request to the device is an attempt, also where nothing can be compared.
    #[test]
    fn a_request_to_the_device_is_an_attempt() {
        let asks = || heard().create().wait_ms(900);
        let said = |subject: Trace| {
            let captures = [works().run(), subject.run()];
            let scene =
                Scene { captures: &captures, testimonies: &[], subject: 1, comparison: None };
            verdict(&scene).is_some()
        };
        assert!(said(heard()));
        assert!(said(heard().peer(OTHER, RANDOM).create().wait_ms(900)), "to another device");
        assert!(!said(asks()));
        // The capture that works is not asked where its own attempt is.
        let captures = [heard().run(), heard().run()];
        let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
        assert!(verdict(&scene).is_none());
        let captures = [works().run(), heard().run()];
        assert!(
            verdict(&Scene { captures: &captures, ..scene }).is_none(),
            "the first one is asked"
        );
        assert!(verdict(&Scene { captures: &captures, subject: 1, ..scene }).is_some());
    }
}
