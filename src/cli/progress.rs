//! Progress of a run: on standard error a bar on a terminal, otherwise one line for each event; with `--json` lines on standard
//! output.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

use super::json::{Estimated, JsonEvent};
use super::output::{colour, counted, duration, print_stderr, shortened, stderr_width, wrapped};
use crate::figures::{Metric, Outcome, TrialFigures};
use crate::foreign_text::visible;
use crate::guest::fleet::BootNews;
use crate::profile::{Configuration, Factor};
use crate::run::event::{Event, Events, FinishedTrial};

/// The status line is no wider than a terminal usually is: a line that fills a wide one is left behind when that becomes narrower.
const WIDTH: u16 = 80;
/// What spinner and bar take of it.
const BAR: usize = 12;

/// Does some work in a runtime of its own, and shows the events that it sends.
///
/// # Errors
/// Those of the work.
pub fn with_progress<T, W: Future<Output = Result<T>>>(
    mut progress: Progress,
    work: impl FnOnce(Events) -> W,
) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(async {
        let (events, mut received) = mpsc::unbounded_channel();
        let listener = tokio::spawn(async move {
            while let Some(event) = received.recv().await {
                progress.on(&event);
            }
        });
        let outcome = work(events).await;
        listener.await.ok();
        outcome
    });
    // A call of libvirt's that never returns must not keep the lab from being undone.
    runtime.shutdown_background();
    outcome
}

/// Shows the events of a run.
pub struct Progress {
    bar: Option<ProgressBar>,
    factors: Vec<Factor>,
    json: bool,
    trials: u32,
    /// The number of the last trial in the whole plan.
    last: u32,
    guests_up: u32,
    boots: u32,
    current: String,
    end: Option<Instant>,
}

