//! Remedies for the host stack at hand.
use super::Scene;
use crate::timeline::Stack;

/// A remedy, and the stacks that it is for; none: any.
pub type Remedy = (&'static [Stack], &'static str);

/// What to do on the host that made the capture under diagnosis: what is for its stack, and what is for
/// any. Where the stack is unknown, all of them, each with its stack's name.
pub fn remedies(scene: &Scene<'_>, all: &[Remedy]) -> Vec<String> {
    let stack = scene.capture().host.as_ref().map(|host| host.stack);
    all.iter()
        .filter_map(|(stacks, text)| match stack {
            _ if stacks.is_empty() => Some((*text).to_owned()),
            Some(stack) if stacks.contains(&stack) => Some((*text).to_owned()),
            Some(_) => None,
            None => {
                let names: Vec<&str> = stacks.iter().map(|s| s.name()).collect();
                Some(format!("On {}: {text}", names.join(", ")))
            }
        })
        .collect()
}
