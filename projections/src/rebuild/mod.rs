//! A replica built anew beside the live one, from position 1, compared with it and then switched to.
//!
//! The new rows grow in a *shadow*, the schema [`NEXT`], while the live schema serves. The switch
//! renames both in one transaction; what was live stays as [`PREVIOUS`], and the way back is the same
//! switch the other way round. A run that was interrupted leaves its shadow, and the next run of the
//! same build goes on with it.

mod error;
mod replay;
mod shadow;
mod switch;
mod views;

use std::time::Duration;

use fido_commands::log::Log;
use fido_domain::Position;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

use crate::verify::{self, Comparison, Moment};
use crate::{SCHEMA, checkpoint, run_sql};

pub use error::RebuildError;
pub(crate) use shadow::{Shadow, drop_schema};
pub use switch::Switched;

/// The schema in which a replica is built anew.
pub const NEXT: &str = "fido_next";
/// The schema that was live before the last switch.
pub const PREVIOUS: &str = "fido_previous";
/// The schema of a fresh replay that is only compared with, by `fido replica verify --fresh`.
pub(crate) const FRESH: &str = "fido_fresh";

/// How long the switch keeps trying while others are reading.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a live schema that is behind the shadow may take to come to the same position.
const LIVE_CATCHES_UP: Duration = Duration::from_secs(30);
/// The pauses between attempts to switch; readers wait during an attempt, so they get a rest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What a rebuild is doing, for whoever waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Events are applied.
    Replaying {
        /// The last one that is.
        position: Position,
        /// The last one that will be.
        to: Position,
    },
    /// The rows of a table are compared.
    Comparing {
        /// Which.
        table: String,
    },
    /// Statistics are gathered, so that the first queries are planned well.
    Settling,
    /// Somebody has been reading for too long to switch just now.
    Waiting {
        /// How often it was tried.
        attempts: u32,
    },
}

/// Is told what is going on.
pub type Told<'a> = &'a (dyn Fn(Progress) + Sync);

/// How far a replay came.
#[derive(Debug, Clone, Copy)]
pub struct Replayed {
    /// Where the shadow stood before.
    pub from: Position,
    /// Where it stands now.
    pub position: Position,
    /// How long it took.
    pub elapsed: Duration,
    /// How many streams are in the shadow's quarantine, because one of their events could not be
    /// applied.
    pub quarantined_streams: i64,
}

impl Replayed {
    /// Events in a second.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is read by people; no log has 2^52 events"
    )]
    pub fn rate(&self) -> f64 {
        (self.position - self.from) as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// Whether the shadow holds what the live schema holds.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Both were compared at one position.
    Compared(Comparison),
    /// They could not be; why.
    Incomparable(String),
}

impl Verdict {
    /// Whether both hold the same.
    pub fn is_equal(&self) -> bool {
        match self {
            Self::Compared(comparison) => comparison.is_equal(),
            Self::Incomparable(_) => false,
        }
    }
}

/// A rebuild, or a way back, that is under way. There is one at a time for a replica.
pub struct Rebuild {
    /// Holds the lock, and makes the switch: who has lost the one cannot do the other.
    owner: PgConnection,
    place: PgConnectOptions,
    shadow: Shadow,
    log: Log,
}

impl Rebuild {
    /// Prepares the shadow in the replica at `place`, which is reached as the owner of its schema.
    /// `build` tells builds of Fido apart: a shadow that another one began is dropped, as that may
    /// have projected differently.
    ///
    /// # Errors
    /// [`RebuildError::UnderWay`] when another rebuild runs, and what the databases say.
    pub async fn begin(
        place: PgConnectOptions,
        log: Log,
        build: &str,
    ) -> Result<Self, RebuildError> {
        let mut owner = lock(&place).await?;
        views::refuse_what_cannot_be_replaced(&mut owner, SCHEMA).await?;
        let shadow = Shadow::open(&mut owner, &place, NEXT, build).await?;
        Ok(Self {
            owner,
            place,
            shadow,
            log,
        })
    }

    /// Prepares the way back to what was live before the last switch.
    ///
    /// # Errors
    /// [`RebuildError::NothingBefore`], [`RebuildError::OtherMigrations`] when a build with other
    /// migrations made it, [`RebuildError::UnderWay`], and what the databases say.
    pub async fn back(place: PgConnectOptions, log: Log) -> Result<Self, RebuildError> {
        let mut owner = lock(&place).await?;
        views::refuse_what_cannot_be_replaced(&mut owner, SCHEMA).await?;
        let shadow = Shadow::found(&mut owner, &place, PREVIOUS).await?;
        Ok(Self {
            owner,
            place,
            shadow,
            log,
        })
    }

    /// Applies the log to the shadow, up to where the live schema is.
    ///
    /// # Errors
    /// [`RebuildError`]; the next run goes on from there.
    pub async fn replay(&mut self, told: Told<'_>) -> Result<Replayed, RebuildError> {
        let begun = Instant::now();
        let from = self.meet().await?;
        let mut position = from;
        loop {
            let head = self.log.head().await?;
            let live = verify::position(&mut self.owner, SCHEMA).await?;
            let to = live.unwrap_or(head).min(head);
            if position >= to {
                break;
            }
            let near = to - position <= replay::PAGE;
            position = self.replay_to(position, to, told).await?;
            if near {
                break;
            }
        }
        Ok(Replayed {
            from,
            position,
            elapsed: begun.elapsed(),
            quarantined_streams: self.shadow.quarantined_streams().await?,
        })
    }

