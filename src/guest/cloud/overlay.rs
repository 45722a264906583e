//! The layer over the image that takes what one guest writes.

use std::path::Path;

use crate::machine::Machine;
use crate::machine::{ExecError, Output};

/// Makes an empty layer `overlay` over the image `base`, both qcow2; an older one is replaced. `base` must be absolute:
/// it is written into the layer, and a relative one would start at the layer's directory.
///
/// # Errors
/// [`ExecError`] with `qemu-img`'s own words.
pub async fn create(host: &Machine, base: &Path, overlay: &Path) -> Result<Output, ExecError> {
    host.run(&argv(base, overlay)).await
}

/// Both formats are said: a guessed one could be chosen by whoever writes the image.
fn argv(base: &Path, overlay: &Path) -> Vec<String> {
    let mut argv =
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b"].map(str::to_owned).to_vec();
    argv.extend([base, overlay].map(|path| path.to_string_lossy().into_owned()));
    argv
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::super::base;
    use super::*;

    #[tokio::test]
    async fn a_layer_names_its_base_and_leaves_it_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let (image, layer) = (dir.path().join("image file.qcow2"), dir.path().join("g1.qcow2"));
        let host = Machine::local();
        host.run(&["qemu-img", "create", "-q", "-f", "qcow2", &image.to_string_lossy(), "64M"])
            .await
            .unwrap();
        let before = (std::fs::read(&image).unwrap(), image.metadata().unwrap().mtime_nsec());
        create(&host, &image, &layer).await.unwrap();
        let error = base::inspect(&layer).unwrap_err().to_string();
        assert!(error.contains("image file.qcow2"), "{error}");
        assert_eq!(before, (std::fs::read(&image).unwrap(), image.metadata().unwrap().mtime_nsec()));
    }

    #[tokio::test]
    async fn a_base_that_is_no_qcow2_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("raw.img");
        std::fs::write(&image, vec![0; 1 << 20]).unwrap();
        let refused = create(&Machine::local(), &image, &dir.path().join("g1.qcow2")).await;
        assert!(refused.unwrap_err().to_string().contains("raw.img"));
    }
}
