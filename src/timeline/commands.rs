//! HCI commands and events: adapter state, and what they mean for links.
use super::accept_list::AcceptList;
use super::adapter::{Happening, Scan};
use super::answers::Wait;
use super::connection::{AdapterLoss, OddityKind, RequestKind, Transport};
use super::identity::Resolving;
use super::live::At;
use super::tracker::Tracker;
use crate::packet::hci::{Command, Event, LeEvent};
use crate::packet::{self, AddressType, Status};

impl Tracker {
    pub(super) fn command(
        &mut self,
        adapter: usize,
        at: At,
        command: &Command<'_>,
    ) -> Option<usize> {
        let opcode = command.opcode();
        self.remember_command(adapter, at, opcode);
        match *command {
            Command::Reset {} => {
                self.happened(adapter, at, Happening::Reset);
                self.unanswered_until(adapter, at, Wait::Over);
                self.adapter_down(adapter, at, AdapterLoss::Reset);
            }
            Command::LeSetScanParameters {
                le_scan_type,
                le_scan_interval,
                le_scan_window,
                scanning_filter_policy,
                ..
            } => {
                self.scan_set(
                    adapter,
                    le_scan_type,
                    le_scan_interval,
                    le_scan_window,
                    scanning_filter_policy,
                );
            }
            Command::LeSetExtendedScanParameters { scanning_filter_policy, ref phys, .. } => {
                if let Some(phy) = phys.iter().next() {
                    self.scan_set(
                        adapter,
                        phy.scan_type,
                        phy.scan_interval,
                        phy.scan_window,
                        scanning_filter_policy,
                    );
                }
            }
            Command::LeSetScanEnable { le_scan_enable, filter_duplicates } => {
                self.scan_enable(adapter, at, le_scan_enable != 0, filter_duplicates != 0);
            }
            Command::LeSetExtendedScanEnable { enable, filter_duplicates, .. } => {
                self.scan_enable(adapter, at, enable != 0, filter_duplicates != 0);
            }
            Command::LeSetAdvertisingEnable { advertising_enable } => {
                self.advertising(adapter, at, advertising_enable != 0)
            }
            Command::LeSetExtendedAdvertisingEnable { enable, .. } => {
                self.advertising(adapter, at, enable != 0)
            }
            Command::LeAddDeviceToFilterAcceptList { address_type, address } => {
                self.accept_list(adapter, |list| list.add((address, address_type)));
                self.happened(adapter, at, Happening::AcceptListAdded(address, address_type));
            }
            Command::LeRemoveDeviceFromFilterAcceptList { address_type, address } => {
                self.left_accept_list(adapter, at, (address, address_type));
                self.happened(adapter, at, Happening::AcceptListRemoved(address, address_type));
            }
            Command::LeClearFilterAcceptList {} => {
                self.accept_list(adapter, AcceptList::clear);
                self.happened(adapter, at, Happening::AcceptListCleared)
            }
            Command::LeAddDeviceToResolvingList {
                peer_identity_address_type,
                peer_identity_address,
                ref peer_irk,
                ..
            } => {
                self.happened(
                    adapter,
                    at,
                    Happening::ResolvingListAdded(
                        peer_identity_address,
                        peer_identity_address_type,
                    ),
                );
                self.resolving(adapter, |list| list.add(peer_identity_address));
                if let Some(state) = self.adapters.get_mut(adapter) {
                    state.last_key = Some(peer_identity_address);
                }
                self.identities.learn(
                    *peer_irk.bytes(),
                    peer_identity_address,
                    peer_identity_address_type,
                );
            }
            Command::LeRemoveDeviceFromResolvingList { peer_identity_address, .. } => {
                self.resolving(adapter, |list| list.remove(peer_identity_address));
            }
            Command::LeClearResolvingList {} => {
                self.resolving(adapter, Resolving::clear);
                self.happened(adapter, at, Happening::ResolvingListCleared)
            }
            Command::LeSetAddressResolutionEnable { address_resolution_enable } => {
                self.resolving(adapter, |list| list.enable(address_resolution_enable != 0));
                self.happened(
                    adapter,
                    at,
                    Happening::AddressResolution(address_resolution_enable != 0),
                );
            }
            Command::LeCreateConnection {
                le_scan_interval,
                le_scan_window,
                initiator_filter_policy,
                peer_address_type,
                peer_address,
                own_address_type,
                connection_interval_min,
                connection_interval_max,
                max_latency,
                supervision_timeout,
                ..
            } => {
                let mut request = Self::request(
                    RequestKind::LeCreate,
                    at,
                    (peer_address, peer_address_type),
                    initiator_filter_policy,
                    own_address_type,
                    1,
                );
                (request.scan_interval, request.scan_window) = (le_scan_interval, le_scan_window);
                (request.interval_min, request.interval_max) =
                    (connection_interval_min, connection_interval_max);
                (request.latency, request.timeout) = (max_latency, supervision_timeout);
                return self.create(adapter, request);
            }
            Command::LeExtendedCreateConnection {
                initiator_filter_policy,
                own_address_type,
                peer_address_type,
                peer_address,
                ref phys,
            }
            | Command::LeExtendedCreateConnectionV2 {
                initiator_filter_policy,
                own_address_type,
                peer_address_type,
                peer_address,
                ref phys,
                ..
            } => {
                let peer = (peer_address, peer_address_type);
                let kind = match command {
                    Command::LeExtendedCreateConnectionV2 { .. } => RequestKind::LeExtendedCreateV2,
                    _ => RequestKind::LeExtendedCreate,
                };
                let request = Self::request(
                    kind,
                    at,
                    peer,
                    initiator_filter_policy,
                    own_address_type,
                    phys.mask(),
                );
                return self.extended_create(adapter, request, phys.iter().next());
            }
            Command::CreateConnection { bd_addr, .. } => {
                let request = Self::request(
                    RequestKind::BrEdrCreate,
                    at,
                    (bd_addr, AddressType::PUBLIC),
                    0,
                    0,
                    0,
                );
                return self.create(adapter, request);
            }
            Command::LeCreateConnectionCancel {} => {
                return self.create_cancel(adapter, at, Transport::Le);
            }
            Command::CreateConnectionCancel { .. } => {
                return self.create_cancel(adapter, at, Transport::BrEdr);
            }
            Command::Disconnect { reason, .. } => {
                return self.disconnect_command(adapter, at, reason);
            }
            _ => {}
        }
        let link = self.adapters.get_mut(adapter)?.link(at.link?)?;
        let index = link.connection;
        let connection = self.connections.get_mut(index)?;
        self.keys.used(connection, at, command);
        link.link_layer_command(connection, at, command);
        Some(index)
    }

