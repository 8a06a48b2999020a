//! A Python program that speaks the attribute protocol over a socket of its own, beside bluetoothd or without it.
//!
//! Nothing is discovered and nobody asks for the MTU, so it meets deadlines that BlueZ's own discovery misses. It needs
//! nothing but Python and libc.
use super::handshake::{Action, Handshake};
use super::literal::{hex, python};
use super::refusal::Refusal;
use super::template::fill;
use super::{File, Recipe, Target, table};
use std::fmt::Write;

pub const TARGET: Target = Target {
    name: "att-socket",
    says: "a Python program for Linux that writes to known handles over a socket of its own",
    ending: "py",
    write,
};

const PROGRAM: &str = include_str!("templates/att_socket.py");

fn write(handshake: &Handshake) -> Result<Recipe, Refusal> {
    let text = fill(
        PROGRAM,
        &[
            ("@TABLE@\n", &table::comment(handshake, "#")),
            ("@CONTENT@", handshake.content.says),
            ("@DATA@\n", &data(handshake)),
        ],
    );
    Ok(Recipe::of(vec![File::of("cure.py", text)]))
}

/// The device and the steps, as Python.
pub fn data(handshake: &Handshake) -> String {
    let device = &handshake.device;
    let mut out = String::new();
    let name = python(device.name.as_deref().unwrap_or_default());
    let _ = writeln!(out, "ADDRESS = \"{}\"", device.address);
    let _ = writeln!(out, "RANDOM = {}", if device.random { "True" } else { "False" });
    let _ = writeln!(out, "NAME = {name}");
    let mtu = |mtu: Option<u16>| mtu.map_or("None".to_owned(), |mtu| mtu.to_string());
    let _ =
        writeln!(out, "# Asked for before the steps, and after them: None where values are short.");
    let _ = writeln!(out, "MTU_FIRST = {}", mtu(handshake.mtu));
    let _ = writeln!(out, "MTU_LAST = {}", mtu(handshake.mtu_for_data));
    out.push_str("# What to do, at which handle, with which value.\nSTEPS = [\n");
    for operation in handshake.needed() {
        let (what, value) = match &operation.action {
            Action::Write(value) => ("write", value.as_slice()),
            Action::Command(value) => ("command", value.as_slice()),
            Action::Subscribe { bits, .. } => ("write", bits.as_slice()),
            Action::Read => ("read", &[][..]),
            Action::Own(_) => continue,
        };
        let Some(handle) = operation.handle else { continue };
        let _ =
            writeln!(out, "    (\"{what}\", {handle:#06x}, bytes.fromhex(\"{}\")),", hex(value));
    }
    out.push_str("]\n");
    out
}
