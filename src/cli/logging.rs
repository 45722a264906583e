//! Logs: to standard error as far as `-v` asks, and everything to a file in the run directory.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context, Result};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging; once in a process.
///
/// # Errors
/// If the file cannot be written.
pub fn start(verbose: u8, file: Option<&Path>) -> Result<()> {
    let level = match verbose {
        0 => LevelFilter::OFF, // warnings are part of the results
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let stderr =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).with_filter(level);
    let open = |path: &Path| {
        // A resumed run has a log already.
        let file = File::options().create(true).append(true).open(path);
        file.with_context(|| format!("failed to open {}", path.display()))
    };
    let file = file.map(open).transpose()?.map(|file| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(Mutex::new(file))
            .with_filter(LevelFilter::DEBUG)
    });
    tracing_subscriber::registry().with(stderr).with(file).init();
    Ok(())
}
