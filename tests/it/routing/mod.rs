//! Several replicas: which one answers, who waits for how long, and what one that is gone does to
//! queries.

mod epochs;
mod faults;
mod operators;
mod read_your_writes;
mod silence;
mod standby;

use std::collections::BTreeMap;
use std::process::Output;

use fido_commands::log::Log;
use fido_domain::Position;
use fido_projections::{ReadError, Replicas, conversation};
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::app::TestApp;
use crate::ground::Ground;
use crate::until::until;

/// Queries as a process of its own sends them, and who answered how many.
struct Reader {
    replicas: Replicas,
    answers: BTreeMap<String, usize>,
    _following: DropGuard,
}

impl Reader {
    async fn begin(ground: &Ground) -> Self {
        let system = ground.system().await;
        let replicas = system.replicas();
        let following = CancellationToken::new();
        tokio::spawn(
            replicas
                .clone()
                .follow(system.nats().clone(), following.clone()),
        );
        Self {
            replicas,
            answers: BTreeMap::new(),
            _following: following.drop_guard(),
        }
    }

    /// Whether `account` has the conversation at `at_least` or later, and where that was seen.
    async fn has(
        &mut self,
        account: Uuid,
        id: Uuid,
        at_least: Option<Position>,
    ) -> Result<(Position, bool), ReadError> {
        let query = |mut snapshot: fido_projections::Snapshot| async move {
            let found = conversation::one(&mut snapshot, account, id).await?;
            Ok((snapshot.replica().to_owned(), found.is_some()))
        };
        let (position, (replica, found)) = self.replicas.ask(at_least, query).await?;
        *self.answers.entry(replica).or_default() += 1;
        Ok((position, found))
    }

    /// Who answers when nothing is asked for.
    async fn anybody(&mut self) -> Result<String, ReadError> {
        let query =
            |snapshot: fido_projections::Snapshot| async move { Ok(snapshot.replica().to_owned()) };
        let (_, replica) = self.replicas.ask(None, query).await?;
        *self.answers.entry(replica.clone()).or_default() += 1;
        Ok(replica)
    }
}

/// The head of the log.
async fn head(app: &TestApp) -> Position {
    Log::new(app.ground.pool().await).head().await.unwrap()
}

/// Waits until these replicas show all of the log.
async fn caught_up(app: &TestApp, names: &[&str]) {
    let replicas = app.ground.system().await.replicas();
    until("replicas are at the head", async || {
        let head = head(app).await;
        replicas.survey().await.iter().all(|replica| {
            !names.contains(&&*replica.name)
                || replica
                    .found
                    .as_ref()
                    .is_ok_and(|shown| shown.position == head)
        })
    })
    .await;
}

/// What it prints, when it succeeds; what it complains of otherwise.
async fn outcome(ground: &Ground, arguments: &[&str]) -> Result<String, String> {
    let Output {
        status,
        stdout,
        stderr,
    } = ground.command(arguments).output().await.unwrap();
    if status.success() {
        Ok(String::from_utf8(stdout).unwrap())
    } else {
        Err(String::from_utf8(stderr).unwrap())
    }
}

/// The same as JSON.
async fn told(ground: &Ground, arguments: &[&str]) -> Value {
    serde_json::from_str(&outcome(ground, arguments).await.unwrap()).unwrap()
}
