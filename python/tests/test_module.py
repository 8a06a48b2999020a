"""The module's answers are those of the command."""
import io
import json
import pathlib
import threading

import hcidiff
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("fails", ["pi.btsnoop", "pi-kicked.btsnoop"])
@pytest.mark.parametrize("format", ["json", "markdown", "html", "facts", "text"])
def test_every_format_is_what_the_command_writes(flagship, program, tmp_path, fails, format):
    report = hcidiff.analyze("mac.pklg", fails)
    ours = report.to_json() if format == "json" else getattr(report, format)()
    if format == "text":
        program("mac.pklg", fails, "-o", tmp_path / "report.txt")
        assert ours == (tmp_path / "report.txt").read_text(encoding="utf-8")
    else:
        assert ours == program("mac.pklg", fails, "--format", format)


def test_print_is_the_first_screen(flagship, program):
    assert str(hcidiff.analyze("mac.pklg", "pi.btsnoop")) == program("mac.pklg", "pi.btsnoop")


def test_attributes_are_those_of_the_schema(flagship, program):
    report = hcidiff.analyze("mac.pklg", "pi.btsnoop")
    expected = json.loads(program("mac.pklg", "pi.btsnoop", "--format", "json"))
    assert report.to_dict() == expected
    assert report.schema == "hcidiff.report/1" and report.tool.name == "hcidiff"
    assert isinstance(report.findings[0], hcidiff.Finding)
    assert report.findings[0].rule == expected["findings"][0]["rule"] == "never-heard-peer"
    assert isinstance(report.captures[1].connections[0].steps[0], hcidiff.Step)
    assert report.captures[1].connections[0].peer.to_dict() == expected["captures"][1]["connections"][0]["peer"]
    assert report.comparison.missing_early == [] or report.comparison.missing_early[0].procedure
    assert report.verdict.level == "cause" and report.no_match is None
    with pytest.raises(AttributeError):
        report.findings[0].colour


def test_every_attribute_of_a_report_can_be_read(flagship):
    """The classes and the JSON have the same fields, whatever the report."""

    def walk(record):
        for name, value in record.to_dict().items():
            assert name in type(record).__annotations__, f"{type(record).__name__}.{name}"
            part = getattr(record, name)
            for one in part if isinstance(part, list) else [part]:
                if isinstance(one, Record):
                    walk(one)
                else:
                    assert not isinstance(value, dict), f"{type(record).__name__}.{name} has no class"

    from hcidiff.record import Record
    from hcidiff.types import Contents

    for captures in [("mac.pklg", "pi.btsnoop"), ("mac.pklg", "pi-kicked.btsnoop"), ("pi.btsnoop",)]:
        walk(Contents(hcidiff.analyze(*captures).to_dict()))


def test_options_are_those_of_the_command(flagship, program):
    words = ["--window", "250", "--subject-connection", "1", "--label", "good", "--label", "bad", "--aliases"]
    ours = hcidiff.analyze(
        "mac.pklg", "pi.btsnoop", window=250, subject_connection=1, label=["good", "bad"], aliases=True
    )
    assert ours.to_json() == program("mac.pklg", "pi.btsnoop", *words, "--format", "json")
    one = hcidiff.analyze("pi.btsnoop", connection=2, from_=1, to=500, show_addresses=True)
    words = ["--connection", "2", "--from", "1", "--to", "500", "--show-addresses"]
    assert one.markdown() == program("pi.btsnoop", *words, "--format", "markdown")


def test_status_is_the_command_s(flagship):
    assert hcidiff.analyze("mac.pklg", "pi.btsnoop").status == 1
    good = hcidiff.analyze("mac.pklg", fail_on="cause")
    assert (good.status, good.ok) == (0, True)
    nobody = hcidiff.analyze("mac.pklg", "pi.btsnoop", peer="02:00:00:00:00:99")
    assert nobody.status == 2 and not nobody.ok and nobody.no_match.says


def test_a_log_is_a_witness_whatever_it_comes_as(flagship, program):
    folder = ROOT / "fixtures" / "witness" / "b01-good"
    capture, log = folder / "b01-good.btsnoop", folder / "b01-good.home-assistant.log"
    journal = folder / "b01-good.journal-precise.txt"
    expected = json.loads(program(capture, "--witness", log, "--witness", journal, "--format", "json"))
    with open(log, "rb") as opened:
        ours = hcidiff.analyze(capture, witness=[opened, journal])
    assert ours.to_dict() == expected and len(ours.captures[0].witnesses) == 2
    text = io.StringIO(log.read_text(encoding="utf-8"))
    of_fails = hcidiff.analyze("mac.pklg", capture, witness=text)
    assert [len(side.witnesses) for side in of_fails.captures] == [0, 1]
    of_works = hcidiff.analyze(capture, "pi.btsnoop", reference_witness=log.read_bytes())
    assert [len(side.witnesses) for side in of_works.captures] == [1, 0]


