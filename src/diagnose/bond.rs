//! The keys of a bond: which one a link should use, and which one it used. Keys are numbers here, equal for equal keys.
use super::Scene;
use crate::compare::same_peer;
use crate::timeline::{
    Connection, Detail, Encryption, KeySeen, KeyUse, Outcome, Procedure, Role, Step,
};

/// What the key that a link used is, among those that the capture shows of the same two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The one that the latest pairing made for this role.
    Right { made: u32 },
    /// It encrypted a link before.
    Worked { frame: u32 },
    /// The one that the latest pairing made for the other role: each side hands out the key for links on which it is
    /// the peripheral.
    OtherRole { given: u32, right: u32 },
    /// The one of an earlier pairing.
    Old { made: u32, right: u32 },
    /// Another one than the latest pairing made.
    Another { right: u32 },
}

/// The step that encrypted a link last, or tried to.
pub fn last_try(connection: &Connection) -> Option<&Step> {
    connection.steps.iter().rev().find(|s| s.procedure == Procedure::Encrypt)
}

/// The key that this step used, and what it is. `None` where the capture does not show enough.
pub fn key_of(scene: &Scene<'_>, connection: &Connection, step: &Step) -> Option<Key> {
    let used = used_by(connection, step)?;
    let before = |key: &&KeySeen| key.comes_before(used.frame);
    let earlier = scene
        .capture()
        .connections
        .iter()
        .filter(|other| other.number == connection.number || same_peer(other, connection));
    let mut made: Vec<Made> = Vec::new();
    let mut worked = None;
    for link in earlier {
        let keys: Vec<&KeySeen> = link.keys.iter().filter(before).collect();
        made.extend(pairing(link, &keys));
        let encrypted = link.steps.iter().filter(|s| {
            s.procedure == Procedure::Encrypt
                && s.outcome == Outcome::Ok
                && s.last.comes_before(used.frame)
        });
        for done in encrypted {
            if used_by(link, done).is_some_and(|key| key.number == used.number) {
                worked = Some(done.last.frame);
            }
        }
    }
    let peripheral = connection.role == Some(Role::Peripheral);
    let latest = made.last().and_then(|made| Some((made, made.of(peripheral)?)));
    if let Some((made_last, right)) = latest {
        if right.number == used.number {
            return Some(
                worked.map_or(Key::Right { made: right.frame }, |frame| Key::Worked { frame }),
            );
        }
        if let Some(other) = made_last.of(!peripheral).filter(|key| key.number == used.number) {
            return Some(Key::OtherRole { given: other.frame, right: right.frame });
        }
        let old = made.iter().rev().skip(1).flat_map(|made| [made.by_us, made.by_peer]).flatten();
        let old = old.map(|key| (key.number, key.frame)).find(|(number, _)| *number == used.number);
        return Some(match (old, worked) {
            (Some((_, made)), _) => Key::Old { made, right: right.frame },
            (None, Some(frame)) => Key::Old { made: frame, right: right.frame },
            (None, None) => Key::Another { right: right.frame },
        });
    }
    worked.map(|frame| Key::Worked { frame })
}

/// The key that our host named for this encryption.
fn used_by<'c>(connection: &'c Connection, step: &Step) -> Option<&'c KeySeen> {
    let mut used = connection.keys.iter().filter(|key| key.how == KeyUse::Used);
    used.rfind(|key| (step.frame..=step.last.frame.max(step.frame)).contains(&key.frame))
}

/// What one pairing made: the key for links on which our side is the peripheral, and that for the others.
struct Made {
    by_us: Option<KeySeen>,
    by_peer: Option<KeySeen>,
}

impl Made {
    fn of(&self, peripheral: bool) -> Option<KeySeen> {
        if peripheral { self.by_us } else { self.by_peer }
    }
}

/// A pairing of this link that the capture shows with its keys. Legacy pairing hands keys out; with LE Secure
/// Connections both sides work out one key, and the link is encrypted with it at once.
fn pairing(link: &Connection, keys: &[&KeySeen]) -> Option<Made> {
    let last = |how| keys.iter().rev().find(|key| key.how == how).map(|key| **key);
    let (by_us, by_peer) = (last(KeyUse::GivenByUs), last(KeyUse::GivenByPeer));
    if by_us.is_some() || by_peer.is_some() {
        return Some(Made { by_us, by_peer });
    }
    let secure = link.steps.iter().any(|s| {
        matches!(s.detail, Detail::Pairing { request, response, .. }
            if secure_connections(request[2]) && secure_connections(response[2]))
    });
    let fresh = link.steps.iter().rev().find(|s| {
        matches!(s.detail, Detail::Encryption { key: Encryption::Fresh, .. })
            && s.outcome == Outcome::Ok
    })?;
    let key =
        used_by(link, fresh).filter(|key| secure && keys.iter().any(|k| k.frame == key.frame))?;
    Some(Made { by_us: Some(*key), by_peer: Some(*key) })
}

/// AuthReq's bit for LE Secure Connections; a side that was not seen has all bits set.
fn secure_connections(auth_req: u8) -> bool {
    const SECURE_CONNECTIONS: u8 = 0x08;
    auth_req != 0xff && auth_req & SECURE_CONNECTIONS != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Core, Vol 3, Part H, 3.5.1: bit 3 of AuthReq is SC. All bits set stand for a side that was not seen.
    #[test]
    fn secure_connections_is_one_bit_of_a_side_that_was_seen() {
        let all = |these: &[u8]| these.iter().copied().map(secure_connections).collect::<Vec<_>>();
        assert_eq!(all(&[0x08, 0x09, 0x0d, 0x2d, 0xfe]), [true; 5]);
        assert_eq!(all(&[0x00, 0x01, 0x05, 0x06, 0xf7, 0xff]), [false; 6]);
    }
}
