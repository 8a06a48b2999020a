//! `hcidiff recipe`: what it writes for each target, that its programs are programs, that its files are BlueZ's own,
//! and what it refuses.
#![cfg(feature = "cli")]
mod common;
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use common::{fixture, hcidiff, piped};
use hcidiff::case;
use hcidiff::recipe::TARGETS;
use hcidiff::time::Span;
use hcidiff::timeline::{EndedBy, Procedure, Step};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The captures of the snapshots: what works, and what fails where there is such a one.
const CASES: &[(&str, &[&str])] = &[
    ("mac-kicked", &["flagship/mac.pklg", "flagship/pi-kicked.btsnoop"]),
    ("bluez-kicked", &["lab/B-bluez5.66/b01-good.btsnoop", "lab/B-bluez5.66/b02-kick.btsnoop"]),
    ("bumble-kicked", &["lab/A/01-good-basic.pklg", "lab/A/02-bad-kick.btsnoop"]),
    ("noble", &["lab/A2/21-noble-good.btsnoop"]),
    ("two-devices", &["lab/A/15-two-devices.btsnoop"]),
    ("bluez-5.82", &["lab/B-bluez5.82/b16-extended.btsnoop"]),
];

fn files(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| fixture(name)).collect()
}

/// `hcidiff recipe` with these captures and options.
fn recipe(names: &[&str], options: &[&str]) -> Output {
    hcidiff(&files(names), &[&["recipe"], options].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The lines that a template does not have: what the capture put there.
fn without(text: &str, template: &str) -> String {
    let constant: Vec<&str> = template.lines().collect();
    let own = text.lines().filter(|line| line.is_empty() || !constant.contains(line));
    own.collect::<Vec<_>>().join("\n")
}

/// A template of the sources, by the file that it becomes.
fn template(target: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/recipe/templates");
    let stem = target.replace('-', "_");
    let ending = ["sh", "py", "js"].iter().map(|ending| folder.join(format!("{stem}.{ending}")));
    let found = ending.into_iter().find(|path| path.exists());
    found.map(|path| std::fs::read_to_string(path).unwrap()).unwrap_or_default()
}

#[test]
fn each_target_writes_what_the_working_host_did() {
    needs!("fixtures/lab/B-bluez5.66");
    for (case, names) in CASES {
        for target in TARGETS {
            let run = recipe(names, &["--for", target.name]);
            let (out, said) = (text(&run.stdout), text(&run.stderr));
            let own = without(&out, &template(target.name));
            let shown = format!("{own}\n--- said\n{said}status {:?}\n", run.status.code());
            insta::assert_snapshot!(format!("{case}__{}", target.name), shown);
        }
    }
}

#[test]
fn a_program_as_a_whole() {
    needs!("fixtures/lab/B-bluez5.66");
    for target in TARGETS {
        let run = recipe(CASES[0].1, &["--for", target.name]);
        insta::assert_snapshot!(format!("whole__{}", target.name), text(&run.stdout));
    }
}

/// Whether a program is there to be asked; a test that lacks one says so.
fn has(program: &str, arguments: &[&str]) -> bool {
    let found =
        Command::new(program).args(arguments).output().is_ok_and(|out| out.status.success());
    if !found {
        eprintln!("skipped: no {program} {}", arguments.join(" "));
    }
    found
}

/// Runs a checker on a file; it has nothing to say.
fn passes(program: &str, arguments: &[&str], file: &Path) {
    let run = Command::new(program).args(arguments).arg(file).output().unwrap();
    let said = [run.stdout, run.stderr].map(|bytes| text(&bytes)).concat();
    assert!(run.status.success() && said.is_empty(), "{program} {}: {said}", file.display());
}

#[test]
fn what_is_written_is_a_program() {
    needs!("fixtures/lab/B-bluez5.66");
    let folder = tempfile::tempdir().unwrap();
    let python = has("python3", &["--version"]);
    let pyflakes = python && has("python3", &["-m", "pyflakes", "--version"]);
    let (node, shell) = (has("node", &["--version"]), has("sh", &["-c", "true"]));
    let mut programs = 0;
    for (case, names) in CASES {
        for target in TARGETS {
            let run = recipe(names, &["--for", target.name]);
            if !run.status.success() {
                continue;
            }
            let ending = if target.ending.is_empty() { "sh" } else { target.ending };
            let path =
                folder.path().join(format!("{case}-{}.{ending}", target.name.replace('-', "_")));
            std::fs::write(&path, &run.stdout).unwrap();
            programs += 1;
            match ending {
                "py" if python => {
                    passes("python3", &["-W", "error", "-m", "py_compile"], &path);
                    if pyflakes {
                        passes("python3", &["-m", "pyflakes"], &path);
                    }
                }
                "js" if node => passes("node", &["--check"], &path),
                "sh" if shell => passes("sh", &["-n"], &path),
                _ => {}
            }
        }
    }
    assert!(programs > 2 * CASES.len(), "{programs}");
}

/// The attributes of a file of BlueZ's.
fn attributes(text: &str) -> &str {
    let (_, attributes) = text.split_once("[Attributes]\n").unwrap();
    attributes
}

/// BlueZ 5.82 discovered the device and wrote its file; the capture of that discovery gives the same, octet for octet.
#[test]
fn the_cache_file_is_bluez_own() {
    needs!("fixtures/lab/B-bluez5.66");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("cure");
    let run = recipe(
        &["lab/R/bluez5.82/t50-none.btsnoop"],
        &["--for", "bluez-files", "-o", out.to_str().unwrap()],
    );
    assert!(run.status.success(), "{}", text(&run.stderr));
    let own = std::fs::read_to_string(fixture("lab/R/bluez5.82/t50-none.cache")).unwrap();
    let ours = std::fs::read_to_string(out.join("cache")).unwrap();
    assert_eq!(attributes(&ours), attributes(&own));
    assert!(attributes(&own).contains(":00002b2a-"), "with its Database Hash");
}

/// The script, with a folder of ours in place of BlueZ's: it puts the files there, and everything back.
#[cfg(unix)]
#[test]
fn the_script_installs_and_removes() {
    needs!("fixtures/lab/B-bluez5.66");
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (cure, root) = (folder.path().join("cure"), folder.path().join("bluetooth"));
    let run = recipe(CASES[1].1, &["--for", "bluez-files", "-o", cure.to_str().unwrap()]);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let script = |what: &str| {
        let run = Command::new("sh")
            .arg(cure.join("cure.sh"))
            .arg(what)
            .env("BLUETOOTH_ROOT", &root)
            .env_remove("ADAPTER")
            .output()
            .unwrap();
        (run.status.success(), text(&run.stderr))
    };
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let adapter = root.join("B8:27:EB:12:34:56");
    let peer = "F0:12:7C:AA:00:01";
    let (info, cache) = (adapter.join(peer).join("info"), adapter.join("cache").join(peer));
    std::fs::create_dir_all(cache.parent().unwrap()).unwrap();
    std::fs::write(&cache, "[General]\nName=before\n").unwrap();
    for _ in 0..2 {
        assert_eq!(script("install"), (true, String::new()));
        assert_eq!(read(&info), read(&cure.join("info")));
        assert_eq!(read(&cache), read(&cure.join("cache")));
        let mode = std::fs::metadata(&info).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(script("remove"), (true, String::new()));
    assert_eq!(read(&info), None);
    assert_eq!(read(&cache).as_deref(), Some("[General]\nName=before\n"));
    // A bond is not overwritten.
    std::fs::create_dir_all(info.parent().unwrap()).unwrap();
    let bond = "[LongTermKey]\nKey=00\n";
    std::fs::write(&info, bond).unwrap();
    let (done, said) = script("install");
    assert!(!done && said.contains("is bonded with this host"), "{said}");
    assert_eq!(read(&info).as_deref(), Some(bond));
    let (done, said) = script("");
    assert!(!done && said.contains("install or remove"), "{said}");
}

#[test]
fn a_recipe_that_would_be_wrong_is_refused() {
    needs!("fixtures/lab/B-bluez5.66");
    let pairs =
        |name: &str| [format!("pairs/{name}/reference.pklg"), format!("pairs/{name}/subject.pklg")];
    let other = pairs("other-database");
    let refused: &[(&[&str], &[&str], &str)] = &[
        (&["lab/A/06-pairing-good.btsnoop"], &[], "never holds a key"),
        (
            &["lab/A/10-hid-good.peer.btsnoop"],
            &[],
            "encrypted the link before the device was content",
        ),
        (&["lab/A2/20b-apple-bonded.btsnoop"], &["--for", "att-socket"], "never holds a key"),
        (&["lab/A/10-hid-good.btsnoop"], &[], "recorded on the device's side"),
        (&["lab/A/16-ext-rpa-unresolved.btsnoop"], &[], "is a private address"),
        (&["lab/A2/54-bredr.btsnoop"], &[], "BR/EDR"),
        (&["lab/A2/61-only-scan.btsnoop"], &[], "no device was connected"),
        (&["lab/A/13-phantom-midway.btsnoop"], &[], "a value written with success"),
        (&["lab/A/09-ota-good.btsnoop"], &[], "far more than a handshake"),
        (&[&other[0], &other[1]], &[], "the Database Hash differs"),
        (&["flagship/mac.pklg"], &["--for", "bluez-files"], "Name the failing capture too"),
        (
            &["lab/A2/21-noble-good.btsnoop", "lab/A/02-bad-kick.btsnoop"],
            &["--for", "bluez-files", "--connection", "9"],
            "no recipe",
        ),
        (&["flagship/mac.pklg"], &["--for", "bluez"], "there are bluez-files, att-socket"),
        (&["lab/EXPECTED.tsv"], &[], "EXPECTED.tsv: "),
    ];
    for (names, options, words) in refused {
        let run = recipe(names, options);
        let said = text(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{names:?}: {said}");
        assert!(said.contains(words), "{names:?}: {said}");
        assert_eq!(text(&run.stdout), "", "{names:?}");
    }
}

/// What the recipes did in the laboratory: the device that hangs up after 400 ms was unlocked in time on every link,
/// sent its data, and was left by the host.
#[test]
fn the_cures_cured() {
    needs!("fixtures/lab/B-bluez5.66");
    let (mut captures, mut links) = (0, 0);
    for folder in ["bluez5.66", "bluez5.82", "A"] {
        let folder = fixture("lab/R").join(folder);
        let mut cured: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        cured
            .retain(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("u-")));
        for path in cured {
            let capture = case::read(&(&path).into()).unwrap();
            captures += 1;
            for link in capture.connections.iter().filter(|link| link.connected()) {
                links += 1;
                let name = format!("{} #{}", path.display(), link.number);
                let unlock = link
                    .steps
                    .iter()
                    .find(|step| step.procedure == Procedure::Write && step.attribute == 0x004c);
                let at = unlock.and_then(|step| link.after(step.at)).expect(&name);
                let patient = name.contains("patient");
                assert!(patient || at < Span::from_ms(400), "{name}: unlocked after {at}");
                let data = |step: &&Step| step.procedure == Procedure::Notify;
                let data: u32 = link.steps.iter().filter(data).map(|step| step.count).sum();
                assert!(data >= 3, "{name}: {data} times data");
                let by = link.end.as_ref().map(|end| end.by);
                assert_ne!(by, Some(EndedBy::Peer), "{name}");
            }
        }
    }
    assert!(captures >= 8 && links >= 24, "{captures} captures, {links} links");
}

#[test]
fn a_pipe_cannot_be_read_twice() {
    let capture = std::fs::read(fixture("flagship/mac.pklg")).unwrap();
    let (status, out, said) = piped(&["recipe", "-"], &capture);
    assert_eq!((status, out.as_str()), (2, ""), "{said}");
    assert!(said.contains("a pipe can be read only once"), "{said}");
}

/// `-o` names a file for the program alone, or a folder for all; a capture is never written over.
#[test]
fn output_goes_into_a_file_or_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let run = |target: &str, out: &Path| {
        recipe(CASES[0].1, &["--for", target, "-o", out.to_str().unwrap()]).status.success()
    };
    assert!(run("att-socket", &at("a.py")) && at("a.py").is_file());
    assert!(run("bluez-files", &at("b.sh")) && at("b.sh").is_file());
    assert!(
        run("bluez-files", &at("files"))
            && at("files/cure.sh").is_file()
            && at("files/info").is_file()
    );
    assert!(!at("files/cache").exists(), "the database is not whole");
    assert!(run("att-socket", folder.path()) && at("cure.py").is_file());
    let shadow = at("bleak.py");
    assert!(!run("bleak", &shadow) && !shadow.exists(), "it would hide the library");
    let capture = at("mac.pklg");
    std::fs::copy(fixture("flagship/mac.pklg"), &capture).unwrap();
    let before = std::fs::read(&capture).unwrap();
    let path = capture.to_str().unwrap();
    let run = hcidiff(std::slice::from_ref(&capture), &["recipe", "-o", path]);
    assert_eq!(run.status.code(), Some(2));
    assert!(text(&run.stderr).contains("is a capture to be read"));
    assert_eq!(std::fs::read(&capture).unwrap(), before);
}

/// Whatever a report offers as a command works: no recipe that is offered is refused.
#[test]
fn what_a_report_offers_is_written() {
    needs!("fixtures/pairs");
    let mut offered = 0;
    for folder in std::fs::read_dir(fixture("pairs")).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let report = text(&hcidiff(&files, &["--format", "json", "--exit-zero"]).stdout);
        for target in TARGETS {
            if report.contains(&format!("--for {}", target.name)) {
                offered += 1;
                let run = hcidiff(&files, &["recipe", "--for", target.name]);
                let said = text(&run.stderr);
                assert!(run.status.success(), "{}: {}: {said}", folder.display(), target.name);
            }
        }
    }
    assert!(offered >= 3, "{offered}");
}
