//! The charts' font: embedded, so that a picture looks the same everywhere; and text cut to a measured width.
//!
//! Both engines find the font by its name: plotters by the name it is registered under, resvg by the family in the file,
//! case-sensitively, and resvg leaves out all text without a word if there is none.

use std::sync::LazyLock;

use plotters::style::{FontFamily, FontStyle, register_font};

/// The family in the font files: what resvg looks for.
pub(super) const FAMILY: &str = "Inter";
/// What the SVG says: readers without the font get a similar one.
const FAMILIES: &str = "Inter, Helvetica, Arial, sans-serif";
/// Inter (SIL Open Font License 1.1, see fonts/OFL.txt).
pub(super) static REGULAR: &[u8] = include_bytes!("../fonts/Inter-Regular.otf");
/// Its heavier weight, for titles and labels.
pub(super) static SEMI_BOLD: &[u8] = include_bytes!("../fonts/Inter-SemiBold.otf");
/// plotters divides a size by this to get the SVG's `font-size`.
const PLOTTERS_SIZE: f64 = 1.24;

/// Whether plotters took both fonts.
static REGISTERED: LazyLock<bool> = LazyLock::new(|| {
    let regular = register_font(FAMILIES, FontStyle::Normal, REGULAR).is_ok();
    register_font(FAMILIES, FontStyle::Bold, SEMI_BOLD).is_ok() && regular
});

/// Size in px of the em square, and weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Font {
    /// Height of the em square, px.
    pub size: f64,
    /// Semi-bold rather than regular.
    pub bold: bool,
}

impl Font {
    /// Regular weight.
    pub const fn regular(size: f64) -> Font {
        Font { size, bold: false }
    }

    /// Semi-bold weight.
    pub const fn bold(size: f64) -> Font {
        Font { size, bold: true }
    }

    /// plotters' word for it.
    pub fn plotters(self) -> plotters::style::FontDesc<'static> {
        let style = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        plotters::style::FontDesc::new(FontFamily::Name(FAMILIES), self.size * PLOTTERS_SIZE, style)
    }

    /// Width of `text`, px, rather over than under; a safe guess if the font cannot be read.
    pub fn width(self, text: &str) -> f64 {
        let measured = REGISTERED.then(|| self.plotters().box_size(text).ok());
        let guess = text.chars().count() as f64 * self.size * 0.7;
        measured.flatten().map_or(guess, |(width, _)| f64::from(width) + 1.0)
    }

    /// `text`, or as much of it as fits `width` with an ellipsis.
    pub fn shorten(self, text: &str, width: f64) -> String {
        if self.width(text) <= width {
            return text.into();
        }
        let mut kept: Vec<char> = text.chars().collect();
        while !kept.is_empty() {
            kept.pop();
            let short = format!("{}…", kept.iter().collect::<String>().trim_end());
            if self.width(&short) <= width {
                return short;
            }
        }
        "…".into()
    }

    /// `text` in lines that fit `width`, at most `lines`; the rest is shortened. No break at a no-break space.
    pub fn wrap(self, text: &str, width: f64, lines: usize) -> Vec<String> {
        let mut wrapped: Vec<String> = Vec::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let joined = wrapped.last().map(|line| format!("{line} {word}"));
            match (joined, wrapped.len()) {
                (Some(joined), n) if n == lines || self.width(&joined) <= width => wrapped[n - 1] = joined,
                _ => wrapped.push(word.into()),
            }
        }
        wrapped.iter().map(|line| self.shorten(line, width)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FONT: Font = Font::regular(20.0);

    #[test]
    fn the_embedded_fonts_can_be_measured() {
        assert!(*REGISTERED);
        assert!(FONT.width("iiii") < FONT.width("MMMM"));
        assert!((FONT.width("mmmmmmmmmm") - 175.0).abs() < 12.0, "{}", FONT.width("mmmmmmmmmm"));
    }

    #[test]
    fn text_that_fits_is_not_touched() {
        assert_eq!(FONT.shorten("virtio", 200.0), "virtio");
        assert_eq!(FONT.wrap("one two", 400.0, 2), ["one two"]);
    }

    #[test]
    fn shortened_text_fits_and_says_so() {
        let short = FONT.shorten("a very long name of a backend that nobody would use", 150.0);
        assert!(short.ends_with('…') && FONT.width(&short) <= 150.0, "{short}");
    }

    #[test]
    fn wrapped_lines_fit_and_the_last_one_is_shortened() {
        let lines = FONT.wrap("one two three four five six seven eight nine ten eleven twelve", 120.0, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| FONT.width(line) <= 120.0), "{lines:?}");
        assert!(lines[2].ends_with('…'));
    }
}