    fn scan_set(
        &mut self,
        adapter: usize,
        kind: u8,
        interval: u16,
        window: u16,
        filter_policy: u8,
    ) {
        if let Some(state) = self.adapters.get_mut(adapter) {
            state.scan_set = Scan {
                active: kind == 1,
                interval,
                window,
                filter_policy,
                filter_duplicates: false,
            };
        }
    }

    fn scan_enable(&mut self, adapter: usize, at: At, on: bool, filter_duplicates: bool) {
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        let was_on = state.scan.is_some();
        if !on {
            state.scan = None;
            if was_on {
                self.happened(adapter, at, Happening::ScanOff);
            }
            return;
        }
        let scan = Scan { filter_duplicates, ..state.scan_set };
        state.scan = Some(scan);
        for link in state.links.iter().flatten() {
            if let Some(connection) = self.connections.get_mut(link.connection)
                && connection.heard.is_none()
                && connection.up.is_some()
            {
                connection.scan_started_frame.get_or_insert(at.frame);
            }
        }
        self.happened(adapter, at, Happening::ScanOn(scan));
    }

    fn advertising(&mut self, adapter: usize, at: At, on: bool) {
        self.happened(
            adapter,
            at,
            if on { Happening::AdvertisingOn } else { Happening::AdvertisingOff },
        );
    }

