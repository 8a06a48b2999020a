"""Objects of the report's JSON with their fields as attributes."""
from __future__ import annotations

import copy
from typing import Any, ClassVar


class Record:
    """An object of the JSON; its fields are attributes.

    >>> r = Record({"rule": "never-heard-peer", "level": "cause"})
    >>> r.rule
    'never-heard-peer'
    >>> r.to_dict()
    {'rule': 'never-heard-peer', 'level': 'cause'}
    """

    __slots__ = ("_data",)
    #: The classes of fields that are objects themselves.
    _parts: ClassVar[dict[str, type[Record]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._parts = {}

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        data = self._data
        if name not in data:
            # A field that may be left out.
            if name in type(self).__annotations__:
                return None
            raise AttributeError(f"{type(self).__name__} has no {name}")
        value = data[name]
        part = self._parts.get(name)
        if part is None or value is None:
            return value
        if isinstance(value, list):
            return [part(one) for one in value]
        return part(value)

    def to_dict(self) -> dict[str, Any]:
        """The object as it stands in the JSON; a copy."""
        return copy.deepcopy(self._data)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self._data})

    def __eq__(self, other: object) -> bool:
        return self._data == other._data if isinstance(other, Record) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = []
        for name, value in self._data.items():
            if isinstance(value, list):
                value = f"[{len(value)}]"
            elif isinstance(value, dict):
                value = "{…}"
            else:
                value = repr(value)
            shown.append(f"{name}={value}")
        return f"{type(self).__name__}({', '.join(shown)})"
