//! All attempts of a capture to one device, counted by how they came out.
use super::choose::routine;
use super::standing::Failure;
use super::{Others, same_peer};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Capture, Connection};

/// What became of an attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Failed(Failure),
    /// The link was up when the capture ended.
    Open,
    /// The capture holds data alone.
    Unknown,
    /// Nothing answered the request before the capture ended.
    Waiting,
    /// A request for any device of the accept list, taken back.
    Background,
    Normal,
}

impl Fate {
    fn of(connection: &Connection) -> Self {
        match Failure::of(connection) {
            Some(failure) => Self::Failed(failure),
            None if connection.open() => Self::Open,
            None if connection.end_unknown => Self::Unknown,
            None if connection.connected() => Self::Normal,
            None if connection.status.is_none() => Self::Waiting,
            None => Self::Background,
        }
    }
}

/// How many attempts a capture has to one device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All attempts to the device.
    pub attempts: usize,
    /// Links that were up when the capture ended.
    pub open: usize,
    /// How many of them failed.
    pub failed: usize,
}

/// Counts the attempts to the device of this one, whatever became of them.
pub fn tally(capture: &Capture, shown: &Connection) -> Tally {
    let attempts = all(capture, shown);
    let count = |fate: fn(Fate) -> bool| attempts.iter().filter(|c| fate(Fate::of(c))).count();
    Tally {
        attempts: attempts.len(),
        open: count(|fate| fate == Fate::Open),
        failed: count(|fate| matches!(fate, Fate::Failed(_))),
    }
}

/// What a host arms in the background and takes back is no attempt.
fn all<'a>(capture: &'a Capture, shown: &Connection) -> Vec<&'a Connection> {
    let of_device =
        |c: &&Connection| c.number == shown.number || same_peer(c, shown) && !routine(capture, c);
    capture.connections.iter().filter(of_device).collect()
}

/// The attempts of a capture to the device of this one, and what became of all of them.
pub fn others(capture: &Capture, shown: &Connection) -> Others {
    let attempts = all(capture, shown);
    if attempts.len() < 2 {
        return Others::default();
    }
    let mut kinds: Vec<(Fate, Vec<&Connection>)> = Vec::new();
    for connection in &attempts {
        let fate = Fate::of(connection);
        match kinds.iter_mut().find(|(kind, _)| *kind == fate) {
            Some((_, of_kind)) => of_kind.push(connection),
            None => kinds.push((fate, vec![connection])),
        }
    }
    let total = attempts.len();
    let says = kinds.iter().map(|(fate, of_kind)| {
        let count = match of_kind.len() {
            all if all == total && total == 2 => "both".into(),
            all if all == total => text!("all {}", total),
            some => text!("{} of {}", some, total),
        };
        let what = match fate {
            Fate::Failed(failure) => text!("{}{}", failure.says(), after(of_kind)),
            Fate::Open => "still up when the capture ends".into(),
            Fate::Unknown => "with an end that is not in the capture".into(),
            Fate::Waiting => "without an answer".into(),
            Fate::Background => "only waited in the background".into(),
            Fate::Normal => "ended normally".into(),
        };
        text!("{} {}", count, what)
    });
    let says = Text::joined(says, ", ");
    let rest = attempts.iter().map(|c| c.number).filter(|number| *number != shown.number);
    Others { connections: rest.collect(), says }
}

