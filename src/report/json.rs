//! The report for machines: `hcidiff.report/1`. `docs/report.schema.json` describes it.
use super::{Report, content, safe};
use crate::capture::Warning;
use crate::case;
use crate::compare::{self, AlignedStep, Comparison, EarlyOperation, Names, Side};
use crate::diagnose::{Evidence, Finding, Remedy};
use crate::packet::units::{Slots, Timeout};
use crate::packet::{AddressType, Direction, att};
use crate::prose::Text;
use crate::seen::{Seen, SourceId};
use crate::sides::Sides;
use crate::time::{Clock, Span};
use crate::timeline::{Adapter, Connection, Granted, Moment, Mtu, Request, Step, Transport};
use crate::witness::{Relation, RelationKind, Testimony};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::io::{self, Write};

/// Name and version of the shape; a change that breaks readers gets another.
pub const SCHEMA: &str = "hcidiff.report/1";

/// The JSON Schema of [`render`]'s output.
pub const SCHEMA_TEXT: &str = include_str!("../../docs/report.schema.json");

/// The report as text.
pub fn render(report: &Report) -> String {
    let mut text = Vec::new();
    // Writing into memory cannot fail.
    let _ = write(report, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes the report as one JSON object, indented, with a newline at its end.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document(report))?;
    out.write_all(b"\n")
}

/// The document is made piece by piece: a capture may hold 20,000 connections, and a connection
/// 100,000 steps. A tree of all of them would take many times the memory of what it says.
struct Document<'a>(&'a Report);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let report = self.0;
        let mut document = to.serialize_map(None)?;
        let captures: Vec<_> = (0..report.captures.len()).map(|at| InCapture(report, at)).collect();
        document.serialize_entry("captures", &captures)?;
        let said = |value| shown(report, value);
        let compared = report.comparison.as_ref().map(|c| Compared(report, c));
        document.serialize_entry("comparison", &compared)?;
        let findings: Vec<_> = report.findings.iter().map(|f| finding(report, f)).collect();
        document.serialize_entry("findings", &findings)?;
        let no_match = report
            .no_match
            .as_ref()
            .map(|n| json!({ "says": n.says, "holds": n.holds, "nearest": n.nearest }));
        document.serialize_entry("no_match", &said(json!(no_match)))?;
        let relations =
            report.testimonies.iter().flat_map(|t| t.relations.iter().map(move |r| (t, r)));
        let listed = relations.filter(|(_, relation)| relation.kind != RelationKind::Context);
        let relations = Each(|| listed.clone().map(|(of, r)| said(relation(of, r))));
        document.serialize_entry("relations", &relations)?;
        document.serialize_entry("schema", SCHEMA)?;
        let tool = json!({ "name": "hcidiff", "version": env!("CARGO_PKG_VERSION") });
        document.serialize_entry("tool", &tool)?;
        document.serialize_entry("verdict", &said(verdict(report)))?;
        document.end()
    }
}

/// The result in one line, and the rule that gave it, if one did.
fn verdict(report: &Report) -> Value {
    let headline = content::headline(report);
    let sure = headline.sure(report);
    json!({
        "headline": headline.says,
        "rule": headline.rule(report),
        "level": sure.map(|(level, _)| level.word()),
        "confidence": sure.map(|(_, confidence)| confidence.word()),
    })
}

/// One capture, by its index.
struct InCapture<'a>(&'a Report, usize);

impl Serialize for InCapture<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(report, at) = *self;
        let connections = report.captures[at].connections.iter();
        let connections = Each(|| connections.clone().map(|c| InConnection(report, at, c)));
        with(to, &shown(report, capture(report, at)), "connections", &connections)
    }
}

/// One connection of a capture.
struct InConnection<'a>(&'a Report, usize, &'a Connection);

impl Serialize for InConnection<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(report, at, c) = *self;
        let names = Names::of(&report.captures[at], c);
        let said = |s: &Step| shown(report, step(c, &names, s, report.value(at, s)));
        let steps = Each(|| c.steps.iter().map(said));
        with(to, &shown(report, connection(c)), "steps", &steps)
    }
}

/// Two connections compared.
struct Compared<'a>(&'a Report, &'a Comparison);

