"""What the module costs: its import, and an analysis beside the command's.

    speed.py HCIDIFF

Both read the same 30 MB and write JSON. Times are those of the processor, so that what else the machine does counts little; each is
the best of several. The command's start is part of its time, the interpreter's is not part of the module's. Ends with 1 where
the import takes 50 ms, or an analysis much more than the command.
"""
import pathlib
import resource
import subprocess
import sys
import tempfile

import hcidiff

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMPORT_MS = 50
#: 1.05 is the aim; a machine that does other things besides measures worse.
MOST_RATIO = 1.25


def spent():
    """Seconds of the processor, ours and those of programs that have ended."""
    some = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in some)


def best(what, times):
    taken = []
    for _ in range(times):
        begin = spent()
        what()
        taken.append(spent() - begin)
    return min(taken)


def main(program):
    def started(code):
        return best(lambda: subprocess.run([sys.executable, "-c", code], check=True), 15)

    took = (started("import hcidiff") - started("pass")) * 1000
    print(f"import hcidiff: {took:.1f} ms beyond a bare start of the interpreter (at most {IMPORT_MS})")
    with tempfile.TemporaryDirectory() as folder:
        capture = (ROOT / "fixtures" / "flagship" / "pi-kicked.btsnoop").read_bytes()
        path = pathlib.Path(folder) / "large.btsnoop"
        path.write_bytes(capture[:16] + capture[16:] * (30_000_000 // len(capture)))
        json = pathlib.Path(folder) / "report.json"

        def command():
            with open(json, "wb") as out:
                subprocess.run([program, str(path), "--format", "json"], stdout=out, stderr=subprocess.DEVNULL)

        def module():
            json.write_text(hcidiff.analyze(path).to_json(), encoding="utf-8")

        one, other = best(command, 3), best(module, 3)
    print(f"30 MB: the command {one:.3f} s, analyze {other:.3f} s, ratio {other / one:.3f} (aim 1.05)")
    return took >= IMPORT_MS or other / one > MOST_RATIO


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
