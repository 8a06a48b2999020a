//! A record's bytes as hexadecimal digits, each field in rows of its own. Keys are stars.
use super::line::push_hex;
use crate::packet::Address;
use crate::packet::secrecy::Piece;
use crate::packet::visit::Kind;
use std::fmt::Write;

/// Bytes in a row: 80 columns have room for what they mean.
const ROW: usize = 8;

/// Columns before the offset.
const INDENT: usize = 8;

/// Two stars for a byte that is, or may be, a key.
const HIDDEN: &str = "**";

/// Rows of offset, bytes, the field's name and what it means.
pub fn write(out: &mut String, pieces: Option<&[Piece]>) {
    let Some(pieces) = pieces else {
        let _ = writeln!(out, "{:INDENT$}no bytes: a part of a frame, or it may hold a key", "");
        return;
    };
    for piece in pieces.iter().filter(|piece| piece.len > 0) {
        let rows = piece.len.div_ceil(ROW);
        for row in 0..rows {
            let from = row * ROW;
            let len = ROW.min(piece.len - from);
            let mut hex = String::new();
            for at in from..from + len {
                if at > from {
                    hex.push(' ');
                }
                match piece.bytes.as_ref().and_then(|bytes| bytes.get(at)) {
                    Some(byte) => push_hex(&mut hex, &[*byte]),
                    None => hex.push_str(HIDDEN),
                }
            }
            let name = if row == 0 { meaning(piece) } else { String::new() };
            let width = ROW * 3 - 1;
            // Writing to a String cannot fail.
            let line = format!("{:INDENT$}{:04x}  {hex:width$}  {name}", "", piece.at + from);
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
}

/// The field's name, and its value where that is one number or an address.
fn meaning(piece: &Piece) -> String {
    let name = piece.name;
    let Some(bytes) = &piece.bytes else { return format!("{name}: not shown, it may be a key") };
    match piece.kind {
        Kind::Address | Kind::OwnAddress => match <[u8; 6]>::try_from(bytes.as_slice()) {
            Ok(address) => format!("{name}: {}", Address(address)),
            Err(_) => name.to_owned(),
        },
        Kind::Number
        | Kind::Count
        | Kind::Status
        | Kind::Reason
        | Kind::Link
        | Kind::OtherLink
        | Kind::Attribute
        | Kind::AddressType
        | Kind::MgmtAddressType
            if bytes.len() <= 4 && name != "header" =>
        {
            let number =
                bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            format!("{name}: {number} ({number:#x})")
        }
        _ => name.to_owned(),
    }
}

/// All digits in one word.
pub fn digits(pieces: &[Piece]) -> String {
    let mut digits = String::new();
    for piece in pieces {
        match &piece.bytes {
            Some(bytes) => push_hex(&mut digits, bytes),
            None => digits.extend(std::iter::repeat_n(HIDDEN, piece.len)),
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(name: &'static str, kind: Kind, at: usize, bytes: &[u8]) -> Piece {
        Piece { name, kind, at, len: bytes.len(), bytes: Some(bytes.to_vec()) }
    }

    #[test]
    fn each_field_has_its_rows_and_keys_are_stars() {
        let key = Piece { bytes: None, ..piece("long_term_key", Kind::Secret, 5, &[7; 17]) };
        let pieces = [
            piece("header", Kind::Number, 0, &[0x1a, 0x20, 18]),
            piece("connection_handle", Kind::Link, 3, &[0x40, 0]),
            key,
            piece("peer", Kind::Address, 22, &[1, 2, 3, 4, 5, 6]),
            piece("empty", Kind::Value, 28, &[]),
        ];
        let mut text = String::new();
        write(&mut text, Some(&pieces));
        let stars = ["**"; 8].join(" ");
        let wide = |hex: &str| format!("{hex:23}");
        let rows = [
            format!("        0000  {}  header", wide("1a 20 12")),
            format!("        0003  {}  connection_handle: 64 (0x40)", wide("40 00")),
            format!("        0005  {stars}  long_term_key: not shown, it may be a key"),
            format!("        000d  {stars}"),
            "        0015  **".to_owned(),
            format!("        0016  {}  peer: 06:05:04:03:02:01", wide("01 02 03 04 05 06")),
        ];
        assert_eq!(text, rows.join("\n") + "\n");
        assert_eq!(digits(&pieces), format!("1a20124000{}010203040506", "**".repeat(17)));
        text.clear();
        write(&mut text, None);
        assert_eq!(text, "        no bytes: a part of a frame, or it may hold a key\n");
    }
}
