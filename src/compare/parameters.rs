//! What was asked for and granted, side by side, and which differences are habits.
use super::{Pair, Parameter, View, words};
use crate::packet::att::ErrorCode;
use crate::packet::units::Slots;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Detail, Encryption, Outcome, Procedure, RequestKind};

/// One row: what it is called, how a side says it, and whether two sides may differ in it.
struct Row {
    name: &'static str,
    says: fn(&View<'_>) -> Option<Text>,
    judge: Judge,
}

/// Whether a difference is normal.
enum Judge {
    /// Always, and why.
    Habit(&'static str),
    /// Depends on the two sides: the reason if it is normal.
    Depends(fn(&View<'_>, &View<'_>) -> Option<&'static str>),
    /// Never.
    Matters,
}
use Judge::{Depends, Habit, Matters};

const ROWS: &[Row] = &[
    Row {
        name: "transport",
        says: |v| Some(words::transport(v.connection.transport).into()),
        judge: Matters,
    },
    Row {
        name: "role",
        says: |v| Some(words::role(v.connection.role).into()),
        judge: Habit("captured at two ends of the link"),
    },
    Row {
        name: "peer address type",
        says: |v| Some(text!("{}", v.connection.peer.address_type?)),
        judge: Depends(|a, b| {
            // The same address asked for with another type is another device.
            if a.connection.peer.address != b.connection.peer.address {
                return Some("two addresses");
            }
            let random = |v: &View<'_>| Some(v.connection.peer.address_type?.is_random());
            (random(a)? == random(b)?)
                .then_some("one of the controllers resolves private addresses")
        }),
    },
    Row {
        name: "create command",
        says: |v| v.request(|r| r.kind.word().into()),
        judge: Habit("chosen by what the controller supports"),
    },
    Row {
        name: "waits for",
        says: |v| {
            v.request(|r| if r.filter_policy == 1 { "the accept list" } else { "the peer" }.into())
        },
        judge: Habit("Apple and newer Androids connect by accept list"),
    },
    Row {
        name: "own address type",
        says: |v| v.request(|r| address_type(r.own_address_type).into()),
        judge: Habit("phones and Macs use a private address, BlueZ its public one"),
    },
    Row {
        name: "initiating PHYs",
        says: |v| v.request(|r| phys(r.phys)),
        judge: Depends(|a, b| {
            let none = |v: &View<'_>| v.connection.request.as_ref().is_some_and(|r| r.phys == 0);
            (!none(a) && !none(b))
                .then_some("BlueZ asks for 1M, Apple for 1M and 2M, Android for all")
        }),
    },
    Row {
        name: "scan while initiating",
        says: |v| v.request(|r| text!("{}/{}", ms(r.scan_window), ms(r.scan_interval))),
        judge: Habit("every stack has its own"),
    },
    Row {
        name: "interval asked",
        says: |v| {
            v.request(|r| {
                let (least, most) =
                    (words::interval_number(r.interval_min), words::interval_ms(r.interval_max));
                text!("{}-{}", least, most)
            })
        },
        judge: Habit("BlueZ asks for 30-50 ms, Apple for 10-30, Android for 30-50 or 10-20"),
    },
    Row { name: "latency asked", says: |v| v.request(|r| text!("{}", r.latency)), judge: Matters },
    Row {
        name: "supervision timeout asked",
        says: |v| v.request(|r| words::timeout_ms(r.timeout)),
        judge: Depends(timeout_fits),
    },
    Row {
        name: "interval granted",
        says: |v| Some(words::interval_ms(v.connection.granted?.interval)),
        judge: Depends(|a, b| {
            let usual =
                |v: &View<'_>| v.connection.granted.is_none_or(|g| (6..=56).contains(&g.interval));
            (usual(a) && usual(b)).then_some("15 to 50 ms, by the host's habit")
        }),
    },
    Row {
        name: "latency granted",
        says: |v| Some(text!("{}", v.connection.granted?.latency)),
        judge: Matters,
    },
    Row {
        name: "supervision timeout",
        says: |v| Some(words::timeout_ms(v.connection.granted?.timeout)),
        judge: Depends(timeout_fits),
    },
    Row { name: "parameters at the end", says: |v| v.updated(), judge: Depends(timeout_fits) },
    Row {
        name: "MTU",
        says: |v| v.mtu(),
        judge: Depends(|a, b| {
            (a.mtu_fine() && b.mtu_fine())
                .then_some("517, 527, 185, 247 or none, by the host's habit")
        }),
    },
    Row {
        name: "data length",
        says: |v| {
            v.last(Procedure::DataLength, |d| match d {
                Detail::DataLength { tx_octets, rx_octets: 1.., .. } => {
                    Some(text!("{} bytes", tx_octets))
                }
                _ => None,
            })
        },
        judge: Habit("set by the controller, or by Android after the MTU"),
    },
    Row {
        name: "PHY",
        says: |v| {
            v.last(Procedure::Phy, |d| match d {
                Detail::Phy { tx: tx @ 1.., rx, .. } => Some(text!("{}/{}", phy(tx), phy(rx))),
                _ => None,
            })
        },
        judge: Habit("Apple's controllers change to 2M by themselves"),
    },
    Row {
        name: "channel selection",
        says: |v| Some(if v.connection.channel_selection? == 0 { "#1" } else { "#2" }.into()),
        judge: Habit("reported by some controllers only"),
    },
    Row {
        name: "scan during connect",
        says: |v| {
            // An attempt that still waits has no such moment, nor has a link that was up before.
            let known = v.connection.start_seen && v.connection.status.is_some();
            let scan = v.connection.scan_at_connect;
            known.then(|| {
                let share = scan.map(|scan| scan.duty() * 100.0);
                let on = share.map(|s| text!("{} % of the time", format_args!("{s:.0}")));
                on.unwrap_or("off".into())
            })
        },
        judge: Habit("no stack fails by it alone"),
    },
    Row {
        name: "other links open",
        says: |v| Some(text!("{}", v.connection.links_open)),
        judge: Habit("what else the host is doing"),
    },
    Row {
        name: "encryption",
        says: |v| v.encryption(),
        judge: Depends(|a, b| {
            (a.unreached() || b.unreached()).then_some("one side never came that far")
        }),
    },
    Row {
        name: "peer's version",
        says: |v| {
            v.connection.peer.version.map(|(version, company)| {
                let who = crate::numbers::company(company).map(Text::fixed);
                let who = who.unwrap_or_else(|| text!("{}", format_args!("{company:#06x}")));
                text!("{}, {}", format_args!("{version:#04x}"), who)
            })
        },
        judge: Depends(|a, b| {
            (a.connection.role != b.connection.role).then_some("two ends of the link")
        }),
    },
];

/// All rows that at least one side can fill.
pub fn compare(pair: &Pair<'_>) -> Vec<Parameter> {
    let (left, right) = (&pair.reference, &pair.subject);
    ROWS.iter()
        .filter_map(|row| {
            let (reference, subject) = ((row.says)(left), (row.says)(right));
            if reference.is_none() && subject.is_none() {
                return None;
            }
            let why = if reference == subject {
                None
            } else if reference.is_none() || subject.is_none() {
                let habit = match row.judge {
                    Habit(why) => why,
                    _ => "one side does not show it",
                };
                // Without encryption is said as a value; the rest is only not seen.
                Some(habit)
            } else {
                match row.judge {
                    Habit(why) => Some(why),
                    Depends(judge) => judge(left, right),
                    Matters => None,
                }
            };
            let normal = reference == subject || why.is_some();
            Some(Parameter { name: row.name, reference, subject, normal, why })
        })
        .collect()
}

/// A supervision timeout is a habit as long as enough connection events fit into it.
fn timeout_fits(a: &View<'_>, b: &View<'_>) -> Option<&'static str> {
    let tight = |v: &View<'_>| {
        let worst = [v.connection.granted, v.connection.current].into_iter().flatten();
        worst.map(|g| g.events_in_timeout()).fold(f64::INFINITY, f64::min) <= 3.2
    };
    (!tight(a) && !tight(b)).then_some("420 ms, 720 ms, 5 s or 20 s, by the host's habit")
}

impl View<'_> {
    fn request(&self, says: impl Fn(&crate::timeline::Request) -> Text) -> Option<Text> {
        self.connection
            .request
            .as_deref()
            .filter(|r| r.kind != RequestKind::Incoming && r.kind != RequestKind::BrEdrCreate)
            .map(says)
    }

