//! One connection as a lane of the picture: phases as bars, steps as marks, its end as a flag.
use super::axis::Axis;
use super::escape::text;
use super::format::Format;
use crate::compare::{Names, of_the_host, words};
use crate::packet::Direction;
use crate::packet::Status;
use crate::prose::Text;
use crate::report::{Report, safe};
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Moment, Outcome, Procedure, Step};
use std::fmt::Write;

/// Room that a lane takes, with marks and alone with its line; in a narrow picture, its label is above it.
const TALL: f64 = 142.0;
const LOW: f64 = 58.0;
const LABEL: f64 = 20.0;

/// Height of a line of text, and how many characters a narrow picture has room for, in bold and plain.
const LINE: f64 = 16.0;
const BOLD_COLUMNS: usize = 46;
const PLAIN_COLUMNS: usize = 54;

/// Marks closer than this become one.
const NEAR: f64 = 7.0;

/// Circles closer than this would cover one another.
const CIRCLE: f64 = 12.0;

/// Most phases drawn of one connection.
const MOST_BARS: usize = 400;

/// What a stretch of a connection was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Connect,
    Link,
    Mtu,
    Discovery,
    Security,
    Data,
}

impl Phase {
    pub const ALL: [Self; 6] =
        [Self::Connect, Self::Link, Self::Mtu, Self::Discovery, Self::Security, Self::Data];

    /// The phase of a step. What a host reads and writes for itself, a name or its own features, is no data: it
    /// belongs to the discovery around it.
    pub fn of(connection: &Connection, names: &Names, step: &Step) -> Option<Self> {
        use Procedure::*;
        Some(match step.procedure {
            Read | Write | Subscribe | Indicate if own_business(connection, names, step) => {
                Self::Discovery
            }
            Connect => Self::Connect,
            Features | Version | DataLength | Phy | ParameterUpdate | Channel => Self::Link,
            ExchangeMtu => Self::Mtu,
            DiscoverServices | DiscoverIncludes | DiscoverCharacteristics | DiscoverDescriptors => {
                Self::Discovery
            }
            Pair | Encrypt => Self::Security,
            Read | Write | WriteCommand | Subscribe | Notify | Indicate => Self::Data,
            Scan | Disconnect | Other => return None,
        })
    }

    /// The letter that stands where its name has no room.
    pub fn letter(self) -> char {
        match self {
            Self::Connect => 'C',
            Self::Link => 'L',
            Self::Mtu => 'M',
            Self::Discovery => 'D',
            Self::Security => 'S',
            Self::Data => 'A',
        }
    }

    /// Its name, and its class in the style sheet.
    pub fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Connect => ("connect", "connect"),
            Self::Link => ("link set-up", "link"),
            Self::Mtu => ("MTU", "mtu"),
            Self::Discovery => ("discovery", "discovery"),
            Self::Security => ("security", "security"),
            Self::Data => ("data", "data"),
        }
    }
}

fn own_business(connection: &Connection, names: &Names, step: &Step) -> bool {
    // A CCCD belongs to the characteristic above it.
    let meaning = names.of_step(connection, step);
    let above = meaning.and_then(|meaning| meaning.parent);
    let own = names.attribute(connection, step).and_then(|attribute| attribute.uuid);
    above.or(own).is_some_and(of_the_host)
}

/// A step that the other side did and this one did not.
pub struct Missing {
    /// Microseconds from T0 at which the other side did it.
    pub at_us: i64,
    pub name: Text,
    /// The frame in which the other side did it.
    pub frame: u32,
    /// The link lived long enough to do it.
    pub reached: bool,
}

impl Missing {
    fn fate(&self) -> &'static str {
        if self.reached { "never here" } else { "not reached" }
    }

    fn says(&self) -> Text {
        text!("{}: {} (the reference did it in frame {})", self.fate(), self.name, self.frame)
    }
}

/// Steps that are named in one mark.
const MOST_SAID: usize = 6;

/// Steps that stand at one place of the line.
struct Mark {
    x: f64,
    says: Vec<Text>,
    /// Where the first step that it names stands.
    frame: u32,
    steps: usize,
    failed: bool,
    phase: Phase,
}

/// A lane being drawn.
pub struct Lane<'a> {
    pub report: &'a Report,
    pub capture: usize,
    pub connection: &'a Connection,
    pub names: &'a Names,
    pub axis: &'a Axis,
    pub format: &'a Format,
    /// `mac (reference)`, `#2`.
    pub label: &'a str,
    pub top: f64,
}