    /// Compares shadow and live schema, row by row, at the position at which the live one is.
    ///
    /// # Errors
    /// [`RebuildError`].
    pub async fn compare(&mut self, told: Told<'_>) -> Result<Verdict, RebuildError> {
        let deadline = Instant::now() + LIVE_CATCHES_UP;
        let mut position = self.meet().await?;
        let mut live = loop {
            let Some(live) = Moment::of(&self.place, SCHEMA).await? else {
                return Ok(Verdict::Incomparable(
                    "there is no live schema to compare with".to_owned(),
                ));
            };
            if live.position() >= position {
                break live;
            }
            if Instant::now() > deadline {
                return Ok(Verdict::Incomparable(format!(
                    "the live schema stands at {}, behind the rebuilt one at {position}, and does not come nearer",
                    live.position()
                )));
            }
            drop(live);
            tokio::time::sleep(FIRST_PAUSE).await;
        };
        let head = self.log.head().await?;
        if live.position() > head {
            return Ok(Verdict::Incomparable(format!(
                "the live schema stands at {}, the log ends at {head}",
                live.position()
            )));
        }
        position = self.replay_to(position, live.position(), told).await?;
        let Some(mut shadow) = Moment::of(&self.place, self.shadow.schema).await? else {
            return Err(RebuildError::Gone);
        };
        if position != live.position() {
            return Ok(Verdict::Incomparable(format!(
                "the live schema stands at {}, where the log has a gap that it has not passed",
                live.position()
            )));
        }
        let comparison = verify::compare(&mut live, &mut shadow, &|table| {
            told(Progress::Comparing {
                table: table.to_owned(),
            });
        })
        .await?;
        Ok(Verdict::Compared(comparison))
    }

    /// Brings the shadow to the end of the log, then makes it the live schema. Queries go on: those
    /// that began before end first, those that begin meanwhile wait for a moment.
    ///
    /// # Errors
    /// [`RebuildError::Busy`] when somebody reads without an end; the shadow is kept then.
    pub async fn switch(mut self, told: Told<'_>) -> Result<Switched, RebuildError> {
        let mut position = self.meet().await?;
        position = self.catch_up(position, told).await?;
        told(Progress::Settling);
        self.shadow.settle(&mut self.owner).await?;
        // From now on every commit is written out, so that little is left to the one of the switch.
        run_sql(&mut self.shadow.connection, "set synchronous_commit = on").await?;
        if self.shadow.schema == NEXT {
            // Only now: up to here it was the way back.
            drop_schema(&mut self.owner, PREVIOUS).await?;
        }
        let deadline = Instant::now() + PATIENCE;
        let (mut attempts, mut pause) = (0, FIRST_PAUSE);
        loop {
            position = self.catch_up(position, told).await?;
            attempts += 1;
            let attempt =
                switch::attempt(&mut self.owner, &mut self.shadow, &self.log, attempts).await?;
            match attempt {
                switch::Attempt::Switched(switched) => {
                    // The lock would go with its session, but only when the server has noticed, and
                    // whoever has been told that this rebuild is over may begin the next one.
                    let _unlocked =
                        run_sql(&mut self.owner, "select pg_advisory_unlock_all()").await;
                    let _closed = self.owner.close().await;
                    return Ok(switched);
                }
                switch::Attempt::Behind => {}
                switch::Attempt::Busy if Instant::now() > deadline => {
                    return Err(RebuildError::Busy { attempts });
                }
                switch::Attempt::Busy => {
                    told(Progress::Waiting { attempts });
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Where the shadow stands, once it has met the log.
    async fn meet(&mut self) -> Result<Position, RebuildError> {
        meet(&mut self.shadow, &self.log).await
    }

    async fn catch_up(&mut self, from: Position, told: Told<'_>) -> Result<Position, RebuildError> {
        let head = self.log.head().await?;
        self.replay_to(from, head, told).await
    }

    async fn replay_to(
        &mut self,
        from: Position,
        to: Position,
        told: Told<'_>,
    ) -> Result<Position, RebuildError> {
        let told = |position| told(Progress::Replaying { position, to });
        Ok(replay::replay(&mut self.shadow.connection, &self.log, from, to, &told).await?)
    }
}

/// Replays the log up to exactly `to` into a shadow of its own that is only compared with.
pub(crate) async fn replay_fresh(
    shadow: &mut Shadow,
    log: &Log,
    to: Position,
    told: Told<'_>,
) -> Result<Position, RebuildError> {
    let from = meet(shadow, log).await?;
    let told = |position| told(Progress::Replaying { position, to });
    Ok(replay::replay(&mut shadow.connection, log, from, to, &told).await?)
}

/// Where the shadow stands, once it has met the log.
async fn meet(shadow: &mut Shadow, log: &Log) -> Result<Position, RebuildError> {
    let (epochs, head) = (log.epochs().await?, log.head().await?);
    Ok(checkpoint::meet(&mut shadow.connection, &epochs, head)
        .await
        .map_err(replay::ReplayError::from)?)
}

/// A connection that holds the lock of rebuilds. It is the session's: a process that dies frees it.
pub(crate) async fn lock(place: &PgConnectOptions) -> Result<PgConnection, RebuildError> {
    /// Any number that nobody else uses in a replica's database.
    const REBUILD: i64 = 0x6669_646f_0001;
    let mut owner = PgConnection::connect_with(place).await?;
    let held: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
        .bind(REBUILD)
        .fetch_one(&mut owner)
        .await?;
    if held {
        // No statement of a rebuild waits for somebody for long; the switch waits less still.
        run_sql(
            &mut owner,
            "set lock_timeout = '5s'; set statement_timeout = 0",
        )
        .await?;
        Ok(owner)
    } else {
        Err(RebuildError::UnderWay)
    }
}
