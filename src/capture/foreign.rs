//! Files that are recognised only to say what they are.
use super::{Boxed, CaptureError, Claim, Format};

/// Sun's snoop, whose name btsnoop borrowed.
pub(crate) const SNOOP: Format = Format {
    name: "snoop",
    claim: |head| Claim::magic(head, b"snoop\0\0\0"),
    open: |_, _| refuse("a Sun snoop capture of a network, not btsnoop: it holds no Bluetooth"),
};

/// pcap as an old Linux patch changed it: eight more bytes a record, under a magic of its own.
pub(crate) const MODIFIED_PCAP: Format = Format {
    name: "modified pcap",
    claim: |head| {
        Claim::magic(head, &[0xa1, 0xb2, 0xcd, 0x34])
            .max(Claim::magic(head, &[0x34, 0xcd, 0xb2, 0xa1]))
    },
    open: |_, _| {
        refuse(
            "a \"modified\" pcap file (magic a1b2cd34), whose records differ: save it again with Wireshark as pcapng",
        )
    },
};

fn refuse(what: &str) -> Result<Boxed, CaptureError> {
    Err(CaptureError::Refused(what.into()))
}
