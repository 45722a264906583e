//! Figures of finished trials, kept beside their raw files: a report reads no raw data twice.
//!
//! `figures/trial-0001.zst` has the figures of a trial and its rows of the tables of single trials, as one frame of zstd each: the rows
//! are five times as large, and read only where tables are written. It is a cache: its key is the SHA-256 of the raw file, of the
//! experiment, of the run's name and of the build of kvmfair. A file with another key, a damaged one or none means that the figures
//! are computed from the raw data, and kept. A raw file that nobody has touched since is not read again for its digest.

use std::cell::RefCell;
use std::fs;
use std::io::{Read, Write};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zstd::zstd_safe::DCtx;

use super::admission::{ReadTrial, TrialReader};
use super::run_dir::RunDir;
use super::run_dir_error::RunDirError;
use crate::directory::{FileError, FileStamp};
use crate::figures::{TrialFigures, timeline};
use crate::profile::Experiment;
use crate::raw::RawTrial;
use crate::report::{Provenance, tables};
use crate::table::Table;

/// Where they are kept.
const DIRECTORY: &str = "figures";
/// More than the figures and rows of any trial, bytes, compressed or not.
const LARGEST: u64 = 256 << 20;
/// zstd's level: the fastest.
const LEVEL: i32 = 1;
/// Rows of `timeline.csv` for one trial, at most.
const ROWS_OF_TRIAL: usize = 20_000;
/// The same of a run: some 20 MB. Of many trials, slices are longer.
const ROWS_OF_RUN: usize = 250_000;
/// Trials in `timeline.csv`: with more, a trial would have fewer than 1,000 rows, which show nothing.
const TRIALS_OF_TIMELINE: usize = 250;

/// Another build may compute other figures, released or not.
static BUILD: LazyLock<String> = LazyLock::new(|| {
    let file = std::env::current_exe().and_then(fs::metadata).ok();
    let identity = file.map(|file| (file.len(), file.modified().ok()));
    format!("{} {identity:?}", env!("CARGO_PKG_VERSION"))
});

thread_local! {
    /// To make one anew for each frame would take longer than to decompress most frames.
    static DECODER: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// What a report needs of a trial: its figures, and its rows of each of [`headers`]' tables as CSV.
type KeptTrial = ReadTrial<Vec<String>>;

/// The first frame of a file; the rows follow.
#[derive(Serialize, Deserialize)]
struct Description {
    /// The digest of all that the figures depend on.
    key: String,
    /// The same without the raw file, and how that was.
    context: String,
    raw: FileStamp,
    figures: TrialFigures,
    /// Bytes of the rows of each table.
    lengths: Vec<usize>,
}

/// Reads trials of one run, from what is kept or from their raw files.
pub(super) struct Keeper<'r> {
    dir: &'r RunDir,
    experiment: &'r Experiment,
    provenance: &'r Provenance,
    /// The digest of what the figures of all trials depend on beside their raw data.
    context: Sha256,
    /// Whether figures that are not kept yet will be.
    keeps: bool,
    /// Whether rows that are kept are read.
    reads_rows: bool,
}

impl<'r> Keeper<'r> {
    pub fn new(dir: &'r RunDir, experiment: &'r Experiment, provenance: &'r Provenance) -> Keeper<'r> {
        let described = serde_json::to_string(experiment).unwrap_or_default();
        let context = Sha256::new_with_prefix([BUILD.as_str(), &provenance.run, &described].join("\n"));
        Keeper { dir, experiment, provenance, context, keeps: true, reads_rows: true }
    }

    /// One whose trials may be without rows.
    pub fn without_rows(self) -> Keeper<'r> {
        Keeper { reads_rows: false, ..self }
    }

