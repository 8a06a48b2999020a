import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytest_plugins = ["pytester"]


@pytest.fixture
def flagship(monkeypatch):
    """The folder of the flagship's captures, as the current one."""
    folder = ROOT / "fixtures" / "flagship"
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def program():
    """The program that cargo built: what its standard output says."""

    def run(*words):
        done = subprocess.run([os.environ["HCIDIFF"], *map(str, words)], capture_output=True)
        return done.stdout.decode()

    return run


@pytest.fixture
def large(tmp_path):
    """A capture of about 60 MB: the records of one file, many times."""
    capture = (ROOT / "fixtures" / "flagship" / "pi.btsnoop").read_bytes()
    path = tmp_path / "large.btsnoop"
    with open(path, "wb") as file:
        file.write(capture[:16])
        for _ in range(60_000_000 // len(capture)):
            file.write(capture[16:])
    return path
