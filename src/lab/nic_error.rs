//! Why a NIC cannot carry the wire.

/// Why a NIC cannot carry the wire.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NicError {
    /// There is no interface of that name.
    #[error("there is no interface {0}; there are: {1}")]
    NotThere(String, String),
    /// It is no hardware: a bridge, a VLAN, one end of a veth pair.
    #[error("{0} is no NIC of this machine's but a virtual interface")]
    Virtual(String),
    /// Somebody uses it.
    #[error("{0} is in use: {1}")]
    InUse(String, String),
    /// The kernel did not say what must be known.
    #[error("failed to read {0}: {1}")]
    Unreadable(String, String),
}

impl NicError {
    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            NicError::NotThere(..) => "name another one in [wire]".into(),
            NicError::Virtual(_) => "name the physical NIC in [wire]; a wire of veth needs no [wire]".into(),
            NicError::InUse(name, _) => {
                format!("name a NIC that nothing uses, or take {name} out of service first")
            }
            NicError::Unreadable(..) => "run as root, with iproute2 installed and /sys mounted".into(),
        }
    }
}
