//! What a run directory has for readers, written anew: the tables of all trials, the charts, the report.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};

use super::due::Due;
use super::in_order::in_order;
use super::loading::PlanAsRead;
use super::{Results, RunDirError};
use crate::report::chart::{Chart, charts, lab, png};
use crate::report::html::{self, Underway};
use crate::report::{self, Document, Model, tables};

impl Results {
    /// Writes tables, report and charts.
    ///
    /// # Errors
    /// If a chart cannot be drawn or the run directory cannot be written.
    pub fn finish(&mut self) -> Result<()> {
        self.finish_with(|_| ())
    }

    /// The same, and what somebody wants to see of what was written: it costs less than to work it out again.
    ///
    /// # Errors
    /// As of [`Results::finish`].
    pub fn finish_with<T>(&mut self, see: impl FnOnce(&Model) -> T) -> Result<T> {
        self.underway = false;
        self.write_single_tables()?;
        self.write_dictionary()?;
        let begun = Instant::now();
        let model = self.model(); // once: it takes long for a large run
        let (charts, document) = thread::scope(|scope| {
            let drawn = scope.spawn(|| pictures(&model));
            self.write_comparisons(&model)?;
            let document = Document::new(&model);
            anyhow::Ok((drawn.join().unwrap_or_else(|panic| resume_unwind(panic))?, document))
        })?;
        let due = Due::after(begun, Instant::now());
        self.dir.make("charts")?;
        let seen = thread::scope(|scope| {
            let drawn = scope.spawn(|| self.write_charts(&charts)); // the other CPUs draw while this one writes the report
            let markdown = report::markdown::report(&document, &charts);
            self.write_page(&document, &charts)?;
            self.dir.write("report.md", markdown.as_bytes())?;
            let seen = see(&model);
            drawn.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            anyhow::Ok(seen)
        })?;
        self.due = due;
        Ok(seen)
    }

    /// The tables of all trials, those of single trials where they are not on the disk, and the page of a run that goes on.
    pub(super) fn write_tables(&mut self) -> Result<()> {
        self.write_single_tables()?;
        let begun = Instant::now();
        let model = self.model();
        self.write_comparisons(&model)?;
        if self.underway {
            self.write_page(&Document::new(&model), &pictures(&model)?)?;
        }
        self.due = Due::after(begun, Instant::now());
        Ok(())
    }

    /// What a run leaves that ended before its tables were written.
    fn write_last(&mut self) -> Result<()> {
        self.write_tables()?;
        let model = self.model();
        self.write_page(&Document::new(&model), &pictures(&model)?)
    }

    fn write_single_tables(&mut self) -> Result<()> {
        if !self.has_single_tables {
            self.load_trials(&PlanAsRead::new(&self.dir), true)?;
            self.write_dictionary()?;
        }
        Ok(())
    }

    /// The columns of all tables, which follow from the profile alone.
    fn write_dictionary(&self) -> Result<(), RunDirError> {
        let columns = tables::columns(&Model::new(&self.experiment, &self.provenance, &[]));
        self.dir.write(&columns.file_name(), columns.to_csv().as_bytes())
    }

    /// The tables that are made of all trials.
    fn write_comparisons(&self, model: &Model) -> Result<()> {
        for table in tables::of_all_trials(model) {
            self.dir.write(&table.file_name(), table.to_csv().as_bytes())?;
        }
        Ok(())
    }

    fn write_charts(&self, charts: &[Chart]) -> Result<()> {
        in_order(
            charts,
            |chart| (chart, png(&chart.svg)),
            |(chart, png)| {
                self.dir.write(&format!("charts/{}.svg", chart.name), chart.svg.as_bytes())?;
                let png = png.with_context(|| format!("failed to draw {}", chart.name))?;
                Ok(self.dir.write(&format!("charts/{}.png", chart.name), &png)?)
            },
        )
    }

    /// The report that a browser may have open.
    fn write_page(&self, document: &Document, pictures: &[Chart]) -> Result<()> {
        let underway = Underway { done: self.trials.len(), planned: self.planned };
        let page = html::report(document, pictures, self.underway.then_some(underway));
        Ok(self.dir.write("report.html", page.as_bytes())?)
    }
}

/// All pictures of a run: its charts and its lab.
fn pictures(model: &Model) -> Result<Vec<Chart>> {
    Ok(charts(model)?.into_iter().chain(lab(model)?).collect())
}

impl Drop for Results {
    fn drop(&mut self) {
        let unfinished = std::mem::take(&mut self.underway);
        if (self.due.behind || unfinished)
            // While a panic is under way a second one would end the process before the lab is taken down.
            && let Err(error) = catch_unwind(AssertUnwindSafe(|| self.write_last()))
                .unwrap_or_else(|_| Err(anyhow!("kvmfair panicked")))
        {
            tracing::warn!("failed to write the tables (hint: `kvmfair report`): {error:#}");
        }
    }
}
