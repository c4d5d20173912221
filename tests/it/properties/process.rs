//! A process of Fido, simulated: a store on a runtime and a line of its own, so that it can be killed
//! with everything that it has begun.

use std::sync::Arc;

use fido_commands::conversation::ConversationRefusal;
use fido_commands::{Committed, EventStore, ExecuteError};
use fido_domain::conversation::{Conversation, ConversationEvent};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::order::Order;
use crate::cut::Proxy;
use crate::event_store::Database;

/// What the store answers.
pub(super) type Answer = Result<Committed<ConversationEvent>, ExecuteError<ConversationRefusal>>;

/// One process, alive.
pub(super) struct Process {
    /// There until the process is dropped.
    runtime: Option<Runtime>,
    store: EventStore,
    proxy: Arc<Proxy>,
}

impl Process {
    pub(super) fn start(database: &Database) -> Self {
        let proxy = Arc::new(Proxy::start(&database.app));
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let store = {
            let _inside = runtime.enter();
            database.open(proxy.options())
        };
        Self {
            runtime: Some(runtime),
            store,
            proxy,
        }
    }

    /// Gives the command to the store. The handle fails when the process is killed meanwhile.
    pub(super) fn execute(&self, order: &Order) -> JoinHandle<Answer> {
        let store = self.store.clone();
        let order = order.clone();
        self.runtime.as_ref().expect("alive").spawn(async move {
            store
                .execute::<Conversation>(order.stream, order.command, &order.context)
                .await
        })
    }

    /// Its line to the server.
    pub(super) fn proxy(&self) -> Arc<Proxy> {
        Arc::clone(&self.proxy)
    }

    /// Ends it as SIGKILL would. What it has sent may still be on its way
    /// through its proxy; what a thread of it may still want to send does not get through.
    pub(super) fn kill(self) -> Arc<Proxy> {
        self.proxy.bury();
        self.proxy()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
