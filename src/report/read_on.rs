//! Where a reader of a finding reads on: the rule's page where this project has an address, else the command.
use crate::diagnose::Rule;

/// Where the project is published: `repository` of Cargo.toml. Empty where it has none, and then nothing is linked to.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The rule of a finding as a link, or with the words that show its page.
pub(super) struct ReadOn {
    rule: &'static str,
    repository: &'static str,
}

impl ReadOn {
    pub(super) fn of(rule: &'static str) -> Self {
        Self { rule, repository: REPOSITORY }
    }

    /// The page's address. `HEAD` is the main branch, whatever its name.
    fn address(&self) -> Option<String> {
        let repository = self.repository.trim_end_matches('/');
        let page = Rule::page(self.rule);
        (!repository.is_empty()).then(|| format!("{repository}/blob/HEAD/{page}"))
    }

    /// The rule in the middle of a sentence: a link, or nothing but its id.
    pub(super) fn markdown(&self) -> String {
        match self.address() {
            Some(address) => format!("[`{}`]({address})", self.rule),
            None => format!("`{}`", self.rule),
        }
    }

    /// The rule where there is room to say how to read on.
    pub(super) fn long_markdown(&self) -> String {
        match self.address() {
            Some(_) => self.markdown(),
            None => format!("`{0}` (`hcidiff explain {0}` says more)", self.rule),
        }
    }

    /// The same for a page. An id has no character that HTML would read otherwise; an address is from Cargo.toml.
    pub(super) fn html(&self) -> String {
        let rule = self.rule;
        match self.address() {
            Some(address) => format!("<a href=\"{address}\"><code>{rule}</code></a>"),
            None => format!("<code>{rule}</code> (<code>hcidiff explain {rule}</code> says more)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_project_links_to_the_page() {
        for repository in ["https://git.example/hcidiff", "https://git.example/hcidiff/"] {
            let on = ReadOn { rule: "never-heard-peer", repository };
            let address = "https://git.example/hcidiff/blob/HEAD/docs/rules/never-heard-peer.md";
            let link = format!("[`never-heard-peer`]({address})");
            assert_eq!((on.markdown(), on.long_markdown()), (link.clone(), link));
            let html = format!("<a href=\"{address}\"><code>never-heard-peer</code></a>");
            assert_eq!(on.html(), html);
        }
    }

    #[test]
    fn without_a_repository_the_command_stands_there() {
        let on = ReadOn { rule: "never-heard-peer", repository: "" };
        assert_eq!(on.markdown(), "`never-heard-peer`");
        let long = "`never-heard-peer` (`hcidiff explain never-heard-peer` says more)";
        assert_eq!(on.long_markdown(), long);
        assert!(on.html().contains("<code>hcidiff explain never-heard-peer</code>"));
        assert!(!on.html().contains("href"));
    }
}
