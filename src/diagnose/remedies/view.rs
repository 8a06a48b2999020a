//! What the conditions of remedies look at.
use crate::diagnose::{Finding, Scene, bluez_requests, what_if};
use crate::packet::Direction;
use crate::packet::att::{Handle, Uuid};
use crate::timeline::{Connection, Procedure, Role, Stack, Step};

/// A finding, seen as its remedies see it.
pub struct View<'a> {
    /// All that a rule may look at.
    pub scene: Scene<'a>,
    /// The rule that found something.
    pub rule: &'static str,
    /// The connections that the finding is about.
    pub links: Vec<&'a Connection>,
    /// Where a device hung up by the clock.
    pub budget: Option<what_if::Budget>,
}

impl<'a> View<'a> {
    /// What a finding is about.
    pub fn of(scene: &Scene<'a>, finding: &Finding) -> Self {
        let capture = scene.capture();
        let links: Vec<&Connection> =
            finding.connections.iter().filter_map(|number| capture.connection(*number)).collect();
        let budget = what_if::Budget::of(scene, &links);
        Self { scene: *scene, rule: finding.rule, links, budget }
    }

    /// Whether it is so on one of the links at least.
    pub fn any(&self, so: impl Fn(&Connection) -> bool) -> bool {
        self.links.iter().any(|c| so(c))
    }

    /// Whether the host that made the capture asks for the connections.
    pub fn central(&self) -> bool {
        self.any(|c| c.role == Some(Role::Central))
    }

    /// The longest interval in force at the end, in units of 1.25 ms.
    pub fn interval(&self) -> Option<u16> {
        self.links.iter().filter_map(|c| c.current.or(c.granted)).map(|g| g.interval).max()
    }

    /// The shortest supervision timeout in force at the end, in units of 10 ms.
    pub fn timeout(&self) -> Option<u16> {
        self.links.iter().filter_map(|c| c.current.or(c.granted)).map(|g| g.timeout).min()
    }

    /// The two devices used a key or made one.
    pub fn bonded(&self) -> bool {
        let tried = |s: &Step| matches!(s.procedure, Procedure::Encrypt | Procedure::Pair);
        self.any(|c| c.encrypted || c.steps.iter().any(tried))
    }

    /// The device's address is private and changes, and no identity is known behind it.
    pub fn address_changes(&self) -> bool {
        self.any(|c| c.peer.identity.is_none() && c.peer.has_private_address())
    }

    /// The handle that the working host wrote first, or this one on another link.
    pub fn written(&self) -> Option<Handle> {
        let known = self.scene.reference().into_iter().chain(self.links.iter().copied());
        known.filter_map(what_if::first_write).map(|step| Handle(step.attribute)).next()
    }

    /// Of that write: whether the device takes commands there.
    pub fn takes_commands(&self) -> bool {
        const WRITE_WITHOUT_RESPONSE: u8 = 0x04;
        let known = self.scene.reference().into_iter().chain(self.links.iter().copied());
        let mut writes = known.filter_map(|c| Some((c, what_if::first_write(c)?)));
        writes.next().is_some_and(|(c, step)| {
            step.procedure == Procedure::WriteCommand
                || c.remote
                    .get(step.attribute)
                    .is_some_and(|value| value.properties & WRITE_WITHOUT_RESPONSE != 0)
        })
    }

    /// One of the captures has a whole discovery of the device: a cache file can be made from it.
    pub fn database_known(&self) -> bool {
        let all = self.scene.reference().into_iter();
        let peers = self.links.iter().filter_map(|c| c.peer.who());
        let here = peers.flat_map(|peer| self.scene.capture().attempts_to(peer));
        all.chain(here).any(bluez_requests::discovered)
    }

    /// The device reports a Database Hash.
    pub fn has_hash(&self) -> bool {
        self.any(|c| c.remote.hash.is_some())
    }

    /// This host wrote a CCCD.
    pub fn subscribed(&self) -> bool {
        let writes = |s: &Step| s.procedure == Procedure::Subscribe && s.by == Direction::Sent;
        self.any(|c| c.steps.iter().any(writes))
    }

    /// The host is BlueZ, or nothing shows which it is.
    pub fn may_be_bluez(&self) -> bool {
        self.scene.capture().host.as_ref().is_none_or(|host| host.stack == Stack::BlueZ)
    }

    /// The host of the capture is that one.
    pub fn host(&self, stack: Stack) -> bool {
        self.scene.capture().host.as_ref().is_some_and(|host| host.stack == stack)
    }

    /// The last thing that our host sent before the end, over all links.
    pub fn last_asked(&self, so: impl Fn(&Connection, &Step) -> bool) -> bool {
        self.any(|c| {
            let mut asked = c.steps.iter().rev().filter(|s| s.by == Direction::Sent && s.is_att());
            asked.next().is_some_and(|s| so(c, s))
        })
    }

    /// The last request was a read of that characteristic, or by that type.
    pub fn last_read(&self, uuid: u16) -> bool {
        use crate::timeline::Detail;
        self.last_asked(|c, s| {
            let by_type = matches!(s.detail, Detail::Read { by_type, .. } if by_type == uuid)
                || matches!(s.detail, Detail::Discovery { attribute_type, .. } if attribute_type == uuid);
            by_type || c.attribute(s).and_then(|a| a.uuid) == Some(Uuid::Short(uuid))
        })
    }

    /// Every link that is on, or was switched on while this one began.
    pub fn scanning(&self) -> bool {
        self.any(|c| c.scan_at_connect.is_some() || c.scan_started_frame.is_some())
    }
}
