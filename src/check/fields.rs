//! The fields that an expectation can name: those of the JSON report, as its schema has them.
use crate::report::json;
use serde_json::Value;
use std::sync::LazyLock;

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(json::SCHEMA_TEXT).unwrap_or_default());

/// Where a field's first name is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// The connection that the report tells.
    Connection,
    /// The capture that is checked.
    Capture,
    /// The whole report.
    Report,
}

/// The roots in the order in which a name is looked for, with the word that names each.
const ROOTS: [(Root, &str); 3] =
    [(Root::Connection, "connection"), (Root::Capture, "capture"), (Root::Report, "report")];

/// A field of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub root: Root,
    pub path: Vec<String>,
    /// As it was written.
    pub written: String,
    pub holds: Holds,
}

/// What the schema says that a field holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    pub number: bool,
    pub text: bool,
    pub truth: bool,
    pub list: bool,
    pub object: bool,
    /// The only words that can stand there, where the schema closes them.
    pub words: Vec<String>,
}

/// Why a name is no field: which part of it, where that begins, and what is near.
#[derive(Debug)]
pub struct Unknown {
    pub part: String,
    pub offset: usize,
    pub near: Vec<String>,
}

/// Finds the field that is meant by `a.b.c`.
pub fn find(written: &str) -> Result<Field, Unknown> {
    let parts: Vec<&str> = written.split('.').collect();
    let named = ROOTS.iter().find(|(_, word)| parts.len() > 1 && parts[0] == *word);
    let (roots, parts, mut offset) = match named {
        Some((root, word)) => (vec![*root], &parts[1..], word.len() + 1),
        None => (ROOTS.iter().map(|(root, _)| *root).collect(), &parts[..], 0),
    };
    let has = |root: &Root| !children(schema_of(*root), parts[0]).is_empty();
    let Some(root) = roots.iter().copied().find(has) else {
        let known = roots.iter().flat_map(|root| names(&resolve(schema_of(*root)))).collect();
        return Err(Unknown { part: parts[0].into(), offset, near: nearest(parts[0], known) });
    };
    let mut here = vec![schema_of(root)];
    for part in parts {
        let next: Vec<&Value> = here.iter().flat_map(|at| children(at, part)).collect();
        if next.is_empty() {
            let known = here.iter().flat_map(|at| names(&resolve(at))).collect();
            return Err(Unknown { part: (*part).into(), offset, near: nearest(part, known) });
        }
        offset += part.len() + 1;
        here = next;
    }
    let mut holds = Holds::default();
    here.into_iter().for_each(|at| holds.add(at));
    let path = parts.iter().map(|part| (*part).to_owned()).collect();
    Ok(Field { root, path, written: written.to_owned(), holds })
}

impl Field {
    /// Whether it is a time, and how many milliseconds its unit has.
    pub fn unit_ms(&self) -> Option<f64> {
        let last = self.path.last()?;
        if last.ends_with("_ms") { Some(1.0) } else { last.ends_with("_s").then_some(1000.0) }
    }
}

impl Holds {
    fn add(&mut self, at: &'static Value) {
        for at in resolve(at) {
            let mut kinds: Vec<&str> = match &at["type"] {
                Value::String(kind) => vec![kind],
                Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            let fixed = at.get("const").into_iter();
            let listed = at.get("enum").and_then(Value::as_array).into_iter().flatten();
            for word in fixed.chain(listed).filter_map(Value::as_str) {
                self.words.push(word.to_owned());
                kinds.push("string");
            }
            for kind in kinds {
                match kind {
                    "number" | "integer" => self.number = true,
                    "string" => self.text = true,
                    "boolean" => self.truth = true,
                    "array" => self.list = true,
                    "object" => self.object = true,
                    _ => {}
                }
            }
        }
    }
}

/// The words that a field of a step can have.
pub fn words_of_step(field: &str) -> Vec<&'static str> {
    let words = SCHEMA["$defs"]["step"]["properties"].get(field);
    let listed = words.into_iter().flat_map(resolve);
    let listed = listed.filter_map(|at| at["enum"].as_array()).flatten();
    listed.filter_map(Value::as_str).collect()
}

/// The definition of what a root's fields are.
fn schema_of(root: Root) -> &'static Value {
    match root {
        Root::Connection => &SCHEMA["$defs"]["connection"],
        Root::Capture => &SCHEMA["$defs"]["capture"],
        Root::Report => &SCHEMA,
    }
}

/// A definition behind its references and alternatives.
fn resolve(at: &'static Value) -> Vec<&'static Value> {
    /// References that lead in a circle end here.
    const DEEPEST: usize = 8;
    let mut found = Vec::new();
    let mut open = vec![(at, 0)];
    while let Some((at, depth)) = open.pop() {
        if depth > DEEPEST {
            continue;
        }
        found.push(at);
        if let Some(name) = at["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            open.push((&SCHEMA["$defs"][name], depth + 1));
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            let alternatives = at[key].as_array().into_iter().flatten();
            open.extend(alternatives.map(|at| (at, depth + 1)));
        }
    }
    found
}

fn children(at: &'static Value, name: &str) -> Vec<&'static Value> {
    resolve(at).into_iter().filter_map(|at| at["properties"].get(name)).collect()
}

fn names(definitions: &[&'static Value]) -> Vec<&'static str> {
    let objects = definitions.iter().filter_map(|at| at["properties"].as_object());
    objects.flat_map(|object| object.keys().map(String::as_str)).collect()
}

/// The words that are most like the one that was written, at most three.
pub fn nearest<'a>(written: &str, known: Vec<&'a str>) -> Vec<String> {
    const ALIKE: f64 = 0.75;
    let mut near: Vec<(f64, &'a str)> = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(written, known), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.dedup_by_key(|(_, known)| *known);
    near.into_iter().take(3).map(|(_, known)| known.to_owned()).collect()
}
