//! What people see while they wait: a bar on a terminal, one plain line for each event elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::exit::Exit;
use crate::figures::{Metric, Outcome, TrialFigures};
use crate::profile::{Configuration, Factor};
use crate::run::event::Event;

/// Writes to standard output. A reader that has gone away (`kvmfair … | head`) is no error.
///
/// # Errors
/// If standard output cannot be written for another reason.
pub fn print(text: &str) -> Result<Exit> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Success),
    }
}

/// Writes to standard error. What cannot be told there cannot be told anywhere, and must not change how kvmfair ends.
pub fn tell(text: &str) {
    let mut stderr = std::io::stderr().lock();
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
}

/// Whether a stream wants colours: a terminal, and NO_COLOR is not set.
pub fn colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A time for people: `8 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// Listens to a run.
pub struct Progress {
    bar: Option<ProgressBar>,
    factors: Vec<Factor>,
    json: bool,
    trials: u32,
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
                "{spinner:.cyan} {wide_msg} {bar:20.cyan/dim} {pos}/{len} trials"
            } else {
                "{spinner} {wide_msg} {bar:20} {pos}/{len} trials"
            };
            bar.set_style(
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        // A profile that sweeps nothing still has something to say about its only configuration.
        let factors = if factors.is_empty() { vec![Factor::Backend, Factor::Vms] } else { factors };
        Progress { bar, factors, json, trials: 0, guests_up: 0, boots: 0, current: String::new(), end: None }
    }

    /// Takes one event.
    pub fn on(&mut self, event: &Event) {
        match event {
            Event::Preparing(step) => self.status(step.clone()),
            Event::Started { trials, total_s } => {
                self.trials = *trials;
                if let Some(bar) = &self.bar {
                    bar.set_length(u64::from(*trials));
                }
                self.line(&format!("{trials} trial{}, about {}", plural(*trials), duration(*total_s)));
            }
            Event::Extended { trials, configurations } => {
                let more = trials - self.trials;
                self.trials = *trials;
                if let Some(bar) = &self.bar {
                    bar.set_length(u64::from(*trials));
                }
                let whose = plural(*configurations);
                self.line(&format!(
                    "{more} more trial{}: {configurations} configuration{whose} not precise enough",
                    plural(more)
                ));
            }
            Event::Trial { trial, configuration, remaining_s, boots, .. } => {
                (self.guests_up, self.boots) = (0, *boots);
                self.end = Some(Instant::now() + Duration::from_secs_f64(remaining_s.max(0.0)));
                self.current = format!("trial {trial}/{}: {}", self.trials, self.describe(configuration));
                self.phase(if *boots > 0 { format!("{boots} to boot") } else { "starting the flows".into() });
            }
            Event::GuestReady(_) => {
                self.guests_up += 1;
                self.phase(format!("{} of {} guests answer", self.guests_up, self.boots.max(self.guests_up)));
            }
            Event::Running { flows, for_s } => {
                self.phase(format!("{flows} flow{} for {}", plural(*flows), duration(*for_s)));
            }
            Event::Again(figures) => {
                self.guests_up = 0;
                self.line(&format!("{} (attempt {}, tried again)", self.result(figures), figures.attempt));
            }
            Event::Finished(figures) => self.finished(figures),
            Event::TearingDown => self.status("taking the lab down".into()),
        }
    }

    fn finished(&mut self, figures: &TrialFigures) {
        if self.json {
            // One line for each trial on standard output; who reads it may go away.
            drop(print(&format!("{}\n", serde_json::to_string(figures).unwrap_or_default())));
            return;
        }
        self.line(&self.result(figures));
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    fn result(&self, figures: &TrialFigures) -> String {
        let name = format!(
            "trial {}/{}: {}, repeat {}",
            figures.trial,
            self.trials,
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

    /// A step of the current trial, with the time that all of them will still take.
    fn phase(&self, step: String) {
        let left = self.end.map_or(0.0, |end| end.saturating_duration_since(Instant::now()).as_secs_f64());
        // An estimate that has run out says nothing.
        let left = if left < 1.0 { String::new() } else { format!(", about {} left", duration(left)) };
        self.status(format!("{}: {step}{left}", self.current));
    }

    /// Something that will be replaced by what comes next.
    fn status(&self, text: String) {
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None if self.json => {}
            None => tell(&format!("{text}\n")),
        }
    }

    /// Something that stays.
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None if self.json => {}
            None => tell(&format!("{text}\n")),
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

/// `1 trial`, `2 trials`.
pub fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn plural(n: u32) -> &'static str {
    if n == 1 { "" } else { "s" }
}

fn headline(figures: &TrialFigures) -> String {
    let value = |metric: Metric, text: &str| metric.value(figures).map(|value| format!("{value:.0} {text}"));
    let parts = [
        value(Metric::TotalRate, "transactions/s"),
        value(Metric::Throughput, "Mbit/s"),
        value(Metric::Loss, "% lost"),
        value(Metric::MeanLatency, "us mean"),
        value(Metric::HostCpu, "% host CPU"),
        value(Metric::BiasRate, "% bias"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_say_them() {
        assert_eq!(duration(7.6), "8 s");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(7_500.0), "2 h 5 min");
    }
}
