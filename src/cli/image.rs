//! `kvmfair image`

use std::path::Path;

use anyhow::Result;

use super::json::{self, CachedImage, JsonEvent};
use super::output::{print, print_stderr};
use super::{Common, exit::Exit};
use crate::guest::appliance::{self, Cached};

const EXAMPLES: &str = "\
Examples:
  kvmfair image build
  kvmfair image list --json";

/// Build, list or remove the image that guests boot: a kernel and an initramfs with netperf, kept in the cache.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ImageCommand {
    #[command(subcommand)]
    action: ImageAction,
}

#[derive(Debug, clap::Subcommand)]
enum ImageAction {
    /// Build the image, unless the cache has it
    Build {
        /// Also for guests of Xen's: a kernel of the cache without their driver is downloaded again
        #[arg(long)]
        xen: bool,
    },
    /// List the images in the cache
    List,
    /// Remove all images and kernels from the cache
    Remove,
}

impl ImageCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None);
        let cache = appliance::default_cache();
        match self.action {
            ImageAction::Build { xen } => {
                let image =
                    appliance::ensure(&cache, None, xen, &mut |step| print_stderr(&format!("{step}\n")))?;
                let path = image.initramfs.parent().unwrap_or(&cache);
                let built = appliance::list(&cache)?.into_iter().find(|cached| cached.dir == path);
                match built.filter(|_| common.json) {
                    Some(cached) => as_json(&cached).print(),
                    None => common.print(&format!(
                        "{} (Linux {}, netperf {})\n",
                        path.display(),
                        image.kernel_version,
                        image.netperf_version
                    )),
                }
            }
            ImageAction::List => list(&cache, common.json),
            ImageAction::Remove => {
                appliance::remove(&cache)?;
                common.print("removed all images\n")
            }
        }
    }
}

fn list(cache: &Path, json: bool) -> Result<Exit> {
    let images = appliance::list(cache)?;
    if json {
        return json::print(images.iter().map(as_json));
    }
    if images.is_empty() {
        return print("no images; build one: kvmfair image build\n");
    }
    print(&images.iter().map(in_words).collect::<String>())
}

fn as_json(image: &Cached) -> JsonEvent {
    let manifest = image.manifest.as_ref();
    JsonEvent::Image(CachedImage {
        path: image.dir.clone(),
        kernel: manifest.map(|m| m.kernel_version.clone()),
        netperf: manifest.map(|m| m.netperf_version.clone()),
        built: manifest.map(|m| m.built.clone()),
        bytes: image.bytes,
        sound: image.sound,
    })
}

fn in_words(image: &Cached) -> String {
    let size = bytesize::ByteSize(image.bytes).display().iec();
    let made_of = match &image.manifest {
        Some(m) => format!("Linux {}, netperf {}, built {}", m.kernel_version, m.netperf_version, m.built),
        None => "unreadable manifest".into(),
    };
    let state = if image.sound { "" } else { ", damaged: the next build replaces it" };
    format!("{} ({made_of}, {size}{state})\n", image.dir.display())
}