    /// `whole` is the event of which `event` is the packet: it says which link and which command is meant.
    pub(super) fn event(
        &mut self,
        adapter: usize,
        at: At,
        event: &Event<'_>,
        whole: &packet::Event<'_>,
    ) -> Option<usize> {
        let packet::Event { answers, replaces, completed, .. } = *whole;
        self.completed_by(adapter, event);
        if let Some(fact) = event.le_connection_complete() {
            return self.le_connected(adapter, at, &fact, replaces);
        }
        match event {
            Event::CommandComplete { command_opcode, return_parameters, .. } => {
                self.kinds.answer(*command_opcode);
                let answer = return_parameters.of(*command_opcode, at.cut);
                return self.command_complete(adapter, at, *command_opcode, &answer, answers);
            }
            Event::CommandStatus { status, command_opcode, .. } => {
                self.kinds.answer(*command_opcode);
                return self.command_status(adapter, at, *command_opcode, *status, answers);
            }
            Event::ConnectionComplete { status, connection_handle, bd_addr, link_type, .. }
                if *link_type == 1 =>
            {
                let peer = (*connection_handle, *bd_addr);
                return self.bredr_connected(adapter, at, peer, *status, replaces);
            }
            Event::DisconnectionComplete { status, connection_handle, reason } => {
                return self.disconnected(adapter, at, *connection_handle, *status, *reason);
            }
            Event::HardwareError { hardware_code } => {
                self.unanswered_until(adapter, at, Wait::GoesOn);
                self.happened(adapter, at, Happening::HardwareError(*hardware_code));
                return None;
            }
            Event::NumberOfCompletedPackets { handles } => {
                self.kinds.completed();
                let mut first = None;
                for (link, (_, count)) in completed.iter().zip(handles.iter()) {
                    first = first.or(self.completed(adapter, at, *link, count));
                }
                return first;
            }
            Event::Le {
                event:
                    LeEvent::AdvertisingReport { .. }
                    | LeEvent::ExtendedAdvertisingReport { .. }
                    | LeEvent::DirectedAdvertisingReport { .. },
            } => {
                let index = self.adapters.get_mut(adapter).and_then(|state| {
                    state.facts.advertising_reports += 1;
                    state.facts.index
                });
                for report in event.advertising() {
                    self.totals.advertising_reports += 1;
                    self.air.report(index, at, &report, &mut self.connections);
                }
                return None;
            }
            _ => {}
        }
        let handle = event.connection_handle()?;
        let id = at.link?;
        // An event of a link that nothing opened: it was up before the capture.
        let index = match self.adapters.get_mut(adapter)?.link(id).map(|l| l.connection) {
            Some(index) => index,
            None if event_of_live_link(event) => match self.adapters.get(adapter)?.ended(id) {
                Some(index) => {
                    self.connections
                        .get_mut(index)?
                        .odd(at.frame, OddityKind::EventAfterDisconnect);
                    return Some(index);
                }
                None => self.unseen_start(adapter, id, handle, transport_of(event))?,
            },
            None => return None,
        };
        let state = self.adapters.get_mut(adapter)?;
        let link = state.link(id)?;
        if let Some(transport) = transport_of(event)
            && let Some(connection) = self.connections.get_mut(index)
            && connection.transport == Transport::Unknown
        {
            connection.transport = transport;
        }
        link.link_layer_event(self.connections.get_mut(index)?, at, event);
        Some(index)
    }

    fn accept_list(&mut self, adapter: usize, change: impl FnOnce(&mut AcceptList)) {
        if let Some(state) = self.adapters.get_mut(adapter) {
            change(&mut state.accept_list);
        }
    }

    fn resolving(&mut self, adapter: usize, change: impl FnOnce(&mut Resolving)) {
        if let Some(state) = self.adapters.get_mut(adapter) {
            change(&mut state.resolving);
        }
    }
}

/// The transport that an event about a link shows, where it belongs to one alone.
fn transport_of(event: &Event<'_>) -> Option<Transport> {
    match event.code() {
        0x3e => Some(Transport::Le),
        // Authentication, link keys, features and clock of BR/EDR, its roles, modes, slots, packet types and sniffing.
        0x06 | 0x09 | 0x0b | 0x12 | 0x14 | 0x1b | 0x1c | 0x1d | 0x23 | 0x2e | 0x38 => {
            Some(Transport::BrEdr)
        }
        _ => None,
    }
}

