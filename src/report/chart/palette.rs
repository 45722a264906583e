//! Colour, dash and marker of a level. They belong to the level's name: virtio looks the same in every chart of every run.
//!
//! The colours differ in lightness by 10 of 100 steps and more, and in hue for people with any colour vision: a printout in
//! greys and a slide in colour can both be read. Dash and marker say the same once more.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour(pub u8, pub u8, pub u8);

impl Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl Colour {
    /// The same hue, dark enough for text on white: contrast 4.5 (WCAG 2).
    pub fn of_text(self) -> Colour {
        let darker = |percent: u32| {
            let part = |channel: u8| (u32::from(channel) * percent / 100) as u8;
            Colour(part(self.0), part(self.1), part(self.2))
        };
        let readable = |colour: &Colour| 1.05 / (colour.luminance() + 0.05) >= 4.5;
        (1..=20).rev().map(|step| darker(5 * step)).find(readable).unwrap_or(Colour(0, 0, 0))
    }

    /// Relative luminance, 0 to 1.
    pub fn luminance(self) -> f64 {
        let [r, g, b] = self.linear();
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// Without the gamma of sRGB, 0 to 1.
    fn linear(self) -> [f64; 3] {
        [self.0, self.1, self.2].map(|channel| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        })
    }
}

/// The shape of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Inverted,
    Plus,
    Hexagon,
}

impl Marker {
    /// Its corners around a centre, px.
    pub fn outline(self, (x, y): (f64, f64)) -> Vec<(f64, f64)> {
        let corners = |count: u32, radius: f64, turned: f64| {
            let angle =
                move |corner: u32| (turned + 360.0 * f64::from(corner) / f64::from(count)).to_radians();
            (0..count)
                .map(|corner| (x + radius * angle(corner).sin(), y - radius * angle(corner).cos()))
                .collect()
        };
        match self {
            Marker::Circle => corners(24, 6.0, 0.0),
            Marker::Square => corners(4, 7.6, 45.0),
            Marker::Triangle => corners(3, 8.4, 0.0),
            Marker::Diamond => corners(4, 8.6, 0.0),
            Marker::Inverted => corners(3, 8.4, 180.0),
            Marker::Hexagon => corners(6, 7.6, 0.0),
            Marker::Plus => {
                const ARM: [(f64, f64); 12] = [
                    (-2.5, -8.0),
                    (2.5, -8.0),
                    (2.5, -2.5),
                    (8.0, -2.5),
                    (8.0, 2.5),
                    (2.5, 2.5),
                    (2.5, 8.0),
                    (-2.5, 8.0),
                    (-2.5, 2.5),
                    (-8.0, 2.5),
                    (-8.0, -2.5),
                    (-2.5, -2.5),
                ];
                ARM.iter().map(|(dx, dy)| (x + dx, y + dy)).collect()
            }
        }
    }
}

/// How a level is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pen {
    pub colour: Colour,
    /// SVG's `stroke-dasharray`.
    pub dash: &'static str,
    pub marker: Marker,
}

/// Pens that differ in all that they have.
pub(super) const PENS: [Pen; 7] = [
    Pen { colour: Colour(0x08, 0x31, 0x97), dash: "", marker: Marker::Circle },
    Pen { colour: Colour(0xab, 0x12, 0x0b), dash: "14 5", marker: Marker::Square },
    Pen { colour: Colour(0x06, 0x7e, 0x57), dash: "3 4", marker: Marker::Triangle },
    Pen { colour: Colour(0xc7, 0x67, 0xa8), dash: "14 4 3 4", marker: Marker::Diamond },
    Pen { colour: Colour(0x4c, 0xa7, 0xff), dash: "24 5", marker: Marker::Inverted },
    Pen { colour: Colour(0xf7, 0xb1, 0x0e), dash: "8 4", marker: Marker::Plus },
    Pen { colour: Colour(0x22, 0x22, 0x34), dash: "24 4 3 4 3 4", marker: Marker::Hexagon },
];

/// Lines that one picture can hold, each with a pen of its own.
pub(super) const MAX_LINES: usize = PENS.len();

/// The pens of levels that are compared with each other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pens(BTreeMap<String, Pen>);

impl Pens {
    /// A pen for each name, in the order in which the profile lists them. A name keeps its own pen unless one before it has
    /// it already; then it takes the next free one.
    pub fn assign(names: impl IntoIterator<Item = String>) -> Pens {
        let mut pens = BTreeMap::new();
        let mut used = [0; PENS.len()];
        for name in names {
            if pens.contains_key(&name) {
                continue;
            }
            let own = preferred(&name);
            let fewest = used.iter().copied().min().unwrap_or(0);
            let slot =
                (own..own + PENS.len()).map(|slot| slot % PENS.len()).find(|slot| used[*slot] == fewest);
            let slot = slot.unwrap_or(own);
            pens.insert(name, pen(slot, used[slot]));
            used[slot] += 1;
        }
        Pens(pens)
    }

