//! libvirt: guests created, suspended, resumed and destroyed. Every call blocks, so each runs on a blocking thread.
//!
//! - [`account`]: the user that QEMU runs as under the embedded driver
//! - [`embedded`]: the driver within this process
//! - [`daemon`]: the libvirt daemon of a VM host
//! - `xen`: what guests of Xen's need besides
//! - [`library`]: the shared library, loaded where it is first needed

pub mod account;
pub mod daemon;
pub mod embedded;
pub mod library;
mod xen;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use virt::connect::Connect;
use virt::domain::Domain;
use virt::sys;

/// Why libvirt did not do it.
#[derive(Debug, thiserror::Error)]
pub enum LibvirtError {
    /// libvirt's own error.
    #[error("failed to {action}: libvirt: {cause}")]
    Call {
        /// What was tried, as a verb phrase.
        action: String,
        /// Its message.
        cause: String,
    },
    /// Its library is missing on this machine, or too old.
    #[error("failed to load libvirt: {cause} (hint: apt-get install libvirt0)")]
    NotLoaded {
        /// The dynamic linker's message.
        cause: String,
    },
    /// The driver's files could not be written.
    #[error("failed to prepare libvirt's embedded driver in {}: {cause}", .root.display())]
    Prepare {
        /// The driver's root.
        root: PathBuf,
        /// The system's error.
        cause: std::io::Error,
    },
}

/// An open connection; clones share it. One that a restarted daemon has closed is opened again at the next call.
#[derive(Clone)]
pub struct Hypervisor {
    uri: Arc<str>,
    connect: Arc<Mutex<Arc<Connect>>>,
}

/// The resources of its host that a running guest takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Memory that it may have, KiB.
    pub memory_kib: u64,
    /// Virtual CPUs.
    pub vcpus: u32,
}

/// A path in the query of a URI: what has a meaning there is escaped.
fn in_query(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let escape = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.as_os_str().as_bytes().iter().map(|byte| escape(*byte)).collect()
}

impl Hypervisor {
    /// Opens a connection. libvirt's own log goes where `LIBVIRT_LOG_OUTPUTS` pointed when the process started.
    ///
    /// # Errors
    /// [`LibvirtError::NotLoaded`] without libvirt, [`LibvirtError::Call`] with libvirt's message.
    pub async fn open(uri: String) -> Result<Hypervisor, LibvirtError> {
        library::load().map_err(|cause| LibvirtError::NotLoaded { cause })?;
        blocking(format!("open {uri}"), move || {
            start_event_loop()?;
            virt::error::clear_error_callback(); // errors are returned; a copy on stderr would spoil the progress
            let connect = Arc::new(Mutex::new(Arc::new(Connect::open(Some(&uri))?)));
            Ok(Hypervisor { uri: uri.into(), connect })
        })
        .await
    }

    /// The connection; blocks while it is opened again.
    fn connection(&self) -> Result<Arc<Connect>, virt::error::Error> {
        let mut connect = self.connect.lock().unwrap_or_else(PoisonError::into_inner);
        if !connect.is_alive()? {
            *connect = Arc::new(Connect::open(Some(&self.uri))?);
        }
        Ok(connect.clone())
    }

