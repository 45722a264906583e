//! `kvmfair schema`

use anyhow::Result;

use super::{Common, exit::Exit, json};
use crate::profile;

const EXAMPLES: &str = "\
Examples:
  kvmfair schema profile > kvmfair-profile.schema.json
  kvmfair schema events > kvmfair-events.schema.json";

/// Print the JSON schema of what kvmfair reads or prints.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaCommand {
    /// The format
    #[arg(value_enum)]
    format: SchemaFormat,
}

/// The formats that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum SchemaFormat {
    /// A profile, for editors
    Profile,
    /// A line of standard output with --json
    Events,
}

impl SchemaCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        let schema = match self.format {
            SchemaFormat::Profile => profile::schema(),
            SchemaFormat::Events => json::schema(),
        };
        common.print(&format!("{schema:#}\n"))
    }
}
