//! One connection, its steps, and what is told of it beside another one.
use super::air::AirLink;
use super::{FromOne, ms, objects, outside};
use crate::case::Value;
use crate::compare::{self, Names};
use crate::packet::units::{Interval, Slots, Timeout};
use crate::packet::{Direction, att};
use crate::report::Report;
use crate::seen::Seen;
use crate::timeline::{self, EndedBy, Outcome, Procedure, RequestKind, Role, Transport};
use serde::Serialize;
use serde::ser::Serializer;

objects! {
    Connection<'a> {
        adapter: Option<u16>,
        /// What a sniffer saw of the link, in a capture of the air alone.
        #[serde(skip_serializing_if = "Option::is_none")]
        air: Option<AirLink>,
        answer_times: AnswerTimes,
        att_received: u64,
        att_sent: u64,
        connected_frame: Option<u32>,
        disconnect_frame: Option<u32>,
        duration_ms: Option<f64>,
        elided_steps: u64,
        encrypted: bool,
        #[cfg_attr(test, schemars(extend("enum" = ["disconnected", "adapter-removed", "powered-off", "reset", "open", null])))]
        end: Option<&'static str>,
        end_seen: bool,
        ended_by: Option<EndedBy>,
        first_att: Option<FirstAtt>,
        handle: Option<u16>,
        idle_before_end_ms: Option<f64>,
        interval_ms: Option<f64>,
        latency: Option<u16>,
        mtu: Option<Mtu>,
        number: FromOne,
        paired: bool,
        peer: Peer,
        peer_heard: bool,
        peer_heard_after_ms: Option<f64>,
        reason: Option<u8>,
        reason_sent: Option<u8>,
        requested: Option<Requested>,
        role: Option<Role>,
        start_seen: bool,
        status: Option<u8>,
        #[cfg_attr(test, schemars(with = "Vec<Step>"))]
        steps: Steps<'a>,
        supervision_timeout_ms: Option<f64>,
        #[cfg_attr(test, schemars(extend("enum" = ["le", "bredr", null])))]
        transport: Option<Transport>,
    }

    /// How long answers took, in connection events.
    AnswerTimes {
        /// Those that the device's own time is in: the link took that long at most.
        att_at_most: Option<Answers>,
        link_layer_and_mtu: Option<Answers>,
    }

    Answers {
        count: u64,
        /// One connection event: interval x (1 + latency).
        event_ms: f64,
        events: f64,
    }

    Peer {
        address: Option<String>,
        #[cfg_attr(test, schemars(extend("enum" = ["public", "random", "public-identity", "random-identity", null])))]
        address_type: Option<&'static str>,
        name: Option<String>,
    }

    /// What the host asked the controller for.
    Requested {
        cancel_frame: Option<u32>,
        frame: FromOne,
        parameters: Parameters,
    }

    Parameters {
        command: RequestKind,
        filter_policy: u8,
        interval_max_ms: f64,
        interval_min_ms: f64,
        latency: u16,
        own_address_type: u8,
        phys: u8,
        scan_interval_ms: f64,
        scan_window_ms: f64,
        supervision_timeout_ms: u32,
    }

    /// The exchange of MTUs; null where nothing answered: the request itself is a step.
    Mtu {
        answered: u16,
        answered_after_ms: Option<f64>,
        #[cfg_attr(test, schemars(extend("enum" = ["host", "peer"])))]
        by: &'static str,
        #[cfg_attr(test, schemars(range(min = 23)))]
        effective: u16,
        frame: FromOne,
        requested: u16,
        requested_after_ms: Option<f64>,
    }

    FirstAtt {
        after_ms: Option<f64>,
        frame: FromOne,
        name: Option<&'static str>,
    }

    Step {
        after_ms: Option<f64>,
        attribute: Option<Attribute>,
        bytes: u64,
        count: FromOne,
        #[cfg_attr(test, schemars(extend("enum" = ["sent", "received"])))]
        dir: &'static str,
        duration_ms: Option<f64>,
        frame: FromOne,
        last_frame: FromOne,
        name: String,
        outcome: Outcome,
        procedure: Procedure,
        status: Option<u8>,
        /// The value's beginning in hexadecimal, with `--show-values` alone.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    }

    Attribute {
        #[cfg_attr(test, schemars(range(max = 65535)))]
        handle: u16,
        name: String,
        uuid: Option<String>,
    }

    /// How a link ended.
    Disconnect {
        duration_ms: Option<f64>,
        ended_by: EndedBy,
        frame: u32,
        idle_before_end_ms: Option<f64>,
        reason: u8,
        reason_sent: Option<u8>,
        says: String,
    }
}

