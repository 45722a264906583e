//! A profile's text, as its author wrote it: an experiment, or an error of at most 200 lines that can be printed.

#![no_main]

use std::path::Path;

use kvmfair::profile::{self, HostFacts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let facts = HostFacts { memory_mib: 16_384, cpus: 8 };
    if let Err(error) = profile::parse(text, Path::new("p.toml"), facts) {
        let lines = error.to_string().lines().count();
        assert!(lines <= 200, "{lines} lines");
    }
});
