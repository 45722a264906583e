//! A raw file of a run directory from elsewhere: refused, or figures that are finite. An input that begins with 0 is packed as
//! kvmfair does, so that what is in the frame is reached.

#![no_main]

use std::time::Duration;

use kvmfair::figures::TrialFigures;
use kvmfair::profile::Timing;
use kvmfair::raw;
use libfuzzer_sys::fuzz_target;

const WORDS: &[u8] = b"kvmfair raw trial, format    4\n";

fn packed(body: &[u8]) -> Vec<u8> {
    let length = (WORDS.len() as u32).to_le_bytes();
    let frame = zstd::bulk::compress(body, 1).unwrap_or_default();
    [&0x184D_2A50_u32.to_le_bytes()[..], &length, WORDS, &frame].concat()
}

fuzz_target!(|bytes: &[u8]| {
    let timing = Timing {
        warmup: Duration::from_secs(2),
        window: Duration::from_secs(10),
        cooldown: Duration::from_secs(1),
        interval: Duration::from_millis(500),
        repeats: 3,
        precision: None,
    };
    let file = match bytes.split_first() {
        Some((0, body)) => packed(body),
        Some((_, file)) => file.to_vec(),
        None => return,
    };
    if let Ok(trial) = raw::decode(&file) {
        let figures = TrialFigures::compute(&trial, &timing);
        for rate in figures.numbers.iter().flat_map(|numbers| &numbers.flow_rates) {
            assert!(rate.is_finite() && *rate >= 0.0, "{rate}");
        }
    }
});
