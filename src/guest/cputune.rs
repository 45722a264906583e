//! The CPU time of a guest in its domain XML. Pure.

use quick_xml::events::BytesStart;

use super::xml::{Xml, nest, text};
use crate::profile::groups::CpuSettings;

/// Weight and quotas, and the control group that holds the guest; empty where none is set.
pub(super) fn write(xml: &mut Xml, cpu: &CpuSettings, partition: Option<&str>) -> std::io::Result<()> {
    if *cpu != CpuSettings::default() {
        nest(xml, BytesStart::new("cputune"), |xml| settings(xml, cpu))?;
    }
    match partition {
        None => Ok(()),
        Some(path) => nest(xml, BytesStart::new("resource"), |xml| text(xml, "partition", path)),
    }
}

fn settings(xml: &mut Xml, cpu: &CpuSettings) -> std::io::Result<()> {
    let period = cpu.period_us();
    let with_period = |quota: Option<u32>| quota.map(|_| period);
    let elements = [
        ("shares", cpu.shares),
        ("period", with_period(cpu.quota_us)),
        ("quota", cpu.quota_us),
        ("emulator_period", with_period(cpu.emulator_quota_us)),
        ("emulator_quota", cpu.emulator_quota_us),
    ];
    let mut known = elements.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    known.try_for_each(|(name, value)| text(xml, name, &value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quick_xml::Writer;

    fn written(cpu: CpuSettings, partition: Option<&str>) -> String {
        let mut xml = Writer::new(Vec::new());
        write(&mut xml, &cpu, partition).unwrap();
        String::from_utf8(xml.into_inner()).unwrap()
    }

    #[test]
    fn only_what_is_set_is_written() {
        assert_eq!(written(CpuSettings::default(), None), "");
        let shares = CpuSettings { shares: Some(512), ..CpuSettings::default() };
        assert_eq!(written(shares, None), "<cputune><shares>512</shares></cputune>");
    }

    #[test]
    fn a_quota_comes_with_its_period_and_a_group_with_its_path() {
        let quota = CpuSettings { quota_us: Some(25_000), ..CpuSettings::default() };
        let xml = written(quota, Some("/machine/kf-abc234-gold"));
        assert_eq!(
            xml,
            "<cputune><period>100000</period><quota>25000</quota></cputune>\
             <resource><partition>/machine/kf-abc234-gold</partition></resource>"
        );
    }
}
