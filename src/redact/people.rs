//! What in a log's line names people and their machines.
use aho_corasick::AhoCorasick;
use std::ops::Range;
use std::sync::LazyLock;

/// Folders whose names are their users'.
const HOMES: [&str; 4] = ["/home/", "/Users/", "\\Users\\", "/data/user/"];

/// All of them at once: almost every line of a log has none.
static ANY_HOME: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(HOMES).ok());

/// The same for credentials, in either case.
static ANY_CREDENTIAL: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(CREDENTIALS).ok());

/// Names of users, as the names of their folders tell them.
pub(super) fn users(line: &str) -> impl Iterator<Item = &str> {
    let any = ANY_HOME.as_ref().is_none_or(|homes| homes.is_match(line));
    HOMES.into_iter().filter(move |_| any).flat_map(move |home| {
        line.match_indices(home).filter_map(move |(at, _)| {
            let behind = line.get(at + home.len()..)?;
            behind.split(['/', '\\', '"', '\'', ' ', ':']).next().filter(|name| !name.is_empty())
        })
    })
}

/// E-mail addresses, credentials of web addresses, users' folders, and network addresses.
pub(super) fn find(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices('@') {
        found.extend(around(line, at));
    }
    let any = |words: &Option<AhoCorasick>| words.as_ref().is_none_or(|any| any.is_match(line));
    let homes: &[&str] = if any(&ANY_HOME) { &HOMES } else { &[] };
    for home in homes {
        for (at, _) in line.match_indices(*home) {
            let start = at + home.len();
            let end = line[start..]
                .find(['/', '\\', '"', '\'', ' ', ':'])
                .map_or(line.len(), |end| start + end);
            if end > start {
                found.push(start..end);
            }
        }
    }
    // Four numbers have three full stops between them.
    if line.bytes().filter(|byte| *byte == b'.').count() >= 3 {
        network(line, &mut found);
    }
    if any(&ANY_CREDENTIAL) {
        credentials(line, &mut found);
    }
    found
}

/// Words that name a credential; its value follows behind `=` or `:`.
const CREDENTIALS: [&str; 8] =
    ["token", "password", "passwd", "passphrase", "secret", "api_key", "apikey", "bearer"];

/// Whether one of them is in this word, or is made of it and others beside it.
pub(super) fn may_announce_credential(word: &str) -> bool {
    ANY_CREDENTIAL.as_ref().is_none_or(|any| any.is_match(word))
}

/// `token=…`, `"password": "…"`, `Bearer …`: the value up to its end, whatever it looks like.
fn credentials(line: &str, found: &mut Vec<Range<usize>>) {
    let lower = line.to_ascii_lowercase();
    for word in CREDENTIALS {
        for (at, _) in lower.match_indices(word) {
            let behind = at + word.len();
            let rest = &line[behind..];
            let value = rest.trim_start_matches(['"', '\'', ' ']);
            let announced =
                value.starts_with(['=', ':']) || word == "bearer" && rest.starts_with(' ');
            let value = value.trim_start_matches(['=', ':', '"', '\'', ' ']);
            let start = line.len() - value.len();
            let end = value.find([' ', '"', '\'', ',', ';', '}', '&']).unwrap_or(value.len());
            if announced && end > 0 {
                found.push(start..start + end);
            }
        }
    }
}

/// `name@host` and `//user:password@host`. `@ AA:BB:…`, as bleak writes, is neither.
fn around(line: &str, at: usize) -> Option<Range<usize>> {
    let before = line.get(..at)?;
    let part = |c: char| c.is_alphanumeric() || "._%+-:~!$&*=".contains(c);
    let start =
        at - before.chars().rev().take_while(|c| part(*c)).map(char::len_utf8).sum::<usize>();
    let behind = line.get(at + 1..)?;
    let host: usize = behind
        .chars()
        .take_while(|c| c.is_alphanumeric() || ".-_".contains(*c))
        .map(char::len_utf8)
        .sum();
    (start < at && host > 0).then_some(start..at + 1 + host)
}

/// Four numbers with full stops between them: a machine in somebody's network.
fn network(line: &str, found: &mut Vec<Range<usize>>) {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let mut at = 0;
    while let Some(start) = line[at..].find(|c: char| c.is_ascii_digit()).map(|start| at + start) {
        let end = line[start..].find(|c| !is_part(c)).map_or(line.len(), |end| start + end);
        let word = line[start..end].trim_end_matches('.');
        let parts = || word.split('.');
        let alone =
            line[..start].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '-');
        let follows = line[end..].chars().next().is_none_or(|c| !c.is_alphanumeric());
        if alone
            && follows
            && parts().count() == 4
            && parts().all(|part| part.parse::<u8>().is_ok())
        {
            found.push(start..start + word.len());
        }
        at = end.max(start + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HIDDEN, log};

    #[test]
    fn who_it_was_is_hidden() {
        for (said, shown) in [
            ("from jane.doe@example.org today", "from (not shown) today"),
            ("get https://user:pass@cam.local/x", "get https://(not shown)/x"),
            ("File /home/jane/app.py", "File /home/(not shown)/app.py"),
            ("C:\\Users\\jane\\app.py", "C:\\Users\\(not shown)\\app.py"),
            ("node @ 192.168.1.17: ping", "node @ (not shown): ping"),
            ("PIN code is 4711 for a@b.c", "PIN code is (not shown) for (not shown)"),
        ] {
            assert_eq!(log(said), shown);
        }
    }

    #[test]
    fn a_credential_is_hidden_whatever_it_looks_like() {
        for said in ["token=hunter2token", "Authorization: Bearer hunter2", "password: 'hunter2'"] {
            assert!(!log(said).contains("hunter2"), "{}", log(said));
        }
    }

    #[test]
    fn what_names_nobody_stays() {
        for plain in [
            "Connecting to device @ F0:12:7C:AA:00:01",
            "bluetoothd 5.82, kernel 6.12.117+deb12",
            "version 1.2.3.4567",
            "got 3.3 V at 07:51:49.238",
        ] {
            assert_eq!(log(plain), plain);
            assert!(!log(plain).contains(HIDDEN));
        }
    }
}