impl Lane<'_> {
    /// Microseconds from the connection's zero.
    fn us(&self, moment: Moment) -> Option<i64> {
        micros(self.connection, moment)
    }

    fn phase(&self, step: &Step) -> Option<Phase> {
        Phase::of(self.connection, self.names, step)
    }

    /// The room that it takes.
    pub fn height(&self, tall: bool) -> f64 {
        let lines = self.ending().len().saturating_sub(1);
        let height = if tall { TALL } else { LOW };
        height + self.above() + lines as f64 * LINE
    }

    /// Room for the label above the lane.
    fn above(&self) -> f64 {
        if self.format.narrow { LABEL } else { 0.0 }
    }

    /// With its phases, marks and what is missing.
    pub fn tall(&self, svg: &mut String, missing: &[Missing]) {
        let top = self.top + self.above();
        let middle = top + 62.0;
        self.label(svg, middle);
        self.line(svg, middle);
        self.phases(svg, top + 14.0);
        self.marks(svg, middle);
        let mut rest = missing;
        while let Some(first) = rest.first() {
            let x = self.axis.x(first.at_us);
            let near = rest.iter().take_while(|step| self.axis.x(step.at_us) - x < CIRCLE).count();
            let (steps, after) = rest.split_at(near.max(1));
            rest = after;
            let says = Text::joined(steps.iter().map(Missing::says), "\n");
            let _ = writeln!(
                svg,
                "<g class=\"missing\"><title>{}</title><circle cx=\"{x:.1}\" cy=\"{middle:.1}\" r=\"6\"/>\
                 <path d=\"M{:.1} {middle:.1}h6\"/></g>",
                self.shown(&says),
                x - 3.0
            );
        }
        self.end(svg, middle, top + 8.0, middle + 22.0, middle + 38.0);
        let lines = self.ending().len().saturating_sub(1);
        self.missing_words(svg, missing, middle + 56.0 + lines as f64 * LINE);
    }

    /// The first missing steps as text, for readers who do not hover with a mouse.
    fn missing_words(&self, svg: &mut String, missing: &[Missing], at: f64) {
        let Some(first) = missing.first() else { return };
        let kin: Vec<&Missing> = missing.iter().filter(|m| m.reached == first.reached).collect();
        let mut names: Vec<Text> = kin.iter().take(2).map(|m| m.name.clone()).collect();
        if let Some(more @ 1..) = missing.len().checked_sub(names.len()) {
            names.push(text!("and {} more", more));
        }
        let names = Text::joined(names, "; ");
        let (x, columns) = match self.format.narrow {
            true => (8.0, PLAIN_COLUMNS),
            false => (self.axis.x(0) + 2.0, 110),
        };
        // Hidden before it is cut: no half of a name stays.
        let says = self.report.visible(&text!("⊖ {}: {}", first.fate(), names));
        let _ = writeln!(
            svg,
            "<text class=\"lost\" x=\"{x:.1}\" y=\"{at:.1}\">{}</text>",
            text(&safe::fit(&says, columns)),
        );
    }

    /// The line and its end alone.
    pub fn low(&self, svg: &mut String) {
        let middle = self.top + self.above() + 20.0;
        self.label(svg, middle);
        self.line(svg, middle);
        self.end(svg, middle, middle - 10.0, middle + 10.0, middle + 26.0);
    }

    fn shown(&self, says: &Text) -> String {
        text(&self.report.visible(says))
    }

    fn label(&self, svg: &mut String, middle: f64) {
        let below = match self.connection.never_heard() {
            true => "peer never heard".to_owned(),
            false => format!("connection #{}", self.connection.number),
        };
        if self.format.narrow {
            let _ = writeln!(
                svg,
                "<text class=\"lane\" x=\"8\" y=\"{:.1}\">{}<tspan class=\"small\" dx=\"8\">{below}</tspan></text>",
                self.top + LINE,
                text(self.label),
            );
            return;
        }
        let _ = writeln!(
            svg,
            "<text class=\"lane\" x=\"8\" y=\"{:.1}\">{}</text><text class=\"small\" x=\"8\" y=\"{:.1}\">{}</text>",
            middle - 2.0,
            text(self.label),
            middle + 14.0,
            below,
        );
    }

    /// Dashed as long as the peer was not heard, and through the silence that ended the link.
    fn line(&self, svg: &mut String, middle: f64) {
        let Some((from, to)) = extent(self.connection) else { return };
        let heard = self.connection.heard.and_then(|heard| self.us(heard.seen.at));
        let heard = if self.connection.start_seen { heard.unwrap_or(i64::MAX) } else { from };
        let mut part = |from: i64, to: i64, class: &str, says: &str| {
            let (left, right) = (self.axis.x(from), self.axis.x(to));
            let _ = writeln!(
                svg,
                "<line class=\"{class}\" x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"><title>{says}</title></line>"
            );
        };
        if heard > from {
            part(from, to.min(heard), "unheard", "nothing of the peer was heard yet");
        }
        let last = self.connection.last_heard.and_then(|last| self.us(last.seen.at));
        let silent = self.connection.reason() == Some(Status::CONNECTION_TIMEOUT);
        let last = last.filter(|last| silent && (heard..to).contains(last));
        if heard < to {
            part(heard.max(from), last.unwrap_or(to), "heard", "the peer was heard");
        }
        if let Some(last) = last {
            part(last, to, "unheard", "nothing more of the peer was heard");
        }
    }

    fn phases(&self, svg: &mut String, top: f64) {
        let mut bars: Vec<(Phase, i64, i64, u32, u32, usize)> = Vec::new();
        for step in &self.connection.steps {
            let (Some(phase), Some(from)) = (self.phase(step), self.us(step.at)) else { continue };
            let to = self.us(step.last.at).unwrap_or(from).max(from);
            match bars.last_mut() {
                // Drawn together where nothing of another phase stands between, or no gap could be seen.
                Some(last) if last.0 == phase && self.axis.x(from) - self.axis.x(last.2) < 40.0 => {
                    last.2 = last.2.max(to);
                    last.4 = step.last.frame;
                    last.5 += 1;
                }
                _ => bars.push((phase, from, to, step.frame, step.last.frame, 1)),
            }
        }
        let mut free = f64::MIN;
        let mut row = 0;
        for (phase, from, to, first, last, steps) in bars.into_iter().take(MOST_BARS) {
            let (left, right) = (self.axis.x(from), self.axis.x(to));
            let width = (right - left).max(3.0);
            // Bars that would cover one another change rows; what cannot be told apart is left out.
            if left < free {
                row = 1 - row;
            } else {
                row = 0;
            }
            free = left + width + 1.0;
            let (name, class) = phase.name();
            let y = top + f64::from(row) * 17.0;
            let plural = if steps == 1 { "" } else { "s" };
            let _ = write!(
                svg,
                "<g class=\"phase {class}\"><title>{name}: {} to {}, {steps} step{plural}, frames {first} to {last}</title>\
                 <rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"15\" rx=\"2\"/>",
                span(from),
                span(to),
            );
            let letter = phase.letter().to_string();
            let (label, inset) = match width {
                w if w > name.len() as f64 * 7.0 + 4.0 => (name, 4.0),
                w if w > 10.0 => (letter.as_str(), w / 2.0 - 4.0),
                _ => ("", 0.0),
            };
            if !label.is_empty() {
                let (x, y) = (left + inset, y + 11.5);
                let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\">{label}</text>");
            }
            svg.push_str("</g>\n");
        }
    }

    /// Sent above the line and pointing up, received below; a cross where something failed.
    fn marks(&self, svg: &mut String, middle: f64) {
        for side in [Direction::Sent, Direction::Received] {
            let mut at: Option<Mark> = None;
            for step in self.connection.steps.iter().filter(|step| step.by == side) {
                let (Some(phase), Some(us)) = (self.phase(step), self.us(step.at)) else {
                    continue;
                };
                let x = self.axis.x(us);
                match &mut at {
                    Some(mark) if x - mark.x < NEAR => {
                        if mark.says.len() < MOST_SAID {
                            mark.says.push(self.says(step, us));
                        }
                        mark.steps += 1;
                        mark.failed |= step.failed();
                    }
                    _ => {
                        if let Some(mark) = at.take() {
                            self.mark(svg, middle, side, &mark);
                        }
                        let says = vec![self.says(step, us)];
                        let (frame, failed) = (step.frame, step.failed());
                        at = Some(Mark { x, says, frame, steps: 1, failed, phase });
                    }
                }
            }
            if let Some(mark) = at {
                self.mark(svg, middle, side, &mark);
            }
        }
    }

    fn mark(&self, svg: &mut String, middle: f64, side: Direction, mark: &Mark) {
        let mut title = Text::joined(mark.says.iter().cloned(), "\n");
        if let Some(more @ 1..) = mark.steps.checked_sub(mark.says.len()) {
            title = title.and(text!("\nand {} more", more));
        }
        let (_, class) = mark.phase.name();
        let x = mark.x;
        // The tip touches the line: sent comes from above, received from below.
        let (y, shape) = match side {
            Direction::Sent => (middle - 5.0, "l-5 -10h10z"),
            Direction::Received => (middle + 5.0, "l-5 10h10z"),
        };
        let _ = write!(
            svg,
            "<g class=\"mark {class}\" data-at=\"{}:{}\"><title>{}</title><path d=\"M{x:.1} {y:.1}{shape}\"/>",
            self.capture,
            mark.frame,
            self.shown(&title)
        );
        if mark.failed {
            let (x, y) = (x - 4.0, middle - 4.0);
            let _ = write!(svg, "<path class=\"failed\" d=\"M{x:.1} {y:.1}l8 8m0 -8l-8 8\"/>");
        }
        svg.push_str("</g>\n");
    }

    fn says(&self, step: &Step, us: i64) -> Text {
        let name = words::step(self.connection, self.names, step);
        let outcome = match step.outcome {
            Outcome::Ok => words::said(self.connection, self.names, step),
            _ => None,
        };
        let outcome = outcome.unwrap_or_else(|| words::outcome(step));
        let who = if step.by == Direction::Sent { "sent" } else { "received" };
        text!("{}: {} ({}, frame {}, {})", name, outcome, who, step.frame, Span(us))
    }

    /// A flag with the reason; an arrow where the link was still up.
    fn end(&self, svg: &mut String, middle: f64, top: f64, bottom: f64, says_at: f64) {
        let connection = self.connection;
        let Some((_, to)) = extent(connection) else { return };
        let x = self.axis.x(to);
        let ending = self.shown(&words::ending(connection));
        let failed = crate::compare::Failure::of(connection).is_some();
        let class = if failed { "end bad" } else { "end" };
        let ended = connection.end.is_some() || connection.status.is_some_and(|s| s.0 != 0);
        let _ = write!(svg, "<g class=\"{class}\">");
        if ended {
            let frame = connection
                .end
                .as_ref()
                .map_or(String::new(), |end| format!(" (frame {})", end.frame));
            let _ = write!(
                svg,
                "<title>{ending}{frame}</title><line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top:.1}\" y2=\"{bottom:.1}\"/>\
                 <path d=\"M{x:.1} {top:.1}h10l-3 4l3 4h-10z\"/>"
            );
        }
        if connection.open() {
            // Nobody saw its end: the line goes on.
            let y = middle;
            let _ = write!(svg, "<title>{ending}</title><path d=\"M{x:.1} {y:.1}l-9 -5v10z\"/>");
        }
        // The words stand on the side where there is room.
        let widest = self.ending().iter().map(|line| safe::width(line)).max().unwrap_or(0);
        let width = widest as f64 * if failed { 7.0 } else { 6.4 } + 20.0;
        let (left, right) = (self.format.left, self.format.right());
        let (anchor, at) = if self.format.narrow {
            ("start", 8.0)
        } else if x + width < right || x - width < left {
            ("start", x.min(right - width).max(8.0))
        } else {
            ("end", x + 10.0)
        };
        for (line, says) in self.ending().iter().enumerate() {
            let _ = writeln!(
                svg,
                "<text text-anchor=\"{anchor}\" x=\"{at:.1}\" y=\"{:.1}\">{}</text>",
                says_at + line as f64 * LINE,
                text(says),
            );
        }
        svg.push_str("</g>\n");
    }

    /// How it ended, in lines for which there is room.
    fn ending(&self) -> Vec<String> {
        let failed = crate::compare::Failure::of(self.connection).is_some();
        let sign = if failed { "✕ " } else { "" };
        let says = format!("{sign}{}", self.report.visible(&words::ending(self.connection)));
        if !self.format.narrow {
            return vec![says];
        }
        let columns = if failed { BOLD_COLUMNS } else { PLAIN_COLUMNS };
        let mut lines: Vec<String> = Vec::new();
        for word in says.split(' ') {
            match lines.last_mut() {
                Some(line) if safe::width(line) + safe::width(word) < columns => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }
}

/// Microseconds from the connection's zero; from its first step where the zero was not captured.
pub fn micros(connection: &Connection, moment: Moment) -> Option<i64> {
    let zero = match connection.zero() {
        Moment::UNKNOWN => connection.steps.iter().find_map(|step| step.at.time()).into(),
        zero => zero,
    };
    moment.since(zero).map(|span| span.0)
}

/// First and last thing of a connection. One that is still up lasts until the capture ends.
pub fn extent(connection: &Connection) -> Option<(i64, i64)> {
    let steps = connection.steps.iter();
    let times = steps.flat_map(|step| [step.at, step.last.at]);
    let end = connection.end.as_ref().map(|end| end.at);
    let end = end.or(connection.gone.as_ref().map(|gone| gone.at));
    let end = end.or(connection.open().then_some(connection.capture_end));
    let mut from = None::<i64>;
    let mut to = None::<i64>;
    for us in times.chain(end).filter_map(|moment| micros(connection, moment)) {
        from = Some(from.map_or(us, |from| from.min(us)));
        to = Some(to.map_or(us, |to| to.max(us)));
    }
    Some((from?, to?))
}

fn span(us: i64) -> String {
    text(&crate::time::Span(us).to_string())
}
