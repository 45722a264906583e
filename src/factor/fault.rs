//! What is wrong with a level, and names that were probably meant.

/// A fault without its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// A few words beside the mark; may be empty.
    pub label: String,
    /// What to do about it.
    pub hint: String,
}

impl Fault {
    /// From its parts.
    pub fn new(message: impl Into<String>, label: impl Into<String>, hint: impl Into<String>) -> Self {
        Fault { message: message.into(), label: label.into(), hint: hint.into() }
    }
}

/// The known name that was probably meant: one that only lacks its last words, `total_rate`, or else one that differs in few letters.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    let scored = known.map(|known| {
        let whole = known.to_lowercase();
        let is_begun =
            whole.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-']));
        (!is_begun, strsim::damerau_levenshtein(&name, &whole), known)
    });
    let (is_other, distance, known) = scored.min_by_key(|(is_other, distance, _)| (*is_other, *distance))?;
    (!is_other || distance <= 1 + name.chars().count() / 4).then_some(known)
}

/// `a`, `b`, `c`.
pub fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_means_near() {
        assert_eq!(nearest("virtoi", ["virtio", "e1000"].into_iter()), Some("virtio"));
        assert_eq!(nearest("TCP_rr", ["TCP_RR"].into_iter()), Some("TCP_RR"));
        assert_eq!(
            nearest("bias_rate", ["jain_rate", "bias_rate_percent"].into_iter()),
            Some("bias_rate_percent")
        );
        assert_eq!(nearest("vhost", ["ovs", "vhost-net", "vhost"].into_iter()), Some("vhost"));
        assert_eq!(nearest("infiniband", ["virtio", "e1000"].into_iter()), None);
    }
}
