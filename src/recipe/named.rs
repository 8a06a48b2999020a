//! Steps by UUID, for the libraries that find attributes so.
use super::handshake::{Action, Handshake, Operation};
use super::refusal::Refusal;
use super::server::long;
use crate::packet::att::{Handle, Uuid};

/// One step of a program.
pub struct Step<'a> {
    /// `write`, `command`, `subscribe` or `read`.
    pub what: &'static str,
    /// Of the characteristic.
    pub uuid: String,
    /// Of its service, where it is known.
    pub service: Option<String>,
    /// Of the value.
    pub handle: u16,
    pub value: &'a [u8],
}

/// What a program does, by UUID. Refused where a capture does not show what is behind a handle.
pub fn steps<'a>(handshake: &'a Handshake, target: &'static str) -> Result<Vec<Step<'a>>, Refusal> {
    handshake.needed().filter_map(|operation| step(handshake, operation, target)).collect()
}

fn step<'a>(
    handshake: &Handshake,
    operation: &'a Operation,
    target: &'static str,
) -> Option<Result<Step<'a>, Refusal>> {
    let handle = operation.handle?;
    let (what, value) = match &operation.action {
        Action::Write(value) => ("write", value.as_slice()),
        Action::Command(value) => ("command", value.as_slice()),
        Action::Subscribe { .. } => ("subscribe", &[][..]),
        Action::Read => ("read", &[][..]),
        Action::Own(_) => return None,
    };
    let (uuid, handle) = match operation.action {
        Action::Subscribe { value: Some(value), .. } => (operation.of, value),
        Action::Subscribe { value: None, .. } => (None, handle),
        _ => (operation.uuid, handle),
    };
    let Some(uuid) = uuid else {
        return Some(Err(Refusal::Unnamed { handle: Handle(handle), target }));
    };
    if matches!(uuid, Uuid::Short(0x2900..=0x29ff)) {
        let what = "the handshake touches a descriptor, which this library finds by its characteristic alone. Use `--for att-socket`.";
        return Some(Err(Refusal::Cannot { target, what }));
    }
    let service = handshake.server.service_of(handle).map(|(_, service)| long(service.uuid));
    Some(Ok(Step { what, uuid: long(uuid), service, handle, value }))
}
