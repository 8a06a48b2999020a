//! Captures that are text: what they look like, and their readers.
use super::Format;

mod arduino;
mod btmon;
mod btstack;
mod clean;
mod hcidump;
mod hcitool;
mod hex;
mod lines;
mod marks;
mod nimble;
mod noble;
mod packetlogger;
mod plain;
mod puzzles;
mod times;
mod transcript;

pub(crate) use btmon::right_end;
pub(crate) use clean::{clean, next_shown};

/// Every text format that can be read. [`super::format`] asks them beside the binary ones.
pub(crate) static FORMATS: &[Format] = &[
    btmon::FORMAT,
    packetlogger::FORMAT,
    hcidump::FORMAT,
    hcidump::RAW,
    btstack::FORMAT,
    noble::FORMAT,
    hcitool::FORMAT,
    arduino::FORMAT,
    nimble::FORMAT,
];

/// What a text that no reader claims looks like, in a few words.
pub(crate) fn likeness(head: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(head.get(..4096).unwrap_or(head));
    let has = |mark: &str| text.contains(mark);
    let begins = |mark: &str| text.trim_start().starts_with(mark);
    if begins("Bluetooth monitor ver") || has("< HCI Command:") && has("plen") {
        "btmon's text output"
    } else if begins("HCI sniffer") {
        "hcidump's text output"
    } else if has("dumpstate") || has("DUMP OF SERVICE") {
        "an Android bug report without a Bluetooth snoop log in it"
    } else if has("HCI Event") || has("ATT Receive") {
        "PacketLogger's text export"
    } else if has("HCI_EVT") || has("HCI_CMD") || has("Protocol") && has("Length") && has("Info") {
        "Wireshark's list of packets, which has a line of each and none of its bytes: save the packets themselves (File > Export Specified Packets), or give the file that Wireshark opened"
    } else if ["rsn=0x", "rsn:0x", "reason=0x", "reason: 0x"].iter().any(|mark| has(mark)) {
        "a program's log, which names reasons and has no packets: `hcidiff explain < FILE` explains its lines"
    } else if begins("<!DOCTYPE") || begins("<html") {
        "a web page (was the capture downloaded from its preview page?)"
    } else if begins("version https://git-lfs") {
        "a Git LFS pointer: fetch the real file with `git lfs pull`"
    } else if begins("{") || begins("[") {
        "JSON"
    } else {
        "plain text"
    }
}