impl Serialize for Compared<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(report, compared) = *self;
        let names = compare::names(&report.captures, compared.reference, compared.subject);
        let said = |aligned: &AlignedStep| {
            Some(shown(report, self::aligned(sides(report, compared), names.as_ref(), aligned)?))
        };
        let steps = Each(|| compared.steps.iter().filter_map(said));
        with(to, &shown(report, comparison(report, compared)), "steps", &steps)
    }
}

/// A list whose items are made one at a time.
struct Each<F>(F);

impl<F: Fn() -> I, I: IntoIterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq((self.0)())
    }
}

/// An object's facts, with a list in its place among them.
fn with<S: Serializer>(
    to: S,
    facts: &Value,
    key: &str,
    list: &impl Serialize,
) -> Result<S::Ok, S::Error> {
    let mut object = to.serialize_map(None)?;
    for (name, value) in facts.as_object().into_iter().flatten() {
        if name == key {
            object.serialize_entry(name, list)?;
        } else {
            object.serialize_entry(name, value)?;
        }
    }
    object.end()
}

/// With aliases, if so asked, and safe to show: a reader prints what JSON hid from a terminal.
fn shown(report: &Report, mut value: Value) -> Value {
    if report.shown.aliases {
        report.aliases().hide_in(&mut value);
    }
    make_safe(&mut value);
    value
}

