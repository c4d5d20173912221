//! What was revoked, over core NATS, and how sure a process is to hear of it.
//!
//! Nothing is kept for whoever is not listening, so a listener also hears its own heartbeat: when one
//! comes back, everything that was published before it was sent has come too, or is about to. While
//! none comes back, revocations may pass unheard.

use std::time::{Duration, Instant};

use async_nats::Subscriber;
use async_nats::connection::State;
use fido_commands::ambient;
use fido_commands::auth::Revocation;
use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::time::{Interval, MissedTickBehavior};

use crate::names::{REVOKED, heartbeat_subject};
use crate::{Nats, NatsError};

/// How often a listener sends its heartbeat.
const BEAT: Duration = Duration::from_millis(200);

/// Something that a listener hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Something was revoked, here or elsewhere.
    Revoked(Revocation),
    /// The heartbeat of this moment has come back.
    Alive(Instant),
    /// The line broke: whatever was published until a heartbeat comes back may be lost.
    Broken,
}

/// Listens for revocations.
pub struct Revocations {
    nats: Nats,
    revoked: Subscriber,
    heartbeats: Subscriber,
    own: String,
    beat: Interval,
    /// Since when the line has not broken.
    since: Instant,
    /// How often it broke before: a heartbeat from then says nothing of the line as it is now.
    broken: u64,
    breaks: BoxFuture<'static, ()>,
}

impl Nats {
    /// Tells every process that serves the API what was revoked.
    ///
    /// # Errors
    /// [`NatsError::Other`] when the connection is closed for good.
    pub async fn publish_revocation(&self, revocation: Revocation) -> Result<(), NatsError> {
        let body =
            serde_json::to_vec(&revocation).map_err(NatsError::other("writing a revocation"))?;
        self.client
            .publish(REVOKED, body.into())
            .await
            .map_err(NatsError::other("publishing a revocation"))
    }

    /// What is revoked from now on.
    ///
    /// # Errors
    /// [`NatsError::Other`] when the connection is closed for good.
    pub async fn revocations(&self) -> Result<Revocations, NatsError> {
        let own = heartbeat_subject(ambient::new_id());
        let breaks = Box::pin(self.line.breaks());
        let listen = |subject: String| self.client.subscribe(subject);
        let revoked = listen(REVOKED.to_owned()).await;
        let heartbeats = listen(own.clone()).await;
        let listening = "listening for revocations";
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Revocations {
            nats: self.clone(),
            revoked: revoked.map_err(NatsError::other(listening))?,
            heartbeats: heartbeats.map_err(NatsError::other(listening))?,
            own,
            beat,
            since: Instant::now(),
            broken: 0,
            breaks,
        })
    }
}

impl Revocations {
    /// What is heard next. May be dropped and called again.
    ///
    /// # Errors
    /// [`NatsError::Broken`] when the connection was closed for good.
    pub async fn next(&mut self) -> Result<Heard, NatsError> {
        loop {
            tokio::select! {
                biased;
                () = &mut self.breaks => {
                    self.breaks = Box::pin(self.nats.line.breaks());
                    self.since = Instant::now();
                    self.broken += 1;
                    return Ok(Heard::Broken);
                }
                revoked = self.revoked.next() => {
                    let revoked = revoked.ok_or(NatsError::Broken)?;
                    // What a newer build says in other words it also says in the log.
                    if let Ok(revocation) = serde_json::from_slice(&revoked.payload) {
                        return Ok(Heard::Revoked(revocation));
                    }
                }
                heartbeat = self.heartbeats.next() => {
                    let heartbeat = heartbeat.ok_or(NatsError::Broken)?;
                    if let Some(sent) = self.sent_at(&heartbeat.payload) {
                        return Ok(Heard::Alive(sent));
                    }
                }
                _ = self.beat.tick() => self.send_heartbeat().await?,
            }
        }
    }

    /// It says of which line it is, and how long that has stood.
    async fn send_heartbeat(&mut self) -> Result<(), NatsError> {
        if self.nats.client.connection_state() != State::Connected {
            return Ok(());
        }
        let heartbeat = format!("{} {}", self.broken, self.since.elapsed().as_micros());
        let sent = self.nats.client.publish(self.own.clone(), heartbeat.into());
        sent.await
            .map_err(NatsError::other("publishing a heartbeat"))
    }

    fn sent_at(&self, heartbeat: &[u8]) -> Option<Instant> {
        let (broken, micros) = std::str::from_utf8(heartbeat).ok()?.split_once(' ')?;
        let standing = Duration::from_micros(micros.parse().ok()?);
        (broken.parse::<u64>().ok()? == self.broken).then(|| self.since + standing)
    }
}
