//! The `.modinfo` section of a kernel module: the modules that it needs and the devices that it drives.
//!
//! Read from the module and not from `modules.dep`, which a kernel package does not contain before `depmod` has run.
//! 64-bit little-endian ELF only.

/// The parts of `.modinfo` that the image needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModInfo {
    /// Modules that must be loaded first, `-` written as `_`.
    pub depends: Vec<String>,
    /// PCI devices as `vendor:device`, four lower-case hexadecimal digits each; patterns for whole vendors are left out.
    pub pci: Vec<String>,
}

impl ModInfo {
    /// Reads the section; `None` if the file is no ELF module.
    pub fn parse(elf: &[u8]) -> Option<ModInfo> {
        let mut info = ModInfo::default();
        for field in section(elf, b".modinfo")?.split(|byte| *byte == 0) {
            let Ok(field) = std::str::from_utf8(field) else { continue };
            match field.split_once('=') {
                Some(("depends", list)) => {
                    info.depends.extend(list.split(',').filter(|name| !name.is_empty()).map(normal))
                }
                Some(("alias", alias)) => info.pci.extend(pci_id(alias)),
                _ => {}
            }
        }
        Some(info)
    }
}

/// A module's name as the kernel writes it.
pub fn normal(name: &str) -> String {
    name.replace('-', "_")
}

/// The module without the signature that distributions append. Checking one costs an emulated guest a tenth of a second
/// or so, and the kernel loads modules without one (it notes a taint), unless it is locked down, which no guest is.
pub fn unsigned(module: &[u8]) -> &[u8] {
    const MARK: &[u8] = b"~Module signature appended~\n";
    let cut = || {
        let signed = module.strip_suffix(MARK)?;
        let length: [u8; 4] = signed.last_chunk()?.to_owned();
        signed.get(..signed.len().checked_sub(12 + u32::from_be_bytes(length) as usize)?)
    };
    cut().unwrap_or(module)
}

/// `pci:v00008086d0000100Esv*…` -> `8086:100e`.
fn pci_id(alias: &str) -> Option<String> {
    let rest = alias.strip_prefix("pci:v")?;
    let vendor = u32::from_str_radix(rest.get(..8)?, 16).ok()?;
    let device = u32::from_str_radix(rest.get(8..)?.strip_prefix('d')?.get(..8)?, 16).ok()?;
    Some(format!("{vendor:04x}:{device:04x}"))
}

/// The bytes of a named section.
fn section<'a>(elf: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let table = number(elf, 0x28, 8)?;
    let (size, count, names) = (number(elf, 0x3a, 2)?, number(elf, 0x3c, 2)?, number(elf, 0x3e, 2)?);
    let header = |index: usize| elf.get(table.checked_add(index * size)?..)?.get(..64);
    let body = |header: &[u8]| elf.get(number(header, 0x18, 8)?..)?.get(..number(header, 0x20, 8)?);
    let strings = body(header(names)?)?;
    (0..count).find_map(|index| {
        let header = header(index)?;
        let label = strings.get(number(header, 0, 4)?..)?.split(|byte| *byte == 0).next()?;
        (label == name).then(|| body(header)).flatten()
    })
}

/// A little-endian number of `width` bytes.
pub(super) fn number(bytes: &[u8], offset: usize, width: usize) -> Option<usize> {
    let field = bytes.get(offset..offset.checked_add(width)?)?;
    usize::try_from(field.iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The smallest ELF file with a `.modinfo` section.
    pub fn fake_module(fields: &[&str]) -> Vec<u8> {
        let info: Vec<u8> = fields.iter().flat_map(|field| [field.as_bytes(), &[0]].concat()).collect();
        let names = b"\0.modinfo\0.shstrtab\0";
        let mut elf = vec![0u8; 64];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        elf.extend(names);
        elf.extend(&info);
        let table = elf.len() as u64;
        elf[0x28..0x30].copy_from_slice(&table.to_le_bytes());
        for (at, value) in [(0x3a, 64u16), (0x3c, 2), (0x3e, 1)] {
            elf[at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
        for (name, offset, size) in [(1u32, 64 + names.len(), info.len()), (10, 64, names.len())] {
            let mut header = [0u8; 64];
            header[..4].copy_from_slice(&name.to_le_bytes());
            header[0x18..0x20].copy_from_slice(&(offset as u64).to_le_bytes());
            header[0x20..0x28].copy_from_slice(&(size as u64).to_le_bytes());
            elf.extend(header);
        }
        elf
    }

    #[test]
    fn dependencies_and_devices_are_read() {
        let module = fake_module(&[
            "license=GPL",
            "alias=pci:v00008086d0000100Esv*sd*bc*sc*i*",
            "alias=pci:v00001AF4d*sv*sd*bc*sc*i*",
            "alias=virtio:d00000001v*",
            "depends=virtio_ring,net-failover",
        ]);
        let info = ModInfo::parse(&module).unwrap();
        assert_eq!(info.depends, ["virtio_ring", "net_failover"]);
        assert_eq!(info.pci, ["8086:100e"]);
    }

    #[test]
    fn a_module_without_dependencies_has_none() {
        assert_eq!(ModInfo::parse(&fake_module(&["depends="])), Some(ModInfo::default()));
    }

    #[test]
    fn a_signature_is_cut_off_and_nothing_else() {
        let signed =
            [b"module".as_slice(), b"sig", &[0; 8], &3u32.to_be_bytes(), b"~Module signature appended~\n"]
                .concat();
        assert_eq!(unsigned(&signed), b"module");
        assert_eq!(unsigned(b"module"), b"module");
        assert_eq!(unsigned(&signed[7..]), &signed[7..]);
    }

    #[test]
    fn damaged_files_are_refused_and_do_not_panic() {
        let whole = fake_module(&["depends=a"]);
        for length in 0..whole.len() {
            let _ = ModInfo::parse(&whole[..length]);
        }
        assert_eq!(ModInfo::parse(b"\x7fELF"), None);
        assert_eq!(ModInfo::parse(b"plain text"), None);
    }
}
