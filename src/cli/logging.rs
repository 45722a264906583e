//! Logs: to standard error as far as `-v` asks, and everything to a file in the run directory.

use std::fs::File;
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging; once in a process.
pub fn start(verbose: u8, file: Option<File>) {
    let level = match verbose {
        0 => LevelFilter::OFF, // warnings are part of the results
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let stderr =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).with_filter(level);
    let file = file.map(|file| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(Mutex::new(file))
            .with_filter(LevelFilter::DEBUG)
    });
    tracing_subscriber::registry().with(stderr).with(file).init();
}