    /// One that writes nothing.
    pub fn for_reading(self) -> Keeper<'r> {
        Keeper { keeps: false, ..self }
    }

    /// The raw samples in a file with all figures; what is kept is not used.
    ///
    /// # Errors
    /// As [`TrialReader::trial`].
    pub fn measured(&self, name: &str) -> Result<(RawTrial, TrialFigures), RunDirError> {
        self.decoded(name, &self.dir.read_bytes(name)?)
    }

    fn decoded(&self, name: &str, bytes: &[u8]) -> Result<(RawTrial, TrialFigures), RunDirError> {
        let raw = self.dir.decode_trial(name, bytes)?;
        let figures = TrialFigures::compute(&raw, &self.experiment.timing);
        Ok((raw, figures))
    }

    /// What is kept in a file, if it is of this raw file.
    fn kept(&self, raw: &str, file: &str, stamp: FileStamp) -> Option<KeptTrial> {
        let kept = KeptFile::read(self.dir, file)?;
        let Description { context, raw: then, key, .. } = &kept.described;
        let is_unchanged = *then == stamp && *context == hexadecimal(self.context.clone());
        let is_same = is_unchanged || *key == self.key(&self.dir.read_bytes(raw).ok()?);
        if is_same { kept.into_trial(self.reads_rows) } else { None }
    }

    fn key(&self, raw: &[u8]) -> String {
        hexadecimal(self.context.clone().chain_update(raw))
    }

    /// The rows of a trial in each of [`headers`]' tables; without its raw samples it has no course.
    pub fn tables(&self, figures: &TrialFigures, raw: Option<&RawTrial>) -> Vec<Table> {
        let one = std::slice::from_ref(figures);
        let mut tables = tables::per_trial(self.experiment, self.provenance, one);
        // What is excluded has no course.
        let course = raw.filter(|_| figures.numbers.is_some()).map(|raw| {
            let points = timeline(raw, &self.experiment.timing, self.rows_of_trial());
            (raw.trial, &raw.configuration, points)
        });
        tables.push(tables::timeline(self.experiment, self.provenance, course));
        tables
    }

    fn rows(&self, figures: &TrialFigures, raw: Option<&RawTrial>) -> Vec<String> {
        let shown = raw.filter(|_| figures.trial as usize <= TRIALS_OF_TIMELINE);
        self.tables(figures, shown).iter().map(Table::to_csv_rows).collect()
    }

    fn rows_of_trial(&self) -> usize {
        let trials = self.experiment.configurations.len() * self.experiment.timing.repeats as usize;
        ROWS_OF_TRIAL.min(ROWS_OF_RUN / trials.clamp(1, TRIALS_OF_TIMELINE))
    }
}

impl TrialReader for Keeper<'_> {
    type Rows = Vec<String>;

    /// Figures that are kept do not replace the raw samples: a trial without these is no trial.
    fn trial(&self, name: &str) -> Result<KeptTrial, RunDirError> {
        let stamp = self.dir.stamp(name)?;
        let file = name.replacen("raw", DIRECTORY, 1);
        if let Some(trial) = self.kept(name, &file, stamp) {
            return Ok(trial);
        }
        let bytes = self.dir.read_bytes(name)?;
        let (raw, mut figures) = self.decoded(name, &bytes)?;
        let rows = self.rows(&figures, Some(&raw));
        figures.drop_details();
        let lengths = rows.iter().map(String::len).collect();
        let (key, context) = (self.key(&bytes), hexadecimal(self.context.clone()));
        let described = Description { key, context, raw: stamp, figures: figures.clone(), lengths };
        let trial = KeptTrial { figures, rows };
        if self.keeps
            && let Err(error) = write(self.dir, &file, &described, &trial.rows)
        {
            tracing::debug!("failed to keep the figures of {name}: {error}"); // the next report is slower, no more
        }
        Ok(trial)
    }

    fn excluded(&self, figures: &TrialFigures) -> Vec<String> {
        self.rows(figures, None)
    }
}

/// The tables of single trials without rows: their files' names and headers.
pub(super) fn headers(experiment: &Experiment, provenance: &Provenance) -> Vec<Table> {
    let mut tables = tables::per_trial(experiment, provenance, &[]);
    tables.push(tables::timeline(experiment, provenance, None));
    tables
}

