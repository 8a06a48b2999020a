use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction::{Received, Sent};
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::packet::hci::Command;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Detail, End, EndedBy, Outcome, Procedure, Stack, Step};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "mtu-exchange-breaks-peer",
    title: "The MTU exchange went wrong, and nothing came after it",
    basis: Basis::Laboratory,
    silences: &["never-usable-connection", "att-request-unanswered", "att-transaction-timeout-30s", "zombie-link-data-silence", "connection-cancelled-by-app"],
    docs: "\
## What it means
The device answered the Exchange MTU Request in a way that this host's ATT client does not survive: with an error other than
Request Not Supported, with two answers, or not at all while it asked the same of this host. The client then stops or closes
the channel, and services stay empty although the link is healthy.

## How it shows
An Error Response to opcode 0x02 with a code other than 0x06, and no further request of this host; or a second response to
the same request, and our own Disconnect within three seconds; or both sides ask, and ours stays open. Or the device names one
MTU as server and another as client, and a value that it sends ends exactly at the smaller one: that form is a suspicion, and
rests on a trace of its author's.

## What else it could be
Error 0x06 is a lawful answer: the MTU stays 23 and discovery goes on. A peer that asks for the MTU itself, even twice, is
normal, and so is any value. With 0x3E the device was never heard, and the MTU is not involved.