fn make_safe(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(safe) = safe::text(text) {
                *text = safe;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_safe),
        Value::Object(fields) => fields.values_mut().for_each(make_safe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Milliseconds to the microsecond.
fn ms(span: Span) -> Value {
    json!(span.0 as f64 / 1000.0)
}

fn maybe(span: Option<Span>) -> Value {
    span.map_or(Value::Null, ms)
}

fn capture(report: &Report, at: usize) -> Value {
    let capture = &report.captures[at];
    let time = |time: Option<crate::time::Timestamp>| {
        time.and_then(|t| match capture.clock {
            Clock::Utc => t.rfc3339(),
            Clock::Local => t.wall(),
            Clock::Relative | Clock::None => None,
        })
    };
    let duration =
        capture.last_time.zip(capture.first_time).map(|(last, first)| (last - first).as_s());
    json!({
        "label": capture.label,
        "path": capture.file,
        "sha256": capture.sha256.map(hex),
        "format": capture.format,
        "records": capture.totals.records,
        "first_time": time(capture.first_time),
        "last_time": time(capture.last_time),
        "duration_s": duration,
        "adapters": capture.adapters.iter().map(adapter).collect::<Vec<_>>(),
        "host": capture.host.as_ref().map(|h| json!({ "stack": h.stack.word(), "version": h.version, "guessed": h.guessed })),
        "warnings": capture.warnings.iter().map(warning).collect::<Vec<_>>(),
        "fitness": capture.fitness.iter().map(|f| json!({ "code": f.kind.word(), "says": f.says, "remedy": f.remedy })).collect::<Vec<_>>(),
        "witnesses": report.testimonies.iter().filter(|of| of.capture == at).map(witness).collect::<Vec<_>>(),
        "connections": null,
    })
}

/// A log, and how it lies against the capture.
fn witness(testimony: &Testimony) -> Value {
    let Testimony { log, alignment, .. } = testimony;
    let seconds = |micros: Option<i64>| micros.map(|micros| micros as f64 / 1e6);
    json!({
        "path": log.file,
        "kind": log.kind.word(),
        "clock": log.clock.word(),
        "resolution_s": (log.resolution_us > 0).then(|| f64::from(log.resolution_us) / 1e6),
        "lines": log.lines,
        "claims": log.understood,
        "aligned": alignment.aligned,
        "anchors": alignment.anchors,
        "offset_s": seconds(alignment.offset),
        "offset_error_s": seconds(alignment.error),
        "drift_ppm": alignment.drift_ppm,
    })
}

/// What a line of a log has to do with the packets.
fn relation(testimony: &Testimony, relation: &Relation) -> Value {
    json!({
        "kind": relation.kind.word(),
        "detail": relation.detail.map(|detail| detail.to_string()),
        "witness": {
            "capture": testimony.capture,
            "index": testimony.index,
            "line": relation.line,
        },
        "frame": relation.frame,
        "connection": relation.connection,
        "says": relation.says,
        "text": testimony.claim(relation).map(|claim| &claim.text),
    })
}

fn hex(bytes: [u8; 32]) -> String {
    let mut text = String::with_capacity(64);
    super::line::push_hex(&mut text, &bytes);
    text
}

fn adapter(adapter: &Adapter) -> Value {
    json!({
        "index": adapter.index,
        "address": adapter.address.map(|a| a.to_string()),
        "name": adapter.name,
        "manufacturer": adapter.manufacturer,
        "version": adapter.version,
    })
}

fn warning(warning: &Warning) -> Value {
    json!({ "code": warning.kind.word(), "frame": warning.frame, "offset": warning.offset, "text": warning.text })
}

fn address_type(kind: AddressType) -> Option<&'static str> {
    kind.name()
}

fn connection(c: &Connection) -> Value {
    let after = |moment: Moment| maybe(c.after(moment));
    let end = c.end.as_ref();
    json!({
        "number": c.number,
        "adapter": c.adapter,
        "transport": (c.transport != Transport::Unknown).then(|| c.transport.word()),
        "role": c.role.map(|r| r.word()),
        "peer": {
            "address": c.peer.address.map(|a| a.to_string()),
            "address_type": c.peer.address_type.and_then(address_type),
            "name": c.peer.name.as_deref(),
        },
        "start_seen": c.start_seen,
        "end_seen": c.end_seen,
        "requested": c.request.as_deref().map(request),
        "status": c.status.map(|s| s.0),
        "connected_frame": c.connected_frame(),
        "handle": c.handle.map(|h| h.0),
        "interval_ms": c.granted.map(|g| g.interval().as_ms()),
        "latency": c.granted.map(|g| g.latency),
        "supervision_timeout_ms": c.granted.map(|g| g.timeout().as_ms()),
        "peer_heard": c.peer_heard(),
        "peer_heard_after_ms": c.heard.map_or(Value::Null, |h| after(h.seen.at)),
        "mtu": mtu(c),
        "first_att": first_att(c),
        "att_sent": c.att_sent,
        "att_received": c.att_received,
        "encrypted": c.encrypted,
        "paired": c.paired,
        "reason": end.map(|e| e.reason.0),
        "reason_sent": end.and_then(|e| e.reason_sent).map(|r| r.0),
        "ended_by": ended_by(c),
        "end": end_word(c),
        "disconnect_frame": end.map(|e| e.frame),
        "duration_ms": maybe(c.life()),
        "idle_before_end_ms": maybe(c.idle_before_end()),
        "elided_steps": c.elided_steps,
        "steps": null,
    })
}

fn request(request: &Request) -> Value {
    let granted = |units: u16| {
        Granted { interval: units, latency: 0, timeout: 0, clock_accuracy: 0 }.interval().as_ms()
    };
    json!({
        "frame": request.frame,
        "parameters": {
            "command": request.kind.word(),
            "filter_policy": request.filter_policy,
            "own_address_type": request.own_address_type,
            "phys": request.phys,
            "scan_interval_ms": Slots(request.scan_interval).ms(),
            "scan_window_ms": Slots(request.scan_window).ms(),
            "interval_min_ms": granted(request.interval_min),
            "interval_max_ms": granted(request.interval_max),
            "latency": request.latency,
            "supervision_timeout_ms": Timeout(request.timeout).ms(),
        },
        "cancel_frame": request.cancelled.map(|seen| seen.frame),
    })
}

/// Null where nothing answered: the request itself is a step.
fn mtu(c: &Connection) -> Value {
    let answered = |mtu: Mtu| Some((mtu, mtu.answered?, mtu.effective()?));
    let Some((mtu, answer, effective)) = c.mtu.and_then(answered) else { return Value::Null };
    json!({
        "by": if mtu.by == Direction::Sent { "host" } else { "peer" },
        "requested": mtu.requested,
        "answered": answer,
        "effective": effective,
        "requested_after_ms": maybe(c.after(mtu.at)),
        "answered_after_ms": maybe(c.after(Seen::when(mtu.answer))),
        "frame": mtu.frame,
    })
}

fn first_att(c: &Connection) -> Value {
    c.first_att.map_or(Value::Null, |first| {
        json!({ "frame": first.frame, "after_ms": maybe(c.after(first.at)), "name": att::Pdu::name_of(first.opcode) })
    })
}

fn step(c: &Connection, names: &Names, step: &Step, value: Option<&case::Value>) -> Value {
    let mut said = json!({
        "procedure": step.procedure.word(),
        "name": compare::words::step(c, names, step),
        "frame": step.frame,
        "last_frame": step.last.frame,
        "after_ms": maybe(c.after(step.at)),
        "duration_ms": maybe(step.duration()),
        "dir": if step.by == Direction::Sent { "sent" } else { "received" },
        "count": step.count,
        "bytes": step.bytes,
        "attribute": names.attribute(c, step).map(|a| attribute(&a)),
        "outcome": step.outcome.word(),
        "status": step.status,
    });
    if let Some(value) = value {
        said["value"] = value.to_string().into();
    }
    said
}

fn attribute(name: &compare::AttributeName) -> Value {
    json!({ "handle": name.handle, "uuid": name.uuid.map(|u| u.to_string()), "name": name.name })
}

/// The connections that are compared.
fn sides<'a>(report: &'a Report, comparison: &Comparison) -> Sides<Option<&'a Connection>> {
    Sides::new(comparison.reference, comparison.subject).map(|side| {
        let capture = report.captures.get(side.capture);
        capture.and_then(|c| c.connection(side.connection))
    })
}

