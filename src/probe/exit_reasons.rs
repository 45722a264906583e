//! The CPU's own reasons to leave a guest: number -> name, as the kernel's `asm/vmx.h` and `asm/svm.h` have them. Pure.
//!
//! What KVM's statistics count too has their name (`halt_exits` is `HLT`), so that tables of both can be compared.

/// Intel's, by number.
const VMX: [(u64, &str); 36] = [
    (0, "EXCEPTION_NMI"),
    (1, "irq_exits"),
    (2, "TRIPLE_FAULT"),
    (7, "irq_window_exits"),
    (8, "NMI_WINDOW"),
    (9, "TASK_SWITCH"),
    (10, "CPUID"),
    (12, "halt_exits"),
    (14, "INVLPG"),
    (15, "RDPMC"),
    (16, "RDTSC"),
    (18, "VMCALL"),
    (28, "CR_ACCESS"),
    (29, "DR_ACCESS"),
    (30, "io_exits"),
    (31, "MSR_READ"),
    (32, "MSR_WRITE"),
    (36, "MWAIT_INSTRUCTION"),
    (39, "MONITOR_INSTRUCTION"),
    (40, "PAUSE_INSTRUCTION"),
    (43, "TPR_BELOW_THRESHOLD"),
    (44, "APIC_ACCESS"),
    (45, "EOI_INDUCED"),
    (46, "GDTR_IDTR"),
    (47, "LDTR_TR"),
    (48, "EPT_VIOLATION"),
    (49, "EPT_MISCONFIG"),
    (51, "RDTSCP"),
    (52, "PREEMPTION_TIMER"),
    (54, "WBINVD"),
    (55, "XSETBV"),
    (56, "APIC_WRITE"),
    (58, "INVPCID"),
    (62, "PML_FULL"),
    (74, "BUS_LOCK"),
    (75, "NOTIFY"),
];

/// AMD's, by number.
const SVM: [(u64, &str); 26] = [
    (0x00, "READ_CR0"),
    (0x10, "WRITE_CR0"),
    (0x13, "WRITE_CR3"),
    (0x14, "WRITE_CR4"),
    (0x18, "WRITE_CR8"),
    (0x4e, "EXCP_PF"),
    (0x60, "irq_exits"),
    (0x61, "NMI"),
    (0x64, "irq_window_exits"),
    (0x65, "CR0_SEL_WRITE"),
    (0x6e, "RDTSC"),
    (0x6f, "RDPMC"),
    (0x72, "CPUID"),
    (0x74, "IRET"),
    (0x77, "PAUSE"),
    (0x78, "halt_exits"),
    (0x79, "INVLPG"),
    (0x7b, "io_exits"),
    (0x7c, "MSR"),
    (0x7f, "SHUTDOWN"),
    (0x81, "VMMCALL"),
    (0x87, "RDTSCP"),
    (0x89, "WBINVD"),
    (0x400, "NPF"),
    (0x401, "AVIC_INCOMPLETE_IPI"),
    (0x402, "AVIC_UNACCELERATED_ACCESS"),
];

/// The name of a reason; `isa` is the tracepoint's: 1 for Intel's VMX, 2 for AMD's SVM. One without a name here keeps its
/// number.
pub fn name(isa: u64, reason: u64) -> String {
    // Intel's basic reason is in the lower half; above are marks.
    let (known, reason) = if isa == 1 { (&VMX[..], reason & 0xffff) } else { (&SVM[..], reason) };
    let found = known.iter().find(|(number, _)| *number == reason);
    found.map_or_else(|| format!("{reason:#x}"), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_is_another_reason_on_another_makers_cpu() {
        assert_eq!((name(1, 12), name(2, 0x78)), ("halt_exits".into(), "halt_exits".into()));
        assert_eq!(name(2, 12), "0xc");
        assert_eq!(name(1, 0x0400_0030), "EPT_VIOLATION");
    }

    #[test]
    fn no_number_stands_twice() {
        for known in [&VMX[..], &SVM[..]] {
            assert!(known.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }
}