    /// Versions of libvirt and of the QEMU that it drives, as `11.3.0`.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn versions(&self) -> Result<(String, String), LibvirtError> {
        let own = self.clone();
        blocking("ask for versions".into(), move || {
            let connect = own.connection()?;
            Ok((dotted(connect.lib_version()?), dotted(connect.hyp_version()?)))
        })
        .await
    }

    /// Starts a transient guest.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn create(&self, name: &str, xml: String) -> Result<(), LibvirtError> {
        let own = self.clone();
        within(START_LIMIT, format!("start guest {name}"), move || {
            own.connection()?.create_domain_xml(&xml, sys::VIR_DOMAIN_NONE).map(drop)
        })
        .await
    }

    /// Stops a guest's vCPUs.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn suspend(&self, name: &str) -> Result<(), LibvirtError> {
        self.with_domain("suspend", name, Domain::suspend).await
    }

    /// Lets a guest's vCPUs run again.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn resume(&self, name: &str) -> Result<(), LibvirtError> {
        self.with_domain("resume", name, Domain::resume).await
    }

    /// Ends a guest; one that has ended is no error, nor one that ends meanwhile: libvirt takes a guest that it was
    /// still starting off its list before the order to destroy it is carried out.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn destroy(&self, name: &str) -> Result<(), LibvirtError> {
        let (own, wanted) = (self.clone(), name.to_owned());
        blocking(format!("destroy guest {name}"), move || {
            let destroyed =
                own.connection()?.lookup_domain_by_name(&wanted).and_then(|domain| domain.destroy());
            destroyed.or_else(|error| {
                let gone = error.code().is(virt::error::ErrorNumber::NoDomain);
                if gone { Ok(()) } else { Err(error) }
            })
        })
        .await
    }

    /// Asks a guest's QEMU something in its own language (QMP): its answer, in JSON.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn monitor(&self, name: &str, command: &'static str) -> Result<String, LibvirtError> {
        let (own, wanted) = (self.clone(), name.to_owned());
        blocking(format!("ask the QEMU of guest {name}"), move || {
            own.connection()?.lookup_domain_by_name(&wanted)?.qemu_monitor_command(command, 0)
        })
        .await
    }

    /// The names of the guests that begin so, those that are only just starting too.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn names(&self, prefix: String) -> Result<Vec<String>, LibvirtError> {
        let own = self.clone();
        let all = blocking("list guests".into(), move || {
            let guests = own.connection()?.list_all_domains(0)?;
            guests.iter().map(Domain::name).collect::<Result<Vec<String>, _>>()
        });
        Ok(all.await?.into_iter().filter(|name| name.starts_with(&prefix)).collect())
    }

    /// What the guests that run, paused ones too, take of the host.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn running(&self) -> Result<Vec<Taken>, LibvirtError> {
        let own = self.clone();
        blocking("ask what guests take".into(), move || {
            let guests = own.connection()?.list_all_domains(sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE)?;
            // One that ends meanwhile takes nothing any more.
            let info = guests.iter().filter_map(|guest| guest.info().ok());
            Ok(info.map(|info| Taken { memory_kib: info.max_mem, vcpus: info.nr_virt_cpu }).collect())
        })
        .await
    }

    pub(crate) async fn with_domain<T: Send + 'static>(
        &self,
        verb: &str,
        name: &str,
        call: impl FnOnce(&Domain) -> Result<T, virt::error::Error> + Send + 'static,
    ) -> Result<T, LibvirtError> {
        let (own, wanted) = (self.clone(), name.to_owned());
        let call = move || call(&own.connection()?.lookup_domain_by_name(&wanted)?);
        blocking(format!("{verb} guest {name}"), call).await
    }
}

/// libvirt's embedded driver needs an event loop that is registered before the first connection and then runs for good.
fn start_event_loop() -> Result<(), virt::error::Error> {
    static STARTED: Once = Once::new();
    let mut outcome = Ok(());
    STARTED.call_once(|| {
        outcome = virt::event::event_register_default_impl();
        std::thread::spawn(|| {
            let _ = nix::sys::signal::SigSet::all().thread_block(); // they are for the trial loop
            loop {
                let _ = virt::event::event_run_default_impl();
            }
        });
    });
    outcome
}

/// For one call: a daemon that answers nothing must not keep a run from being undone.
const LIMIT: Duration = Duration::from_secs(120);
/// For the start of a guest, all of whose memory may have to be filled or pinned first.
const START_LIMIT: Duration = Duration::from_secs(1800);

async fn blocking<T: Send + 'static>(
    action: String,
    call: impl FnOnce() -> Result<T, virt::error::Error> + Send + 'static,
) -> Result<T, LibvirtError> {
    within(LIMIT, action, call).await
}

/// A call that takes longer is left to its thread, which ends with the process.
async fn within<T: Send + 'static>(
    limit: Duration,
    action: String,
    call: impl FnOnce() -> Result<T, virt::error::Error> + Send + 'static,
) -> Result<T, LibvirtError> {
    let cause = match tokio::time::timeout(limit, tokio::task::spawn_blocking(call)).await {
        Ok(Ok(Ok(value))) => return Ok(value),
        Ok(Ok(Err(error))) => error.message().trim().to_owned(),
        Ok(Err(panic)) => panic.to_string(),
        Err(_) => {
            format!("it has not answered for {} s (hint: restart libvirt's daemon)", limit.as_secs_f64())
        }
    };
    Err(LibvirtError::Call { action, cause })
}

/// libvirt writes 11.3.0 as 11003000.
fn dotted(version: u32) -> String {
    format!("{}.{}.{}", version / 1_000_000, version / 1_000 % 1_000, version % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_libvirt_that_does_not_answer_is_given_up_and_keeps_no_runtime_from_ending() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (answer, never) = std::sync::mpsc::channel::<()>();
        let call = move || Ok(never.recv().is_ok());
        let limit = Duration::from_millis(20);
        let error = runtime.block_on(within(limit, "destroy guest g1".into(), call)).unwrap_err();
        runtime.shutdown_background();
        assert_eq!(
            error.to_string(),
            "failed to destroy guest g1: libvirt: it has not answered for 0.02 s (hint: restart libvirt's daemon)"
        );
        drop(answer); // only now does the thread end
    }

    #[test]
    fn versions_read_as_people_write_them() {
        assert_eq!(dotted(9_000_000), "9.0.0");
        assert_eq!(dotted(7_002_022), "7.2.22");
    }
}
