//! One declaration a PDU: number, name, section of its specification, fields in wire order, example.
//!
//! Enum, decoder, encoder, names, printing, the walk over its fields (see [`super::visit`]), its
//! link, status and addresses, its valid ranges and the table test all come from it.

/// Declares an enum of PDUs that one number tells apart.
///
/// A field is `name: type`, then, where the type does not say what it is, `as` a
/// [`Kind`](super::visit::Kind), then, where the specification limits it, `=` the values that are
/// valid, as a pattern: `connection_interval_min: u16 = 0x0006..=0x0c80`.
macro_rules! pdus {
    (
        $(#[$meta:meta])*
        $Pdu:ident: $Code:ty, $document:literal {
            $($(#[$vmeta:meta])* $code:literal $name:ident $text:literal $section:literal {
                $($field:ident: $ty:ty $(as $kind:ident)? $(= $valid:pat)?),* $(,)?
            } $example:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq)]
        #[allow(missing_docs, reason = "fields are named as the specification names them")]
        pub enum $Pdu<'a> {
            $(#[doc = concat!("`", $text, "`: section ", $section, ".")] #[doc = ""] $(#[$vmeta])* $name { $($field: $ty),* },)*
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
            /// fields are read, so that no PDU is moved from one place to the next. It may also write it to
            /// where it stays, and give nothing back.
            #[inline]
            #[allow(clippy::redundant_closure_call, reason = "`?` needs a function around the fields")]
            pub(crate) fn decode_as<T>(
                code: $Code,
                input: &'a [u8],
                cut: bool,
                whole: impl FnOnce(Self) -> T,
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

            /// Shows every field to the visitor, in wire order: together they are all bytes that follow the number.
            #[allow(unused_variables, reason = "a table without fields needs none")]
            pub fn visit(&self, visitor: &mut dyn $crate::packet::visit::Visitor) {
                #[allow(unused_imports, reason = "a table without fields needs none")]
                use $crate::packet::field::Field;
                match self {
                    $($Pdu::$name { $($field),* } => {
                        $(<$ty as Field>::visit($field, stringify!($field), $crate::packet::pdus::kind!($ty $(, $kind)?), visitor);)*
                    })*
                    $Pdu::Other { parameters, .. } => $crate::packet::visit::opaque("parameters", parameters, visitor),
                }
            }

            /// Writes what follows the number, each field as the visitor leaves it. (The fields borrow
            /// their bytes, so they cannot be changed in place.) A visitor that changes nothing writes
            /// what [`Self::encode`] writes.
            pub fn visit_mut<V: $crate::packet::visit::VisitorMut + ?Sized>(&self, visitor: &mut V, out: &mut Vec<u8>) {
                self.visit(&mut $crate::packet::visit::Rewriter { out, visitor });
            }

            /// Writes what follows the number.
            pub fn encode(&self, out: &mut Vec<u8>) {
                self.visit(&mut $crate::packet::visit::Writer(out));
            }

            /// The link that the packet is about: its first connection handle.
            pub fn link(&self) -> Option<$crate::packet::ConnHandle> {
                self.first($crate::packet::visit::Kind::Link)
                    .and_then(|number| u16::try_from(number).ok())
                    .map($crate::packet::ConnHandle)
            }

            /// The number of the first field of this kind.
            #[inline]
            #[allow(unused_variables, reason = "most fields are of another kind")]
            pub(crate) fn first(&self, wanted: $crate::packet::visit::Kind) -> Option<i64> {
                #[allow(unused_imports, reason = "a table without fields needs none")]
                use $crate::packet::field::Field;
                match self {
                    $($Pdu::$name { $($field),* } => {
                        $(if const { $crate::packet::pdus::kind!($ty $(, $kind)?) } == wanted {
                            return <$ty as Field>::number($field);
                        })*
                    })*
                    $Pdu::Other { .. } => {}
                }
                None
            }

            /// The fields of an entry: what each is called, and what it is.
            #[allow(unused_imports, reason = "a table without fields needs none")]
            pub fn fields_of(code: $Code) -> &'static [(&'static str, $crate::packet::visit::Kind)] {
                use $crate::packet::field::Field;
                match code {
                    $($code => const { &[$((stringify!($field), $crate::packet::pdus::kind!($ty $(, $kind)?))),*] },)*
                    _ => &[],
                }
            }

            /// Where an entry is specified.
            pub fn specified_in(code: $Code) -> Option<$crate::packet::pdus::Section> {
                let section = match code { $($code => $section,)* _ => return None };
                Some($crate::packet::pdus::Section { document: $document, section })
            }

            /// The fields whose values the specification does not allow, with what it allows. Where the
            /// status is an error the other fields mean nothing, and nothing is said about them.
            #[allow(unused_variables, reason = "a table without ranges needs none")]
            pub fn out_of_range(&self, say: &mut dyn FnMut($crate::packet::pdus::OutOfRange)) {
                #[allow(unused_imports, reason = "a table without fields needs none")]
                use $crate::packet::field::Field;
                if self.first($crate::packet::visit::Kind::Status).is_some_and(|status| status != 0) {
                    return;
                }
                match self {
                    $($Pdu::$name { $($field),* } => { $(
                        $(if let Some(value) = <$ty as Field>::number($field) {
                            if !matches!(value, $valid) {
                                say($crate::packet::pdus::OutOfRange {
                                    field: stringify!($field),
                                    value,
                                    valid: stringify!($valid),
                                });
                            }
                        })?
                        <$ty as Field>::out_of_range($field, stringify!($field), say);
                    )* })*
                    $Pdu::Other { .. } => {}
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
                    $($Pdu::$name { $($field),* } => { $(<$ty as Field>::show_as($field, stringify!($field), $crate::packet::pdus::kind!($ty $(, $kind)?), sink);)* })*
                    $Pdu::Other { .. } => {}
                }
            }

            /// Every declared number, its name, and an example in hexadecimal.
            pub const EXAMPLES: &'static [($Code, &'static str, &'static str)] = &[$(($code, $text, $example),)*];
        }
    };
}
pub(crate) use pdus;

