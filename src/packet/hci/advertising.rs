//! Advertising reports: three shapes on the wire, one for whoever asks.
use super::{Event, LeEvent};
use crate::packet::ad;
use crate::packet::codes::{Address, AddressType};
use crate::packet::field::{Field, FieldSink, le16, malformed};
use nom::IResult;

/// One advertising report of any shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisingReport<'a> {
    /// As on the wire: legacy 0 to 4, extended a bit field.
    pub event_type: u16,
    pub connectable: bool,
    pub directed: bool,
    pub scan_response: bool,
    pub address_type: AddressType,
    pub address: Address,
    pub rssi: i8,
    pub data: &'a [u8],
}

fn address(bytes: &[u8]) -> Option<Address> {
    Some(Address(bytes.get(..6)?.try_into().ok()?))
}

type Reader = for<'b> fn(&'b [u8]) -> Option<(AdvertisingReport<'b>, usize)>;

/// Type, address, data and RSSI: one report after the other (7.7.65.2).
fn legacy(bytes: &[u8]) -> Option<(AdvertisingReport<'_>, usize)> {
    let length = usize::from(*bytes.get(8)?);
    let event_type = *bytes.first()?;
    let rssi = *bytes.get(9 + length)? as i8;
    let report = AdvertisingReport {
        event_type: u16::from(event_type),
        connectable: matches!(event_type, 0 | 1),
        directed: event_type == 1,
        scan_response: event_type == 4,
        address_type: AddressType(*bytes.get(1)?),
        address: address(bytes.get(2..)?)?,
        rssi,
        data: bytes.get(9..9 + length)?,
    };
    Some((report, 10 + length))
}

fn directed(bytes: &[u8]) -> Option<(AdvertisingReport<'_>, usize)> {
    let report = AdvertisingReport {
        event_type: u16::from(*bytes.first()?),
        connectable: true,
        directed: true,
        scan_response: false,
        address_type: AddressType(*bytes.get(1)?),
        address: address(bytes.get(2..)?)?,
        rssi: *bytes.get(15)? as i8,
        data: &[],
    };
    Some((report, 16))
}

fn extended(bytes: &[u8]) -> Option<(AdvertisingReport<'_>, usize)> {
    let event_type = le16(bytes, 0)?;
    let length = usize::from(*bytes.get(23)?);
    let report = AdvertisingReport {
        event_type,
        connectable: event_type & 1 != 0,
        directed: event_type & 4 != 0,
        scan_response: event_type & 8 != 0,
        address_type: AddressType(*bytes.get(2)?),
        address: address(bytes.get(3..)?)?,
        rssi: *bytes.get(13)? as i8,
        data: bytes.get(24..24 + length)?,
    };
    Some((report, 24 + length))
}

/// The reports of one event, checked when decoded.
#[derive(Clone)]
pub struct Reports<'a> {
    rest: &'a [u8],
    read: Reader,
}

impl<'a> Iterator for Reports<'a> {
    type Item = AdvertisingReport<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (report, size) = (self.read)(self.rest)?;
        self.rest = self.rest.get(size..).unwrap_or(&[]);
        Some(report)
    }
}

macro_rules! reports {
    ($($(#[$meta:meta])* $name:ident $read:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name<'a> {
            count: u8,
            bytes: &'a [u8],
        }

        impl std::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{} reports", self.count)
            }
        }

        impl<'a> $name<'a> {
            pub fn iter(&self) -> Reports<'a> {
                Reports { rest: self.bytes, read: $read }
            }
        }

        impl<'a> Field<'a> for $name<'a> {
            #[inline]
            fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
                let (bytes, count) = u8::parse(input)?;
                let mut rest = bytes;
                for _ in 0..count {
                    match $read(rest) {
                        Some((_, size)) => rest = rest.get(size..).unwrap_or(&[]),
                        None => return malformed(input),
                    }
                }
                let used = bytes.len() - rest.len();
                let (bytes, rest) = bytes.split_at(used);
                Ok((rest, Self { count, bytes }))
            }
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(self.count);
                out.extend_from_slice(self.bytes);
            }
            fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
                sink.begin_list(name);
                for report in self.iter() {
                    sink.begin_item();
                    sink.number("event_type", i64::from(report.event_type));
                    sink.number("address_type", i64::from(report.address_type.0));
                    sink.text("address", &report.address);
                    sink.number("rssi", i64::from(report.rssi));
                    sink.bytes("data", report.data);
                    ad::show(report.data, sink);
                    sink.end_item();
                }
                sink.end_list();
            }
        }
    )*};
}

reports! {
    /// Reports of LE Advertising Report.
    LegacyReports legacy;
    /// Reports of LE Directed Advertising Report.
    DirectedReports directed;
    /// Reports of LE Extended Advertising Report.
    ExtendedReports extended;
}

impl<'a> Event<'a> {
    /// All advertising reports of this event, whatever their shape.
    pub fn advertising(&self) -> Reports<'a> {
        match self {
            Event::Le { event: LeEvent::AdvertisingReport { reports } } => reports.iter(),
            Event::Le { event: LeEvent::ExtendedAdvertisingReport { reports } } => reports.iter(),
            Event::Le { event: LeEvent::DirectedAdvertisingReport { reports } } => reports.iter(),
            _ => Reports { rest: &[], read: legacy },
        }
    }
}