def findings(report):
    return [finding.to_dict() for finding in report.findings]


def test_paths_bytes_and_files_give_the_same(flagship):
    expected = hcidiff.analyze("mac.pklg", "pi.btsnoop")
    mac, pi = (flagship / name for name in ("mac.pklg", "pi.btsnoop"))
    labels = {"label": ["mac", "pi"]}
    for works, fails in [
        (mac, pi),
        (mac.read_bytes(), bytearray(pi.read_bytes())),
        (io.BytesIO(mac.read_bytes()), io.BytesIO(pi.read_bytes())),
    ]:
        assert findings(hcidiff.analyze(works, fails, **labels)) == findings(expected)
    with open(mac, "rb") as works, open(pi, "rb") as fails:
        assert hcidiff.analyze(works, fails).to_dict() == expected.to_dict()


def test_pasted_text_is_a_capture():
    text = "> HCI Event: Command Status (0x0f) plen 4\n    LE Create Connection (0x08|0x000d) status 0x00 ncmd 1\n"
    from_text = hcidiff.analyze(io.StringIO(text))
    assert from_text.captures[0].records == 1
    assert from_text.captures[0].format == hcidiff.analyze(text.encode()).captures[0].format


def test_trouble_is_the_command_s_sentence(flagship):
    with pytest.raises(hcidiff.CaptureError, match="there is no file `pi.btsnop`; did you mean `pi.btsnoop`"):
        hcidiff.analyze("pi.btsnop")
    with pytest.raises(hcidiff.CaptureError, match="bytes: "):
        hcidiff.analyze(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(hcidiff.UsageError, match="--window"):
        hcidiff.analyze("pi.btsnoop", window="soon")
    with pytest.raises(hcidiff.UsageError, match="single capture"):
        hcidiff.analyze("mac.pklg", "pi.btsnoop", connection=1)
    with pytest.raises(hcidiff.UnknownError, match="no card for `flux-compensator`"):
        hcidiff.explain("flux-compensator")
    with pytest.raises(TypeError, match="a capture is a path, bytes or an open file, not int"):
        hcidiff.analyze(7)
    for error in (hcidiff.CaptureError, hcidiff.UsageError, hcidiff.UnknownError):
        assert issubclass(error, hcidiff.Error)


class Broken(io.BytesIO):
    def __init__(self, head):
        super().__init__(head)
        self.left = len(head)

    def read(self, size=-1):
        data = super().read(size)
        if not data:
            raise ZeroDivisionError("the disk is gone")
        return data


def test_what_a_file_object_raises_is_raised(flagship):
    head = (flagship / "pi.btsnoop").read_bytes()[:5_000]
    for bytes_before in (head, b""):
        with pytest.raises(ZeroDivisionError, match="the disk is gone"):
            hcidiff.analyze(Broken(bytes_before))
        with pytest.raises(ZeroDivisionError, match="the disk is gone"):
            list(hcidiff.events(Broken(bytes_before)))


def test_a_file_object_must_give_bytes():
    class Wrong:
        def read(self, size):
            return 3.5

    with pytest.raises(TypeError):
        hcidiff.analyze(Wrong())


def test_an_option_cannot_be_smuggled_in(flagship):
    """Values and names of files stay values and names."""
    with pytest.raises(hcidiff.CaptureError, match="there is no file `--help`"):
        hcidiff.analyze("--help")
    with pytest.raises(hcidiff.CaptureError):
        hcidiff.analyze("--output=owned.md", "pi.btsnoop2")
    report = hcidiff.analyze("pi.btsnoop", label="--output=owned.md")
    assert report.captures[0].label == "--output=owned.md"
    assert not (flagship / "owned.md").exists()


def test_a_notebook_shows_the_page_in_a_frame(flagship):
    shown = hcidiff.analyze("mac.pklg", "pi.btsnoop")._repr_html_()
    assert shown.startswith("<iframe sandbox=\"allow-scripts\"") and shown.endswith("</iframe>")
    assert "<script" not in shown and shown.count("<") == 2
    assert "never-heard-peer" in shown


def test_other_threads_run_while_a_capture_is_read(large):
    done = threading.Event()
    turns = [0]

    def count():
        while not done.is_set():
            turns[0] += 1

    thread = threading.Thread(target=count)
    thread.start()
    before = turns[0]
    hcidiff.analyze(large)
    during = turns[0] - before
    done.set()
    thread.join()
    # A call that keeps the lock lets others have it for a few turns at its ends at most.
    assert during > 10_000, during
