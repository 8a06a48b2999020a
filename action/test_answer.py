#!/usr/bin/env python3
"""The action over recorded events. HCIDIFF names the program; the network is never asked.

    HCIDIFF=target/release/hcidiff python3 action/test_answer.py
"""
import contextlib
import io
import json
import os
import pathlib
import re
import sys
import tempfile
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
sys.path.insert(0, str(HERE))
import answer  # noqa: E402

ADDRESS = re.compile(r"\b[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}\b")
FLAGSHIP = {
    "mac.pklg": FIXTURES / "flagship" / "mac.pklg",
    "pi.btsnoop": FIXTURES / "flagship" / "pi.btsnoop",
    "capture.pklg": FIXTURES / "flagship" / "mac.pklg",
    "capture%20two.btsnoop": FIXTURES / "flagship" / "pi.btsnoop",
    "a.btsnoop": FIXTURES / "flagship" / "pi.btsnoop",
    "b.pklg": FIXTURES / "flagship" / "mac.pklg",
    "b01.btsnoop": FIXTURES / "witness" / "b01-good" / "b01-good.btsnoop",
    "home-assistant.log": FIXTURES / "witness" / "b01-good" / "b01-good.home-assistant.log",
}


class Asked:
    """A run over a payload or a folder, in an empty current folder."""

    def __init__(self, payload=None, folder=None, files=FLAGSHIP):
        self.links = []

        def download(link):
            self.links.append(link)
            found = files.get(link.rsplit("/", 1)[1])
            if found is None:
                raise OSError("404")
            return found if isinstance(found, bytes) else found.read_bytes()

        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            outputs = place / "outputs"
            words = ["--output", str(place / "report.md")]
            words += ["--folder", str(folder)] if folder else ["--event", str(HERE / "payloads" / f"{payload}.json")]
            os.environ["GITHUB_OUTPUT"] = str(outputs)
            before = os.getcwd()
            work = place / "work"
            work.mkdir()
            os.chdir(work)
            try:
                with contextlib.redirect_stderr(io.StringIO()) as self.said:
                    self.status = answer.main(words, download)
            finally:
                os.chdir(before)
                del os.environ["GITHUB_OUTPUT"]
            self.left = sorted(path.name for path in work.iterdir())
            self.outputs = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
            report = place / "report.md"
            self.report = report.read_text(encoding="utf-8") if report.exists() else None


