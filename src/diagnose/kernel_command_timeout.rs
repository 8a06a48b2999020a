use super::witnessed::Line;
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::packet::Opcode;
use crate::prose::Text;
use crate::text;
use crate::trace::Trace;
use crate::witness::{Testimony, What};

pub const RULE: Rule = Rule {
    id: "kernel-command-timeout",
    title: "The kernel waited in vain for its controller",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The controller did not answer a command within the kernel's two seconds: it hangs, or its transport loses bytes. Whatever the logs say of the link then
(`Connection reset by peer`, `reason 2`), neither the device nor a program ended it.

## How it shows
`command 0x… tx timeout` or `Opcode 0x… failed: -110` in the kernel's log.

## What else it could be
A machine that was suspended at that moment.

## What to do
Update the controller's firmware; another USB port or a shorter cable; a slower UART.",
    sources: &["laboratory: a controller that stops answering"],
    check: Check::Witness(check),
    cases: &[
        Case::suspect(Confidence::Medium, "a command without an answer", || {
            Example::with_log(Trace::new().up().wait_ms(500), "\
[  100.500000] Bluetooth: hci0: command 0x0406 tx timeout
[  101.000000] Bluetooth: hci0: command 0x0406 tx timeout
")
        }),
        Case::silent("other lines of the kernel", || {
            Example::with_log(Trace::new().up().wait_ms(500), "\
[  100.500000] Bluetooth: MGMT ver 1.23
[  101.000000] Bluetooth: hci0: RTL: fw version 0x1
")
        }),
        Case::suspect(Confidence::Medium, "the kernel waits twice", || {
            Example::with_log(Trace::new().up().wait_ms(500), "\
[  100.500000] Bluetooth: hci0: command 0x0406 tx timeout
[  101.000000] Bluetooth: hci0: command 0x0406 tx timeout
")
        })
        .saying("(2 times)"),
        Case::silent("the log is of another year", || {
            Example::with_log(Trace::new().up().wait_ms(500), "\
2020-03-04T15:33:20.500000+00:00 pi kernel: Bluetooth: hci0: command 0x0406 tx timeout
2020-03-04T15:33:21.000000+00:00 pi kernel: Bluetooth: hci0: command 0x0406 tx timeout
")
        }),
    ],
};

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Update the adapter's firmware, try another USB port or a shorter cable, or another adapter.",
)];

/// Commands that nobody answered.
#[derive(Debug)]
struct InVain {
    opcode: Opcode,
    line: Line,
    count: usize,
}

fn check(_: &Scene<'_>, testimony: &Testimony) -> Option<Verdict> {
    let waits = || {
        testimony.log.claims.iter().filter_map(|claim| match claim.what {
            What::CommandTimeout(opcode) => Some((opcode, claim)),
            _ => None,
        })
    };
    let (opcode, first) = waits().next()?;
    let facts = InVain { opcode, line: Line::of(testimony, first), count: waits().count() };
    Some(Verdict::suspect(facts).sure(Confidence::Medium))
}

impl Facts for InVain {
    fn says(&self) -> Text {
        let times = crate::prose::count(self.count, "time", "times");
        text!(
            "The kernel waited in vain for the controller's answer to {} ({}): the adapter of this host hangs, and no device is to blame.",
            self.opcode,
            times
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![self.line.sight("the kernel's line")]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "peer-hangs-up-on-deadline",
            "the controller of this host did not answer",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![Text::fixed("A capture of that moment: it shows the command, and no answer.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
