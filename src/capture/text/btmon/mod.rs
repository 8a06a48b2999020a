//! What btmon prints, copied from a terminal, a log or a bug report: versions 5.50 and later.
//!
//! A packet is a line with its kind and number, and indented lines with its fields. The fields
//! are put back into the parameters that they were printed from (`layout.rs` and the tables
//! beside it) and decoded like those of any capture; what was not printed stays unknown.
use super::super::stream::Stream;
use super::super::{
    Boxed, CaptureError, Claim, Description, Format, Head, OpenOptions, Record, Source, Warning,
};
use super::lines;
use super::marks::without_indent;
use super::transcript::{self, Shown, Transcript};
use crate::packet::outline::{Extent, Outline};
use body::Body;
pub(crate) use header::right_end;
use header::{Header, Line, Right, What};
use reading::Reading;

mod advertising;
mod body;
mod commands;
mod events;
mod header;
mod layout;
mod links;
mod management;
mod reading;
mod upper;

pub(crate) const FORMAT: Format = Format { name: "btmon-text", claim, open };

const DISCONNECTION_COMPLETE: u8 = 0x05;

/// The line with which btmon begins.
const BANNER: &str = "Bluetooth monitor ver";

/// As many lines as only btmon prints.
fn claim(head: &Head<'_>) -> Claim {
    let lines = lines::of_head(head);
    let mut own = 0;
    let mut after_hci = false;
    let mut unfinished: Option<&str> = None;
    for line in lines {
        own += u32::from(line.trim_start().starts_with(BANNER));
        // Mail breaks long lines anywhere: the right end, or all from the length on, stands alone.
        let broken = unfinished.take().map(|first| format!("{first} {}", line.trim()));
        match Line::parse(line) {
            Line::Unfinished => unfinished = Some(line),
            Line::Other if broken.is_some_and(|joined| matches!(Line::parse(&joined), Line::Header(header) if header.right.any)) => {
                own += 1;
            }
            Line::Other if after_hci && Right::alone(line).is_some() => {
                own += 1;
                after_hci = false;
            }
            // hcidump's commands and events look the same, but for the right end of the line.
            Line::Header(Header {
                what: What::Command { .. } | What::Event { .. }, right, ..
            }) => {
                own += u32::from(right.any);
                after_hci = !right.any;
            }
            Line::Header(Header {
                what: What::Acl(_) | What::Sco(_) | What::Iso(_),
                right,
                ..
            }) => {
                own += u32::from(right.any || !line.contains(" ACL data:"));
                after_hci = false;
            }
            // A `=`, `@` or `*` with a word or two is prose unless it has btmon's right end.
            Line::Header(Header { process, right, .. }) => {
                own += u32::from(process.is_some() || right.any);
                after_hci = false;
            }
            // btmon's details are indented by eight and have capital labels, hcidump's have not.
            _ if after_hci => {
                let detail = line.trim_start_matches(['>', '\t']);
                let own_detail = detail.strip_prefix("        ").is_some_and(|text| {
                    text.contains(": ")
                        && text.starts_with(|first: char| first.is_ascii_uppercase())
                });
                own += u32::from(own_detail);
                after_hci = !own_detail && (line.starts_with(' ') || line.trim().is_empty());
            }
            _ => {}
        }
    }
    Claim::chain(own)
}

fn open(mut stream: Stream, options: &OpenOptions) -> Result<Boxed, CaptureError> {
    let (lines, whole) = lines::ahead(&mut stream)?;
    let only_link = whole.then(|| links::only(&lines)).flatten();
    let first = lines.iter().find_map(|line| Right::take(line).0.when);
    Ok(Box::new(Reader {
        text: Transcript::new(stream, options, first),
        only_link,
        version: None,
        open: None,
        body: Body::default(),
        parameters: Vec::new(),
    }))
}

/// The first line of the packet whose lines are being gathered.
struct Start {
    offset: u64,
    number: u64,
    first: First,
    /// What a line below says that mail has wrapped.
    right: Option<Right>,
}

