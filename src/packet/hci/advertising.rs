//! Advertising reports: three shapes on the wire, one for whoever asks.
use super::{Event, LeEvent};
use crate::packet::ad;
use crate::packet::codes::{Address, AddressType};
use crate::packet::field::{Field, FieldSink, Sized8, le16, malformed};
use crate::packet::pdus::kind;
use crate::packet::visit::{Kind, Part, Visitor, Writer};
use nom::IResult;

/// One advertising report of any shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisingReport<'a> {
    /// As on the wire: legacy 0 to 4, extended a bit field.
    pub event_type: u16,
    /// The device would accept a connection.
    pub connectable: bool,
    /// It was meant for one host alone.
    pub directed: bool,
    /// It answers a question of this host.
    pub scan_response: bool,
    /// The type of the address.
    pub address_type: AddressType,
    /// The address of the advertiser.
    pub address: Address,
    /// How strong it was received, in dBm; 127 where that is unknown.
    pub rssi: i8,
    /// The advertising data.
    pub data: &'a [u8],
}

/// A report with all its fields.
trait Whole<'a>: Sized {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self>;
    fn visit(&self, visitor: &mut dyn Visitor);
    fn bytes_of_data(&self) -> usize;
}

/// Declares the whole of a report, as it is on the wire.
macro_rules! whole {
    ($(
        $(#[$meta:meta])*
        $name:ident$(<$life:lifetime>)? {
            $($(#[$fmeta:meta])* $field:ident: $ty:ty $(as $kind:ident)?),* $(,)?
        } data $data:expr;
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "fields are named as the specification names them")]
        pub struct $name$(<$life>)? {
            $($(#[$fmeta])* pub $field: $ty,)*
        }

        impl<'a> Whole<'a> for $name$(<$life>)? {
            fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
                let rest = input;
                $(let (rest, $field) = <$ty as Field>::parse(rest)?;)*
                Ok((rest, Self { $($field),* }))
            }

            fn visit(&self, visitor: &mut dyn Visitor) {
                $(<$ty as Field>::visit(&self.$field, stringify!($field), kind!($ty $(, $kind)?), visitor);)*
            }

            fn bytes_of_data(&self) -> usize {
                let data: fn(&Self) -> usize = $data;
                data(self)
            }
        }
    )*};
}

whole! {
    /// One report of LE Advertising Report (7.7.65.2).
    LegacyReport<'a> {
        event_type: u8,
        address_type: AddressType,
        address: Address,
        data: Sized8<'a> as Advertising,
        rssi: i8,
    } data |report| report.data.0.len();

    /// One report of LE Directed Advertising Report (7.7.65.11).
    DirectedReport {
        event_type: u8,
        address_type: AddressType,
        address: Address,
        direct_address_type: AddressType,
        /// This host's own address, to which the advertising is directed.
        direct_address: Address as OwnAddress,
        rssi: i8,
    } data |_| 0;

    /// One report of LE Extended Advertising Report (7.7.65.13).
    ExtendedReport<'a> {
        event_type: u16,
        address_type: AddressType,
        address: Address,
        primary_phy: u8,
        secondary_phy: u8,
        advertising_sid: u8,
        tx_power: i8,
        rssi: i8,
        periodic_advertising_interval: u16,
        direct_address_type: AddressType,
        /// Of this host, where the advertising is directed; else zero.
        direct_address: Address as OwnAddress,
        data: Sized8<'a> as Advertising,
    } data |report| report.data.0.len();
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
    ($($(#[$meta:meta])* $name:ident $read:ident $Report:ident$(<$life:lifetime, $life2:lifetime>)?;)*) => {$(
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
            /// These reports, written into `room`, which the list borrows; what was in it goes.
            /// `None` where there are more than 255, or a report's data is longer than 255 bytes.
            pub fn new(reports: &[$Report$(<$life>)?], room: &'a mut Vec<u8>) -> Option<Self> {
                room.clear();
                let count = u8::try_from(reports.len()).ok()?;
                for report in reports {
                    if report.bytes_of_data() > usize::from(u8::MAX) {
                        return None;
                    }
                    report.visit(&mut Writer(room));
                }
                Some(Self { count, bytes: room })
            }

            /// What all shapes have in common.
            pub fn iter(&self) -> Reports<'a> {
                Reports { rest: self.bytes, read: $read }
            }

            /// All fields of each report.
            pub fn whole(&self) -> impl Iterator<Item = $Report$(<$life2>)?> + use<'a> {
                let mut rest = self.bytes;
                std::iter::from_fn(move || {
                    let (after, report) = $Report::parse(rest).ok()?;
                    rest = after;
                    Some(report)
                })
            }
        }

        impl<'a> Field<'a> for $name<'a> {
            const KIND: Kind = Kind::Value;

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
            fn visit(&self, _: &'static str, _: Kind, visitor: &mut dyn Visitor) {
                visitor.part(Part::new("num_reports", Kind::Count, &[self.count]));
                for report in self.whole() {
                    visitor.item();
                    report.visit(visitor);
                }
            }
            fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
                sink.begin_list(name);
                for report in self.iter() {
                    sink.begin_item();
                    sink.number("event_type", i64::from(report.event_type));
                    sink.number("address_type", i64::from(report.address_type.0));
                    sink.text("address", &report.address);
                    sink.number("rssi", i64::from(report.rssi));
                    sink.advertising("data", report.data);
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
    LegacyReports legacy LegacyReport<'_, 'a>;
    /// Reports of LE Directed Advertising Report.
    DirectedReports directed DirectedReport;
    /// Reports of LE Extended Advertising Report.
    ExtendedReports extended ExtendedReport<'_, 'a>;
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
