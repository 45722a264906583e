//! The NIC drivers of the guest's kernel: which modules they are, in which order they load, for which PCI devices.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ApplianceError;
use super::modinfo::{ModInfo, normal, unsigned};
use super::unpack::read_plain;

/// A NIC driver that the appliance can use.
struct Driver {
    /// Its modules; those they depend on are found.
    modules: &'static [&'static str],
    /// PCI devices, where the modules have no aliases for them (virtio claims a whole vendor).
    pci: &'static [&'static str],
}

/// The driver of Xen's guests, which have no PCI devices: `xen` stands for one in the table.
pub const XEN: &str = "xen_netfront";

/// Every driver that is taken if the kernel has it; the first is always needed.
const DRIVERS: [Driver; 8] = [
    Driver { modules: &["virtio_net", "virtio_pci"], pci: &["1af4:1000", "1af4:1041"] },
    Driver { modules: &["e1000"], pci: &[] },
    Driver { modules: &["e1000e"], pci: &[] },
    Driver { modules: &["igb"], pci: &[] },
    Driver { modules: &["igbvf"], pci: &[] },
    Driver { modules: &["ixgbevf"], pci: &[] },
    Driver { modules: &["iavf"], pci: &[] },
    Driver { modules: &[XEN], pci: &["xen"] },
];

/// Names of the wanted modules: a cached kernel that was cut down for another list is not used, but for one without Xen's, which
/// serves everybody else.
pub fn wanted() -> Vec<String> {
    DRIVERS.iter().flat_map(|driver| driver.modules).map(|name| (*name).to_owned()).collect()
}

/// The modules of one kernel, by name.
pub struct ModuleStore {
    dir: PathBuf,
    files: BTreeMap<String, PathBuf>,
    builtin: Vec<String>,
}

/// A module with its content.
#[derive(Clone, Debug)]
pub struct Module {
    /// Name, as the kernel writes it.
    pub name: String,
    /// The file it came from.
    pub file: PathBuf,
    /// The module, not compressed.
    pub bytes: Vec<u8>,
}

/// What goes into the image.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Every module once, by name.
    pub modules: BTreeMap<String, Module>,
    /// The table that the guest's init reads: `PCI IDS|MODULES IN ORDER` per driver.
    pub table: String,
    /// The drivers that the guest has, the built-in ones included.
    pub drivers: Vec<String>,
}

impl ModuleStore {
    /// Reads the names below `dir`, the `/lib/modules/<version>` of a kernel.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn open(dir: &Path) -> Result<ModuleStore, ApplianceError> {
        let mut files = BTreeMap::new();
        collect(&dir.join("kernel"), &mut files)?;
        let builtin = std::fs::read_to_string(dir.join("modules.builtin")).unwrap_or_default();
        let builtin = builtin.lines().filter_map(|line| module_name(Path::new(line))).collect();
        Ok(ModuleStore { dir: dir.into(), files, builtin })
    }

    /// The drivers that the kernel has, with everything they depend on.
    ///
    /// # Errors
    /// There is no virtio driver, or a module that another needs is missing or damaged.
    pub fn select(&self) -> Result<Selection, ApplianceError> {
        let mut selection = Selection::default();
        for (number, driver) in DRIVERS.iter().enumerate() {
            let known = |name: &&str| self.files.contains_key(*name) || self.is_builtin(name);
            match driver.modules.iter().find(|name| !known(name)) {
                Some(name) if number == 0 => return Err(self.missing(name)),
                Some(_) => {}
                None => self.add(driver, &mut selection)?,
            }
        }
        Ok(selection)
    }

    fn add(&self, driver: &Driver, selection: &mut Selection) -> Result<(), ApplianceError> {
        let (mut order, mut pci) = (Vec::new(), driver.pci.iter().map(|id| (*id).to_owned()).collect());
        for name in driver.modules {
            self.visit(name, &mut order, &mut selection.modules, &mut pci)?;
        }
        selection.table.push_str(&format!("{}|{}\n", pci.join(" "), order.join(" ")));
        selection.drivers.push(driver.modules[0].into());
        Ok(())
    }

    /// Depth first: what a module needs comes before it. The kernel's build admits no cycles.
    fn visit(
        &self,
        name: &str,
        order: &mut Vec<String>,
        modules: &mut BTreeMap<String, Module>,
        pci: &mut Vec<String>,
    ) -> Result<(), ApplianceError> {
        if order.iter().any(|done| done == name) || self.is_builtin(name) {
            return Ok(());
        }
        let file = self.files.get(name).ok_or_else(|| self.missing(name))?;
        let bytes = match modules.get(name) {
            Some(module) => module.bytes.clone(),
            None => unsigned(&read_plain(file)?).to_vec(),
        };
        let info = ModInfo::parse(&bytes).ok_or_else(|| not_a_module(file))?;
        for needed in &info.depends {
            self.visit(needed, order, modules, &mut Vec::new())?;
        }
        order.push(name.into());
        pci.extend(info.pci);
        modules.insert(name.into(), Module { name: name.into(), file: file.clone(), bytes });
        Ok(())
    }

    fn is_builtin(&self, name: &str) -> bool {
        self.builtin.iter().any(|builtin| builtin == name)
    }

    fn missing(&self, name: &str) -> ApplianceError {
        ApplianceError::Kernel {
            reason: format!("{} has no module {name}", self.dir.display()),
            hint: "use a kernel with its modules, such as Debian's linux-image-amd64".into(),
        }
    }
}

