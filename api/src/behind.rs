//! What goes on behind the requests: revocations are exchanged, mails sent, and the log told of the door.

use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::Api;
use crate::identity::revocation;

/// All of it, until it is dropped or ended.
pub(crate) struct Behind {
    tasks: TaskTracker,
    served: DropGuard,
}

impl Behind {
    /// Begins; once `shutdown` comes, only what requests still lead to is told to the log.
    pub(crate) fn begin(api: &Arc<Api>, shutdown: &CancellationToken) -> Self {
        let (tasks, served) = (TaskTracker::new(), CancellationToken::new());
        let (auth, nats) = (api.auth.clone(), api.nats.clone());
        tasks.spawn(revocation::follow(auth, nats, shutdown.clone()));
        let (mailing, ends) = (Arc::clone(api), shutdown.clone());
        tasks.spawn(async move { mailing.post_office.run(ends.cancelled()).await });
        let (access, ends) = (api.auth.access().clone(), served.clone());
        tasks.spawn(async move { access.run(ends.cancelled()).await });
        tasks.close();
        Self {
            tasks,
            served: served.drop_guard(),
        }
    }

    /// All requests are answered: what is left is told.
    pub(crate) async fn end(self) {
        drop(self.served);
        self.tasks.wait().await;
    }
}
