//! Changes of who may do what, logged and then in force.

use comity_store::{Admin, Administer, Op, Outcome, Progress};

use super::{AdminError, App};

impl App {
    /// Makes an administrative change: logged, durable, and in force for the next request.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn administer(&self, by: &str, change: Admin) -> Result<Outcome, AdminError> {
        let op = self.change(by, change)?;
        let outcome = self
            .sequencer
            .submit(vec![op])
            .await?
            .into_iter()
            .next()
            .unwrap_or(Outcome::Progressed);
        self.taken(outcome)
    }

    /// Several changes, and progress that goes with them, in one transaction. One that is refused leaves the others standing;
    /// the first refusal is told.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn administer_all(
        &self,
        by: &str,
        changes: Vec<Admin>,
        progress: Vec<Progress>,
    ) -> Result<(), AdminError> {
        let mut ops = Vec::with_capacity(changes.len() + progress.len());
        for change in changes {
            ops.push(self.change(by, change)?);
        }
        ops.extend(progress.into_iter().map(Op::Progress));
        let outcomes = self.sequencer.submit(ops).await?;
        self.reload()?;
        for outcome in outcomes {
            if let Outcome::Rejected(fault) = outcome {
                return Err(fault.into());
            }
        }
        Ok(())
    }

    /// [`Self::administer`] for threads outside the runtime.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub fn administer_blocking(&self, by: &str, change: Admin) -> Result<Outcome, AdminError> {
        let op = self.change(by, change)?;
        let outcome = self
            .sequencer
            .submit_blocking(vec![op])?
            .into_iter()
            .next()
            .unwrap_or(Outcome::Progressed);
        self.taken(outcome)
    }

    fn change(&self, by: &str, change: Admin) -> Result<Op, AdminError> {
        Ok(Op::Admin(Administer {
            change,
            by: by.to_owned(),
            salt: self.salt()?,
        }))
    }

    fn taken(&self, outcome: Outcome) -> Result<Outcome, AdminError> {
        if let Outcome::Rejected(fault) = outcome {
            return Err(fault.into());
        }
        self.reload()?;
        Ok(outcome)
    }
}
