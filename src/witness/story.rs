//! What a log tells without any capture: one attempt after the other, how each ended, and what its words leave open.
use super::claim::{Claim, Failure, Reason, What};
use super::log::Log;
use crate::packet::Address;
use crate::time::Span;
use std::collections::HashMap;

/// Most attempts that are told apart.
const MOST: usize = 4_096;
/// Most reasons kept of one end: each program may say it in a number system of its own.
const MOST_REASONS: usize = 4;

/// One attempt to connect, as far as the lines of a log tell of it. Places are indices into the log's claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Told {
    /// Whom it was for, where a line says it.
    pub device: Option<Address>,
    /// The line that asks for it, or the first one that tells of it.
    pub begin: usize,
    /// The line that says that it is connected.
    pub up: Option<usize>,
    /// Something of value came of it: services, an MTU, a connection that the program has.
    pub used: bool,
    /// The program, or another one, asked for the end.
    pub hung_up: bool,
    /// The line that says that it ended.
    pub end: Option<usize>,
    /// What the lines call the reason of the end.
    pub reasons: Vec<Reason>,
    /// The line that says that it failed, and how.
    pub failed: Option<(usize, Failure)>,
    /// The adapter or the daemon went away while the link was up.
    pub host_went: Option<usize>,
    /// From "connected" to "disconnected", where the log has times.
    pub lasted: Option<Span>,
}

impl Told {
    /// Whether the lines tell of something that did not work.
    pub fn is_bad(&self) -> bool {
        let wrong = |reason: &Reason| match reason {
            Reason::Hci(code) => !matches!(code, 0x13..=0x16),
            Reason::Mgmt(code) => matches!(code, 0 | 1 | 4),
            // Beside a number of mgmt it adds nothing.
            Reason::Errno(code) => matches!(code, 38 | 110 | 111),
            Reason::Cancelled | Reason::Gatt133 => true,
            Reason::Unsaid => false,
        };
        let lost = self.end.is_some() && !self.used && !self.hung_up;
        self.failed.is_some() || self.host_went.is_some() || lost || self.reasons.iter().any(wrong)
    }

    /// Whether a line names one of these HCI reasons for certain.
    pub fn ended_with(&self, codes: &[u8]) -> bool {
        self.reasons.iter().any(|reason| match reason {
            Reason::Hci(code) => codes.contains(code),
            // One number of mgmt for several of HCI: certain only if all of them are asked for.
            Reason::Mgmt(1..=3) => reason.hci().iter().all(|code| codes.contains(code)),
            Reason::Errno(38) => codes.contains(&0x3e),
            _ => false,
        })
    }
}

/// The attempts of a log, in the order of their beginning.
pub(super) fn attempts(log: &Log) -> Vec<Told> {
    let mut told = Story::default();
    for (place, claim) in log.claims.iter().enumerate() {
        told.claim(place, claim);
    }
    for attempt in &mut told.attempts {
        let at = |place: Option<usize>| log.claims.get(place?)?.at.time();
        attempt.lasted = at(attempt.up).zip(at(attempt.end)).map(|(up, end)| end - up);
    }
    told.attempts
}

#[derive(Default)]
struct Story {
    attempts: Vec<Told>,
    /// The last attempt to each device.
    last: HashMap<Option<Address>, usize>,
}

impl Story {
    fn last(&mut self, claim: &Claim) -> Option<&mut Told> {
        let place = *self.last.get(&claim.device)?;
        self.attempts.get_mut(place)
    }

    fn begin(&mut self, place: usize, claim: &Claim) -> Option<&mut Told> {
        if self.attempts.len() == MOST {
            return None;
        }
        self.last.insert(claim.device, self.attempts.len());
        self.attempts.push(Told { device: claim.device, begin: place, ..Told::default() });
        self.attempts.last_mut()
    }

