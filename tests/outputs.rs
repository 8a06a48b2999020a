//! Files that a run leaves behind: several formats at once, whole or not at all, the same bytes again.
#![cfg(feature = "cli")]
mod common;

use common::{fixture, flagship, hcidiff};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program in `folder` and has it write `files` there.
fn write(folder: &Path, captures: &[PathBuf], files: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hcidiff"));
    command.args(captures).env_clear().current_dir(folder);
    for file in files {
        command.arg("-o").arg(file);
    }
    command.output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn one_analysis_writes_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let output = write(folder.path(), &flagship(), &["r.md", "r.json", "r.txt", "r.html"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.starts_with("\u{2717} pi: ".as_bytes()), "the first screen");
    assert_eq!(names(folder.path()), ["r.html", "r.json", "r.md", "r.txt"]);
    for (file, format) in [("r.md", "markdown"), ("r.json", "json"), ("r.html", "html")] {
        let printed = hcidiff(&flagship(), &["--format", format]).stdout;
        assert!(fs::read(folder.path().join(file)).unwrap() == printed, "{file}");
    }
}

/// A text is for a mailing list: narrow, no line that looks like a quotation, and nobody's address.
#[test]
fn a_text_can_be_mailed() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &flagship(), &["r.txt"]);
    let text = fs::read_to_string(folder.path().join("r.txt")).unwrap();
    let long = text.lines().find(|line| line.chars().count() > 72);
    assert_eq!(long, None);
    assert!(!text.lines().any(|line| line.starts_with('>') || line.starts_with("From ")), "{text}");
    assert!(text.starts_with("\u{2717} pi: ") && text.contains("TIMELINE"), "{text}");
    assert!(!text.contains("F0:12:7C") && !text.contains("LabSensor"), "{text}");
    let output = hcidiff(
        &flagship(),
        &["--show-addresses", "-o", folder.path().join("s.txt").to_str().unwrap()],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(fs::read_to_string(folder.path().join("s.txt")).unwrap().contains("F0:12:7C"));
}

#[test]
fn the_same_bytes_in_any_folder_zone_and_terminal() {
    let here = tempfile::tempdir().unwrap();
    let there = tempfile::tempdir().unwrap();
    let deep = there.path().join("a folder/with spaces");
    fs::create_dir_all(&deep).unwrap();
    let copies: Vec<Vec<PathBuf>> = [here.path(), &deep]
        .iter()
        .map(|folder| {
            let copy = |file: &PathBuf| {
                let name = folder.join(file.file_name().unwrap());
                fs::copy(file, &name).unwrap();
                name
            };
            flagship().iter().map(copy).collect()
        })
        .collect();
    for format in ["markdown", "json", "html", "terminal", "facts"] {
        let run = |captures: &[PathBuf], variables: &[(&str, &str)]| {
            Command::new(env!("CARGO_BIN_EXE_hcidiff"))
                .args(captures)
                .args(["--format", format])
                .env_clear()
                .envs(variables.iter().copied())
                .current_dir(captures[0].parent().unwrap())
                .output()
                .unwrap()
                .stdout
        };
        let first = run(&copies[0], &[("TZ", "UTC"), ("LANG", "C")]);
        let mut elsewhere = vec![
            ("TZ", "Pacific/Auckland"),
            ("LANG", "de_DE.UTF-8"),
            ("TERM", "xterm-256color"),
            ("HOSTNAME", "x"),
        ];
        if format != "terminal" {
            elsewhere.push(("COLUMNS", "200"));
        }
        assert!(first == run(&copies[1], &elsewhere), "{format}");
        assert!(!first.is_empty());
    }
}

#[test]
fn what_cannot_be_written_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.md"), "the report of yesterday").unwrap();
    fs::create_dir(folder.path().join("taken.json")).unwrap();
    for bad in ["missing/r.json", "taken.json"] {
        let output = write(folder.path(), &flagship(), &["old.md", "new.md", bad]);
        assert_eq!(output.status.code(), Some(2), "{bad}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(bad));
        assert_eq!(names(folder.path()), ["old.md", "taken.json"], "{bad}");
        assert_eq!(
            fs::read_to_string(folder.path().join("old.md")).unwrap(),
            "the report of yesterday"
        );
    }
}

