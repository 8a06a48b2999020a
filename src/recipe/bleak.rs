//! A program with bleak.
use super::handshake::Handshake;
use super::literal::{hex, python};
use super::refusal::Refusal;
use super::template::fill;
use super::{File, Recipe, Target, named, table};
use std::fmt::Write;

pub const TARGET: Target = Target {
    name: "bleak",
    says: "a Python program with bleak, for Linux, macOS and Windows",
    ending: "py",
    write,
};

const PROGRAM: &str = include_str!("templates/bleak.py");

fn write(handshake: &Handshake) -> Result<Recipe, Refusal> {
    let device = &handshake.device;
    let mut data = format!("ADDRESS = \"{}\"\n", device.address);
    let name = python(device.name.as_deref().unwrap_or_default());
    let _ = writeln!(data, "NAME = {name}  # macOS hides addresses: there the name tells");
    data.push_str(
        "# What to do, with which characteristic, at which handle, with which value.\nSTEPS = [\n",
    );
    for step in named::steps(handshake, TARGET.name)? {
        let named::Step { what, uuid, handle, value, .. } = step;
        let value = hex(value);
        let _ = writeln!(
            data,
            "    (\"{what}\", \"{uuid}\", {handle:#06x}, bytes.fromhex(\"{value}\")),"
        );
    }
    data.push_str("]\n");
    let text = fill(
        PROGRAM,
        &[
            ("@TABLE@\n", &table::comment(handshake, "#")),
            ("@CONTENT@", handshake.content.says),
            ("@DATA@\n", &data),
        ],
    );
    let mut recipe = Recipe::of(vec![File::of("cure.py", text)]);
    if let Some(budget) = handshake.fails.as_ref().and_then(|fails| fails.budget) {
        recipe.says.push(format!(
            "on Linux BlueZ discovers everything before bleak may write, and this device waits only {}: install the files of `--for bluez-files` too, or use `--for att-socket`",
            budget.deadline
        ));
    }
    Ok(recipe)
}
