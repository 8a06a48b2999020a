"""What a type checker must understand of the module. `scripts/wheel-test` gives it to mypy; a line that must be wrong says so."""
import io
import pathlib
from typing import Optional

import hcidiff

report: hcidiff.Report = hcidiff.analyze("works.pklg", pathlib.Path("fails.btsnoop"), peer=["a", "b"], window=300)
hcidiff.analyze(b"", io.BytesIO(), witness=[io.StringIO(), b"log"], fail_on="cause")
rule: str = report.findings[0].rule
after: Optional[float] = report.captures[0].connections[0].steps[0].after_ms
headline: str = report.verdict.headline
frames: list[int] = [event.frame for event in hcidiff.events("works.pklg", connection=1)]
card: str = hcidiff.explain("0x3e")
steps: bytes = hcidiff.tables([(1, "works", "works.pklg"), (2, "fails", b"")])["steps"]

hcidiff.tables([("works", b"")])  # type: ignore[list-item]
hcidiff.analyze(7)  # type: ignore[arg-type]
hcidiff.analyze("a", fail_on="never")  # type: ignore[arg-type]
hcidiff.analyze("a", colour="red")  # type: ignore[call-arg]
level: int = report.findings[0].level  # type: ignore[assignment]
