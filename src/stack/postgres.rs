//! A private PostgreSQL: one cluster in a folder, reachable through a Unix socket that only its owner can enter.

use std::fmt::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use sqlx::{Connection, PgConnection};

use super::error::{Doing, StackError};
use super::find::{Programs, Version};
use super::lock::DirLock;
use super::place::{Site, make_data_dir, make_socket_dir};
use super::process::{Launch, Server, Sign, command_line, first_line_number};
use super::run_as::RunAs;
use super::temporary::TemporaryDir;

/// The superuser of every cluster; the migrations make the other roles.
pub const OWNER: &str = "fido_owner";

/// What a cluster has to survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A power cut: every commit is on the disk before it is acknowledged.
    PowerCut,
    /// `kill -9` of any process, but not a power cut. For tests.
    ProcessCrash,
}

/// How a cluster is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterSettings {
    /// What it has to survive.
    pub durability: Durability,
    /// How many connections it takes at once.
    pub max_connections: u32,
}

impl From<Durability> for ClusterSettings {
    /// With as many connections as all of Fido in one process needs.
    fn from(durability: Durability) -> Self {
        Self {
            durability,
            max_connections: 200,
        }
    }
}

/// A running PostgreSQL server. Dropped, it is stopped soon; [`stop`](Self::stop) also waits for that.
pub struct PostgresCluster {
    postgres: PathBuf,
    version: Version,
    cluster: PathBuf,
    socket_dir: PathBuf,
    settings: ClusterSettings,
    user: RunAs,
    server: Server,
    _lock: DirLock,
}

impl PostgresCluster {
    /// Starts the cluster in `dir`, which is made the first time.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, `dir` is in use, or the server does not become ready.
    pub async fn start(
        dir: &Path,
        programs: &Programs,
        settings: impl Into<ClusterSettings>,
    ) -> Result<Self, StackError> {
        let mut cluster = Self::prepare(dir, programs, settings.into()).await?;
        cluster.launch().await?;
        Ok(cluster)
    }

