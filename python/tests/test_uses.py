"""In pytest, and in a program that uses bleak."""
import pathlib
import runpy
import sys
import types

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_a_failing_assertion_shows_the_verdict(pytester):
    capture = str(ROOT / "fixtures" / "flagship" / "pi.btsnoop")
    pytester.makepyfile(
        f"""
        import hcidiff

        def test_inline():
            assert hcidiff.analyze({capture!r}).ok

        def test_variable():
            seen = hcidiff.analyze({capture!r})
            assert seen.ok

        def test_good():
            assert hcidiff.analyze({capture!r}).findings
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(["*hcidiff.Report cause: never-heard-peer*", "*hcidiff: of the assertion*"])
    result.stdout.fnmatch_lines(["*hcidiff: seen*", "*never-heard-peer*"])


def test_other_tests_fail_as_ever(pytester):
    pytester.makepyfile("def test_fails(): assert 0")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*hcidiff: *")


def test_a_bleak_program_explains_its_own_failed_connection(monkeypatch, capsys):
    """The example, with a bleak that never connects."""
    bleak, exc = types.ModuleType("bleak"), types.ModuleType("bleak.exc")
    exc.BleakError = type("BleakError", (Exception,), {})

    class BleakClient:
        def __init__(self, address):
            assert address

        async def __aenter__(self):
            raise exc.BleakError("failed to connect")

        async def __aexit__(self, *_):
            pass

    bleak.BleakClient = BleakClient
    bleak.exc = exc
    monkeypatch.setitem(sys.modules, "bleak", bleak)
    monkeypatch.setitem(sys.modules, "bleak.exc", exc)
    example = runpy.run_path(str(ROOT / "python" / "examples" / "bleak_explains.py"))
    import asyncio

    import hcidiff

    capture = ROOT / "fixtures" / "flagship" / "pi.btsnoop"
    peer = hcidiff.analyze(capture).captures[0].connections[0].peer.address
    asyncio.run(example["connect"](peer, str(capture)))
    assert "never-heard-peer" in capsys.readouterr().out
