//! Evidence becomes findings: one rule a file, weighed against each other.
//!
//! A rule is a value: id, documentation, check, and cases: small traces with what it
//! must say of each. Its check returns facts; the sentences are made from them at the end.
//! `tests` below walk the table.
use crate::compare::Comparison;
use crate::prose::Text;
use crate::seen::SourceId;
use crate::timeline::{Capture, Connection};
use crate::vocabulary::vocabulary;
use crate::witness::Testimony;
use std::collections::HashMap;

mod absences;
mod adapter_removed;
mod adapter_slots_exhausted;
mod another_program_hung_up;
mod answer_never_came_from_the_daemon;
mod att_request_unanswered;
mod att_transaction_timeout_30s;
mod attempt_not_in_this_capture;
mod attempt_on_another_radio;
mod auth_payload_timeout;
mod background_connect_accept_list_stall;
mod bluez_requests;
mod bond;
mod bootloader_reboot_address_change;
mod both_sides;
mod bredr_instead_of_le;
mod cases;
mod channel_losses;
mod client_never_answers_indication;
mod client_vanished_link_stays;
mod clock_accuracy_differs;
mod command_timeout_0x2016_or_other;
mod connect_request_never_sent;
mod connect_waited_for_inquiry;
mod connection_cancelled_by_app;
mod controller_hardware_error;
mod create_after_reset;
mod create_conn_status_error;
mod create_conn_timeout_cancel;
mod create_with_no_phy;
mod csa2_extended_connect_interop;
mod daemon_or_adapter_restarted;
mod db_out_of_sync_0x12;
mod denied_before_the_radio;
mod device_idle_timer;
mod device_restarted;
mod discovery_order_or_volume_difference;
mod encryption_overlaps_procedure;
mod features_differ;
mod gatt_busy_parallel_requests;
mod gatt_cache_stale;
mod hangs_up_after_command;
mod hangs_up_after_feature_reject;
mod hangs_up_before_any_att;
mod hci_latency_or_overload;
mod immediate_0x13_after_first_att;
mod inprogress_stale_connect;
mod instant_passed;
mod insufficient_auth_no_pairing;
mod interval_differs;
mod kernel_command_timeout;
mod keys_differ_by_role;
mod late_host_write;
mod latency_or_interval_change_stalls;
mod legacy_and_extended_mixed;
mod link_died_during_encryption;
mod ll_procedure_unanswered;
mod ll_procedures_collide;
mod ll_response_timeout_40s;
mod local_disconnect_2s_kernel_idle;
mod local_drop_after_feature_reject;
mod local_stack_stopped;
mod log_alone;
mod long_write_mtu_mismatch;
mod mic_failure_0x3d;
mod missing_mtu_exchange;
mod mtu_exchange_breaks_peer;
mod multi_adapter_wrong_controller;
mod named;
mod ncp_starvation;
mod never_heard_peer;
mod never_heard_retry_loop;
mod never_usable_connection;
mod no_disconnection_complete;
mod no_pairing_agent;
mod noble_stall_mtu_invalid_pdu;
mod notifications_never_enabled;
mod on_air;
pub(crate) mod orders;
mod ota_erase_silence;
mod own_address_type_differs;
mod pairing_method_mismatch;
mod pairing_refused_by_peer;
mod pairing_refused_by_this_host;
mod param_update_unanswered_then_drop;
mod peer_filters_centrals;
mod peer_gone_or_moved;
mod peer_hangs_up_on_deadline;
mod peer_nonconnectable;
mod peer_rejects_or_cc_error;
mod peer_uses_old_database;
mod peripheral_0x08_after_5s_android;
mod peripheral_answered_unheard;
mod peripheral_never_answered;
mod phy_or_dle_update_kills_link;
mod pin_or_key_missing_0x06;
mod program_gave_up_early;
mod queued_delivery;
pub mod remedies;
mod remedy;
mod remote_user_terminated_idle;
mod resolving_list_refused;
mod retries_hidden_in_one_call;
mod reverse_discovery_collides;
mod rpa_identity_mismatch;
mod scan_starves_new_link;
mod scan_window_zero;
mod security_request_ignored;
mod see;
mod service_changed_on_exit;
mod services_resolved_before_export;
mod short_supervision_by_peer;
mod short_supervision_timeout_linux_420ms;
mod smp_timeout_30s;
mod supervision_timeout_0x08;
mod suspend_or_power;
mod terminate_not_acknowledged;
mod too_far;
mod two_procedures_collide;
mod two_stacks_one_adapter;
mod unexplained_end;
mod update_outlived_silence;
mod update_refused_by_disconnect;
mod updates;
mod verdict;
mod waits;
mod weak_link;
mod weigh;
pub mod what_if;
mod wifi_coexistence_combo_chip;
mod witnessed;
mod write_command_flood;
mod write_type_mismatch;
mod wrong_channel_selection;
mod wrong_peer_address_type;
mod zero_window_offset;
mod zombie_link_data_silence;

