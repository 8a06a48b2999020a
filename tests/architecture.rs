//! The rooms use each other in one order only: the one that ARCHITECTURE.md documents.
//!
//! The order is a line, and every arrow must point to its left. So there are no circles either.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The line of rooms in ARCHITECTURE.md: what stands in its block marked `order`.
fn order(document: &str) -> Vec<&str> {
    let (_, behind) = document.split_once("```order\n").expect("ARCHITECTURE.md has its order");
    let (block, _) = behind.split_once("```").expect("the block ends");
    block.split(['◄', '\n']).map(str::trim).filter(|room| !room.is_empty()).collect()
}

/// A file of the library.
struct File {
    /// The modules that lead to it: `decode`, `adapter`.
    module: Vec<String>,
    text: String,
}

/// All files below `src` but those of the program and those of tests alone.
fn files() -> Vec<File> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&src, &mut paths);
    let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
    let mut files = Vec::new();
    let mut of_tests = BTreeSet::new();
    for path in &paths {
        let inner = path.strip_prefix(&src).unwrap().with_extension("");
        let mut module: Vec<_> =
            inner.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        if ["lib", "bin"].contains(&module[0].as_str()) {
            continue;
        }
        let text = read(path);
        for (at, _) in text.match_indices("#[cfg(test)]\nmod ") {
            let name = text[at..].lines().nth(1).unwrap().trim_start_matches("mod ");
            if let Some(name) = name.strip_suffix(';') {
                of_tests.insert([module.clone(), vec![name.to_owned()]].concat());
            }
        }
        files.push(File { module, text });
    }
    files.retain(|file| !of_tests.contains(&file.module));
    files
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

/// The words and `::`, braces and other signs of a file, without comments, strings and its tests.
fn words(text: &str) -> Vec<String> {
    let text = match text.find("\n#[cfg(test)]\nmod ") {
        Some(at) if text[at + 1..].lines().nth(1).is_some_and(|line| line.ends_with('{')) => {
            // rustfmt puts the brace that closes a module at the beginning of a line.
            let end = text[at..].find("\n}\n").map_or(text.len(), |end| at + end + 3);
            format!("{}\n{}", &text[..at], &text[end..])
        }
        _ => text.to_owned(),
    };
    let mut words = Vec::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            raw.find("\"#").map_or(rest.len(), |end| end + 5)
        } else if first == '"' {
            string(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            words.push(rest[..end].to_owned());
            end
        } else if rest.starts_with("::") {
            words.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                words.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    words
}

/// How long the string is that begins here.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The rooms that a file names, by `crate::room`, in a group, or by `super` up to the root.
fn used(file: &File) -> BTreeSet<String> {
    let words = words(&file.text);
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let mut found = BTreeSet::new();
    let mut at = 0;
    while at < words.len() {
        let (mut next, begins) = (at, at == 0 || word(at - 1) != "::");
        let mut levels = 0;
        if begins && word(next) == "crate" {
            levels = file.module.len();
            next += 2;
        }
        while begins && word(next) == "super" && word(next + 1) == "::" {
            levels += 1;
            next += 2;
        }
        at += 1;
        if levels < file.module.len() || word(next - 1) != "::" {
            continue;
        }
        if word(next) != "{" {
            found.insert(word(next).to_owned());
            continue;
        }
        let mut depth = 0;
        for inner in next..words.len() {
            match word(inner) {
                "{" => depth += 1,
                "}" => depth -= 1,
                name if depth == 1 && ["{", ","].contains(&word(inner - 1)) => {
                    found.insert(name.to_owned());
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// Every arrow that the order does not allow, in words.
fn wrong(order: &[&str], files: &[File]) -> Vec<String> {
    let place = |room: &str| order.iter().position(|known| *known == room);
    let mut wrong = Vec::new();
    for file in files {
        let path = file.module.join("/");
        let Some(own) = place(&file.module[0]) else {
            wrong.push(format!("{path}: the order in ARCHITECTURE.md has no such room"));
            continue;
        };
        for room in used(file) {
            match place(&room) {
                // A macro or an item of the crate's root is no room.
                None => {}
                Some(at) if at <= own => {}
                Some(_) => wrong.push(format!("{path} uses {room}, which stands to its right")),
            }
        }
    }
    wrong
}

#[test]
fn rooms_use_only_rooms_to_their_left() {
    let document =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let (order, files) = (order(&document), files());
    let wrong = wrong(&order, &files);
    assert!(wrong.is_empty(), "{wrong:#?}");
    for room in &order {
        let exists = files.iter().any(|file| file.module[0] == *room);
        assert!(exists, "ARCHITECTURE.md has a room {room} that is not there");
        assert_eq!(order.iter().filter(|other| *other == room).count(), 1, "{room} stands twice");
    }
}

#[test]
fn a_wrong_arrow_is_found_however_it_is_written() {
    let file = |module: &str, text: &str| File {
        module: module.split('/').map(str::to_owned).collect(),
        text: text.to_owned(),
    };
    let order = ["packet", "capture", "decode"];
    let found = |module: &str, text: &str| !wrong(&order, &[file(module, text)]).is_empty();
    for text in [
        "use crate::decode::Decoder;",
        "use crate::{\n    packet::{Address, att},\n    decode,\n};",
        "use crate::decode;",
        "fn f() -> crate::decode::Decoder {}",
        "macro_rules! m { () => { $crate::decode::Decoder::new() } }",
        "use super::super::decode::Decoder;",
        "// \"\nuse crate::decode::Decoder;",
        "const A: char = '\"';\nuse crate::decode::Decoder;\nconst B: char = '\"';",
    ] {
        assert!(found("capture/open", text), "{text}");
    }
    for text in [
        "use crate::packet::{Address, att};",
        "use crate::capture::decode::Odd;",
        "use super::decode::Odd;",
        "use super::super::packet::Address;",
        "/// As [`crate::decode::Decoder`] has it.",
        "const A: &str = \"crate::decode::Decoder\";",
        "const A: &str = r#\"crate::decode::\"Decoder\"#;",
        "\n#[cfg(test)]\nmod tests {\n    use crate::decode::Decoder;\n}\n",
    ] {
        assert!(!found("capture/open", text), "{text}");
    }
    assert!(found("capture", "use super::decode::Decoder;"));
    assert!(found("elsewhere", ""));
}

/// `unsafe` stands in one file, and the lint that allows it there stands nowhere else.
#[test]
fn one_file_has_unsafe_code() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&src, &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let words = words(&fs::read_to_string(&path).unwrap());
        if words.iter().any(|word| word == "unsafe" || word == "unsafe_code") {
            found.push(path.strip_prefix(&src).unwrap().to_string_lossy().into_owned());
        }
    }
    assert_eq!(found, ["record/socket.rs"]);
}
