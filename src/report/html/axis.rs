//! One time axis for all lanes: linear where something happens, idle time cut out and said.
use crate::time::Span;

/// Idle time longer than this may be cut out.
const LONG_IDLE_US: i64 = 1_000_000;

/// Width of a cut in the axis, in the picture's units.
const CUT: f64 = 34.0;

/// The early phase keeps at least this part of the width.
const EARLY_SHARE: f64 = 0.45;

/// What comes before the connection is up takes at most this part.
const BEFORE_SHARE: f64 = 0.12;

/// Most cuts: more would make the picture a row of cuts.
const MOST_CUTS: usize = 12;

/// A stretch of time that is drawn to one scale, or a cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    pub from_us: i64,
    pub to_us: i64,
    pub left: f64,
    pub right: f64,
    /// Nothing happens here; it is not drawn to scale.
    pub cut: bool,
}

/// Where times stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pieces: Vec<Piece>,
}

/// A labelled place on the axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    pub x: f64,
    pub label: String,
}

impl Axis {
    /// An axis from `left` to `right` for these stretches of activity (microseconds from T0, in any
    /// order); `early` is the end of the early phase.
    pub fn new(mut busy: Vec<(i64, i64)>, early: i64, left: f64, right: f64) -> Self {
        busy.push((0, early.max(1)));
        for stretch in &mut busy {
            stretch.1 = stretch.1.max(stretch.0);
        }
        busy.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for (from, to) in busy {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        let begin = merged.first().map_or(0, |first| first.0);
        let end = merged.last().map_or(1, |last| last.1).max(begin.saturating_add(1));
        let total = end.saturating_sub(begin);
        // What is cut: long idle time, the longest first.
        let long = LONG_IDLE_US.max(total / 12);
        let mut cuts: Vec<(i64, i64)> = merged
            .windows(2)
            .map(|pair| (pair[0].1, pair[1].0))
            .filter(|(from, to)| to.saturating_sub(*from) > long)
            .collect();
        cuts.sort_by_key(|(from, to)| std::cmp::Reverse(to.saturating_sub(*from)));
        cuts.truncate(MOST_CUTS);
        cuts.sort_unstable();
        // A little of the idle time stays on both sides of a cut.
        let margin = (long / 8).min(200_000);
        let mut pieces: Vec<(i64, i64, bool)> = Vec::new();
        let mut at = begin;
        for (from, to) in cuts {
            pieces.push((at, from + margin, false));
            pieces.push((from + margin, to - margin, true));
            at = to - margin;
        }
        pieces.push((at, end, false));
        for at in [0, early] {
            let split = pieces.iter().position(|&(from, to, cut)| !cut && from < at && at < to);
            if let Some(index) = split {
                let (from, to, _) = pieces[index];
                pieces.splice(index..=index, [(from, at, false), (at, to, false)]);
            }
        }
        Self { pieces: laid_out(&pieces, early, left, right) }
    }

    pub fn x(&self, us: i64) -> f64 {
        let Some(first) = self.pieces.first() else { return 0.0 };
        if us <= first.from_us {
            return first.left;
        }
        for piece in &self.pieces {
            if us <= piece.to_us {
                let length = (piece.to_us.saturating_sub(piece.from_us)).max(1) as f64;
                let part = us.saturating_sub(piece.from_us) as f64 / length;
                return piece.left + part.clamp(0.0, 1.0) * (piece.right - piece.left);
            }
        }
        self.pieces.last().map_or(0.0, |last| last.right)
    }

    pub fn cuts(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(|piece| piece.cut)
    }

    /// Where the scale changes without a cut.
    pub fn scale_changes(&self) -> Option<f64> {
        let scale =
            |p: &Piece| (p.right - p.left) / p.to_us.saturating_sub(p.from_us).max(1) as f64;
        let changes = self.pieces.windows(2).find(|pair| {
            !pair[0].cut && !pair[1].cut && pair[0].from_us >= 0 && {
                let (a, b) = (scale(&pair[0]), scale(&pair[1]));
                a / b > 1.01 || b / a > 1.01
            }
        });
        changes.map(|pair| pair[1].left)
    }

    /// Round times with so much room between them.
    pub fn ticks(&self, room: f64) -> Vec<Tick> {
        let mut ticks: Vec<Tick> = vec![Tick { x: self.x(0), label: "0".to_owned() }];
        for piece in self.pieces.iter().filter(|piece| !piece.cut) {
            let width = piece.right - piece.left;
            let length = piece.to_us.saturating_sub(piece.from_us).max(1);
            if width < room {
                continue;
            }
            let most = (width / room).floor().max(1.0);
            let step = nice((length as f64 / most).ceil() as i64);
            let mut at = piece.from_us.div_euclid(step).saturating_mul(step);
            // The last moment of all has none after it.
            while at <= piece.to_us && at < i64::MAX {
                let x = self.x(at);
                if at >= piece.from_us && ticks.iter().all(|tick| (tick.x - x).abs() > room * 0.6) {
                    ticks.push(Tick { x, label: Span(at).to_string() });
                }
                at = at.saturating_add(step);
            }
        }
        ticks.sort_by(|a, b| a.x.total_cmp(&b.x));
        ticks
    }
}

fn laid_out(pieces: &[(i64, i64, bool)], early: i64, left: f64, right: f64) -> Vec<Piece> {
    let length = |&(from, to, _): &(i64, i64, bool)| to.saturating_sub(from).max(1) as f64;
    // Before the connection, the early phase, and all that follows.
    let part = |piece: &(i64, i64, bool)| match piece.1 {
        to if to <= 0 => 0,
        to if to <= early => 1,
        _ => 2,
    };
    let mut lengths = [0.0; 3];
    for piece in pieces.iter().filter(|piece| !piece.2) {
        lengths[part(piece)] += length(piece);
    }
    let [before, first, later] = lengths;
    let cuts = pieces.iter().filter(|piece| piece.2).count() as f64;
    // Cuts never take more than a third.
    let cut = CUT.min((right - left) / 3.0 / cuts.max(1.0));
    let room = (right - left - cuts * cut).max(1.0);
    let total = (before + first + later).max(1.0);
    let before_share = if first + later > 0.0 { (before / total).min(BEFORE_SHARE) } else { 1.0 };
    let rest = 1.0 - before_share;
    let early_share = match (first, later) {
        (_, 0.0) => rest,
        (0.0, _) => 0.0,
        (first, later) => rest * (first / (first + later)).max(EARLY_SHARE),
    };
    let shares = [before_share, early_share, rest - early_share];
    let mut x = left;
    pieces
        .iter()
        .map(|piece| {
            let width = match piece.2 {
                true => cut,
                false => room * shares[part(piece)] * length(piece) / lengths[part(piece)].max(1.0),
            };
            let laid =
                Piece { from_us: piece.0, to_us: piece.1, left: x, right: x + width, cut: piece.2 };
            x += width;
            laid
        })
        .collect()
}

/// The next of 1, 2, 5, 10, 20 …
fn nice(at_least: i64) -> i64 {
    let mut step = 1_i64;
    for factor in [2.0, 2.5, 2.0].into_iter().cycle().take(60) {
        if step >= at_least {
            break;
        }
        step = (step as f64 * factor).round() as i64;
    }
    step.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_early_phase_keeps_its_room_and_idle_time_is_cut() {
        let axis =
            Axis::new(vec![(-20_000, 400_000), (60_000_000, 60_100_000)], 500_000, 0.0, 1000.0);
        assert_eq!(axis.cuts().count(), 1);
        assert!(axis.x(500_000) > 450.0, "{axis:?}");
        assert!((axis.x(60_100_000) - 1000.0).abs() < 0.001);
        let axis = Axis::new(vec![(-20_000, 20_000_000)], 500_000, 0.0, 1000.0);
        assert_eq!(axis.cuts().count(), 0);
        assert!((axis.x(500_000) - 450.5).abs() < 0.1);
        assert_eq!(axis.scale_changes().map(f64::round), Some(451.0));
        // Ten seconds of waiting for the link leave the room to what came then.
        let axis = Axis::new(vec![(-10_000_000, 400_000)], 500_000, 0.0, 1000.0);
        assert!((axis.x(0) - 120.0).abs() < 0.001);
    }

    #[test]
    fn round_steps() {
        assert_eq!([nice(1), nice(3), nice(11), nice(150), nice(40_000)], [1, 5, 20, 200, 50_000]);
    }

    proptest! {
        #[test]
        fn later_is_never_further_left_and_nothing_leaves_the_picture(
            busy in prop::collection::vec((prop_oneof![any::<i64>().prop_map(|t| t >> 8), Just(i64::MIN), Just(i64::MAX)], 0..100_000_000_i64), 0..40),
            early in 0..10_000_000_i64,
            times in prop::collection::vec(any::<i64>(), 2..20),
        ) {
            let busy: Vec<_> = busy.into_iter().map(|(at, length)| (at, at.saturating_add(length))).collect();
            let axis = Axis::new(busy.clone(), early, 100.0, 1100.0);
            let mut times = times;
            times.sort_unstable();
            let places: Vec<f64> = times.iter().map(|&t| axis.x(t)).collect();
            prop_assert!(places.windows(2).all(|pair| pair[0] <= pair[1] + 1e-6));
            prop_assert!(places.iter().all(|x| (99.9..=1100.1).contains(x)), "{:?}", places);
            let ticks = axis.ticks(84.0);
            prop_assert!(ticks.len() < 40);
            prop_assert!(ticks.windows(2).all(|pair| pair[0].x < pair[1].x));
            let narrow = Axis::new(busy, early, 12.0, 366.0);
            prop_assert!(times.iter().all(|&t| (11.9..=366.1).contains(&narrow.x(t))));
            prop_assert!(narrow.ticks(62.0).len() < 20);
            prop_assert!(narrow.scale_changes().is_none_or(f64::is_finite));
        }
    }
}
