//! What to do, for which host, and how anybody knows that it helps.
use crate::prose::Text;
use crate::timeline::{Capture, Stack};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What one does for a remedy.
    RemedyKind {
        Do "do",
        /// Often tried, and known not to help, or to do harm.
        NoUse "no use",
    }
}

/// What goes before a remedy that only the device's maker can apply.
pub(super) const FIRMWARE: &str = "In the device's firmware: ";

/// How anybody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Tried in the laboratory: the capture of the experiment, and the BlueZ versions (none: another host).
    Laboratory {
        /// The name of the experiment.
        experiment: &'static str,
        /// The BlueZ versions that it was tried with; none where it was another host.
        versions: &'static [&'static str],
    },
    /// Somebody's source code or specification says so.
    Source(&'static str),
    /// Users say so in a public thread.
    Thread(&'static str),
    /// Nobody is known who tried it.
    Unproved,
}

impl Proof {
    /// In words, as a part of a sentence.
    pub fn text(self, kind: RemedyKind) -> Text {
        let (verb, end) = match kind {
            RemedyKind::Do => ("proved", ""),
            RemedyKind::NoUse => ("tried", " in vain"),
        };
        match self {
            Proof::Laboratory { versions, .. } => {
                let mut text = Text::fixed(verb);
                for (at, version) in versions.iter().enumerate() {
                    text.plain(if at == 0 { " on BlueZ " } else { " and " });
                    text.plain(version);
                }
                text.plain(" in the laboratory");
                text.plain(end);
                text
            }
            Proof::Source(source) => Text::fixed("not tried; source: ").and(source),
            Proof::Thread(thread) => Text::fixed("not tried here; users say so: ").and(thread),
            Proof::Unproved => Text::fixed("not tried"),
        }
    }
}

/// One thing to do, or not to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What one does for it.
    pub kind: RemedyKind,
    /// The name in the table of remedies. Empty: a rule's own.
    pub id: &'static str,
    /// How it is known to help.
    pub proof: Proof,
    /// The host stacks that it is for. Empty: any.
    pub(super) stacks: &'static [Stack],
    /// It is for whoever makes the device, and not for whoever has it.
    pub(super) firmware: bool,
    says: Text,
    /// What goes before the words: for which host or library it is.
    pub(super) whose: Text,
    /// When it does not help, and what it costs.
    but: Text,
    /// Its words name the right adapter.
    adapter_named: bool,
}

impl Remedy {
    /// For any host, or for the device.
    pub const fn any(says: &'static str) -> Self {
        Self::on(&[], says)
    }

    /// For whoever makes the device.
    pub const fn firmware(says: &'static str) -> Self {
        Self {
            kind: RemedyKind::Do,
            id: "",
            proof: Proof::Unproved,
            stacks: &[],
            firmware: true,
            says: Text::fixed(says),
            whose: Text::fixed(FIRMWARE),
            but: Text::EMPTY,
            adapter_named: false,
        }
    }

    /// For hosts with one of these stacks.
    pub const fn on(stacks: &'static [Stack], says: &'static str) -> Self {
        Self::made(RemedyKind::Do, stacks, says)
    }

    /// What does not help on any host.
    pub const fn no_use(says: &'static str) -> Self {
        Self::made(RemedyKind::NoUse, &[], says)
    }

    const fn made(kind: RemedyKind, stacks: &'static [Stack], says: &'static str) -> Self {
        Self {
            kind,
            id: "",
            proof: Proof::Unproved,
            stacks,
            firmware: false,
            says: Text::fixed(says),
            whose: Text::EMPTY,
            but: Text::EMPTY,
            adapter_named: false,
        }
    }

