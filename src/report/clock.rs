//! Times of a capture as text, quickly: most records share their second with the one before.
use super::line::push_micros;
use crate::time::Timestamp;

/// Writes times of one capture.
#[derive(Debug)]
pub struct Moments {
    second: i64,
    /// `2025-06-20T09:47:56.`, or nothing where no calendar has that second.
    head: String,
}

impl Default for Moments {
    fn default() -> Self {
        Self { second: i64::MIN, head: String::new() }
    }
}

impl Moments {
    /// Appends `2025-06-20T09:47:56.530123` and `zone`. False if the time is beyond any calendar.
    pub fn push(&mut self, buffer: &mut String, time: Timestamp, zone: &str) -> bool {
        let second = time.0.div_euclid(1_000_000);
        if second != self.second {
            self.second = second;
            self.head = Timestamp(second.saturating_mul(1_000_000)).wall().unwrap_or_default();
            self.head.truncate(self.head.len().saturating_sub(6));
        }
        if self.head.is_empty() {
            return false;
        }
        buffer.push_str(&self.head);
        push_micros(buffer, time.0.rem_euclid(1_000_000) as u32);
        buffer.push_str(zone);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_same_text_as_the_slow_way(times in prop::collection::vec(any::<i64>().prop_map(|us| us / 4096), 1..8)) {
            let mut moments = Moments::default();
            for time in times.iter().flat_map(|&us| [us, us.saturating_add(1)]).map(Timestamp) {
                let mut text = String::new();
                prop_assert_eq!(moments.push(&mut text, time, "Z").then_some(text), time.rfc3339());
            }
        }
    }
}
