//! `hcidiff doctor`: whether a capture is fit, and how to record a better one.
use crate::{console, trouble};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use hcidiff::capture::Input;
use hcidiff::case;
use hcidiff::recording::{self, HOSTS};
use hcidiff::report::{doctor, safe};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// `hcidiff doctor`.
#[derive(Clone, Debug, Args)]
pub struct Doctor {
    /// The capture; without one, how to record on this computer
    #[arg(value_name = "CAPTURE", value_hint = clap::ValueHint::FilePath)]
    pub capture: Option<PathBuf>,

    /// How to record on that host
    #[arg(long, value_name = "HOST", conflicts_with = "capture", value_parser = hosts())]
    pub on: Option<String>,
}

/// The hosts that the table of recordings has.
fn hosts() -> PossibleValuesParser {
    PossibleValuesParser::new(HOSTS.iter().map(|host| PossibleValue::new(host.id)))
}

/// The host that this program runs on, as the table of recordings calls it.
const THIS_HOST: &str = if cfg!(target_os = "macos") {
    "macos"
} else if cfg!(target_os = "windows") {
    "windows"
} else if cfg!(target_os = "android") {
    "android"
} else {
    "bluez"
};

/// Prints it. The status is 1 where the capture lacks something.
pub fn run(asked: &Doctor, out: &mut impl Write) -> io::Result<ExitCode> {
    let Some(path) = &asked.capture else {
        let on = asked.on.as_deref();
        if let Some(host) = recording::instructions(on.unwrap_or(THIS_HOST)) {
            out.write_all(doctor::of_host(host).as_bytes())?;
        }
        #[cfg(all(feature = "record", target_os = "linux"))]
        if on.is_none() {
            for sentence in crate::host::says(std::path::Path::new("/")) {
                out.write_all(doctor::here(&sentence).as_bytes())?;
            }
        }
        if on.is_none() {
            write!(out, "\n{}", doctor::hosts())?;
        }
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    };
    let input = Input::parse(path);
    let name = safe::text(&input.name()).into_owned();
    match case::read(&input.into()) {
        Ok(capture) => {
            let says = doctor::of_capture(&capture);
            console::seen_enough(out.write_all(says.as_bytes()).and_then(|()| out.flush()))?;
            Ok(ExitCode::from(u8::from(!doctor::lacks(&capture).is_empty())))
        }
        Err(error) => Ok(trouble(&format!("{name}: {}", safe::text(&error.to_string())))),
    }
}