pub use cases::{Case, Example, Expected};
pub use on_air::Heard;
pub use remedy::{Proof, Remedy, RemedyKind};
pub use verdict::{Facts, Place, Sight, Verdict};
pub use weigh::{Considered, considered, diagnose};

/// Every rule, the more telling before the more general: where two explain the same
/// connection with equal strength, the earlier one is named first.
pub const RULES: &[&Rule] = &[
    &controller_hardware_error::RULE,
    &command_timeout_0x2016_or_other::RULE,
    &create_with_no_phy::RULE,
    &legacy_and_extended_mixed::RULE,
    &bredr_instead_of_le::RULE,
    &attempt_not_in_this_capture::RULE,
    &multi_adapter_wrong_controller::RULE,
    &wrong_peer_address_type::RULE,
    &peer_nonconnectable::RULE,
    &resolving_list_refused::RULE,
    &rpa_identity_mismatch::RULE,
    &peer_gone_or_moved::RULE,
    &two_stacks_one_adapter::RULE,
    &adapter_slots_exhausted::RULE,
    &create_after_reset::RULE,
    &create_conn_status_error::RULE,
    &scan_window_zero::RULE,
    &background_connect_accept_list_stall::RULE,
    &create_conn_timeout_cancel::RULE,
    &hangs_up_after_feature_reject::RULE,
    &connect_request_never_sent::RULE,
    &wrong_channel_selection::RULE,
    &peripheral_answered_unheard::RULE,
    &peripheral_never_answered::RULE,
    &zero_window_offset::RULE,
    &instant_passed::RULE,
    &encryption_overlaps_procedure::RULE,
    &ll_procedures_collide::RULE,
    &ll_procedure_unanswered::RULE,
    &channel_losses::RULE,
    &never_heard_peer::RULE,
    &never_heard_retry_loop::RULE,
    &scan_starves_new_link::RULE,
    &csa2_extended_connect_interop::RULE,
    &peer_filters_centrals::RULE,
    &wifi_coexistence_combo_chip::RULE,
    &too_far::RULE,
    &peer_rejects_or_cc_error::RULE,
    &service_changed_on_exit::RULE,
    &keys_differ_by_role::RULE,
    &pin_or_key_missing_0x06::RULE,
    &mic_failure_0x3d::RULE,
    &pairing_refused_by_peer::RULE,
    &no_pairing_agent::RULE,
    &pairing_refused_by_this_host::RULE,
    &smp_timeout_30s::RULE,
    &pairing_method_mismatch::RULE,
    &security_request_ignored::RULE,
    &insufficient_auth_no_pairing::RULE,
    &ll_response_timeout_40s::RULE,
    &update_refused_by_disconnect::RULE,
    &phy_or_dle_update_kills_link::RULE,
    &local_stack_stopped::RULE,
    &write_command_flood::RULE,
    &latency_or_interval_change_stalls::RULE,
    &bootloader_reboot_address_change::RULE,
    &ota_erase_silence::RULE,
    &update_outlived_silence::RULE,
    &gatt_busy_parallel_requests::RULE,
    &reverse_discovery_collides::RULE,
    &param_update_unanswered_then_drop::RULE,
    &noble_stall_mtu_invalid_pdu::RULE,
    &mtu_exchange_breaks_peer::RULE,
    &discovery_order_or_volume_difference::RULE,
    &immediate_0x13_after_first_att::RULE,
    &peer_hangs_up_on_deadline::RULE,
    &device_idle_timer::RULE,
    &remote_user_terminated_idle::RULE,
    &hangs_up_after_command::RULE,
    &hangs_up_before_any_att::RULE,
    &link_died_during_encryption::RULE,
    &device_restarted::RULE,
    &supervision_timeout_0x08::RULE,
    &short_supervision_timeout_linux_420ms::RULE,
    &short_supervision_by_peer::RULE,
    &weak_link::RULE,
    &two_procedures_collide::RULE,
    &terminate_not_acknowledged::RULE,
    &suspend_or_power::RULE,
    &adapter_removed::RULE,
    &no_disconnection_complete::RULE,
    &local_drop_after_feature_reject::RULE,
    &local_disconnect_2s_kernel_idle::RULE,
    &ncp_starvation::RULE,
    &long_write_mtu_mismatch::RULE,
    &missing_mtu_exchange::RULE,
    &db_out_of_sync_0x12::RULE,
    &peer_uses_old_database::RULE,
    &gatt_cache_stale::RULE,
    &write_type_mismatch::RULE,
    &notifications_never_enabled::RULE,
    &client_never_answers_indication::RULE,
    &att_transaction_timeout_30s::RULE,
    &never_usable_connection::RULE,
    &att_request_unanswered::RULE,
    &zombie_link_data_silence::RULE,
    &peripheral_0x08_after_5s_android::RULE,
    &late_host_write::RULE,
    &queued_delivery::RULE,
    &own_address_type_differs::RULE,
    &connection_cancelled_by_app::RULE,
    &auth_payload_timeout::RULE,
    &inprogress_stale_connect::RULE,
    &client_vanished_link_stays::RULE,
    &hci_latency_or_overload::RULE,
    &interval_differs::RULE,
    &features_differ::RULE,
    &clock_accuracy_differs::RULE,
    &denied_before_the_radio::RULE,
    &attempt_on_another_radio::RULE,
    &another_program_hung_up::RULE,
    &kernel_command_timeout::RULE,
    &daemon_or_adapter_restarted::RULE,
    &answer_never_came_from_the_daemon::RULE,
    &program_gave_up_early::RULE,
    &services_resolved_before_export::RULE,
    &connect_waited_for_inquiry::RULE,
    &retries_hidden_in_one_call::RULE,
    &unexplained_end::RULE,
];

