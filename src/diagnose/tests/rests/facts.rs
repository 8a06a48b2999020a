//! Facts of cases, and the rules that rest on them.
use super::{Fact, links, steps};
use crate::packet::Direction::{Received, Sent};
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Detail, EndedBy, Outcome, Pending};

/// Facts of the capture under diagnosis.
pub(super) const FACTS: &[Fact] = &[
    Fact {
        so: "the device asked, and not this host",
        change: |c| steps(c, |s| s.by = Received),
        silent: "service-changed-on-exit insufficient-auth-no-pairing update-refused-by-disconnect \
            bootloader-reboot-address-change ota-erase-silence update-outlived-silence \
            gatt-busy-parallel-requests reverse-discovery-collides noble-stall-mtu-invalid-pdu \
            mtu-exchange-breaks-peer immediate-0x13-after-first-att device-idle-timer hangs-up-after-command \
            two-procedures-collide long-write-mtu-mismatch missing-mtu-exchange db-out-of-sync-0x12 \
            gatt-cache-stale write-type-mismatch notifications-never-enabled",
        partly: "pairing-method-mismatch device-restarted",
        otherwise: "peer-hangs-up-on-deadline hci-latency-or-overload unexplained-end",
    },
    Fact {
        so: "this host said it, and not the device",
        change: |c| steps(c, |s| s.by = Sent),
        silent: "security-request-ignored param-update-unanswered-then-drop device-idle-timer peer-uses-old-database \
            zombie-link-data-silence",
        partly: "pairing-method-mismatch update-outlived-silence mtu-exchange-breaks-peer peer-hangs-up-on-deadline \
            remote-user-terminated-idle hangs-up-after-command att-transaction-timeout-30s",
        otherwise: "service-changed-on-exit reverse-discovery-collides db-out-of-sync-0x12 hci-latency-or-overload",
    },
    Fact {
        so: "the open questions are the device's",
        change: |c| {
            links(c, |c| c.open_requests.iter_mut().for_each(|o| o.by = Received));
        },
        silent: "gatt-busy-parallel-requests discovery-order-or-volume-difference client-never-answers-indication \
            never-usable-connection att-request-unanswered connection-cancelled-by-app",
        partly: "att-transaction-timeout-30s",
        otherwise: "att-transaction-timeout-30s unexplained-end",
    },
    Fact {
        so: "the open questions are this host's",
        change: |c| {
            links(c, |c| c.open_requests.iter_mut().for_each(|o| o.by = Sent));
        },
        silent: "",
        partly: "reverse-discovery-collides att-transaction-timeout-30s",
        otherwise: "att-transaction-timeout-30s unexplained-end",
    },
    Fact {
        so: "the open questions are those of pairing",
        change: |c| {
            links(c, |c| c.open_requests.iter_mut().for_each(|o| o.pending = Pending::Smp(1)));
        },
        silent: "gatt-busy-parallel-requests discovery-order-or-volume-difference client-never-answers-indication \
            att-transaction-timeout-30s never-usable-connection att-request-unanswered \
            connection-cancelled-by-app",
        partly: "reverse-discovery-collides",
        otherwise: "smp-timeout-30s ll-response-timeout-40s",
    },
    Fact {
        so: "the open questions were asked at the end",
        change: |c| {
            links(c, |c| c.open_requests.iter_mut().for_each(|o| o.age = Some(Span(0))));
        },
        silent: "smp-timeout-30s discovery-order-or-volume-difference client-never-answers-indication \
            att-transaction-timeout-30s never-usable-connection att-request-unanswered",
        partly: "reverse-discovery-collides",
        otherwise: "",
    },
    Fact {
        so: "the open questions were answered",
        change: |c| links(c, |c| c.open_requests.clear()),
        silent: "smp-timeout-30s gatt-busy-parallel-requests discovery-order-or-volume-difference \
            client-never-answers-indication att-transaction-timeout-30s never-usable-connection \
            att-request-unanswered connection-cancelled-by-app",
        partly: "reverse-discovery-collides",
        otherwise: "ll-response-timeout-40s unexplained-end",
    },
    Fact {
        so: "everything went well",
        change: |c| steps(c, |s| (s.outcome, s.status) = (Outcome::Ok, None)),
        silent: "pairing-method-mismatch security-request-ignored insufficient-auth-no-pairing \
            param-update-unanswered-then-drop noble-stall-mtu-invalid-pdu link-died-during-encryption \
            two-procedures-collide local-drop-after-feature-reject long-write-mtu-mismatch \
            missing-mtu-exchange db-out-of-sync-0x12 peer-uses-old-database gatt-cache-stale",
        partly: "keys-differ-by-role pin-or-key-missing-0x06 reverse-discovery-collides mtu-exchange-breaks-peer \
            write-type-mismatch notifications-never-enabled",
        otherwise: "ll-response-timeout-40s",
    },
    Fact {
        so: "nothing was answered",
        change: |c| steps(c, |s| (s.outcome, s.status) = (Outcome::Unanswered, None)),
        silent: "pairing-method-mismatch insufficient-auth-no-pairing phy-or-dle-update-kills-link \
            noble-stall-mtu-invalid-pdu local-drop-after-feature-reject \
            local-disconnect-2s-kernel-idle long-write-mtu-mismatch missing-mtu-exchange \
            db-out-of-sync-0x12 peer-uses-old-database gatt-cache-stale notifications-never-enabled \
            peripheral-0x08-after-5s-android",
        partly: "keys-differ-by-role pin-or-key-missing-0x06 update-outlived-silence \
            reverse-discovery-collides mtu-exchange-breaks-peer write-type-mismatch",
        otherwise: "mic-failure-0x3d ll-response-timeout-40s mtu-exchange-breaks-peer write-type-mismatch \
            unexplained-end",
    },
    Fact {
        so: "everything failed",
        change: |c| steps(c, |s| (s.outcome, s.status) = (Outcome::Error, Some(0x2a))),
        silent: "no-pairing-agent pairing-method-mismatch security-request-ignored insufficient-auth-no-pairing \
            phy-or-dle-update-kills-link noble-stall-mtu-invalid-pdu link-died-during-encryption \
            local-drop-after-feature-reject local-disconnect-2s-kernel-idle long-write-mtu-mismatch \
            missing-mtu-exchange db-out-of-sync-0x12 peer-uses-old-database gatt-cache-stale \
            peripheral-0x08-after-5s-android",
        partly: "keys-differ-by-role pin-or-key-missing-0x06 ota-erase-silence \
            update-outlived-silence reverse-discovery-collides mtu-exchange-breaks-peer \
            peer-hangs-up-on-deadline write-type-mismatch notifications-never-enabled",
        otherwise: "mic-failure-0x3d ll-response-timeout-40s mtu-exchange-breaks-peer \
            write-type-mismatch",
    },
    Fact {
        so: "everything was cut off",
        change: |c| steps(c, |s| (s.outcome, s.status) = (Outcome::CutOff, None)),
        silent: "pairing-method-mismatch security-request-ignored insufficient-auth-no-pairing \
            phy-or-dle-update-kills-link noble-stall-mtu-invalid-pdu local-drop-after-feature-reject \
            local-disconnect-2s-kernel-idle long-write-mtu-mismatch missing-mtu-exchange \
            db-out-of-sync-0x12 peer-uses-old-database gatt-cache-stale notifications-never-enabled \
            peripheral-0x08-after-5s-android",
        partly: "keys-differ-by-role pin-or-key-missing-0x06 update-outlived-silence \
            reverse-discovery-collides mtu-exchange-breaks-peer write-type-mismatch",
        otherwise: "mic-failure-0x3d ll-response-timeout-40s write-type-mismatch",
    },
    Fact {
        so: "what was asked for does not show",
        change: |c| steps(c, |s| s.detail = Detail::None),
        silent: "service-changed-on-exit pairing-refused-by-peer no-pairing-agent pairing-refused-by-this-host \
            pairing-method-mismatch security-request-ignored param-update-unanswered-then-drop \
            long-write-mtu-mismatch auth-payload-timeout features-differ",
        partly: "keys-differ-by-role insufficient-auth-no-pairing phy-or-dle-update-kills-link \
            mtu-exchange-breaks-peer remote-user-terminated-idle hangs-up-after-command missing-mtu-exchange \
            db-out-of-sync-0x12",
        otherwise: "",
    },
    Fact {
        so: "no attribute is named",
        change: |c| steps(c, |s| s.attribute = 0),
        silent: "update-outlived-silence peer-uses-old-database gatt-cache-stale write-type-mismatch",
        partly: "ota-erase-silence mtu-exchange-breaks-peer hangs-up-after-command device-restarted",
        otherwise: "",
    },
    Fact {
        so: "each step took no time",
        change: |c| steps(c, |s| s.last.at = s.first.at),
        silent: "device-idle-timer local-drop-after-feature-reject zombie-link-data-silence",
        partly: "bootloader-reboot-address-change update-outlived-silence mtu-exchange-breaks-peer \
            hangs-up-after-command local-disconnect-2s-kernel-idle",
        otherwise: "mic-failure-0x3d hci-latency-or-overload",
    },
    Fact {
        so: "no value had a length",
        change: |c| steps(c, |s| s.bytes = 0),
        silent: "",
        partly: "ota-erase-silence mtu-exchange-breaks-peer missing-mtu-exchange",
        otherwise: "",
    },
    Fact {
        so: "nothing was asked twice",
        change: |c| steps(c, |s| s.count = 1),
        silent: "device-idle-timer zombie-link-data-silence",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "it happened on another adapter",
        change: |c| {
            c.adapter_events.iter_mut().for_each(|e| e.adapter = Some(0x77));
        },
        silent: "resolving-list-refused two-stacks-one-adapter create-after-reset \
            background-connect-accept-list-stall",
        partly: "peer-gone-or-moved suspend-or-power",
        otherwise: "controller-hardware-error command-timeout-0x2016-or-other",
    },
    Fact {
        so: "nothing happened on the adapter",
        change: |c| c.adapter_events.clear(),
        silent: "controller-hardware-error command-timeout-0x2016-or-other legacy-and-extended-mixed \
            resolving-list-refused two-stacks-one-adapter create-after-reset \
            background-connect-accept-list-stall local-stack-stopped client-vanished-link-stays",
        partly: "peer-gone-or-moved scan-starves-new-link no-pairing-agent suspend-or-power",
        otherwise: "create-conn-timeout-cancel scan-starves-new-link no-pairing-agent",
    },
    Fact {
        so: "the links are not encrypted",
        change: |c| links(c, |c| (c.encrypted, c.paired) = (false, false)),
        silent: "pairing-method-mismatch",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "no request is seen",
        change: |c| links(c, |c| c.request = None),
        silent: "create-with-no-phy bredr-instead-of-le multi-adapter-wrong-controller wrong-peer-address-type \
            peer-nonconnectable resolving-list-refused rpa-identity-mismatch peer-gone-or-moved \
            two-stacks-one-adapter create-after-reset create-conn-status-error scan-window-zero \
            create-conn-timeout-cancel own-address-type-differs inprogress-stale-connect",
        partly: "background-connect-accept-list-stall csa2-extended-connect-interop",
        otherwise: "legacy-and-extended-mixed",
    },
    Fact {
        so: "the request was refused",
        change: |c| {
            links(c, |c| c.request.iter_mut().for_each(|r| r.status = Some(Status(0x0c))));
        },
        silent: "peer-rejects-or-cc-error",
        partly: "",
        otherwise: "create-conn-status-error",
    },
    Fact {
        so: "nobody took the request back",
        change: |c| {
            links(c, |c| c.request.iter_mut().for_each(|r| r.cancelled = None));
        },
        silent: "multi-adapter-wrong-controller peer-nonconnectable resolving-list-refused rpa-identity-mismatch \
            peer-gone-or-moved scan-window-zero create-conn-timeout-cancel",
        partly: "wrong-peer-address-type background-connect-accept-list-stall",
        otherwise: "",
    },
    Fact {
        so: "the controller can resolve the address",
        change: |c| {
            links(c, |c| c.request.iter_mut().for_each(|r| r.resolvable = true));
        },
        silent: "resolving-list-refused rpa-identity-mismatch",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "the request is one by list",
        change: |c| {
            links(c, |c| c.request.iter_mut().for_each(|r| r.filter_policy = 1));
        },
        silent: "wrong-peer-address-type",
        partly: "",
        otherwise: "create-conn-timeout-cancel",
    },
    Fact {
        so: "no status is seen",
        change: |c| links(c, |c| (c.status, c.status_seen) = (None, None)),
        silent: "bredr-instead-of-le multi-adapter-wrong-controller peer-nonconnectable resolving-list-refused \
            rpa-identity-mismatch peer-gone-or-moved adapter-slots-exhausted scan-window-zero \
            create-conn-timeout-cancel peer-rejects-or-cc-error",
        partly: "wrong-peer-address-type create-after-reset background-connect-accept-list-stall unexplained-end",
        otherwise: "",
    },
    Fact {
        so: "no link came up",
        change: |c| links(c, |c| c.up = None),
        silent: "never-heard-retry-loop scan-starves-new-link csa2-extended-connect-interop \
            wifi-coexistence-combo-chip service-changed-on-exit bootloader-reboot-address-change \
            param-update-unanswered-then-drop immediate-0x13-after-first-att peer-hangs-up-on-deadline \
            remote-user-terminated-idle hangs-up-after-command hangs-up-before-any-att \
            short-supervision-timeout-linux-420ms no-disconnection-complete never-usable-connection \
            late-host-write queued-delivery own-address-type-differs connection-cancelled-by-app \
            client-vanished-link-stays interval-differs clock-accuracy-differs",
        partly: "wrong-peer-address-type create-after-reset discovery-order-or-volume-difference device-idle-timer \
            unexplained-end peer-filters-centrals",
        otherwise: "controller-hardware-error command-timeout-0x2016-or-other bredr-instead-of-le \
            create-conn-status-error create-conn-timeout-cancel never-heard-peer too-far \
            peer-rejects-or-cc-error mic-failure-0x3d ll-response-timeout-40s reverse-discovery-collides \
            hci-latency-or-overload",
    },
    Fact {
        so: "the parameters are not known",
        change: |c| links(c, |c| (c.granted, c.current) = (None, None)),
        silent: "discovery-order-or-volume-difference immediate-0x13-after-first-att \
            short-supervision-timeout-linux-420ms terminate-not-acknowledged peripheral-0x08-after-5s-android \
            queued-delivery interval-differs clock-accuracy-differs",
        partly: "ota-erase-silence hangs-up-after-command",
        otherwise: "hci-latency-or-overload unexplained-end",
    },
    Fact {
        so: "no pace was measured",
        change: |c| links(c, |c| c.pace.clear()),
        silent: "latency-or-interval-change-stalls short-supervision-by-peer weak-link",
        partly: "device-restarted",
        otherwise: "",
    },
    Fact {
        so: "requests went over other channels",
        change: |c| links(c, |c| c.enhanced_att = 1),
        silent: "gatt-busy-parallel-requests missing-mtu-exchange",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "the services are not known",
        change: |c| {
            links(c, |c| (c.remote, c.local) = Default::default());
        },
        silent: "update-outlived-silence write-type-mismatch",
        partly: "ota-erase-silence device-restarted",
        otherwise: "peer-uses-old-database",
    },
    Fact {
        so: "no report came before",
        change: |c| links(c, |c| c.report_before = None),
        silent: "wrong-peer-address-type peer-nonconnectable peer-gone-or-moved wifi-coexistence-combo-chip too-far",
        partly: "",
        otherwise: "peer-filters-centrals",
    },
    Fact {
        so: "no report came after",
        change: |c| links(c, |c| c.report_after = None),
        silent: "",
        partly: "device-restarted",
        otherwise: "",
    },
    Fact {
        so: "no report came meanwhile",
        change: |c| links(c, |c| c.reports_during_wait = 0),
        silent: "",
        partly: "",
        otherwise: "create-conn-timeout-cancel",
    },
    Fact {
        so: "no device is heard",
        change: |c| {
            c.devices.iter_mut().for_each(|d| (d.reports, d.connectable_reports) = (0, 0));
        },
        silent: "bredr-instead-of-le multi-adapter-wrong-controller background-connect-accept-list-stall",
        partly: "",
        otherwise: "create-conn-timeout-cancel",
    },
    Fact {
        so: "no device takes connections",
        change: |c| {
            c.devices.iter_mut().for_each(|d| d.connectable_reports = 0);
        },
        silent: "bredr-instead-of-le background-connect-accept-list-stall",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "the device was heard all the same",
        change: |c| {
            links(c, |c| (c.heard_by_end, c.last_heard) = (true, c.last_heard.or(c.heard)));
        },
        silent: "never-heard-peer never-heard-retry-loop scan-starves-new-link csa2-extended-connect-interop \
            peer-filters-centrals wifi-coexistence-combo-chip too-far late-host-write own-address-type-differs",
        partly: "wrong-peer-address-type",
        otherwise: "create-conn-status-error create-conn-timeout-cancel peer-rejects-or-cc-error",
    },
    Fact {
        so: "the host is not known",
        change: |c| c.host = None,
        silent: "noble-stall-mtu-invalid-pdu",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "no packet is outstanding",
        change: |c| {
            links(c, |c| c.credits.completed = c.credits.sent);
        },
        silent: "write-command-flood ncp-starvation",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "nothing was written",
        change: |c| links(c, |c| c.last_write = None),
        silent: "",
        partly: "hangs-up-after-command",
        otherwise: "",
    },
    Fact {
        so: "nothing is odd",
        change: |c| links(c, |c| c.oddities.clear()),
        silent: "gatt-busy-parallel-requests",
        partly: "create-after-reset no-disconnection-complete late-host-write",
        otherwise: "",
    },
    Fact {
        so: "no scan went on",
        change: |c| links(c, |c| (c.scan_at_connect, c.scan_started_frame) = (None, None)),
        silent: "scan-starves-new-link",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "the adapter did not go",
        change: |c| links(c, |c| c.gone = None),
        silent: "adapter-removed",
        partly: "suspend-or-power",
        otherwise: "",
    },
    Fact {
        so: "no command asked for the end",
        change: |c| {
            links(c, |c| c.end.iter_mut().for_each(|end| end.command = None));
        },
        silent: "local-stack-stopped terminate-not-acknowledged local-drop-after-feature-reject \
            local-disconnect-2s-kernel-idle never-usable-connection att-request-unanswered \
            connection-cancelled-by-app",
        partly: "mtu-exchange-breaks-peer device-idle-timer suspend-or-power",
        otherwise: "",
    },
    Fact {
        so: "a command asked for the end",
        change: |c| {
            links(c, |c| {
                let at = c.up.or(c.first_att.map(|first| first.seen));
                c.end.iter_mut().for_each(|end| (end.command, end.by) = (at, EndedBy::Host));
            });
        },
        silent: "service-changed-on-exit security-request-ignored ll-response-timeout-40s \
            update-refused-by-disconnect local-stack-stopped write-command-flood \
            bootloader-reboot-address-change param-update-unanswered-then-drop \
            discovery-order-or-volume-difference immediate-0x13-after-first-att peer-hangs-up-on-deadline \
            device-idle-timer remote-user-terminated-idle hangs-up-after-command hangs-up-before-any-att \
            device-restarted supervision-timeout-0x08 short-supervision-timeout-linux-420ms \
            short-supervision-by-peer two-procedures-collide local-drop-after-feature-reject \
            local-disconnect-2s-kernel-idle",
        partly: "latency-or-interval-change-stalls ota-erase-silence unexplained-end",
        otherwise: "reverse-discovery-collides weak-link att-transaction-timeout-30s",
    },
    Fact {
        so: "the capture does not show the end",
        change: |c| links(c, |c| c.end_seen = false),
        silent: "",
        partly: "insufficient-auth-no-pairing db-out-of-sync-0x12",
        otherwise: "",
    },
    Fact {
        so: "the device has no address",
        change: |c| links(c, |c| c.peer.address = None),
        silent: "bredr-instead-of-le never-heard-retry-loop csa2-extended-connect-interop \
            peer-filters-centrals wifi-coexistence-combo-chip too-far keys-differ-by-role \
            bootloader-reboot-address-change discovery-order-or-volume-difference \
            immediate-0x13-after-first-att peer-hangs-up-on-deadline device-idle-timer \
            remote-user-terminated-idle hangs-up-after-command hangs-up-before-any-att \
            device-restarted own-address-type-differs hci-latency-or-overload",
        partly: "attempt-not-in-this-capture create-after-reset create-conn-timeout-cancel ota-erase-silence \
            no-disconnection-complete",
        otherwise: "create-conn-timeout-cancel never-heard-peer peer-rejects-or-cc-error unexplained-end",
    },
    Fact {
        so: "no other link was open",
        change: |c| links(c, |c| c.links_open = 0),
        silent: "adapter-slots-exhausted",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "no key is seen",
        change: |c| links(c, |c| c.keys.clear()),
        silent: "keys-differ-by-role",
        partly: "",
        otherwise: "mic-failure-0x3d",
    },
    Fact {
        so: "there is one link alone",
        change: |c| c.connections.truncate(1),
        silent: "never-heard-retry-loop \
            csa2-extended-connect-interop peer-filters-centrals wifi-coexistence-combo-chip \
            discovery-order-or-volume-difference immediate-0x13-after-first-att \
            device-idle-timer remote-user-terminated-idle \
            hci-latency-or-overload",
        partly: "\
            ota-erase-silence \
            peer-hangs-up-on-deadline hangs-up-after-command no-disconnection-complete",
        otherwise: "controller-hardware-error command-timeout-0x2016-or-other \
            create-conn-status-error create-conn-timeout-cancel never-heard-peer \
            scan-starves-new-link peer-rejects-or-cc-error ll-response-timeout-40s \
            phy-or-dle-update-kills-link bootloader-reboot-address-change peer-hangs-up-on-deadline \
            hangs-up-before-any-att device-restarted weak-link peripheral-0x08-after-5s-android \
            unexplained-end",
    },
    Fact {
        so: "no packet of ATT is seen",
        change: |c| links(c, |c| (c.first_att, c.att_sent, c.att_received) = (None, 0, 0)),
        silent: "",
        partly: "late-host-write",
        otherwise: "",
    },
];

