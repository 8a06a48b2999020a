//! What can stand behind an option: addresses, frames, zones.
use crate::cli::Minutes;
use hcidiff::case::Bound;
use hcidiff::compare::Peer;
use hcidiff::packet::Address;
use hcidiff::recipe;
use std::time::Duration;

/// An address as it is printed, `AA:BB:CC:DD:EE:FF`, in the order of the wire.
fn address(text: &str) -> Result<[u8; 6], String> {
    let mut bytes = [0; 6];
    let mut parts = text.split([':', '-']);
    for byte in bytes.iter_mut().rev() {
        let part = parts.next().filter(|part| part.len() == 2 && !part.starts_with('+'));
        *byte = part
            .and_then(|part| u8::from_str_radix(part, 16).ok())
            .ok_or("expected AA:BB:CC:DD:EE:FF")?;
    }
    match parts.next() {
        None => Ok(bytes),
        Some(_) => Err("expected AA:BB:CC:DD:EE:FF".into()),
    }
}

/// An address, or else a name.
pub fn peer(text: &str) -> Result<Peer, String> {
    match address(text) {
        Ok(bytes) => Ok(Peer::Address(Address(bytes))),
        Err(_) if text.trim().is_empty() => Err("expected an address or a name".into()),
        Err(_) => Ok(Peer::Name(text.to_owned())),
    }
}

pub fn bound(text: &str) -> Result<Bound, String> {
    Bound::parse(text).ok_or_else(|| {
        "expected a frame (431), seconds since the first record (12.5s), or a time (09:47:56)"
            .into()
    })
}

/// `431-447`, or one frame.
pub fn frames(text: &str) -> Result<(u32, u32), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let frame = |text: &str| text.trim().trim_start_matches('#').parse().ok();
    match (frame(first), frame(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        (Some(_), Some(_)) => Err("the first frame stands behind the last".into()),
        _ => Err("expected the first frame and the last, as in 431-447".into()),
    }
}

/// One of the targets of recipes.
pub fn target(name: &str) -> Result<&'static recipe::Target, String> {
    recipe::target(name).ok_or_else(|| {
        let names: Vec<&str> = recipe::TARGETS.iter().map(|target| target.name).collect();
        format!("there are {}", names.join(", "))
    })
}

/// `60`, `90s`, `5m`, `24h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time, as in 60s, 5m or 24h".to_owned();
    let (number, seconds) = match text.as_bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1),
        Some(b'm') => (&text[..text.len() - 1], 60),
        Some(b'h') => (&text[..text.len() - 1], 3_600),
        _ => (text, 1),
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(seconds) {
        Some(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => Err(wrong()),
    }
}

/// `64MB`, `1GiB`, `500k`, or bytes: units of 1024.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size, as in 64MB".to_owned();
    let unit = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let number: u64 = text[..text.len() - unit.len()].parse().map_err(|_| wrong())?;
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

/// `1` or `hci1`.
pub fn adapter(text: &str) -> Result<u16, String> {
    text.strip_prefix("hci")
        .unwrap_or(text)
        .parse()
        .map_err(|_| "expected a number, as in hci0".into())
}

/// `+02:00`, `-5`, `05:30`.
pub fn zone(text: &str) -> Result<Minutes, String> {
    let wrong = || "expected ±HH:MM, as in +02:00".to_string();
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "00"));
    let number = |text: &str| match text.len() {
        1 | 2 if text.bytes().all(|b| b.is_ascii_digit()) => {
            text.parse::<i32>().map_err(|_| wrong())
        }
        _ => Err(wrong()),
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 14 || minutes > 59 {
        return Err(wrong());
    }
    Ok(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_in_wire_order() {
        assert_eq!(address("C0:DE:C0:FF:EE:01").unwrap(), [0x01, 0xee, 0xff, 0xc0, 0xde, 0xc0]);
        assert_eq!(address("c0-de-c0-ff-ee-01").unwrap()[0], 1);
        for wrong in ["", "C0:DE", "C0:DE:C0:FF:EE:01:02", "C0:DE:C0:FF:EE:+1", "C0:DE:C0:FF:EE:0g"]
        {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_address_is_a_name() {
        assert_eq!(
            peer("C0:DE:C0:FF:EE:01"),
            Ok(Peer::Address(Address([1, 0xee, 0xff, 0xc0, 0xde, 0xc0])))
        );
        assert_eq!(peer("C0:DE"), Ok(Peer::Name("C0:DE".into())));
        assert!(peer(" ").is_err());
    }

    #[test]
    fn zones_are_minutes_east() {
        for (text, minutes) in
            [("+02:00", 120), ("-05:30", -330), ("5", 300), ("00:00", 0), ("+14:00", 840)]
        {
            assert_eq!(zone(text).unwrap(), minutes, "{text}");
        }
        for wrong in ["", "+", "15:00", "2:60", "a:00", "+1:+1", "1:2:3", "é"] {
            assert!(zone(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_have_units_and_are_not_nothing() {
        for (text, seconds) in [("60", 60), ("90s", 90), ("5m", 300), ("24h", 86_400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "s", "0", "0m", "-1", "+1", "1.5s", "1d", "99999999999999999999", "é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in
            [("64MB", 64 << 20), ("64M", 64 << 20), ("1gib", 1 << 30), ("5k", 5_120), ("7", 7)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "MB", "-1", "1.5MB", "1 MB", "1TB", "99999999999GB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn frames_have_a_first_and_a_last() {
        assert_eq!(
            (frames("431-447"), frames("7"), frames("#1 - #2")),
            (Ok((431, 447)), Ok((7, 7)), Ok((1, 2)))
        );
        for wrong in ["", "-", "447-431", "1-", "1-2-3", "a-b"] {
            assert!(frames(wrong).is_err(), "{wrong}");
        }
    }
}
