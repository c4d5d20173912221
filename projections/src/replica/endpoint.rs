//! One replica: its connections, what is known of it, and how many are reading from it.

use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use fido_domain::Position;
use fido_nats::replica::Announcement;
use sqlx::{Connection, PgConnection};
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::known::Known;
use super::shared::News;
use super::snapshot::Snapshot;
use super::survey::{Cared, Shown};
use super::{PATIENCE, Replica};

/// A snapshot that takes longer to open raises suspicion.
const OPENS_WITHIN: Duration = Duration::from_millis(500);
/// The longest that anybody waits for a snapshot where there is no other replica to turn to.
const OPENS_AT_LAST: Duration = Duration::from_secs(5);
/// Whoever looks this soon after somebody else need not.
const STILL_FRESH: Duration = Duration::from_millis(10);

const BEGIN: &str = "begin isolation level repeatable read read only";

/// One replica.
#[derive(Debug)]
pub(super) struct Endpoint {
    replica: Replica,
    known: watch::Sender<Known>,
    news: Arc<News>,
    in_flight: AtomicUsize,
    /// When its checkpoint was last looked at; held while somebody looks.
    looked: Mutex<Option<Instant>>,
    /// It is being asked whether it is still there.
    pub(super) is_suspected: AtomicBool,
    /// It has given a sign of life while it was out.
    sign_of_life: Arc<Notify>,
    /// How far a standby is known to come soon, and whether somebody waits for that.
    pub(super) expected: AtomicI64,
    pub(super) is_chased: AtomicBool,
}

/// Somebody's place among those who read from a replica; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Endpoint>);

impl Place {
    fn take(endpoint: &Arc<Endpoint>) -> Self {
        endpoint.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(endpoint))
    }

    pub(super) fn endpoint(&self) -> &Arc<Endpoint> {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Endpoint {
    pub(super) fn new(replica: Replica, news: Arc<News>) -> Arc<Self> {
        Arc::new(Self {
            replica,
            known: watch::Sender::default(),
            news,
            in_flight: AtomicUsize::new(0),
            looked: Mutex::new(None),
            is_suspected: AtomicBool::new(false),
            sign_of_life: Arc::new(Notify::new()),
            expected: AtomicI64::new(0),
            is_chased: AtomicBool::new(false),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.replica.name
    }

    pub(super) fn is_reserved(&self) -> bool {
        self.replica.is_reserved
    }

    pub(super) fn known(&self) -> Known {
        self.known.borrow().clone()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// A view of it as it is now. Turns away as soon as it is known to be out, and after a while when
    /// there `is_another` that could be asked.
    pub(super) async fn open(self: &Arc<Self>, is_another: bool) -> Result<Snapshot, sqlx::Error> {
        let place = Place::take(self);
        let mut opening = pin!(self.begin(place));
        let mut out = pin!(self.went_out());
        tokio::select! {
            opened = &mut opening => return opened,
            () = &mut out => return Err(sqlx::Error::PoolTimedOut),
            () = sleep(OPENS_WITHIN) => {}
        }
        // Its connections may all be taken, or it may be gone: only asking tells.
        self.suspect();
        if is_another {
            return Err(sqlx::Error::PoolTimedOut);
        }
        tokio::select! {
            opened = opening => opened,
            () = out => Err(sqlx::Error::PoolTimedOut),
            () = sleep(OPENS_AT_LAST - OPENS_WITHIN) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    async fn begin(&self, place: Place) -> Result<Snapshot, sqlx::Error> {
        let version = self.known.borrow().version;
        let mut transaction = self.replica.pool.begin_with(BEGIN).await?;
        let shown = Shown::read(&mut *transaction).await?;
        self.read(&shown, version);
        Ok(Snapshot::new(transaction, shown, place))
    }

    /// Comes to an end when it is known to be out.
    pub(super) async fn went_out(&self) {
        let mut known = self.known.subscribe();
        // The sender is in this endpoint.
        let _ = known.wait_for(|known| known.out_since.is_some()).await;
    }

    /// Reads the checkpoint, unless somebody has just done that.
    pub(super) async fn look(self: &Arc<Self>) {
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|looked| looked.elapsed() < STILL_FRESH) {
            return;
        }
        let version = self.known.borrow().version;
        match timeout(OPENS_WITHIN, Shown::read(&self.replica.pool)).await {
            Ok(Ok(shown)) => self.read(&shown, version),
            Ok(Err(_)) | Err(_) => self.suspect(),
        }
        *looked = Some(Instant::now());
    }

    /// Reads the checkpoint, and how the replica fares, on a connection of its own: the pool would try
    /// again and again for a while where nobody answers.
    pub(super) async fn ask_apart(&self) -> Result<Cared, sqlx::Error> {
        let version = self.known.borrow().version;
        let asking = async {
            let mut connection =
                PgConnection::connect_with(&self.replica.pool.connect_options()).await?;
            let found = Shown::read_with_care(&mut connection).await?;
            // That it answered is what counts.
            let _ = connection.close().await;
            Ok::<_, sqlx::Error>(found)
        };
        let cared = timeout(PATIENCE, asking)
            .await
            .map_err(|_elapsed| sqlx::Error::Io(ErrorKind::TimedOut.into()))??;
        let condition = cared.condition.as_ref();
        let is_ailing = condition.is_some_and(|condition| !condition.is_good());
        self.learn(|known| {
            let is_news = known.read(&cared.shown, version, Instant::now());
            known.fares(is_ailing) || is_news
        });
        Ok(cared)
    }

    fn read(&self, shown: &Shown, version: u64) {
        self.learn(|known| known.read(shown, version, Instant::now()));
    }

    /// What its projector tells of it.
    pub(super) fn announced(&self, told: &Announcement) {
        self.learn(|known| known.announced(told, Instant::now()));
        self.sign_of_life.notify_one();
    }

    /// Rings when it has given a sign of life, also once for one that was given before.
    pub(super) fn sign_of_life(&self) -> Arc<Notify> {
        Arc::clone(&self.sign_of_life)
    }

    /// It is left out from now on. True when it was in before.
    pub(super) fn take_out(&self) -> bool {
        self.learn(|known| known.went_out(Instant::now()))
    }

    /// It is asked again from now on.
    pub(super) fn take_in(&self) {
        self.learn(Known::came_back);
    }

    fn learn(&self, change: impl FnOnce(&mut Known) -> bool) -> bool {
        let has_changed = self.known.send_if_modified(change);
        if has_changed {
            let Known {
                position, followed, ..
            } = self.known();
            self.news.ring(position, followed);
        }
        has_changed
    }

    /// Whether it is known to be at `position`.
    pub(super) fn has_reached(&self, position: Position) -> bool {
        self.known.borrow().position >= position
    }
}