fn not_a_module(file: &Path) -> ApplianceError {
    ApplianceError::Format { path: file.display().to_string(), expected: "a kernel module" }
}

fn collect(dir: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<(), ApplianceError> {
    for entry in std::fs::read_dir(dir).map_err(ApplianceError::io("read", dir))? {
        let entry = entry.map_err(ApplianceError::io("read", dir))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), files)?;
        } else if let Some(name) = module_name(&entry.path()) {
            files.insert(name, entry.path());
        }
    }
    Ok(())
}

/// `…/e1000.ko.xz` -> `e1000`; `None` for other files.
fn module_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let (stem, ending) = name.split_once(".ko")?;
    matches!(ending, "" | ".xz" | ".zst" | ".gz").then(|| normal(stem))
}

#[cfg(test)]
mod tests {
    use super::super::modinfo::tests::fake_module;
    use super::*;

    fn store(modules: &[(&str, &[&str])], builtin: &str) -> (tempfile::TempDir, ModuleStore) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("kernel/drivers/net")).unwrap();
        for (name, fields) in modules {
            std::fs::write(dir.path().join("kernel/drivers/net").join(name), fake_module(fields)).unwrap();
        }
        std::fs::write(dir.path().join("modules.builtin"), builtin).unwrap();
        let store = ModuleStore::open(dir.path()).unwrap();
        (dir, store)
    }

    const VIRTIO: [(&str, &[&str]); 4] = [
        ("virtio_net.ko", &["depends=virtio,net-failover"]),
        ("virtio.ko", &["depends="]),
        ("net-failover.ko", &["depends="]),
        ("virtio_pci.ko", &["depends=virtio"]),
    ];

    #[test]
    fn what_a_module_needs_is_loaded_before_it_and_once() {
        let (_dir, store) = store(&VIRTIO, "");
        let selection = store.select().unwrap();
        assert_eq!(selection.table, "1af4:1000 1af4:1041|virtio net_failover virtio_net virtio_pci\n");
        assert_eq!(selection.modules.len(), 4);
    }

    #[test]
    fn drivers_that_the_kernel_lacks_are_left_out() {
        let e1000: (&str, &[&str]) =
            ("e1000.ko", &["alias=pci:v00008086d0000100Esv*sd*bc*sc*i*", "depends="]);
        let (_dir, store) = store(&[&VIRTIO[..], &[e1000]].concat(), "");
        let selection = store.select().unwrap();
        assert_eq!(selection.drivers, ["virtio_net", "e1000"]);
        assert!(selection.table.ends_with("8086:100e|e1000\n"));
    }

    #[test]
    fn built_in_modules_need_no_file() {
        let (_dir, store) =
            store(&[VIRTIO[0], VIRTIO[2]], "kernel/drivers/virtio/virtio.ko\nkernel/x/virtio_pci.ko\n");
        assert_eq!(store.select().unwrap().table, "1af4:1000 1af4:1041|net_failover virtio_net\n");
    }

    #[test]
    fn a_kernel_without_virtio_or_with_a_hole_is_refused() {
        let (_dir, empty) = store(&[], "");
        assert!(empty.select().unwrap_err().to_string().contains("no module virtio_net"));
        let (_dir, hole) = store(&[VIRTIO[0], VIRTIO[1], VIRTIO[3]], "");
        assert!(hole.select().unwrap_err().to_string().contains("no module net_failover"));
    }

    #[test]
    fn module_files_are_known_by_their_ending() {
        assert_eq!(module_name(Path::new("a/net-failover.ko.xz")).as_deref(), Some("net_failover"));
        assert_eq!(module_name(Path::new("a/x.ko.zst")).as_deref(), Some("x"));
        assert_eq!(module_name(Path::new("a/x.kobold")), None);
    }
}
