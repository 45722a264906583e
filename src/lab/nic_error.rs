//! Why a NIC cannot carry the wire.

/// Why a NIC cannot carry the wire.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NicError {
    /// There is no interface of that name.
    #[error("there is no interface {0}; there are: {1}")]
    Missing(String, String),
    /// It is not hardware: a bridge, a VLAN, one end of a veth pair.
    #[error("{0} is a virtual interface; the embedded lab's wire needs a physical NIC")]
    Virtual(String),
    /// Something uses it.
    #[error("{0} is in use: {1}")]
    InUse(String, String),
    /// Its state cannot be read.
    #[error("failed to read {0}: {1}")]
    Unreadable(String, String),
}

impl NicError {
    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            NicError::Missing(..) => "name another one in [wire]".into(),
            NicError::Virtual(_) => "name the physical NIC in [wire]; a wire of veth needs no [wire]".into(),
            NicError::InUse(name, _) => {
                format!("name a NIC that nothing uses, or take {name} out of service first")
            }
            NicError::Unreadable(..) => "run as root, with iproute2 installed and /sys mounted".into(),
        }
    }
}
