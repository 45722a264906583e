//! The memory of a guest in its domain XML: how much, in which pages, on which node. Pure.

use quick_xml::events::BytesStart;

use super::xml::{Xml, empty, nest, write as write_text};
use crate::profile::configuration::HUGE_PAGE_KIB;

/// The memory of a guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Size, MiB.
    pub mib: u32,
    /// Whether it is in huge pages of the host's pool.
    pub huge: bool,
    /// The NUMA node that all of it is on; `None`: the kernel's choice.
    pub node: Option<u32>,
}

/// `shared`: a switch that serves a NIC maps the guest's memory. Huge pages are an anonymous file, so that no hugetlbfs has to be
/// mounted.
pub(super) fn write(xml: &mut Xml, memory: Memory, shared: bool) -> std::io::Result<()> {
    nest(xml, BytesStart::new("memory").with_attributes([("unit", "MiB")]), |xml| {
        write_text(xml, &memory.mib.to_string())
    })?;
    if memory.huge || shared {
        nest(xml, BytesStart::new("memoryBacking"), |xml| {
            if memory.huge {
                nest(xml, BytesStart::new("hugepages"), huge_page)?;
            }
            empty(xml, "source", &[("type", "memfd")])?;
            if shared { empty(xml, "access", &[("mode", "shared")]) } else { Ok(()) }
        })?;
    }
    let Some(node) = memory.node else { return Ok(()) };
    nest(xml, BytesStart::new("numatune"), |xml| {
        empty(xml, "memory", &[("mode", "strict"), ("nodeset", &node.to_string())])
    })
}

fn huge_page(xml: &mut Xml) -> std::io::Result<()> {
    empty(xml, "page", &[("size", &HUGE_PAGE_KIB.to_string()), ("unit", "KiB")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use quick_xml::Writer;

    fn written(memory: Memory, shared: bool) -> String {
        let mut xml = Writer::new(Vec::new());
        write(&mut xml, memory, shared).unwrap();
        String::from_utf8(xml.into_inner()).unwrap()
    }

    const PLAIN: Memory = Memory { mib: 96, huge: false, node: None };

    #[test]
    fn ordinary_memory_is_libvirts_own_choice() {
        assert_eq!(written(PLAIN, false), "<memory unit=\"MiB\">96</memory>");
    }

    #[test]
    fn huge_pages_need_no_mount_and_may_be_shared_with_a_switch() {
        let huge = "<memory unit=\"MiB\">96</memory><memoryBacking><hugepages><page size=\"2048\" unit=\"KiB\"/></hugepages>\
                    <source type=\"memfd\"/>";
        let memory = Memory { huge: true, ..PLAIN };
        assert_eq!(written(memory, false), format!("{huge}</memoryBacking>"));
        assert_eq!(written(memory, true), format!("{huge}<access mode=\"shared\"/></memoryBacking>"));
    }

    #[test]
    fn memory_of_a_node_is_of_no_other() {
        let xml = written(Memory { node: Some(1), ..PLAIN }, false);
        assert!(xml.ends_with("<numatune><memory mode=\"strict\" nodeset=\"1\"/></numatune>"), "{xml}");
    }
}
