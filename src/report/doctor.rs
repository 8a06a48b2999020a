//! What `hcidiff doctor` says: what a recording lacks, and how to record on a host.
use super::safe;
use super::terminal::wrap;
use crate::compare::Failure;
use crate::recording::{HOSTS, Instructions, Lack};
use crate::timeline::Capture;

/// How wide the text is.
const WIDTH: usize = 100;

/// What a capture lacks, most of it told by its fitness: the lack, and what shows it.
pub fn lacks(capture: &Capture) -> Vec<(Lack, String)> {
    let fitness = capture.fitness.iter();
    let mut lacks: Vec<(Lack, String)> =
        fitness.filter_map(|f| Some((f.kind.lack()?, f.says.to_string()))).collect();
    let connections = &capture.connections;
    if !connections.is_empty() && connections.iter().all(|c| Failure::of(c).is_none()) {
        let count = connections.len();
        let attempts = if count == 1 { "attempt".into() } else { format!("{count} attempts") };
        lacks.push((Lack::Failure, format!("nothing failed in the {attempts} that it holds")));
    }
    lacks
}

/// A capture: whether it is fit, what it lacks, what must not be concluded, and how to record it again.
pub fn of_capture(capture: &Capture) -> String {
    let mut out = String::new();
    let host = capture.instructions();
    let lacks = lacks(capture);
    let name = safe::text(&capture.file);
    match lacks.len() {
        0 => say(&mut out, "", &format!("{name}: nothing speaks against a diagnosis.")),
        1 => say(&mut out, "", &format!("{name}: it lacks something.")),
        count => say(&mut out, "", &format!("{name}: it lacks {count} things.")),
    }
    for (lack, says) in &lacks {
        out.push('\n');
        item(&mut out, "lacks", &safe::text(says));
        item(&mut out, "so", lack.caution());
        item(&mut out, "again", host.map_or_else(|| lack.cure(), |host| host.again(*lack)));
    }
    out.push('\n');
    match host {
        Some(host) => out.push_str(&of_host(host)),
        None => {
            say(&mut out, "", "Nothing in it shows which host made it.");
            out.push_str(&hosts());
        }
    }
    out
}

/// How to record on a host.
pub fn of_host(host: &Instructions) -> String {
    let mut out = format!("RECORD on {}\n", host.name);
    for (number, step) in (1..).zip(host.steps) {
        item(&mut out, &number.to_string(), step);
    }
    item(&mut out, "worked", host.worked);
    for beside in host.beside {
        item(&mut out, "beside", beside);
    }
    item(
        &mut out,
        "keys",
        "A capture may hold keys and names: remove the device's pairing before you give one away.",
    );
    out
}

/// What the system says of the host that this program runs on.
pub fn here(sentence: &str) -> String {
    let mut out = String::new();
    item(&mut out, "here", &safe::text(sentence));
    out
}

/// The hosts that have a row.
pub fn hosts() -> String {
    let mut out = String::from("HOSTS, for `hcidiff doctor --on HOST`\n");
    for host in HOSTS {
        out.push_str(&format!("  {:<22}{}\n", host.id, host.name));
    }
    out
}

/// A word at the margin, and its text beside it.
fn item(out: &mut String, word: &str, text: &str) {
    let lines = wrap(text, WIDTH - 8);
    for (at, line) in lines.iter().enumerate() {
        let word = if at == 0 { word } else { "" };
        out.push_str(&format!("{word:<8}{line}\n"));
    }
}

fn say(out: &mut String, indent: &str, text: &str) {
    for line in wrap(text, WIDTH - indent.len()) {
        out.push_str(indent);
        out.push_str(&line);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Kind;
    use crate::packet::Status;
    use crate::packet::hci::Command;
    use crate::recording;
    use crate::trace::Trace;

    fn words(capture: &Capture) -> Vec<&'static str> {
        lacks(capture).into_iter().map(|(lack, _)| lack.word()).collect()
    }

    fn link() -> Trace {
        Trace::new().done(Command::ReadBdAddr {}).up().mtu().discovery(2)
    }

    #[test]
    fn each_thing_that_a_recording_can_lack_is_told() {
        let failed = || link().wait_ms(5_000).disconnected(Status::CONNECTION_TIMEOUT);
        assert_eq!(words(&failed().run()), [""; 0]);
        let good = link().hangs_up(Status::REMOTE_USER_TERMINATED);
        assert_eq!(words(&good.run()), ["failure"]);
        let late = Trace::new().mtu().wait_ms(5_000).disconnected(Status::CONNECTION_TIMEOUT);
        assert_eq!(words(&late.run()), ["beginning"]);
        let blind = failed().run_where(|record| record.kind != Kind::Event);
        assert!(words(&blind).contains(&"one-kind"), "{:?}", words(&blind));
        assert!(words(&link().run_where(|record| record.kind == Kind::Acl)).contains(&"control"));
        let other = Trace::new().peer(crate::trace::PEER, crate::packet::AddressType::RANDOM);
        assert_eq!(words(&other.advertises(0).run()), ["adapter"]);
    }

    #[test]
    fn a_host_without_evidence_gets_the_list_of_hosts() {
        let said = of_capture(&link().run());
        assert!(said.contains("HOSTS"), "{said}");
        assert!(HOSTS.iter().all(|host| said.contains(host.id)));
    }

    #[test]
    fn the_row_of_a_host_is_shown_whole_and_no_line_is_too_wide() {
        for host in HOSTS {
            let said = of_host(host);
            assert!(said.lines().all(|line| line.chars().count() <= WIDTH), "{said}");
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(host.steps.iter().all(|step| words(&said).contains(&words(step))), "{said}");
        }
        assert!(recording::instructions("bluez").is_some());
    }
}