    fn claim(&mut self, place: usize, claim: &Claim) {
        let last = self.last(claim);
        match claim.what {
            What::ConnectAsked(_) | What::PairAsked => {
                let pairs = claim.what == What::PairAsked;
                let goes_on = last.is_some_and(|last| {
                    last.end.is_none() && last.failed.is_none() && (pairs || last.up.is_none())
                });
                if !goes_on {
                    self.begin(place, claim);
                }
            }
            What::Connected => match last {
                Some(last) if last.end.is_none() => {
                    last.up.get_or_insert(place);
                }
                _ => {
                    if let Some(new) = self.begin(place, claim) {
                        new.up = Some(place);
                    }
                }
            },
            What::ConnectAnswered | What::ProgramConnected => {
                if let Some(last) = last.filter(|last| last.end.is_none()) {
                    last.up.get_or_insert(place);
                    last.used |= claim.what == What::ProgramConnected;
                }
            }
            What::ServicesResolved | What::DiscoveryEnded { ok: true } => {
                if let Some(last) = last.filter(|last| last.end.is_none() && last.up.is_some()) {
                    last.used = true;
                }
            }
            What::HangUpAsked => {
                if let Some(last) = last.filter(|last| last.end.is_none()) {
                    last.hung_up = true;
                }
            }
            What::Disconnected(reason)
            | What::BearerClosed(reason)
            | What::BearerFailed(reason)
            | What::ConnectFailed(reason) => self.ended(place, claim, reason),
            What::UpOrDown => match last {
                Some(last) if last.up.is_some() && last.end.is_none() => last.end = Some(place),
                Some(last) if last.end.is_none() => last.up = Some(place),
                _ => {}
            },
            What::Failed { how, .. } => {
                if last.is_none() {
                    self.begin(place, claim);
                }
                let Some(attempt) = self.last(claim) else { return };
                // The first word that says more than that time ran out.
                let vague = matches!(
                    attempt.failed,
                    None | Some((_, Failure::Other | Failure::TimedOut | Failure::NotDiscovered))
                );
                let says_more = !matches!(how, Failure::Other | Failure::TimedOut);
                if attempt.failed.is_none() || vague && says_more {
                    attempt.failed = Some((place, how));
                }
            }
            What::PoweredOff | What::AdapterGone | What::DaemonStopped | What::DaemonStarted => {
                for attempt in &mut self.attempts {
                    if attempt.up.is_some() && attempt.end.is_none() {
                        attempt.host_went.get_or_insert(place);
                    }
                }
            }
            _ => {}
        }
    }

    fn ended(&mut self, place: usize, claim: &Claim, reason: Reason) {
        if self.last(claim).is_none() && self.begin(place, claim).is_none() {
            return;
        }
        let Some(last) = self.last(claim) else { return };
        // Of a link that has ended, more lines tell the same again.
        last.end.get_or_insert(place);
        let known = last.reasons.contains(&reason) || last.reasons.len() == MOST_REASONS;
        if !known && reason != Reason::Unsaid {
            last.reasons.push(reason);
        }
    }
}

/// What the words of a log leave open: they stand for several truths.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Open {
    /// The claim, an index into the log's claims.
    pub claim: usize,
    /// Which truths the words stand for.
    pub stands_for: &'static str,
}

/// The questions that a log's attempts leave open, each once, in the order of the attempts.
pub(super) fn open(attempts: &[Told]) -> Vec<Open> {
    let mut open: Vec<Open> = Vec::new();
    for attempt in attempts.iter().filter(|attempt| attempt.is_bad()) {
        let Some((claim, stands_for)) = question(attempt) else { continue };
        if open.iter().all(|other| other.stands_for != stands_for) {
            open.push(Open { claim, stands_for });
        }
    }
    open
}

fn question(attempt: &Told) -> Option<(usize, &'static str)> {
    if attempt.host_went.is_some() {
        return None;
    }
    // A reason that one truth alone has needs no guess.
    let certain = attempt.reasons.iter().find_map(|reason| match reason {
        Reason::Hci(_) | Reason::Mgmt(1 | 3 | 5) | Reason::Errno(38 | 110) => Some(None),
        Reason::Mgmt(2) => Some(Some(
            "this host ended it: a program, the daemon's own timer, or the kernel's",
        )),
        Reason::Mgmt(4) | Reason::Errno(111) => {
            Some(Some("a bond that one side has lost, or a pairing that failed"))
        }
        Reason::Gatt133 => Some(Some(
            "a device that was never heard (0x3E), a link that was lost (0x08), or a cancelled attempt (0x02)",
        )),
        _ => None,
    });
    if let Some(certain) = certain {
        return Some((attempt.end?, certain?));
    }
    if let Some((place, how)) = attempt.failed
        && let Some(stands_for) = truths(how)
    {
        return Some((place, stands_for));
    }
    let end = attempt.end.filter(|_| !attempt.hung_up)?;
    let reset = attempt.reasons.contains(&Reason::Errno(104));
    Some(match reset {
        true => (end, "the device hung up (0x13), or this host's own adapter went off"),
        false => (
            end,
            "the device hung up (0x13), the link was lost (0x08), this host ended it (0x16), or the device never answered (0x3E)",
        ),
    })
}