class Events(unittest.TestCase):
    def found(self, asked):
        self.assertEqual((asked.status, asked.outputs["found"], asked.left), (0, "true", []))
        self.assertIsNone(ADDRESS.search(asked.report), "an address is in the report")
        self.assertLess(len(asked.report), 65_536)
        return asked.report

    def nothing(self, asked):
        self.assertEqual((asked.status, asked.outputs, asked.left), (0, {"found": "false"}, []))
        self.assertIsNone(asked.report)

    def test_a_fenced_btmon_text_is_read(self):
        report = self.found(Asked("fenced-btmon"))
        self.assertIn("hung up", report)
        self.assertIn("hcidiff pasted-1.txt", report)

    def test_two_captures_are_works_and_fails_by_their_headings(self):
        asked = Asked("two-attachments")
        report = self.found(asked)
        self.assertIn("never-heard-peer", report)
        self.assertIn("`hcidiff mac.pklg pi.btsnoop`", report)
        self.assertEqual([link.rsplit("/", 1)[1] for link in asked.links], ["mac.pklg", "pi.btsnoop"])

    def test_and_by_the_sentence_before_them(self):
        report = self.found(Asked("said-in-a-sentence"))
        self.assertIn("`hcidiff capture.pklg capture_two.btsnoop`", report)

    def test_where_nobody_says_which_works_nothing_is_compared(self):
        report = self.found(Asked("nobody-says-which"))
        self.assertIn("Which capture works and which one fails is not said", report)
        self.assertIn("Not looked at: `b.pklg`", report)
        self.assertIn("`hcidiff a.btsnoop`", report)

    def test_a_log_is_a_witness(self):
        report = self.found(Asked("capture-and-log"))
        self.assertIn("`hcidiff b01.btsnoop --witness home-assistant.log`", report)

    def test_a_comment_that_has_a_capture_stands_for_itself(self):
        self.assertIn("hcidiff pasted-1.txt", self.found(Asked("comment-has-it")))

    def test_an_issue_without_a_capture_gets_no_answer(self):
        asked = Asked("no-capture")
        self.nothing(asked)
        self.assertEqual(asked.links, [])
        self.nothing(Asked("empty"))

    def test_hostile_text_is_data(self):
        asked = Asked("hostile")
        self.nothing(asked)
        # What is no attachment of GitHub is not asked for.
        self.assertEqual([link.split("/files/")[1] for link in asked.links], ["5/..%2F..%2F..%2Fetc%2Fpasswd", "6/--output"])
        self.assertNotIn("\n::", "\n" + asked.said.getvalue())

    def test_a_hostile_name_of_a_good_capture_names_no_file_and_no_option(self):
        event = {"issue": {"body": "https://github.com/user-attachments/files/1/..%2F--output%3Downed.md"}}
        files = {"..%2F--output%3Downed.md": FLAGSHIP["pi.btsnoop"]}
        with tempfile.TemporaryDirectory() as folder:
            payload = pathlib.Path(folder) / "event.json"
            payload.write_text(json.dumps(event))
            asked = Asked(str(payload).removesuffix(".json"), files=files)
        self.assertIn("hcidiff output_owned.md", self.found(asked))

    def test_what_cannot_be_had_is_said(self):
        files = {**FLAGSHIP, "mac.pklg": None}
        self.assertIn("`mac.pklg` could not be had", self.found(Asked("two-attachments", files=files)))

    def test_what_is_too_large_is_left_out(self):
        files = {**FLAGSHIP, "mac.pklg": bytes(answer.MOST_BYTES_OF_A_FILE + 1)}
        self.assertIn("`mac.pklg` is too large", self.found(Asked("two-attachments", files=files)))

    def test_a_folder_of_an_artifact(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "good").mkdir()
            (folder / "good" / "run.pklg").write_bytes(FLAGSHIP["mac.pklg"].read_bytes())
            (folder / "bad-run.btsnoop").write_bytes(FLAGSHIP["pi.btsnoop"].read_bytes())
            (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
            (folder / "link.btsnoop").symlink_to(FLAGSHIP["pi.btsnoop"])
            report = self.found(Asked(folder=folder))
        self.assertIn("`hcidiff run.pklg bad-run.btsnoop`", report)
        self.assertNotIn("link.btsnoop", report)


class Words(unittest.TestCase):
    def test_sides(self):
        for words, expected in [
            ("### The capture that works", "works"),
            ("### Working connection", "works"),
            ("it does not work with BlueZ", "fails"),
            ("it doesn't work", "fails"),
            ("it doesn’t work", "fails"),
            ("fails.btsnoop", "fails"),
            ("known_good", "works"),
            ("good-run", "works"),
            ("### Network", None),
            ("### Logs", None),
        ]:
            self.assertEqual(answer.side(words), expected, words)

    def test_hosts(self):
        for url in [
            "https://github.com/user-attachments/files/1/a",
            "https://objects.githubusercontent.com/x",
            "https://github-production-repository-file-5c1aeb.s3.amazonaws.com/1/2?X-Amz=1",
        ]:
            self.assertTrue(answer.allowed(url), url)
        for url in [
            "http://github.com/a",
            "https://github.com:8443/a",
            "https://github.com.evil.example/a",
            "https://github.com@evil.example/a",
            "https://evilgithubusercontent.com/a",
            "https://x.s3.amazonaws.com/a",
            "https://169.254.169.254/latest",
            "file:///etc/passwd",
        ]:
            self.assertFalse(answer.allowed(url), url)

    def test_a_redirect_stays_with_github(self):
        handler, request = answer.OnlyGitHub(), urllib.request.Request("https://github.com/a")
        follow = lambda url: handler.redirect_request(request, io.BytesIO(), 302, "Found", {}, url)
        self.assertEqual(follow("https://objects.githubusercontent.com/b").full_url, "https://objects.githubusercontent.com/b")
        with self.assertRaises(OSError):
            follow("https://evil.example/b")
        with self.assertRaises(OSError):
            follow("http://github.com/b")

    def test_a_fence_ends_with_one_of_its_kind(self):
        text = "````\n```\n~~~~\n````\nafter\n~~~ x\ninside"
        self.assertEqual([what for kind, what, _ in answer.pieces(text)], ["```\n~~~~\n", "inside\n"])


if __name__ == "__main__":
    os.environ["HCIDIFF"] = os.path.abspath(os.environ.get("HCIDIFF", "target/release/hcidiff"))
    unittest.main()
