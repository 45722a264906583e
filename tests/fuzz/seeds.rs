//! Writes what the files of a run look like into the corpora of `raw` and `records`: a fuzzer finds no format by itself.
//!
//! It fuzzes nothing. But all of this package is compiled with coverage, and only what libFuzzer is linked to can be started.

#![no_main]

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use kvmfair::plan::{self, HostCapacity};
use kvmfair::profile::{self, HostFacts};
use kvmfair::raw::{self, Accel};
use libfuzzer_sys::fuzz_target;

#[path = "../../examples/benchmark/simulated.rs"]
mod simulated;

const PROFILES: [&str; 4] =
    ["quickstart", "asada-shares-small", "nishimura-interference-small", "ping-neighbours"];

fuzz_target!(init: instead_of_fuzzing(), |_bytes: &[u8]| {});

fn instead_of_fuzzing() {
    let written = write().inspect_err(|error| eprintln!("seeds: {error:#}"));
    std::process::exit(i32::from(written.is_err()))
}

fn write() -> Result<()> {
    let corpora = std::env::args().nth(1).context("usage: seeds CORPORA")?;
    let (raws, records) = (Path::new(&corpora).join("raw"), Path::new(&corpora).join("records"));
    fs::create_dir_all(&raws)?;
    fs::create_dir_all(&records)?;
    for name in PROFILES {
        let path = Path::new("../../profiles").join(name).with_extension("toml");
        let text = fs::read_to_string(&path)?;
        let experiment = profile::parse(&text, &path, HostFacts { memory_mib: 16_384, cpus: 8 })?;
        fs::write(records.join(format!("{name}-experiment")), serde_json::to_vec(&experiment)?)?;
        let plan = plan::plan(&experiment, Accel::Tcg, HostCapacity::from(8));
        fs::write(records.join(format!("{name}-plan")), serde_json::to_vec(&plan)?)?;
        let shape = simulated::Shape { length_s: 12.0, interval_s: 0.5, host_cpus: 8 };
        let trial = simulated::trial(&experiment.configurations[0], shape, 1, 1);
        let file = raw::encode(&trial)?;
        let body = zstd::decode_all(file.as_slice())?;
        fs::write(raws.join(format!("{name}-file")), [&[1], file.as_slice()].concat())?;
        fs::write(raws.join(format!("{name}-body")), [&[0], body.as_slice()].concat())?;
    }
    Ok(())
}