impl Progress {
    /// A bar if standard error is a terminal. `factors` name a configuration.
    pub fn new(factors: Vec<Factor>, json: bool) -> Progress {
        let bar = (!json && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
            let template = if colour(&std::io::stderr()) {
                "{spinner:.cyan} {bar:8.cyan/dim} {msg}"
            } else {
                "{spinner} {bar:8} {msg}"
            };
            bar.set_style(
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        // A profile without a sweep still names its only configuration.
        let factors = if factors.is_empty() { vec![Factor::Backend, Factor::Vms] } else { factors };
        Progress {
            bar,
            factors,
            json,
            trials: 0,
            last: 0,
            guests_up: 0,
            boots: 0,
            current: String::new(),
            end: None,
        }
    }

    /// Shows one event.
    pub fn on(&mut self, event: &Event) {
        if self.json {
            // A reader that has gone away is not an error.
            return drop(json_event(event).map(JsonEvent::print));
        }
        match event {
            Event::Preparing(step) => self.status(step.clone()),
            Event::Started { trials, last, total_s } => {
                self.last = *last;
                self.lengthen(*trials);
                self.line(&format!("{}, about {}", counted(*trials as usize, "trial"), duration(*total_s)));
            }
            Event::Extended { trials, configurations } => {
                let more = trials - self.trials;
                self.last += more;
                self.lengthen(*trials);
                let imprecise = counted(*configurations as usize, "configuration");
                let more = counted(more as usize, "more trial");
                self.line(&format!("{more}: {imprecise} not precise enough"));
            }
            Event::Trial { trial, configuration, remaining_s, boots, .. } => {
                (self.guests_up, self.boots) = (0, *boots);
                self.end = Some(Instant::now() + Duration::from_secs_f64(remaining_s.max(0.0)));
                self.current = format!("trial {trial}/{}: {}", self.last, self.describe(configuration));
                self.phase(if *boots > 0 { format!("{boots} to boot") } else { "starting the flows".into() });
            }
            Event::Boot(news) => self.booting(news),
            Event::Running { flows, for_s } => {
                self.phase(format!("{} for {}", counted(*flows as usize, "flow"), duration(*for_s)));
            }
            Event::Retrying(trial) => {
                self.guests_up = 0;
                let attempt = trial.figures.attempt;
                self.line(&format!("{} (attempt {attempt}; retrying)", self.result(&trial.figures)));
            }
            Event::Finished(trial) => self.finished(trial),
            Event::TearingDown => self.status("taking the lab down".into()),
        }
    }

    fn lengthen(&mut self, trials: u32) {
        self.trials = trials;
        if let Some(bar) = &self.bar {
            bar.set_length(u64::from(trials));
        }
    }

    fn booting(&mut self, news: &BootNews) {
        match news {
            BootNews::Ready(_) => {
                self.guests_up += 1;
                self.phase(format!("{} of {} guests ready", self.guests_up, self.boots.max(self.guests_up)));
            }
            BootNews::Again { guest, attempt, attempts } => {
                self.phase(format!("guest {guest} did not answer, boot {attempt} of {attempts}"));
            }
        }
    }

    fn finished(&mut self, trial: &FinishedTrial) {
        self.line(&self.result(&trial.figures));
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    fn result(&self, figures: &TrialFigures) -> String {
        let name = format!(
            "trial {}/{}: {}, repeat {}",
            figures.trial,
            self.last,
            self.describe(&figures.configuration),
            figures.repeat
        );
        match &figures.outcome {
            Outcome::Failed { stage, cause } => {
                format!("{name}: FAILED ({}): {cause}", format!("{stage:?}").to_lowercase())
            }
            Outcome::Invalid(reasons) => {
                let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                format!("{name}: INVALID: {}", reasons.join("; "))
            }
            Outcome::Measured => format!("{name}: {}", headline(figures)),
        }
    }

    fn describe(&self, configuration: &Configuration) -> String {
        crate::report::describe(configuration, &self.factors)
    }

    /// A step of the current trial, with the time that the rest of the run takes.
    fn phase(&self, step: String) {
        let left = self.end.map_or(0.0, |end| end.saturating_duration_since(Instant::now()).as_secs_f64());
        // An estimate that has run out is left out.
        let left = if left < 1.0 { String::new() } else { format!(", about {} left", duration(left)) };
        self.status(format!("{}: {step}{left}", self.current));
    }

    /// A status, replaced by the next one.
    fn status(&self, text: String) {
        let text = visible(&text); // a failure quotes guests
        match &self.bar {
            Some(bar) => {
                let width = usize::from(stderr_width().unwrap_or(WIDTH)).min(WIDTH.into());
                bar.set_message(shortened(&text, width.saturating_sub(BAR)));
            }
            None => print_stderr(&format!("{text}\n")),
        }
    }

    /// A line that stays.
    fn line(&self, text: &str) {
        let text = &visible(text);
        match &self.bar {
            Some(bar) => {
                bar.println(stderr_width().map_or_else(|| text.to_string(), |width| wrapped(text, width)))
            }
            None => print_stderr(&format!("{text}\n")),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What `--json` prints of an event.
fn json_event(event: &Event) -> Option<JsonEvent> {
    let estimated =
        |trials: u32, estimated_s| JsonEvent::Estimate(Estimated { trials: trials as usize, estimated_s });
    Some(match event {
        Event::Started { trials, total_s, .. } => estimated(*trials, Some(*total_s)),
        Event::Extended { trials, .. } => estimated(*trials, None),
        Event::Retrying(trial) => JsonEvent::Retry(trial.row.clone()),
        Event::Finished(trial) => JsonEvent::Trial(trial.row.clone()),
        _ => return None,
    })
}

fn headline(figures: &TrialFigures) -> String {
    let value = |metric: Metric, text: &str| metric.value(figures).map(|value| format!("{value:.0} {text}"));
    let parts = [
        value(Metric::TotalRate, "transactions/s"),
        value(Metric::Throughput, "Mbit/s"),
        value(Metric::Loss, "% lost"),
        value(Metric::MeanLatency, "µs mean"),
        value(Metric::HostCpu, "% host CPU"),
        value(Metric::BiasRate, "% bias"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
