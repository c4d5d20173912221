//! Clients of event streams. Whenever a stream ends they come back with the id of the last event that
//! they have heard, to whichever process serves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use fido_domain::Position;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::scene::Scene;
use super::writers::{Account, Writers};
use crate::sse::{Sse, SseEvent};

/// How long a client stays away whose stream has ended.
const PAUSE: Duration = Duration::from_millis(100);

/// An event as it was heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) position: Position,
    pub(super) stream: Uuid,
    pub(super) sequence: i64,
    /// Of the aggregate and of the event.
    pub(super) name: String,
}

/// Two clients for each account: one that stays as long as it may, one that often hangs up.
pub(super) struct Listeners {
    ears: Vec<(Arc<Account>, Arc<AtomicI64>)>,
    end: CancellationToken,
    tasks: JoinSet<Listener>,
}

impl Listeners {
    pub(super) fn begin(
        scene: &Scene,
        writers: &Writers,
        http: &reqwest::Client,
        rng: &mut Rng,
    ) -> Self {
        let mut listeners = Self {
            ears: Vec::new(),
            end: CancellationToken::new(),
            tasks: JoinSet::new(),
        };
        for account in &writers.accounts {
            for hangs_up in [false, true] {
                let listener = Listener {
                    http: http.clone(),
                    bases: scene.bases(),
                    rng: rng.fork(),
                    account: Arc::clone(account),
                    hangs_up,
                    last: Arc::default(),
                    heard: Vec::new(),
                    streams: 0,
                    farewells: BTreeMap::new(),
                };
                let ear = (Arc::clone(account), Arc::clone(&listener.last));
                listeners.ears.push(ear);
                let end = listeners.end.clone();
                listeners.tasks.spawn(listener.listen(end));
            }
        }
        listeners
    }

    /// What every client is owed by now: the account's last acknowledged position.
    pub(super) fn owed(&self) -> Vec<Position> {
        let owed = self.ears.iter().map(|(account, _)| account.acknowledged());
        owed.collect()
    }

    /// What every client has heard last.
    pub(super) fn heard(&self) -> Vec<Position> {
        let heard = self.ears.iter().map(|(_, last)| last);
        heard.map(|last| last.load(Ordering::SeqCst)).collect()
    }

    /// Ends listening; everybody with what they have heard.
    pub(super) async fn end(self) -> Vec<Listener> {
        self.end.cancel();
        self.tasks.join_all().await
    }
}

/// One client.
pub(super) struct Listener {
    http: reqwest::Client,
    bases: Vec<String>,
    rng: Rng,
    pub(super) account: Arc<Account>,
    hangs_up: bool,
    last: Arc<AtomicI64>,
    pub(super) heard: Vec<Heard>,
    /// How often it has come back.
    pub(super) streams: usize,
    /// Why it was sent away, and how often.
    pub(super) farewells: BTreeMap<String, usize>,
}

impl Listener {
    async fn listen(mut self, end: CancellationToken) -> Self {
        while let Some(()) = end.run_until_cancelled(self.follow()).await {
            tokio::time::sleep(PAUSE).await;
        }
        self
    }

    /// Opens a stream and follows it to its end, or until this client hangs up.
    async fn follow(&mut self) {
        let base = &self.bases[self.rng.usize(..self.bases.len())];
        let url = format!("{base}/v1/stream");
        let last = self.heard.last().map_or(0, |heard| heard.position);
        let opened = Sse::try_open(&self.http, url, &self.account.token, Some(last)).await;
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(refused) => {
                // Worth asking for again, and nothing else.
                assert_eq!(refused.status(), 503);
                assert!(refused.headers().contains_key("retry-after"));
                return;
            }
        };
        self.streams += 1;
        let mut patience = self.hangs_up.then(|| self.rng.usize(1..200));
        while patience != Some(0) {
            let Some(event) = stream.read().await else {
                return;
            };
            self.hear(event);
            patience = patience.map(|more| more - 1);
        }
    }

    fn hear(&mut self, event: SseEvent) {
        let Some(position) = event.id else {
            match event.name.as_str() {
                "hello" => {}
                "goodbye" => {
                    let reason = event.data["reason"].as_str().unwrap().to_owned();
                    *self.farewells.entry(reason).or_default() += 1;
                }
                // A reset above all: nobody was away for long.
                other => panic!("{other}: {}", event.data),
            }
            return;
        };
        let last = self.last.swap(position, Ordering::SeqCst);
        assert!(last < position, "{position} was heard after {last}");
        assert_eq!(event.data["position"], position);
        self.heard.push(Heard {
            position,
            stream: event.data["aggregate_id"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap(),
            sequence: event.data["sequence"].as_i64().unwrap(),
            name: event.name,
        });
    }
}
