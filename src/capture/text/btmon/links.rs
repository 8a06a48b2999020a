//! The link of a text in which no line of data has room for its handle.
//!
//! The decoder gives such a line to the only link that is up. Where the text begins later than
//! its link, only the whole text tells which one that is. A text that shows a link's beginning
//! needs no such help.
use super::body;
use super::header::{Data, Header, Line, What};

/// The handle of the only link that a whole text speaks of, if it shows no link's beginning.
pub(super) fn only(lines: &[String]) -> Option<u16> {
    let (mut links, mut adapters) = (Seen::Nothing, Seen::Nothing);
    let mut failed = false;
    for line in lines {
        if let Line::Header(Header { what, right, .. }) = Line::parse(line) {
            failed = false;
            if matches!(what, What::Event { code: CONNECT_COMPLETE, .. }) {
                return None;
            }
            if let Some(adapter) = right.adapter {
                adapters.add(adapter);
            }
            if let What::Acl(Data { handle: Some(handle), .. })
            | What::Sco(Data { handle: Some(handle), .. })
            | What::Iso(Data { handle: Some(handle), .. }) = what
            {
                links.add(handle);
            }
            continue;
        }
        if BEGINNINGS.iter().any(|name| line.trim_start().starts_with(name)) {
            return None;
        }
        let Some((label, value)) = line.trim_start().split_once(": ") else { continue };
        if label == "Status" {
            // A connection that failed has no handle, whatever is printed.
            failed = body::last_hex(value).is_some_and(|status| status != 0);
        } else if matches!(label, "Handle" | "Connection handle" | "Connection Handle") && !failed {
            // Those of attributes and of advertising sets are printed in hexadecimal.
            let handle = value.split(' ').next().and_then(|number| number.parse().ok());
            handle.into_iter().for_each(|handle| links.add(handle));
        }
    }
    match (links, adapters) {
        (Seen::One(link), Seen::Nothing | Seen::One(_)) => Some(link),
        _ => None,
    }
}

const CONNECT_COMPLETE: u8 = 0x03;
const BEGINNINGS: [&str; 2] = ["LE Connection Complete (0x", "LE Enhanced Connection Complete"];

/// Numbers that were seen.
#[derive(Clone, Copy)]
enum Seen {
    Nothing,
    One(u16),
    Several,
}

impl Seen {
    fn add(&mut self, number: u16) {
        *self = match *self {
            Self::Nothing => Self::One(number),
            Self::One(same) if same == number => *self,
            _ => Self::Several,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only_of(text: &str) -> Option<u16> {
        only(&text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn one_link_is_that_link_and_others_are_no_links() {
        let link = "> ACL Data RX: Handle 70 flags 0x02 dlen 5  #3 [hci0] 0.300000\n";
        assert_eq!(only_of(""), None);
        assert_eq!(only_of(link), Some(70));
        for other in [
            "        Status: Unknown Connection Identifier (0x02)\n        Handle: 0\n",
            "        Handle: 0x0014\n",
            "        Status: Success (0x00)\n        Handle: 70 Address: XX\n",
        ] {
            assert_eq!(only_of(&format!("{link}{other}")), Some(70), "{other}");
        }
        for other in [
            "        Status: Success (0x00)\n        Handle: 71\n",
            "        Status: Busy (0x3a)\n> ACL Data RX: Handle 71 flags 0x02 dlen 5\n",
            "> ACL Data RX: Handle 70 flags 0x02 dlen 5  #3 [hci1] 0.300000\n",
            "> HCI Event: LE Meta Event (0x3e) plen 19\n      LE Connection Complete (0x01)\n",
            "> HCI Event: Connect Complete (0x03) plen 11\n",
        ] {
            assert_eq!(only_of(&format!("{link}{other}")), None, "{other}");
        }
    }
}