impl<'a> Connection<'a> {
    pub(super) fn of(report: &'a Report, at: usize, c: &'a timeline::Connection) -> Self {
        let end = c.end.as_ref();
        Self {
            adapter: c.adapter,
            air: c.air.as_deref().map(AirLink::of),
            answer_times: AnswerTimes {
                att_at_most: c.att_answers().map(Answers::of),
                link_layer_and_mtu: c.bare_answers().map(Answers::of),
            },
            att_received: c.att_received,
            att_sent: c.att_sent,
            connected_frame: c.connected_frame(),
            disconnect_frame: end.map(|end| end.frame),
            duration_ms: c.life().map(ms),
            elided_steps: c.elided_steps,
            encrypted: c.encrypted,
            end: match (end, &c.gone) {
                (Some(_), _) => Some("disconnected"),
                (None, Some(gone)) => Some(gone.how.word()),
                (None, None) => c.connected().then_some("open"),
            },
            end_seen: c.end_seen,
            ended_by: end.map(|end| end.by).or_else(|| c.gone.as_ref().map(|gone| gone.by)),
            first_att: FirstAtt::of(c),
            handle: c.handle.map(|handle| handle.0),
            idle_before_end_ms: c.idle_before_end().map(ms),
            interval_ms: c.granted.map(|granted| granted.interval().as_ms()),
            latency: c.granted.map(|granted| granted.latency),
            mtu: Mtu::of(c),
            number: FromOne(c.number),
            paired: c.paired,
            peer: Peer {
                address: c.peer.address.map(|address| report.visible(&address)),
                address_type: c.peer.address_type.and_then(|kind| kind.name()),
                name: c.peer.name.as_deref().map(|name| report.named(name)),
            },
            peer_heard: c.peer_heard(),
            peer_heard_after_ms: c.heard.and_then(|heard| c.after(heard.seen.at)).map(ms),
            reason: end.map(|end| end.reason.0),
            reason_sent: end.and_then(|end| end.reason_sent).map(|reason| reason.0),
            requested: c.request.as_deref().map(Requested::of),
            role: c.role,
            start_seen: c.start_seen,
            status: c.status.map(|status| status.0),
            steps: Steps(report, at, c),
            supervision_timeout_ms: c.granted.map(|granted| granted.timeout().as_ms()),
            transport: (c.transport != Transport::Unknown).then_some(c.transport),
        }
    }
}

impl Requested {
    fn of(request: &timeline::Request) -> Self {
        Self {
            cancel_frame: request.cancelled.map(|seen| seen.frame),
            frame: FromOne(request.frame),
            parameters: Parameters {
                command: request.kind,
                filter_policy: request.filter_policy,
                interval_max_ms: Interval(request.interval_max).ms(),
                interval_min_ms: Interval(request.interval_min).ms(),
                latency: request.latency,
                own_address_type: request.own_address_type,
                phys: request.phys,
                scan_interval_ms: Slots(request.scan_interval).ms(),
                scan_window_ms: Slots(request.scan_window).ms(),
                supervision_timeout_ms: Timeout(request.timeout).ms(),
            },
        }
    }
}

impl Answers {
    fn of(answers: timeline::Answers) -> Self {
        Self {
            count: answers.count,
            event_ms: ms(answers.event),
            events: (answers.events * 10.0).round() / 10.0,
        }
    }
}

impl Mtu {
    pub(super) fn of(c: &timeline::Connection) -> Option<Self> {
        let mtu = c.mtu?;
        Some(Self {
            answered: mtu.answered?,
            answered_after_ms: c.after(Seen::when(mtu.answer)).map(ms),
            by: if mtu.by == Direction::Sent { "host" } else { "peer" },
            effective: mtu.effective()?,
            frame: FromOne(mtu.frame),
            requested: mtu.requested,
            requested_after_ms: c.after(mtu.at).map(ms),
        })
    }
}

impl FirstAtt {
    pub(super) fn of(c: &timeline::Connection) -> Option<Self> {
        let first = c.first_att?;
        Some(Self {
            after_ms: c.after(first.at).map(ms),
            frame: FromOne(first.frame),
            name: att::Pdu::name_of(first.opcode),
        })
    }
}

impl Disconnect {
    pub(super) fn of(report: &Report, c: &timeline::Connection) -> Option<Self> {
        let end = c.end.as_ref()?;
        Some(Self {
            duration_ms: c.life().map(ms),
            ended_by: end.by,
            frame: end.frame,
            idle_before_end_ms: c.idle_before_end().map(ms),
            reason: end.reason.0,
            reason_sent: end.reason_sent.map(|reason| reason.0),
            says: report.visible(&compare::words::ending(c)),
        })
    }
}

impl Step {
    fn of(
        report: &Report,
        c: &timeline::Connection,
        names: &Names,
        step: &timeline::Step,
        value: Option<&Value>,
    ) -> Self {
        Self {
            after_ms: c.after(step.at).map(ms),
            attribute: names.attribute(c, step).map(|it| Attribute::of(report, &it)),
            bytes: step.bytes,
            count: FromOne(step.count),
            dir: if step.by == Direction::Sent { "sent" } else { "received" },
            duration_ms: step.duration().map(ms),
            frame: FromOne(step.frame),
            last_frame: FromOne(step.last.frame),
            name: report.visible(&compare::words::step(c, names, step)),
            outcome: step.outcome,
            procedure: step.procedure,
            status: step.status,
            value: value.map(|value| outside(report, &value.to_string())),
        }
    }
}

impl Attribute {
    pub(super) fn of(report: &Report, name: &compare::AttributeName) -> Self {
        Self {
            handle: name.handle,
            name: report.named(&name.name),
            uuid: name.uuid.map(|uuid| outside(report, &uuid.to_string())),
        }
    }
}

/// The steps of a connection.
pub(super) struct Steps<'a>(&'a Report, usize, &'a timeline::Connection);

impl Serialize for Steps<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(report, at, c) = *self;
        let names = Names::of(&report.captures[at], c);
        let step = |step| Step::of(report, c, &names, step, report.value(at, step));
        to.collect_seq(c.steps.iter().map(step))
    }
}
