//! Which file of an archive is the capture.
use crate::capture::format::{Claim, Head};
use crate::capture::wrappers::gzip;
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
    captures: Vec<(Worth, Member)>,
    named: Option<Member>,
    files: usize,
}

/// The member to read, and what else there is.
pub(crate) struct Choice {
    pub chosen: Member,
    others: Vec<String>,
}

/// What a file's beginning makes of it; the lesser the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    HostLog,
    Packets,
    Text,
    BugReport,
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
        if self.captures.len() < MANY
            && let Some(worth) = worth(&member, head)
        {
            self.captures.push((worth, member));
        }
    }

    pub fn choose(mut self, options: &OpenOptions) -> Result<Choice, CaptureError> {
        self.captures.sort_by_cached_key(|(worth, member)| {
            let name = base(&member.name).to_lowercase();
            // "btsnooz" logs and filtered ones are cut; ".last" is the run before.
            (
                *worth,
                name.contains("btsnooz"),
                name.contains("filtered"),
                name.contains(".last"),
                !name.contains("latest"),
                Reverse(member.modified),
                Reverse(name),
            )
        });
        let names = self.captures.iter().map(|(_, member)| member.name.clone());
        if let Some(wanted) = &options.member {
            let Some(chosen) = self.named else {
                return Err(CaptureError::Refused(format!(
                    "the archive has no file {wanted}; captures in it: {}",
                    list(&names.collect::<Vec<_>>())
                )));
            };
            let others = names.filter(|name| *name != chosen.name).collect();
            return Ok(Choice { chosen, others });
        }
        let mut names = names.skip(1).collect::<Vec<_>>();
        names.dedup();
        match self.captures.into_iter().next() {
            Some((_, chosen)) => Ok(Choice { chosen, others: names }),
            None => Err(CaptureError::Refused(format!(
                "an archive of {} files without an HCI capture among them: on Android, enable the Bluetooth HCI snoop log, reproduce the fault, then take the bug report; on iOS, install Apple's Bluetooth logging profile first",
                self.files
            ))),
        }
    }
}

impl Choice {
    pub fn warning(&self) -> Option<Warning> {
        (!self.others.is_empty()).then(|| Warning {
            kind: WarningKind::ArchiveMember,
            frame: None,
            offset: None,
            text: format!(
                "read {} of the archive; also in it: {} (--member chooses)",
                self.chosen.name,
                list(&self.others)
            ),
        })
    }
}

fn worth(member: &Member, head: &[u8]) -> Option<Worth> {
    let inner;
    let mut bytes = head;
    let mut whole = bytes.len() as u64 >= member.size;
    if gzip::is_gzip(bytes) {
        inner = gzip::head(bytes, HEAD);
        bytes = &inner;
        whole = whole && inner.len() < HEAD;
    }
    let head = Head { bytes, whole };
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

/// A member is named by its whole path or by the end of it.
fn is_named(name: &str, wanted: &str) -> bool {
    name == wanted || name.strip_suffix(wanted).is_some_and(|rest| rest.ends_with('/'))
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 8;
    if names.is_empty() {
        return "none".into();
    }
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
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
