//! `kvmfair profile`

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use super::json::{self, JsonEvent, ShippedProfile};
use super::output::print;
use super::{Common, exit::Exit, inputs};
use crate::profile::shipped::{self, SHIPPED, shipped};
use crate::profile::{is_name, starter};

const EXAMPLES: &str = "\
Examples:
  kvmfair profile list
  kvmfair profile new my-lab.toml
  kvmfair profile new --from asada-backends";

const NEW_EXAMPLES: &str = "\
Examples:
  kvmfair profile new my-lab.toml
  kvmfair profile new --from asada-backends my-backends.toml";

/// Write a profile to start from, or list the shipped ones.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ProfileCommand {
    #[command(subcommand)]
    action: ProfileAction,
}

#[derive(Debug, clap::Subcommand)]
enum ProfileAction {
    /// Write a profile to start from; never overwrites a file
    #[command(after_help = NEW_EXAMPLES)]
    New {
        /// The file to write; its stem becomes the profile's name (default with --from: NAME.toml)
        #[arg(value_name = "FILE", required_unless_present = "from", value_parser = inputs::path)]
        path: Option<PathBuf>,
        /// Copy a shipped profile, as `kvmfair profile list` names it, instead of the commented starter
        #[arg(long, value_name = "NAME")]
        from: Option<String>,
    },
    /// List the shipped profiles
    List,
}

impl ProfileCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        match self.action {
            ProfileAction::List => list(common.json),
            ProfileAction::New { path, from } => common.print(&new(path, from.as_deref())?),
        }
    }
}

/// The system's error, with the next step.
fn not_created(path: &Path, error: &io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        _ if path.is_dir() => "it is a directory: name a file in it, for example DIR/my-lab.toml",
        ErrorKind::AlreadyExists => {
            "choose another name, or remove that file first: kvmfair does not overwrite it"
        }
        ErrorKind::NotFound => "its directory does not exist: create it with mkdir -p",
        ErrorKind::NotADirectory => "a part of the path is a file, not a directory: check the path",
        ErrorKind::PermissionDenied => "you may not write there: choose another directory",
        _ => "choose another directory",
    };
    anyhow!("failed to create {}: {error} (hint: {hint})", path.display())
}

/// Every shipped profile with its description.
fn list(json: bool) -> Result<Exit> {
    let described = SHIPPED.iter().map(|(name, text)| (*name, shipped::description(text)));
    if json {
        return json::print(
            described.map(|(name, description)| JsonEvent::Profile(ShippedProfile { name, description })),
        );
    }
    let width = SHIPPED.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    print(&described.map(|(name, description)| format!("{name:width$}  {description}\n")).collect::<String>())
}

/// Writes the profile; the next step.
fn new(path: Option<PathBuf>, from: Option<&str>) -> Result<String> {
    let text = match from {
        None => None,
        Some(name) => Some(shipped(name).ok_or_else(|| unknown(name))?),
    };
    let mut path = path.or_else(|| from.map(PathBuf::from)).context("a file to write must be named")?;
    if path.extension().is_none() {
        path.set_extension("toml");
    }
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if !is_name(&name) {
        bail!(
            "the name of a profile must be lower-case letters, digits and hyphens, and not begin with a hyphen, got `{name}`"
        );
    }
    let text = match (text, from) {
        (Some(text), Some(from)) => shipped::renamed(text, from, &name),
        _ => starter(&name),
    };
    let file = File::options().write(true).create_new(true).open(&path);
    let mut file = file.map_err(|error| not_created(&path, &error))?;
    file.write_all(text.as_bytes()).with_context(|| format!("failed to write {}", path.display()))?;
    Ok(format!("wrote {0}; next: kvmfair plan {0}\n", path.display()))
}

fn unknown(name: &str) -> anyhow::Error {
    let nearest = SHIPPED.iter().map(|(shipped, _)| (strsim::jaro_winkler(name, shipped), *shipped));
    let hint = match nearest.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, nearest)) if likeness > 0.8 => format!("did you mean `{nearest}`?"),
        _ => "`kvmfair profile list` lists them".into(),
    };
    anyhow!("unknown profile `{name}` (hint: {hint})")
}
