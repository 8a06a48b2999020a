"""Captures analysed, and the report in all its forms."""
from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Literal, Optional, Union

from . import _native
from .options import Sides, Source, several, typed
from .types import Capture, Comparison, Contents, Finding, NoMatch, Relation, Tool, Verdict


class Report:
    """What was found. Its attributes are those of the JSON report (`hcidiff schema`)."""

    def __init__(self, analysis: _native.Analysis) -> None:
        self._analysis = analysis

    @functools.cached_property
    def _contents(self) -> Contents:
        import json

        return Contents(json.loads(self.to_json()))

    @property
    def captures(self) -> list[Capture]:
        """The working capture and then the failing one, or the only one."""
        return self._contents.captures

    @property
    def comparison(self) -> Optional[Comparison]:
        """The two connections that tell most, step by step."""
        return self._contents.comparison

    @property
    def findings(self) -> list[Finding]:
        """What the differences mean; the first one is the verdict."""
        return self._contents.findings

    @property
    def no_match(self) -> Optional[NoMatch]:
        """Why there are not two sides to compare, where there are not."""
        return self._contents.no_match

    @property
    def relations(self) -> list[Relation]:
        """What lines of logs have to do with packets."""
        return self._contents.relations

    @property
    def schema(self) -> str:
        return self._contents.schema

    @property
    def tool(self) -> Tool:
        return self._contents.tool

    @property
    def verdict(self) -> Verdict:
        """The result in one line."""
        return self._contents.verdict

    @property
    def status(self) -> int:
        """The command's exit status: 0 nothing found, 1 something, 2 nothing that matches."""
        return self._analysis.status

    @property
    def ok(self) -> bool:
        """Whether nothing was found. `fail_on="cause"` in `analyze` overlooks what is less than a cause."""
        return self.status == 0

    def to_dict(self) -> dict[str, Any]:
        """The JSON report."""
        return self._contents.to_dict()

    def to_json(self) -> str:
        """The JSON report as the command writes it."""
        return self._analysis.render("json")

    def markdown(self) -> str:
        """For an issue or an e-mail; aliases stand for addresses and names."""
        return self._analysis.render("markdown")

    def html(self) -> str:
        """A page that stands for itself; aliases stand for addresses and names."""
        return self._analysis.render("html")

    def text(self) -> str:
        """Plain text for a mailing list; aliases stand for addresses and names."""
        return self._analysis.render("text")

    def facts(self) -> str:
        """One line of JSON below 8 kB, to be quoted by a reader with little room."""
        return self._analysis.render("facts")

    def __str__(self) -> str:
        return self._analysis.render("first")

    def __repr__(self) -> str:
        verdict = self.verdict
        level = f"{verdict.level}: {verdict.rule}: " if verdict.rule else ""
        return f"<hcidiff.Report {level}{verdict.headline}>"

    def _repr_html_(self) -> str:
        """In a notebook: the page in a frame of its own, so that neither styles the other."""
        import html

        page = html.escape(self.html(), quote=True)
        return (
            '<iframe sandbox="allow-scripts" style="width:100%;height:40em;border:1px solid #8888"'
            f' title="hcidiff" srcdoc="{page}"></iframe>'
        )


def analyze(
    works: Source,
    fails: Optional[Source] = None,
    *,
    witness: Union[Source, Sequence[Source], None] = None,
    reference_witness: Union[Source, Sequence[Source], None] = None,
    peer: Sides[str] = None,
    adapter: Sides[int] = None,
    window: Optional[int] = None,
    connection: Optional[int] = None,
    reference_connection: Optional[int] = None,
    subject_connection: Optional[int] = None,
    from_: Sides[Union[str, int]] = None,
    to: Sides[Union[str, int]] = None,
    tz_offset: Sides[str] = None,
    member: Sides[str] = None,
    label: Sides[str] = None,
    salvage: bool = False,
    strict: bool = False,
    full: bool = False,
    show_values: bool = False,
    show_addresses: bool = False,
    aliases: bool = False,
    fail_on: Optional[Literal["cause", "suspect", "difference"]] = None,
) -> Report:
    """Compare the capture that works with the one that fails, or look at a single one.

    The options are those of the command (`hcidiff --help`); one that is given once a side takes a list.

    >>> analyze("fixtures/flagship/pi.btsnoop").verdict.level
    'cause'
    >>> analyze("fixtures/flagship/pi.btsnop")
    Traceback (most recent call last):
    hcidiff.CaptureError: there is no file `fixtures/flagship/pi.btsnop`; did you mean `fixtures/flagship/pi.btsnoop`?
    """
    options = {
        "peer": peer,
        "adapter": adapter,
        "window": window,
        "connection": connection,
        "reference_connection": reference_connection,
        "subject_connection": subject_connection,
        "from_": from_,
        "to": to,
        "tz_offset": tz_offset,
        "member": member,
        "label": label,
        "salvage": salvage,
        "strict": strict,
        "full": full,
        "show_values": show_values,
        "show_addresses": show_addresses,
        "aliases": aliases,
        "fail_on": fail_on,
    }
    captures = [works] if fails is None else [works, fails]
    return Report(
        _native.analyze(captures, several(witness), several(reference_witness), typed(options))
    )
