//! Interrupt coalescing of the host's end of the wire: what it was stands in the journal before it is changed, and is put back
//! with the other settings of the host.

use super::LabError;
use super::building::Lab;
use super::change::Change;
use super::doing::{Back, Done};
use crate::backend::Side;
use crate::backend::coalescing::{Coalescing, ask};
use crate::backend::site::Wire;

impl Lab {
    /// Makes the host's end of the wire gather packets for so many µs; `None` leaves a direction as it is.
    ///
    /// # Errors
    /// [`LabError::Exec`] if the NIC cannot coalesce, or does not take the times.
    pub async fn coalesce(
        &mut self,
        nic: &str,
        rx_us: Option<u32>,
        tx_us: Option<u32>,
    ) -> Result<(), LabError> {
        if rx_us.is_none() && tx_us.is_none() {
            return Ok(());
        }
        let now = self.coalescing(nic).await?;
        let change = now.change_to(rx_us, tx_us);
        let Some(argv) = change.command(nic) else { return Ok(()) };
        let back = now.where_changed(&change).command(nic).unwrap_or_default();
        if let (Wire::Nics(nics), false) = (&self.wire, back.is_empty())
            && let Some(nic) = nics.host.first().cloned()
        {
            // For `kvmfair clean`. A run that ends takes it back by itself, while the NIC is still where it borrowed it to.
            self.note(Side::Host, Change::Coalescing { nic, argv: back.clone() })?;
        }
        self.side(Side::Host).run(&argv).await?;
        let undo = if back.is_empty() { Back::Nothing } else { Back::Run(back) };
        self.tuned.entry(format!("coalescing of {nic}")).or_insert(Done { side: Side::Host, undo });
        Ok(())
    }

    /// What a NIC of the host's says of its coalescing.
    ///
    /// # Errors
    /// [`LabError::Exec`] if it has none.
    pub async fn coalescing(&self, nic: &str) -> Result<Coalescing, LabError> {
        Ok(Coalescing::read(&self.side(Side::Host).run(&ask(nic)).await?.stdout))
    }
}
