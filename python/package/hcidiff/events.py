"""The events of a capture, one for each record."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Optional, Union

from . import _native
from .options import Source, typed
from .record import Record


class Event(Record):
    """One record of a capture, decoded."""

    #: The record's position in the file, from 1, as Wireshark counts.
    frame: int
    #: RFC 3339 in UTC, where the capture knows its zone.
    time: Optional[str]
    #: The capture's own clock, where that is all it has.
    local_time: Optional[str]
    #: Seconds since the first record that has a time.
    offset_s: Optional[float]
    adapter: Optional[int]
    dir: Optional[Literal["sent", "received"]]
    layer: str
    code: Optional[int]
    subcode: Optional[int]
    name: str
    #: The connection's number in the capture.
    conn: Optional[int]
    handle: Optional[int]
    peer: Optional[str]
    status: Optional[int]
    reason: Optional[int]
    #: The capture has only a part of the packet.
    cut: bool
    problem: Optional[str]
    #: The decoded parameters, by the specification's names.
    fields: dict[str, Any]
    #: The line that the command shows.
    text: str


def events(
    capture: Source,
    *,
    peer: Optional[str] = None,
    adapter: Optional[int] = None,
    connection: Optional[int] = None,
    from_: Union[str, int, None] = None,
    to: Union[str, int, None] = None,
    frames: Optional[str] = None,
    tz_offset: Optional[str] = None,
    member: Optional[str] = None,
    salvage: bool = False,
    show_values: bool = False,
) -> Iterator[Event]:
    """The events of a capture, read as they are taken: a file of any size needs the same memory.

    The options are those of `hcidiff events`.

    >>> sum(event.name == "Disconnection Complete" for event in events("fixtures/flagship/pi.btsnoop"))
    4
    """
    import json

    options = {
        "peer": peer,
        "adapter": adapter,
        "connection": connection,
        "from_": from_,
        "to": to,
        "frames": frames,
        "tz_offset": tz_offset,
        "member": member,
        "salvage": salvage,
        "show_values": show_values,
    }
    for piece in _native.lines(capture, typed(options)):
        for line in piece.splitlines():
            yield Event(json.loads(line))