/// Events that can only come from a link that is up.
fn event_of_live_link(event: &Event<'_>) -> bool {
    match event {
        Event::EncryptionChange { status, .. }
        | Event::EncryptionKeyRefreshComplete { status, .. } => *status == Status::SUCCESS,
        Event::Le {
            event:
                LeEvent::ConnectionUpdateComplete { status, .. }
                | LeEvent::PhyUpdateComplete { status, .. },
        } => *status == Status::SUCCESS,
        Event::Le {
            event:
                LeEvent::DataLengthChange { .. }
                | LeEvent::LongTermKeyRequest { .. }
                | LeEvent::RemoteConnectionParameterRequest { .. },
        } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{ConnHandle, Opcode};
    use crate::timeline::tests::{happened, odd, only};
    use crate::timeline::{Connection, Outcome};
    use crate::trace::{HANDLE, Trace};

    #[test]
    fn scanning_goes_on_and_off_as_the_host_says() {
        let scans = |trace: Trace| {
            let all = happened(trace);
            all.iter()
                .filter_map(|what| match what {
                    Happening::ScanOn(scan) => Some(Some(scan.filter_duplicates)),
                    Happening::ScanOff => Some(None),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
        let enable =
            |on, once| Command::LeSetScanEnable { le_scan_enable: on, filter_duplicates: once };
        assert_eq!(scans(Trace::new().done(enable(1, 1)).done(enable(0, 0))), [Some(true), None]);
        assert_eq!(scans(Trace::new().done(enable(1, 0))), [Some(false)]);
        assert_eq!(scans(Trace::new().done(enable(0, 0))), [], "it was off");
        let extended = |enable, filter_duplicates| {
            let (duration, period) = (0, 0);
            Command::LeSetExtendedScanEnable { enable, filter_duplicates, duration, period }
        };
        let both = Trace::new().done(extended(1, 1)).done(extended(0, 0));
        assert_eq!(scans(both), [Some(true), None]);
        assert_eq!(scans(Trace::new().done(extended(1, 2))), [Some(true)], "anew in each period");
        assert_eq!(scans(Trace::new().done(extended(1, 0))), [Some(false)]);
        // The controller refuses what it is doing already: nothing changed.
        let refused = |status, opcode: u16| {
            let on = Trace::new().done(enable(1, 0));
            let again = on.command(enable(1, 0)).complete(Opcode(opcode), &[status]);
            scans(again).len()
        };
        let disallowed = Status::COMMAND_DISALLOWED.0;
        assert_eq!(refused(disallowed, 0x200c), 1);
        assert_eq!(refused(0, 0x200c), 2);
        assert_eq!(refused(Status::INVALID_PARAMETERS.0, 0x200c), 2);
    }

    #[test]
    fn advertising_goes_on_and_off_in_both_families() {
        let advertises = |parameters: &[u8]| {
            let code = if parameters.len() == 1 { 0x200a } else { 0x2039 };
            let all = happened(Trace::new().done(Command::Other { code, parameters }));
            let switched = |what: &&Happening| {
                matches!(what, Happening::AdvertisingOn | Happening::AdvertisingOff)
            };
            all.iter().find(switched).cloned()
        };
        assert_eq!(advertises(&[1]), Some(Happening::AdvertisingOn));
        assert_eq!(advertises(&[0]), Some(Happening::AdvertisingOff));
        assert_eq!(advertises(&[1, 1, 1, 0, 0, 0]), Some(Happening::AdvertisingOn));
        assert_eq!(advertises(&[0, 1, 1, 0, 0, 0]), Some(Happening::AdvertisingOff));
    }

    /// Scanning that begins before the peer was heard takes the radio's time from the new link.
    #[test]
    fn scanning_that_begins_on_a_young_link_is_noted() {
        let scanned = |trace: Trace| only(trace.scan(true, 16, 16)).scan_started_frame.is_some();
        assert!(scanned(Trace::new().create().connected()));
        assert!(!scanned(Trace::new().up()), "the peer was heard");
        assert!(!scanned(Trace::new().create()), "there is no link yet");
        let ended = Trace::new().create().connected().disconnected(Status::CONNECTION_TIMEOUT);
        assert!(!scanned(ended));
        let twice = Trace::new().create().connected().scan(true, 16, 16).scan(true, 16, 16);
        let first = only(Trace::new().create().connected().scan(true, 16, 16)).scan_started_frame;
        assert_eq!(only(twice).scan_started_frame, first, "the first time counts");
    }

    /// An event of a link that nothing opened shows that it was up before; one that says no, does not.
    #[test]
    fn events_show_links_that_were_up_before() {
        let count = |event: Event<'_>| Trace::new().event(event).run().connections.len();
        let change = |status| Event::EncryptionChange {
            status,
            connection_handle: HANDLE,
            encryption_enabled: 1,
        };
        let refresh =
            |status| Event::EncryptionKeyRefreshComplete { status, connection_handle: HANDLE };
        let update = |status| Event::Le {
            event: LeEvent::ConnectionUpdateComplete {
                status,
                connection_handle: HANDLE,
                connection_interval: 24,
                peripheral_latency: 0,
                supervision_timeout: 500,
            },
        };
        let (yes, no) = (Status::SUCCESS, Status::UNKNOWN_CONNECTION_IDENTIFIER);
        assert_eq!((count(change(yes)), count(change(no))), (1, 0));
        assert_eq!((count(refresh(yes)), count(refresh(no))), (1, 0));
        assert_eq!((count(update(yes)), count(update(no))), (1, 0));
        let features = |status| Event::Le {
            event: LeEvent::ReadRemoteFeaturesComplete {
                status,
                connection_handle: HANDLE,
                le_features: [0; 8],
            },
        };
        assert_eq!(count(features(yes)), 0, "it may be an answer to what ended");
        // After the end it is odd, and no new link.
        let after = Trace::new().up().disconnected(Status::CONNECTION_TIMEOUT).event(change(yes));
        assert!(odd(&only(after), OddityKind::EventAfterDisconnect));
    }

    /// Link type 1 is data; 0 and 2 are voice (Core, Vol 4, Part E, 7.7.3).
    #[test]
    fn a_link_for_voice_is_no_connection() {
        let count = |link_type| {
            let event = Event::ConnectionComplete {
                status: Status::SUCCESS,
                connection_handle: ConnHandle(0x40),
                bd_addr: crate::trace::PEER,
                link_type,
                encryption_enabled: 0,
            };
            Trace::new().event(event).run().connections.len()
        };
        assert_eq!([count(0), count(1), count(2)], [0, 1, 0]);
    }

    #[test]
    fn refused_commands_are_told() {
        let refused = |status: Status| {
            let ask = Command::ReadBdAddr {};
            let all = happened(Trace::new().command(ask).status(ask.opcode(), status));
            all.iter().any(|what| matches!(what, Happening::CommandFailed { .. }))
        };
        assert!(refused(Status::COMMAND_DISALLOWED) && !refused(Status::SUCCESS));
        let create = |status| {
            let all = happened(Trace::new().create_refused(status));
            all.iter().any(|what| matches!(what, Happening::CommandFailed { .. }))
        };
        assert!(create(Status::COMMAND_DISALLOWED) && !create(Status::SUCCESS));
        // A command for a link that just ended is refused with 0x02: an echo of the end, and no other code is.
        let echoes = |status| {
            let over = Trace::new().up().disconnected(Status::REMOTE_USER_TERMINATED);
            let late = Command::LeReadRemoteFeatures { connection_handle: HANDLE };
            let connection: Connection = only(over.command(late).status(late.opcode(), status));
            connection.end.expect("it ended").echoes.len()
        };
        assert_eq!(
            (echoes(Status::UNKNOWN_CONNECTION_IDENTIFIER), echoes(Status::COMMAND_DISALLOWED)),
            (1, 0)
        );
        let step = only(Trace::new().create_refused(Status::COMMAND_DISALLOWED)).steps.remove(0);
        assert_eq!(step.outcome, Outcome::Error);
    }
}