/// ` after 315–340 ms`, of all that lived.
fn after(connections: &[&Connection]) -> Text {
    let lives: Vec<Span> = connections.iter().filter_map(|c| c.life()).collect();
    let (Some(low), Some(high)) = (lives.iter().min(), lives.iter().max()) else {
        return Text::EMPTY;
    };
    match (low.to_string(), high.to_string()) {
        (low, high) if low == high => text!(" after {}", format_args!("{low}")),
        (low, high) => match (low.split_once(' '), high.split_once(' ')) {
            (Some((number, unit)), Some((_, same))) if unit == same => {
                text!(" after {}–{}", format_args!("{number}"), format_args!("{high}"))
            }
            _ => text!(" after {}–{}", format_args!("{low}"), format_args!("{high}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Address, AddressType, Status};
    use crate::trace::Trace;

    fn says(trace: Trace, number: u32) -> String {
        let capture = trace.run();
        others(&capture, capture.connection(number).expect("a connection")).says.to_string()
    }

    fn good() -> Trace {
        Trace::new().up().mtu().wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED)
    }

    fn unheard() -> Trace {
        let link = Trace::new().create().connected().wait_ms(315);
        link.disconnected(Status::FAILED_TO_BE_ESTABLISHED)
    }

    #[test]
    fn an_attempt_without_a_link_waits_or_was_taken_back() {
        let of = |trace: Trace| Fate::of(&trace.run().connections[0]);
        assert!(matches!(of(Trace::new().create_for_anybody()), Fate::Waiting));
        let taken_back = Trace::new().create_for_anybody().wait_ms(900).cancel();
        assert!(matches!(of(taken_back), Fate::Background));
    }

    #[test]
    fn open_links_are_open() {
        let both = unheard().followed_by(good()).followed_by(Trace::new().up().mtu());
        assert_eq!(
            says(both, 1),
            "1 of 3 ended 0x3e after 315 ms, 1 of 3 ended normally, 1 of 3 still up when the capture ends"
        );
        let waits = good().followed_by(Trace::new().create());
        assert_eq!(says(waits, 1), "1 of 2 ended normally, 1 of 2 without an answer");
        assert_eq!(says(good().followed_by(good()), 1), "both ended normally");
    }

    #[test]
    fn attempts_to_another_device_are_not_counted() {
        let other = Trace::new().peer(Address([9, 0, 0, 0, 0, 0xc9]), AddressType::RANDOM).up();
        assert_eq!(says(good().followed_by(other), 1), "");
    }

    /// What a host arms and takes back to arm it anew failed at nothing.
    #[test]
    fn waiting_in_the_background_is_no_attempt() {
        let armed = |pause| Trace::new().create_for_anybody().wait_ms(500).cancel().wait_ms(pause);
        let again = armed(100).followed_by(good());
        assert_eq!(says(again, 2), "");
    }

    fn tallied(trace: Trace) -> (usize, usize, usize) {
        let capture = trace.run();
        let Tally { attempts, open, failed } = tally(&capture, &capture.connections[0]);
        (attempts, open, failed)
    }

    #[test]
    fn attempts_are_counted_by_what_became_of_them() {
        let open = || Trace::new().up().mtu();
        let waits = || Trace::new().create();
        assert_eq!(tallied(good()), (1, 0, 0));
        assert_eq!(tallied(unheard().followed_by(unheard()).followed_by(good())), (3, 0, 2));
        assert_eq!(tallied(good().followed_by(open())), (2, 1, 0));
        assert_eq!(tallied(good().followed_by(waits())), (2, 0, 0));
        let other = Trace::new().peer(Address([9, 0, 0, 0, 0, 0xc9]), AddressType::RANDOM).up();
        assert_eq!(tallied(good().followed_by(other)), (1, 0, 0));
    }

    #[test]
    fn the_others_are_all_but_the_one_that_is_shown() {
        let capture = good().followed_by(unheard()).followed_by(good()).run();
        let of = |number| others(&capture, capture.connection(number).expect("it is there"));
        assert_eq!(of(1).connections, [2, 3]);
        assert_eq!(of(2).connections, [1, 3]);
        assert_eq!(of(1).says, of(2).says);
        let one = good().run();
        assert_eq!(others(&one, &one.connections[0]), Others::default());
    }

    #[test]
    fn all_of_them_and_both_are_said_so() {
        let after = |ms| {
            let link = Trace::new().create().connected().wait_ms(ms);
            link.disconnected(Status::FAILED_TO_BE_ESTABLISHED)
        };
        let (two, three) = (unheard().repeated(2, 100), unheard().repeated(3, 100));
        assert_eq!(says(two, 1), "both ended 0x3e after 315 ms");
        assert_eq!(says(three, 1), "all 3 ended 0x3e after 315 ms");
        assert_eq!(says(after(315).followed_by(after(340)), 1), "both ended 0x3e after 315–340 ms");
        assert_eq!(says(after(340).followed_by(after(315)), 1), "both ended 0x3e after 315–340 ms");
        let units = says(after(315).followed_by(after(2_000)), 1);
        assert_eq!(units, "both ended 0x3e after 315 ms–2.00 s");
        let never = Trace::new().create().connect_failed(Status::CONNECTION_LIMIT_EXCEEDED);
        assert_eq!(says(never.repeated(2, 100), 1), "both were refused 0x09");
    }

    #[test]
    fn an_end_that_the_capture_cannot_show_is_not_said_to_be_normal() {
        let mut capture = good().followed_by(good()).run();
        capture.connections[1].end = None;
        capture.connections[1].end_unknown = true;
        let says = others(&capture, &capture.connections[0]).says.to_string();
        assert_eq!(says, "1 of 2 ended normally, 1 of 2 with an end that is not in the capture");
    }

    /// The device of a wait by the accept list is known where it leaves the list with it.
    #[test]
    fn a_wait_for_this_device_that_goes_on_is_no_attempt() {
        use crate::packet::hci::Command;
        use crate::trace::PEER;
        let (address, address_type) = (PEER, AddressType::RANDOM);
        let armed = |pause| {
            let listed = Command::LeAddDeviceToFilterAcceptList { address_type, address };
            let waits = Trace::new().done(listed).create_for_anybody().wait_ms(500).cancel();
            let left = Command::LeRemoveDeviceFromFilterAcceptList { address_type, address };
            waits.done(left).wait_ms(pause).followed_by(good())
        };
        assert_eq!(armed(100).run().connections[0].peer.address, Some(PEER));
        assert_eq!(says(armed(100), 2), "");
        assert!(
            says(armed(2_500), 2).contains("1 of 2 ended normally"),
            "{}",
            says(armed(2_500), 2)
        );
        assert_eq!(tallied(armed(2_500)).0, 2);
    }
}