/// A file of [`DIRECTORY`].
struct KeptFile {
    described: Description,
    bytes: Vec<u8>,
    /// Length of its first frame.
    first: usize,
}

impl KeptFile {
    /// `None` if it is absent or damaged.
    fn read(dir: &RunDir, name: &str) -> Option<KeptFile> {
        let bytes = dir.files.read(name, LARGEST).ok()?;
        let mut rest = bytes.as_slice();
        let described = rmp_serde::from_slice(&unpacked(&mut rest)?).ok()?;
        let first = bytes.len() - rest.len();
        Some(KeptFile { described, bytes, first })
    }

    /// `None` if its rows are damaged.
    fn into_trial(self, reads_rows: bool) -> Option<KeptTrial> {
        let rows = if reads_rows { self.rows()? } else { Vec::new() };
        Some(KeptTrial { figures: self.described.figures, rows })
    }

    /// The rows of each table.
    fn rows(&self) -> Option<Vec<String>> {
        let frame = unpacked(&mut &self.bytes[self.first..])?;
        let (mut rest, mut rows) = (frame.as_slice(), Vec::new());
        for length in &self.described.lengths {
            let (own, others) = rest.split_at_checked(*length)?;
            rows.push(String::from_utf8(own.to_vec()).ok()?);
            rest = others;
        }
        Some(rows)
    }
}

fn hexadecimal(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The next frame.
fn unpacked(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    DECODER.with_borrow_mut(|context| {
        let mut frame = Vec::new();
        let decoder = zstd::Decoder::with_context(bytes, context).single_frame();
        decoder.take(LARGEST).read_to_end(&mut frame).ok()?;
        Some(frame)
    })
}

/// Replaces a file as a whole. It is not synced: one that a crash cut is computed again.
fn write(dir: &RunDir, name: &str, described: &Description, rows: &[String]) -> Result<(), RunDirError> {
    let bytes = encode(described, rows).map_err(dir.content(name))?;
    dir.make(DIRECTORY)?;
    let mut file = dir.replace(name)?;
    file.write_all(&bytes).map_err(FileError::system("write", &dir.path().join(name)))?;
    Ok(file.finish_unsynced()?)
}

fn encode(described: &Description, rows: &[String]) -> std::io::Result<Vec<u8>> {
    let described = rmp_serde::to_vec_named(described).map_err(std::io::Error::other)?;
    Ok([packed(&described)?, packed(rows.concat().as_bytes())?].concat())
}

fn packed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::figures::fixture;
    use crate::report::fixture as report_fixture;

    /// Nobody can tell whether a file was read. So what is kept says something else than the raw file, under another digest: it is
    /// believed as long as the raw file was not touched.
    #[test]
    fn a_raw_file_that_nobody_touched_is_not_read_again_and_one_that_was_touched_is() {
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::create(base.path(), "kept", "now").unwrap();
        let (experiment, provenance, _) = report_fixture::run();
        let name = "raw/trial-0001.zst";
        dir.write_raw(name, &fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0])).unwrap();
        let keeper = Keeper::new(&dir, &experiment, &provenance);
        let attempt = || keeper.trial(name).unwrap().figures.attempt;
        assert_eq!(attempt(), 1);
        let kept = "figures/trial-0001.zst";
        let mut file = KeptFile::read(&dir, kept).unwrap();
        file.described.figures.attempt = 7;
        file.described.key = "another".into();
        write(&dir, kept, &file.described, &file.rows().unwrap()).unwrap();
        assert_eq!(attempt(), 7);
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(attempt(), 1);
    }

    #[test]
    fn a_frame_is_read_whatever_came_before_it() {
        let several_blocks: Vec<u8> =
            (0..300_000_u32).map(|place| (place.wrapping_pow(2) >> 5) as u8).collect();
        let whole = packed(&several_blocks).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for damaged in [&whole[..whole.len() / 2], &flipped, b"a text of somebody else"] {
            assert_eq!(unpacked(&mut &damaged[..]), None);
            assert_eq!(unpacked(&mut whole.as_slice()), Some(several_blocks.clone()));
        }
    }
}
