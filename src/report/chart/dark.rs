//! The colours of charts within a page whose theme is dark.

use std::collections::BTreeSet;

use super::frame::ALERT;
use super::palette::{Colour, LOOKS};
use super::scatter::ZONES;
use super::svg::{AXIS, FAINT, GREY, INK, WHITE};

/// What white becomes: `--paper` of the page's dark theme.
const PAPER: Colour = Colour(0x16, 0x18, 0x1d);
/// Channels that differ by less make a grey, or a pale background.
const CHROMA_OF_GREY: u8 = 40;

/// A style sheet with a rule for each colour of a chart, apart from those of heat maps, which are a scale.
pub fn dark_style() -> String {
    let rule =
        |name: &str, colour: Colour| format!("svg [{name}=\"{colour}\"]{{{name}:{}}}\n", counterpart(colour));
    let each = |colour: Colour| rule("fill", colour) + &rule("stroke", colour);
    let rules: BTreeSet<String> = colours().map(each).collect();
    rules.into_iter().collect()
}

fn colours() -> impl Iterator<Item = Colour> {
    let frame = [INK, GREY, FAINT, AXIS, WHITE, ALERT];
    let looks = LOOKS.iter().flat_map(|look| [look.colour, look.colour.of_text()]);
    frame.into_iter().chain(looks).chain(ZONES.iter().map(|(.., colour)| *colour))
}

/// Greys and pale backgrounds change sides; other colours become as much lighter as a contrast of 4.5 (WCAG 2) needs.
fn counterpart(colour: Colour) -> Colour {
    let Colour(r, g, b) = colour;
    if r.max(g).max(b) - r.min(g).min(b) < CHROMA_OF_GREY {
        let opposite =
            |channel: u8, paper: u8| 255 - (u32::from(channel) * u32::from(255 - paper) / 255) as u8;
        return Colour(opposite(r, PAPER.0), opposite(g, PAPER.1), opposite(b, PAPER.2));
    }
    let lighter = |percent: u32| {
        let part = |channel: u8| channel + (u32::from(255 - channel) * percent / 100) as u8;
        Colour(part(r), part(g), part(b))
    };
    (0..=20).map(|step| lighter(5 * step)).find(|light| contrast(*light) >= 4.5).unwrap_or(WHITE)
}

/// On dark paper, WCAG 2.
fn contrast(colour: Colour) -> f64 {
    (colour.luminance() + 0.05) / (PAPER.luminance() + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_on_white_is_read_on_dark_paper_too() {
        let looks = LOOKS.iter().flat_map(|look| [look.colour, look.colour.of_text()]);
        for colour in looks.chain([INK, GREY, ALERT]) {
            assert!(contrast(counterpart(colour)) >= 4.5, "{colour} {}", counterpart(colour));
        }
        assert_eq!(counterpart(WHITE), PAPER);
    }

    #[test]
    fn bands_stay_as_far_in_the_background_as_they_were() {
        for (.., colour) in ZONES {
            assert!(contrast(counterpart(colour)) < 1.5, "{colour} {}", counterpart(colour));
        }
    }

    #[test]
    fn no_two_levels_become_alike() {
        let dark: BTreeSet<String> = LOOKS.iter().map(|look| counterpart(look.colour).to_string()).collect();
        assert_eq!(dark.len(), LOOKS.len());
    }
}
