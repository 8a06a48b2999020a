"""The tables of a survey: rows that DuckDB, Spark, pandas and Polars count over."""
from __future__ import annotations

from collections.abc import Iterable

from . import _native
from .options import Source


def tables(captures: Iterable[tuple[int, str, Source]]) -> dict[str, bytes]:
    """What `hcidiff survey -o tables/` writes, in memory: the Parquet file of each table, by its name.

    A capture comes with its number, by which all tables refer to it, and its name. One that cannot be read is a row of
    `captures` with its reason. They are read one after the other, and their rows alone are kept.

    >>> made = tables([(1, "pi", "fixtures/flagship/pi.btsnoop"), (2, "picture", b"no capture")])
    >>> list(made)
    ['captures', 'connections', 'steps', 'findings', 'claims']
    >>> made["steps"][:4]
    b'PAR1'
    """
    made = _native.Tables()
    for number, name, capture in captures:
        made.add(number, name, capture)
    return made.finish()
