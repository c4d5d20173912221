//! How fast rows are written. Run it on its own, in a release build:
//! `cargo test --release --test it -- read_models::speed --ignored --nocapture`.

use std::time::{Duration as Took, Instant};

use cqrs_es::DomainEvent;
use fido_domain::account::AccountEvent;
use fido_domain::conversation::{ConversationEvent, Copilot, Usage};
use fido_domain::plan::{FactKey, PlanEvent, Section, Source};
use fido_domain::recorded::encode;
use fido_domain::{Actor, Metadata, Position, Private, Recorded};
use fido_projections::rows;
use serde_json::value::to_raw_value;
use sqlx::Connection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::replica::Replica;

const EVENTS: usize = 100_000;
const BATCH: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn rows_of_a_hundred_thousand_events() {
    let events = Log::default().of(EVENTS);
    let replica = Replica::empty().await;
    let mut connection = replica.pool.acquire().await.unwrap();
    let backend: i32 = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let (begun, before) = (Instant::now(), processor_time(backend));
    for (n, part) in events.chunks(EVENTS / 5).enumerate() {
        let part_begun = Instant::now();
        for batch in part.chunks(BATCH) {
            let mut transaction = connection.begin().await.unwrap();
            rows::write(&mut transaction, batch).await.unwrap();
            transaction.commit().await.unwrap();
        }
        report(&format!("part {}", n + 1), part.len(), part_begun.elapsed());
    }
    report("all", events.len(), begun.elapsed());
    if let (Some(before), Some(after)) = (before, processor_time(backend)) {
        report(
            "by processor time of the database",
            events.len(),
            after - before,
        );
    }
    assert_eq!(replica.rows("audit_timeline").await.len(), EVENTS);
}

#[expect(
    clippy::print_stdout,
    reason = "whoever runs a measurement wants to read it"
)]
fn report(what: &str, events: usize, took: Took) {
    println!("{what}: {:.0} events/s", events as f64 / took.as_secs_f64());
}

/// For how long a process has had a processor, where the system tells; on a machine that is shared
/// that says more than the clock.
fn processor_time(process: i32) -> Option<Took> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut hundredths = || fields.next()?.parse::<u64>().ok();
    Some(Took::from_millis((hundredths()? + hundredths()?) * 10))
}

/// A log as people would make it: four questions and answers in a conversation, and for every eighth
/// conversation a plan.
#[derive(Default)]
struct Log {
    events: Vec<Recorded>,
    ids: u128,
    lengths: std::collections::HashMap<Uuid, i64>,
}

impl Log {
    fn of(mut self, length: usize) -> Vec<Recorded> {
        let mut people = Vec::new();
        while self.events.len() < length {
            // Eight conversations go on at once, as they do when many people are there.
            let mut chats = Vec::new();
            for n in 0..8 {
                if n == 0 || people.len() < 8 {
                    people.push(self.register());
                }
                let account_id = people[(self.events.len() + n) % people.len()];
                chats.push((account_id, self.start_chat(account_id)));
            }
            for _ in 0..4 {
                for (account_id, chat) in &chats {
                    self.question_and_answer(*account_id, *chat);
                }
            }
            self.plan(chats[0].0);
        }
        self.events.truncate(length);
        self.events
    }

    fn id(&mut self) -> Uuid {
        // In the order of time, with something random behind it, as UUIDv7 are.
        self.ids += 1;
        let random = u128::from(
            Uuid::new_v5(&Uuid::nil(), &self.ids.to_be_bytes())
                .as_u64_pair()
                .1,
        );
        Uuid::from_u128((self.ids << 80) | (7 << 76) | (random & 0x3fff_ffff_ffff_ffff) | (2 << 62))
    }

