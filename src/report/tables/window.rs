//! The columns of `trials.csv` about the window: how fine it is, whether it was steady, who got nothing in it and who took turns.

use crate::figures::{GuestFigures, Need, Numbers};
use crate::table::{Field, integer, real, text};

const fn two_guests(field: Field<Numbers>) -> Field<Numbers> {
    field.needs(&[Need::SeveralGuests])
}

pub(super) static WINDOW: [Field<Numbers>; 7] = [
    real(
        "resolution_percent",
        "%",
        "interim intervals at the window's borders ÷ window: so far may a change of pace there move a guest's rate",
        |n| n.total.resolution_percent,
    ),
    text("starved", "guests that were starved for a tenth of the window or more, with their times", |n| {
        Some(starved(n)).filter(|text| !text.is_empty())
    }),
    integer("stalled_flows", "flows that were stalled for a tenth of the window or more", |n| {
        Some(n.stalled_flows.len() as i64)
    }),
    two_guests(real(
        "turns_period_s",
        "s",
        "after how long the order of guests that take turns comes back",
        |n| n.turns.map(|turns| turns.period_s),
    )),
    two_guests(real(
        "turns_size_percent",
        "%",
        "variation of the guests' shares that this period makes",
        |n| n.turns.map(|turns| 100.0 * turns.size),
    )),
    two_guests(real("turns_p", "", "probability that noise has so strong a period", |n| {
        n.turns.map(|turns| turns.p)
    })),
    text(
        "steadiness",
        "whether the total rate was steady from the warm-up on, or why that was not judged",
        |n| Some(n.total.steadiness.words().into()),
    ),
];

/// `guest 3: 28.0 s; guest 5: 4.5 s`
fn starved(numbers: &Numbers) -> String {
    let one = |guest: &GuestFigures| format!("guest {}: {:.1} s", guest.guest, guest.starved_s);
    numbers.starved_guests().map(one).collect::<Vec<_>>().join("; ")
}
