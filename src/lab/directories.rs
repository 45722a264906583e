//! Directories of a run on its VM host, for what guests read and write: the user that QEMU runs as may pass them, but not list them.

use std::path::{Path, PathBuf};

use super::{Lab, LabError};
use crate::backend::Side;
use crate::machine::change::Change;

/// Where the guests' files of a run are on the VM host: in memory.
pub fn of_guests(run: &str) -> PathBuf {
    PathBuf::from(format!("/run/kvmfair-{run}"))
}

/// Where a copy of a cloud image is on the VM host while a run needs it: on a disk.
pub fn of_image(run: &str) -> PathBuf {
    Path::new(IMAGES).join(format!("kvmfair-{run}"))
}

/// The parent of every [`of_image`]: every system has it, and it outlives a boot of either machine, as the journal of a
/// hardware lab does.
pub const IMAGES: &str = "/var/tmp";

/// Where QEMU makes the sockets on which it waits for a switch.
pub fn of_sockets(run: &str) -> PathBuf {
    of_guests(run).join("sockets")
}

impl Lab {
    /// Makes a directory of the run's on the VM host, removed with all that is in it when the run ends.
    ///
    /// # Errors
    /// [`LabError`] if it is there already, or the machine refuses.
    pub async fn make_directory(&self, path: &Path) -> Result<(), LabError> {
        self.note(Side::Host, Change::Tree { path: path.to_owned() }).await?;
        self.side(Side::Host).run(&["mkdir", "-m", "0711", &path.to_string_lossy()]).await?;
        Ok(())
    }

    /// Makes the directory of the guests' files, with one for their sockets that is root's alone.
    ///
    /// # Errors
    /// [`LabError`] if it is there already, or the machine refuses.
    pub async fn make_guest_directory(&self) -> Result<PathBuf, LabError> {
        let directory = of_guests(&self.names.run);
        self.make_directory(&directory).await?;
        let sockets = of_sockets(&self.names.run);
        self.side(Side::Host).run(&["mkdir", "-m", "0700", &sockets.to_string_lossy()]).await?;
        Ok(directory)
    }
}
