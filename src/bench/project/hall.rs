//! Where the measurement takes place: event store, relay, broker, projector and replica.

use anyhow::{Result, ensure};
use fido_commands::EventStore;
use fido_nats::access::Role;
use fido_nats::wake;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::heard::Heard;
use crate::bench::server::{Database, Server};
use crate::bench::store::{close_store, open_store};
use crate::config::{Addresses, ReplicaAddress};
use crate::roles::System;
use crate::stack::{NatsServer, Programs};

/// The name of the one replica.
const REPLICA: &str = "bench";

/// All parts, at work.
pub(super) struct Hall {
    /// What commands are given to.
    pub(super) store: EventStore,
    /// What is heard of the replica.
    pub(super) heard: Heard,
    /// The replica.
    pub(super) replica: Database,
    events: Database,
    tasks: TaskTracker,
    /// Stops the parts also when the measurement is interrupted.
    running: DropGuard,
    nats: NatsServer,
}

impl Hall {
    /// Makes and starts everything on `server`, with a nats-server of its own.
    ///
    /// # Errors
    /// When something does not start.
    pub(super) async fn open(server: &mut Server) -> Result<Self> {
        let nats = NatsServer::temporary(&Programs::of_this_machine()).await?;
        let events = server.make_database("log").await?;
        let replica = server.make_replica("replica").await?;
        let addresses = Addresses {
            events_url: events.app_url(),
            replicas: vec![ReplicaAddress {
                name: REPLICA.to_owned(),
                url: replica.app_url(),
            }],
            analyst_replica: None,
            nats_url: nats.url(),
            nats_seeds: Some(nats.seeds_dir()),
            nats_seed: None,
            events_owner_url: None,
            vault_url: None,
            erasure_register: None,
        };
        // Each role with rights of its own, as if it were a process of its own.
        let connect = |role| System::connect(&addresses, role);
        let (relay, projector) = (connect(Role::Relay).await?, connect(Role::Projector).await?);
        let reader = connect(Role::Api).await?.nats().clone();
        let heard = Heard::listen(&reader, REPLICA).await?;
        let store = open_store(&addresses.events_url).await?;
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(relay.relay(shutdown.clone()));
        tasks.spawn(projector.projector(REPLICA)?.run(shutdown.clone()));
        tasks.spawn(wake::announce_appends(
            reader,
            store.appended(),
            shutdown.clone(),
        ));
        tasks.close();
        Ok(Self {
            store,
            heard,
            replica,
            events,
            tasks,
            running: shutdown.drop_guard(),
            nats,
        })
    }

    /// Whether the replica shows the whole log and nothing was left out of it.
    ///
    /// # Errors
    /// When it does not.
    pub(super) async fn check(&self) -> Result<()> {
        let head: i64 = sqlx::query_scalar("select position from log_head")
            .fetch_one(&self.events.owner)
            .await?;
        let (position, shown): (i64, i64) = sqlx::query_as(
            "select position, (select count(*) from fido.audit_timeline) from fido.checkpoint",
        )
        .fetch_one(&self.replica.owner)
        .await?;
        ensure!(
            position == head && shown == head,
            "the log holds {head} events, the replica stands at {position} and shows {shown}"
        );
        Ok(())
    }

    /// Stops everything.
    ///
    /// # Errors
    /// When the nats-server does not stop.
    pub(super) async fn close(self) -> Result<()> {
        drop(self.running);
        self.tasks.wait().await;
        drop(self.heard);
        close_store(self.store).await;
        Ok(self.nats.stop().await?)
    }
}
