//! The embedded stack: a private PostgreSQL and a private nats-server for `fido dev`, tests and benchmarks.
//! Nothing else on the machine can reach or is touched by them, and they never outlive fido by more than a moment.

mod error;
mod find;
mod guard;
mod lock;
mod nats;
mod place;
mod postgres;
mod process;
mod run_as;
mod temporary;

use std::path::PathBuf;

pub use error::StackError;
pub use find::{Programs, Version};
pub use nats::NatsServer;
pub use postgres::{ClusterSettings, Durability, OWNER, PostgresCluster};

/// Where everything of one embedded stack lives, and what it has to survive.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// The folder of all data; one process at a time uses it.
    pub data_dir: PathBuf,
    /// What PostgreSQL has to survive.
    pub durability: Durability,
    /// Where the servers' programs are looked for.
    pub programs: Programs,
}

impl StackOptions {
    /// A durable stack in `data_dir`, run by the programs of this machine.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            durability: Durability::PowerCut,
            programs: Programs::of_this_machine(),
        }
    }
}

/// Both servers, running.
#[derive(Debug)]
pub struct Stack {
    /// The event store's and the replicas' databases.
    pub postgres: PostgresCluster,
    /// The broker.
    pub nats: NatsServer,
}

impl Stack {
    /// Starts both servers on the data of an earlier run, or on none.
    ///
    /// # Errors
    /// When a program is missing, the folder is in use, or a server does not become ready.
    pub async fn start(options: &StackOptions) -> Result<Self, StackError> {
        let StackOptions {
            data_dir,
            durability,
            programs,
        } = options;
        let (postgres_dir, nats_dir) = (data_dir.join("postgres"), data_dir.join("nats"));
        let (postgres, nats) = tokio::try_join!(
            PostgresCluster::start(&postgres_dir, programs, *durability),
            NatsServer::start(&nats_dir, programs),
        )?;
        Ok(Self { postgres, nats })
    }

    /// The URL of a database for a role.
    pub fn postgres_url(&self, database: &str, role: &str) -> String {
        self.postgres.url(database, role)
    }

    /// The URL of the broker.
    pub fn nats_url(&self) -> String {
        self.nats.url()
    }

    /// Stops both servers and waits for that.
    ///
    /// # Errors
    /// When one of them does not stop in time.
    pub async fn stop(self) -> Result<(), StackError> {
        let (postgres, nats) = tokio::join!(self.postgres.stop(), self.nats.stop());
        postgres.and(nats)
    }
}
