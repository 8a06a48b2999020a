//! What to do, and on which host.
use super::Scene;
use crate::prose::Text;
use crate::timeline::{Capture, Stack};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// The host stacks that it is for. Empty: any.
    stacks: &'static [Stack],
    says: Text,
    /// The host is unknown, so the remedy says for which it is.
    names_its_stacks: bool,
}

impl Remedy {
    /// For any host, or for the device.
    pub const fn any(says: &'static str) -> Self {
        Self { stacks: &[], says: Text::fixed(says), names_its_stacks: false }
    }

    /// For hosts with one of these stacks.
    pub const fn on(stacks: &'static [Stack], says: &'static str) -> Self {
        Self { stacks, says: Text::fixed(says), names_its_stacks: false }
    }

    /// The remedy for the host that made this capture, if it is for that host. Where the stack is unknown,
    /// it is offered and names the stacks that it is for.
    pub fn offered(mut self, capture: &Capture) -> Option<Self> {
        let stack = capture.host.as_ref().map(|host| host.stack);
        let fits = stack.is_none_or(|stack| self.stacks.is_empty() || self.stacks.contains(&stack));
        self.names_its_stacks = stack.is_none() && !self.stacks.is_empty();
        fits.then_some(self)
    }

    /// What people try, and what is of no use here.
    pub fn in_vain(&self) -> bool {
        let says = self.says.to_string();
        says.contains(" will not help") || says.starts_with("Do not look for the fault")
    }

    /// In words; where the host is unknown, with the stacks that it is for.
    pub fn text(&self) -> Text {
        let mut text = Text::EMPTY;
        if self.names_its_stacks {
            text.plain("On ");
            for (at, stack) in self.stacks.iter().enumerate() {
                text.plain(if at == 0 { "" } else { ", " });
                text.plain(stack.name());
            }
            text.plain(": ");
        }
        text.and(self.says.clone())
    }
}

/// The table as a check that writes its own sentences offers it.
pub fn remedies(_: &Scene<'_>, all: &[Remedy]) -> Vec<Remedy> {
    all.to_vec()
}
