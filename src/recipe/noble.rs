//! A program with noble, for Node.
use super::handshake::{Action, Handshake};
use super::literal::{hex, javascript};
use super::refusal::Refusal;
use super::template::fill;
use super::{File, Recipe, Target, named, table};
use std::collections::BTreeSet;
use std::fmt::Write;

pub const TARGET: Target = Target {
    name: "noble",
    says: "a JavaScript program with noble: by handles on Linux, by UUIDs elsewhere",
    ending: "js",
    write,
};

const PROGRAM: &str = include_str!("templates/noble.js");

fn write(handshake: &Handshake) -> Result<Recipe, Refusal> {
    let device = &handshake.device;
    let mut data = format!("const ADDRESS = '{}';\n", device.address.to_string().to_lowercase());
    let name = javascript(device.name.as_deref().unwrap_or_default());
    let _ = writeln!(data, "const NAME = {name}; // macOS hides addresses: there the name tells");
    let steps = named::steps(handshake, TARGET.name)?;
    let services: BTreeSet<&String> =
        steps.iter().filter_map(|step| step.service.as_ref()).collect();
    let list: Vec<String> = services.iter().map(|uuid| format!("'{}'", short(uuid))).collect();
    let _ = writeln!(data, "const SERVICES = [{}];", list.join(", "));
    data.push_str("// What to do, with which characteristic, at which handles (value, descriptor), with which value.\nconst STEPS = [\n");
    let with_handles = handshake.needed().filter(|operation| operation.handle.is_some());
    for (step, operation) in steps.iter().zip(with_handles) {
        let value = match &operation.action {
            Action::Subscribe { bits, .. } => hex(bits),
            _ => hex(step.value),
        };
        let (what, uuid, handle) = (step.what, short(&step.uuid), step.handle);
        let written = operation.handle.unwrap_or(handle);
        let _ = writeln!(
            data,
            "  ['{what}', '{uuid}', {handle:#06x}, {written:#06x}, Buffer.from('{value}', 'hex')],"
        );
    }
    data.push_str("];\n");
    let text = fill(
        PROGRAM,
        &[
            ("@TABLE@\n", &table::comment(handshake, "//")),
            ("@CONTENT@", handshake.content.says),
            ("@DATA@\n", &data),
        ],
    );
    Ok(Recipe::of(vec![File::of("cure.js", text)]))
}

/// As noble writes UUIDs: without dashes, assigned ones in four digits.
fn short(long: &str) -> String {
    match long
        .strip_prefix("0000")
        .and_then(|rest| rest.strip_suffix("-0000-1000-8000-00805f9b34fb"))
    {
        Some(four) if four.len() == 4 => four.to_owned(),
        _ => long.replace('-', ""),
    }
}
