//! HCI commands, events and what commands return.
mod advertising;
mod command;
mod completion;
mod event;
mod family;
mod handles;
mod le;
pub mod names;
mod returns;

pub use advertising::{
    AdvertisingReport, DirectedReport, DirectedReports, ExtendedReport, ExtendedReports,
    LegacyReport, LegacyReports, Reports,
};
pub use command::{AdvertisingSet, Command, InitiatingPhy, ScanningPhy, StoredLinkKey};
pub use event::{Event, InquiryResponse, InquiryResponseWithRssi};
pub use family::Family;
pub use le::{LeConnection, LeEvent};
pub use returns::{Return, Returned};

impl Event<'_> {
    /// Any of the three LE Connection Complete events, as one fact.
    #[inline]
    pub fn le_connection_complete(&self) -> Option<LeConnection> {
        // Asked of every event: that nearly all are another one must cost nothing.
        match self {
            Event::Le {
                event:
                    event @ (LeEvent::ConnectionComplete { .. }
                    | LeEvent::EnhancedConnectionComplete { .. }
                    | LeEvent::EnhancedConnectionCompleteV2 { .. }),
            } => event.le_connection_complete(),
            _ => None,
        }
    }
}
