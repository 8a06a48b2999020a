"""What a report holds, attribute by attribute, as `hcidiff schema` describes it.

Made from the schema by `python/make_types.py`.
"""
from __future__ import annotations

from typing import Literal, Optional, Union

from .record import Record


class Adapter(Record):
    address: Optional[str]
    index: Optional[int]
    manufacturer: Optional[int]
    name: Optional[str]
    version: Optional[int]


class Air(Record):
    """An air capture beside a host's."""

    #: The links that are connections of the host's capture, in its order.
    joined: list[JoinedLink]
    #: All links that the sniffer heard anything of.
    links: int


class AirEnd(Record):
    """LL_TERMINATE_IND."""

    acknowledged_frame: Optional[int]
    by: Literal["central", "peripheral"]
    frame: int
    reason: int


class AirEvents(Record):
    """Connection events while the sniffer followed the link."""

    #: In which both sides were heard.
    answered: int
    #: In which the central was heard.
    central: int
    #: In which anything was heard.
    heard: int
    #: The most missed events in a row.
    longest_gap: int
    #: Of which nothing was heard: the sniffer missed them, or nobody spoke.
    missed: int
    missed_percent: int


class AirLink(Record):
    """A link as a sniffer saw it. Frames are those of the air capture."""

    access_address: str
    central: AirSide
    #: Channels on which events of the central had no answer.
    channels_lost: list[LostChannel]
    events: AirEvents
    #: The first packet of the peripheral.
    first_answer: Optional[FirstAnswer]
    #: Anything was heard behind the connect request.
    followed: bool
    #: The central's first packet that acknowledges one of the peripheral.
    heard_by_central_frame: Optional[int]
    #: Packets whose sender the sniffer named wrongly.
    mislabelled: int
    peripheral: AirSide
    #: The connect request; null where the capture began later, or the sniffer missed it.
    request_frame: Optional[int]
    terminated: Optional[AirEnd]


class AirSide(Record):
    """Packets of one side."""

    #: Received damaged by the sniffer.
    broken: int
    #: With nothing to say.
    empty: int
    packets: int
    #: Sent again, because they were not acknowledged.
    retransmissions: int
    #: Packets that the sniffer missed: the next one's number shows it.
    sniffer_missed: int


class Aligned(Record):
    """A step of one side beside that of the other."""

    kind: Literal["same", "changed", "missing", "extra", "moved"]
    name: Optional[str]
    normal: bool
    note: str
    procedure: Literal["connect", "features", "version", "data-length", "phy", "parameter-update", "exchange-mtu", "discover-services", "discover-includes", "discover-characteristics", "discover-descriptors", "read", "write", "write-command", "subscribe", "notify", "indicate", "pair", "encrypt", "channel", "scan", "disconnect", "other"]
    reference: Optional[At]
    subject: Optional[At]


class AnswerTimes(Record):
    """How long answers took, in connection events."""

    #: Those that the device's own time is in: the link took that long at most.
    att_at_most: Optional[Answers]
    link_layer_and_mtu: Optional[Answers]


class Answers(Record):
    count: int
    #: One connection event: interval x (1 + latency).
    event_ms: float
    events: float


class At(Record):
    after_ms: Optional[float]
    frame: int


class Attribute(Record):
    handle: int
    name: str
    uuid: Optional[str]


class Capture(Record):
    adapters: list[Adapter]
    connections: list[Connection]
    duration_s: Optional[float]
    first_time: Optional[str]
    fitness: list[Fitness]
    format: Literal["btsnoop", "packetlogger", "pcap", "pcapng", "hcidump", "btsnooz", "monitor-stream", "btmon-text", "packetlogger-text", "hcidump-text", "hex-text", "log"]
    host: Optional[Host]
    label: str
    last_time: Optional[str]
    path: str
    records: int
    #: Of the file as it was given, compressed or not; of an archive's member, where `path` names one. Null where the file could not be read to its end, or nobody asked for it.
    sha256: Optional[str]
    warnings: list[CaptureWarning]
    witnesses: list[Witness]


class ClockFact(Record):
    name: str
    reference_ms: Optional[float]
    subject_ms: Optional[float]


