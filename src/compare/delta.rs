//! What differs between two steps that correspond.
use super::words;
use crate::time::Span;
use crate::timeline::{Detail, Outcome, Procedure, Step};

/// What differs, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    pub notes: Vec<String>,
    /// Something here is not normal between two host stacks.
    pub matters: bool,
}

impl Delta {
    fn normal(&mut self, note: String) {
        self.notes.push(note);
    }

    fn matters(&mut self, note: String) {
        self.notes.push(note);
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
        delta.matters(format!("{} in place of {}", name(subject), name(reference)));
    }
    details(&mut delta, reference, subject);
    let (few, many) = (reference.count.min(subject.count), reference.count.max(subject.count));
    if many >= 10
        && many / 4 >= few
        && matches!(subject.procedure, Procedure::Notify | Procedure::Indicate)
    {
        delta.normal(format!("×{} against ×{}", reference.count, subject.count));
    }
    if reference.count == 1
        && subject.count == 1
        && reference.bytes != subject.bytes
        && matches!(subject.procedure, Procedure::Write | Procedure::WriteCommand)
    {
        delta.matters(format!("value length {} against {} bytes", reference.bytes, subject.bytes));
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
    let mtu_unsupported =
        |step: &Step| step.procedure == Procedure::ExchangeMtu && step.status == Some(0x06);
    let note = format!("{} against {}", words::outcome(reference), words::outcome(subject));
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
                delta.normal("asked by the other side".to_owned());
            }
            if (asked, answered) != (asked_too, answered_too) {
                let said = |asked: u16, answered: Option<u16>| match answered {
                    Some(answered) => format!("{asked}/{answered}"),
                    None => format!("{asked}/-"),
                };
                delta.normal(format!(
                    "MTU {} against {}",
                    said(asked, answered),
                    said(asked_too, answered_too)
                ));
            }
            if answers.max(1) != answers_too.max(1) {
                delta.matters(format!("answered {answers} against {answers_too} times"));
            }
        }
        (
            Detail::Encryption { key, key_size },
            Detail::Encryption { key: key_too, key_size: size_too },
        ) => {
            if key != key_too {
                delta.matters(format!("{key} against {key_too}"));
            }
            if key_size != size_too && key_size != 0 && size_too != 0 {
                delta.matters(format!("key size {key_size} against {size_too}"));
            }
        }
        (Detail::Subscription { value }, Detail::Subscription { value: other })
            if value != other =>
        {
            delta.matters(format!(
                "{} against {}",
                words::subscription(value),
                words::subscription(other)
            ));
        }
        (
            Detail::Write { prepared, signed, .. },
            Detail::Write { prepared: long, signed: also, .. },
        ) => {
            if prepared != long {
                let name = |long| if long { "long write" } else { "single write" };
                delta.matters(format!("{} against {}", name(prepared), name(long)));
            }
            if signed != also {
                delta.matters("signed on one side only".to_owned());
            }
        }
        (
            Detail::Discovery { first, last, by_uuid, .. },
            Detail::Discovery { first: first_too, last: last_too, by_uuid: by_too, .. },
        ) => {
            if by_uuid != by_too {
                let name = |by_uuid| if by_uuid { "by UUID" } else { "in full" };
                delta.normal(format!("{} against {}", name(by_uuid), name(by_too)));
            } else if (first, last) != (first_too, last_too) {
                delta.normal(format!(
                    "{first:#06x}-{last:#06x} against {first_too:#06x}-{last_too:#06x}"
                ));
            }
        }
        (Detail::Pairing { phase, .. }, Detail::Pairing { phase: phase_too, .. })
            if phase != phase_too && reference.outcome != subject.outcome =>
        {
            delta.matters(format!("{phase} against {phase_too}"));
        }
        (
            Detail::Parameters {
                granted_interval: a, granted_latency: b, granted_timeout: c, ..
            },
            Detail::Parameters {
                granted_interval: x, granted_latency: y, granted_timeout: z, ..
            },
        ) if (a, b, c) != (x, y, z) && a != 0 && x != 0 => {
            delta.normal(format!(
                "{} against {}",
                words::parameters(a, b, c),
                words::parameters(x, y, z)
            ));
        }
        _ => {}
    }
}

/// A wait before a step, or a step, that took noticeably longer on one side.
pub fn times(what: &str, reference: Option<Span>, subject: Option<Span>) -> Option<String> {
    let (a, b) = (reference?, subject?);
    let (short, long) = if a.0 < b.0 { (a, b) } else { (b, a) };
    let noticeable = long.0.saturating_sub(short.0) >= NOTICEABLE.0
        && long.0 >= short.0.max(0).saturating_mul(2);
    noticeable.then(|| format!("{what} {a} against {b}"))
}
