//! Puts the page together: `hcidiff-page MODULE.wasm PAGE.html`.
//!
//! The page is one file that asks for nothing: the module stands in it, packed, as text; style and script are named
//! in its policy by their hashes; the worker is made from a text of its own.
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

const FRAME: &str = include_str!("../../page/index.html");
const STYLE: &str = include_str!("../../page/page.css");
const SCRIPT: &str = include_str!("../../page/page.js");
const WORKER: &str = include_str!("../../page/worker.js");
/// The report has its own style and script, and the page shows reports.
const REPORT_STYLE: &str = include_str!("../../../src/report/html/style.css");
const REPORT_SCRIPT: &str = include_str!("../../../src/report/html/report.js");

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(module), Some(page)) = (arguments.next(), arguments.next()) else {
        bail!("usage: hcidiff-page MODULE.wasm PAGE.html");
    };
    let (glue, module) = bound(Path::new(&module))?;
    let text = page_of(&glue, &module)?;
    fs::write(&page, &text).with_context(|| format!("{} cannot be written", page.display()))?;
    println!(
        "{}: {} KiB, of which the module {} KiB",
        page.display(),
        text.len() / 1024,
        module.len() / 1024
    );
    Ok(())
}

/// The script that loads the module, and the module as that script wants it.
fn bound(module: &Path) -> Result<(String, Vec<u8>)> {
    let mut bindgen = Bindgen::new();
    // The names of functions are a quarter of the module, and nobody reads them in a page.
    bindgen.input_path(module).typescript(false).remove_name_section(true).no_modules(true)?;
    let mut output = bindgen.generate_output()?;
    let glue = output.js().to_owned();
    Ok((glue, output.wasm_mut().emit_wasm()))
}

/// The whole page.
fn page_of(glue: &str, module: &[u8]) -> Result<String> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(module)?;
    let packed = STANDARD.encode(packed.finish()?);
    let style = format!("{REPORT_STYLE}\n{STYLE}");
    let script = format!("{REPORT_SCRIPT}\n{SCRIPT}");
    let worker = format!("{glue}\n{WORKER}");
    for (name, text) in [("worker", &worker), ("script", &script)] {
        // A browser would end the element here.
        if text.to_ascii_lowercase().contains("</script") {
            bail!("the {name} holds the end of a script element");
        }
    }
    let policy = format!(
        "default-src 'none'; script-src '{}' 'wasm-unsafe-eval'; worker-src blob:; style-src '{}'; img-src data:; \
         base-uri 'none'; form-action 'none'",
        hash(&script),
        hash(&style),
    );
    let mut page = FRAME.to_owned();
    for (mark, text) in [
        ("{{policy}}", policy.as_str()),
        ("{{style}}", &style),
        ("{{worker}}", &worker),
        ("{{module}}", &packed),
        ("{{script}}", &script),
    ] {
        if page.matches(mark).count() != 1 {
            bail!("the page's frame has no single place for {mark}");
        }
        page = page.replace(mark, text);
    }
    Ok(page)
}

/// A text's name in a policy.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}
