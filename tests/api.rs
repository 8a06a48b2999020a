//! The library's public surface is what `docs/api.txt` lists: a change of it is a change of that page too.
//!
//! The list is made from the sources: every public item that can be reached from `lib.rs`, with its public
//! fields, variants and methods. What a macro declares is listed by the names in it.
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, ItemMod, UseTree, Visibility};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One module: its items, and the modules in it.
struct Module {
    path: String,
    items: Vec<Item>,
    /// By name; whether others see it.
    children: BTreeMap<String, (bool, Module)>,
}

impl Module {
    fn read(file: &Path, folder: &Path, path: &str) -> Self {
        let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let mut children = BTreeMap::new();
        for item in &parsed.items {
            let Item::Mod(ItemMod { attrs, vis, ident, content: None, .. }) = item else {
                continue;
            };
            if has(attrs, "cfg") || has(attrs, "doc(hidden)") {
                continue;
            }
            let name = ident.to_string();
            let inner = folder.join(&name);
            let file = inner.with_extension("rs");
            let file = if file.exists() { file } else { inner.join("mod.rs") };
            let child = Self::read(&file, &inner, &format!("{path}::{name}"));
            children.insert(name, (is_public(vis), child));
        }
        Self { path: path.to_owned(), items: parsed.items, children }
    }

    /// Everything that others see of this module, under its path.
    fn list(&self, lines: &mut BTreeSet<String>, types: &mut BTreeSet<String>) {
        for item in &self.items {
            self.describe(item, &self.path, lines, types);
            if let Item::Use(found) = item
                && is_public(&found.vis)
            {
                self.reexport(&found.tree, lines, types);
            }
        }
        for (name, (public, child)) in &self.children {
            if *public {
                lines.insert(format!("{}::{name} (module)", self.path));
                child.list(lines, types);
            }
        }
    }

    /// What `pub use private::{A, B}` brings out of a private module is listed here, with all its parts.
    fn reexport(&self, tree: &UseTree, lines: &mut BTreeSet<String>, types: &mut BTreeSet<String>) {
        let UseTree::Path(step) = tree else {
            lines.insert(format!("{}: pub use {}", self.path, tokens(tree)));
            return;
        };
        let child = self.children.get(&step.ident.to_string());
        let Some((false, child)) = child else {
            lines.insert(format!("{}: pub use {}", self.path, tokens(tree)));
            return;
        };
        let mut names = BTreeSet::new();
        named(&step.tree, &mut names);
        for item in child.items.iter().filter(|item| names.contains(&name_of(item))) {
            child.describe(item, &self.path, lines, types);
        }
        // What it only passes on, or what a macro declares in it.
        for name in names {
            let whole = format!("{}::{name}", self.path);
            let described = [" (", "("].iter().any(|mark| {
                let method = format!("{}::fn {name}", self.path);
                lines.iter().any(|line| {
                    line.starts_with(&format!("{whole}{mark}"))
                        || line.starts_with(&format!("{method}{mark}"))
                })
            });
            if !described {
                lines.insert(whole);
            }
            types.insert(name);
        }
    }

    fn describe(
        &self,
        item: &Item,
        at: &str,
        lines: &mut BTreeSet<String>,
        types: &mut BTreeSet<String>,
    ) {
        let mut say = |line: String| {
            lines.insert(format!("{at}::{line}"));
        };
        match item {
            Item::Struct(found) if is_public(&found.vis) => {
                let name = found.ident.to_string();
                say(format!("{name} (struct{})", open_ended(&found.attrs)));
                fields(&found.fields, &name, true, &mut say);
                types.insert(name);
            }
            Item::Enum(found) if is_public(&found.vis) => {
                let name = found.ident.to_string();
                say(format!("{name} (enum{})", open_ended(&found.attrs)));
                for variant in &found.variants {
                    let of = format!("{name}::{}", variant.ident);
                    say(of.clone());
                    fields(&variant.fields, &of, false, &mut say);
                }
                types.insert(name);
            }
            Item::Trait(found) if is_public(&found.vis) => {
                say(format!("{} (trait)", found.ident));
                for item in &found.items {
                    if let syn::TraitItem::Fn(method) = item {
                        say(format!("{}::{}", found.ident, tokens(&method.sig)));
                    }
                }
            }
            Item::Fn(found) if is_public(&found.vis) => say(tokens(&found.sig)),
            Item::Const(found) if is_public(&found.vis) => {
                say(format!("{}: {} (const)", found.ident, tokens(&found.ty)));
            }
            Item::Static(found) if is_public(&found.vis) => {
                say(format!("{}: {} (static)", found.ident, tokens(&found.ty)));
            }
            Item::Type(found) if is_public(&found.vis) => {
                say(format!("{} = {} (type)", found.ident, tokens(&found.ty)));
            }
            Item::Macro(found) if found.ident.is_none() => {
                for name in declared(found.mac.tokens.clone()) {
                    say(format!("{name} ({}!)", tokens(&found.mac.path)));
                    types.insert(name);
                }
            }
            _ => {}
        }
    }