/// A step of one side beside that of the other.
fn aligned(
    Sides { reference, subject }: Sides<Option<&Connection>>,
    names: Option<&Sides<Names>>,
    aligned: &AlignedStep,
) -> Option<Value> {
    let at = |c: Option<&Connection>, index: Option<usize>| -> Value {
        let Some((c, step)) = c.and_then(|c| Some((c, c.steps.get(index?)?))) else {
            return Value::Null;
        };
        json!({ "frame": step.frame, "after_ms": maybe(c.after(step.at)) })
    };
    let (c, step, names) = match (aligned.reference, aligned.subject) {
        (Some(index), _) => {
            (reference?, reference?.steps.get(index)?, names.map(|names| &names.reference))
        }
        (None, Some(index)) => {
            (subject?, subject?.steps.get(index)?, names.map(|names| &names.subject))
        }
        (None, None) => return None,
    };
    Some(json!({
        "kind": aligned.kind.word(),
        "procedure": step.procedure.word(),
        "name": names.map(|n| compare::words::step(c, n, step)),
        "reference": at(reference, aligned.reference),
        "subject": at(subject, aligned.subject),
        "note": aligned.note,
        "normal": aligned.normal,
    }))
}

fn comparison(report: &Report, comparison: &Comparison) -> Value {
    let Sides { reference, subject } = sides(report, comparison);
    let pair = |of: &dyn Fn(&Connection) -> Value| json!({ "reference": reference.map(of), "subject": subject.map(of) });
    json!({
        "reference": side(comparison.reference),
        "subject": side(comparison.subject),
        "matched_by": comparison.matched_by.word(),
        "window_ms": comparison.window.as_ms(),
        "roles_differ": comparison.roles_differ,
        "same_until": comparison.same_until.map(|(r, s)| json!({ "reference_frame": r, "subject_frame": s })),
        "divergence": comparison.divergence,
        "steps": null,
        "missing_early": comparison.missing_early.iter().map(early).collect::<Vec<_>>(),
        "extra_early": comparison.extra_early.iter().map(early).collect::<Vec<_>>(),
        "first_att": pair(&first_att),
        "mtu": pair(&mtu),
        "clocks": comparison.clocks.iter().map(|f| json!({
            "name": f.name, "reference_ms": maybe(f.reference), "subject_ms": maybe(f.subject),
        })).collect::<Vec<_>>(),
        "parameters": comparison.parameters.iter().map(|p| json!({
            "name": p.name, "reference": p.reference, "subject": p.subject, "normal": p.normal,
        })).collect::<Vec<_>>(),
        "databases": comparison.databases.iter().map(|d| json!({
            "change": d.change.word(), "uuid": d.uuid.map(|u| u.to_string()), "name": d.name,
            "reference_handle": d.reference_handle, "subject_handle": d.subject_handle, "says": d.says,
        })).collect::<Vec<_>>(),
        "disconnect": pair(&disconnect),
        "swapped": comparison.swapped(),
        "differs": comparison.differs,
    })
}