/// The truths that one failure's words stand for, where there are several.
fn truths(how: Failure) -> Option<&'static str> {
    Some(match how {
        Failure::AbortByLocal => {
            "a device that never answered on the link (0x3E), a bond that one side has lost (0x06), or an end that this host wished"
        }
        Failure::Cancelled => {
            "a device that was not heard, an attempt that another program ended, or a link that was never established (0x3E)"
        }
        Failure::DeviceNotFound => {
            "a device that was not heard while scanning, or one that the daemon had forgotten"
        }
        Failure::CharacteristicNotFound => {
            "a UUID that the device does not have, or a discovery that was never answered"
        }
        Failure::LostInDiscovery => {
            "the device hung up (0x13), this host ended the link itself (0x16), or the link was lost (0x08)"
        }
        Failure::NotDiscovered => {
            "a link that was lost before, whoever ended it: no missing discovery"
        }
        Failure::UnlikelyError => {
            "an error that the device sent, a request that it never answered within 30 s, or a link that was lost"
        }
        Failure::TimedOut => {
            "a device that was not heard, a connect request that nobody answered, a request on the link that was not answered, or a limit of the program that was too short"
        }
        Failure::Gatt133 => {
            "a device that was never heard (0x3E), a link that was lost (0x08), or a cancelled attempt (0x02)"
        }
        Failure::Authentication => {
            "a pairing that the device refused, one that this host refused, or a lost bond"
        }
        Failure::InProgress
        | Failure::AdapterOff
        | Failure::NoDaemon
        | Failure::NoSlot
        | Failure::Other => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Input;

    fn told(text: &str) -> (Vec<Told>, Vec<&'static str>) {
        let log = super::super::read(&Input::bytes("x", text.as_bytes()), &Default::default());
        let attempts = attempts(&log.unwrap().unwrap());
        let open = open(&attempts).into_iter().map(|open| open.stands_for).collect();
        (attempts, open)
    }

    /// Lines of a daemon with `-d`, ten milliseconds apart.
    fn journal(lines: &[&str]) -> String {
        let line = |(place, line): (usize, &&str)| {
            format!("Nov 28 07:51:49.{:06} pi bluetoothd[264]: src/{line}\n", place * 10_000)
        };
        lines.iter().enumerate().map(line).collect()
    }

    const ASKED: &str = "device.c:device_connect_le() Connection attempt to: F0:12:7C:AA:00:01";
    const UP: &str =
        "adapter.c:connected_callback() hci0 device F0:12:7C:AA:00:01 connected eir_len 14";

    #[test]
    fn an_attempt_is_told_once_however_many_lines_say_it() {
        let down = "adapter.c:dev_disconnected() Device F0:12:7C:AA:00:01 disconnected, reason 3";
        let closed = "device.c:att_disconnected_cb() Connection reset by peer (104)";
        let ready = "device.c:gatt_client_ready_cb() status: success, error: 0";
        let (attempts, open) =
            told(&journal(&[ASKED, UP, closed, down, down, ASKED, UP, ready, down]));
        assert_eq!(attempts.len(), 2);
        assert_eq!(attempts[0].reasons, [Reason::Errno(104), Reason::Mgmt(3)]);
        assert!(attempts[0].ended_with(&[0x13, 0x14, 0x15]) && !attempts[0].ended_with(&[0x13]));
        assert_eq!(attempts[0].lasted, Some(Span(10_000)));
        assert!(attempts[0].is_bad() && !attempts[1].is_bad());
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn words_for_several_truths_are_a_question() {
        let closed = "device.c:att_disconnected_cb() Connection reset by peer (104)";
        let (_, open) = told(&journal(&[ASKED, UP, closed]));
        assert!(open[0].contains("own adapter"), "{open:?}");
        let (attempts, open) = told(
            "2026-11-28 07:54:02,049 INFO app: Connecting to F0:12:7C:AA:00:01\n\
             2026-11-28 07:54:03,049 DEBUG bleak.backends.bluezdbus.client: F0:12:7C:AA:00:01 retry due to le-connection-abort-by-local\n",
        );
        assert_eq!(attempts.len(), 1);
        assert!(open[0].contains("0x3E") && open[0].contains("0x06"), "{open:?}");
        // The journal's own number for it has one truth.
        let failed =
            "device.c:att_connect_cb() connect to F0:12:7C:AA:00:01: Function not implemented (38)";
        assert!(told(&journal(&[ASKED, UP, failed])).1.is_empty());
    }
}
