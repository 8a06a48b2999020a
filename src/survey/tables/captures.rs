//! `captures`: every file that was looked at.
use super::column::table;
use super::{One, time};
use crate::survey::Read;
use crate::timeline::Capture;

impl<'a> One<'a> {
    fn capture(&self) -> Option<&'a Capture> {
        self.analysis?.captures.first()
    }

    fn read(&self) -> Option<&'a Read> {
        self.row.read.as_ref().ok()
    }
}

fn lacks(capture: &Capture) -> Option<String> {
    let words: Vec<&str> = capture.fitness.iter().map(|lack| lack.kind.word()).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

table! {
    /// One row for each file that was looked at, whether it could be read or not.
    "captures" |one: One<'_>| {
        /// The file's number, from 1 in the order of the paths; the other tables refer to it.
        capture: Whole always = one.number;
        /// The file, as the survey names it.
        file: Text always = one.row.file.as_str();
        /// What `--good`, `--bad` or `--label` call it.
        label: Text maybe = one.row.label.as_deref();
        /// Why it was not read; empty where it was.
        unread: Text maybe = one.row.read.as_ref().err().map(String::as_str);
        /// The format: `btsnoop`, `pcap`, `log` and so on.
        format: Text maybe = one.capture().map(|it| it.format);
        /// What its times mean: `utc`, `local`, `relative`, or `none`.
        clock: Text maybe = one.capture().map(|it| it.clock.word());
        /// The earliest time, where the clock is `utc` or `local`.
        first_time: Time maybe = one.capture().and_then(|it| time(it.clock, it.first_time));
        /// The latest time, where the clock is `utc` or `local`.
        last_time: Time maybe = one.capture().and_then(|it| time(it.clock, it.last_time));
        /// From the first time to the last, in seconds.
        duration_s: Number maybe = one.capture().and_then(|it| Some((it.last_time? - it.first_time?).as_s()));
        /// Records; of a log its lines.
        records: Whole maybe = one.capture().map(|it| it.totals.records);
        /// Records that do not fit the specification.
        malformed: Whole maybe = one.capture().map(|it| it.totals.malformed);
        /// Records that the capture cut.
        cut: Whole maybe = one.capture().map(|it| it.totals.cut);
        /// Damage and doubts that the reader reported.
        warnings: Whole maybe = one.capture().map(|it| it.warnings.len());
        /// What it lacks for a sure diagnosis, as words of the report, separated by commas.
        lacks: Text maybe = one.capture().and_then(lacks);
        /// The host's stack.
        host: Text maybe = one.read().and_then(|it| it.host);
        /// The version of the host's stack.
        host_version: Text maybe = one.capture().and_then(|it| it.host.as_ref()?.version.as_deref());
        /// The adapter's manufacturer and HCI version, by their numbers.
        adapter: Text maybe = one.read().and_then(|it| it.adapter.as_deref());
        /// The device that the report tells: its name, else its address.
        device: Text maybe = one.read().and_then(|it| it.device.as_deref());
        /// Attempts to connect: rows of `connections`.
        attempts: Whole maybe = one.read().map(|it| it.attempts);
        /// Attempts that came up.
        connected: Whole maybe = one.read().map(|it| it.connected);
        /// The connection that the report tells.
        told: Whole maybe = one.read().and_then(|it| it.told);
        /// Whether that connection worked, as far as the capture shows.
        worked: Truth maybe = one.read().map(|it| it.worked);
        /// The rule that decides; empty where nothing is more than a note.
        rule: Text maybe = one.read().and_then(|it| it.verdict).map(|(rule, _)| rule);
        /// How much that rule says: `cause` or `suspect`.
        level: Text maybe = one.read().and_then(|it| it.verdict).map(|(_, level)| level.word());
    }
}
