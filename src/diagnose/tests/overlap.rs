//! A rule speaks of what it is for: of the traces of other rules it says nothing, but where two rules meet.
use super::*;
use std::collections::BTreeSet;

/// Rules that tell how an attempt ended, by its status alone. They speak wherever one ended so, and give way to the rules
/// that know why.
const BY_STATUS: &[&str] = &[
    "create-conn-status-error",
    "create-conn-timeout-cancel",
    "hangs-up-before-any-att",
    "never-heard-peer",
    "short-supervision-timeout-linux-420ms",
    "supervision-timeout-0x08",
    "unexplained-end",
];

/// A rule, and other rules in whose cases it speaks too: what it looks for is there as well. Most give way to one another, as
/// `silences` says; some stand beside each other, because a link can have two faults.
const MEET: &[(&str, &str)] = &[
    (
        "adapter-removed",
        "client-vanished-link-stays controller-hardware-error create-after-reset \
         device-idle-timer no-disconnection-complete suspend-or-power",
    ),
    (
        "att-request-unanswered",
        "att-transaction-timeout-30s client-never-answers-indication \
         connection-cancelled-by-app gatt-busy-parallel-requests mtu-exchange-breaks-peer \
         never-usable-connection smp-timeout-30s",
    ),
    (
        "att-transaction-timeout-30s",
        "att-request-unanswered client-never-answers-indication reverse-discovery-collides \
         smp-timeout-30s",
    ),
    ("client-never-answers-indication", "att-transaction-timeout-30s"),
    ("command-timeout-0x2016-or-other", "adapter-removed"),
    (
        "connection-cancelled-by-app",
        "att-request-unanswered discovery-order-or-volume-difference \
         gatt-busy-parallel-requests immediate-0x13-after-first-att missing-mtu-exchange \
         never-usable-connection",
    ),
    ("controller-hardware-error", "adapter-removed command-timeout-0x2016-or-other"),
    ("gatt-busy-parallel-requests", "att-transaction-timeout-30s"),
    ("gatt-cache-stale", "peer-uses-old-database"),
    (
        "hangs-up-after-command",
        "discovery-order-or-volume-difference immediate-0x13-after-first-att \
         peer-hangs-up-on-deadline remote-user-terminated-idle unexplained-end",
    ),
    ("hci-latency-or-overload", "supervision-timeout-0x08"),
    ("immediate-0x13-after-first-att", "discovery-order-or-volume-difference"),
    (
        "inprogress-stale-connect",
        "create-after-reset create-conn-status-error legacy-and-extended-mixed \
         two-stacks-one-adapter",
    ),
    (
        "insufficient-auth-no-pairing",
        "notifications-never-enabled pairing-method-mismatch reverse-discovery-collides \
         write-type-mismatch",
    ),
    ("link-died-during-encryption", "two-procedures-collide"),
    (
        "ll-response-timeout-40s",
        "ncp-starvation supervision-timeout-0x08 terminate-not-acknowledged",
    ),
    ("local-stack-stopped", "client-vanished-link-stays"),
    ("long-write-mtu-mismatch", "missing-mtu-exchange"),
    ("mic-failure-0x3d", "discovery-order-or-volume-difference keys-differ-by-role"),
    ("mtu-exchange-breaks-peer", "noble-stall-mtu-invalid-pdu"),
    (
        "never-heard-retry-loop",
        "csa2-extended-connect-interop own-address-type-differs peer-filters-centrals \
         scan-starves-new-link wifi-coexistence-combo-chip",
    ),
    (
        "never-usable-connection",
        "att-transaction-timeout-30s connection-cancelled-by-app mtu-exchange-breaks-peer \
         smp-timeout-30s",
    ),
    ("no-pairing-agent", "pairing-refused-by-this-host"),
    (
        "pairing-refused-by-peer",
        "no-pairing-agent pairing-method-mismatch pairing-refused-by-this-host \
         peer-hangs-up-on-deadline pin-or-key-missing-0x06 reverse-discovery-collides \
         smp-timeout-30s",
    ),
    ("pairing-refused-by-this-host", "no-pairing-agent pairing-refused-by-peer"),
    ("param-update-unanswered-then-drop", "remote-user-terminated-idle"),
    ("peer-hangs-up-on-deadline", "discovery-order-or-volume-difference hangs-up-after-command"),
    ("peer-rejects-or-cc-error", "create-after-reset"),
    ("peripheral-answered-unheard", "never-heard-peer"),
    (
        "peripheral-never-answered",
        "channel-losses connect-request-never-sent never-heard-peer peripheral-answered-unheard \
         wrong-channel-selection zero-window-offset",
    ),
    (
        "pin-or-key-missing-0x06",
        "insufficient-auth-no-pairing keys-differ-by-role link-died-during-encryption \
         mic-failure-0x3d",
    ),
    (
        "remote-user-terminated-idle",
        "device-idle-timer hangs-up-after-command immediate-0x13-after-first-att \
         peer-hangs-up-on-deadline",
    ),
    ("reverse-discovery-collides", "insufficient-auth-no-pairing pairing-method-mismatch"),
    ("rpa-identity-mismatch", "resolving-list-refused"),
    ("security-request-ignored", "immediate-0x13-after-first-att peer-hangs-up-on-deadline"),
    (
        "short-supervision-by-peer",
        "latency-or-interval-change-stalls short-supervision-timeout-linux-420ms",
    ),
    ("smp-timeout-30s", "att-transaction-timeout-30s"),
    ("suspend-or-power", "local-disconnect-2s-kernel-idle"),
    ("terminate-not-acknowledged", "short-supervision-by-peer"),
    ("write-type-mismatch", "peer-hangs-up-on-deadline"),
    ("wrong-peer-address-type", "peer-gone-or-moved"),
    ("zombie-link-data-silence", "device-idle-timer"),
];

#[test]
fn a_rule_says_nothing_of_other_rules_traces() {
    let meet = |rule: &str, other: &str| {
        let listed = |(id, others): &&(&str, &str)| {
            *id == rule && others.split_whitespace().any(|id| id == other)
        };
        BY_STATUS.contains(&rule) || MEET.iter().any(|row| listed(&row))
    };
    let mut wrong = BTreeSet::new();
    for other in RULES.iter().copied() {
        for case in other.cases {
            seen(&(case.example)(), |scene| {
                for rule in RULES.iter().copied().filter(|rule| rule.id != other.id) {
                    if !meet(rule.id, other.id) && !weigh::said(scene, rule).is_empty() {
                        wrong.insert(format!("{} speaks of {}: {}", rule.id, other.id, case.name));
                    }
                }
            });
        }
    }
    assert!(wrong.is_empty(), "they meet? Then a row of MEET says so: {wrong:#?}");
}

#[test]
fn the_rules_that_meet_exist() {
    let named = MEET.iter().flat_map(|(id, others)| others.split_whitespace().chain([*id]));
    for id in named.chain(BY_STATUS.iter().copied()) {
        assert!(rule(id).is_some(), "{id}");
    }
}