#[test]
fn an_existing_file_is_replaced_and_stays_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real.md");
    fs::write(&real, "x".repeat(100_000)).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("real.md", folder.path().join("link.md")).unwrap();
        write(folder.path(), &flagship(), &["link.md"]);
        assert!(fs::symlink_metadata(folder.path().join("link.md")).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
    #[cfg(not(unix))]
    write(folder.path(), &flagship(), &["real.md"]);
    assert!(fs::read_to_string(&real).unwrap().starts_with("## hcidiff: "));
}

#[test]
fn a_report_job_ends_well_whatever_is_found() {
    let files = flagship();
    assert_eq!(hcidiff(&files, &[]).status.code(), Some(1));
    assert_eq!(hcidiff(&files, &["--exit-zero"]).status.code(), Some(0));
    let missing = [fixture("flagship/mac.pklg"), fixture("flagship/no-such-file")];
    assert_eq!(hcidiff(&missing, &["--exit-zero"]).status.code(), Some(2));
}

#[test]
fn a_capture_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let capture = fs::read(fixture("text/02-bad-kick.hcidump-t.txt")).unwrap();
    fs::write(path("cap.txt"), &capture).unwrap();
    fs::hard_link(path("cap.txt"), path("hard.md")).unwrap();
    let mut outputs = vec!["cap.txt", "./cap.txt", "hard.md"];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("cap.txt", path("soft.html")).unwrap();
        outputs.push("soft.html");
    }
    let before = names(folder.path());
    let good = fixture("flagship/mac.pklg");
    for bad in outputs {
        for captures in [vec![path("cap.txt")], vec![good.clone(), path("cap.txt")]] {
            let output = write(folder.path(), &captures, &["new.json", bad]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{bad}: {said}");
            assert_eq!(
                said,
                format!("hcidiff: {bad} is a capture to be read: a report would replace it\n")
            );
            assert_eq!(names(folder.path()), before, "{bad}");
            assert!(fs::read(path("cap.txt")).unwrap() == capture, "{bad}");
        }
    }
}

