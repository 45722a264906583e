//! `kvmfair image`

use anyhow::Result;
use serde_json::json;

use super::progress::print;
use super::{Common, exit::Exit};
use crate::guest::appliance;

/// Build, list or remove the image that guests boot: a kernel and an initramfs with netperf, kept in the cache.
#[derive(Debug, clap::Args)]
pub struct Image {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Build the image, if it is not there already
    Build,
    /// List the images in the cache
    List,
    /// Remove all images and kernels from the cache
    Remove,
}

impl Image {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None)?;
        let cache = appliance::default_cache();
        match self.action {
            Action::Build => {
                let image = appliance::ensure(&cache, None, &mut |step| eprintln!("{step}"))?;
                let path = image.initramfs.parent().map(|dir| dir.display().to_string()).unwrap_or_default();
                let text = format!("{path} (Linux {}, netperf {})\n", image.kernel_version, image.netperf_version);
                let value = json!({ "path": path, "kernel": image.kernel_version, "netperf": image.netperf_version });
                print(&if common.json { format!("{value}\n") } else { text })
            }
            Action::List => list(&cache, common.json),
            Action::Remove => {
                appliance::remove(&cache)?;
                print("removed all images\n")
            }
        }
    }
}

fn list(cache: &std::path::Path, json: bool) -> Result<Exit> {
    let images = appliance::list(cache)?;
    if json {
        return print(&format!("{}\n", serde_json::to_string(&images)?));
    }
    let line = |image: &appliance::Cached| format!("{image}\n");
    print(&if images.is_empty() { "no images; build one: kvmfair image build\n".into() } else { images.iter().map(line).collect::<String>() })
}
