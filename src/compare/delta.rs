//! What differs between two steps that correspond.
use super::words;
use crate::packet::att::{ErrorCode, Handle};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Detail, Outcome, Procedure, Step};

/// What differs, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    pub notes: Vec<Text>,
    /// Something here is not normal between two host stacks.
    pub matters: bool,
}

impl Delta {
    fn normal(&mut self, note: impl Into<Text>) {
        self.notes.push(note.into());
    }

    fn matters(&mut self, note: impl Into<Text>) {
        self.notes.push(note.into());
        self.matters = true;
    }
}

/// A difference in time that a reader would notice.
const NOTICEABLE: Span = Span::from_ms(250);

/// Compares what two corresponding steps were and came to.
pub fn compare(reference: &Step, subject: &Step) -> Delta {
    let mut delta = Delta::default();
    outcomes(&mut delta, reference, subject);
    if reference.procedure != subject.procedure
        && matches!(subject.procedure, Procedure::Write | Procedure::WriteCommand)
        && matches!(reference.procedure, Procedure::Write | Procedure::WriteCommand)
    {
        let name = |step: &Step| {
            if step.procedure == Procedure::Write { "Write Request" } else { "Write Command" }
        };
        delta.matters(text!("{} in place of {}", name(subject), name(reference)));
    }
    details(&mut delta, reference, subject);
    let (few, many) = (reference.count.min(subject.count), reference.count.max(subject.count));
    if many >= 10
        && many / 4 >= few
        && matches!(subject.procedure, Procedure::Notify | Procedure::Indicate)
    {
        delta.normal(text!("×{} against ×{}", reference.count, subject.count));
    }
    if reference.count == 1
        && subject.count == 1
        && reference.bytes != subject.bytes
        && matches!(subject.procedure, Procedure::Write | Procedure::WriteCommand)
    {
        delta.matters(text!("value length {} against {} bytes", reference.bytes, subject.bytes));
    }
    delta
}

fn outcomes(delta: &mut Delta, reference: &Step, subject: &Step) {
    let (good, bad) = (reference.outcome, subject.outcome);
    if matches!(reference.procedure, Procedure::Disconnect) {
        // How the links ended is compared by itself.
        return;
    }
    if good == bad && (good == Outcome::Ok || reference.status == subject.status) {
        return;
    }
    let unsure = |outcome| outcome == Outcome::Unknown;
    let mtu_unsupported = |step: &Step| {
        step.procedure == Procedure::ExchangeMtu
            && step.status == Some(ErrorCode::REQUEST_NOT_SUPPORTED.0)
    };
    let note = words::against(words::outcome(reference), words::outcome(subject));
    if unsure(good) || unsure(bad) || mtu_unsupported(subject) || mtu_unsupported(reference) {
        delta.normal(note);
    } else {
        delta.matters(note);
    }
}

fn details(delta: &mut Delta, reference: &Step, subject: &Step) {
    match (reference.detail, subject.detail) {
        (
            Detail::Mtu { asked, answered, answers },
            Detail::Mtu { asked: asked_too, answered: answered_too, answers: answers_too },
        ) => {
            if reference.by != subject.by {
                delta.normal("asked by the other side");
            }
            if (asked, answered) != (asked_too, answered_too) {
                let said = |asked: u16, answered: Option<u16>| match answered {
                    Some(answered) => text!("{}/{}", asked, answered),
                    None => text!("{}/-", asked),
                };
                let (one, other) = (said(asked, answered), said(asked_too, answered_too));
                delta.normal(text!("MTU {} against {}", one, other));
            }
            if answers.max(1) != answers_too.max(1) {
                delta.matters(text!("answered {} against {} times", answers, answers_too));
            }
        }
        (
            Detail::Encryption { key, key_size },
            Detail::Encryption { key: key_too, key_size: size_too },
        ) => {
            if key != key_too {
                delta.matters(words::against(key, key_too));
            }
            if key_size != size_too && key_size != 0 && size_too != 0 {
                delta.matters(text!("key size {} against {}", key_size, size_too));
            }
        }
        (Detail::Subscription { value }, Detail::Subscription { value: other })
            if value != other =>
        {
            delta.matters(words::against(words::subscription(value), words::subscription(other)));
        }
        (
            Detail::Write { prepared, signed, .. },
            Detail::Write { prepared: long, signed: also, .. },
        ) => {
            if prepared != long {
                let name = |long| if long { "long write" } else { "single write" };
                delta.matters(words::against(name(prepared), name(long)));
            }
            if signed != also {
                delta.matters("signed on one side only");
            }
        }
        (
            Detail::Discovery { first, last, by_uuid, .. },
            Detail::Discovery { first: first_too, last: last_too, by_uuid: by_too, .. },
        ) => {
            if by_uuid != by_too {
                let name = |by_uuid| if by_uuid { "by UUID" } else { "in full" };
                delta.normal(words::against(name(by_uuid), name(by_too)));
            } else if (first, last) != (first_too, last_too) {
                let range = |first, last| text!("{}-{}", Handle(first), Handle(last));
                delta.normal(words::against(range(first, last), range(first_too, last_too)));
            }
        }
        (Detail::Pairing { phase, .. }, Detail::Pairing { phase: phase_too, .. })
            if phase != phase_too && reference.outcome != subject.outcome =>
        {
            delta.matters(words::against(phase, phase_too));
        }
        (
            Detail::Parameters {
                granted_interval: a, granted_latency: b, granted_timeout: c, ..
            },
            Detail::Parameters {
                granted_interval: x, granted_latency: y, granted_timeout: z, ..
            },
        ) if (a, b, c) != (x, y, z) && a != 0 && x != 0 => {
            delta.normal(words::against(words::parameters(a, b, c), words::parameters(x, y, z)));
        }
        _ => {}
    }
}