    /// The pen of a name; of one that was not among those, the one that it would have alone.
    pub fn get(&self, name: &str) -> Pen {
        self.0.get(name).copied().unwrap_or(PENS[preferred(name)])
    }
}

/// A colour with its own dash and marker, or with others when it has been used before.
fn pen(slot: usize, used: usize) -> Pen {
    let other = PENS[(slot + 3 * used) % PENS.len()];
    Pen { colour: PENS[slot].colour, ..other }
}

/// The place of a name's own pen: FNV-1a of its bytes. The seed keeps the backends of the published studies apart.
fn preferred(name: &str) -> usize {
    const SEED: u64 = 5023;
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ SEED, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    ((hash >> 32) % PENS.len() as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Pens {
        Pens::assign(list.iter().map(ToString::to_string))
    }

    /// CIE L*a*b* of linear RGB.
    fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
        let f = |t: f64| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
        let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// Full colour vision, deuteranopia, protanopia and tritanopia (Machado, Oliveira and Fernandes, 2009).
    const VISIONS: [[[f64; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ];

    fn perceived(colour: Colour, vision: &[[f64; 3]; 3]) -> [f64; 3] {
        let linear = colour.linear();
        let mixed = vision.map(|row| row.iter().zip(linear).map(|(a, b)| a * b).sum::<f64>());
        lab(mixed.map(|channel: f64| channel.clamp(0.0, 1.0)))
    }

    /// Every two pens.
    fn pairs() -> impl Iterator<Item = (Pen, Pen)> {
        PENS.into_iter().enumerate().flat_map(|(index, a)| PENS[..index].iter().map(move |b| (a, *b)))
    }

    #[test]
    fn no_two_colours_are_alike_to_any_colour_vision() {
        for (a, b) in pairs() {
            for vision in &VISIONS {
                let (a, b) = (perceived(a.colour, vision), perceived(b.colour, vision));
                let distance = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                assert!(distance >= 22.0, "{distance:.1}");
            }
        }
    }

    #[test]
    fn no_two_colours_are_the_same_grey() {
        for (a, b) in pairs() {
            let apart = (perceived(a.colour, &VISIONS[0])[0] - perceived(b.colour, &VISIONS[0])[0]).abs();
            assert!(apart >= 9.5, "{} and {}: {apart:.1} of 100", a.colour, b.colour);
        }
    }

    #[test]
    fn dash_and_marker_tell_two_looks_apart_without_any_colour() {
        assert!(pairs().all(|(a, b)| a.dash != b.dash && a.marker != b.marker));
    }

    #[test]
    fn text_in_any_colour_is_readable_on_white() {
        assert!(PENS.iter().all(|pen| 1.05 / (pen.colour.of_text().luminance() + 0.05) >= 4.5));
    }

    #[test]
    fn a_level_looks_the_same_whatever_it_is_compared_with() {
        let alone = names(&["virtio"]).get("virtio");
        for others in
            [&["e1000", "virtio"][..], &["macvtap-vepa", "e1000", "virtio"], &["virtio", "macvtap-bridge"]]
        {
            assert_eq!(names(others).get("virtio"), alone, "{others:?}");
        }
    }

    #[test]
    fn the_backends_of_the_published_studies_all_have_their_own_look() {
        let studied =
            ["virtio", "e1000", "macvtap-bridge", "macvtap-vepa", "macvtap-private", "macvtap-passthru"];
        let pens = names(&studied);
        for name in studied {
            assert_eq!(pens.get(name), names(&[name]).get(name), "{name}");
        }
    }

    #[test]
    fn more_levels_than_colours_differ_in_dash_and_marker() {
        let pens: Vec<Pen> = Pens::assign((0..20).map(|level| level.to_string())).0.into_values().collect();
        assert!(pens.iter().enumerate().all(|(index, pen)| !pens[..index].contains(pen)));
    }

    #[test]
    fn as_many_levels_as_there_are_looks_share_none() {
        let pens = names(&["1", "2", "4", "8", "16", "32", "64"]);
        let markers: Vec<Marker> = pens.0.values().map(|pen| pen.marker).collect();
        assert!(markers.iter().enumerate().all(|(index, marker)| !markers[..index].contains(marker)));
    }
}
