//! An expectation is held against a report: it holds, it fails, or the capture cannot tell.
use super::Told;
use super::fields::{Field, Root};
use super::grammar::{Expr, Operand, Sign, Sought, Step};
use crate::vocabulary::vocabulary;
use serde_json::Value;

vocabulary! {
    /// What became of an expectation. What cannot be told is no failure of the device, and no success either.
    Truth { Holds "holds", Fails "fails", CannotTell "cannot-tell", }
}

/// What an expectation was decided by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// One sentence.
    pub says: String,
    /// The frames that show it.
    pub frames: Vec<u64>,
}

impl Truth {
    fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }

    fn not(self) -> Self {
        match self {
            Self::Holds => Self::Fails,
            Self::Fails => Self::Holds,
            Self::CannotTell => Self::CannotTell,
        }
    }

    /// All of them: one that fails decides, then one that cannot be told.
    fn all(truths: impl Iterator<Item = Self>) -> Self {
        truths.fold(Self::Holds, |all, one| match (all, one) {
            (Self::Fails, _) | (_, Self::Fails) => Self::Fails,
            (Self::CannotTell, _) | (_, Self::CannotTell) => Self::CannotTell,
            _ => Self::Holds,
        })
    }

    fn any(truths: impl Iterator<Item = Self>) -> Self {
        Self::all(truths.map(Self::not)).not()
    }
}

/// What expectations are held against: a report, twice.
pub struct Scene<'a> {
    /// With real addresses and names: these decide.
    real: View<'a>,
    /// As it may be shown.
    shown: View<'a>,
}

/// A report, and which capture and connection of it are meant.
#[derive(Clone, Copy)]
struct View<'a> {
    report: &'a Value,
    capture: usize,
    connection: Option<&'a Value>,
}

impl<'a> Scene<'a> {
    /// `capture` is the index of the one that is checked, `told` the number of its connection.
    pub fn of(real: &'a Value, shown: &'a Value, capture: usize, told: Option<u32>) -> Self {
        let view = |report| View::of(report, capture, told);
        Self { real: view(real), shown: view(shown) }
    }

    /// The file name of the capture that is checked.
    pub fn name(&self) -> String {
        self.shown.held()["path"].as_str().unwrap_or_default().to_owned()
    }

    /// Findings about the capture that are more than notes.
    pub fn told(&self) -> Vec<Told> {
        let text =
            |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let all = self.shown.findings().filter(|finding| finding["level"] != "note");
        all.map(|finding| Told {
            rule: text(finding, "rule"),
            level: text(finding, "level"),
            says: text(finding, "says"),
            frames: frames_of(finding),
        })
        .collect()
    }

    /// Whether an expectation holds; what it was decided by goes into `facts`.
    pub fn judge(&self, expr: &Expr, facts: &mut Vec<Fact>) -> Truth {
        match expr {
            Expr::Not(inner) => self.judge(inner, facts).not(),
            Expr::All(all) => {
                let truths: Vec<_> = all.iter().map(|one| self.judge(one, facts)).collect();
                Truth::all(truths.into_iter())
            }
            Expr::Any(any) => {
                let truths: Vec<_> = any.iter().map(|one| self.judge(one, facts)).collect();
                Truth::any(truths.into_iter())
            }
            Expr::Connections { every, expr } => self.connections(*every, expr, facts),
            Expr::Finding(sought) => self.finding(sought, facts),
            Expr::Steps(step) => self.step(step, facts),
            Expr::Count { field, sign, number } => {
                let count = self.real.get(field).and_then(Value::as_array).map(Vec::len);
                let says = match count {
                    Some(count) => format!("{} has {count}", field.written),
                    None => self.missing(field),
                };
                facts.push(Fact { says, frames: Vec::new() });
                // No list is longer than what a number can hold exactly.
                #[allow(clippy::cast_precision_loss)]
                count.map_or(Truth::CannotTell, |count| {
                    Truth::of(sign.holds((count as f64).partial_cmp(number)))
                })
            }
            Expr::Compare { field, sign, value } => self.compare(field, *sign, value, facts),
            Expr::Contains { field, text } => {
                self.fact(field, facts);
                let has = |value: &Value| value.as_str().is_some_and(|held| held.contains(text));
                match self.real.get(field) {
                    None | Some(Value::Null) => Truth::CannotTell,
                    Some(Value::Array(items)) => Truth::of(items.iter().any(has)),
                    Some(value) => Truth::of(has(value)),
                }
            }
            Expr::Flag(field) => {
                self.fact(field, facts);
                match self.real.get(field).and_then(Value::as_bool) {
                    Some(truth) => Truth::of(truth),
                    None => Truth::CannotTell,
                }
            }
        }
    }

    fn compare(&self, field: &Field, sign: Sign, value: &Operand, facts: &mut Vec<Fact>) -> Truth {
        self.fact(field, facts);
        let Some(held) = self.real.get(field) else { return Truth::CannotTell };
        if *value == Operand::Null {
            return Truth::of(held.is_null() == (sign == Sign::Equal));
        }
        if held.is_null() {
            return Truth::CannotTell;
        }
        let order = match value {
            Operand::Number(number) => held.as_f64().and_then(|held| held.partial_cmp(number)),
            Operand::Text(text) => held.as_str().map(|held| held.cmp(text)),
            Operand::Truth(truth) => held.as_bool().map(|held| held.cmp(truth)),
            Operand::Null => None,
        };
        Truth::of(sign.holds(order))
    }