class Comparison(Record):
    clocks: list[ClockFact]
    databases: list[Database]
    differs: bool
    disconnect: Ends
    divergence: Optional[str]
    extra_early: list[Early]
    first_att: FirstAtts
    matched_by: Literal["identity", "address", "name", "gatt", "position", "option"]
    missing_early: list[Early]
    mtu: Mtus
    parameters: list[Parameter]
    reference: Side
    roles_differ: bool
    same_until: Optional[SameUntil]
    steps: list[Aligned]
    subject: Side
    swapped: bool
    window_ms: float


class Connection(Record):
    adapter: Optional[int]
    #: What a sniffer saw of the link, in a capture of the air alone.
    air: Optional[AirLink]
    answer_times: AnswerTimes
    att_received: int
    att_sent: int
    connected_frame: Optional[int]
    disconnect_frame: Optional[int]
    duration_ms: Optional[float]
    elided_steps: int
    encrypted: bool
    end: Optional[Literal["disconnected", "adapter-removed", "powered-off", "reset", "open"]]
    end_seen: bool
    ended_by: Optional[Literal["peer", "host", "controller"]]
    first_att: Optional[FirstAtt]
    handle: Optional[int]
    idle_before_end_ms: Optional[float]
    interval_ms: Optional[float]
    latency: Optional[int]
    mtu: Optional[Mtu]
    number: int
    paired: bool
    peer: Peer
    peer_heard: bool
    peer_heard_after_ms: Optional[float]
    reason: Optional[int]
    reason_sent: Optional[int]
    requested: Optional[Requested]
    role: Optional[Literal["central", "peripheral"]]
    start_seen: bool
    status: Optional[int]
    steps: list[Step]
    supervision_timeout_ms: Optional[float]
    transport: Optional[Literal["le", "bredr"]]


class Database(Record):
    change: Literal["added", "removed", "moved", "changed"]
    name: str
    reference_handle: Optional[int]
    says: str
    subject_handle: Optional[int]
    uuid: Optional[str]


class Disconnect(Record):
    """How a link ended."""

    duration_ms: Optional[float]
    ended_by: Literal["peer", "host", "controller"]
    frame: int
    idle_before_end_ms: Optional[float]
    reason: int
    reason_sent: Optional[int]
    says: str


class Early(Record):
    """What one side did early and the other did not."""

    attribute: Optional[Attribute]
    blocked_by: Optional[int]
    name: str
    normal: bool
    procedure: Literal["connect", "features", "version", "data-length", "phy", "parameter-update", "exchange-mtu", "discover-services", "discover-includes", "discover-characteristics", "discover-descriptors", "read", "write", "write-command", "subscribe", "notify", "indicate", "pair", "encrypt", "channel", "scan", "disconnect", "other"]
    protocol: Literal["att", "smp", "signal"]
    reference_after_ms: Optional[float]
    reference_frame: int
    subject: Literal["never", "later", "not-reached", "cannot-tell"]
    subject_after_ms: Optional[float]
    subject_frame: Optional[int]


class Ends(Record):
    reference: Optional[Disconnect]
    subject: Optional[Disconnect]


class Evidence(Record):
    capture: int
    frame: Optional[int]
    text: str
    line: Optional[int]
    #: The index of the log among the witnesses of the capture.
    witness: Optional[int]


class Finding(Record):
    capture: int
    confidence: Literal["high", "medium", "low"]
    connections: list[int]
    evidence: list[Evidence]
    level: Literal["cause", "suspect", "note"]
    no_use: list[str]
    remedies: list[str]
    rule: str
    rules_out: list[RuledOut]
    says: str
    sources: list[str]
    title: str
    what_if: Optional[WhatIf]
    would_settle: list[str]


class FirstAnswer(Record):
    #: The connection event, counted from 0; null where the sniffer cannot tell.
    event: Optional[int]
    frame: int


class FirstAtt(Record):
    after_ms: Optional[float]
    frame: int
    name: Optional[str]


class FirstAtts(Record):
    reference: Optional[FirstAtt]
    subject: Optional[FirstAtt]


class Fitness(Record):
    code: Literal["starts-after-connection", "rotated-log", "no-connections", "no-traffic", "text-incomplete", "cut-packets", "adapter-idle", "several-adapters", "no-le-traffic", "too-many-attributes", "too-many-devices", "too-many-adapter-events", "too-many-connections", "no-times", "dropped-packets", "data-only", "filtered", "ends-before-links"]
    remedy: str
    says: str


