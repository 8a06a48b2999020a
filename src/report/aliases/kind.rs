//! What kind of thing a device is, as far as it says so itself.
use crate::timeline::Device;

/// A device that does not say what it is.
pub const DEVICE: &str = "device";

/// Appearance categories (the upper ten bits) and the word for them.
const CATEGORIES: &[(u16, &str)] = &[
    (0x01, "phone"),
    (0x02, "computer"),
    (0x03, "watch"),
    (0x04, "clock"),
    (0x05, "display"),
    (0x06, "remote"),
    (0x07, "glasses"),
    (0x08, "tag"),
    (0x09, "keyring"),
    (0x0a, "player"),
    (0x0b, "scanner"),
    (0x0c, "thermometer"),
    (0x0d, "heart-monitor"),
    (0x10, "glucose-meter"),
    (0x12, "bike-sensor"),
    (0x15, "sensor"),
    (0x16, "lamp"),
    (0x17, "fan"),
    (0x1f, "lamp"),
    (0x25, "audio"),
    (0x29, "hearing-aid"),
    (0x32, "scale"),
];

/// Human interface devices differ too much to share one word.
const HID: &[(u16, &str)] = &[(0x03c1, "keyboard"), (0x03c2, "mouse"), (0x03c4, "gamepad")];

/// `lamp`, `phone` …
pub fn of(device: &Device) -> &'static str {
    let Some(appearance) = device.appearance else { return DEVICE };
    let find = |table: &[(u16, &'static str)], key| {
        table.iter().find(|(number, _)| *number == key).map(|(_, word)| *word)
    };
    find(HID, appearance).or_else(|| find(CATEGORIES, appearance >> 6)).unwrap_or(DEVICE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers;

    #[test]
    fn the_words_follow_the_assigned_numbers() {
        for (category, word, assigned) in [
            (0x01, "phone", "Phone"),
            (0x03, "watch", "Watch"),
            (0x0c, "thermometer", "Thermometer"),
            (0x15, "sensor", "Sensor"),
            (0x16, "lamp", "Light Fixtures"),
            (0x1f, "lamp", "Light Source"),
            (0x32, "scale", "Weight Scale"),
        ] {
            assert_eq!(numbers::appearance(category << 6), Some(assigned));
            assert!(CATEGORIES.contains(&(category, word)));
        }
        assert_eq!(numbers::appearance(0x03c1), Some("Human Interface Device: Keyboard"));
    }
}
