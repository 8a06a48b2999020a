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