fn side(side: Side) -> Value {
    json!({ "capture": side.capture, "connection": side.connection })
}

fn early(operation: &EarlyOperation) -> Value {
    json!({
        "protocol": operation.protocol.word(),
        "procedure": operation.procedure.word(),
        "name": operation.name,
        "attribute": operation.attribute.as_ref().map(attribute),
        "reference_frame": operation.frame,
        "reference_after_ms": maybe(operation.after),
        "subject": operation.fate.word(),
        "subject_frame": operation.other_frame,
        "subject_after_ms": maybe(operation.other_after),
        "blocked_by": operation.blocked_by,
        "normal": operation.normal,
    })
}

fn ended_by(c: &Connection) -> Option<&'static str> {
    let by = c.end.as_ref().map(|end| end.by).or_else(|| c.gone.as_ref().map(|gone| gone.by));
    by.map(|by| by.word())
}

/// How a link ended; null for an attempt that never became a link.
fn end_word(c: &Connection) -> Option<&'static str> {
    match (&c.end, &c.gone) {
        (Some(_), _) => Some("disconnected"),
        (None, Some(gone)) => Some(gone.how.word()),
        (None, None) => c.connected().then_some("open"),
    }
}

fn disconnect(c: &Connection) -> Value {
    c.end.as_ref().map_or(Value::Null, |end| {
        json!({
            "reason": end.reason.0,
            "reason_sent": end.reason_sent.map(|r| r.0),
            "ended_by": end.by.word(),
            "frame": end.frame,
            "says": compare::words::ending(c),
            "duration_ms": maybe(c.life()),
            "idle_before_end_ms": maybe(c.idle_before_end()),
        })
    })
}

/// A frame of a capture, or a place in a witness.
fn cited(report: &Report, evidence: &Evidence) -> Value {
    let Evidence { source, frame, text, .. } = evidence;
    let text = report.visible(text);
    match source {
        SourceId::Capture(at) => json!({ "capture": at, "frame": frame, "text": text }),
        SourceId::Witness(at) => match report.testimonies.get(usize::from(*at)) {
            Some(of) => {
                json!({ "capture": of.capture, "witness": of.index, "line": frame, "text": text })
            }
            None => Value::Null,
        },
    }
}

/// Its sentences know their addresses and names; nothing is searched for.
fn finding(report: &Report, finding: &Finding) -> Value {
    let says = |text: &Text| Value::from(report.visible(text));
    let remedies = |all: &[Remedy]| all.iter().map(|remedy| says(&remedy.text())).collect();
    let mut value = Map::new();
    value.insert("rule".into(), json!(finding.rule));
    value.insert("title".into(), json!(finding.title));
    value.insert("level".into(), json!(finding.level.word()));
    value.insert("confidence".into(), json!(finding.confidence.word()));
    value.insert("capture".into(), json!(finding.capture));
    value.insert("connections".into(), json!(finding.connections));
    value.insert("says".into(), says(&finding.says));
    let evidence = finding.evidence.iter().map(|evidence| cited(report, evidence));
    value.insert("evidence".into(), evidence.collect());
    let out = finding.rules_out.iter().map(|r| json!({ "rule": r.rule, "why": says(&r.why) }));
    value.insert("rules_out".into(), out.collect());
    value.insert("would_settle".into(), finding.would_settle.iter().map(says).collect());
    value.insert("remedies".into(), remedies(&finding.remedies));
    value.insert("no_use".into(), remedies(&finding.no_use));
    let row = |row: &Vec<Text>| row.iter().map(says).collect::<Vec<_>>();
    let what_if = finding.what_if.as_ref().map(|what_if| {
        let rows: Vec<_> = what_if.rows.iter().map(row).collect();
        json!({ "says": says(&what_if.says), "columns": what_if.columns, "rows": rows })
    });
    value.insert("what_if".into(), json!(what_if));
    value.insert("sources".into(), json!(finding.sources));
    Value::Object(value)
}
