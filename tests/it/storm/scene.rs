//! Everything as processes of its own: three projectors, a relay, nats-server, two that serve. Any of
//! the former can be killed and started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fido_commands::log::Log;
use fido_domain::Position;
use sqlx::PgPool;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::script::{Fault, Part, REPLICAS};
use crate::ground::Ground;
use crate::replica_scene::{Replica, pool};

/// After how long a process is started again that could not start.
const RESTART: Duration = Duration::from_millis(200);

/// A child of this test, looked after as it would be elsewhere: while there is no broker it cannot
/// start, and is started again.
struct Process {
    end: CancellationToken,
    keeper: JoinHandle<()>,
}

impl Process {
    fn start(name: String, command: Command) -> Self {
        let end = CancellationToken::new();
        let keeper = tokio::spawn(keep(name, command, end.clone()));
        Self { end, keeper }
    }

    /// Ends it with SIGKILL.
    async fn kill(self) {
        self.end.cancel();
        self.keeper.await.unwrap();
    }
}

async fn keep(name: String, mut command: Command, end: CancellationToken) {
    loop {
        let mut child = command.spawn().unwrap();
        let Some(ended) = end.run_until_cancelled(child.wait()).await else {
            return child.kill().await.unwrap();
        };
        // It says what it cannot do without; whatever else ends it is wrong.
        assert_eq!(ended.unwrap().code(), Some(1), "{name} has ended");
        if end.run_until_cancelled(sleep(RESTART)).await.is_none() {
            return;
        }
    }
}

/// A process that serves, and where.
struct Served {
    base: String,
    _child: Child,
    /// Held open, so that it can be written to.
    _lines: Lines<BufReader<ChildStdout>>,
}

/// All processes.
pub(super) struct Scene {
    pub(super) ground: Ground,
    pub(super) log: Log,
    pools: Vec<PgPool>,
    projectors: Vec<Option<Process>>,
    relay: Option<Process>,
    served: Vec<Served>,
    said: File,
    said_in: PathBuf,
}

impl Scene {
    /// Starts everything for the storm `seed`.
    pub(super) async fn begin(seed: u64) -> Self {
        let ground = Ground::with_replicas(REPLICAS).await;
        let said_in = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("storm-{seed}.log"));
        std::fs::write(&said_in, "").unwrap();
        // All of them write to it.
        let said = File::options().append(true).open(&said_in).unwrap();
        let mut pools = Vec::new();
        for replica in &ground.addresses.replicas {
            let url = replica.url.clone();
            pools.push(pool(&Replica { url }).await);
        }
        let mut scene = Self {
            log: Log::new(ground.pool().await),
            pools,
            projectors: (0..REPLICAS).map(|_| None).collect(),
            relay: None,
            served: Vec::new(),
            ground,
            said,
            said_in,
        };
        scene.run(Part::Relay).await;
        for n in 0..REPLICAS {
            scene.run(Part::Projector(n)).await;
        }
        for _ in 0..2 {
            let served = scene.serve().await;
            scene.served.push(served);
        }
        scene
    }

    async fn serve(&self) -> Served {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--plain-http"];
        let mut command = self.ground.command(&arguments);
        command.stdout(Stdio::piped()).stderr(self.hear());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the address");
        let (_, base) = line.split_once("at ").unwrap();
        Served {
            base: base.to_owned(),
            _child: child,
            _lines: lines,
        }
    }

    /// Where processes say what they have to say.
    fn hear(&self) -> File {
        self.said.try_clone().unwrap()
    }

    /// Where the processes that serve are.
    pub(super) fn bases(&self) -> Vec<String> {
        self.served.iter().map(|one| one.base.clone()).collect()
    }

    /// Where everything stands that the processes have said.
    pub(super) fn said_in(&self) -> &Path {
        &self.said_in
    }

    /// Kills a part that runs.
    pub(super) async fn strike(&mut self, fault: Fault) {
        match fault.part {
            Part::Projector(n) => self.projectors[n].take().unwrap().kill().await,
            Part::Relay => self.relay.take().unwrap().kill().await,
            Part::Broker => self.ground.nats.kill().await.unwrap(),
        }
        if fault.wipes {
            std::fs::remove_dir_all(self.ground.nats.store_dir()).unwrap();
        }
    }

    /// Starts a part that does not run.
    pub(super) async fn run(&mut self, part: Part) {
        match part {
            Part::Projector(n) => {
                let replica = &self.ground.addresses.replicas[n];
                let mut command = self.ground.command(&["project"]);
                command.env("FIDO_REPLICAS", format!("{}={}", replica.name, replica.url));
                command.stderr(self.hear());
                let name = format!("the projector of {}", replica.name);
                self.projectors[n] = Some(Process::start(name, command));
            }
            Part::Relay => {
                let mut command = self.ground.command(&["relay"]);
                command.stderr(self.hear());
                self.relay = Some(Process::start("the relay".to_owned(), command));
            }
            Part::Broker => self.ground.nats.restart().await.unwrap(),
        }
    }

    pub(super) async fn head(&self) -> Position {
        self.log.head().await.unwrap()
    }

    /// How far every replica is.
    pub(super) async fn positions(&self) -> Vec<Position> {
        let mut positions = Vec::new();
        for pool in &self.pools {
            let position = sqlx::query_scalar("select position from checkpoint");
            positions.push(position.fetch_one(pool).await.unwrap());
        }
        positions
    }

    /// Connections to every replica.
    pub(super) fn pools(&self) -> &[PgPool] {
        &self.pools
    }
}
