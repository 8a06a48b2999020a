//! A device heard advertising (or connected to), whatever addresses it used.
use crate::packet::{Address, AddressType};
use crate::seen::{Seen, seen_at};

/// One advertising report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Where it came.
    pub seen: Seen,
    /// The type of the advertiser's address.
    pub address_type: AddressType,
    /// The device would accept a connection.
    pub connectable: bool,
    /// It was meant for one host alone.
    pub directed: bool,
    /// How strong it was received, in dBm.
    pub rssi: Option<i8>,
}

seen_at!(Report: seen);

/// Several advertising reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// The first one.
    pub first: Report,
    /// The last one.
    pub last: Report,
    /// How many there were.
    pub reports: u64,
    /// The strongest, in dBm.
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
#[non_exhaustive]
pub struct Device {
    /// The address that it used.
    pub address: Address,
    /// The type of that address.
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
    /// Reports that say it would accept a connection.
    pub connectable_reports: u64,
    /// Scan responses.
    pub scan_responses: u64,
    /// The first report.
    pub first: Option<Report>,
    /// The last report.
    pub last: Option<Report>,
    /// The weakest report, in dBm.
    pub rssi_min: i8,
    /// The strongest report, in dBm.
    pub rssi_max: i8,
    /// The Flags AD structure.
    pub flags: Option<u8>,
    /// 16-bit service UUIDs and company identifier advertised, first few.
    pub services: Vec<crate::packet::att::Uuid>,
    /// The company identifier of its manufacturer data.
    pub company: Option<u16>,
    /// The appearance that it advertised.
    pub appearance: Option<u16>,
}
