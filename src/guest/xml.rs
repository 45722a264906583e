//! Elements of the domain XML, as they are written one after another. Pure.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

pub(super) type Xml = Writer<Vec<u8>>;

pub(super) fn nest(
    xml: &mut Xml,
    start: BytesStart<'_>,
    inside: impl FnOnce(&mut Xml) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let name = start.name().as_ref().to_owned();
    xml.write_event(Event::Start(start))?;
    inside(xml)?;
    xml.write_event(Event::End(BytesEnd::new(name)))
}

pub(super) fn text(xml: &mut Xml, name: &str, value: &str) -> std::io::Result<()> {
    nest(xml, BytesStart::new(name), |xml| write(xml, value))
}

pub(super) fn write(xml: &mut Xml, value: &str) -> std::io::Result<()> {
    xml.write_event(Event::Text(BytesText::new(value)))
}

pub(super) fn empty(xml: &mut Xml, name: &str, attributes: &[(&str, &str)]) -> std::io::Result<()> {
    xml.write_event(Event::Empty(BytesStart::new(name).with_attributes(attributes.iter().copied())))
}