    /// Methods stand wherever their `impl` stands, private modules included.
    fn methods(&self, types: &BTreeSet<String>, lines: &mut BTreeSet<String>) {
        for item in &self.items {
            let Item::Impl(ItemImpl { trait_: None, self_ty, items, .. }) = item else { continue };
            let whole = tokens(self_ty);
            let name = whole.split('<').next().unwrap_or_default();
            if !types.contains(name) {
                continue;
            }
            for item in items {
                match item {
                    ImplItem::Fn(found) if is_public(&found.vis) => {
                        lines.insert(format!("{}: {name}::{}", self.path, tokens(&found.sig)));
                    }
                    ImplItem::Const(found) if is_public(&found.vis) => {
                        let (what, of) = (&found.ident, tokens(&found.ty));
                        lines.insert(format!("{}: {name}::{what}: {of} (const)", self.path));
                    }
                    _ => {}
                }
            }
        }
        self.children.values().for_each(|(_, child)| child.methods(types, lines));
    }
}

fn fields(fields: &Fields, of: &str, private: bool, say: &mut impl FnMut(String)) {
    for (at, field) in fields.iter().enumerate() {
        // The fields of a variant are as public as the variant.
        if private && !is_public(&field.vis) {
            continue;
        }
        let name = field.ident.as_ref().map_or_else(|| at.to_string(), ToString::to_string);
        say(format!("{of}.{name}: {}", tokens(&field.ty)));
    }
}

fn is_public(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

fn has(attrs: &[Attribute], what: &str) -> bool {
    attrs.iter().any(|attr| tokens(&attr.meta).starts_with(what))
}

fn open_ended(attrs: &[Attribute]) -> &'static str {
    if has(attrs, "non_exhaustive") { ", non_exhaustive" } else { "" }
}

fn name_of(item: &Item) -> String {
    match item {
        Item::Struct(found) => found.ident.to_string(),
        Item::Enum(found) => found.ident.to_string(),
        Item::Trait(found) => found.ident.to_string(),
        Item::Fn(found) => found.sig.ident.to_string(),
        Item::Const(found) => found.ident.to_string(),
        Item::Type(found) => found.ident.to_string(),
        _ => String::new(),
    }
}

fn named(tree: &UseTree, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Name(name) => drop(names.insert(name.ident.to_string())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| named(tree, names)),
        UseTree::Path(path) => named(&path.tree, names),
        UseTree::Rename(name) => drop(names.insert(name.rename.to_string())),
        UseTree::Glob(_) => drop(names.insert("*".to_owned())),
    }
}

/// The types that a table of ours declares: a name that begins with a capital, and what stands in braces.
fn declared(stream: TokenStream) -> Vec<String> {
    let mut names = Vec::new();
    let mut last = None;
    for token in stream {
        match token {
            TokenTree::Ident(ident) => last = Some(ident.to_string()),
            TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace => {
                let name = last.take().filter(|name| name.starts_with(char::is_uppercase));
                names.extend(name);
            }
            _ => {}
        }
    }
    names
}

/// Source text, spaced as people space it.
fn tokens(of: &impl ToTokens) -> String {
    let mut text = of.to_token_stream().to_string();
    for (from, to) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" > ", ">"),
        (" >", ">"),
        ("< ", "<"),
        ("& ", "&"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" ,", ","),
        (" :", ":"),
        (" ;", ";"),
        ("[ ", "["),
        (" ]", "]"),
        (",)", ")"),
        (" !", "!"),
        ("->", " -> "),
        ("  ", " "),
        ("- >", "->"),
    ] {
        text = text.replace(from, to);
    }
    text
}

#[test]
fn the_public_surface_is_the_list() {
    let source = root().join("src");
    let library = Module::read(&source.join("lib.rs"), &source, "hcidiff");
    let (mut lines, mut types) = (BTreeSet::new(), BTreeSet::new());
    library.list(&mut lines, &mut types);
    library.methods(&types, &mut lines);
    let entry = "hcidiff::case::fn analyse(";
    assert!(lines.iter().any(|line| line.starts_with(entry)), "the entry is missing");
    let found: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let page: PathBuf = root().join("docs/api.txt");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&page, &found).expect("docs can be written");
    }
    let listed = fs::read_to_string(&page).unwrap_or_default();
    let listed: BTreeSet<&str> = listed.lines().collect();
    let found: BTreeSet<&str> = found.lines().collect();
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "the public surface changed: new {new:#?}, gone {gone:#?}; is it meant? UPDATE_DOCS=1 cargo test --test api"
    );
}