    /// Starts a cluster for a test, which vanishes with this process or with the value.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn temporary(programs: &Programs) -> Result<Self, StackError> {
        Self::temporary_with(programs, Durability::ProcessCrash).await
    }

    /// Starts a cluster run as `settings` say, which vanishes with this process or with the value.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn temporary_with(
        programs: &Programs,
        settings: impl Into<ClusterSettings>,
    ) -> Result<Self, StackError> {
        let dir = TemporaryDir::make()?;
        let mut cluster = Self::prepare(dir.path(), programs, settings.into()).await?;
        for folder in [&cluster.cluster, &cluster.socket_dir, dir.path()] {
            cluster.server.remove_afterwards(folder)?;
        }
        dir.keep();
        cluster.launch().await?;
        Ok(cluster)
    }

    async fn prepare(
        dir: &Path,
        programs: &Programs,
        settings: ClusterSettings,
    ) -> Result<Self, StackError> {
        let dir = make_data_dir(dir)?;
        let lock = DirLock::take(&dir)?;
        let place = dir.join("cluster");
        let program = programs.postgres(&place).await?;
        let user = RunAs::choose(&place)?;
        if !place.join("PG_VERSION").exists() {
            initialise(&place, &program.path, user, settings.durability).await?;
        }
        let cluster = place.canonicalize().doing("looking at", &place)?;
        let sign = Sign {
            server: "postgres",
            command_part: format!("-D {} -c", cluster.display()),
            farewell: &[Signal::SIGINT, Signal::SIGQUIT, Signal::SIGKILL],
        };
        Ok(Self {
            socket_dir: make_socket_dir(&dir, user)?,
            server: Server::prepare(sign, &dir).await?,
            postgres: program.path,
            version: program.version,
            cluster,
            settings,
            user,
            _lock: lock,
        })
    }

    async fn launch(&mut self) -> Result<(), StackError> {
        self.clear_pid_file().await?;
        let launch = PostgresLaunch {
            user: self.user,
            postgres: self.postgres.clone(),
            arguments: self.arguments(),
            url: self.url("postgres", OWNER),
        };
        self.server.launch(&launch).await?;
        tracing::info!(
            process.pid = self.pid(),
            "postgres {} is ready (socket in {})",
            self.version,
            self.socket_dir.display()
        );
        Ok(())
    }

    /// The URL of a database for a role, as sqlx and psql understand it.
    pub fn url(&self, database: &str, role: &str) -> String {
        let socket_dir = percent_encoded(&self.socket_dir.to_string_lossy());
        format!("postgres://{role}@localhost/{database}?host={socket_dir}&sslmode=disable")
    }

    /// A program that belongs to this PostgreSQL, such as `pg_dump`; it need not be installed.
    pub fn program(&self, name: &str) -> PathBuf {
        let beside = self.postgres.with_file_name(name);
        if beside.is_file() {
            return beside;
        }
        // `postgres` may be a link into the folder where the others are.
        let postgres = self.postgres.canonicalize();
        postgres.map_or(beside, |postgres| postgres.with_file_name(name))
    }

    /// Creates a database, unless it is there.
    ///
    /// # Errors
    /// When PostgreSQL cannot be reached or refuses.
    pub async fn ensure_database(&self, name: &str) -> Result<(), StackError> {
        let created = async {
            let mut connection = PgConnection::connect(&self.url("postgres", OWNER)).await?;
            let statement = format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""));
            let created = sqlx::raw_sql(&statement).execute(&mut connection).await;
            connection.close().await?;
            created
        };
        match created.await {
            Err(sqlx::Error::Database(refusal)) if is_duplicate(refusal.code().as_deref()) => {
                Ok(())
            }
            Err(source) => Err(StackError::Database {
                doing: format!("creating the database {name}"),
                source,
            }),
            Ok(_) => Ok(()),
        }
    }

    /// The process id of the server, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// Where the cluster's files are: in the folder given, unless the server's user cannot reach that.
    pub fn data_dir(&self) -> &Path {
        &self.cluster
    }

    /// Ends the server with SIGKILL, as a fault would.
    ///
    /// # Errors
    /// When the process does not go away.
    pub async fn kill(&mut self) -> Result<(), StackError> {
        self.server.kill().await
    }

    /// Starts the server again at the same URL, after ending it with SIGKILL if it still runs.
    ///
    /// # Errors
    /// When the server does not become ready.
    pub async fn restart(&mut self) -> Result<(), StackError> {
        self.server.kill().await?;
        self.launch().await
    }

    /// Stops the server: sessions are ended, everything is written out.
    ///
    /// # Errors
    /// When the server does not stop in time.
    pub async fn stop(self) -> Result<(), StackError> {
        self.server.stop().await?;
        // Empty by now, and gone where the guard removes it; in the way of nobody if it stays.
        let _gone = std::fs::remove_dir(&self.socket_dir);
        Ok(())
    }

    /// Removes what an earlier server left: PostgreSQL would take any process with that id for its predecessor.
    async fn clear_pid_file(&self) -> Result<(), StackError> {
        let pid_file = self.cluster.join("postmaster.pid");
        self.server.end_left_behind(&pid_file).await?;
        if first_line_number(&pid_file)
            .and_then(command_line)
            .is_some()
        {
            tracing::info!(
                "{} names a process that is not postgres; removing it",
                pid_file.display()
            );
            std::fs::remove_file(&pid_file).doing("removing", &pid_file)?;
        }
        Ok(())
    }

    fn arguments(&self) -> Vec<String> {
        let mut settings = vec![
            "listen_addresses=".to_owned(),
            format!("unix_socket_directories=\"{}\"", self.socket_dir.display()),
            "unix_socket_permissions=0700".to_owned(),
            "port=5432".to_owned(),
            format!("max_connections={}", self.settings.max_connections),
            "shared_buffers=128MB".to_owned(),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
            "logging_collector=off".to_owned(),
            "log_checkpoints=off".to_owned(),
        ];
        if self.settings.durability == Durability::ProcessCrash {
            settings.extend(["fsync=off", "full_page_writes=off"].map(str::to_owned));
        }
        let settings = settings
            .into_iter()
            .flat_map(|setting| ["-c".to_owned(), setting]);
        ["-D".to_owned(), self.cluster.display().to_string()]
            .into_iter()
            .chain(settings)
            .collect()
    }
}

impl fmt::Debug for PostgresCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresCluster")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

struct PostgresLaunch {
    user: RunAs,
    postgres: PathBuf,
    arguments: Vec<String>,
    url: String,
}

impl Launch for PostgresLaunch {
    fn command(&self) -> Command {
        let mut command = self.user.command(&self.postgres);
        command.args(&self.arguments);
        command
    }

    async fn is_ready(&self, _pid: u32) -> bool {
        match PgConnection::connect(&self.url).await {
            Ok(connection) => connection.close().await.is_ok(),
            Err(_) => false,
        }
    }
}

/// Makes an empty cluster: UTF-8 and byte order everywhere, so that text sorts alike on every machine.
async fn initialise(
    place: &Path,
    postgres: &Path,
    user: RunAs,
    durability: Durability,
) -> Result<(), StackError> {
    let site = Site::choose(place, user)?;
    let initdb = postgres.with_file_name("initdb");
    let mut command = user.command(&initdb);
    command
        .arg("--pgdata")
        .arg(&site.folder)
        .args(["--username", OWNER])
        .args([
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            "--auth-local=trust",
            "--auth-host=reject",
            "--no-instructions",
        ]);
    if durability == Durability::ProcessCrash {
        command.arg("--no-sync");
    }
    let mut command = tokio::process::Command::from(command);
    let output = command.kill_on_drop(true).output().await;
    let output = output.doing("starting", &initdb)?;
    if !output.status.success() {
        return Err(StackError::Failed {
            program: "initdb",
            output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        });
    }
    site.settle()
}

/// `duplicate_database`, or `unique_violation` when two create it at once.
fn is_duplicate(sqlstate: Option<&str>) -> bool {
    matches!(sqlstate, Some("42P04" | "23505"))
}

fn percent_encoded(path: &str) -> String {
    path.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
