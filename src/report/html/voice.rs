//! The third lane: what witnesses say of a connection, as marks beside its lane.
use super::axis::Axis;
use super::escape::text;
use super::format::Format;
use crate::prose::{Text, quoted};
use crate::report::content::Spoken;
use crate::report::{Report, safe};
use std::fmt::Write;

/// Room for the marks and a line of words; in a narrow picture the label is above them.
const HEIGHT: f64 = 50.0;
const LABEL: f64 = 18.0;

/// Marks closer than this become one, and name so many lines.
const NEAR: f64 = 9.0;
const MOST_SAID: usize = 8;

/// How many characters of a log's words have room.
const WIDE_COLUMNS: usize = 120;
const NARROW_COLUMNS: usize = 54;

/// The lines about one connection, being drawn: those of logs, or those of the air.
pub struct Voice<'a> {
    pub report: &'a Report,
    pub axis: &'a Axis,
    pub format: &'a Format,
    pub lines: &'a [Spoken<'a>],
    /// The lane that they are about is the one below.
    pub above: bool,
    pub top: f64,
}

impl Voice<'_> {
    /// The room that it takes: none without lines.
    pub fn height(lines: &[Spoken<'_>], format: &Format) -> f64 {
        match lines.iter().any(|line| line.order.is_some()) {
            true => HEIGHT + if format.narrow { LABEL } else { 0.0 },
            false => 0.0,
        }
    }

    pub fn draw(&self, svg: &mut String) {
        if Self::height(self.lines, self.format) == 0.0 {
            return;
        }
        let narrow = self.format.narrow;
        let top = self.top + if narrow { LABEL } else { 0.0 };
        let label_at = if narrow { self.top + 13.0 } else { top + 15.0 };
        let _ = writeln!(
            svg,
            "<text class=\"small\" x=\"8\" y=\"{label_at:.1}\">{}</text>",
            self.label()
        );
        let mut rest: Vec<(f64, &Spoken<'_>)> = Vec::new();
        for line in self.lines {
            let Some(at) = line.order else { continue };
            let x = self.axis.x(at.0);
            if rest.first().is_some_and(|(first, _)| x - first >= NEAR) {
                self.mark(svg, top, &std::mem::take(&mut rest));
            }
            rest.push((x, line));
        }
        self.mark(svg, top, &rest);
        self.words(svg, top + 36.0);
    }

    fn label(&self) -> &'static str {
        match self.lines.first() {
            Some(line) if line.order_only() && self.above => "on the air, order only \u{2193}",
            Some(line) if line.order_only() => "on the air, order only \u{2191}",
            Some(line) if line.on_air() && self.above => "on the air \u{2193}",
            Some(line) if line.on_air() => "on the air \u{2191}",
            _ => "what the log says",
        }
    }

    fn mark(&self, svg: &mut String, top: f64, lines: &[(f64, &Spoken<'_>)]) {
        let Some((x, _)) = lines.first() else { return };
        let wrong = lines.iter().any(|(_, line)| line.is_wrong);
        let class = if wrong { "voice wrong" } else { "voice" };
        // A speech bubble for words, a diamond for packets.
        let (left, shape) = match lines.first() {
            Some((_, line)) if line.on_air() => (x, "l5 7l-5 7l-5 -7z"),
            _ => (&(x - 5.0), "h10v9h-4l-1 5l-1 -5h-4z"),
        };
        let mut says: Vec<String> =
            lines.iter().take(MOST_SAID).map(|(_, line)| self.says(line)).collect();
        if let Some(more @ 1..) = lines.len().checked_sub(MOST_SAID) {
            says.push(format!("and {more} more"));
        }
        let _ = writeln!(
            svg,
            "<g class=\"{class}\"><title>{}</title><path d=\"M{left:.1} {:.1}{shape}\"/></g>",
            says.join("\n"),
            top + 3.0,
        );
    }

    fn says(&self, line: &Spoken<'_>) -> String {
        let words = format!("{}: {}: {}", line.cites(), line.quote(), line.remark());
        text(&self.report.visible(&Text::from(quoted(&words))))
    }

    /// The line that tells most, readable without a pointer: what is said wrongly, else what names a code.
    fn words(&self, svg: &mut String, at: f64) {
        let telling = self.lines.iter().find(|line| line.is_wrong);
        let telling = telling.or_else(|| self.lines.iter().rfind(|line| line.is_telling));
        let Some(line) = telling.or(self.lines.last()) else { return };
        let (x, columns) = match self.format.narrow {
            true => (8.0, NARROW_COLUMNS),
            false => (self.axis.x(0) + 2.0, WIDE_COLUMNS),
        };
        let says = format!("{}: {}", line.quote(), line.says);
        // Hidden before it is cut: no half of an address stays.
        let says = self.report.visible(&Text::from(quoted(&says)));
        let class = if line.is_wrong { "lost" } else { "small" };
        let _ = writeln!(
            svg,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{at:.1}\">{}</text>",
            text(&safe::fit(&says, columns)),
        );
    }
}