#[test]
fn a_capture_that_comes_by_standard_input_or_takes_the_output_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cap.txt");
    let capture = fs::read(fixture("text/02-bad-kick.hcidump-t.txt")).unwrap();
    fs::write(&path, &capture).unwrap();
    let append = || fs::File::options().append(true).open(&path).unwrap();
    let file = path.to_str().unwrap();
    for (arguments, appends) in [
        (&["-", "-o", file][..], false),
        (&[file], true),
        (&["-"], true),
        (&["events", file], true),
        (&["events", "-"], true),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hcidiff"));
        command.args(arguments).stdin(fs::File::open(&path).unwrap());
        if appends {
            command.stdout(append());
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(fs::read(&path).unwrap() == capture, "{arguments:?}");
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    #[test]
    fn a_link_that_leads_nowhere_yet_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("reports")).unwrap();
        symlink("reports/new.md", path("link.md")).unwrap();
        symlink("link.md", path("second.md")).unwrap();
        assert_eq!(write(folder.path(), &flagship(), &["second.md"]).status.code(), Some(1));
        for link in ["link.md", "second.md"] {
            assert!(fs::symlink_metadata(path(link)).unwrap().is_symlink(), "{link}");
        }
        assert!(fs::read_to_string(path("reports/new.md")).unwrap().starts_with("## hcidiff: "));
        assert_eq!(names(&path("reports")), ["new.md"]);
        symlink("loop.md", path("loop.md")).unwrap();
        let output = write(folder.path(), &flagship(), &["loop.md"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(fs::symlink_metadata(path("loop.md")).unwrap().is_symlink());
    }

    #[test]
    fn a_file_that_is_replaced_keeps_its_mode_and_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.md");
        for mode in [0o666, 0o640, 0o600, 0o777] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            // Only root can give a file away; for everybody else the owner is the same anyway.
            let _ = std::os::unix::fs::chown(&path, Some(12_345), Some(12_346));
            let before = fs::metadata(&path).unwrap();
            assert_eq!(write(folder.path(), &flagship(), &["r.md"]).status.code(), Some(1));
            let after = fs::metadata(&path).unwrap();
            assert_eq!(after.mode(), before.mode(), "{mode:o}");
            assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
            assert!(fs::read_to_string(&path).unwrap().starts_with("## hcidiff: "));
        }
    }

    #[test]
    fn errors_name_the_file_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let output = write(folder.path(), &flagship(), &["missing/r.md"]);
        assert_eq!(
            String::from_utf8(output.stderr).unwrap().lines().last().unwrap(),
            "hcidiff: missing/r.md: No such file or directory (os error 2)"
        );
        // Root may write into every folder, but not into this one.
        let proc = Path::new("/proc/self");
        if proc.exists() {
            let output = write(proc, &flagship(), &["r.md"]);
            let said = String::from_utf8(output.stderr).unwrap();
            let last = said.lines().last().unwrap();
            assert!(last.starts_with("hcidiff: r.md: "), "{said}");
            assert!(!said.contains(".hcidiff-"), "{said}");
        }
    }

    /// What is not on the disk yet takes nobody's place: after a power cut there would be neither of the two.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_does_not_reach_the_disk_leaves_the_old_one() {
        use nix::libc::{EIO, SYS_fdatasync, SYS_fsync};
        use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.md");
        fs::write(&path, "the report of yesterday").unwrap();
        let calls = [SYS_fsync, SYS_fdatasync].map(|call| (call, Vec::new())).into();
        let arch = std::env::consts::ARCH.try_into().unwrap();
        let fails = SeccompAction::Errno(EIO as u32);
        let filter = SeccompFilter::new(calls, SeccompAction::Allow, fails, arch).unwrap();
        let filter: BpfProgram = filter.try_into().unwrap();
        // Only this thread, and the program that it starts, have a disk that fails.
        let place = folder.path().to_path_buf();
        let run =
            move || apply_filter(&filter).map(|()| write(&place, &flagship(), &["r.md", "new.md"]));
        let Ok(output) = std::thread::spawn(run).join().unwrap() else {
            eprintln!("system calls cannot be made to fail here: skipped");
            return;
        };
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("r.md: Input/output error"), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "the report of yesterday");
        assert_eq!(names(path.parent().unwrap()), ["r.md"]);
    }

    #[test]
    fn whoever_interrupts_leaves_all_files_or_none() {
        let (mut interrupted, mut tries) = (0, 0);
        // Writing takes a moment that a busy machine may sleep through: a few more tries then.
        while tries < 8 || interrupted == 0 && tries < 60 {
            tries += 1;
            let folder = tempfile::tempdir().unwrap();
            let files = ["r.md", "r.json", "r.txt", "r.html"];
            let mut command = Command::new(env!("CARGO_BIN_EXE_hcidiff"));
            command.args(flagship()).env_clear().current_dir(folder.path());
            command.args(files.iter().flat_map(|file| ["-o", file]));
            let mut child = command.stderr(Stdio::null()).spawn().unwrap();
            let begun = Instant::now();
            while names(folder.path()).is_empty() && begun.elapsed() < Duration::from_secs(60) {}
            let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT);
            let status = child.wait().unwrap();
            interrupted += u32::from(status.code().is_none());
            let mut all = files.map(str::to_owned).to_vec();
            all.sort();
            assert_eq!(names(folder.path()), all, "{status}");
        }
        // Where writing is faster than the signal, the files alone were looked at.
        if interrupted == 0 {
            eprintln!("the signal came too late each time");
        }
    }

    #[test]
    fn a_pipe_with_a_name_is_written_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.md");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        assert_eq!(write(folder.path(), &flagship(), &["pipe.md", "r.md"]).status.code(), Some(1));
        let read = reader.join().unwrap();
        assert!(read == fs::read_to_string(folder.path().join("r.md")).unwrap());
    }
}
