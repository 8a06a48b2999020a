//! A program's own words about a connection, whoever wrote it: short sentences that name the device.
use super::bleak::{failure, is_denied};
use super::claim::{Asker, FailedAt, Kind, What};
use super::head::Form;
use super::reader::{Memory, Message, Reader, Said, device, names_hidden_device};

pub(super) const READER: Reader = Reader {
    kind: Kind::Bleak,
    marks: &["Connect", "connect", "ERROR", "ommunication with", "not found"],
    read,
};

fn read(line: &Message<'_>, memory: &Memory) -> Option<Said> {
    let form = line.form?;
    matches!(form, Form::Python | Form::HomeAssistant).then_some(())?;
    let library =
        ["bleak", "habluetooth", "dbus_fast"].iter().any(|name| line.author.starts_with(name));
    if library {
        return None;
    }
    let error = matches!(line.level, "ERROR" | "CRITICAL" | "EXCEPTION");
    let begins = ["Connecting to ", "Connected to "].iter().any(|word| line.text.starts_with(word));
    if !error && !begins {
        return None;
    }
    let named = device(line.text).is_some() || names_hidden_device(line.text);
    let starts = |words: &str| line.text.starts_with(words) && named;
    if starts("Connecting to ") {
        return Some(What::ConnectAsked(Asker::Program).into());
    }
    if starts("Connected to ") {
        return Some(What::ProgramConnected.into());
    }
    let is_ours = |word| line.text.contains(word);
    let speaks =
        named || memory.knows(line.author) || ["Bleak", "luetooth"].into_iter().any(is_ours);
    if !(error && speaks) {
        return None;
    }
    if is_denied(line.text) {
        return Some(What::Denied.into());
    }
    Some(What::Failed { how: failure(line.text), by: FailedAt::Program }.into())
}
