"""Arguments as options of the command line, which knows what they mean and refuses what makes no sense."""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, BinaryIO, TextIO, TypeVar, Union

#: A path, the bytes themselves, or a file that is open for reading.
Source = Union[str, "os.PathLike[str]", bytes, bytearray, BinaryIO, TextIO]

T = TypeVar("T")

#: For both sides, or one value a side in order.
Sides = Union[T, Sequence[T], None]


def typed(options: dict[str, Any]) -> list[str]:
    """
    >>> typed({"peer": ["LabSensor", "aa:bb:cc:dd:ee:ff"], "salvage": True, "window": None, "from_": 3})
    ['--peer=LabSensor', '--peer=aa:bb:cc:dd:ee:ff', '--salvage', '--from=3']
    """
    words = []
    for name, value in options.items():
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(option)
            continue
        for one in value if isinstance(value, (list, tuple)) else [value]:
            words.append(f"{option}={one}")
    return words


def several(given: object) -> list[Any]:
    """One source, several, or none."""
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]