enum First {
    Header(Header<'static>),
    /// The line, of which the number is missing: perhaps the next line has it.
    Unfinished(String),
}

struct Reader {
    text: Transcript,
    version: Option<String>,
    /// The handle of the one link that the whole text speaks of.
    only_link: Option<u16>,
    open: Option<Start>,
    body: Body,
    /// The parameters of the packet that is lent.
    parameters: Vec<u8>,
}

/// A packet whose lines are all read.
type Complete = (transcript::Start, Reading);

impl Reader {
    fn gather(&mut self) -> Result<Option<Complete>, CaptureError> {
        loop {
            if !self.text.next_line()? {
                let last = self.close();
                if last.is_none() {
                    self.text.finish()?;
                }
                return Ok(last);
            }
            let line = self.text.line();
            let first = match Line::parse(line.certain()) {
                Line::Header(header) => First::Header(header.into_owned()),
                Line::Unfinished => First::Unfinished(line.certain().to_owned()),
                Line::Other => {
                    self.detail();
                    continue;
                }
            };
            let (offset, number) = (line.offset(), line.number());
            let complete = self.close();
            self.open = Some(Start { offset, number, first, right: None });
            if complete.is_some() {
                return Ok(complete);
            }
        }
    }

    /// A line that begins no packet.
    fn detail(&mut self) {
        let text = self.text.line().certain();
        let said = without_indent(text);
        if let Some(version) = said.strip_prefix(BANNER) {
            self.version.get_or_insert_with(|| version.trim().to_owned());
            return;
        }
        let Some(open) = &mut self.open else { return };
        if self.body.is_empty() {
            if let First::Unfinished(line) = &open.first {
                let joined = format!("{line} {}", text.trim());
                if let Line::Header(header) = Line::parse(&joined) {
                    open.first = First::Header(header.into_owned());
                    return;
                }
            }
            if let Some(right) = Right::alone(text).filter(|_| open.right.is_none()) {
                open.right = Some(right);
                return;
            }
        }
        if !said.is_empty() {
            self.body.push(text);
        }
    }

    /// The packet that was open, read.
    fn close(&mut self) -> Option<Complete> {
        let Start { offset, number, first, right } = self.open.take()?;
        let mut header = match first {
            First::Header(header) => header,
            First::Unfinished(line) => {
                self.body.clear();
                self.text.puzzle_of(&line, number, offset);
                return None;
            }
        };
        if let Some(wrapped) = right {
            let own = header.right;
            header.right = Right {
                cookie: own.cookie.or(wrapped.cookie),
                adapter: own.adapter.or(wrapped.adapter),
                when: own.when.or(wrapped.when),
                any: true,
            };
        }
        if let What::Acl(data) = &mut header.what {
            data.handle = data.handle.or(self.only_link);
        }
        if matches!(header.what, What::Event { code: DISCONNECTION_COMPLETE, .. }) {
            self.only_link = None;
        }
        let (Right { when, adapter, .. }, direction) = (header.right, header.direction);
        let reading = Reading::of(header, &self.body, std::mem::take(&mut self.parameters));
        self.body.clear();
        Some((transcript::Start { offset, when, adapter, direction }, reading))
    }
}

impl Source for Reader {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        let Some((start, reading)) = self.gather()? else { return Ok(None) };
        let kind = reading.kind();
        let Reading { shape, bytes, whole } = reading;
        self.parameters = bytes;
        let (parameters, extent) = (self.parameters.as_slice(), Extent::unread_unless(whole));
        let outline = Outline { shape, parameters, extent };
        Ok(Some(self.text.record(start, Shown::Outline(kind, outline, parameters.len()))))
    }

    fn describe(&self) -> Description {
        let clock = self.text.clock();
        let variant = self.version.as_ref().map_or_else(String::new, |v| format!("version {v}"));
        Description { format: FORMAT.name, variant, clock, resolution_us: 1 }
    }

