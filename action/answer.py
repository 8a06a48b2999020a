#!/usr/bin/env python3
"""Finds captures in a GitHub issue, or in a folder, and writes hcidiff's report about them.

    answer.py --output REPORT.md [--event PAYLOAD.json | --folder FOLDER]

Needs nothing but Python and hcidiff (`HCIDIFF`, else on PATH). What stands in an issue is data: it is never a command, never a name
of a file outside of a temporary folder, and links are followed to GitHub's own attachments alone.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

MOST_TEXT = 1_000_000
MOST_FILES = 12
MOST_BYTES_OF_A_FILE = 100_000_000
MOST_BYTES = 300_000_000
MOST_SECONDS = 120
MOST_MEMORY = 2 << 30
#: A comment holds 65,536 characters.
MOST_REPORT = 64_000

#: Where GitHub keeps attachments: a link in an issue begins so, and the file comes from one of these hosts.
ATTACHMENT = re.compile(r"https://github\.com/(?:user-attachments/files|[\w.-]+/[\w.-]+/files)/\d+/[\w.%+-]+")
HOSTS = ("github.com", ".githubusercontent.com")
BUCKET = re.compile(r"github-production-repository-file-[0-9a-f]+\.s3(\.[a-z0-9-]+)?\.amazonaws\.com")

#: Words before a capture that say which side it is. Those of a failure come first: "does not work" has "work" in it.
FAILS = re.compile(r"\b(fail\w*|bad|broken|buggy|not\s+work\w*|n[o']t\s+work\w*|subject)\b", re.I)
WORKS = re.compile(r"\b(work\w*|good|success\w*|reference|ok|fine)\b", re.I)


class Item:
    """Something that may be a capture: its name, which side it is on (or None), and its bytes."""

    def __init__(self, name, side, data):
        self.name, self.side, self.data = name, side, data


def side(words):
    """Which side some words are about: `works`, `fails` or None."""
    # 't and not stand as words of their own in "doesn't work".
    words = re.sub(r"n[’']t\b", " not", words).replace("_", " ").replace("-", " ")
    if FAILS.search(words):
        return "fails"
    return "works" if WORKS.search(words) else None


def pieces(text):
    """Fenced blocks and links to attachments of a Markdown text, in order, with the words that introduce them."""
    said, heading, fence, block = "", "", None, []
    for line in text.replace("\r\n", "\n").split("\n"):
        opens = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if fence:
            if opens and line.strip().strip(fence[0]) == "" and len(line.strip()) >= len(fence):
                yield "block", "\n".join(block) + "\n", side(said) or side(heading)
                fence, said = None, ""
            else:
                block.append(line)
            continue
        if opens:
            fence, block = opens[1], []
            continue
        links = ATTACHMENT.findall(line)
        before = ATTACHMENT.split(line)[0]
        for link in links:
            yield "link", link, side(before) or side(said) or side(heading) or side(link.rsplit("/", 1)[1])
        if re.match(r" {0,3}#", line):
            heading, said = line, ""
        elif line.strip() and not links:
            said = line
    if fence:
        # A paste that was never closed goes to the end, as GitHub draws it.
        yield "block", "\n".join(block) + "\n", side(said) or side(heading)


def plain(name):
    """A name that is one file's, and looks like nothing else."""
    name = urllib.parse.unquote(name).rsplit("/", 1)[-1]
    name = re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".-")
    return name[-80:] or "capture"


def allowed(url):
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    known = host == HOSTS[0] or host.endswith(HOSTS[1]) or BUCKET.fullmatch(host)
    return parts.scheme == "https" and parts.port in (None, 443) and bool(known)


class OnlyGitHub(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, file, code, message, headers, url):
        if not allowed(url):
            raise OSError("the link leads away from GitHub")
        return super().redirect_request(request, file, code, message, headers, url)


def download(url):
    """An attachment's bytes, at most as many as are read."""
    opener = urllib.request.build_opener(OnlyGitHub)
    with opener.open(url, timeout=60) as answer:
        return answer.read(MOST_BYTES_OF_A_FILE + 1)


def of_event(event, download, say):
    """What an issue or a comment holds. A comment that has captures stands for itself."""
    texts = [(event.get("comment") or {}).get("body"), (event.get("issue") or {}).get("body")]
    for text in texts:
        items, total = [], 0
        for kind, what, which in pieces((text or "")[:MOST_TEXT]):
            if len(items) == MOST_FILES:
                say(f"More than {MOST_FILES} captures: the rest was left out.")
                break
            if kind == "block":
                name, data = f"pasted-{len(items) + 1}.txt", what.encode("utf-8", "replace")
            else:
                name = plain(what)
                try:
                    data = download(what) if allowed(what) else b""
                except OSError as error:
                    print(f"{name}: {error}", file=sys.stderr)
                    say(f"`{name}` could not be had.")
                    continue
            total += len(data)
            if len(data) > MOST_BYTES_OF_A_FILE or total > MOST_BYTES:
                say(f"`{name}` is too large.")
                continue
            items.append(Item(name, which, data))
        if items:
            return items
    return []


