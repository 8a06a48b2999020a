//! Work whose result nobody sees. A browser first compiles a module quickly, and well only what has run often: after
//! this, a capture is read at full speed from its first byte.
use hcidiff::capture::Input;
use hcidiff::report::{Report, html, markdown};
use hcidiff::{Case, analyse};
use std::io::{self, Read};

/// A short session: advertising, connections, discovery, pairing, notifications.
const SESSION: &[u8] = include_bytes!("../../fixtures/flagship/pi.btsnoop");
/// What stands before the records of a btsnoop file.
const HEAD: usize = 16;
/// So much must be read until what is busy in a long capture has been compiled well.
const ENOUGH: usize = 12_000_000;

/// Reads the session over and over, and makes its report.
pub fn up() {
    let session = Input::reader("session.btsnoop", Session { at: 0, left: ENOUGH });
    let Ok(analysis) = analyse(&Case::one(session)) else { return };
    let report = Report::from(analysis);
    std::hint::black_box((html::render(&report), markdown::render(&report)));
}

/// The session's head once, and its records again and again.
struct Session {
    at: usize,
    left: usize,
}

impl Read for Session {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The last round is whole.
        if self.at == SESSION.len() && self.left > 0 {
            self.at = HEAD;
        }
        let count = (&SESSION[self.at..]).read(buffer)?;
        self.at += count;
        self.left = self.left.saturating_sub(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_read_whole_each_time() {
        let analysis =
            analyse(&Case::one(Input::reader("x", Session { at: 0, left: ENOUGH }))).unwrap();
        let once = analyse(&Case::one(Input::bytes("x", SESSION))).unwrap();
        let capture = &analysis.captures[0];
        let records = once.captures[0].totals.records;
        assert_eq!(capture.format, "btsnoop");
        assert!(
            records > 0 && capture.totals.records.is_multiple_of(records),
            "{}",
            capture.totals.records
        );
        assert!(capture.totals.records > 100 * records);
    }
}
