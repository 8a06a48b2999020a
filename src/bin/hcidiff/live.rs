//! What a live view prints: a line for each attempt as it ends, and what was found with it.
use hcidiff::Analysis;
use hcidiff::case::{Beside, Unreadable};
use hcidiff::report::terminal::Screen;
use hcidiff::report::{Report, Shown, json, terminal};
use hcidiff::watch::{Told, Watch};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// A look at all that was read costs time. Where one follows the other, at most this part of the time goes into them.
const PART: u32 = 8;

/// A look this short is taken at once where nothing more waits to be read.
const SHORT: Duration = Duration::from_millis(100);

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Terminal(Screen),
    JsonLines,
}

/// Prints what is new.
pub struct Lines {
    form: Form,
    aliases: bool,
    told: Told,
    /// When the last look was taken, and how long it took.
    last: Option<(Instant, Duration)>,
    printed: bool,
}

impl Lines {
    pub fn new(form: Form, aliases: bool) -> Self {
        Self { form, aliases, told: Told::default(), last: None, printed: false }
    }

    /// Whether it is time for a look. `behind`: more waits to be read.
    pub fn are_due(&self, behind: bool) -> bool {
        self.last.is_none_or(|(at, took)| at.elapsed() >= took * PART || (!behind && took < SHORT))
    }

    /// Takes a look at what was read so far, and prints the attempts that have ended.
    pub fn look(
        &mut self,
        watch: &mut Watch,
        beside: &Beside,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let began = Instant::now();
        // What cannot be told now is told in the end.
        let Ok(capture) = watch.snapshot() else { return Ok(()) };
        let Ok(analysis) = beside.so_far(capture) else { return Ok(()) };
        let report = self.report(analysis);
        self.print(&report, &watch.ended(), out)?;
        self.last = Some((Instant::now(), began.elapsed()));
        Ok(())
    }

    /// The last attempts, what the finished capture shows, and where it is for machines that it has ended.
    pub fn finish(
        &mut self,
        ended: &[u32],
        analysis: &Result<Analysis, Unreadable>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        self.tell(ended, analysis, out)?;
        if self.form == Form::JsonLines
            && let Ok(analysis) = analysis
            && let Some(line) = json::ended(&self.report(analysis.clone()))
        {
            out.write_all(line.as_bytes())?;
        }
        self.part(out)
    }

    /// The last attempts, and what the finished capture shows.
    pub fn tell(
        &mut self,
        ended: &[u32],
        analysis: &Result<Analysis, Unreadable>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        match analysis {
            Ok(analysis) => self.print(&self.report(analysis.clone()), ended, out),
            Err(_) => Ok(()),
        }
    }

    /// The report stands apart from what came before it.
    pub fn part(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.printed && self.form != Form::JsonLines {
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    fn report(&self, analysis: Analysis) -> Report {
        let mut report = Report::from(analysis);
        report.shown = Shown { aliases: self.aliases, ..Shown::default() };
        report
    }

    fn print(&mut self, report: &Report, ended: &[u32], out: &mut impl Write) -> io::Result<()> {
        let capture = report.captures.len().saturating_sub(1);
        let mut text = String::new();
        for number in ended {
            text += &match self.form {
                Form::Terminal(screen) => terminal::attempt(report, capture, *number, screen),
                Form::JsonLines => json::attempt(report, capture, *number).unwrap_or_default(),
            };
        }
        for finding in self.told.new_ones(report).into_iter().filter(|of| of.capture == capture) {
            text += &match self.form {
                Form::Terminal(screen) => terminal::found(report, finding, screen),
                Form::JsonLines => json::found(report, finding).unwrap_or_default(),
            };
        }
        self.printed |= !text.is_empty();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}