    /// All connections to the device that is told: a capture of a long test has many.
    fn connections(&self, every: bool, expr: &Expr, facts: &mut Vec<Fact>) -> Truth {
        let none = Vec::new();
        let list = |view: &View<'a>| view.held()["connections"].as_array().unwrap_or(&none).clone();
        let (real, shown) = (list(&self.real), list(&self.shown));
        let device = self.real.connection.map(|connection| &connection["peer"]["address"]);
        let about = |connection: &Value| {
            device.is_none_or(|device| device.is_null() || connection["peer"]["address"] == *device)
        };
        let mut truths = Vec::new();
        let mut others = 0;
        for (real, shown) in real.iter().zip(&shown).filter(|(real, _)| about(real)) {
            let scene = Scene {
                real: View { connection: Some(real), ..self.real },
                shown: View { connection: Some(shown), ..self.shown },
            };
            let mut own = Vec::new();
            let truth = scene.judge(expr, &mut own);
            truths.push(truth);
            // Only what decides is told: the connections that fail where all have to hold.
            let decides = truth != if every { Truth::Holds } else { Truth::Fails };
            if decides && facts.len() < MOST_FACTS {
                facts.extend(own.into_iter().map(|fact| Fact {
                    says: format!("connection {}: {}", real["number"], fact.says),
                    ..fact
                }));
            } else if decides {
                others += 1;
            }
        }
        if others > 0 {
            facts
                .push(Fact { says: format!("and {others} other connections"), frames: Vec::new() });
        }
        if truths.is_empty() {
            facts.push(Fact { says: NO_CONNECTION.into(), frames: Vec::new() });
            return Truth::CannotTell;
        }
        if facts.is_empty() {
            let says = format!("{} connections were looked at", truths.len());
            facts.push(Fact { says, frames: Vec::new() });
        }
        if every { Truth::all(truths.into_iter()) } else { Truth::any(truths.into_iter()) }
    }

    fn finding(&self, sought: &Sought, facts: &mut Vec<Fact>) -> Truth {
        let levels = ["note", "suspect", "cause"];
        let rank = |word: &str| levels.iter().position(|level| *level == word);
        let fits = |finding: &&Value| match sought {
            Sought::Rule(rule) => finding["rule"] == rule.as_str(),
            Sought::Level(least) => finding["level"].as_str().and_then(rank) >= rank(least.word()),
        };
        let found: Vec<&Value> = self.shown.findings().filter(fits).collect();
        for finding in found.iter().take(MOST_FACTS) {
            let text = |key: &str| finding[key].as_str().unwrap_or_default();
            let says = format!("{} {}: {}", text("level"), text("rule"), text("title"));
            facts.push(Fact { says, frames: frames_of(finding) });
        }
        if found.is_empty() {
            let says = match sought {
                Sought::Rule(rule) => format!("there is no finding {rule}"),
                Sought::Level(level) => format!("there is no finding of level {level} or above"),
            };
            facts.push(Fact { says, frames: Vec::new() });
        }
        Truth::of(!found.is_empty())
    }

    fn step(&self, sought: &Step, facts: &mut Vec<Fact>) -> Truth {
        let Some(connection) = self.shown.connection else {
            facts.push(Fact { says: NO_CONNECTION.into(), frames: Vec::new() });
            return Truth::CannotTell;
        };
        let none = Vec::new();
        let steps = connection["steps"].as_array().unwrap_or(&none);
        let mut late = None;
        let mut untimed = false;
        for step in steps.iter().filter(|step| sought.names(step)) {
            let frame = step["frame"].as_u64();
            let at = step["after_ms"].as_f64();
            let in_time = match (sought.before, sought.after, at) {
                (None, None, _) => true,
                (_, _, None) => {
                    untimed = true;
                    continue;
                }
                (before, after, Some(at)) => {
                    before.is_none_or(|limit| at < limit) && after.is_none_or(|limit| at > limit)
                }
            };
            let name = step["name"].as_str().unwrap_or_default();
            let when = at.map_or_else(String::new, |at| format!(" {at} ms after the connection"));
            let says = format!("{name}{when}, {}", step["outcome"].as_str().unwrap_or_default());
            let fact = Fact { says, frames: frame.into_iter().collect() };
            if in_time {
                facts.push(fact);
                return Truth::Holds;
            }
            late.get_or_insert(fact);
        }
        let unseen = if connection["start_seen"] == false {
            Some("the capture began after the connection")
        } else if connection["elided_steps"].as_u64() > Some(0) {
            Some("not all steps of this connection were kept")
        } else if untimed {
            Some("the capture does not say when it came")
        } else {
            None
        };
        let came = late.is_some();
        facts.extend(late);
        if let Some(why) = unseen {
            let says = format!("nothing fits `{}`, and {why}", sought.written);
            facts.push(Fact { says, frames: Vec::new() });
            return Truth::CannotTell;
        }
        if !came {
            let says = format!("`{}` never came on this connection", sought.written);
            facts.push(Fact { says, frames: Vec::new() });
        }
        Truth::Fails
    }