/// What a field is: what the table says, else what its type says.
macro_rules! kind {
    ($ty:ty) => {
        <$ty as $crate::packet::field::Field>::KIND
    };
    ($ty:ty, $kind:ident) => {
        $crate::packet::visit::Kind::$kind
    };
}
pub(crate) use kind;

/// Where a packet is specified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// `Core, Vol 4, Part E`
    pub document: &'static str,
    /// `7.8.12`, or a heading where the document does not count.
    pub section: &'static str,
}

impl std::fmt::Display for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}", self.document, self.section)
    }
}

/// A value that the specification does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    /// The name of the field.
    pub field: &'static str,
    /// The value that it has.
    pub value: i64,
    /// What is allowed: `0x0006..=0x0c80 | 0xffff`
    pub valid: &'static str,
}

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
            let section = $Pdu::specified_in(*code).unwrap().section;
            assert!(!section.is_empty(), "{name}");
            pdu.out_of_range(&mut |it| panic!("{name}: {it:?}"));
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
                let mut seen = $crate::packet::pdus::Seen::default();
                pdu.visit(&mut seen);
                prop_assert_eq!(seen.bytes, out.len());
                prop_assert!(!seen.advertising);
                let mut same = Vec::new();
                pdu.visit_mut(&mut $crate::packet::pdus::Unchanged, &mut same);
                prop_assert_eq!(&same, &out);
                let mut wiped = Vec::new();
                pdu.visit_mut(&mut $crate::packet::pdus::Wiped, &mut wiped);
                prop_assert_eq!(wiped, vec![0x5a; out.len()]);
                pdu.out_of_range(&mut |_| {});
                let _ = pdu.link();
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

/// Counts the bytes that a walk shows.
#[cfg(test)]
#[derive(Default)]
pub(crate) struct Seen {
    pub bytes: usize,
    pub advertising: bool,
}

#[cfg(test)]
impl crate::packet::visit::Visitor for Seen {
    fn part(&mut self, part: crate::packet::visit::Part<'_>) {
        self.bytes += part.len();
        self.advertising |= part.kind == crate::packet::visit::Kind::Advertising;
        let hidden = part.kind.is_hidden();
        assert_eq!(part.bytes().is_none(), hidden, "{part:?}");
    }
}

/// Looks at every field and changes none.
#[cfg(test)]
pub(crate) struct Unchanged;

#[cfg(test)]
impl crate::packet::visit::VisitorMut for Unchanged {
    fn part(&mut self, mut part: crate::packet::visit::PartMut<'_>) {
        let _ = part.bytes_mut();
    }
}

/// Overwrites every field, so that a byte that no field shows would be left.
#[cfg(test)]
pub(crate) struct Wiped;

#[cfg(test)]
impl crate::packet::visit::VisitorMut for Wiped {
    fn part(&mut self, mut part: crate::packet::visit::PartMut<'_>) {
        part.fill(0x5a);
    }
}

/// Takes fields and keeps none.
#[cfg(test)]
pub(crate) struct Nothing;

#[cfg(test)]
impl crate::packet::field::FieldSink for Nothing {
    fn number(&mut self, _: &'static str, _: i64) {}
    fn text(&mut self, _: &'static str, value: &dyn std::fmt::Display) {
        let _ = value.to_string();
    }
    fn said(&mut self, _: &'static str, _: &str) {}
    fn bytes(&mut self, _: &'static str, _: &[u8]) {}
    fn advertising(&mut self, _: &'static str, data: &[u8]) {
        crate::packet::ad::hex(data);
    }
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