    fn last(&self, procedure: Procedure, says: impl Fn(Detail) -> Option<Text>) -> Option<Text> {
        let steps = self.connection.steps.iter().rev();
        steps
            .filter(|s| s.procedure == procedure && s.outcome == Outcome::Ok)
            .find_map(|s| says(s.detail))
    }

    fn updated(&self) -> Option<Text> {
        let (granted, current) = (self.connection.granted?, self.connection.current?);
        let changed = (granted.interval, granted.latency, granted.timeout)
            != (current.interval, current.latency, current.timeout);
        changed.then(|| words::parameters(current.interval, current.latency, current.timeout))
    }

    fn mtu(&self) -> Option<Text> {
        let mtu = self.connection.mtu?;
        let by = if mtu.by == crate::packet::Direction::Sent { "host" } else { "peer" };
        Some(match (mtu.answered, mtu.error) {
            (Some(answered), _) => text!("{} asked {}, answered {}", by, mtu.requested, answered),
            (None, Some(error)) => {
                text!("{} asked {}, refused: {}", by, mtu.requested, ErrorCode(error))
            }
            (None, None) => text!("{} asked {}, unanswered", by, mtu.requested),
        })
    }

    /// Answered, refused as unsupported, cut off by the end, or never asked.
    fn mtu_fine(&self) -> bool {
        let exchange = self.connection.steps.iter().find(|s| s.procedure == Procedure::ExchangeMtu);
        exchange.is_none_or(|s| {
            s.outcome != Outcome::Unanswered
                && (s.outcome != Outcome::Error || s.status == Some(0x06))
        })
    }

