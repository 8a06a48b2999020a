//! Who was heard advertising, in bounded memory.
use super::connection::Connection;
use super::device::{Advertised, Device, Report};
use super::live::At;
use crate::packet::ad;
use crate::packet::hci::AdvertisingReport;
use crate::packet::{Address, AddressType};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// Most devices remembered; private addresses make new ones all day.
const MOST_DEVICES: usize = 8192;

/// Most service UUIDs remembered for one device.
const MOST_SERVICES: usize = 8;

/// Addresses are random enough: mix their eight bytes once.
#[derive(Default, Debug, Clone)]
pub(super) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut word = [0; 8];
        let used = bytes.len().min(8);
        word[..used].copy_from_slice(&bytes[..used]);
        self.write_u64(u64::from_le_bytes(word));
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn write_usize(&mut self, word: usize) {
        // The length of an array of six is always six.
        if word != 6 {
            self.write_u64(word as u64);
        }
    }
}

/// Everything heard on the air.
#[derive(Clone, Debug, Default)]
pub(super) struct Air {
    pub devices: Vec<Device>,
    places: HashMap<Address, usize, BuildHasherDefault<AddressHasher>>,
    /// Ended connections that wait for the device's next report.
    awaited: HashMap<Address, usize, BuildHasherDefault<AddressHasher>>,
    /// Links that are up, by the peer's address.
    linked: HashMap<Address, usize, BuildHasherDefault<AddressHasher>>,
    /// Reports that found no room in the table.
    pub beyond: u64,
}

impl Air {
    fn device(&mut self, address: Address, address_type: AddressType) -> Option<usize> {
        if let Some(place) = self.places.get(&address) {
            return Some(*place);
        }
        if self.devices.len() >= MOST_DEVICES {
            return None;
        }
        self.devices.push(Device {
            address,
            address_type,
            name: None,
            identity: None,
            adapter: None,
            elsewhere: false,
            reports: 0,
            connectable_reports: 0,
            scan_responses: 0,
            first: None,
            last: None,
            rssi_min: i8::MAX,
            rssi_max: i8::MIN,
            flags: None,
            services: Vec::new(),
            company: None,
            appearance: None,
        });
        self.places.insert(address, self.devices.len() - 1);
        Some(self.devices.len() - 1)
    }

    pub fn report(
        &mut self,
        adapter: Option<u16>,
        at: At,
        report: &AdvertisingReport<'_>,
        connections: &mut [Connection],
    ) {
        let rssi = (report.rssi != 127).then_some(report.rssi);
        let seen = Report {
            seen: at.seen(),
            address_type: report.address_type,
            connectable: report.connectable,
            directed: report.directed,
            rssi,
        };
        self.tell(report.address, seen, connections);
        let Some(place) = self.device(report.address, report.address_type) else {
            self.beyond += 1;
            return;
        };
        let device = &mut self.devices[place];
        if report.scan_response {
            device.scan_responses += 1;
        } else {
            device.reports += 1;
            device.connectable_reports += u64::from(report.connectable);
            device.address_type = report.address_type;
            device.first.get_or_insert(seen);
            device.last = Some(seen);
        }
        device.adapter = device.adapter.or(adapter);
        device.elsewhere |= device.adapter != adapter;
        if let Some(rssi) = rssi {
            device.rssi_min = device.rssi_min.min(rssi);
            device.rssi_max = device.rssi_max.max(rssi);
        }
        // What a device says of itself seldom changes: look closer only at first, and now and then.
        let young = device.reports + device.scan_responses <= 16;
        if young || device.name.is_none() && device.reports.is_multiple_of(64) {
            describe(device, report.data);
        }
    }

    /// Tells the connections that a report speaks of: the link that just ended, or one that is up.
    fn tell(&mut self, address: Address, seen: Report, connections: &mut [Connection]) {
        if !self.awaited.is_empty()
            && let Some(index) = self.awaited.remove(&address)
            && let Some(connection) = connections.get_mut(index)
        {
            connection.report_after = Some(seen);
        }
        if seen.connectable
            && !self.linked.is_empty()
            && let Some(index) = self.linked.get(&address)
            && let Some(connection) = connections.get_mut(*index)
        {
            match &mut connection.advertised {
                Some(advertised) => advertised.again(seen),
                none => *none = Some(Advertised::begin(seen)),
            }
        }
    }

    pub fn last_report(&self, address: Address) -> Option<Report> {
        self.devices.get(*self.places.get(&address)?)?.last
    }

    pub fn reports(&self, address: Address) -> u64 {
        self.places
            .get(&address)
            .and_then(|place| self.devices.get(*place))
            .map_or(0, |d| d.reports)
    }

    pub fn name_of(&self, address: Address) -> Option<Arc<str>> {
        self.devices.get(*self.places.get(&address)?)?.name.as_deref().map(Arc::from)
    }

    /// A name learned over GATT or mgmt.
    pub fn name(&mut self, address: Address, name: &str) {
        if let Some(place) = self.places.get(&address)
            && let Some(device) = self.devices.get_mut(*place)
        {
            device.name = Some(name.to_owned());
        }
    }

    /// AD structures that came by another way than a report (mgmt Device Found, Device Connected).
    pub fn hint(&mut self, address: Address, address_type: AddressType, data: &[u8]) {
        if let Some(place) = self.device(address, address_type) {
            describe(&mut self.devices[place], data);
        }
    }

    /// The connection wants to know when this address is heard again.
    pub fn await_report(&mut self, address: Address, connection: usize) {
        self.awaited.insert(address, connection);
    }

    /// A link to that address is up.
    pub fn linked(&mut self, address: Address, connection: usize) {
        self.linked.insert(address, connection);
    }

    /// The link with that address that is up.
    pub fn linked_to(&self, address: Address) -> Option<usize> {
        self.linked.get(&address).copied()
    }

    /// It is no more.
    pub fn unlinked(&mut self, address: Address, connection: usize) {
        if self.linked.get(&address) == Some(&connection) {
            self.linked.remove(&address);
        }
    }
}

fn describe(device: &mut Device, data: &[u8]) {
    if let Some(name) = ad::name(data)
        && (device.name.is_none() || name.complete)
        && !name.bytes.is_empty()
    {
        let name = String::from_utf8_lossy(name.bytes);
        if device.name.as_deref() != Some(&*name) {
            device.name = Some(name.into_owned());
        }
    }
    device.flags = ad::flags(data).or(device.flags);
    device.company = ad::manufacturer(data).map(|(company, _)| company).or(device.company);
    device.appearance = ad::appearance(data).or(device.appearance);
    for service in ad::services(data) {
        if device.services.len() < MOST_SERVICES && !device.services.contains(&service) {
            device.services.push(service);
        }
    }
}

#[cfg(test)]
mod tests;
