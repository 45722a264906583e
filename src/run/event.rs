//! What happens in a run. Progress and log only listen; nothing here is ever waited for.

use crate::figures::TrialFigures;
use crate::guest::fleet::BootNews;
use crate::profile::Configuration;
use crate::table::Row;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The lab is being made.
    Preparing(String),
    /// The trials begin.
    Started {
        /// Their number.
        trials: u32,
        /// The number of the last one in the whole plan: more than `trials` in a partition.
        last: u32,
        /// Expected time, s.
        total_s: f64,
    },
    /// More trials follow: these configurations are not known precisely enough.
    Extended {
        /// All trials, with the new ones.
        trials: u32,
        /// Configurations.
        configurations: u32,
    },
    /// The set-up of a trial begins.
    Trial {
        /// Number in the plan.
        trial: u32,
        /// Which repeat.
        repeat: u32,
        /// What will be measured.
        configuration: Box<Configuration>,
        /// Expected time of this trial and of all after it, s.
        remaining_s: f64,
        /// Guests that have to boot.
        boots: u32,
    },
    /// A guest answers, or boots once more.
    Boot(BootNews),
    /// All flows run; the window ends after this many seconds.
    Running {
        /// Flows.
        flows: u32,
        /// Warm-up, window and cool-down, s.
        for_s: f64,
    },
    /// An attempt at a trial failed or is invalid; the trial is tried again.
    Retrying(Box<FinishedTrial>),
    /// A trial is over.
    Finished(Box<FinishedTrial>),
    /// The lab is being taken down.
    TearingDown,
}

/// A trial, or an attempt at one, that is over.
#[derive(Clone, Debug)]
pub struct FinishedTrial {
    /// Its figures.
    pub figures: TrialFigures,
    /// Its row of `trials.csv`, as far as the trials so far decide it.
    pub row: Row,
}

/// Where events go; a listener that is gone does not matter.
pub type Events = tokio::sync::mpsc::UnboundedSender<Event>;
