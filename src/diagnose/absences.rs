//! What did not happen, and where it would have been seen.
//!
//! Many rules say that something never came: an answer, a pairing, a packet before the end. Such a rule is silent
//! where the recording may have lost just that.
use super::{Place, Verdict};
use crate::timeline::Gap::{self, Commands, Completed, Events, ReceivedData, SentData};
use crate::timeline::{Capture, Connection};

/// Rules that rest on packets that did not come, and the kinds that those would have been of.
const REST_ON: &[(&str, &[Gap])] = &[
    ("adapter-removed", &[Commands, Events]),
    ("att-request-unanswered", &[ReceivedData]),
    ("att-transaction-timeout-30s", &[ReceivedData]),
    ("command-timeout-0x2016-or-other", &[Events]),
    ("connection-cancelled-by-app", &[ReceivedData]),
    ("create-conn-status-error", &[Commands, Events]),
    ("create-conn-timeout-cancel", &[Events]),
    ("db-out-of-sync-0x12", &[SentData, ReceivedData]),
    ("features-differ", &[Commands]),
    ("gatt-busy-parallel-requests", &[ReceivedData]),
    ("hangs-up-after-command", &[SentData, ReceivedData]),
    ("hangs-up-before-any-att", &[SentData]),
    ("insufficient-auth-no-pairing", &[Commands, Events, SentData]),
    ("late-host-write", &[SentData, ReceivedData, Events]),
    ("local-disconnect-2s-kernel-idle", &[SentData, ReceivedData]),
    ("missing-mtu-exchange", &[SentData, ReceivedData]),
    ("mtu-exchange-breaks-peer", &[SentData, ReceivedData]),
    ("ncp-starvation", &[Completed]),
    ("never-usable-connection", &[ReceivedData]),
    ("no-disconnection-complete", &[Commands, Events]),
    ("notifications-never-enabled", &[SentData]),
    ("peer-hangs-up-on-deadline", &[SentData]),
    ("remote-user-terminated-idle", &[SentData, ReceivedData]),
    ("scan-starves-new-link", &[Commands]),
    ("smp-timeout-30s", &[SentData, ReceivedData]),
    ("two-procedures-collide", &[ReceivedData]),
    ("update-outlived-silence", &[SentData, ReceivedData]),
    ("weak-link", &[ReceivedData, Events]),
    ("wifi-coexistence-combo-chip", &[ReceivedData, Events]),
    ("write-command-flood", &[Completed]),
    ("zombie-link-data-silence", &[SentData, ReceivedData]),
];