    fn warnings(&self) -> Vec<Warning> {
        self.text.warnings(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Decoder;
    use proptest::prelude::*;

    /// Lines of every kind, to be mixed.
    const LINES: &[&str] = &[
        "Bluetooth monitor ver 5.66",
        "< HCI Command: LE Create Connection (0x08|0x000d) plen 25   #1 [hci0] 0.100000",
        "        Peer address: XX:XX:XX:XX:XX:XX (Static)",
        "        Scan interval: 60.000 msec (0x0060)",
        "> HCI Event: LE Meta Event (0x3e) plen 19   #2 [hci0] 2026-11-21 02:38:29.977098",
        "      LE Connection Complete (0x01)",
        "        Status: Success (0x00)",
        "        Handle: 64 Address: F0:12:7C:AA:00:01 (Static)",
        "        Role: Central (0x00)",
        "      LE Advertising Report (0x02)",
        "        Num reports: 255",
        "        Event type: Connectable undirected - ADV_IND (0x00)",
        "        Data length: 31",
        "        16-bit Service UUIDs (complete): 99999999 entries",
        "          Battery Service (0x180f)",
        "        Company: Apple, Inc. (76)",
        "          Data[4]: 0001",
        "> HCI Event: Command Complete (0x0e) plen 255   23:59:59.999999",
        "      Read Local Supported Commands (0x04|0x0002) ncmd 1",
        "        Commands: 1 entries",
        "          Reset (Octet 99 - Bit 99)",
        "< ACL Data TX: Handle.. flags 0x00 dlen 7",
        "> ACL Data RX: Handle 64 flags 0x02 dlen 11   #3 [hci0] 18446744073709551615.000000",
        "      ATT: Read By Type Response (0x09) len 255",
        "        Attribute data length: 0",
        "        Handle range: 0x0001-0xffff",
        "          Value[19]:",
        "        00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  ................",
        "      LE L2CAP: Connection Parameter Update Request (0x12) ident 1 len 8",
        "      Channel: 64 len 99999 [PSM 39 mode Enhanced Credit (0x81)] {chan 1}",
        "        Option: Maximum Transmission Unit (0x01) [mandatory]",
        "@ MGMT Event: Device Connected (0x000b) plen 27   {0x0001} [hci0] 7.593610",
        "        LE Address: F0:12:7C:AA:00:01 (Static)",
        "= New Index: B8:27:EB:12:34:56 (Primary,UART,hci0)",
        "bluetoothd[1]: = \u{1f600}..",
        "* Unknown packet (code 14 len 30)",
        "                  #2 [hci0] 5.302358",
        "< HCI Command: cut",
        "",
    ];

    fn drain(text: &[u8]) -> (u32, Vec<String>) {
        let stream = Stream::new(Box::new(std::io::Cursor::new(text.to_vec())));
        let mut source = open(stream, &OpenOptions::default()).unwrap();
        let (mut decoder, mut frames, mut said) = (Decoder::new(), 0, Vec::new());
        while let Some(record) = source.next().unwrap() {
            frames += 1;
            assert_eq!(record.frame, frames);
            let event = decoder.decode(&record);
            said.push(format!("{:?} {:?}", event.packet, event.problem));
        }
        source.describe();
        source.warnings();
        (frames, said)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn any_text_is_read(
            lines in prop::collection::vec((0..LINES.len(), any::<usize>(), any::<bool>()), 0..60),
            noise in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut text = Vec::new();
            for (at, place, whole) in lines {
                let line = LINES[at];
                let end = if whole { line.len() } else { place % (line.len() + 1) };
                text.extend_from_slice(&line.as_bytes()[..end]);
                text.push(b'\n');
            }
            text.extend(noise);
            drain(&text);
        }
    }

    #[test]
    fn a_packet_that_is_cut_anywhere_says_no_more_than_the_whole() {
        let lines = [
            LINES[4],
            "      LE Connection Complete (0x01)",
            "        Status: Success (0x00)",
            "        Handle: 64",
            "        Role: Central (0x00)",
            "        Peer address type: Random (0x01)",
            "        Peer address: XX:XX:XX:XX:XX:XX (Static)",
        ];
        let (frames, whole) = drain(lines.join("\n").as_bytes());
        assert_eq!(frames, 1);
        assert!(
            whole[0].contains("ConnHandle(64)") && whole[0].ends_with("Some(Cut)"),
            "{whole:?}"
        );
        // A connection event that lacks the peer's address or the handle makes no connection.
        for end in 1..6 {
            let (_, cut) = drain(lines[..end].join("\n").as_bytes());
            assert!(cut[0].contains("Other") && cut[0].ends_with("Some(Cut)"), "{cut:?}");
        }
    }

    #[test]
    fn a_number_that_a_narrow_terminal_took_is_unknown() {
        let (frames, said) = drain(
            b"bluetoothd[460]: @ MGMT Command: Read M..   {0x0001} 2026-11-21 02:57:34.366311\n< HCI Command: LE..  #5 [hci0] 2026-11-21 02:57:34.366311\n",
        );
        assert_eq!(frames, 2);
        assert!(
            said.iter().all(|said| said.contains("Opaque") && said.ends_with("Some(Cut)")),
            "{said:?}"
        );
    }

    #[test]
    fn lines_that_mail_broke_are_claimed_and_joined() {
        let claims = |text: &str| claim(&Head::new(text.as_bytes(), true));
        for text in [
            "> > > HCI Event: Command Complete (0x0e) plen 4\n#1242 2021-11-19 17:24:36.277450\n> >       Reset (0x03|0x0003) ncmd 1\n> >         Status: Success (0x00)\n",
            "> > > HCI Event: Command Complete (0x0e)\nplen 4 #1242 2021-11-19 17:24:36.277450\n> >       Reset (0x03|0x0003) ncmd 1\n> >         Status: Success (0x00)\n",
        ] {
            assert!(claims(text) > Claim::NONE, "{text}");
            let (frames, said) = drain(text.as_bytes());
            assert_eq!(frames, 1);
            assert!(said[0].contains("CommandComplete") && said[0].ends_with("None"), "{said:?}");
        }
        assert_eq!(claims("> HCI Event: Command Complete (0x0e) plen 4\nat 17:24\n"), Claim::NONE);
    }

    /// Every line of data lost its handle, and nothing says when the link began.
    #[test]
    fn data_without_a_handle_is_of_the_only_link_of_the_text() {
        let text = "< ACL Data TX: Hand.. flags 0x00 dlen 9  #1 [hci0] 0.100000\n      ATT: Write Request (0x12) len 4\n        Handle: 0x0014\n          Data: 0100\n\
            > HCI Event: Disconnect... (0x05) plen 4  #2 [hci0] 0.200000\n        Status: Success (0x00)\n        Handle: 70\n        Reason: Remote User Terminated Connection (0x13)\n";
        let (_, said) = drain(text.as_bytes());
        assert!(said[0].contains("ConnHandle(70)") && said[0].contains("WriteRequest"), "{said:?}");
        // Nobody read the rest of a long text beforehand: another link may stand there.
        let long = format!("{text}{}", "prose\n".repeat(lines::PAGE / 6));
        assert!(drain(long.as_bytes()).1[0].contains("Opaque"));
        // Two links: nobody knows whose it is.
        let two = format!("{text}> ACL Data RX: Handle 71 flags 0x02 dlen 5  #3 [hci0] 0.300000\n");
        assert!(drain(two.as_bytes()).1[0].contains("Opaque"));
    }

    /// What people put in an address's place does not make the connection unreadable.
    #[test]
    fn an_address_that_somebody_replaced_is_unknown() {
        for hidden in [
            "(removed)",
            "<MAC>",
            "XX:XX:XX:XX:XX:XX (Static)",
            "[redacted] (Static)",
            "xx",
            "F0:12:..",
        ] {
            let text = format!(
                "> HCI Event: LE Meta Event (0x3e) plen 19   #2 [hci0] 0.200000\n      LE Connection Complete (0x01)\n        Status: Success (0x00)\n        Handle: 64\n        Role: Central (0x00)\n        Peer address type: Random (0x01)\n        Peer address: {hidden}\n        Connection interval: 30.00 msec (0x0018)\n        Connection latency: 0 (0x0000)\n        Supervision timeout: 720 msec (0x0048)\n        Central clock accuracy: 0x00\n"
            );
            let (_, said) = drain(text.as_bytes());
            assert!(
                said[0].contains("ConnHandle(64)") && said[0].ends_with("Some(Cut)"),
                "{hidden}: {said:?}"
            );
        }
    }

    #[test]
    fn prose_is_not_claimed() {
        let claims = |text: &str| claim(&Head::new(text.as_bytes(), true));
        for prose in [
            "I ran btmon and saw an LE Meta Event.\n> HCI Event: nothing more\n= result =\n* one\n* two\n@ somebody\n",
            "> On Monday you wrote:\n> > Handle: 64\n",
            "",
        ] {
            assert_eq!(claims(prose), Claim::NONE, "{prose}");
        }
        assert!(claims(LINES[1]) > Claim::NONE);
        let hcidump = "HCI sniffer - Bluetooth packet analyzer ver 5.66\n< HCI Command: Reset (0x03|0x0003) plen 0\n> HCI Event: Command Complete (0x0e) plen 4\n    Reset (0x03|0x0003) ncmd 1\n    status 0x00\n";
        assert_eq!(claims(hcidump), Claim::NONE);
    }
}
