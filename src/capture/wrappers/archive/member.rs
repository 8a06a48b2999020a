//! Which file of an archive is the capture.
use crate::capture::format::{Claim, Head};
use crate::capture::wrappers::Compression;
use crate::capture::{CaptureError, OpenOptions, Warning, WarningKind};
use std::cmp::Reverse;

/// How much of each file is looked at.
pub(crate) const HEAD: usize = 64 * 1024;
/// Captures remembered; a bug report has a handful.
const MANY: usize = 256;

/// A file in an archive.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// With its folders, as the archive has it.
    pub name: String,
    pub size: u64,
    /// Only to be compared within one archive.
    pub modified: u64,
    /// Where its bytes begin (tar), or its number (zip).
    pub place: u64,
}

/// The captures of an archive so far.
#[derive(Default)]
pub(crate) struct Members {
    /// The best of them, the best first.
    captures: Vec<(Rank, Member)>,
    named: Option<Member>,
    files: usize,
    /// How many captures there are; more than are remembered.
    found: usize,
}

/// The member to read, and what else there is.
pub(crate) struct Choice {
    pub chosen: Member,
    /// The best of the other captures.
    others: Vec<String>,
    /// How many more there are.
    more: usize,
}

/// What a file's beginning makes of it; the lesser the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    HostLog,
    Packets,
    Text,
    BugReport,
}

/// What decides between captures; the least is read. "btsnooz" logs and filtered ones are cut;
/// ".last" is the run before.
type Rank = (Worth, bool, bool, bool, bool, Reverse<u64>, Reverse<String>);

fn rank(worth: Worth, member: &Member) -> Rank {
    let name = base(&member.name).to_lowercase();
    (
        worth,
        name.contains("btsnooz"),
        name.contains("filtered"),
        name.contains(".last"),
        !name.contains("latest"),
        Reverse(member.modified),
        Reverse(name),
    )
}

impl Members {
    /// Takes notice of a file; `head` is its first bytes.
    pub fn push(&mut self, member: Member, head: &[u8], options: &OpenOptions) {
        self.files = self.files.saturating_add(1);
        if let Some(wanted) = &options.member
            && is_named(&member.name, wanted)
            && (self.named.is_none() || member.name == *wanted)
        {
            self.named = Some(member.clone());
        }
        if let Some(worth) = worth(&member, head) {
            self.found = self.found.saturating_add(1);
            let rank = rank(worth, &member);
            let at = self.captures.partition_point(|(better, _)| *better <= rank);
            self.captures.insert(at, (rank, member));
            self.captures.truncate(MANY);
        }
    }

    pub fn choose(self, options: &OpenOptions) -> Result<Choice, CaptureError> {
        let unknown = self.found - self.captures.len();
        let names = |but: Option<&Member>| -> Vec<String> {
            let others = self.captures.iter().map(|(_, member)| member);
            let others = others.filter(|member| but.is_none_or(|but| but.place != member.place));
            others.map(|member| member.name.clone()).collect()
        };
        if let Some(wanted) = &options.member {
            let Some(chosen) = self.named else {
                return Err(CaptureError::Refused(format!(
                    "the archive has no file {wanted}; captures in it: {}",
                    list(names(None).iter().map(String::as_str), unknown)
                )));
            };
            return Ok(Choice { others: names(Some(&chosen)), chosen, more: unknown });
        }
        match self.captures.first() {
            Some((_, chosen)) => {
                let chosen = chosen.clone();
                Ok(Choice { others: names(Some(&chosen)), chosen, more: unknown })
            }
            None => Err(CaptureError::Refused(format!(
                "an archive of {} files without an HCI capture among them: on Android, enable the Bluetooth HCI snoop log, reproduce the fault, then take the bug report; on iOS, install Apple's Bluetooth logging profile first",
                self.files
            ))),
        }
    }
}

impl Choice {
    /// Said without folders: reports are shown to others.
    pub fn warning(&self) -> Option<Warning> {
        (!self.others.is_empty()).then(|| Warning {
            kind: WarningKind::ArchiveMember,
            frame: None,
            last_frame: None,
            offset: None,
            text: format!(
                "read {} of the archive; also in it: {} (--member chooses)",
                base(&self.chosen.name),
                list(self.others.iter().map(|name| base(name)), self.more)
            ),
        })
    }
}

