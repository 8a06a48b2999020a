//! Long text on a terminal goes through the pager that the user has set.
use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

/// Shows the text: through `PAGER` where that is set and standard output is a terminal, else as it is.
pub fn show(text: &str, out: &mut impl Write) -> io::Result<()> {
    let pager = env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
    match pager.filter(|_| io::stdout().is_terminal()) {
        Some(pager) if paged(&pager, text) => Ok(()),
        _ => out.write_all(text.as_bytes()),
    }
}

/// Whether the pager ran and had the text.
fn paged(pager: &str, text: &str) -> bool {
    // The variable holds a command line, as `less -R` is one.
    let mut command = if cfg!(windows) {
        let mut command = Command::new("cmd");
        command.arg("/C").arg(pager);
        command
    } else {
        let mut command = Command::new("sh");
        command.arg("-c").arg(pager);
        command
    };
    if env::var_os("LESS").is_none() {
        // Short text stays on the screen, and colours are colours.
        command.env("LESS", "FRX");
    }
    let Ok(mut child) = command.stdin(Stdio::piped()).spawn() else { return false };
    if let Some(mut pipe) = child.stdin.take() {
        // A reader who has seen enough closes the pipe.
        let _ = pipe.write_all(text.as_bytes());
    }
    // 126 and 127 are the shell's words for a command that it cannot run.
    child.wait().is_ok_and(|status| !matches!(status.code(), Some(126 | 127)))
}
