//! The description of a guest for libvirt's driver: QEMU's, or Xen's. Pure.

use super::domain::Domain;
use super::xen;
use crate::raw::Accel;

/// The XML of a guest, indented by two blanks.
///
/// # Errors
/// Never in practice: the writer writes into memory.
pub fn xml(domain: &Domain) -> std::io::Result<String> {
    if domain.accel == Accel::Xen { xen::domain(domain) } else { domain.xml() }
}