class Host(Record):
    guessed: bool
    stack: Literal["bluez", "noble", "android", "ios", "macos", "nimble", "zephyr", "esp", "btstack", "bumble", "windows"]
    version: Optional[str]


class InCapture(Record):
    """A frame of a capture."""

    capture: int
    frame: int
    text: str


class InLog(Record):
    """A line of a log."""

    capture: int
    line: int
    text: str
    #: The index of the log among the witnesses of the capture.
    witness: int


class JoinedLink(Record):
    #: The connection of the host's capture.
    connection: int
    link: AirLink
    #: The link's number in the air capture.
    number: int


class LostChannel(Record):
    answered: int
    channel: int
    #: Events in which the central was heard.
    events: int


class Mtu(Record):
    """The exchange of MTUs; null where nothing answered: the request itself is a step."""

    answered: int
    answered_after_ms: Optional[float]
    by: Literal["host", "peer"]
    effective: int
    frame: int
    requested: int
    requested_after_ms: Optional[float]


class Mtus(Record):
    reference: Optional[Mtu]
    subject: Optional[Mtu]


class NoMatch(Record):
    holds: list[list[str]]
    nearest: list[str]
    says: str


class Parameter(Record):
    name: str
    normal: bool
    reference: Optional[str]
    subject: Optional[str]


class Parameters(Record):
    command: Literal["LE Create Connection", "LE Extended Create Connection", "LE Extended Create Connection v2", "Create Connection", "incoming"]
    filter_policy: int
    interval_max_ms: float
    interval_min_ms: float
    latency: int
    own_address_type: int
    phys: int
    scan_interval_ms: float
    scan_window_ms: float
    supervision_timeout_ms: int


class Peer(Record):
    address: Optional[str]
    address_type: Optional[Literal["public", "random", "public-identity", "random-identity"]]
    name: Optional[str]


class Place(Record):
    """A line of a log."""

    capture: int
    index: int
    line: int


class Relation(Record):
    """What a line of a log has to do with the packets."""

    connection: Optional[int]
    #: HCI's status or reason, or what took the link away; of `elsewhere`, where it happened.
    detail: Optional[str]
    frame: Optional[int]
    #: `context` is counted among the claims and not listed.
    kind: Literal["cause", "echo", "contradiction", "elsewhere"]
    says: str
    #: The line's message, without keys and shortened.
    text: Optional[str]
    witness: Place


class Requested(Record):
    """What the host asked the controller for."""

    cancel_frame: Optional[int]
    frame: int
    parameters: Parameters


class RuledOut(Record):
    rule: str
    why: str


class SameUntil(Record):
    reference_frame: int
    subject_frame: int


class Side(Record):
    capture: int
    connection: int


class Step(Record):
    after_ms: Optional[float]
    attribute: Optional[Attribute]
    bytes: int
    count: int
    dir: Literal["sent", "received"]
    duration_ms: Optional[float]
    frame: int
    last_frame: int
    name: str
    outcome: Literal["ok", "error", "unanswered", "cut-off", "unknown"]
    procedure: Literal["connect", "features", "version", "data-length", "phy", "parameter-update", "exchange-mtu", "discover-services", "discover-includes", "discover-characteristics", "discover-descriptors", "read", "write", "write-command", "subscribe", "notify", "indicate", "pair", "encrypt", "channel", "scan", "disconnect", "other"]
    status: Optional[int]
    #: The value's beginning in hexadecimal, with `--show-values` alone.
    value: Optional[str]


class Tool(Record):
    name: Literal["hcidiff"]
    version: str


class Verdict(Record):
    confidence: Optional[Literal["high", "medium", "low"]]
    headline: str
    level: Optional[Literal["cause", "suspect"]]
    rule: Optional[str]


class CaptureWarning(Record):
    code: Literal["cut-packets", "empty-records", "type-only-records", "original-shorter", "direction-contradicts", "unknown-types", "dropped-packets", "epoch-missing", "clock-unset", "time-unusable", "time-steps-back", "time-jumps", "odd-microseconds", "concatenated", "foreign-frames", "short-frames", "direction-inferred", "times-rounded", "cut-in-record", "cut-in-log", "not-a-record", "impossible-length", "damaged-length", "damaged-block", "unreadable-part", "compression-damaged", "padding", "data-after-padding", "more-damage", "lines-not-understood", "text-incomplete", "archive-member", "no-hci", "no-records", "part-only", "no-values"]
    frame: Optional[int]
    offset: Optional[int]
    text: str


