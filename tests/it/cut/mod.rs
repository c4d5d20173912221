//! The line between one process and PostgreSQL, in the hands of a test: a proxy that knows the calls
//! of `append_events` and can cut the connection before, during and after any of them, or deliver
//! one long after its sender has given it up.

mod backend;
mod grave;
mod line;
mod wire;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use line::Line;

/// How long anything that a test waits for may take before it is a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What happens to one call of `append_events`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends; the server never hears of the call.
    Before,
    /// The server executes the call and its rows reach the client, but neither the Sync nor the end
    /// of the answer gets through: the server rolls back.
    Uncommitted,
    /// The call is handed to the server and the connection ends on both sides at once.
    During,
    /// The server's whole answer is lost, with the connection.
    After,
    /// The connection ends for the client alone. The server receives the call when `answers` later
    /// ones through this proxy were answered; with 0, at the moment the next one arrives.
    Late {
        /// How many later calls come first.
        answers: u32,
    },
    /// Nothing moves until [`Proxy::release`]; then the call goes on as if nothing had been.
    Hold,
}

impl Fault {
    /// Whether the client loses its connection.
    pub(crate) fn is_cut(self) -> bool {
        self != Self::Hold
    }
}

/// A proxy in front of one PostgreSQL, for one process.
pub(crate) struct Proxy {
    options: PgConnectOptions,
    shared: Arc<Shared>,
    accepting: AbortHandle,
    _folder: TempDir,
}

struct Shared {
    /// Faults to come, each with the number of calls that pass before.
    armed: Mutex<VecDeque<(u32, Fault)>>,
    fired: Mutex<Vec<Fault>>,
    progress: watch::Sender<Progress>,
    state: watch::Sender<State>,
    /// Ends the connections of now; replaced when it is used.
    cut: Mutex<CancellationToken>,
    /// Backends that were at a call when their line ended.
    left_at_work: Mutex<Vec<i32>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Leads to the server.
    Up,
    /// Leads nowhere.
    Down,
    /// Leads to the [`grave`].
    Buried,
}

#[derive(Default)]
struct Progress {
    /// Calls that clients have sent.
    arrived: u64,
    /// Calls that the server has answered.
    answered: u64,
    /// Calls at the server or held back for it.
    open: usize,
    /// What is held back is to be delivered now.
    deliver: bool,
    /// How often held calls were let go.
    released: u64,
}

/// A call has arrived: what is to become of it, and what the counts were at that moment.
struct Arrival {
    fault: Option<Fault>,
    arrived: u64,
    answered: u64,
    released: u64,
}

impl Proxy {
    /// A proxy to the server and database that `options` name.
    pub(crate) fn start(options: &PgConnectOptions) -> Self {
        let server = options
            .get_socket()
            .expect("a server on a Unix socket")
            .join(format!(".s.PGSQL.{}", options.get_port()));
        let folder = tempfile::tempdir().unwrap();
        let socket = folder
            .path()
            .join(format!(".s.PGSQL.{}", options.get_port()));
        let shared = Arc::new(Shared {
            armed: Mutex::default(),
            fired: Mutex::default(),
            progress: watch::Sender::default(),
            state: watch::Sender::new(State::Up),
            cut: Mutex::default(),
            left_at_work: Mutex::default(),
        });
        let listener = UnixListener::bind(&socket).unwrap();
        let accepting = tokio::spawn(accept(listener, socket, server, Arc::clone(&shared)));
        Self {
            options: options.clone().socket(folder.path()),
            shared,
            accepting: accepting.abort_handle(),
            _folder: folder,
        }
    }

    /// How to connect through this proxy.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Lets `fault` have one call: the one after the next `after` calls and after those that the
    /// faults armed before are for.
    pub(crate) fn arm(&self, after: u32, fault: Fault) {
        self.shared.armed.lock().unwrap().push_back((after, fault));
    }

    /// Arms here what has not struck at `other`.
    pub(crate) fn take_over(&self, other: &Self) {
        let armed = std::mem::take(&mut *other.shared.armed.lock().unwrap());
        self.shared.armed.lock().unwrap().extend(armed);
    }

    /// Forgets the faults that have not struck, and returns those that have since the last time.
    pub(crate) fn disarm(&self) -> Vec<Fault> {
        self.shared.armed.lock().unwrap().clear();
        std::mem::take(&mut self.shared.fired.lock().unwrap())
    }

    /// How many calls have arrived here.
    pub(crate) fn arrived(&self) -> u64 {
        self.shared.progress.borrow().arrived
    }

    /// Waits until `calls` calls have arrived here, since the start.
    pub(crate) async fn until_arrived(&self, calls: u64) {
        self.shared
            .until("calls to arrive", |progress| progress.arrived >= calls)
            .await;
    }

    /// Lets go what [`Fault::Hold`] holds.
    pub(crate) fn release(&self) {
        self.shared
            .progress
            .send_modify(|progress| progress.released += 1);
    }

