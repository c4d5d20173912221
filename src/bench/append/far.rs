//! A server that is further away than it is: whatever passes is held back for half of the way there
//! and half of the way back, without being slowed down.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

/// What is read at once.
const PIECE: usize = 64 * 1024;

/// The way to a server.
pub(super) struct Far {
    url: String,
    _socket: TempDir,
    _accepting: AbortOnDropHandle<()>,
}

impl Far {
    /// A way to the server of `near` that takes `way` there and back.
    ///
    /// # Errors
    /// When no socket can be made.
    pub(super) async fn from(near: &PgConnectOptions, way: Duration) -> Result<Self> {
        let socket = tempfile::tempdir().context("no folder for a socket")?;
        let port = near.get_port();
        let listener = UnixListener::bind(socket.path().join(name(port)))?;
        let server = Server::of(near);
        let half = way / 2;
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move {
                    // Whoever is connected sees that the line has ended; there is nobody else to tell.
                    let _ = server.carry(client, half).await;
                });
            }
        });
        let far = near.clone().socket(socket.path());
        Ok(Self {
            url: far.to_url_lossy().to_string(),
            _socket: socket,
            _accepting: AbortOnDropHandle::new(accepting),
        })
    }

    /// The server at the end of the way.
    pub(super) fn url(&self) -> String {
        self.url.clone()
    }
}

/// What PostgreSQL calls its socket.
fn name(port: u16) -> String {
    format!(".s.PGSQL.{port}")
}

#[derive(Clone)]
enum Server {
    Socket(PathBuf),
    Port(String, u16),
}

impl Server {
    fn of(near: &PgConnectOptions) -> Self {
        let port = near.get_port();
        near.get_socket().map_or_else(
            || Self::Port(near.get_host().to_owned(), port),
            |folder| Self::Socket(folder.join(name(port))),
        )
    }

    async fn carry(self, client: UnixStream, half: Duration) -> std::io::Result<()> {
        match self {
            Self::Socket(path) => {
                both_ways(
                    client.into_split(),
                    UnixStream::connect(path).await?.into_split(),
                    half,
                )
                .await
            }
            Self::Port(host, port) => {
                let server = TcpStream::connect((host, port)).await?;
                server.set_nodelay(true)?;
                both_ways(client.into_split(), server.into_split(), half).await
            }
        }
    }
}

async fn both_ways<A, B, C, D>(
    client: (A, B),
    server: (C, D),
    half: Duration,
) -> std::io::Result<()>
where
    A: AsyncRead + Unpin,
    B: AsyncWrite + Unpin,
    C: AsyncRead + Unpin,
    D: AsyncWrite + Unpin,
{
    let ((from_client, to_client), (from_server, to_server)) = (client, server);
    tokio::select! {
        ended = late(from_client, to_server, half) => ended,
        ended = late(from_server, to_client, half) => ended,
    }
}

/// Carries everything over, each piece `half` after it came.
async fn late(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    half: Duration,
) -> std::io::Result<()> {
    let (give, mut pieces) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reading = async move {
        let mut piece = vec![0; PIECE];
        loop {
            let read = from.read(&mut piece).await?;
            let piece = piece.get(..read).unwrap_or_default().to_vec();
            if read == 0 || give.send((Instant::now() + half, piece)).is_err() {
                return Ok(());
            }
        }
    };
    let writing = async move {
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            to.write_all(&piece).await?;
        }
        Ok(())
    };
    tokio::try_join!(reading, writing).map(drop)
}