class WhatIf(Record):
    columns: list[str]
    rows: list[list[str]]
    says: str


class Witness(Record):
    """A log, and how it lies against the capture."""

    #: Of an air capture alone.
    air: Optional[Air]
    aligned: bool
    anchors: int
    #: Lines that say something about a connection.
    claims: int
    clock: Literal["utc", "local", "boot", "none"]
    drift_ppm: Optional[float]
    kind: Literal["bluetoothd", "journal", "bleak", "home-assistant", "retry-connector", "dbus", "bluetoothctl", "kernel", "esphome", "esp-idf", "nimble", "logcat", "apple-log", "air"]
    #: Of a D-Bus capture: its messages.
    lines: int
    offset_error_s: Optional[float]
    #: The log's clock minus the capture's; null where it was not found, or where only the order of the lines tells.
    offset_s: Optional[float]
    path: str
    #: The smallest step of its times; null where it has none.
    resolution_s: Optional[float]


class Contents(Record):
    """The whole report."""

    captures: list[Capture]
    comparison: Optional[Comparison]
    findings: list[Finding]
    #: Why there are not two sides to compare: nothing matches, or one capture cannot be read.
    no_match: Optional[NoMatch]
    relations: list[Relation]
    schema: Literal["hcidiff.report/1"]
    tool: Tool
    #: The result in one line. Where no rule says why, the headline says so and the others are null.
    verdict: Verdict


Air._parts["joined"] = JoinedLink
AirLink._parts["central"] = AirSide
AirLink._parts["channels_lost"] = LostChannel
AirLink._parts["events"] = AirEvents
AirLink._parts["first_answer"] = FirstAnswer
AirLink._parts["peripheral"] = AirSide
AirLink._parts["terminated"] = AirEnd
Aligned._parts["reference"] = At
Aligned._parts["subject"] = At
AnswerTimes._parts["att_at_most"] = Answers
AnswerTimes._parts["link_layer_and_mtu"] = Answers
Capture._parts["adapters"] = Adapter
Capture._parts["connections"] = Connection
Capture._parts["fitness"] = Fitness
Capture._parts["host"] = Host
Capture._parts["warnings"] = CaptureWarning
Capture._parts["witnesses"] = Witness
Comparison._parts["clocks"] = ClockFact
Comparison._parts["databases"] = Database
Comparison._parts["disconnect"] = Ends
Comparison._parts["extra_early"] = Early
Comparison._parts["first_att"] = FirstAtts
Comparison._parts["missing_early"] = Early
Comparison._parts["mtu"] = Mtus
Comparison._parts["parameters"] = Parameter
Comparison._parts["reference"] = Side
Comparison._parts["same_until"] = SameUntil
Comparison._parts["steps"] = Aligned
Comparison._parts["subject"] = Side
Connection._parts["air"] = AirLink
Connection._parts["answer_times"] = AnswerTimes
Connection._parts["first_att"] = FirstAtt
Connection._parts["mtu"] = Mtu
Connection._parts["peer"] = Peer
Connection._parts["requested"] = Requested
Connection._parts["steps"] = Step
Early._parts["attribute"] = Attribute
Ends._parts["reference"] = Disconnect
Ends._parts["subject"] = Disconnect
Finding._parts["evidence"] = Evidence
Finding._parts["rules_out"] = RuledOut
Finding._parts["what_if"] = WhatIf
FirstAtts._parts["reference"] = FirstAtt
FirstAtts._parts["subject"] = FirstAtt
JoinedLink._parts["link"] = AirLink
Mtus._parts["reference"] = Mtu
Mtus._parts["subject"] = Mtu
Relation._parts["witness"] = Place
Requested._parts["parameters"] = Parameters
Step._parts["attribute"] = Attribute
Witness._parts["air"] = Air
Contents._parts["captures"] = Capture
Contents._parts["comparison"] = Comparison
Contents._parts["findings"] = Finding
Contents._parts["no_match"] = NoMatch
Contents._parts["relations"] = Relation
Contents._parts["tool"] = Tool
Contents._parts["verdict"] = Verdict
