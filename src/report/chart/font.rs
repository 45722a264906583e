//! The charts' font, embedded so that a picture looks the same everywhere; and text cut to a measured width.

use std::sync::LazyLock;

use ttf_parser::Face;

/// The family in the font files. resvg finds a font by it, case-sensitively, and leaves out all text where there is none.
pub(super) const FAMILY: &str = "Inter";
/// What the SVG asks for: readers without the font get a similar one.
pub(super) const FAMILIES: &str = "Inter, Helvetica, Arial, sans-serif";
/// Inter (SIL Open Font License 1.1, see fonts/OFL.txt).
pub(super) static REGULAR: &[u8] = include_bytes!("../fonts/Inter-Regular.otf");
/// Its heavier weight, for titles and labels.
pub(super) static SEMI_BOLD: &[u8] = include_bytes!("../fonts/Inter-SemiBold.otf");

static FACES: LazyLock<[Option<Face>; 2]> =
    LazyLock::new(|| [REGULAR, SEMI_BOLD].map(|data| Face::parse(data, 0).ok()));

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

    /// Width of `text`, px, without kerning; a safe guess for what the font does not have.
    pub fn width(self, text: &str) -> f64 {
        text.chars().map(|c| self.advance(c).unwrap_or(0.7)).sum::<f64>() * self.size + 1.0
    }

    /// Width of a character, em.
    fn advance(self, character: char) -> Option<f64> {
        let face = FACES[usize::from(self.bold)].as_ref()?;
        let advance = face.glyph_hor_advance(face.glyph_index(character)?)?;
        Some(f64::from(advance) / f64::from(face.units_per_em()))
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
        assert!(FACES.iter().all(Option::is_some));
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
