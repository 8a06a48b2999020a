//! The two families of LE commands for advertising, scanning and connecting.
//!
//! Since Bluetooth 5.0 each of these jobs has a legacy command and an extended one. A host may use one family only
//! until the controller is reset; a command of the other one is then refused with Command Disallowed
//! (Core, Vol 4, Part E, 3.1.1).
use crate::packet::codes::Opcode;

/// The legacy commands or the extended ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// As it was before Bluetooth 5.0.
    Legacy,
    /// Since Bluetooth 5.0.
    Extended,
}

impl Family {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Extended => "extended",
        }
    }

    /// The family that it must not be mixed with.
    pub fn other(self) -> Self {
        match self {
            Self::Legacy => Self::Extended,
            Self::Extended => Self::Legacy,
        }
    }
}

impl Opcode {
    /// The family of the command, if it is of one. Commands that only ask what the controller can do are of none.
    pub fn family(self) -> Option<Family> {
        match self.0 {
            0x2006 | 0x2008..=0x200d => Some(Family::Legacy),
            0x2036..=0x2039 | 0x203c..=0x2044 | 0x207f | 0x2085 => Some(Family::Extended),
            _ => None,
        }
    }

    /// Whether the command sets the content of legacy advertising. The specification knows one reason to refuse
    /// that with Command Disallowed: an extended command was used before.
    pub fn sets_legacy_data(self) -> bool {
        matches!(self.0, 0x2008 | 0x2009)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_has_a_command_of_either_family() {
        let of = |opcode| Opcode(opcode).family();
        for (legacy, extended) in
            [(0x2006, 0x2036), (0x200a, 0x2039), (0x200c, 0x2042), (0x200d, 0x2043)]
        {
            assert_eq!((of(legacy), of(extended)), (Some(Family::Legacy), Some(Family::Extended)));
        }
        // The tail of a pending request, questions about the controller, and the lists of devices are of none.
        for neither in [0x2007, 0x200e, 0x2010, 0x2035, 0x203a, 0x203b, 0x2045, 0x0c03] {
            assert_eq!(of(neither), None, "{neither:#06x}");
        }
    }
}