    fn push<E>(&mut self, aggregate_type: &str, id: Uuid, subject: Uuid, event: &E)
    where
        E: DomainEvent,
    {
        let position = self.events.len() as Position + 1;
        let length = self.lengths.entry(id).or_default();
        *length += 1;
        let sequence = *length;
        let recorded_at = OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(position * 400);
        let metadata = Metadata {
            actor: Actor::user(subject),
            subject,
            command_id: self.id(),
            correlation_id: self.id(),
            causation_id: Some(position - 1),
            request_id: Some(self.id().to_string()),
            address: Some(Private::stored(format!(
                "1:metadata.address:{}",
                "A".repeat(60)
            ))),
            user_agent: Some(Private::stored(format!(
                "1:metadata.user_agent:{}",
                "A".repeat(160)
            ))),
            issued_at: recorded_at,
            model: None,
            provider: None,
            prompt_hash: None,
        };
        self.events.push(Recorded {
            position,
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id: id,
            sequence,
            event_type: event.event_type(),
            event_version: event.event_version(),
            payload: to_raw_value(&encode(event).unwrap()).unwrap(),
            metadata: to_raw_value(&metadata).unwrap(),
            recorded_at,
        });
    }

    fn register(&mut self) -> Uuid {
        let id = self.id();
        // Only sealed content is in the log, so it is read rather than made.
        let registered: AccountEvent = serde_json::from_value(serde_json::json!({
            "type": "account_registered",
            "data": {
                "email": {"sealed": format!("1:account_registered.email:{}", "A".repeat(80))},
                "display_name": {"sealed": format!("1:account_registered.display_name:{}", "A".repeat(60))},
                "roles": ["user"],
            },
        }))
        .unwrap();
        self.push("account", id, id, &registered);
        id
    }

    fn start_chat(&mut self, account_id: Uuid) -> Uuid {
        let id = self.id();
        let started = ConversationEvent::ConversationStarted {
            account_id,
            copilot: Copilot::ALL[self.events.len() % 3],
            goal: Some(sealed(120)),
            plan_id: None,
        };
        self.push("conversation", id, account_id, &started);
        id
    }

    fn question_and_answer(&mut self, account_id: Uuid, chat: Uuid) {
        let (message_id, reply_id) = (self.id(), self.id());
        for event in [
            ConversationEvent::MessagePosted {
                message_id,
                text: sealed(300),
                characters: 200,
            },
            ConversationEvent::ReplyRequested {
                reply_id,
                message_id,
                copilot: Copilot::GrowthEngine,
                replaces: None,
            },
            ConversationEvent::ReplyStarted {
                reply_id,
                attempt: 1,
            },
            ConversationEvent::ReplyCompleted {
                reply_id,
                attempt: 1,
                text: sealed(1_600),
                characters: 1_150,
                model: "large".to_owned(),
                usage: Usage {
                    input_tokens: 900,
                    output_tokens: 300,
                },
            },
        ] {
            self.push("conversation", chat, account_id, &event);
        }
    }

    fn plan(&mut self, account_id: Uuid) {
        let (plan_id, generation_id) = (self.id(), self.id());
        let mut events = vec![
            PlanEvent::PlanStarted {
                account_id,
                title: sealed(80),
                business_name: Some(sealed(80)),
                industry: None,
                location: None,
                stage: None,
                summary: None,
            },
            PlanEvent::FactRecorded {
                key: FactKey::parse("monthly_rent").unwrap(),
                value: sealed(80),
                source: Source::User,
                conversation_id: None,
            },
            PlanEvent::GenerationRequested {
                generation_id,
                sections: Section::ALL.to_vec(),
                instructions: None,
            },
            PlanEvent::GenerationStarted {
                generation_id,
                attempt: 1,
            },
        ];
        events.extend(Section::ALL.map(|section| PlanEvent::SectionDrafted {
            section,
            revision: 1,
            text: sealed(3_000),
            words: 350,
            characters: 2_200,
            model: "large".to_owned(),
            usage: Some(Usage {
                input_tokens: 2_000,
                output_tokens: 600,
            }),
            generation_id: Some(generation_id),
            conversation_id: None,
        }));
        events.push(PlanEvent::GenerationCompleted {
            generation_id,
            attempt: 1,
            drafted: 9,
            skipped: 0,
            failed: 0,
        });
        for event in &events {
            self.push("plan", plan_id, account_id, event);
        }
    }
}

/// Sealed content of about as many bytes as its base64 would have.
fn sealed(bytes: usize) -> Private<String> {
    Private::stored(format!("1:a.b:{}", "Zm9v".repeat(bytes / 4)))
}
