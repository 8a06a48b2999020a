//! One declaration a PDU: number, name, fields in wire order, example bytes.
//!
//! Enum, decoder, encoder, names, printing and the table test all come from it.

/// Declares an enum of PDUs that one number tells apart.
macro_rules! pdus {
    (
        $(#[$meta:meta])*
        $Pdu:ident: $Code:ty {
            $($(#[$vmeta:meta])* $code:literal $name:ident $text:literal { $($field:ident: $ty:ty),* $(,)? } $example:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq)]
        pub enum $Pdu<'a> {
            $($(#[$vmeta])* $name { $($field: $ty),* },)*
            /// Not declared, or not decoded: see the event's problem.
            Other { code: $Code, parameters: &'a [u8] },
        }

        /// Bytes that nobody decoded may be anything, keys included: their number stands for them.
        impl std::fmt::Debug for $Pdu<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $($Pdu::$name { $($field),* } => {
                        f.debug_struct(stringify!($name))$(.field(stringify!($field), $field))*.finish()
                    })*
                    $Pdu::Other { code, parameters } => {
                        write!(f, "Other {{ code: {code:#04x}, {} bytes }}", parameters.len())
                    }
                }
            }
        }

        impl<'a> $Pdu<'a> {
            /// Reads what follows the number. `cut` says that the capture did not keep all of it.
            pub fn decode(code: $Code, input: &'a [u8], cut: bool) -> (Self, Option<$crate::packet::Problem>) {
                Self::decode_as(code, input, cut, |pdu| pdu)
            }

            /// The same for whoever puts the PDU into something larger: `whole` does that where the
            /// fields are read, so that no PDU is moved from one place to the next.
            #[inline]
            #[allow(clippy::redundant_closure_call, reason = "`?` needs a function around the fields")]
            pub(crate) fn decode_as<T>(
                code: $Code,
                input: &'a [u8],
                cut: bool,
                whole: impl Fn(Self) -> T,
            ) -> (T, Option<$crate::packet::Problem>) {
                use $crate::packet::Problem;
                #[allow(unused_imports, reason = "a table without fields needs none")]
                use $crate::packet::field::Field;
                match code {
                    $($code => {
                        let fields = (|| -> nom::IResult<&'a [u8], _> {
                            let rest = input;
                            $(let (rest, $field) = <$ty as Field>::parse(rest)?;)*
                            Ok((rest, ($($field,)*)))
                        })();
                        if let Ok((rest, ($($field,)*))) = fields {
                            // More than the specification has: the values stand, the packet is marked.
                            let problem = if rest.is_empty() && !cut { None } else { Some(Problem::short(cut)) };
                            return (whole($Pdu::$name { $($field),* }), problem);
                        }
                    })*
                    _ => return (whole($Pdu::Other { code, parameters: input }), Some(Problem::Unknown)),
                }
                (whole($Pdu::Other { code, parameters: input }), Some(Problem::short(cut)))
            }

            /// Writes what follows the number.
            pub fn encode(&self, out: &mut Vec<u8>) {
                #[allow(unused_imports, reason = "a table without fields needs none")]
                use $crate::packet::field::Field;
                match self {
                    $($Pdu::$name { $($field),* } => { $(<$ty as Field>::encode($field, out);)* })*
                    $Pdu::Other { parameters, .. } => out.extend_from_slice(parameters),
                }
            }

            /// The number that tells this PDU from the others.
            pub fn code(&self) -> $Code {
                match self {
                    $($Pdu::$name { .. } => $code,)*
                    $Pdu::Other { code, .. } => *code,
                }
            }

            /// The specification's name of a number that this table declares.
            pub fn name_of(code: $Code) -> Option<&'static str> {
                match code { $($code => Some($text),)* _ => None }
            }

            /// The specification's name, if this table declares the number.
            pub fn name(&self) -> Option<&'static str> {
                Self::name_of(self.code())
            }

            /// Hands every field to the sink, in wire order.
            #[allow(unused_variables, reason = "a table without fields needs none")]
            pub fn fields(&self, sink: &mut dyn $crate::packet::field::FieldSink) {
                #[allow(unused_imports, reason = "a table without fields needs none")]
                use $crate::packet::field::Field;
                match self {
                    $($Pdu::$name { $($field),* } => { $(<$ty as Field>::show($field, stringify!($field), sink);)* })*
                    $Pdu::Other { .. } => {}
                }
            }

            /// Every declared number, its name, and an example in hexadecimal.
            pub const EXAMPLES: &'static [($Code, &'static str, &'static str)] = &[$(($code, $text, $example),)*];
        }
    };
}
pub(crate) use pdus;

