//! Reading captures through the program: lines, warnings, refusals, standard input.
#![cfg(feature = "cli")]
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors")
}

fn events(arguments: &[&str], input: Option<&str>) -> Output {
    let stdin = match input {
        Some(name) => Stdio::from(File::open(vectors().join(name)).unwrap()),
        None => Stdio::null(),
    };
    Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .args(["events", "--format", "jsonl"])
        .args(arguments)
        .current_dir(vectors())
        .stdin(stdin)
        .output()
        .unwrap()
}

fn lines(output: &Output) -> usize {
    output.stdout.iter().filter(|&&byte| byte == b'\n').count()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_damaged_capture_is_no_trouble_but_is_told() {
    let output = events(&["h_cut_in_data.btsnoop"], None);
    assert_eq!((output.status.code(), lines(&output)), (Some(0), 5));
    assert!(
        said(&output).contains("inside record 6, which begins at byte 205"),
        "{}",
        said(&output)
    );
    let output = events(&["--salvage", "h_len7.pklg"], None);
    assert_eq!((output.status.code(), lines(&output)), (Some(0), 16));
}

#[test]
fn what_cannot_be_read_is_trouble_with_the_files_name() {
    for name in ["h_empty.btsnoop", "s_1003.btsnoop", "pn_badif.pcapng", "pn.py"] {
        let output = events(&[name], None);
        assert_eq!((output.status.code(), lines(&output)), (Some(2), 0), "{name}");
        assert!(said(&output).starts_with(&format!("hcidiff: {name}: ")), "{}", said(&output));
    }
}

#[test]
fn standard_input_may_be_compressed() {
    let output = events(&["-"], Some("s_1002.btsnoop.gz"));
    assert_eq!((output.status.code(), lines(&output)), (Some(0), 16));
    let output = events(&["-"], Some("s_2002.btsnoop"));
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).starts_with("hcidiff: standard input: "), "{}", said(&output));
}
