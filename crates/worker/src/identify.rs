use panicle_report::DwarfPresence;
use panicle_sandbox::{Answer, Identity, Task};
use panicle_store::{BinaryFacts, Job};

use crate::{
    JobError, Worker,
    tend::{Inputs, Tended},
};

impl Worker {
    /// Reads an executable's identities and wakes the crashes that waited for it.
    pub(crate) async fn identify(&self, job: &Job, tended: &Tended) -> Result<(), JobError> {
        let evidence = self.inner.store.evidence(&job.subject).await?;
        let inputs = tended.lay_out(vec![evidence]).await?;
        let facts = match identity(tended, &inputs).await? {
            Identity::Binary(binary) => Ok(BinaryFacts {
                go_version: binary.go_version,
                module: binary.module,
                module_version: binary.module_version,
                vcs_revision: binary.vcs_revision,
                build_ids: binary.build_ids,
                dwarf: Some(
                    match binary.dwarf {
                        DwarfPresence::Full => "full",
                        DwarfPresence::Separate => "separate",
                        DwarfPresence::None => "none",
                    }
                    .to_owned(),
                ),
                stripped: Some(binary.stripped),
            }),
            Identity::Core(_) => Err("it is a core file".to_owned()),
            Identity::Packed => Err("it is compressed or an archive; unpack it first".to_owned()),
            Identity::Other(reason) => Err(reason),
        };
        let facts = facts.as_ref().map_err(String::as_str);
        let woken = self.inner.store.commit_binary(&job.lease, &job.subject, facts).await?;
        if !woken.is_empty() {
            tracing::info!(
                binary = job.subject,
                crashes = woken.len(),
                "the executable of waiting crashes arrived"
            );
        }
        Ok(())
    }
}

/// Asks a child what its one input is.
pub(crate) async fn identity(tended: &Tended, inputs: &Inputs) -> Result<Identity, JobError> {
    let keep = |found: &mut Option<Identity>, answer| match answer {
        Answer::Identity(identity) => {
            *found = Some(identity);
            Ok(())
        }
        _ => Err("not an identity".to_owned()),
    };
    let found = tended.child(Task::Identify, inputs, None, keep).await?;
    found.ok_or_else(|| panicle_sandbox::Stopped::Output("no identity".to_owned()).into())
}
