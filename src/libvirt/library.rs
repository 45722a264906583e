//! libvirt's shared library, loaded before the first connection and not when the program starts: `report`, `plan` or `--help` neither
//! wait for it and the forty libraries that it needs, nor does their machine need libvirt.
//!
//! The bindings call libvirt's functions by name. Each function named here is one of the program's own that jumps to an address in
//! libvirt, so that no name is left for which the linker would add libvirt to the libraries of the program. A function that is missing
//! from the list does not break anything: it links as usual, and a test finds it. Elsewhere than on x86-64 and AArch64 all of them do.

use std::ffi::{CStr, CString, c_void};
use std::sync::OnceLock;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use nix::libc::{RTLD_NOW, dlerror, dlopen, dlsym};

/// The part for QEMU; it brings libvirt itself.
const LIBRARY: &CStr = c"libvirt-qemu.so.0";

/// A function of libvirt: its name, and where its address is kept.
struct LibvirtFunction {
    name: &'static str,
    address: &'static AtomicPtr<c_void>,
}

/// Defines a function for each name, and the list of them.
macro_rules! functions {
    ($($name:ident)*) => {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        const FUNCTIONS: &[LibvirtFunction] = &[$(LibvirtFunction { name: stringify!($name), address: &$name::ADDRESS }),*];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        const FUNCTIONS: &[LibvirtFunction] = &[];
        $(
            #[allow(non_snake_case)]
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            mod $name {
                pub(super) static ADDRESS: super::AtomicPtr<super::c_void> =
                    super::AtomicPtr::new(super::not_loaded as *mut super::c_void);

                // One jump leaves arguments, stack and return address to the function of this name and type. Hidden: libvirt's own calls
                // do not come here.
                #[unsafe(naked)]
                #[unsafe(no_mangle)]
                extern "C" fn $name() {
                    #[cfg(target_arch = "x86_64")]
                    core::arch::naked_asm!(concat!(".hidden ", stringify!($name)), "jmp qword ptr [rip + {}]", sym ADDRESS);
                    #[cfg(target_arch = "aarch64")]
                    core::arch::naked_asm!(
                        concat!(".hidden ", stringify!($name)),
                        "adrp x16, {0}",
                        "ldr x16, [x16, :lo12:{0}]",
                        "br x16",
                        sym ADDRESS
                    );
                }
            }
        )*
    };
}

functions! {
    virConnectClose
    virConnectGetLibVersion
    virConnectGetVersion
    virConnectIsAlive
    virConnectListAllDomains
    virConnectOpen
    virDomainCreateXML
    virDomainDestroy
    virDomainFree
    virDomainGetID
    virDomainGetInfo
    virDomainGetName
    virDomainGetSchedulerParametersFlags
    virDomainGetSchedulerType
    virDomainLookupByName
    virDomainQemuMonitorCommand
    virDomainResume
    virDomainSetSchedulerParametersFlags
    virDomainSuspend
    virEventRegisterDefaultImpl
    virEventRunDefaultImpl
    virGetLastError
    virSetErrorFunc
}

/// Where every function leads until libvirt is loaded: ends the program.
extern "C" fn not_loaded() {
    panic!("a function of libvirt was called before libvirt was loaded");
}

/// Loads libvirt, once for the life of the program. Nothing of libvirt may be called before.
///
/// # Errors
/// The dynamic linker's message, if libvirt is not installed or lacks a function.
pub fn load() -> Result<(), String> {
    static OUTCOME: OnceLock<Result<(), String>> = OnceLock::new();
    OUTCOME.get_or_init(find_functions).clone()
}

/// Finds the address of every function. The library stays loaded.
fn find_functions() -> Result<(), String> {
    // SAFETY: the name ends with a zero byte; libvirt may be loaded at any time and by any thread.
    let library = unsafe { dlopen(LIBRARY.as_ptr(), RTLD_NOW) };
    if library.is_null() {
        return Err(last_error());
    }
    for function in FUNCTIONS {
        let name = CString::new(function.name).map_err(|error| error.to_string())?;
        // SAFETY: the library was loaded and is never closed; the name ends with a zero byte.
        let address = unsafe { dlsym(library, name.as_ptr()) };
        if address.is_null() {
            return Err(last_error());
        }
        function.address.store(address, Relaxed);
    }
    Ok(())
}

/// Why the dynamic linker could not do what this thread asked for.
fn last_error() -> String {
    // SAFETY: called after a failure only, so that there is a text; it stays until this thread's next call of the linker.
    unsafe { CStr::from_ptr(dlerror()) }.to_string_lossy().into_owned()
}
