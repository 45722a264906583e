//! What the moves of a plan cost, by kind: where the time goes that is not measured.

use super::{Moving, Plan, PlannedTrial, Transition};

/// One kind of change over a whole plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindOfMove {
    /// The verb.
    pub what: &'static str,
    /// Before how many trials.
    pub times: u32,
    /// Guests that it concerns, counted each time; `None` if it is not of single guests.
    pub guests: Option<u32>,
    /// Expected time, s.
    pub total_s: f64,
}

/// How often a transition has a kind of change, and how long that takes.
type Part = (&'static str, fn(&Transition) -> usize, fn(&Moving) -> f64);

/// The changes that concern single guests, and the others.
const OF_GUESTS: [Part; 4] = [
    ("destroy", |moves| moves.destroy.len(), |moving| moving.destroy_s),
    ("pause", |moves| moves.suspend.len(), |moving| moving.pause_s),
    ("resume", |moves| moves.resume.len(), |moving| moving.resume_s),
    ("boot", |moves| moves.boot.len(), |moving| moving.boot_s),
];
const OF_OTHERS: [Part; 3] = [
    ("new wire", |moves| moves.reattach.into(), |moving| moving.wire_s),
    ("live settings", |moves| moves.settings.len(), |moving| moving.settings_s),
    ("wait for KSM, at most", |moves| moves.merge as usize, |moving| moving.merge_s),
];

/// The kinds of change that a plan has.
pub fn by_kind(plan: &Plan) -> Vec<KindOfMove> {
    let sum = |(what, count, cost): Part, of_guests: bool| {
        let with = || plan.trials.iter().filter(move |trial| count(&trial.transition) > 0);
        let guests = with().map(|trial: &PlannedTrial| count(&trial.transition) as u32).sum();
        let total_s = with().map(|trial| cost(&trial.estimate.moving)).sum();
        KindOfMove { what, times: with().count() as u32, guests: of_guests.then_some(guests), total_s }
    };
    let kinds = OF_GUESTS.map(|part| sum(part, true)).into_iter();
    kinds.chain(OF_OTHERS.map(|part| sum(part, false))).filter(|kind| kind.times > 0).collect()
}