    /// Ends every connection and takes no new one: connecting is refused.
    pub(crate) fn down(&self) {
        self.lead(State::Down);
    }

    /// Takes connections again.
    pub(crate) fn up(&self) {
        self.shared.state.send_replace(State::Up);
    }

    /// The process on this line is dead: nothing more of it reaches the server, except what was sent.
    pub(crate) fn bury(&self) {
        self.lead(State::Buried);
    }

    fn lead(&self, state: State) {
        self.shared.state.send_replace(state);
        std::mem::take(&mut *self.shared.cut.lock().unwrap()).cancel();
    }

    /// Delivers what is held back and waits for every call to be answered. Left over are the backends
    /// that ended up without a client, and may still be at work: their process ids are returned.
    async fn settle(&self) -> Vec<i32> {
        self.shared.progress.send_modify(|progress| {
            progress.deliver = true;
            progress.released += 1;
        });
        self.shared
            .until("calls to be answered", |progress| progress.open == 0)
            .await;
        self.shared
            .progress
            .send_modify(|progress| progress.deliver = false);
        std::mem::take(&mut self.shared.left_at_work.lock().unwrap())
    }
}

/// Waits until no call that came through `proxies` can change the log any more: what was held back is
/// delivered, and every backend that was left without its client has ended. `past` goes past them.
pub(crate) async fn settle(proxies: impl IntoIterator<Item = &Proxy>, past: &PgPool) {
    let mut left = Vec::new();
    for proxy in proxies {
        left.extend(proxy.settle().await);
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let at_work: i64 =
            sqlx::query_scalar("select count(*) from pg_stat_activity where pid = any($1)")
                .bind(&left)
                .fetch_one(past)
                .await
                .unwrap();
        if at_work == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "a backend never ends");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    /// Notes a call, and says what is to become of it.
    fn call_arrived(&self) -> Arrival {
        let fault = self.next_fault();
        let mut progress = (0, 0, 0);
        self.progress.send_modify(|now| {
            now.arrived += 1;
            progress = (now.arrived, now.answered, now.released);
        });
        let (arrived, answered, released) = progress;
        Arrival {
            fault,
            arrived,
            answered,
            released,
        }
    }

    fn next_fault(&self) -> Option<Fault> {
        let mut armed = self.armed.lock().unwrap();
        match armed.front_mut()? {
            (0, fault) => {
                let fault = *fault;
                armed.pop_front();
                self.fired.lock().unwrap().push(fault);
                Some(fault)
            }
            (after, _) => {
                *after -= 1;
                None
            }
        }
    }

    async fn time_to_deliver(&self, arrived: u64, answered: u64) {
        self.when(|progress| {
            progress.deliver || progress.arrived >= arrived || progress.answered >= answered
        })
        .await;
    }

    /// Waits until calls are let go that were held when `released` was the count.
    async fn let_go(&self, released: u64) {
        self.when(|progress| progress.released > released).await;
    }

    async fn until(&self, what: &str, condition: impl Fn(&Progress) -> bool) {
        tokio::time::timeout(PATIENCE, self.when(condition))
            .await
            .unwrap_or_else(|_| panic!("waited too long for {what}"));
    }

    async fn when(&self, condition: impl Fn(&Progress) -> bool) {
        self.progress
            .subscribe()
            .wait_for(condition)
            .await
            .map(drop)
            .expect("the sender is here");
    }
}

async fn accept(mut listener: UnixListener, socket: PathBuf, server: PathBuf, shared: Arc<Shared>) {
    let mut state = shared.state.subscribe();
    let mut lines = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.unwrap();
                while lines.try_join_next().is_some() {}
                lines.spawn(connect(client, server.clone(), Arc::clone(&shared)));
            }
            () = until(&mut state, |state| state == State::Down) => {
                drop(listener);
                until(&mut state, |state| state != State::Down).await;
                std::fs::remove_file(&socket).unwrap();
                listener = UnixListener::bind(&socket).unwrap();
            }
        }
    }
}

async fn until(state: &mut watch::Receiver<State>, is_so: impl Fn(State) -> bool) {
    let reached = state.wait_for(|state| is_so(*state)).await;
    drop(reached.expect("the sender is here"));
}

async fn connect(client: UnixStream, server: PathBuf, shared: Arc<Shared>) {
    // In this order: who takes the line down says so first and cuts then.
    let cut = shared.cut.lock().unwrap().clone();
    let state = *shared.state.borrow();
    match state {
        // No server: the client is hung up on, as a server that is starting does.
        State::Up => {
            if let Ok(server) = UnixStream::connect(&server).await {
                Line::new(client, server, shared).run(cut).await;
            }
        }
        State::Down => {}
        State::Buried => {
            let _hung_up = grave::refuse(client).await;
        }
    }
}