fn worth(member: &Member, head: &[u8]) -> Option<Worth> {
    let inner;
    let mut bytes = head;
    let mut whole = bytes.len() as u64 >= member.size;
    if let Some(compression) = Compression::of(bytes) {
        inner = compression.head(bytes, HEAD);
        bytes = &inner;
        whole = whole && inner.len() < HEAD;
    }
    let head = Head::new(bytes, whole);
    let (format, claim) = head.format()?;
    if claim == Claim::FAINT {
        let name = base(&member.name).to_lowercase();
        let is_report = name.starts_with("bugreport") || name.starts_with("dumpstate");
        return (is_report && name.ends_with(".txt")).then_some(Worth::BugReport);
    }
    Some(match format.name {
        _ if head.is_text() => Worth::Text,
        "pcap" | "pcapng" => Worth::Packets,
        "snoop" | "modified pcap" => return None,
        _ => Worth::HostLog,
    })
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A member is named by its whole path or by the end of it. A `*` stands for any part of a file's name.
fn is_named(name: &str, wanted: &str) -> bool {
    if let Some((first, last)) = wanted.split_once('*') {
        let rest = base(name).strip_prefix(first);
        return rest.is_some_and(|rest| rest.ends_with(last));
    }
    name == wanted || name.strip_suffix(wanted).is_some_and(|rest| rest.ends_with('/'))
}

/// The first names, each once, and how many files more there are; `unknown` have no name here.
fn list<'a>(names: impl Iterator<Item = &'a str>, unknown: usize) -> String {
    const SHOWN: usize = 8;
    let (mut shown, mut more) = (Vec::<(&str, u32)>::new(), unknown);
    for name in names {
        if let Some((_, times)) = shown.iter_mut().find(|(known, _)| *known == name) {
            *times += 1;
        } else if shown.len() < SHOWN {
            shown.push((name, 1));
        } else {
            more += 1;
        }
    }
    if shown.is_empty() {
        return "none".into();
    }
    let words = shown.iter().map(|(name, times)| match times {
        1 => (*name).to_owned(),
        _ => format!("{name} ({times} of that name)"),
    });
    let mut text = words.collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(files: &[(&str, u64)], wanted: Option<&str>) -> Result<String, String> {
        let options = OpenOptions { member: wanted.map(str::to_owned), ..OpenOptions::default() };
        let mut members = Members::default();
        for &(name, modified) in files {
            let member = Member { name: name.into(), size: 16, modified, place: 0 };
            members.push(member, b"btsnoop\0\0\0\0\x01\0\0\x03\xea", &options);
        }
        let choice = members.choose(&options).map_err(|error| error.to_string())?;
        Ok(choice.chosen.name)
    }

    #[test]
    fn the_current_unfiltered_log_comes_first() {
        let logs = "FS/data/misc/bluetooth/logs/";
        let names = [
            "btsnooz_hci.log",
            "btsnoop_hci.log.last",
            "btsnoop_hci.log.filtered",
            "btsnoop_hci.log",
        ];
        let files = names.map(|name| format!("{logs}{name}"));
        let files: Vec<_> = files.iter().map(|name| (name.as_str(), 7)).collect();
        assert_eq!(chosen(&files, None).unwrap(), format!("{logs}btsnoop_hci.log"));
        assert_eq!(chosen(&files, Some("btsnoop_hci.log.last")).unwrap(), files[1].0);
        assert!(chosen(&files, Some("log")).unwrap_err().contains("no file log"));
    }

    fn warned(names: impl Iterator<Item = String>) -> String {
        let mut members = Members::default();
        for (place, name) in (0..).zip(names) {
            let member = Member { name, size: 16, modified: place, place };
            members.push(member, b"btsnoop\0\0\0\0\x01\0\0\x03\xea", &OpenOptions::default());
        }
        members.choose(&OpenOptions::default()).unwrap().warning().unwrap().text
    }

    #[test]
    fn what_else_an_archive_holds_is_named_without_folders_and_counted() {
        let text = warned((0..300).map(|n| format!("home/alice/{n}.log")));
        let others = (0..8).map(|n| format!("{}.log", 298 - n)).collect::<Vec<_>>().join(", ");
        assert_eq!(
            text,
            format!(
                "read 299.log of the archive; also in it: {others} and 291 more (--member chooses)"
            )
        );
        let text = warned((0..3).map(|n| format!("home/{n}/btsnoop_hci.log")));
        assert!(text.contains("also in it: btsnoop_hci.log (2 of that name) ("), "{text}");
    }

    #[test]
    fn the_best_capture_is_read_however_many_stand_before_it() {
        let (old, new) = ("btsnoop_hci.log.last", "btsnoop_hci.log");
        let mut files = vec![(old, 1); 2 * MANY];
        files.push((new, 1));
        assert_eq!(chosen(&files, None).unwrap(), new);
    }

    #[test]
    fn among_dated_logs_the_latest_comes_first() {
        let dated =
            ["bluetoothd-hci-2026-01-02_03-04-05.pklg", "bluetoothd-hci-2026-02-02_03-04-05.pklg"];
        assert_eq!(chosen(&[(dated[0], 5), (dated[1], 5)], None).unwrap(), dated[1]);
        assert_eq!(chosen(&[(dated[0], 9), (dated[1], 5)], None).unwrap(), dated[0]);
        let latest = "logs/Bluetooth/bluetoothd-hci-latest.pklg";
        assert_eq!(chosen(&[(dated[1], 9), (latest, 1)], None).unwrap(), latest);
    }
}