## What to do
Leave the exchange out on this host, or use a stack that tolerates the answer; in firmware answer once, with an
Exchange MTU Response.",
    sources: &["BlueZ src/shared/gatt-client.c and att.c", "bluez/bluez#2486, #2224, #65", "embassy-rs/trouble#619"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "it is refused with Invalid PDU, and nothing follows for 12 s", || {
            refused(ErrorCode::INVALID_PDU).wait_ms(12_000).hangs_up(HUNG_UP).into()
        })
        .about(&[1])
        .saying("Invalid PDU (0x04)"),
        Case::silent("it is refused as the specification allows", || {
            refused(ErrorCode::REQUEST_NOT_SUPPORTED).wait_ms(12_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("it is refused, and this host goes on", || {
            let trace = refused(ErrorCode::INVALID_PDU).discovery(2).wait_ms(12_000);
            trace.hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::High, "it is refused, and nothing follows for 1.005 s", || {
            refused(ErrorCode::INVALID_PDU).wait_ms(955).hangs_up(HUNG_UP).into()
        })
        .pins(&["STALLED"]),
        Case::silent("it is refused, and nothing follows for 0.995 s", || {
            refused(ErrorCode::INVALID_PDU).wait_ms(945).hangs_up(HUNG_UP).into()
        })
        .pins(&["STALLED"]),
        Case::cause(Confidence::High, "it is answered twice, and this host hangs up", || {
            answered_twice().wait_ms(500).hangs_up(HUNG_UP).into()
        })
        .saying("a second answer to the same Exchange MTU Request"),
        Case::silent("it is answered once, and this host hangs up", || {
            Trace::new().up().mtu().wait_ms(500).hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::High, "this host hangs up 2.99 s after the second answer", || {
            answered_twice().wait_ms(2_990).hangs_up(HUNG_UP).into()
        })
        .pins(&["CLOSED_SOON"]),
        Case::silent("this host hangs up 3.01 s after the second answer", || {
            answered_twice().wait_ms(3_010).hangs_up(HUNG_UP).into()
        })
        .pins(&["CLOSED_SOON"]),
        Case::silent("it is answered twice, and the device leaves", || {
            answered_twice().wait_ms(500).disconnected(HUNG_UP).into()
        }),
        Case::cause(Confidence::Medium, "both sides ask, and the device never answers", || {
            let trace = Trace::new().up().att(Sent, ASKS).from_peer(&[0x02, 5, 2], &[0x03, 5, 2]);
            trace.wait_ms(5_000).hangs_up(HUNG_UP).into()
        })
        .saying("Both sides asked for the MTU")
        .not_saying("of this host, without answer"),
        Case::silent("only this host asks, and the device never answers", || {
            Trace::new().up().att(Sent, ASKS).wait_ms(5_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the link was up before the capture began", || {
            let trace = Trace::new().write(3, &[1]).refused(ASKS, ErrorCode::INVALID_PDU);
            trace.wait_ms(12_000).hangs_up(HUNG_UP).into()
        }),
        Case::suspect(Confidence::Low, "a value ends at the smaller of the device's two MTUs", || {
            reads(679, 103, 102).into()
        })
        .saying("679 as a server and 103 as a client"),
        Case::silent("a value ends one byte before that", || reads(679, 103, 101).into()),
        Case::silent("the device has one MTU", || reads(103, 103, 102).into()),
        Case::silent("this host reads on from there", || {
            let blob =
                Pdu::ReadBlobRequest { attribute_handle: Handle(3), value_offset: 102 };
            let more = Pdu::ReadBlobResponse { part_attribute_value: &[7] };
            exchanges(679, 103, 102).exchange(blob, more).wait_ms(5_000).hangs_up(HUNG_UP).into()
        }),
        Case::suspect(Confidence::Low, "this host reads on in another value", || {
            let blob = Pdu::ReadBlobRequest { attribute_handle: Handle(4), value_offset: 102 };
            let more = Pdu::ReadBlobResponse { part_attribute_value: &[7] };
            exchanges(679, 103, 102).exchange(blob, more).wait_ms(5_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("two reads have that length together", || {
            let again = Pdu::ReadResponse { attribute_value: &[7; 51] };
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            exchanges(679, 103, 51).exchange(read, again).wait_ms(5_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the device reads such a value of this host", || {
            let mut value = vec![0x0b];
            value.extend([7; 102]);
            let link = exchanges(679, 103, 5).from_peer(&[0x0a, 3, 0], &value);
            link.wait_ms(5_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("the value was read before the exchange", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            let value = Pdu::ReadResponse { attribute_value: &[7; 22] };
            let link = Trace::new().up().discovery(2).exchange(read, value);
            link.exchange(ASKS, Pdu::ExchangeMtuResponse { server_rx_mtu: 679 })
                .from_peer(&[0x02, 23, 0], &[0x03, 5, 2])
                .wait_ms(5_000)
                .hangs_up(HUNG_UP)
                .into()
        }),
        Case::suspect(Confidence::Low, "it names less than the smallest MTU, and a value ends at that", || {
            reads(679, 10, 22).into()
        })
        .pins(&["SMALLEST"]),
        Case::silent("it names less than the smallest MTU, and a value ends there", || {
            reads(679, 10, 9).into()
        })
        .pins(&["SMALLEST"]),

        Case::cause(Confidence::High, "it is refused, and nothing follows for exactly 1 s", || {
            let stops = refused(ErrorCode::INVALID_PDU).after_ms(1_000);
            stops.disconnected(HUNG_UP).into()
        }),
        Case::silent("this host hangs up exactly 3 s after the second answer", || {
            answered_twice().after_ms(3_000).hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::High, "it is refused, and then only the device asks", || {
            let asked = refused(ErrorCode::INVALID_PDU).from_peer(&[0x0a, 3, 0], &[0x0b, 7]);
            asked.wait_ms(12_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("this host asks, the device asks for something else, and never answers", || {
            let trace = Trace::new().up().att(Sent, ASKS).from_peer(&[0x0a, 3, 0], &[0x0b, 7]);
            trace.wait_ms(5_000).hangs_up(HUNG_UP).into()
        }),
        Case::silent("a value that was written has that length", || {
            let value = vec![7; 102];
            let write = Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: &value };
            let link = exchanges(679, 103, 5).exchange(write, Pdu::WriteResponse {});
            link.wait_ms(5_000).hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::High, "it is refused, and this host only changes the parameters", || {
            let asked = refused(ErrorCode::INVALID_PDU).taken(Command::LeConnectionUpdate {
                connection_handle: HANDLE,
                connection_interval_min: 24,
                connection_interval_max: 24,
                max_latency: 0,
                supervision_timeout: 100,
                min_ce_length: 0,
                max_ce_length: 0,
            });
            asked.wait_ms(12_000).hangs_up(HUNG_UP).into()
        }),
        Case::cause(Confidence::High, "the error is shown where it came", || {
            refused(ErrorCode::INVALID_PDU).wait_ms(12_000).hangs_up(HUNG_UP).into()
        })
        .saying("Error Response to the Exchange MTU Request: Invalid PDU (0x04)"),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;
const ASKS: Pdu<'_> = Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };

fn refused(error: ErrorCode) -> Trace {
    Trace::new().up().refused(ASKS, error)
}

fn answered_twice() -> Trace {
    Trace::new().up().mtu().att(Received, Pdu::ExchangeMtuResponse { server_rx_mtu: 247 })
}

/// The device answers `server`, asks for `client`, and sends a value of that length.
fn exchanges(server: u16, client: u16, length: usize) -> Trace {
    let [low, high] = client.to_le_bytes();
    let value = vec![7; length];
    Trace::new()
        .up()
        .exchange(ASKS, Pdu::ExchangeMtuResponse { server_rx_mtu: server })
        .from_peer(&[0x02, low, high], &[0x03, 5, 2])
        .discovery(2)
        .exchange(
            Pdu::ReadRequest { attribute_handle: Handle(3) },
            Pdu::ReadResponse { attribute_value: &value },
        )
}

fn reads(server: u16, client: u16, length: usize) -> Trace {
    exchanges(server, client, length).wait_ms(5_000).hangs_up(HUNG_UP)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Use raw ATT over an L2CAP socket on channel 4, which asks for nothing by itself: BlueZ always asks for the MTU.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Update noble, or use its D-Bus binding: on a raw socket it always asks for the MTU, whatever value you set.",
    ),
    Remedy::on(
        &[Stack::Android, Stack::NimBle, Stack::Esp, Stack::Zephyr, Stack::BtStack, Stack::Bumble],
        "Leave the MTU request of the application out: the MTU then stays 23.",
    ),
    Remedy::firmware(
        "answer each Exchange MTU Request with exactly one response, or with error 0x06 if it is not supported.",
    ),
];

/// A host whose client survived the answer goes on sooner.
const STALLED: Span = Span::from_ms(1_000);

/// A host that hangs up this soon after the second answer does so because of it.
const CLOSED_SOON: Span = Span::from_ms(3_000);

/// No MTU is smaller, whatever a side names.
const SMALLEST: u16 = 23;

/// An exchange after which this host's ATT client does not go on.
#[derive(Debug)]
struct Broken {
    asked: Step,
    wrong: Wrong,
    end: Option<End>,
}

/// The three ways in which the exchange goes wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Refused(ErrorCode),
    AnsweredTwice,
    BothAsked,
}

/// A value that may have been cut at the smaller of the device's two MTUs.
#[derive(Debug)]
struct Shortened {
    /// What the device says as server and as client, and the frames that show it.
    server: u16,
    server_frame: u32,
    client: u16,
    client_frame: u32,
    read: Step,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    if !connection.start_seen {
        return None;
    }
    breaks(connection).or_else(|| shortens(connection))
}

/// The device has one MTU as server and another as client, and cuts a value at the smaller.
fn shortens(connection: &Connection) -> Option<Verdict> {
    let exchange = |by| {
        connection.steps.iter().filter(move |s| s.by == by).find_map(|s| match s.detail {
            Detail::Mtu { asked, answered, .. } => Some((s, asked, answered)),
            _ => None,
        })
    };
    let ((ours, _, server), (theirs, client, _)) = (exchange(Sent)?, exchange(Received)?);
    let server = server?;
    let small = client.min(server).max(SMALLEST);
    let read = connection.steps.iter().find(|s| {
        s.by == Sent
            && s.count == 1
            && s.comes_after(ours.frame.max(theirs.frame))
            && s.bytes + 1 == u64::from(small)
            && matches!(s.detail, Detail::Read { offset: 0, by_type: 0 })
    })?;
    let goes_on = connection.steps.iter().any(|s| {
        s.attribute == read.attribute && matches!(s.detail, Detail::Read { offset: 1.., .. })
    });
    let facts = Shortened {
        server,
        server_frame: ours.last.frame,
        client,
        client_frame: theirs.frame,
        read: read.clone(),
    };
    (client != server && !goes_on).then(|| Verdict::suspect(facts).sure(Confidence::Low))
}

fn breaks(connection: &Connection) -> Option<Verdict> {
    let asked =
        connection.steps.iter().find(|s| s.procedure == Procedure::ExchangeMtu && s.by == Sent)?;
    let wrong = wrong(connection, asked)?;
    let confidence = match wrong {
        Wrong::Refused(_) | Wrong::AnsweredTwice => Confidence::High,
        Wrong::BothAsked => Confidence::Medium,
    };
    let facts = Broken { asked: asked.clone(), wrong, end: connection.end.clone() };
    Some(Verdict::cause(facts).sure(confidence))
}

fn wrong(connection: &Connection, asked: &Step) -> Option<Wrong> {
    let later = connection
        .steps
        .iter()
        .any(|s| s.by == Sent && s.is_att() && s.comes_after(asked.last.frame));
    match (asked.outcome, asked.detail) {
        (Outcome::Error, _) => {
            let code = asked.status.map(ErrorCode);
            let code = code.filter(|code| *code != ErrorCode::REQUEST_NOT_SUPPORTED)?;
            // The host had time to go on, and did not.
            let stop = connection.end.as_ref().map_or(connection.capture_end, |end| end.at);
            let stalled = stop.since(asked.last.at)? >= STALLED;
            (!later && stalled).then_some(Wrong::Refused(code))
        }
        (Outcome::Ok, Detail::Mtu { answers: 2.., .. }) => {
            let end = connection.end.as_ref().filter(|end| end.by == EndedBy::Host)?;
            let soon = end.command_at().since(asked.last.at)? < CLOSED_SOON;
            soon.then_some(Wrong::AnsweredTwice)
        }
        (Outcome::Unanswered, _) => connection
            .steps
            .iter()
            .any(|s| s.procedure == Procedure::ExchangeMtu && s.by == Received)
            .then_some(Wrong::BothAsked),
        _ => None,
    }
}

impl Facts for Broken {
    fn says(&self) -> Text {
        match self.wrong {
            Wrong::Refused(code) => text!(
                "The device answered the Exchange MTU Request with error {} instead of a value; this host's ATT client sent no further request on a healthy link.",
                code
            ),
            Wrong::AnsweredTwice => text!(
                "The device answered one Exchange MTU Request twice. The second answer belongs to no request; this host then closed the link."
            ),
            Wrong::BothAsked => text!(
                "Both sides asked for the MTU, and the device never answered this host's request: everything behind it in the queue waited."
            ),
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let Self { asked, wrong, end } = self;
        let mut sights = vec![Sight::here(asked.frame, see::request(asked))];
        if asked.last.frame != asked.frame {
            let text = match *wrong {
                Wrong::Refused(code) => {
                    text!("Error Response to the Exchange MTU Request: {}", code)
                }
                Wrong::AnsweredTwice => "a second answer to the same Exchange MTU Request".into(),
                Wrong::BothAsked => "Exchange MTU Request of this host, without answer".into(),
            };
            sights.push(Sight::here(asked.last.frame, text));
        }
        sights.extend(end.as_ref().map(see::link_ended));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new("never-heard-peer", "the device answered on ATT"),
            RuledOut::new("supervision-timeout-0x08", "the link itself was healthy"),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat without the MTU exchange: if services then appear, it was this answer.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

impl Facts for Shortened {
    fn says(&self) -> Text {
        text!(
            "The device says that its MTU is {} as a server and {} as a client, and a value that it sent ends exactly where the smaller one does, after {} bytes: it may have been cut, and this host did not ask for more.",
            self.server,
            self.client,
            self.read.bytes
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let read = text!("{}: {} bytes", see::request(&self.read), self.read.bytes);
        let answers = text!("the device answers this host's request: {}", self.server);
        let asks = text!("the device's own request: {}", self.client);
        vec![
            Sight::here(self.read.last.frame, read),
            Sight::here(self.server_frame, answers),
            Sight::here(self.client_frame, asks),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Read the same value with Read Blob from where it ends: is there more?")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