    /// What a field holds, as a fact.
    fn fact(&self, field: &Field, facts: &mut Vec<Fact>) {
        let (says, frames) = match self.shown.get(field) {
            None => (self.missing(field), Vec::new()),
            Some(Value::Null) => {
                (format!("{} is null: nothing showed it", field.written), Vec::new())
            }
            Some(value) => {
                (format!("{} is {}", field.written, brief(value)), self.shown.frames(field))
            }
        };
        facts.push(Fact { says, frames });
    }

    fn missing(&self, field: &Field) -> String {
        match (field.root, self.shown.connection) {
            (Root::Connection, None) => NO_CONNECTION.into(),
            _ => format!("{} is not there: nothing showed it", field.written),
        }
    }
}

const NO_CONNECTION: &str = "the capture has no connection that fits";

/// More facts than that nobody reads.
const MOST_FACTS: usize = 20;

impl<'a> View<'a> {
    fn of(report: &'a Value, capture: usize, told: Option<u32>) -> Self {
        let connections = report["captures"][capture]["connections"].as_array();
        let is_told = |connection: &&Value| told.is_some_and(|told| connection["number"] == told);
        let connection = connections.and_then(|all| all.iter().find(is_told));
        Self { report, capture, connection }
    }

    fn held(&self) -> &'a Value {
        &self.report["captures"][self.capture]
    }

    fn findings(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        let capture = self.capture;
        let all = self.report["findings"].as_array().into_iter().flatten();
        all.filter(move |finding| finding["capture"] == capture)
    }

    fn get(&self, field: &Field) -> Option<&'a Value> {
        let root = match field.root {
            Root::Connection => self.connection?,
            Root::Capture => self.held(),
            Root::Report => self.report,
        };
        let mut here = root;
        for part in &field.path {
            // Below what is null there is nothing, and that is no surprise.
            if here.is_null() {
                return Some(here);
            }
            here = here.get(part)?;
        }
        Some(here)
    }

    /// The frame that stands beside a field.
    fn frames(&self, field: &Field) -> Vec<u64> {
        let mut path = field.path.clone();
        let last = path.pop().unwrap_or_default();
        let beside = |name: &str| {
            let mut path = path.clone();
            path.push(name.to_owned());
            self.get(&Field { path, ..field.clone() }).and_then(Value::as_u64)
        };
        let name = match (path.is_empty(), last.as_str()) {
            (true, "reason" | "reason_sent" | "ended_by" | "end" | "duration_ms") => {
                "disconnect_frame"
            }
            (true, _) if field.root == Root::Connection => "connected_frame",
            _ => "frame",
        };
        beside(name).into_iter().collect()
    }
}

impl Sign {
    fn holds(self, order: Option<std::cmp::Ordering>) -> bool {
        match self {
            Self::Equal => order.is_some_and(|order| order.is_eq()),
            Self::Unequal => order.is_none_or(|order| order.is_ne()),
            Self::Less => order.is_some_and(|order| order.is_lt()),
            Self::AtMost => order.is_some_and(|order| order.is_le()),
            Self::More => order.is_some_and(|order| order.is_gt()),
            Self::AtLeast => order.is_some_and(|order| order.is_ge()),
        }
    }
}

impl Step {
    /// Whether a step is of the kind that is sought, whenever it came.
    fn names(&self, step: &Value) -> bool {
        if step["procedure"] != self.procedure.as_str() {
            return false;
        }
        if self.outcome.as_ref().is_some_and(|outcome| step["outcome"] != outcome.as_str()) {
            return false;
        }
        let Some(what) = &self.what else { return true };
        let attribute = &step["attribute"];
        let holds = |value: &Value| {
            value.as_str().is_some_and(|held| held.to_lowercase().contains(&what.to_lowercase()))
        };
        let begins = attribute["uuid"].as_str().is_some_and(|uuid| {
            uuid.get(..what.len()).is_some_and(|head| head.eq_ignore_ascii_case(what))
        });
        let handle = what.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
        let numbered = handle.is_some() && attribute["handle"].as_u64() == handle;
        begins || numbered || holds(&attribute["name"]) || holds(&step["name"])
    }
}

/// The frames of a finding's evidence, each once.
fn frames_of(finding: &Value) -> Vec<u64> {
    let evidence = finding["evidence"].as_array().into_iter().flatten();
    let mut frames: Vec<u64> = evidence.filter_map(|one| one["frame"].as_u64()).collect();
    frames.sort_unstable();
    frames.dedup();
    frames
}

/// A value, short enough for a line.
fn brief(value: &Value) -> String {
    const LONGEST: usize = 80;
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "there".into(),
        Value::String(text) if text.chars().count() > LONGEST => {
            format!("{}…", text.chars().take(LONGEST).collect::<String>())
        }
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
