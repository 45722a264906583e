//! What guests of Xen's need of libvirt besides: a start without running, CPU times, the hypervisor's number.

use std::collections::BTreeMap;

use virt::domain::Domain;
use virt::sys;

use super::{Hypervisor, LibvirtError, START_LIMIT, within};

impl Hypervisor {
    /// Starts a transient guest whose vCPUs wait to be resumed.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn create_paused(&self, name: &str, xml: String) -> Result<(), LibvirtError> {
        let own = self.clone();
        within(START_LIMIT, format!("start guest {name}"), move || {
            own.connection()?.create_domain_xml(&xml, sys::VIR_DOMAIN_START_PAUSED).map(drop)
        })
        .await
    }

    /// The hypervisor's number of a running guest, which no other one gets while the host is up.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn number(&self, name: &str) -> Result<Option<u32>, LibvirtError> {
        self.with_domain("ask for the number of", name, |domain| Ok(domain.id())).await
    }

    /// CPU time of every guest that there is since it started, s, by name; dom0 of Xen's is one. Blocks: for a thread that samples.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub fn cpu_times(&self) -> Result<BTreeMap<String, f64>, LibvirtError> {
        let read = || {
            let guests = self.connection()?.list_all_domains(sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE)?;
            // One that ends meanwhile has no time any more.
            let time = |guest: &Domain| Some((guest.name().ok()?, guest.info().ok()?.cpu_time as f64 / 1e9));
            Ok(guests.iter().filter_map(time).collect())
        };
        let refused = |error: virt::error::Error| LibvirtError::Call {
            action: "read the CPU times of the guests".into(),
            cause: error.message().trim().to_owned(),
        };
        read().map_err(refused)
    }
}