/// A wait before a step, or a step, that took noticeably longer on one side.
pub fn times(what: &'static str, reference: Option<Span>, subject: Option<Span>) -> Option<Text> {
    let (a, b) = (reference?, subject?);
    let (short, long) = if a.0 < b.0 { (a, b) } else { (b, a) };
    let noticeable = long.0.saturating_sub(short.0) >= NOTICEABLE.0
        && long.0 >= short.0.max(0).saturating_mul(2);
    noticeable.then(|| text!("{} {} against {}", what, a, b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::tests::step;
    use crate::packet::Direction;
    use crate::timeline::{Encryption, PairingPhase};

    /// What is noted, and `!` before it where it matters.
    fn delta(reference: &Step, subject: &Step) -> String {
        let delta = compare(reference, subject);
        let notes: Vec<String> = delta.notes.iter().map(ToString::to_string).collect();
        format!("{}{}", if delta.matters { "!" } else { "" }, notes.join("; "))
    }

    /// The same of two details of one procedure.
    fn details(procedure: Procedure, reference: Detail, subject: Detail) -> String {
        delta(&step(procedure, reference), &step(procedure, subject))
    }

    const PLAIN: Detail = Detail::Write { head: 0, prepared: false, signed: false };

    #[test]
    fn another_kind_of_write_matters() {
        use Procedure::{Notify, Read, Write, WriteCommand};
        let of = |a, b| delta(&step(a, PLAIN), &step(b, PLAIN));
        assert_eq!(of(Write, WriteCommand), "!Write Command in place of Write Request");
        assert_eq!(of(WriteCommand, Write), "!Write Request in place of Write Command");
        for (a, b) in [
            (Write, Write),
            (WriteCommand, WriteCommand),
            (Read, Write),
            (Write, Read),
            (Read, Notify),
        ] {
            assert_eq!(of(a, b), "", "{a} {b}");
        }
    }

    #[test]
    fn another_outcome_matters_where_both_are_known() {
        use Outcome::{CutOff, Error, Unanswered, Unknown};
        let failed = |procedure, outcome, status| {
            let mut step = step(procedure, Detail::None);
            (step.outcome, step.status) = (outcome, status);
            step
        };
        let read = |outcome, status| failed(Procedure::Read, outcome, status);
        let good = || read(Outcome::Ok, None);
        assert_eq!(delta(&good(), &read(Unanswered, None)), "!ok against unanswered");
        assert_eq!(delta(&read(CutOff, None), &good()), "!cut off by the link's end against ok");
        assert_eq!(delta(&good(), &read(Unknown, None)), "ok against outcome not in the capture");
        assert_eq!(delta(&read(Unknown, None), &good()), "outcome not in the capture against ok");
        assert_eq!(delta(&good(), &good()), "");
        // Success may carry a number: it is no difference.
        assert_eq!(delta(&good(), &read(Outcome::Ok, Some(0))), "");
        let refused = |code| read(Error, Some(code));
        assert_eq!(delta(&refused(5), &refused(5)), "");
        let two = "!Insufficient Authentication (0x05) against Request Not Supported (0x06)";
        assert_eq!(delta(&refused(5), &refused(6)), two);
        // How links end is compared by itself.
        let end = |outcome| failed(Procedure::Disconnect, outcome, None);
        assert_eq!(delta(&end(Outcome::Ok), &end(Unanswered)), "");
        // Who does not support the exchange has the default, as who never asks.
        let mtu = |outcome, status| failed(Procedure::ExchangeMtu, outcome, status);
        let (took, unsupported) = (mtu(Outcome::Ok, None), mtu(Error, Some(6)));
        assert_eq!(delta(&took, &unsupported), "ok against Request Not Supported (0x06)");
        assert_eq!(delta(&unsupported, &took), "Request Not Supported (0x06) against ok");
        let refused = mtu(Error, Some(5));
        assert_eq!(delta(&took, &refused), "!ok against Insufficient Authentication (0x05)");
        assert_eq!(
            delta(&good(), &read(Error, Some(6))),
            "!ok against Request Not Supported (0x06)"
        );
    }

    /// Ten and more are many, and four times as many is another number.
    #[test]
    fn notifications_that_came_far_more_often_are_noted() {
        use Procedure::{Indicate, Notify, WriteCommand};
        let of = |procedure, few, many| {
            let (mut a, mut b) = (step(procedure, Detail::None), step(procedure, Detail::None));
            (a.count, b.count) = (few, many);
            delta(&a, &b)
        };
        assert_eq!(of(Notify, 2, 10), "×2 against ×10");
        assert_eq!(of(Notify, 10, 2), "×10 against ×2");
        assert_eq!(of(Notify, 2, 9), "");
        assert_eq!(of(Indicate, 3, 12), "×3 against ×12");
        assert_eq!(of(Indicate, 3, 11), "");
        assert_eq!(of(Indicate, 4, 15), "");
        assert_eq!(of(WriteCommand, 3, 12), "");
    }

    #[test]
    fn another_length_of_one_written_value_matters() {
        use Procedure::{Read, Write, WriteCommand};
        let of = |procedure, (count, bytes), (count_too, bytes_too)| {
            let (mut a, mut b) = (step(procedure, PLAIN), step(procedure, PLAIN));
            (a.count, a.bytes) = (count, bytes);
            (b.count, b.bytes) = (count_too, bytes_too);
            delta(&a, &b)
        };
        assert_eq!(of(Write, (1, 3), (1, 4)), "!value length 3 against 4 bytes");
        assert_eq!(of(WriteCommand, (1, 4), (1, 3)), "!value length 4 against 3 bytes");
        assert_eq!(of(Write, (1, 3), (1, 3)), "");
        assert_eq!(of(Write, (2, 3), (1, 4)), "");
        assert_eq!(of(Write, (1, 3), (2, 4)), "");
        assert_eq!(of(Read, (1, 3), (1, 4)), "");
    }

    #[test]
    fn the_exchange_of_the_mtu_is_compared_with_its_answers() {
        let mtu = |asked, answered, answers| {
            step(Procedure::ExchangeMtu, Detail::Mtu { asked, answered, answers })
        };
        let one = || mtu(517, Some(247), 1);
        assert_eq!(delta(&one(), &one()), "");
        assert_eq!(delta(&one(), &mtu(185, Some(247), 1)), "MTU 517/247 against 185/247");
        assert_eq!(delta(&one(), &mtu(517, None, 1)), "MTU 517/247 against 517/-");
        assert_eq!(delta(&one(), &mtu(517, Some(247), 2)), "!answered 1 against 2 times");
        // No answer is no repeated answer.
        assert_eq!(delta(&one(), &mtu(517, Some(247), 0)), "");
        let mut theirs = one();
        theirs.by = Direction::Received;
        assert_eq!(delta(&one(), &theirs), "asked by the other side");
    }

    #[test]
    fn keys_and_subscriptions_are_compared() {
        use Encryption::{Fresh, Stored};
        let of = |(key, key_size), (too, size_too)| {
            let (a, b) = (
                Detail::Encryption { key, key_size },
                Detail::Encryption { key: too, key_size: size_too },
            );
            details(Procedure::Encrypt, a, b)
        };
        assert_eq!(of((Stored, 16), (Fresh, 16)), "!stored key against fresh key");
        assert_eq!(of((Stored, 16), (Stored, 7)), "!key size 16 against 7");
        // A size of zero was not said.
        assert_eq!(of((Stored, 16), (Stored, 0)), "");
        assert_eq!(of((Stored, 0), (Stored, 16)), "");
        assert_eq!(of((Stored, 16), (Stored, 16)), "");
        let set = |value, other| {
            let (a, b) = (Detail::Subscription { value }, Detail::Subscription { value: other });
            details(Procedure::Subscribe, a, b)
        };
        assert_eq!(set(1, 2), "!notifications against indications");
        assert_eq!(set(1, 1), "");
    }

    #[test]
    fn how_a_value_was_written_matters() {
        let write = |prepared, signed| Detail::Write { head: 0, prepared, signed };
        let of = |a, b| details(Procedure::Write, a, b);
        assert_eq!(of(PLAIN, write(true, false)), "!single write against long write");
        assert_eq!(of(write(true, false), PLAIN), "!long write against single write");
        assert_eq!(of(PLAIN, write(false, true)), "!signed on one side only");
        assert_eq!(of(write(true, true), write(true, true)), "");
    }

    #[test]
    fn another_range_of_a_discovery_is_normal() {
        let range = |first, last, by_uuid| Detail::Discovery {
            first,
            last,
            found: 0,
            attribute_type: 0x2800,
            by_uuid,
        };
        let of = |a, b| details(Procedure::DiscoverServices, a, b);
        let all = range(1, 0xffff, false);
        assert_eq!(of(all, range(1, 0xffff, true)), "in full against by UUID");
        assert_eq!(of(range(1, 0xffff, true), all), "by UUID against in full");
        assert_eq!(of(all, range(2, 0xffff, false)), "0x0001-0xffff against 0x0002-0xffff");
        assert_eq!(of(all, all), "");
    }

    #[test]
    fn how_far_a_pairing_came_matters_where_it_came_to_something_else() {
        use PairingPhase::{Confirm, KeyDistribution};
        let pairing = |phase, outcome| {
            let [request, response] = [[3, 0, 1, 16]; 2];
            let detail = Detail::Pairing { phase, request, response, refused_by: None };
            Step { outcome, ..step(Procedure::Pair, detail) }
        };
        let done = pairing(KeyDistribution, Outcome::Ok);
        let cut = |phase| pairing(phase, Outcome::CutOff);
        let both =
            "!ok against cut off by the link's end; keys distributed against confirm value sent";
        assert_eq!(delta(&done, &cut(Confirm)), both);
        assert_eq!(delta(&done, &cut(KeyDistribution)), "!ok against cut off by the link's end");
        assert_eq!(delta(&cut(KeyDistribution), &cut(Confirm)), "");
    }

    #[test]
    fn what_was_granted_is_compared_where_both_were_seen() {
        let granted = |interval, latency, timeout| Detail::Parameters {
            min: 0,
            max: 0,
            latency: 0,
            timeout: 0,
            granted_interval: interval,
            granted_latency: latency,
            granted_timeout: timeout,
        };
        let of = |a, b| details(Procedure::ParameterUpdate, a, b);
        let one = granted(24, 0, 72);
        let slower = "30 ms, latency 0, timeout 720 ms against 60 ms, latency 0, timeout 720 ms";
        assert_eq!(of(one, granted(48, 0, 72)), slower);
        assert_eq!(of(one, one), "");
        assert_eq!(of(one, granted(0, 0, 0)), "");
        assert_eq!(of(granted(0, 0, 0), one), "");
    }

    /// A quarter of a second more, and at least twice as long.
    #[test]
    fn a_time_is_noted_where_it_is_much_longer() {
        let of = |a: i64, b: i64| {
            times("took", Some(Span::from_ms(a)), Some(Span::from_ms(b))).map(|t| t.to_string())
        };
        assert_eq!(of(250, 500).as_deref(), Some("took 250 ms against 500 ms"));
        assert_eq!(of(500, 250).as_deref(), Some("took 500 ms against 250 ms"));
        assert_eq!(of(249, 498), None);
        assert_eq!(of(300, 599), None);
        assert!(of(0, 250).is_some());
        // Clocks step back.
        assert!(of(-100, 200).is_some());
        assert!(of(0, 249).is_none());
        assert_eq!(times("took", None, Some(Span::from_ms(900))), None);
    }
}