def of_folder(folder, say):
    """The files of a folder; nothing that a link leads to."""
    items, total = [], 0
    for path in sorted(pathlib.Path(folder).rglob("*")):
        inner = path.relative_to(folder)
        if path.is_symlink() or any(p.is_symlink() for p in list(path.parents)[: len(inner.parts) - 1]):
            continue
        if not path.is_file():
            continue
        size = path.stat().st_size
        if len(items) == MOST_FILES:
            say(f"More than {MOST_FILES} files: the rest was left out.")
            break
        total += size
        if size > MOST_BYTES_OF_A_FILE or total > MOST_BYTES:
            say(f"`{plain(path.name)}` is too large.")
            continue
        items.append(Item(plain(path.name), side(str(inner)), path.read_bytes()))
    return items


def limits():
    """The program gets no more memory and time than an issue is worth."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))


def hcidiff(*words):
    """A run of the program, without the secrets of this job."""
    environment = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    command = [os.environ.get("HCIDIFF") or "hcidiff", *map(str, words)]
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=MOST_SECONDS,
            preexec_fn=limits if os.name == "posix" else None,
        )
    except subprocess.TimeoutExpired:
        return 2, ""
    return done.returncode, done.stdout.decode("utf-8", "replace")


def kind(path):
    """`capture`, `log`, or None where hcidiff does not know what it is."""
    _, out = hcidiff("--format", "json", "--aliases", "--", path)
    try:
        capture = json.loads(out)["captures"][0]
    except (ValueError, LookupError):
        return None
    return "log" if capture["format"] == "log" else "capture"


def answer(items, folder, say):
    """The report in Markdown about all that could be read; None where nothing could."""
    captures, logs = [], []
    for number, item in enumerate(items):
        # Each in a folder of its own: two may have one name.
        path = pathlib.Path(folder) / str(number) / item.name
        path.parent.mkdir()
        path.write_bytes(item.data)
        found = kind(path)
        if found:
            (captures if found == "capture" else logs).append((item, path))
    works = [path for item, path in captures if item.side == "works"]
    fails = [path for item, path in captures if item.side == "fails"]
    rest = [path for item, path in captures if item.side is None]
    # Two captures of which one is named: the other one is the other side.
    if len(captures) == 2 and len(rest) == 1:
        (fails if works else works).extend(rest)
        rest = []
    witnesses = [word for _, path in logs for word in ("--witness", path)]
    reports = []
    if works and fails:
        reports.append(hcidiff("--format", "markdown", *witnesses, "--", works[0], fails[0])[1])
        left = works[1:] + fails[1:] + rest
    elif captures:
        # Nobody said which one works: no guess is made.
        subject = (fails + rest + works)[0]
        reports.append(hcidiff("--format", "markdown", *witnesses, "--", subject)[1])
        left = [path for _, path in captures if path != subject]
        if len(captures) > 1:
            say("Which capture works and which one fails is not said: a heading or a file name with these words lets me compare them.")
    elif logs:
        reports.append(hcidiff("--format", "markdown", "--", logs[0][1])[1])
        left = [path for _, path in logs[1:]]
    else:
        return None
    if left:
        say("Not looked at: " + ", ".join(f"`{path.name}`" for path in left) + ".")
    return "\n".join(reports) if any(reports) else None


def main(arguments, download=download):
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--output", required=True, help="the report")
    options.add_argument("--event", default=os.environ.get("GITHUB_EVENT_PATH"), help="the event's payload")
    options.add_argument("--folder", help="captures in a folder, in place of an issue")
    asked = options.parse_args(arguments)
    remarks = []
    if asked.folder:
        items = of_folder(asked.folder, remarks.append)
    elif asked.event:
        items = of_event(json.loads(pathlib.Path(asked.event).read_text(encoding="utf-8")), download, remarks.append)
    else:
        options.error("there is neither an event nor a folder")
    with tempfile.TemporaryDirectory() as folder:
        report = answer(items, folder, remarks.append)
    for remark in remarks:
        print(remark, file=sys.stderr)
    if report is None:
        print("no capture was found that hcidiff can read", file=sys.stderr)
        output("found", "false")
        return 0
    report = "".join(f"> {remark}\n>\n" for remark in remarks) + ("\n" if remarks else "") + report
    if len(report) > MOST_REPORT:
        report = report[:MOST_REPORT].rsplit("\n", 1)[0] + "\n\nThe report was cut here.\n"
    pathlib.Path(asked.output).write_text(report, encoding="utf-8")
    output("found", "true")
    output("report", asked.output)
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(os.environ["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as summary:
            summary.write(report)
    return 0


def output(name, value):
    if os.environ.get("GITHUB_OUTPUT"):
        with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as out:
            out.write(f"{name}={value}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
