//! The profiles of `profiles/`, built into the program.

/// A list of shipped profiles by name; each is the file of that name in `profiles/`.
macro_rules! shipped {
    ($($name:literal,)+) => {
        /// Name and text of every shipped profile, in alphabetical order.
        pub const SHIPPED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../profiles/", $name, ".toml")))),+];
    };
}

shipped! {
    "asada-backends",
    "asada-backends-small",
    "asada-cap",
    "asada-cap-small",
    "asada-shares",
    "asada-shares-small",
    "asada-vcpus",
    "asada-vcpus-small",
    "asama-datapaths",
    "asama-datapaths-small",
    "backends-small",
    "density",
    "krosnov-congestion",
    "krosnov-congestion-small",
    "lab-backends",
    "nishimura-interference",
    "nishimura-interference-small",
    "nishimura-xen",
    "nishimura-xen-small",
    "ping-neighbours",
    "quickstart",
    "tuning-toggles",
    "tuning-toggles-small",
}

/// The text of a shipped profile; `None` if none has that name.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}

/// A profile's text under another name; comments and layout stay.
pub fn renamed(text: &str, from: &str, to: &str) -> String {
    text.replacen(&format!("\nname = \"{from}\"\n"), &format!("\nname = \"{to}\"\n"), 1)
}

/// The description that a profile gives of itself; empty without one.
pub fn description(text: &str) -> String {
    let table: Option<toml::Table> = text.parse().ok();
    let description = table.as_ref().and_then(|table| table.get("description")?.as_str());
    description.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_in_profiles_is_built_in() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        let files =
            std::fs::read_dir(directory).expect("profiles/").map(|entry| entry.expect("an entry").path());
        let on_disk: BTreeSet<String> =
            files.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
        let built_in = SHIPPED.iter().map(|(name, _)| (*name).to_owned());
        assert_eq!(built_in.collect::<BTreeSet<_>>(), on_disk);
    }

    #[test]
    fn a_renamed_profile_differs_in_its_name_only() {
        let text = shipped("quickstart").expect("shipped");
        let mine = renamed(text, "quickstart", "mine");
        assert!(mine.contains("\nname = \"mine\"\n"));
        assert_eq!(renamed(&mine, "mine", "quickstart"), text);
    }
}