    fn encryption(&self) -> Option<Text> {
        if !self.connection.connected() {
            return None;
        }
        let tried = self.connection.steps.iter().filter(|s| s.procedure == Procedure::Encrypt);
        let mut last = None;
        for step in tried {
            let Detail::Encryption { key, .. } = step.detail else { continue };
            last = Some(match (key, step.outcome) {
                (Encryption::Refresh, Outcome::Ok) => "on".into(),
                (key, Outcome::Ok) => text!("on, {}", key),
                (key, _) => text!("{}: {}", key, words::outcome(step)),
            });
        }
        Some(last.unwrap_or("none".into()))
    }

    /// Never connected, never heard, or not seen from the start: what is not there could not be.
    fn unreached(&self) -> bool {
        !self.connection.connected() || self.connection.never_heard() || !self.connection.start_seen
    }
}

fn address_type(own: u8) -> &'static str {
    match own {
        0 => "public",
        1 => "random",
        2 => "private, else public",
        3 => "private, else random",
        _ => "reserved",
    }
}

fn phys(mask: u8) -> Text {
    let names = [(1, "1M"), (2, "2M"), (4, "Coded")];
    let said = names.into_iter().filter(|(bit, _)| mask & bit != 0);
    let said = Text::joined(said.map(|(_, name)| Text::fixed(name)), ", ");
    if said.is_empty() { "none".into() } else { said }
}

fn phy(number: u8) -> &'static str {
    match number {
        1 => "1M",
        2 => "2M",
        3 => "Coded",
        _ => "?",
    }
}