vocabulary! {
    /// How much a finding says.
    Level { Cause "cause", Suspect "suspect", Note "note", }
}

vocabulary! {
    /// How sure a finding is.
    Confidence { High "high", Medium "medium", Low "low", }
}

vocabulary! {
    /// What a rule's claim rests on, beside its sources.
    Basis {
        Laboratory "a laboratory capture",
        Real "real captures",
        /// No capture: confidence is at most medium, and the documentation says so.
        Author "a trace of its author's",
    }
}

/// One kind of trouble, and how to see it.
pub struct Rule {
    /// Kebab-case, never reused.
    pub id: &'static str,
    /// Says what is wrong.
    pub title: &'static str,
    /// What it rests on, beside its sources.
    pub basis: Basis,
    /// Rules whose findings about the same connections this one explains: mere consequences, or more general.
    pub silences: &'static [&'static str],
    /// Markdown with the headings of [`HEADINGS`], in this order.
    pub docs: &'static str,
    /// Where it is said: specifications, threads, source code.
    pub sources: &'static [&'static str],
    /// How to see it.
    pub check: Check,
    /// Traces with what the rule must say of each, the plainest one first.
    pub cases: &'static [Case],
}

/// The headings that every rule's documentation has.
pub const HEADINGS: &[&str] =
    &["## What it means", "## How it shows", "## What else it could be", "## What to do"];

