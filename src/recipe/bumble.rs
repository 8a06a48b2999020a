//! A program with Google's Bumble: a host of its own, which speaks to the controller itself.
use super::handshake::{Action, Handshake};
use super::refusal::Refusal;
use super::template::fill;
use super::{File, Recipe, Target, att_socket, table};
use std::fmt::Write;

pub const TARGET: Target = Target {
    name: "bumble",
    says: "a Python program with Bumble, which speaks to a controller of its own",
    ending: "py",
    write,
};

const PROGRAM: &str = include_str!("templates/bumble.py");

/// Where the capture does not show the interval: 30 ms.
const USUAL_INTERVAL: u16 = 24;

fn write(handshake: &Handshake) -> Result<Recipe, Refusal> {
    let mut data = att_socket::data(handshake);
    let pushed = handshake.needed().filter_map(|operation| match operation.action {
        Action::Subscribe { value, .. } => Some(format!("{:#06x}", value?)),
        _ => None,
    });
    let pushed: Vec<String> = pushed.collect();
    let _ = writeln!(
        data,
        "SUBSCRIBED = [{}]  # the values behind these descriptors",
        pushed.join(", ")
    );
    let interval = handshake.granted.map_or(USUAL_INTERVAL, |granted| granted.interval);
    let _ = writeln!(
        data,
        "INTERVAL = {}  # ms, as on the working host's link",
        f64::from(interval) * 1.25
    );
    let text = fill(
        PROGRAM,
        &[
            ("@TABLE@\n", &table::comment(handshake, "#")),
            ("@CONTENT@", handshake.content.says),
            ("@DATA@\n", &data),
        ],
    );
    Ok(Recipe::of(vec![File::of("cure.py", text)]))
}