/// Facts of the capture in which it works.
pub(super) const FACTS_OF_REFERENCE: &[Fact] = &[
    Fact {
        so: "the device asked, and not this host",
        change: |c| steps(c, |s| s.by = Received),
        silent: "ota-erase-silence notifications-never-enabled",
        partly: "",
        otherwise: "write-type-mismatch",
    },
    Fact {
        so: "this host said it, and not the device",
        change: |c| steps(c, |s| s.by = Sent),
        silent: "notifications-never-enabled",
        partly: "discovery-order-or-volume-difference",
        otherwise: "",
    },
    Fact {
        so: "everything went well",
        change: |c| steps(c, |s| (s.outcome, s.status) = (Outcome::Ok, None)),
        silent: "",
        partly: "",
        otherwise: "write-type-mismatch",
    },
    Fact {
        so: "nothing was answered",
        change: |c| steps(c, |s| (s.outcome, s.status) = (Outcome::Unanswered, None)),
        silent: "peer-filters-centrals notifications-never-enabled",
        partly: "",
        otherwise: "write-type-mismatch",
    },
    Fact {
        so: "everything failed",
        change: |c| steps(c, |s| (s.outcome, s.status) = (Outcome::Error, Some(0x2a))),
        silent: "peer-filters-centrals notifications-never-enabled",
        partly: "",
        otherwise: "write-type-mismatch",
    },
    Fact {
        so: "everything was cut off",
        change: |c| steps(c, |s| (s.outcome, s.status) = (Outcome::CutOff, None)),
        silent: "peer-filters-centrals notifications-never-enabled",
        partly: "",
        otherwise: "write-type-mismatch",
    },
    Fact {
        so: "what was asked for does not show",
        change: |c| steps(c, |s| s.detail = Detail::None),
        silent: "peer-filters-centrals features-differ",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "no attribute is named",
        change: |c| steps(c, |s| s.attribute = 0),
        silent: "ota-erase-silence",
        partly: "",
        otherwise: "write-type-mismatch",
    },
    Fact {
        so: "the links are encrypted",
        change: |c| links(c, |c| (c.encrypted, c.paired) = (true, true)),
        silent: "",
        partly: "",
        otherwise: "insufficient-auth-no-pairing",
    },
    Fact {
        so: "the links are not encrypted",
        change: |c| links(c, |c| (c.encrypted, c.paired) = (false, false)),
        silent: "",
        partly: "",
        otherwise: "insufficient-auth-no-pairing",
    },
    Fact {
        so: "no request is seen",
        change: |c| links(c, |c| c.request = None),
        silent: "csa2-extended-connect-interop own-address-type-differs",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "no link came up",
        change: |c| links(c, |c| c.up = None),
        silent: "interval-differs clock-accuracy-differs",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "the parameters are not known",
        change: |c| links(c, |c| (c.granted, c.current) = (None, None)),
        silent: "interval-differs clock-accuracy-differs",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "no MTU was exchanged",
        change: |c| links(c, |c| c.mtu = None),
        silent: "",
        partly: "",
        otherwise: "missing-mtu-exchange",
    },
    Fact {
        so: "the services are not known",
        change: |c| {
            links(c, |c| (c.remote, c.local) = Default::default());
        },
        silent: "",
        partly: "ota-erase-silence",
        otherwise: "write-type-mismatch",
    },
    Fact {
        so: "the device has no address",
        change: |c| links(c, |c| c.peer.address = None),
        silent: "attempt-not-in-this-capture",
        partly: "",
        otherwise: "",
    },
    Fact {
        so: "the device has no name",
        change: |c| links(c, |c| c.peer.name = None),
        silent: "",
        partly: "attempt-not-in-this-capture",
        otherwise: "",
    },
];
