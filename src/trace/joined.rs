//! Traces put together: one after another, beside one another, again and again.
use super::{Packet, START, Trace};
use crate::packet::Address;

impl Trace {
    /// Another trace, from here on.
    pub fn followed_by(mut self, next: Self) -> Self {
        let shift = self.now - START;
        self.packets.extend(next.packets.into_iter().map(|p| Packet { at: p.at + shift, ..p }));
        self.now = next.now + shift;
        self
    }

    /// The same with another device.
    pub fn with(mut self, other: Address) -> Self {
        for packet in &mut self.packets {
            for at in 0..packet.bytes.len().saturating_sub(5) {
                if packet.bytes[at..at + 6] == self.peer.0 {
                    packet.bytes[at..at + 6].copy_from_slice(&other.0);
                }
            }
        }
        self.peer = other;
        self
    }

    /// The same host has another adapter, on which the other trace happens at the same time.
    pub fn beside(mut self, other: Self) -> Self {
        let adapters = 1 + self.packets.iter().map(|p| p.adapter).max().unwrap_or(0);
        let moved = |p: Packet| Packet { adapter: p.adapter + adapters, ..p };
        self.packets.extend(other.packets.into_iter().map(moved));
        self.packets.sort_by_key(|p| p.at);
        self.now = self.now.max(other.now);
        self
    }

    /// Everything again, as the same program tries once more.
    pub fn repeated(mut self, times: usize, pause_ms: u32) -> Self {
        let once = self.packets.clone();
        let length = self.now - START;
        for _ in 1..times {
            let shift = self.now - START + i64::from(pause_ms) * 1000;
            self.packets.extend(once.iter().map(|p| Packet { at: p.at + shift, ..p.clone() }));
            self.now = START + shift + length;
        }
        self
    }

    /// Behind each packet that opens a place for it (it gives the handle of its link), this happens at the same moment.
    pub fn with_behind(mut self, opens: fn(&[u8]) -> Option<u16>, more: fn(Self) -> Self) -> Self {
        let packets = std::mem::take(&mut self.packets);
        for packet in packets {
            let (at, adapter) = (packet.at, packet.adapter);
            let handle = opens(&packet.bytes);
            self.packets.push(packet);
            if let Some(handle) = handle {
                let meanwhile = more(Self::new().adapter(adapter).handle(handle)).packets;
                self.packets.extend(meanwhile.into_iter().map(|p| Packet { at, ..p }));
            }
        }
        self
    }

    /// The next packet comes exactly so long after the last one.
    pub fn after_us(mut self, us: u32) -> Self {
        if let Some(last) = self.packets.last() {
            self.now = last.at + i64::from(us);
        }
        self
    }

    /// The same in milliseconds.
    pub fn after_ms(self, ms: u32) -> Self {
        self.after_us(ms * 1_000)
    }
}
