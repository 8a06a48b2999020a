//! Pairing and what leads to encryption.
use super::connection::{Connection, Pending};
use super::identity::Identities;
use super::live::{At, Link, Question, step};
use super::step::{Detail, Outcome, PairingPhase, Procedure};
use crate::packet::{AddressType, Direction, smp};

impl Link {
    pub(super) fn smp(
        &mut self,
        connection: &mut Connection,
        at: At,
        pdu: &smp::Pdu<'_>,
        identities: &mut Identities,
    ) {
        connection.touch(at);
        let phase = match pdu {
            smp::Pdu::SecurityRequest { auth_req } => {
                let detail = Detail::SecurityRequest { auth_req: *auth_req };
                self.security_request = self.add(
                    connection,
                    step(Procedure::Pair, at.direction, at, Outcome::Unanswered, detail),
                );
                return;
            }
            smp::Pdu::PairingRequest {
                io_capability,
                oob_data_flag,
                auth_req,
                maximum_encryption_key_size,
                ..
            } => {
                self.security_answered(connection, at);
                let request =
                    [*io_capability, *oob_data_flag, *auth_req, *maximum_encryption_key_size];
                let detail = Detail::Pairing {
                    phase: PairingPhase::Requested,
                    request,
                    response: [0xff; 4],
                    refused_by: None,
                };
                self.pairing = self.add(
                    connection,
                    step(Procedure::Pair, at.direction, at, Outcome::Unknown, detail),
                );
                self.fresh_key = false;
                self.pairing_last = Some((at, 1));
                return;
            }
            smp::Pdu::PairingResponse {
                io_capability,
                oob_data_flag,
                auth_req,
                maximum_encryption_key_size,
                ..
            } => {
                let said =
                    [*io_capability, *oob_data_flag, *auth_req, *maximum_encryption_key_size];
                if let Some(Detail::Pairing { response, .. }) =
                    self.pairing_step(connection).map(|s| &mut s.detail)
                {
                    *response = said;
                }
                PairingPhase::Features
            }
            smp::Pdu::PairingFailed { reason } => {
                let index = match self.pairing.take() {
                    Some(index) => Some(index),
                    // A Security Request (or nothing seen) refused outright.
                    None => {
                        let detail = Detail::Pairing {
                            phase: PairingPhase::Failed,
                            request: [0xff; 4],
                            response: [0xff; 4],
                            refused_by: None,
                        };
                        self.add(
                            connection,
                            step(Procedure::Pair, at.direction, at, Outcome::Error, detail),
                        )
                    }
                };
                if let Some(step) = index.and_then(|i| connection.steps.get_mut(i)) {
                    step.outcome = Outcome::Error;
                    step.status = Some(reason.0);
                    step.last = at.seen();
                    if let Detail::Pairing { refused_by, .. } = &mut step.detail {
                        *refused_by = Some(at.direction);
                    }
                }
                self.pairing_last = None;
                self.fresh_key = false;
                return;
            }
            smp::Pdu::PairingPublicKey { .. } => PairingPhase::PublicKeys,
            smp::Pdu::PairingConfirm { .. } => PairingPhase::Confirm,
            smp::Pdu::PairingRandom { .. } => PairingPhase::Random,
            smp::Pdu::PairingDhKeyCheck { .. } => PairingPhase::DhKeyCheck,
            smp::Pdu::IdentityInformation { identity_resolving_key } => {
                if at.direction == Direction::Received {
                    identities.irk(self.connection, *identity_resolving_key.bytes());
                }
                PairingPhase::KeyDistribution
            }
            smp::Pdu::IdentityAddressInformation { addr_type, bd_addr } => {
                if at.direction == Direction::Received {
                    let kind = AddressType(*addr_type);
                    identities.address(self.connection, connection.peer.address, *bd_addr, kind);
                    connection.peer.identity = Some((*bd_addr, kind));
                }
                PairingPhase::KeyDistribution
            }
            smp::Pdu::EncryptionInformation { .. }
            | smp::Pdu::CentralIdentification { .. }
            | smp::Pdu::SigningInformation { .. } => PairingPhase::KeyDistribution,
            _ => return,
        };
        if matches!(phase, PairingPhase::Random | PairingPhase::DhKeyCheck) {
            self.fresh_key = true;
        }
        self.pairing_last = Some((at, pdu.code()));
        if let Some(step) = self.pairing_step(connection) {
            step.last = at.seen();
            step.count = step.count.saturating_add(1);
            if let Detail::Pairing { phase: reached, .. } = &mut step.detail {
                *reached = (*reached).max(phase);
            }
        }
    }

