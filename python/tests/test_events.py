"""Events of a capture, taken one by one."""
import json
import subprocess
import sys

import hcidiff
import pytest


def test_one_event_for_each_record_as_the_command_lists_them(flagship, program):
    for name in ("mac.pklg", "pi.btsnoop"):
        lines = program("events", name, "--format", "jsonl").splitlines()
        assert [event.to_dict() for event in hcidiff.events(name)] == [json.loads(line) for line in lines]


def test_options_choose_and_show(flagship, program):
    lines = program("events", "pi.btsnoop", "--format", "jsonl", "--connection", "1", "--frames", "430-447", "--show-values")
    ours = list(hcidiff.events("pi.btsnoop", connection=1, frames="430-447", show_values=True))
    assert [event.to_dict() for event in ours] == [json.loads(line) for line in lines.splitlines()]
    assert ours[-1].frame == 447 and ours[-1].reason == 0x3E
    assert all(set(event.to_dict()) >= {"frame", "layer", "fields", "text"} for event in ours)


def test_trouble_comes_when_it_is_met(flagship):
    with pytest.raises(hcidiff.CaptureError, match="there is no file"):
        next(hcidiff.events("nobody.btsnoop"))
    with pytest.raises(hcidiff.UsageError):
        next(hcidiff.events("pi.btsnoop", frames="many"))


def test_memory_does_not_grow_with_the_capture(large):
    """All events of a capture that is ten times as large as what may be used."""
    program = f"""
import resource, hcidiff
events = hcidiff.events({str(large)!r})
for _ in range(1000):
    next(events)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = 1000 + sum(1 for _ in events)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    count, grown = map(int, out.split())
    assert count > 100_000
    assert grown < 6 * 1024, f"{grown} KiB"


def test_who_stops_early_is_done(large):
    events = hcidiff.events(large)
    assert next(events).frame == 1
    events.close()
