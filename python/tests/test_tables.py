"""The tables of a survey are the command's, byte by byte."""
import io

import hcidiff
import pytest

NAMES = ["captures", "connections", "steps", "findings", "claims"]


def numbered(folder, sources):
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [(number, path.name, source(path)) for number, (path, source) in enumerate(zip(files, sources), 1)]


def test_tables_are_those_that_a_survey_writes(flagship, program, tmp_path):
    (runs := tmp_path / "runs").mkdir()
    for path in flagship.iterdir():
        if path.is_file():
            (runs / path.name).write_bytes(path.read_bytes())
    log = flagship.parent / "witness" / "b02-kick" / "b02-kick.journal.txt"
    for number in range(3):
        (runs / f"log-{number}.txt").write_bytes(log.read_bytes())
    (runs / "empty.btsnoop").touch()
    (runs / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n no capture")
    program("survey", runs, "-o", tmp_path / "tables/")
    theirs = {name: (tmp_path / "tables" / f"{name}.parquet").read_bytes() for name in NAMES}
    # Paths, bytes and open files in turn: what they come as is no difference.
    sources = [lambda path: path, lambda path: path.read_bytes(), lambda path: io.BytesIO(path.read_bytes())] * 9
    assert hcidiff.tables(numbered(runs, sources)) == theirs


def test_captures_are_taken_one_by_one(flagship):
    taken = []

    def captures():
        for number in range(1, 4):
            taken.append(number)
            yield number, f"run {number}", "pi.btsnoop"

    assert list(hcidiff.tables(captures())) == NAMES and taken == [1, 2, 3]


def test_no_capture_gives_tables_without_rows():
    assert all(table.startswith(b"PAR1") and table.endswith(b"PAR1") for table in hcidiff.tables([]).values())


def test_what_a_file_object_raises_is_raised():
    class Broken:
        def read(self, size):
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        hcidiff.tables([(1, "broken", Broken())])
    with pytest.raises(TypeError):
        hcidiff.tables([(1, "a number", 7)])
