//! The two widths that the picture is drawn in.

/// What a picture is drawn for.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    pub width: f64,
    /// Where the axis begins; labels stand left of it, or above where there is no room.
    pub left: f64,
    pub narrow: bool,
    /// Ticks stand at least so far apart.
    pub tick_room: f64,
    pub class: &'static str,
}

/// Screens and paper.
pub const WIDE: Format =
    Format { width: 1180.0, left: 170.0, narrow: false, tick_room: 84.0, class: "wide" };

/// A phone held upright: all of it is in sight, with less said.
pub const NARROW: Format =
    Format { width: 380.0, left: 12.0, narrow: true, tick_room: 62.0, class: "narrow" };

impl Format {
    pub fn right(&self) -> f64 {
        self.width - if self.narrow { 14.0 } else { 24.0 }
    }

    /// A place for the middle of a text of this length that keeps it in the picture.
    pub fn inside(&self, x: f64, characters: usize) -> f64 {
        let half = characters as f64 * 3.4;
        x.min(self.width - half - 2.0).max(half + 2.0)
    }
}