/// What a rule looks at.
pub enum Check {
    /// One attempt.
    Connection(fn(&Scene<'_>, &Connection) -> Option<Verdict>),
    /// All attempts to one device, in order.
    Device(fn(&Scene<'_>, &[&Connection]) -> Option<Verdict>),
    /// A whole capture.
    Capture(fn(&Scene<'_>) -> Vec<Verdict>),
    /// The difference between two connections.
    Comparison(fn(&Scene<'_>, &Comparison) -> Option<Verdict>),
    /// One link on the air: of a sniffer's capture, or of one that is a witness beside the host's.
    Air(fn(&Scene<'_>, &Heard<'_>) -> Option<Verdict>),
    /// One log of the host under diagnosis. What the packets prove goes before.
    Witness(fn(&Scene<'_>, &Testimony) -> Option<Verdict>),
}

/// One frame that proves a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// A capture by its place among the captures, or a witness.
    pub source: SourceId,
    /// The frame, or the line of a log.
    pub frame: u32,
    /// What it shows.
    pub text: Text,
    /// The source is a sniffer's capture beside the host's.
    pub on_air: bool,
}

impl Evidence {
    /// Where it stands in its source: `frame 12` of a capture, `line 12` of a log.
    pub fn place(&self) -> Text {
        match self.source {
            SourceId::Witness(_) if self.on_air => crate::text!("frame {} on the air", self.frame),
            SourceId::Capture(_) => crate::text!("frame {}", self.frame),
            SourceId::Witness(_) => crate::text!("line {}", self.frame),
        }
    }
}

/// Another explanation that the evidence excludes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuledOut {
    /// The id of the rule that would say so.
    pub rule: &'static str,
    /// Why it is not that.
    pub why: Text,
}

impl RuledOut {
    /// That rule, and why not.
    pub fn new(rule: &'static str, why: impl Into<Text>) -> Self {
        Self { rule, why: why.into() }
    }

    /// What was never heard cannot have missed an exchange.
    pub fn no_exchange_was_possible() -> Self {
        Self::new(
            "missing-mtu-exchange",
            "the device was never heard, so no ATT exchange could have helped",
        )
    }
}

/// What is wrong, how sure, by which frames, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule's kebab-case id.
    pub rule: &'static str,
    /// Says what is wrong.
    pub title: &'static str,
    /// How much it says.
    pub level: Level,
    /// How sure it is.
    pub confidence: Confidence,
    /// Index into the captures.
    pub capture: usize,
    /// The connections that it is about, by their numbers.
    pub connections: Vec<u32>,
    /// One to three sentences.
    pub says: Text,
    /// The frames that prove it.
    pub evidence: Vec<Evidence>,
    /// Other explanations that the evidence excludes.
    pub rules_out: Vec<RuledOut>,
    /// What would make it sure.
    pub would_settle: Vec<Text>,
    /// Those that are for the host that made the capture.
    pub remedies: Vec<Remedy>,
    /// What is often tried here and is known not to help, or to do harm.
    pub no_use: Vec<Remedy>,
    /// What would have been in time, as an estimate.
    pub what_if: Option<what_if::WhatIf>,
    /// Where it is said.
    pub sources: Vec<&'static str>,
}

/// Everything that a rule may look at.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// One capture, or reference and subject in this order.
    pub captures: &'a [Capture],
    /// Logs that were held against them.
    pub testimonies: &'a [Testimony],
    /// The capture under diagnosis: index into `captures` (the subject, or the only one).
    pub subject: usize,
    /// Two connections side by side, where there are two to compare.
    pub comparison: Option<&'a Comparison>,
}

impl<'a> Scene<'a> {
    /// The capture under diagnosis.
    pub fn capture(&self) -> &'a Capture {
        &self.captures[self.subject]
    }

    /// The logs of the host under diagnosis.
    pub fn witnesses(&self) -> impl Iterator<Item = &'a Testimony> {
        let of = self.subject;
        let here = move |testimony: &&Testimony| testimony.capture == of;
        // A log of another time tells of other links.
        self.testimonies.iter().filter(here).filter(|testimony| !testimony.alignment.other_time)
    }

    /// The connection of the reference that works, if there is one to compare with.
    pub fn reference(&self) -> Option<&'a Connection> {
        let side = self.comparison?.reference;
        self.captures.get(side.capture)?.connection(side.connection)
    }

    /// The connection that is compared with it.
    pub fn compared(&self) -> Option<&'a Connection> {
        let side = self.comparison?.subject;
        self.captures.get(side.capture)?.connection(side.connection)
    }

    /// Attempts by device: the same identity, else the same address; background attempts
    /// that never connected have none.
    pub fn devices(&self) -> Vec<Vec<&'a Connection>> {
        let mut groups: Vec<Vec<&Connection>> = Vec::new();
        let mut places = HashMap::new();
        for connection in &self.capture().connections {
            let Some(peer) = connection.peer.who() else { continue };
            let place = *places.entry(peer).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.push(connection),
                None => groups.push(vec![connection]),
            }
        }
        groups
    }
}

/// The rule of that id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

impl Rule {
    /// Where the page of a rule lies in the repository. Ids are never reused, so this address stays.
    pub fn page(id: &str) -> String {
        format!("docs/rules/{id}.md")
    }
}

#[cfg(test)]
mod tests;
