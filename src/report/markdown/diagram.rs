//! The early phase of both sides as a Mermaid sequence diagram.
use crate::compare::{self, AlignedStep, Comparison, Names, Side, StepKind, rounded};
use crate::packet::Direction;
use crate::prose::{Say, quoted};
use crate::report::content::{self, Said, Spoken, ThirdLane, labels};
use crate::report::{Report, safe, words};
use crate::sides::Sides;
use crate::time::Span;
use crate::timeline::{Connection, Procedure, Step};
use std::fmt::Write;

/// GitHub refuses to draw large diagrams.
const MOST_MESSAGES: usize = 40;

/// Longer labels make the lanes drift apart.
const LONGEST: usize = 70;

/// The diagram's source, without its fence. None where nothing was compared.
pub fn sequence(report: &Report) -> Option<String> {
    let comparison = report.comparison.as_ref()?;
    let names = compare::names(&report.captures, comparison.reference, comparison.subject)?;
    let side = |side: Side| report.captures.get(side.capture)?.connection(side.connection);
    let (left, right) = labels(report, comparison);
    let lanes = Sides {
        reference: Lane {
            id: "A",
            connection: side(comparison.reference)?,
            names: &names.reference,
        },
        subject: Lane { id: "B", connection: side(comparison.subject)?, names: &names.subject },
    };
    let mut drawing =
        Drawing { report, comparison, text: "sequenceDiagram\n".to_owned(), messages: 0 };
    let is_heard = |side: Side, lane: &Lane<'_>| {
        content::spoken(report, side.capture, lane.connection).iter().any(Spoken::on_air)
    };
    let sides = [comparison.reference, comparison.subject];
    for ((lane, label), side) in lanes.iter().zip([&left, &right]).zip(sides) {
        let label = drawing.label(&quoted(label));
        let host = format!("    participant {}h as {label}\n", lane.id);
        let device = format!("    participant {}d as device of {label}\n", lane.id);
        let air = format!("    participant {}a as on the air of {label}\n", lane.id);
        let air = if is_heard(side, lane) { air.as_str() } else { "" };
        // What was on the air stands between both hosts.
        drawing.text += &match lane.id {
            "A" => format!("{host}{device}{air}"),
            _ => format!("{air}{host}{device}"),
        };
    }
    let mut third = ThirdLane::of(report, comparison)?;
    for aligned in &comparison.steps {
        third.before(aligned).iter().for_each(|said| drawing.heard(&lanes, said));
        if drawing.messages + 2 > MOST_MESSAGES {
            let _ = writeln!(drawing.text, "    Note over Ah,Bd: and more, see the table");
            break;
        }
        drawing.step(&lanes, aligned);
    }
    third.rest().iter().for_each(|said| drawing.heard(&lanes, said));
    for lane in lanes.iter().filter(|lane| lane.connection.open()) {
        let ending = drawing.label(&words::ending(lane.connection));
        let _ = writeln!(drawing.text, "    Note over {0}h,{0}d: {ending}", lane.id);
    }
    Some(drawing.text)
}

struct Lane<'a> {
    /// First letter of the lane's two participants.
    id: &'static str,
    connection: &'a Connection,
    names: &'a Names,
}

struct Drawing<'a> {
    report: &'a Report,
    comparison: &'a Comparison,
    text: String,
    messages: usize,
}

impl Drawing<'_> {
    fn step(&mut self, lanes: &Sides<Lane<'_>>, aligned: &AlignedStep) {
        let at = Sides::new(aligned.reference, aligned.subject);
        let steps = lanes.as_ref().zip(at).map(|(lane, at)| lane.connection.steps.get(at?));
        let early = |lane: &Lane<'_>, step: &Step| {
            step.procedure == Procedure::Disconnect
                || lane
                    .connection
                    .after(step.at)
                    .is_none_or(|after| after <= self.comparison.window)
        };
        if !lanes.iter().zip(steps).any(|(lane, step)| step.is_some_and(|step| early(lane, step))) {
            return;
        }
        for (lane, step) in lanes.iter().zip(steps) {
            match step {
                Some(step) => self.message(lane, step),
                None if lane.id == "B" && aligned.kind == StepKind::Missing && !aligned.normal => {
                    let Lane { connection, names, .. } = &lanes.reference;
                    let name = steps.reference.map(|step| words::step(connection, names, step));
                    let name = self.label(&name.unwrap_or_default());
                    let _ = writeln!(self.text, "    Note over Bh,Bd: never: {name}");
                    self.messages += 1;
                }
                None => {}
            }
        }
    }

    fn message(&mut self, lane: &Lane<'_>, step: &Step) {
        let Lane { id, connection, names } = lane;
        let after = connection.after(step.at);
        let after =
            after.map(|after: Span| format!(", {}", rounded(after, self.comparison.resolution)));
        let what = if step.procedure == Procedure::Disconnect {
            words::ending(connection)
        } else {
            words::step(connection, names, step)
        };
        let frame = format!(" (frame {}{})", step.frame, after.unwrap_or_default());
        let what = format!("{}{frame}", self.label(&what));
        let _ = match (step.procedure, step.by) {
            (Procedure::Disconnect, _) => writeln!(self.text, "    Note over {id}h,{id}d: {what}"),
            (_, Direction::Sent) => writeln!(self.text, "    {id}h->>{id}d: {what}"),
            (_, Direction::Received) => writeln!(self.text, "    {id}d->>{id}h: {what}"),
        };
        self.messages += 1;
    }

    /// A packet on the air, at its place in time. A log's words have no room here.
    fn heard(&mut self, lanes: &Sides<Lane<'_>>, (line, is_reference): &Said<'_>) {
        let is_early = line.order.is_none_or(|at| at <= self.comparison.window);
        let is_shown = line.on_air() && (is_early || line.is_telling);
        if !is_shown || self.messages + 2 > MOST_MESSAGES {
            return;
        }
        let lane = if *is_reference { &lanes.reference } else { &lanes.subject };
        let after = match line.after {
            Some(after) => format!(", {}", rounded(after, self.comparison.resolution)),
            None => ", order only".to_owned(),
        };
        let what = self.label(&quoted(&format!("{}: {}", line.words, line.says)));
        let place = line.place;
        let _ =
            writeln!(self.text, "    Note over {}a: {what} (air frame {place}{after})", lane.id);
        self.messages += 1;
    }

    fn label(&self, text: &impl Say) -> String {
        escaped(&safe::fit(&self.report.visible(text), LONGEST))
    }
}

/// Mermaid takes `;` and `#` and much else for its own; numbered entities are drawn as they are meant.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' | '.' | ',' | ':' | '(' | ')' | '/' | '-' | '+' | '=' | '…' | '×' | '–' => {
                out.push(c)
            }
            c if c.is_alphanumeric() => out.push(c),
            c => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_is_mermaids() {
        assert_eq!(escaped("a;b#c\"%%<br>{x}"), "a#59;b#35;c#34;#37;#37;#60;br#62;#123;x#125;");
        assert_eq!(
            escaped("Write 0x004c 8f1d0002… (frame 70)"),
            "Write 0x004c 8f1d0002… (frame 70)"
        );
    }
}
