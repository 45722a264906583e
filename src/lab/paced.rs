//! What the tester sends to some guests, held to a rate: see [`crate::backend::pace`].

use super::LabError;
use super::building::{Lab, Paced};
use crate::address::{Net, Station, address};
use crate::backend::Side;
use crate::backend::pace::{self, Pace};

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
        let interface = self.way_to_guests().await?;
        self.refuse_given(&interface).await?;
        let steps = pace::steps(&interface, &paces);
        self.paced.paces = Some(paces);
        for step in steps {
            let done = self.apply(&step).await?;
            self.paced.done.push(done);
        }
        Ok(())
    }

    /// Somebody's own queueing discipline stays. It is seen before the journal says how ours goes.
    async fn refuse_given(&self, interface: &str) -> Result<(), LabError> {
        let shown = self.side(Side::Tester).run(&["tc", "qdisc", "show", "dev", interface]).await?.stdout;
        let given = pace::root(&shown).map(str::to_owned);
        given.map_or(Ok(()), |qdisc| Err(LabError::Queued { interface: interface.into(), qdisc }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{enter, hardware};
    use crate::machine::Machine;
    use crate::machine::journal::{self, Journal};
    use crate::machine::local::Local;

    const BUCKET: &str = "root tbf rate 1mbit burst 4096 latency 50ms";

    /// A lab whose tester is a namespace that ends with it, with a wire `p0` to the guests.
    async fn lab(journal: Journal) -> Lab {
        let mut lab = hardware::on_this_machine(journal);
        lab.machines.tester.machine = Machine::Local(Local::in_netns(enter::another_network().unwrap()));
        for command in [
            "ip link add p0 type veth peer name p1",
            "ip link set p0 up",
            "ip address add 198.19.0.2/16 dev p0",
        ] {
            on_tester(&lab, command).await;
        }
        lab
    }

    async fn on_tester(lab: &Lab, command: &str) -> String {
        let argv: Vec<&str> = command.split(' ').collect();
        lab.side(Side::Tester).run(&argv).await.unwrap().stdout
    }

    #[tokio::test]
    async fn a_queueing_discipline_of_somebody_else_is_neither_replaced_nor_removed() {
        if !nix::unistd::geteuid().is_root() {
            return; // only root makes namespaces
        }
        let dir = tempfile::tempdir().unwrap();
        let mut lab = lab(Journal::open(dir.path()).unwrap()).await;
        on_tester(&lab, &format!("tc qdisc add dev p0 {BUCKET}")).await;
        let refused = lab.pace(Some(vec![])).await.unwrap_err().to_string();
        assert!(
            refused.contains("p0") && refused.contains("qdisc tbf") && refused.contains("hint"),
            "{refused}"
        );
        assert_eq!(journal::read(dir.path()).entries, []);
        lab.unpace().await.unwrap();

        on_tester(&lab, "tc qdisc del dev p0 root").await;
        lab.pace(Some(vec![Pace { guest: 10, bits: 2_500_000 }])).await.unwrap();
        assert_eq!(lab.pace_of(10).await.unwrap(), Some(2_500_000));
        on_tester(&lab, &format!("tc qdisc replace dev p0 {BUCKET}")).await;
        assert!(lab.unpace().await.is_err());
        assert!(on_tester(&lab, "tc qdisc show dev p0").await.contains("qdisc tbf"));
    }
}