    fn pairing_step<'c>(
        &self,
        connection: &'c mut Connection,
    ) -> Option<&'c mut super::step::Step> {
        connection.steps.get_mut(self.pairing?)
    }

    /// Pairing or encryption follows: the peer's (or our) wish for security was heard.
    pub(super) fn security_answered(&mut self, connection: &mut Connection, at: At) {
        if let Some(step) = self.security_request.take().and_then(|i| connection.steps.get_mut(i)) {
            step.outcome = Outcome::Ok;
            step.last = at.seen();
        }
    }

    /// Encryption is on: a pairing that led to it has succeeded.
    pub(super) fn encryption_done(&mut self, connection: &mut Connection) {
        if self.fresh_key
            && let Some(step) = self.pairing_step(connection)
        {
            step.outcome = Outcome::Ok;
            step.status = Some(0);
            connection.paired = true;
            // Keys may still be distributed, and these packets belong to the same step.
            self.pairing_last = None;
        }
    }

    /// A pairing that never came to its end becomes a question without answer.
    pub(super) fn close_pairing(&mut self, connection: &mut Connection) {
        let Some((at, code)) = self.pairing_last.take() else { return };
        let Some(index) = self.pairing.take() else { return };
        let Some(step) = connection.steps.get_mut(index) else { return };
        // Keys that were handed out end a pairing; on BR/EDR no encryption follows them.
        if matches!(step.detail, Detail::Pairing { phase: PairingPhase::KeyDistribution, .. })
            && step.outcome == Outcome::Unknown
        {
            step.outcome = Outcome::Ok;
        }
        if step.outcome == Outcome::Unknown {
            self.ask(Question {
                pending: Pending::Smp(code),
                at,
                attribute: 0,
                step: Some(index),
                run: None,
                key: 0,
                procedure: Procedure::Pair,
                detail: step.detail,
                bytes: 0,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Direction::{Received, Sent};
    use crate::packet::{Address, Secret, Status};
    use crate::timeline::tests::only;
    use crate::trace::Trace;

    fn up() -> Trace {
        Trace::new().up()
    }

    /// Of the first pairing: how it ended, with what, how far it got, and whether it paired.
    fn pairing(trace: Trace) -> (Outcome, Option<u8>, Option<PairingPhase>, bool) {
        let connection = only(trace);
        let step = connection.steps.iter().find(|step| step.procedure == Procedure::Pair);
        let step = step.expect("a pairing");
        let phase = match step.detail {
            Detail::Pairing { phase, .. } => Some(phase),
            _ => None,
        };
        (step.outcome, step.status, phase, connection.paired)
    }

    fn random(by: Direction) -> impl Fn(Trace) -> Trace {
        move |trace| trace.smp(by, smp::Pdu::PairingRandom { random_value: Secret::new([1; 16]) })
    }

    #[test]
    fn a_pairing_succeeds_with_the_encryption_that_it_leads_to() {
        use PairingPhase::{Features, KeyDistribution, Random, Requested};
        let made = || random(Sent)(up().asks_to_pair().answers_pairing());
        let on = |trace: Trace| trace.encrypts().encryption(Status::SUCCESS);
        assert_eq!(pairing(on(made())), (Outcome::Ok, Some(0), Some(Random), true));
        // Encryption with an older key proves nothing of a pairing that has no key yet.
        let early = pairing(on(up().asks_to_pair().answers_pairing()));
        assert_eq!((early.0, early.2, early.3), (Outcome::Unknown, Some(Features), false));
        let failed = made().encrypts().encryption(Status::PIN_OR_KEY_MISSING);
        assert!(!pairing(failed).3);
        // The capture ends too soon to tell, or long after.
        let asked = || up().asks_to_pair();
        assert_eq!(pairing(asked()).0, Outcome::Unknown);
        assert_eq!(pairing(asked().wait_ms(3_000).advertises(0)).0, Outcome::Unanswered);
        assert_eq!(pairing(asked()).2, Some(Requested));
        // Keys that were handed out end a pairing that no encryption followed.
        let keys = made().gives_key(Received, 7);
        assert_eq!(pairing(keys), (Outcome::Ok, None, Some(KeyDistribution), false));
        assert_eq!(pairing(on(made()).gives_key(Received, 7)).2, Some(KeyDistribution));
    }

    #[test]
    fn a_pairing_that_fails_says_who_refused_it() {
        let fails =
            |by| smp::Pdu::PairingFailed { reason: smp::Reason(if by == Sent { 5 } else { 8 }) };
        let refused = |trace: Trace, by: Direction| {
            let connection = only(trace.smp(by, fails(by)));
            let step = connection.steps.iter().find(|step| {
                step.procedure == Procedure::Pair && matches!(step.detail, Detail::Pairing { .. })
            });
            let step = step.expect("a pairing");
            let Detail::Pairing { refused_by, .. } = step.detail else { panic!("{step:?}") };
            (step.outcome, step.status, refused_by)
        };
        let asked = || up().asks_to_pair();
        assert_eq!(refused(asked(), Received), (Outcome::Error, Some(8), Some(Received)));
        assert_eq!(refused(asked(), Sent), (Outcome::Error, Some(5), Some(Sent)));
        assert_eq!(refused(up(), Received), (Outcome::Error, Some(8), Some(Received)), "outright");
        // A failure takes the key away that encryption might have used.
        let after = random(Sent)(asked()).smp(Received, fails(Received));
        assert!(!only(after.encrypts().encryption(Status::SUCCESS)).paired);
    }

    /// A wish for security is heard where pairing or encryption follows.
    #[test]
    fn a_security_request_is_answered_by_what_follows() {
        let wish = || up().smp(Received, smp::Pdu::SecurityRequest { auth_req: 1 });
        assert_eq!(pairing(wish()).0, Outcome::Unanswered);
        assert_eq!(pairing(wish().asks_to_pair()).0, Outcome::Ok);
        assert_eq!(pairing(wish().encrypts()).0, Outcome::Ok);
        assert_eq!(pairing(wish().mtu()).0, Outcome::Unanswered);
        let ours = up().smp(Sent, smp::Pdu::SecurityRequest { auth_req: 1 });
        assert_eq!(pairing(ours.replies_with_key(7)).0, Outcome::Ok);
    }

    /// What we tell of ourselves is not the peer's identity.
    #[test]
    fn an_identity_is_the_peers_own() {
        let who = Address([1, 2, 3, 4, 5, 6]);
        let tells = smp::Pdu::IdentityAddressInformation { addr_type: 0, bd_addr: who };
        let identity = |by| only(up().smp(by, tells)).peer.identity.map(|(address, _)| address);
        assert_eq!((identity(Received), identity(Sent)), (Some(who), None));
    }

    /// A key that this host hands out resolves no address of the peer's.
    #[test]
    fn a_key_of_this_host_is_not_the_peers() {
        let who = Address([1, 2, 3, 4, 5, 6]);
        let key = [7; 16];
        let prand = [0x94, 0x81, 0x70];
        let [a, b, c] = crate::timeline::identity::hash(&key, prand);
        let private = Address([a, b, c, prand[0], prand[1], prand[2]]);
        let resolved = |by| {
            let identity_resolving_key = Secret::new(key);
            let keys = up().smp(by, smp::Pdu::IdentityInformation { identity_resolving_key });
            let tells = smp::Pdu::IdentityAddressInformation { addr_type: 0, bd_addr: who };
            let named = keys.smp(Received, tells).disconnected(Status::CONNECTION_TIMEOUT);
            let later = named.peer(private, crate::packet::AddressType::RANDOM).up().run();
            later.connections[1].peer.identity.map(|(address, _)| address)
        };
        assert_eq!((resolved(Received), resolved(Sent)), (Some(who), None));
    }
}
