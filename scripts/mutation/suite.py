"""A copy of the project that is built once and tested often."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from mutation.places import HOME

PLACE = HOME / "target/mutants"
TREE = PLACE / "tree"
# A little optimization: the build takes a few minutes longer, and each of the many tests much less.
OPTIMIZED = int(os.environ.get("MUTANTS_OPTIMIZED", "1"))
# Integration tests that look at rules, comparison and timeline most closely, the quickest first; the others follow by name.
FIRST = ["situations", "vectors", "single", "facts", "comparison", "truth", "pairs", "tracker_properties", "case", "first_screen",
         "json", "markdown", "html", "witness", "recipe", "remedies"]
# A test may take this many times as long as without a change, and so many seconds more.
TIMES, SECONDS = 5, 30

SWITCH = """
/// Whether the change with that number is on.
#[doc(hidden)]
pub fn mutant(number: u32) -> bool {
    static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *ON.get_or_init(|| std::env::var("HCIDIFF_MUTANT").ok().and_then(|on| on.parse().ok()).unwrap_or(0)) == number
}
"""


def write(path, text):
    """Writes only what is new, so that cargo compiles only what changed."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=HOME, text=True, capture_output=True, check=True).stdout


def copy_tree():
    """The project's files as they are now. `src` stays as it is for tests that read it; the switches are in `switched`."""
    files = git("ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    wanted = set()
    for name in files:
        here, there = HOME / name, TREE / name
        if not here.is_file():
            continue
        wanted.add(there)
        # What the sources include lies beside them.
        beside = [TREE / "switched" / Path(name).relative_to("src")] if name.startswith("src/") and not name.endswith(".rs") else []
        for there in [there, *beside]:
            if not there.exists() or there.read_bytes() != here.read_bytes():
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(here, there)
                shutil.copymode(here, there)
    for old in TREE.rglob("*"):
        if old.is_file() and old not in wanted and "switched" not in old.relative_to(TREE).parts[:1]:
            old.unlink()
    manifest = (TREE / "Cargo.toml").read_text()
    manifest = manifest.replace('path = "src/bin/hcidiff/main.rs"', 'path = "switched/bin/hcidiff/main.rs"')
    manifest = manifest.replace("[[bin]]", '[lib]\npath = "switched/lib.rs"\n\n[[bin]]', 1)
    if "switched/bin" not in manifest:
        manifest = manifest.replace('name = "hcidiff"\nrequired', 'name = "hcidiff"\npath = "switched/bin/hcidiff/main.rs"\nrequired')
    (TREE / "Cargo.toml").write_text(manifest)
    shared = HOME.parent / "shared"
    link = PLACE / "shared"
    if shared.exists() and not link.is_symlink():
        link.symlink_to(shared.resolve())


def cargo(*arguments):
    environment = dict(os.environ, CARGO_TARGET_DIR=str(PLACE / "target"), CARGO_INCREMENTAL="1")
    done = subprocess.run(["cargo", "test", "--no-run", "--locked", "--message-format=json",
                           "--config", f"profile.dev.package.hcidiff.opt-level={OPTIMIZED}", *arguments], cwd=TREE,
                          env=environment, capture_output=True, text=True)
    programs, errors = {}, []
    for line in done.stdout.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if message.get("reason") == "compiler-artifact" and message.get("executable") and message["profile"]["test"]:
            name = "lib" if "lib" in message["target"]["kind"] else message["target"]["name"]
            if "bin" in message["target"]["kind"]:
                name = "bin"
            programs[name] = message["executable"]
        if message.get("reason") == "compiler-message" and message["message"]["level"] == "error":
            errors.append(message["message"])
    return done.returncode, programs, errors, done.stderr


def build(plan, *arguments):
    """Builds the copy; changes that do not compile are dropped. Gives the test programs and what was dropped."""
    dropped = set()
    while True:
        for path in plan.sources:
            text = plan.render(path)
            write(TREE / "switched" / Path(path).relative_to("src"), text + (SWITCH if path == "src/lib.rs" else ""))
        code, programs, errors, talk = cargo(*arguments)
        if code == 0:
            return programs, dropped
        guilty = set()
        for error in errors:
            for span in all_spans(error):
                path = TREE / span["file_name"]
                if not path.exists():
                    continue
                data = path.read_bytes()
                lines = data.decode().splitlines()
                here = "\n".join(lines[span["line_start"] - 1:span["line_end"]])
                exact = data[span["byte_start"]:span["byte_end"]].decode(errors="replace")
                near = re.findall(r"mutant\((\d+)\)|__M(\d+)\b", exact)
                if not near:
                    near = innermost(data.decode(), data, span) or re.findall(r"mutant\((\d+)\)|__M(\d+)\b", here)
                guilty |= {int(a or b) for a, b in near}
            if guilty:
                break
        guilty -= dropped
        if not guilty:
            print("\n".join(e.get("rendered", "") for e in errors[:5]) or talk[-3000:])
            sys.exit("mutants: the copy does not compile")
        print(f"  do not compile: {sorted(guilty)}", flush=True)
        for one in guilty:
            plan.drop(one)
        dropped |= guilty


def innermost(text, data, span):
    """The switch whose branches hold a place."""
    before = data[:span["byte_start"]].decode()
    depth, at = 0, len(before)
    for found in reversed(list(re.finditer(r"\(if crate::mutant\((\d+)\)|", before))):
        if not found[0]:
            continue
        rest = before[found.start():]
        if rest.count("(") > rest.count(")"):
            return [(found[1], "")]
    return []


def all_spans(message):
    yield from (s for s in message["spans"] if s["is_primary"])
    yield from (s for s in message["spans"] if not s["is_primary"])
    for child in message.get("children", []):
        yield from child["spans"]


def run(program, number, limit, *words):
    """Runs a test program: (passed, seconds, the first tests that failed)."""
    environment = dict(os.environ, HCIDIFF_MUTANT=str(number), INSTA_UPDATE="no", PROPTEST_DISABLE_FAILURE_PERSISTENCE="true",
                       CARGO_TARGET_DIR=str(PLACE / "target"))
    began = time.monotonic()
    process = subprocess.Popen([program, "--test-threads=2", *words], cwd=TREE, env=environment, text=True, errors="replace",
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        out, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return False, time.monotonic() - began, ["took too long"]
    failed = re.findall(r"^test (\S+)(?: - should panic)? \.\.\. FAILED", out, re.M)
    return process.returncode == 0, time.monotonic() - began, failed or [out[-300:].replace("\n", " ")]


def order(programs):
    names = [name for name in programs if name not in ("lib", "bin")]
    return [n for n in FIRST if n in names] + sorted(n for n in names if n not in FIRST) + (["bin"] if "bin" in programs else [])