/// Whether what a rule did not see may only be missing in the recording.
pub(super) fn may_be_hidden(capture: &Capture, rule: &str, verdict: &Verdict) -> bool {
    let Some((_, kinds)) = REST_ON.iter().find(|(id, _)| *id == rule) else { return false };
    let links: Vec<&Connection> =
        verdict.connections.iter().filter_map(|number| capture.connection(*number)).collect();
    // What links themselves carry can be lost from their first frame on, all else at any time before. What is cited
    // may come after the links.
    let data = kinds.iter().all(|kind| matches!(kind, SentData | ReceivedData));
    let first = links.iter().map(|link| link.first_frame()).min().filter(|_| data).unwrap_or(0);
    let evidence = verdict.facts().evidence();
    let here = evidence.iter().filter(|sight| sight.place == Place::Here).map(|sight| sight.frame);
    if capture.lost_packets_between(first, here.max().unwrap_or(0)) {
        return true;
    }
    kinds.iter().any(|kind| match &links[..] {
        [] => capture.may_lack(*kind, None),
        links => links.iter().any(|link| capture.may_lack(*kind, Some(link))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Kind;
    use crate::diagnose::{Scene, diagnose, rule};
    use crate::packet::hci::Command;
    use crate::trace::Trace;

    #[test]
    fn the_rules_exist_and_stand_in_order() {
        assert!(REST_ON.iter().all(|(id, _)| rule(id).is_some()));
        assert!(REST_ON.is_sorted_by_key(|(id, _)| *id));
    }

    /// Commands without a single event are a filter's work, not a controller that hangs.
    #[test]
    fn commands_whose_events_were_filtered_out_are_not_unanswered() {
        let read = Command::LeReadSuggestedDefaultDataLength {};
        let asked = || (0..8).fold(Trace::new(), |trace, _| trace.command(read).wait_ms(10));
        let rules = |trace: Trace| {
            let captures = [trace.wait_ms(9_000).done(read).run_where(|r| r.kind != Kind::Event)];
            let found = diagnose(&Scene {
                captures: &captures,
                testimonies: &[],
                subject: 0,
                comparison: None,
            });
            found.into_iter().map(|f| f.rule).collect::<Vec<_>>()
        };
        assert_eq!(rules(asked()), [""; 0]);
        assert_eq!(rules(Trace::new().command(read)), ["command-timeout-0x2016-or-other"]);
    }

    /// The frames of another capture say nothing of where this one lost packets.
    #[test]
    fn a_frame_of_the_reference_is_none_of_this_capture() {
        use crate::capture::{Warning, WarningKind};
        use crate::packet::Status;
        use crate::packet::att::{Handle, Pdu};
        use crate::packet::{Direction, att};
        let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
        let value = att::Pdu::ReadResponse { attribute_value: &[1] };
        let ends = |link: Trace| link.hangs_up(Status::REMOTE_USER_TERMINATED);
        let silent = ends(Trace::new().up().mtu().att(Direction::Sent, read).wait_ms(9_000));
        let frames = silent.records().count() as u32;
        let idle = (0..40).fold(Trace::new(), |trace, _| trace.done(Command::ReadBdAddr {}));
        let works = ends(idle.clone().up().mtu().exchange(read, value).wait_ms(900));
        let mut captures = [works.run(), silent.followed_by(idle).run()];
        let frame = Some(frames + 4);
        let lost = Warning::of_all(WarningKind::DroppedPackets, "some");
        captures[1].warnings.push(Warning { frame, last_frame: frame, ..lost });
        let comparison = crate::compare::of_captures(&captures);
        let comparison = comparison.as_ref();
        let scene = Scene { captures: &captures, testimonies: &[], subject: 1, comparison };
        let found = diagnose(&scene);
        let finding = found.iter().find(|f| f.rule == "att-request-unanswered").expect("found");
        let theirs = finding.evidence.iter().filter(|e| e.source.capture() == Some(0));
        assert!(theirs.map(|e| e.frame).max() > frame, "it is cited, and its number is larger");
    }

    /// What a link itself carries cannot have been lost before the link; a command or an event can.
    #[test]
    fn a_loss_before_the_link_matters_where_commands_or_events_are_missed() {
        use crate::capture::{Warning, WarningKind};
        use crate::packet::att::{Handle, Pdu};
        use crate::packet::{Direction, Status};
        let said = |trace: Trace, rule: &str, loss: Option<u32>| {
            let mut captures = [trace.run()];
            captures[0].warnings.extend(loss.map(|frame| Warning {
                frame: Some(frame),
                last_frame: Some(frame),
                ..Warning::of_all(WarningKind::DroppedPackets, "some")
            }));
            let scene =
                Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
            diagnose(&scene).iter().any(|f| f.rule == rule)
        };
        let idle = || (0..4).fold(Trace::new(), |trace, _| trace.done(Command::ReadBdAddr {}));
        // Eight frames, then a link on which the device does not answer a read.
        let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
        let silent = || {
            let link = idle().up().mtu().att(Direction::Sent, read).wait_ms(9_000);
            link.hangs_up(Status::REMOTE_USER_TERMINATED)
        };
        assert!(said(silent(), "att-request-unanswered", None));
        assert!(said(silent(), "att-request-unanswered", Some(3)), "before the link");
        assert!(!said(silent(), "att-request-unanswered", Some(11)), "on the link");
        // The same before a request that the controller refuses: what kept it busy may be among the lost.
        let refused = || idle().create_refused(Status::COMMAND_DISALLOWED).wait_ms(500);
        assert!(said(refused(), "create-conn-status-error", None));
        assert!(!said(refused(), "create-conn-status-error", Some(3)), "before the request");
    }
}
