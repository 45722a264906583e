//! How a picture is drawn, whatever it shows: theme, size and type, and whether its provenance stands below it.

use std::fmt;
use std::str::FromStr;

use super::font::Font;
use super::theme::ChartTheme;

/// A slide of 16:9, 13.33 × 7.5 inches: the size that presentation programs give a new one, pt.
const SLIDE_PT: (f64, f64) = (960.0, 540.0);
/// A4 across, pt.
const A4_PT: (f64, f64) = (841.89, 595.28);
/// The same at 300 dots per inch, pixels.
const A4_PIXELS: (u32, u32) = (3508, 2480);
/// Smallest and largest side of a picture, pixels: below nothing can be read, above nobody has a screen.
const SIDES: std::ops::RangeInclusive<u32> = 320..=8192;

/// Width of an ordinary picture and its usual height, px: what its places and lengths are measured in.
pub(super) const PAGE: (f64, f64) = (1440.0, 810.0);
/// Type that the back row of a room can read, pt on a slide.
pub const READABLE_PT: f64 = 14.0;
/// The smallest type, px: 14 pt where the picture fills a slide, so 14 × 1440 ÷ 960.
const TYPE_PX: f64 = READABLE_PT * PAGE.0 / SLIDE_PT.0;
pub(super) const TEXT: Font = Font::regular(TYPE_PX);
pub(super) const BOLD: Font = Font::bold(TYPE_PX);

/// The style of a picture; the default is that of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChartStyle {
    /// Its colours.
    pub theme: ChartTheme,
    /// Its size; `None`: 1920 × 1080, and higher where it needs more.
    pub size: Option<PictureSize>,
    /// Whether the versions of everything stand below it.
    pub has_provenance: bool,
}

impl Default for ChartStyle {
    fn default() -> ChartStyle {
        ChartStyle { theme: ChartTheme::default(), size: None, has_provenance: true }
    }
}

/// Width and height of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureSize {
    /// Of the PNG, pixels.
    pub pixels: (u32, u32),
    /// A4 is printed, anything else fills a slide.
    pub(super) is_a4: bool,
}

impl PictureSize {
    /// Width and height of the drawing, px, in which [`TEXT`] is 14 pt where the picture fills a slide, or 12 pt on a sheet of A4.
    pub(super) fn page(self) -> (f64, f64) {
        let (width, height) = (f64::from(self.pixels.0), f64::from(self.pixels.1));
        let scale = if self.is_a4 { PAGE.0 / width } else { (PAGE.0 / width).min(PAGE.1 / height) };
        (scale * width, scale * height)
    }

    /// What it fills, pt: a slide, or a sheet.
    fn room_pt(self) -> (f64, f64) {
        if self.is_a4 { A4_PT } else { SLIDE_PT }
    }
}

/// Points for each px of a drawing of this size that fills a slide or its sheet.
pub fn points_per_px((width, height): (f64, f64), size: Option<PictureSize>) -> f64 {
    let room = size.map_or(SLIDE_PT, PictureSize::room_pt);
    (room.0 / width).min(room.1 / height)
}

/// A size that nothing can be drawn in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a size must be WIDTHxHEIGHT with sides of {} to {} pixels, or a4, got `{text}`", SIDES.start(), SIDES.end())]
pub struct UnknownSize {
    text: String,
}

impl FromStr for PictureSize {
    type Err = UnknownSize;

    fn from_str(text: &str) -> Result<PictureSize, UnknownSize> {
        if text.eq_ignore_ascii_case("a4") {
            return Ok(PictureSize { pixels: A4_PIXELS, is_a4: true });
        }
        let side = |side: &str| side.parse().ok().filter(|side| SIDES.contains(side));
        let sides =
            text.split_once(['x', '×']).and_then(|(width, height)| Some((side(width)?, side(height)?)));
        let pixels = sides.ok_or_else(|| UnknownSize { text: text.to_owned() })?;
        Ok(PictureSize { pixels, is_a4: false })
    }
}

impl fmt::Display for PictureSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.pixels.0, self.pixels.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(size: &str) -> (f64, f64) {
        size.parse::<PictureSize>().unwrap().page()
    }

    #[test]
    fn type_is_14_pt_where_a_picture_fills_a_slide() {
        for size in ["1920x1080", "1080x1080", "3840x2160", "800x600"] {
            let points = points_per_px(page(size), Some(size.parse().unwrap()));
            assert!((points * TYPE_PX - READABLE_PT).abs() < 1e-9, "{size}: {points}");
        }
    }

    #[test]
    fn type_is_12_pt_on_a_sheet_of_a4() {
        let size: PictureSize = "A4".parse().unwrap();
        let points = points_per_px(size.page(), Some(size)) * TYPE_PX;
        assert!((12.0..12.5).contains(&points), "{points}");
    }

    #[test]
    fn the_usual_size_is_that_of_the_report() {
        assert_eq!(page("1920x1080"), PAGE);
    }

    #[test]
    fn sizes_that_cannot_be_are_refused_with_those_that_can() {
        for bad in ["", "a5", "1920", "1920x", "0x0", "100000x10", "-5x400"] {
            let error = bad.parse::<PictureSize>().unwrap_err().to_string();
            assert!(error.contains("320 to 8192 pixels, or a4"), "{error}");
        }
    }
}