    pub(super) fn of_table(
        (id, kind, proof): (&'static str, RemedyKind, Proof),
        (stacks, firmware): (&'static [Stack], bool),
        (whose, says, but): (Text, Text, Text),
    ) -> Self {
        let adapter_named = false;
        Self { kind, id, proof, stacks, firmware, says, whose, but, adapter_named }
    }

    /// The same with this adapter where the words name `hci0`. What was named before stays.
    #[must_use]
    pub(super) fn on_adapter(mut self, index: u16) -> Self {
        if !self.adapter_named && self.says.to_string().contains("hci0") {
            self.says = self.says.replaced("hci0", &format!("hci{index}"));
            self.adapter_named = true;
        }
        self
    }

    /// The remedy for the host that made this capture, if it is for that host. Where the stack is unknown,
    /// it is offered and names the stacks that it is for.
    pub fn offered(mut self, capture: &Capture) -> Option<Self> {
        let stack = capture.host.as_ref().map(|host| host.stack);
        let fits = stack.is_none_or(|stack| self.stacks.is_empty() || self.stacks.contains(&stack));
        if stack.is_none() && !self.stacks.is_empty() {
            self.whose = names(self.stacks);
        }
        fits.then_some(self)
    }

    /// What to do, without how it was proved.
    pub fn words(&self) -> Text {
        self.whose.clone().and(self.says.clone())
    }

    /// In words, with what limits it, what it costs and how it was proved.
    pub fn text(&self) -> Text {
        let mut text = self.words();
        if !self.but.is_empty() {
            text.plain(" ");
            text = text.and(self.but.clone());
        }
        text.plain(" (");
        let mut text = text.and(self.proof.text(self.kind));
        text.plain(")");
        text
    }
}

/// `On BlueZ, noble: `.
pub(super) fn names(stacks: &'static [Stack]) -> Text {
    let mut text = Text::fixed("On ");
    for (at, stack) in stacks.iter().enumerate() {
        text.plain(if at == 0 { "" } else { ", " });
        text.plain(stack.name());
    }
    text.plain(": ");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_says_how_it_was_proved() {
        let proof = Proof::Laboratory { experiment: "d-b-int6", versions: &["5.66", "5.82"] };
        assert_eq!(
            proof.text(RemedyKind::Do).to_string(),
            "proved on BlueZ 5.66 and 5.82 in the laboratory"
        );
        assert_eq!(
            proof.text(RemedyKind::NoUse).to_string(),
            "tried on BlueZ 5.66 and 5.82 in the laboratory in vain"
        );
        let raw = Proof::Laboratory { experiment: "a", versions: &[] };
        assert_eq!(raw.text(RemedyKind::Do).to_string(), "proved in the laboratory");
        assert_eq!(Remedy::any("Wait.").text().to_string(), "Wait. (not tried)");
    }

    #[test]
    fn a_remedy_without_a_host_names_the_stacks_that_it_is_for() {
        let capture = crate::trace::Trace::new().run();
        let remedy = Remedy::on(&[Stack::BlueZ, Stack::Noble], "Wait.").offered(&capture);
        assert_eq!(remedy.expect("offered").words().to_string(), "On BlueZ, noble: Wait.");
    }

    #[test]
    fn a_remedy_is_offered_to_the_hosts_that_it_is_for() {
        use crate::packet::hci::Command;
        let phone = Command::Other { code: 0xfd57, parameters: &[0] };
        let mut capture = crate::trace::Trace::new().done(phone).up().run();
        let mut of = |stack, remedy: Remedy| {
            capture.host.as_mut().expect("a host").stack = stack;
            remedy.offered(&capture).map(|remedy| remedy.words().to_string())
        };
        let linux = || Remedy::on(&[Stack::BlueZ, Stack::Noble], "Wait.");
        assert_eq!(of(Stack::Noble, linux()).as_deref(), Some("Wait."));
        assert_eq!(of(Stack::Android, linux()), None);
        assert_eq!(of(Stack::Android, Remedy::any("Wait.")).as_deref(), Some("Wait."));
        let unknown = crate::trace::Trace::new().run();
        let any = Remedy::any("Wait.").offered(&unknown).expect("offered");
        assert_eq!(any.words().to_string(), "Wait.");
    }

    #[test]
    fn the_adapter_is_named_once() {
        let remedy = Remedy::any("Reset hci0.").on_adapter(1);
        assert_eq!(remedy.words().to_string(), "Reset hci1.");
        assert_eq!(Remedy::any("Wait.").on_adapter(1), Remedy::any("Wait."));
        // What was said of adapter 0 stays.
        let first = Remedy::any("Reset hci0.").on_adapter(0);
        assert_eq!(first.on_adapter(1).words().to_string(), "Reset hci0.");
    }
}
