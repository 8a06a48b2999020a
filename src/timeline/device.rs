//! A device heard advertising (or connected to), whatever addresses it used.
use crate::packet::{Address, AddressType};
use crate::seen::{Seen, seen_at};

/// One advertising report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    pub seen: Seen,
    pub address_type: AddressType,
    pub connectable: bool,
    pub directed: bool,
    pub rssi: Option<i8>,
}

seen_at!(Report: seen);

/// Several advertising reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertised {
    pub first: Report,
    pub last: Report,
    pub reports: u64,
    pub strongest: Option<i8>,
}

impl Advertised {
    pub(super) fn begin(report: Report) -> Self {
        Self { first: report, last: report, reports: 1, strongest: report.rssi }
    }

    pub(super) fn again(&mut self, report: Report) {
        self.last = report;
        self.reports += 1;
        self.strongest = self.strongest.max(report.rssi);
    }
}

/// What advertising and connections said about one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub address: Address,
    pub address_type: AddressType,
    /// From advertising, scan response, GATT 0x2A00 or mgmt.
    pub name: Option<String>,
    /// The identity behind a resolvable address, where the capture itself proves it.
    pub identity: Option<(Address, AddressType)>,
    /// Index of the adapter that heard it first.
    pub adapter: Option<u16>,
    /// Another adapter heard it too.
    pub elsewhere: bool,
    /// Advertising reports, scan responses not counted.
    pub reports: u64,
    pub connectable_reports: u64,
    pub scan_responses: u64,
    pub first: Option<Report>,
    pub last: Option<Report>,
    pub rssi_min: i8,
    pub rssi_max: i8,
    /// The Flags AD structure.
    pub flags: Option<u8>,
    /// 16-bit service UUIDs and company identifier advertised, first few.
    pub services: Vec<crate::packet::att::Uuid>,
    pub company: Option<u16>,
    pub appearance: Option<u16>,
}
