//! A replica that neither answers nor hangs up, as behind a broken line or a machine that stands still.

use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::faults::Crowd;
use super::{Reader, caught_up, head};
use crate::app::TestApp;
use crate::ground::Ground;
use crate::until::until;

/// A line to PostgreSQL that can fall silent; it takes calls all the same.
struct Line {
    folder: tempfile::TempDir,
    is_silent: watch::Sender<bool>,
}

impl Line {
    fn to(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().unwrap();
        let server = PathBuf::from(options.get_socket().unwrap()).join(".s.PGSQL.5432");
        let line = Self {
            folder: tempfile::tempdir().unwrap(),
            is_silent: watch::Sender::new(false),
        };
        let listener = UnixListener::bind(line.folder.path().join(".s.PGSQL.5432")).unwrap();
        let silent = line.is_silent.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = UnixStream::connect(&server).await else {
                    continue;
                };
                let ((from, to), (back, forth)) = (client.into_split(), server.into_split());
                tokio::spawn(carry(from, forth, silent.clone()));
                tokio::spawn(carry(back, to, silent.clone()));
            }
        });
        line
    }

    /// The same database, by this line.
    fn url(&self, url: &str) -> String {
        let (address, _) = url.split_once("?host=").unwrap();
        let folder = self.folder.path().to_str().unwrap();
        format!("{address}?host={folder}&sslmode=disable")
    }
}

/// Carries whatever comes, but nothing during silence.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut silent: watch::Receiver<bool>,
) -> Option<()> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let length = from
            .read(&mut bytes)
            .await
            .ok()
            .filter(|length| *length > 0)?;
        silent.wait_for(|silent| !silent).await.ok()?;
        to.write_all(&bytes[..length]).await.ok()?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_falls_silent_delays_queries_and_loses_none() {
    let mut ground = Ground::with_replicas(2).await;
    let replica = &mut ground.addresses.replicas[0];
    let line = Line::to(&replica.url);
    replica.url = line.url(&replica.url);
    let app = TestApp::start_on(ground).await;
    let ada = app.register("ada").await;
    let id = app.start_conversation(&ada).await;
    caught_up(&app, &["replica1", "replica2"]).await;
    let mut reader = Reader::begin(&app.ground).await;
    until("both answer", async || {
        reader.anybody().await.unwrap();
        reader.answers.len() == 2
    })
    .await;
    let crowd = Crowd::gather(&app, &ada).await;
    crowd.answers(100).await;

    line.is_silent.send_replace(true);
    crowd.answers(300).await;
    let position = head(&app).await;
    until("nobody waits for it any more", async || {
        let seen = reader.has(ada.account_id, id, Some(position)).await;
        assert!(seen.unwrap().1);
        let before = reader.answers["replica2"];
        for _ in 0..10 {
            reader.anybody().await.unwrap();
        }
        reader.answers["replica2"] == before + 10
    })
    .await;
    crowd.go_home().await;

    line.is_silent.send_replace(false);
    until("it answers again", async || {
        reader.anybody().await.unwrap() == "replica1"
    })
    .await;
}
