//! What the tester sends to some guests, held to a rate: see [`crate::backend::pace`].

use super::LabError;
use super::address::{Net, Station, address};
use super::building::Lab;
use super::doing::Done;
use crate::backend::Side;
use crate::backend::pace::{self, Pace};

/// What is paced at this moment.
#[derive(Default)]
pub(super) struct Paced {
    /// `None` if the tester's interface is as it was.
    paces: Option<Vec<Pace>>,
    done: Vec<Done>,
}

impl Lab {
    /// Paces these guests and no others; with an empty list packets take the same way without a bucket in it, and with
    /// `None` the tester's interface is as it was.
    ///
    /// # Errors
    /// [`LabError`] with the step that failed.
    pub async fn pace(&mut self, wanted: Option<Vec<Pace>>) -> Result<(), LabError> {
        if self.paced.paces == wanted && (wanted.is_some() || self.paced.done.is_empty()) {
            return Ok(());
        }
        self.unpace().await?;
        let Some(paces) = wanted else { return Ok(()) };
        let steps = pace::steps(&self.way_to_guests().await?, &paces);
        self.paced.paces = Some(paces);
        for step in steps {
            let done = self.apply(&step).await?;
            self.paced.done.push(done);
        }
        Ok(())
    }

    /// Takes away what [`Lab::pace`] did; the tester's interface must still be there.
    ///
    /// # Errors
    /// [`LabError`] with the step that could not be taken back.
    pub async fn unpace(&mut self) -> Result<(), LabError> {
        let Paced { mut done, .. } = std::mem::take(&mut self.paced);
        let outcome = self.revert(&mut done).await;
        self.paced.done = done;
        outcome
    }

    /// The rate at which a guest is paced, bits/s, as the tester says it; `None` if it is not.
    ///
    /// # Errors
    /// [`LabError`] if the tester does not answer.
    pub async fn pace_of(&self, guest: u32) -> Result<Option<u64>, LabError> {
        let (interface, tester) = (self.way_to_guests().await?, self.side(Side::Tester));
        let classes = tester.run(&["tc", "class", "show", "dev", &interface]).await?.stdout;
        let filters = tester.run(&["tc", "filter", "show", "dev", &interface]).await?.stdout;
        Ok(pace::seen(&classes, &filters, guest))
    }

    /// The interface by which the tester reaches the guests: a switch of its own where the wire has several ports.
    async fn way_to_guests(&self) -> Result<String, LabError> {
        let to = address(Net::Test, Station::Guest(1)).to_string();
        let said = self.side(Side::Tester).run(&["ip", "-o", "route", "get", &to]).await?.stdout;
        Ok(said.split_whitespace().skip_while(|word| *word != "dev").nth(1).unwrap_or_default().to_owned())
    }
}
