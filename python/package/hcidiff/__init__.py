"""Compare two Bluetooth HCI captures: why does one connection work and the other fail?

>>> report = analyze("fixtures/flagship/mac.pklg", "fixtures/flagship/pi.btsnoop")
>>> report.findings[0].rule
'never-heard-peer'
>>> report.captures[1].connections[0].reason
62
>>> first = next(events("fixtures/flagship/pi.btsnoop"))
>>> first.frame, first.dir
(1, None)
>>> explain("error 62").splitlines()[0]
'Connection Failed to be Established (0x3e, decimal 62)'

A capture is a path, bytes or an open file, in any format that hcidiff reads.
"""
from __future__ import annotations

from ._native import CaptureError, Error, UnknownError, UsageError, __version__, explain
from .events import Event, events
from .report import Report, analyze
from .tables import tables
from .types import (
    Capture,
    Comparison,
    Connection,
    Evidence,
    Finding,
    Relation,
    Step,
    Verdict,
)

__all__ = [
    "Capture",
    "CaptureError",
    "Comparison",
    "Connection",
    "Error",
    "Event",
    "Evidence",
    "Finding",
    "Relation",
    "Report",
    "Step",
    "UnknownError",
    "UsageError",
    "Verdict",
    "__version__",
    "analyze",
    "events",
    "explain",
    "tables",
]