/// Units of 0.625 ms.
fn ms(units: u16) -> Text {
    let ms = Slots(units).ms();
    if ms.fract() == 0.0 {
        text!("{} ms", format_args!("{ms:.0}"))
    } else {
        text!("{} ms", format_args!("{ms:.1}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Detail, Procedure, RequestKind};
    use crate::compare::{Parameter, of_captures};
    use crate::packet::{AddressType, Status};
    use crate::trace::{PEER, Trace};

    fn row(reference: Trace, subject: Trace, name: &str) -> Option<Parameter> {
        let captures = [reference.run(), subject.run()];
        let compared = of_captures(&captures).expect("one device");
        compared.parameters.into_iter().find(|row| row.name == name)
    }

    fn good(kind: AddressType) -> Trace {
        let link = Trace::new().peer(PEER, kind).up().mtu().wait_ms(900);
        link.hangs_up(Status::REMOTE_USER_TERMINATED)
    }

    /// 0x03 says that a controller found the identity behind a private address, 0x01 that it did not need to.
    #[test]
    fn a_resolved_address_and_a_plain_one_are_one_address() {
        let (plain, resolved, public) =
            (AddressType::RANDOM, AddressType::RANDOM_IDENTITY, AddressType::PUBLIC);
        let normal = |a, b| row(good(a), good(b), "peer address type").map(|row| row.normal);
        assert_eq!(normal(plain, resolved), Some(true));
        assert_eq!(normal(resolved, plain), Some(true));
        assert_eq!(normal(plain, public), Some(false), "the same bytes, another device");
    }

    #[test]
    fn scanning_is_known_where_no_link_came_up() {
        let scanning = |trace: Trace| trace.scan(true, 0x60, 0x30).create().wait_ms(500);
        let failed = scanning(Trace::new()).connect_failed(Status::CONNECTION_TIMEOUT);
        let of = |subject: Trace| {
            let row = row(good(AddressType::RANDOM), subject, "scan during connect");
            row.and_then(|row| row.subject).map(|says| says.to_string())
        };
        assert_eq!(of(failed).as_deref(), Some("50 % of the time"));
        assert_eq!(of(scanning(Trace::new()).cancel()).as_deref(), Some("50 % of the time"));
        let refused = Trace::new().create_refused(Status::CONNECTION_LIMIT_EXCEEDED);
        assert_eq!(of(refused).as_deref(), Some("off"));
        assert_eq!(of(scanning(Trace::new())), None, "it still waits");
    }

    /// Name, what each side says, and whether the difference is normal.
    fn says(a: Trace, b: Trace, name: &str) -> (Option<String>, Option<String>, Option<bool>) {
        let row = row(a, b, name);
        let side = |of: fn(&Parameter) -> &Option<crate::prose::Text>| {
            row.as_ref().and_then(|row| of(row).as_ref()).map(ToString::to_string)
        };
        (side(|row| &row.reference), side(|row| &row.subject), row.as_ref().map(|row| row.normal))
    }

    fn pair(a: &str, b: &str, normal: bool) -> (Option<String>, Option<String>, Option<bool>) {
        (Some(a.to_owned()), Some(b.to_owned()), Some(normal))
    }

    fn ends(trace: Trace) -> Trace {
        trace.wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED)
    }

    fn granted(interval: u16, latency: u16, timeout: u16) -> Trace {
        ends(Trace::new().create().connected_as(0, interval, latency, timeout).features().mtu())
    }

    #[test]
    fn what_was_granted_is_a_habit_within_bounds() {
        let interval = |a, b| says(granted(a, 0, 500), granted(b, 0, 500), "interval granted");
        assert_eq!(interval(6, 56), pair("7.50 ms", "70 ms", true));
        assert_eq!(interval(24, 24), pair("30 ms", "30 ms", true));
        assert_eq!(interval(24, 57), pair("30 ms", "71.25 ms", false));
        assert_eq!(interval(57, 24), pair("71.25 ms", "30 ms", false));
        let latency = |a, b| says(granted(24, a, 500), granted(24, b, 500), "latency granted");
        assert_eq!(latency(0, 4), pair("0", "4", false));
        let timeout = |a, b| says(granted(80, 0, a), granted(80, 0, b), "supervision timeout");
        assert_eq!(timeout(42, 72), pair("420 ms", "720 ms", true));
        // 3.2 intervals and fewer are tight, on either side.
        assert_eq!(timeout(32, 72), pair("320 ms", "720 ms", false));
        assert_eq!(timeout(72, 32), pair("720 ms", "320 ms", false));
        assert_eq!(timeout(33, 72), pair("330 ms", "720 ms", true));
    }

    #[test]
    fn the_request_is_told_as_it_was_made() {
        let up = |trace: Trace| ends(trace.connected().features().mtu());
        let plain = || up(Trace::new().create());
        let of = |trace, name| says(plain(), trace, name);
        let anybody = || up(Trace::new().create_for_anybody());
        assert_eq!(of(anybody(), "waits for"), pair("the peer", "the accept list", true));
        let from = |kind| up(Trace::new().create_from(kind));
        assert_eq!(of(from(1), "own address type"), pair("public", "random", true));
        assert_eq!(of(from(2), "own address type"), pair("public", "private, else public", true));
        assert_eq!(of(from(3), "own address type"), pair("public", "private, else random", true));
        assert_eq!(of(from(4), "own address type"), pair("public", "reserved", true));
        let phys = |phys| up(Trace::new().create_extended(phys, Status::SUCCESS));
        let row = says(phys(1), phys(7), "initiating PHYs");
        assert_eq!(row, pair("1M", "1M, 2M, Coded", true));
        assert_eq!(says(phys(3), phys(0), "initiating PHYs"), pair("1M, 2M", "none", false));
        assert_eq!(says(phys(0), phys(3), "initiating PHYs"), pair("none", "1M, 2M", false));
        assert_eq!(of(plain(), "scan while initiating"), pair("60 ms/60 ms", "60 ms/60 ms", true));
        assert_eq!(of(plain(), "interval asked"), pair("30-50 ms", "30-50 ms", true));
    }

    #[test]
    fn an_mtu_that_was_not_answered_is_no_habit() {
        use crate::packet::Direction::Sent;
        use crate::packet::att::{ErrorCode, Pdu};
        let ask = Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
        let up = || Trace::new().up();
        let good = || ends(up().mtu());
        let of = |trace| says(good(), ends(trace), "MTU");
        let both = "host asked 517, answered 247";
        assert_eq!(of(up().mtu()), pair(both, both, true));
        let (_, subject, normal) = of(up().refused(ask, ErrorCode::REQUEST_NOT_SUPPORTED));
        assert!(subject.is_some_and(|says| says.contains("refused: Request Not Supported")));
        assert_eq!(normal, Some(true));
        assert_eq!(of(up().refused(ask, ErrorCode::INVALID_PDU)).2, Some(false));
        let open = up().att(Sent, ask).wait_ms(40_000);
        assert_eq!(of(open), pair(both, "host asked 517, unanswered", false));
        let theirs = up().from_peer(&[0x02, 5, 2], &[0x03, 5, 2]);
        assert_eq!(of(theirs), pair(both, "peer asked 517, answered 517", true));
        // None was asked for.
        assert_eq!(of(up().discovery(2)), (Some(both.to_owned()), None, Some(true)));
    }

    #[test]
    fn encryption_is_told_as_far_as_it_came() {
        let plain = || ends(Trace::new().up().mtu());
        let key = || Trace::new().up().mtu().encrypts();
        let on = || ends(key().encryption(Status::SUCCESS));
        assert_eq!(says(plain(), on(), "encryption"), pair("none", "on, stored key", false));
        let failed = ends(key().encryption(Status::PIN_OR_KEY_MISSING));
        let (_, subject, normal) = says(on(), failed, "encryption");
        assert!(subject.is_some_and(|says| says.starts_with("stored key: PIN or Key Missing")));
        assert_eq!(normal, Some(false));
        let unheard = Trace::new().create().connected().wait_ms(315);
        let unheard = unheard.disconnected(Status::FAILED_TO_BE_ESTABLISHED);
        assert_eq!(says(on(), unheard, "encryption"), pair("on, stored key", "none", true));
    }

    use crate::compare::tests::{changed, pair as both};
    use crate::packet::Address;
    use crate::timeline::{Capture, Encryption, Granted, Outcome, Role, Step};

    fn whole() -> Capture {
        good(AddressType::RANDOM).run()
    }

    fn row_of(reference: &Capture, subject: &Capture, name: &str) -> Option<Parameter> {
        let rows = super::compare(&both(reference, subject));
        rows.into_iter().find(|row| row.name == name)
    }

    /// What the subject says where it differs from a whole link.
    fn subject(name: &str, change: impl FnOnce(&mut Capture)) -> Option<String> {
        let row = row_of(&whole(), &changed(whole(), change), name);
        row.and_then(|row| row.subject).map(|says| says.to_string())
    }

    #[test]
    fn another_device_may_have_another_type_of_address() {
        let other = changed(whole(), |capture| {
            let peer = &mut capture.connections[0].peer;
            peer.address = Some(Address([7, 0, 0, 0, 0, 7]));
            peer.address_type = Some(AddressType::PUBLIC);
        });
        let row = row_of(&whole(), &other, "peer address type");
        assert_eq!(row.map(|row| row.normal), Some(true));
    }

    #[test]
    fn a_version_differs_between_two_ends_of_a_link() {
        let knows = |role, company| {
            changed(whole(), |capture| {
                let connection = &mut capture.connections[0];
                (connection.peer.version, connection.role) = (Some((9, company)), Some(role));
            })
        };
        let normal = |role, company| {
            let row = row_of(&knows(Role::Central, 0x59), &knows(role, company), "peer's version");
            row.map(|row| row.normal)
        };
        assert_eq!(normal(Role::Peripheral, 0x0f), Some(true));
        assert_eq!(normal(Role::Central, 0x0f), Some(false));
        assert_eq!(normal(Role::Central, 0x59), Some(true));
    }

    #[test]
    fn what_is_in_force_at_the_end_is_told_where_it_changed() {
        let now = |interval, latency, timeout| {
            subject("parameters at the end", |capture| {
                let now = Granted { interval, latency, timeout, clock_accuracy: 1 };
                capture.connections[0].current = Some(now);
            })
        };
        assert_eq!(now(39, 0, 42), None, "as granted");
        assert_eq!(now(24, 0, 42).as_deref(), Some("30 ms, latency 0, timeout 420 ms"));
        assert_eq!(now(39, 1, 42).as_deref(), Some("48.75 ms, latency 1, timeout 420 ms"));
        assert_eq!(now(39, 0, 500).as_deref(), Some("48.75 ms, latency 0, timeout 5 s"));
    }

    #[test]
    fn channel_selection_has_two_algorithms() {
        let of =
            |number| subject("channel selection", |c| c.connections[0].channel_selection = number);
        assert_eq!((of(Some(0)).as_deref(), of(Some(1)).as_deref()), (Some("#1"), Some("#2")));
        assert_eq!(of(None), None);
    }

    /// The last of its kind that succeeded says what was in force.
    #[test]
    fn the_last_change_that_succeeded_counts() {
        let phy = |steps: &[(u8, Outcome)]| {
            subject("PHY", |capture| {
                for (tx, outcome) in steps {
                    let detail = Detail::Phy { asked_tx: 0, asked_rx: 0, tx: *tx, rx: 1 };
                    let step = crate::compare::tests::step(Procedure::Phy, detail);
                    capture.connections[0].steps.push(Step { outcome: *outcome, ..step });
                }
            })
        };
        use Outcome::{Error, Ok};
        assert_eq!(phy(&[(2, Ok)]).as_deref(), Some("2M/1M"));
        assert_eq!(phy(&[(2, Ok), (3, Ok)]).as_deref(), Some("Coded/1M"));
        assert_eq!(phy(&[(2, Ok), (3, Error)]).as_deref(), Some("2M/1M"));
        assert_eq!((phy(&[(0, Ok)]), phy(&[])), (None, None), "nothing was granted");
    }

    #[test]
    fn only_requests_of_this_host_on_le_have_its_parameters() {
        let asked = |kind| {
            subject("latency asked", |capture| {
                capture.connections[0].request.as_mut().expect("asked for").kind = kind;
            })
        };
        assert_eq!(asked(RequestKind::LeExtendedCreate).as_deref(), Some("0"));
        assert_eq!((asked(RequestKind::Incoming), asked(RequestKind::BrEdrCreate)), (None, None));
        assert_eq!(super::ms(0x61).to_string(), "60.6 ms");
    }

    #[test]
    fn encryption_of_a_link_that_came_too_late_is_not_missing() {
        let link = Trace::new().up().mtu().encrypts().encryption(Status::SUCCESS);
        let on = ends(link).run();
        let normal = |change: fn(&mut Capture)| {
            let other = changed(whole(), change);
            let find = |a: &Capture, b: &Capture| row_of(a, b, "encryption").map(|row| row.normal);
            assert_eq!(find(&on, &other), find(&other, &on));
            find(&on, &other)
        };
        assert_eq!(normal(|_| ()), Some(false));
        assert_eq!(normal(|c| c.connections[0].start_seen = false), Some(true));
        assert_eq!(normal(|c| c.connections[0].up = None), Some(true), "never connected");
        let refreshed = subject("encryption", |capture| {
            let detail = Detail::Encryption { key: Encryption::Refresh, key_size: 0 };
            let step = crate::compare::tests::step(Procedure::Encrypt, detail);
            capture.connections[0].steps.push(step);
        });
        assert_eq!(refreshed.as_deref(), Some("on"));
    }
}
