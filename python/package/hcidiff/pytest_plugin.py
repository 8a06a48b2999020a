"""pytest: a test that fails shows what hcidiff said of the captures that it looked at. Nothing is to be configured."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .report import Report

#: Most reports that are shown of one test.
MOST = 3


def pytest_exception_interact(node: Any, call: Any, report: Any) -> None:
    if call.excinfo is None:
        return
    for name, found in _reports(call.excinfo.tb):
        report.sections.append((f"hcidiff: {name}", str(found)))


def _reports(traceback: Any) -> Iterator[tuple[str, Report]]:
    """The reports among the variables of the frames, the innermost frame last."""
    seen: list[int] = []
    while traceback is not None and len(seen) < MOST:
        for name, value in list(traceback.tb_frame.f_locals.items()):
            if isinstance(value, Report) and id(value) not in seen and len(seen) < MOST:
                seen.append(id(value))
                # pytest keeps what an assertion looked at under names of its own.
                yield ("of the assertion" if name.startswith("@") else name), value
        traceback = traceback.tb_next