/// Checks a table: every example decodes to its entry without a problem and encodes back.
#[cfg(test)]
macro_rules! check_table {
    ($Pdu:ident) => {
        for (code, name, example) in $Pdu::EXAMPLES {
            let bytes = $crate::packet::pdus::hex(example);
            let (pdu, problem) = $Pdu::decode(*code, &bytes, false);
            assert_eq!(problem, None, "{name}: {pdu:?}");
            assert_eq!(pdu.name(), Some(*name));
            assert_eq!(pdu.code(), *code);
            let mut out = Vec::new();
            pdu.encode(&mut out);
            assert_eq!(out, bytes, "{name}");
        }
    };
}
#[cfg(test)]
pub(crate) use check_table;

/// Checks a table with any bytes: whatever decodes completely encodes to the same bytes; what was
/// cut anywhere says so, or shows a problem; a number is never lost.
#[cfg(test)]
macro_rules! check_properties {
    ($Pdu:ident) => {
        use proptest::prelude::*;
        let examples: Vec<_> = $Pdu::EXAMPLES
            .iter()
            .map(|(code, _, example)| (*code, $crate::packet::pdus::hex(example)))
            .collect();
        let bytes = prop::collection::vec(any::<u8>(), 0..80);
        let one = (0..examples.len(), bytes, any::<usize>(), any::<u8>(), any::<bool>());
        proptest!(ProptestConfig::with_cases(256), |((at, noise, place, byte, cut) in one)| {
            let (code, example) = &examples[at];
            let mut changed = example.clone();
            if !changed.is_empty() {
                let place = place % changed.len();
                changed[place] = byte;
            }
            for bytes in [&noise, &changed, example] {
                let (pdu, problem) = $Pdu::decode(*code, bytes, cut);
                prop_assert_eq!(pdu.code(), *code);
                prop_assert!(!cut || problem == Some($crate::packet::Problem::Cut));
                if matches!(pdu, $Pdu::Other { .. }) {
                    prop_assert!(problem.is_some());
                }
                let mut out = Vec::new();
                pdu.encode(&mut out);
                match problem {
                    None => prop_assert_eq!(&out, bytes),
                    // A tail beyond the specification is not kept.
                    Some(_) => prop_assert!(bytes.starts_with(&out)),
                }
                pdu.fields(&mut $crate::packet::pdus::Nothing);
                let _ = format!("{pdu:?}");
            }
            let shorter = &example[..place % (example.len() + 1)];
            let (_, problem) = $Pdu::decode(*code, shorter, true);
            prop_assert_eq!(problem, Some($crate::packet::Problem::Cut));
        });
    };
}
#[cfg(test)]
pub(crate) use check_properties;

/// Takes fields and keeps none.
#[cfg(test)]
pub(crate) struct Nothing;

#[cfg(test)]
impl crate::packet::field::FieldSink for Nothing {
    fn number(&mut self, _: &'static str, _: i64) {}
    fn text(&mut self, _: &'static str, value: &dyn std::fmt::Display) {
        let _ = value.to_string();
    }
    fn bytes(&mut self, _: &'static str, _: &[u8]) {}
    fn secret(&mut self, _: &'static str, _: usize) {}
    fn begin_list(&mut self, _: &'static str) {}
    fn begin_item(&mut self) {}
    fn end_item(&mut self) {}
    fn end_list(&mut self) {}
}

#[cfg(test)]
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
