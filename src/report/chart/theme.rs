//! The themes of a picture: every colour is chosen for white paper, and changed here for another.

use super::palette::Colour;

/// What white becomes in the dark theme: `--paper` of the report's page.
pub(super) const DARK_PAPER: Colour = Colour(0x16, 0x18, 0x1d);
const WHITE: Colour = Colour(0xff, 0xff, 0xff);
/// Channels that differ by less make a grey, or a pale background.
const CHROMA_OF_GREY: u8 = 40;

/// For what a picture is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ChartTheme {
    /// Colours on white, as in the report
    #[default]
    Light,
    /// Lighter colours on a dark background
    Dark,
    /// Greys on white with a thin grid, for a printer; series differ in lightness, dash and marker
    Print,
}

impl ChartTheme {
    /// A colour in this theme.
    pub(super) fn colour(self, colour: Colour) -> Colour {
        match self {
            ChartTheme::Light => colour,
            ChartTheme::Dark => counterpart(colour),
            ChartTheme::Print => grey(colour),
        }
    }

    /// Width of a line of the grid, px.
    pub(super) fn grid_width(self) -> f64 {
        if self == ChartTheme::Print { 0.75 } else { 1.5 }
    }
}

/// The colour on dark paper. Greys and pale backgrounds change sides; other colours become as much lighter as a contrast of 4.5
/// (WCAG 2) needs.
pub(super) fn counterpart(colour: Colour) -> Colour {
    let Colour(r, g, b) = colour;
    if r.max(g).max(b) - r.min(g).min(b) < CHROMA_OF_GREY {
        let opposite =
            |channel: u8, paper: u8| 255 - (u32::from(channel) * u32::from(255 - paper) / 255) as u8;
        let Colour(red, green, blue) = DARK_PAPER;
        return Colour(opposite(r, red), opposite(g, green), opposite(b, blue));
    }
    let lighter = |percent: u32| {
        let part = |channel: u8| channel + (u32::from(255 - channel) * percent / 100) as u8;
        Colour(part(r), part(g), part(b))
    };
    (0..=20).map(|step| lighter(5 * step)).find(|light| dark_contrast(*light) >= 4.5).unwrap_or(WHITE)
}

/// Contrast on dark paper, WCAG 2.
pub(super) fn dark_contrast(colour: Colour) -> f64 {
    (colour.luminance() + 0.05) / (DARK_PAPER.luminance() + 0.05)
}

/// The grey that is as light as a colour.
fn grey(colour: Colour) -> Colour {
    let y = colour.luminance();
    // The gamma of sRGB.
    let part = if y <= 0.0031308 { 12.92 * y } else { 1.055 * y.powf(1.0 / 2.4) - 0.055 };
    let level = (255.0 * part).round() as u8;
    Colour(level, level, level)
}

#[cfg(test)]
mod tests {
    use super::super::palette::PENS;
    use super::*;

    #[test]
    fn on_paper_every_colour_is_a_grey_of_its_own_and_white_stays_white() {
        let mut greys: Vec<u8> = PENS.iter().map(|pen| ChartTheme::Print.colour(pen.colour).0).collect();
        greys.sort_unstable();
        assert!(greys.windows(2).all(|pair| pair[1] - pair[0] >= 15), "{greys:?}");
        assert_eq!(ChartTheme::Print.colour(WHITE), WHITE);
    }

    #[test]
    fn text_stays_readable_in_every_theme() {
        for text in PENS.iter().map(|pen| pen.colour.of_text()) {
            assert!(dark_contrast(ChartTheme::Dark.colour(text)) >= 4.5);
            assert!(1.05 / (ChartTheme::Print.colour(text).luminance() + 0.05) >= 4.4);
        }
    }
}
