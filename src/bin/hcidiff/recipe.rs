//! `hcidiff recipe`: the cure goes to standard output, into a file or into a folder.
use crate::{INTO_ITSELF, cli, console, output, progress, trouble};
use hcidiff::recipe::{self, File};
use hcidiff::report::safe;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(asked: &cli::Recipe, out: &mut impl Write) -> io::Result<ExitCode> {
    if asked.output.is_none() && output::goes_into(&asked.captures) {
        return Ok(trouble(INTO_ITSELF));
    }
    if let Some(output) = &asked.output
        && output
            .file_name()
            .is_some_and(|name| name == format!("{}.py", asked.target.name).as_str())
    {
        let name = asked.target.name;
        return Ok(trouble(&format!(
            "a program called {name}.py would import itself in place of the library: name it otherwise, as in -o cure.py"
        )));
    }
    let case = asked.case();
    let display = progress::Display::of(case.sides());
    let recipe = recipe::handshake(&case).and_then(|handshake| asked.target.write(&handshake));
    drop(display);
    let recipe = match recipe {
        Ok(recipe) => recipe,
        Err(refusal) => return Ok(trouble(&refusal.to_string())),
    };
    let Some(output) = &asked.output else {
        if let Some(first) = recipe.files.first() {
            console::seen_enough(out.write_all(first.text.as_bytes()).and_then(|()| out.flush()))?;
        }
        recipe.says.iter().for_each(|sentence| console::say(sentence));
        return Ok(ExitCode::SUCCESS);
    };
    let files = placed(output, &recipe.files);
    let paths: Vec<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    if let Some(path) = output::over_a_capture(&paths, &asked.captures) {
        let path = safe::text(&path.to_string_lossy()).into_owned();
        return Ok(trouble(&format!("{path} is a capture to be read: a recipe would replace it")));
    }
    if is_folder(output, &recipe.files)
        && let Err(error) = std::fs::create_dir_all(output)
    {
        return Ok(trouble(&format!("{}: {error}", safe::text(&output.to_string_lossy()))));
    }
    let text = |path: &Path| files.iter().find(|(at, _)| at == path).map(|(_, file)| &file.text);
    let written = output::write_all(&paths, |path, out| {
        out.write_all(text(path).map_or(&[][..], |text| text.as_bytes()))
    });
    if let Err((path, error)) = written {
        return Ok(trouble(&format!("{}: {error}", safe::text(&path.to_string_lossy()))));
    }
    recipe.says.iter().for_each(|sentence| console::say(sentence));
    for path in &paths {
        console::say(&format!("wrote {}", safe::text(&path.to_string_lossy())));
    }
    Ok(ExitCode::SUCCESS)
}

/// A folder gets all files; a file only the one that can be run alone.
fn is_folder(output: &Path, files: &[File]) -> bool {
    let ends_like_one = output.to_string_lossy().ends_with(std::path::is_separator);
    output.is_dir() || ends_like_one || files.len() > 1 && output.extension().is_none()
}

fn placed<'a>(output: &Path, files: &'a [File]) -> Vec<(PathBuf, &'a File)> {
    if is_folder(output, files) {
        files.iter().map(|file| (output.join(&file.name), file)).collect()
    } else {
        files.iter().take(1).map(|file| (output.to_owned(), file)).collect()
    }
}
