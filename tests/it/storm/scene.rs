//! Everything as processes of its own: three projectors, a relay, nats-server, two that serve. Any of
//! the former can be killed and started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use fido_commands::log::Log;
use fido_domain::Position;
use sqlx::PgPool;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::script::{Fault, Part, REPLICAS};
use crate::app::Ground;
use crate::replica_scene::{Replica, pool};

/// A child of this test.
struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts it; what it says is added to `said`.
    fn start(name: &str, mut command: Command, said: &File) -> Self {
        let child = command.stderr(said.try_clone().unwrap()).spawn().unwrap();
        let name = name.to_owned();
        Self { name, child }
    }

    /// Ends it with SIGKILL. It must not have ended by itself before.
    async fn kill(mut self) {
        let ended = self.child.try_wait().unwrap();
        assert_eq!(ended, None, "{} has ended by itself", self.name);
        self.child.kill().await.unwrap();
    }
}

/// A process that serves, and where.
struct Served {
    base: String,
    _process: Process,
    /// Held open, so that it can be written to.
    _lines: Lines<BufReader<ChildStdout>>,
}

/// All processes.
pub(super) struct Scene {
    pub(super) ground: Ground,
    pub(super) log: Log,
    pub(super) replicas: Vec<Replica>,
    pools: Vec<PgPool>,
    projectors: Vec<Option<Process>>,
    relay: Option<Process>,
    served: Vec<Served>,
    said: File,
    said_in: PathBuf,
}

impl Scene {
    /// Starts everything; what the processes say goes into a file named after `name`.
    pub(super) async fn begin(name: &str) -> Self {
        let ground = Ground::with_replicas(REPLICAS).await;
        let said_in = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.log"));
        let said = File::create(&said_in).unwrap();
        // Appending, since all of them write to it.
        drop(said);
        let said = File::options().append(true).open(&said_in).unwrap();
        let mut replicas = Vec::new();
        let mut pools = Vec::new();
        for replica in &ground.addresses.replicas {
            let replica = Replica {
                url: replica.url.clone(),
            };
            pools.push(pool(&replica).await);
            replicas.push(replica);
        }
        let mut scene = Self {
            log: Log::new(ground.pool().await),
            replicas,
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
        command.stdout(Stdio::piped());
        let mut process = Process::start("serve", command, &self.said);
        let mut lines = BufReader::new(process.child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the address");
        let (_, base) = line.split_once("at ").unwrap();
        Served {
            base: base.to_owned(),
            _process: process,
            _lines: lines,
        }
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
                let process = Process::start(&format!("projector {n}"), command, &self.said);
                self.projectors[n] = Some(process);
            }
            Part::Relay => {
                let command = self.ground.command(&["relay"]);
                self.relay = Some(Process::start("relay", command, &self.said));
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
