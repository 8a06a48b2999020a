"""Hold the wheel's command against the program, over all captures and logs that ship.

    same_command.py HCIDIFF WHEEL-COMMAND FIXTURES

Each file alone, each pair of `fixtures/pairs`, and the flagship: standard output, what is said, the exit status, the
report in four formats, and the events.
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

NOT_CAPTURES = {".py", ".sh", ".md", ".tsv", ".cache"}


def run(command, words, folder):
    """What a call gives: status, both streams, and the files that it wrote."""
    done = subprocess.run([command, *words], capture_output=True, cwd=folder, stdin=subprocess.DEVNULL)
    written = {path.name: path.read_bytes() for path in sorted(pathlib.Path(folder).iterdir())}
    for name in written:
        os.unlink(os.path.join(folder, name))
    return done.returncode, done.stdout, done.stderr, written


def calls(fixtures):
    outputs = [word for ending in ("md", "json", "html", "txt") for word in ("-o", f"report.{ending}")]
    files = [path for path in sorted(fixtures.rglob("*")) if path.is_file() and path.suffix not in NOT_CAPTURES]
    for path in files:
        yield [str(path), *outputs]
        yield ["events", str(path), "--format", "jsonl"]
    flagship = fixtures / "flagship"
    pairs = [[flagship / "mac.pklg", fails] for fails in sorted(flagship.glob("pi*.btsnoop"))]
    for folder in sorted((fixtures / "pairs").glob("*")):
        captures = [path for path in sorted(folder.glob("*")) if path.suffix not in NOT_CAPTURES]
        pairs += [captures[:2]] if len(captures) > 1 else []
    for pair in pairs:
        yield [*map(str, pair), *outputs]
        yield [*map(str, pair), "--full", "--format", "markdown"]
        yield [*map(str, pair), "--format", "facts", "-q"]
    yield from ([], ["--help"], ["-h"], ["--version"], ["explain"], ["explain", "0x3e"], ["explain", "flux-compensator"])
    yield from (["schema"], ["man"], ["completions", "bash"], ["--frmat", "x"], ["diff", "a", "b"], ["events"], ["nobody.btsnoop"])


def main(program, command, fixtures):
    def same(words):
        with tempfile.TemporaryDirectory() as folder:
            one, other = run(program, words, folder), run(command, words, folder)
        return words if one != other else None

    asked = list(calls(pathlib.Path(fixtures).resolve()))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        differ = [words for words in pool.map(same, asked) if words]
    for words in differ[:20]:
        print("differs:", *words)
    print(f"the wheel's command against the program: {len(asked)} calls, {len(differ)} differ")
    return bool(differ) or len(asked) < 100


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3]))
