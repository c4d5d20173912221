//! Rows are a function of the log: however it is cut into batches, whichever stream comes first, they
//! are equal, and they say what folding each stream says.

use std::collections::BTreeMap;

use fido_domain::account::{Account, AccountRecord};
use fido_domain::conversation::{Conversation, Transcript};
use fido_domain::plan::{Plan, PlanDocument, Section};
use fido_domain::{Evolve, FullFold, Recorded};
use fido_projections::conversation::{self, Order, transcript};
use fido_projections::{Snapshot, account, plan};
use serde_json::{Value, json};
use uuid::Uuid;

use super::history::{Size, history};
use super::replica::Replica;
use crate::ground::Ground;

const SIZE: Size = Size {
    people: 8,
    conversations: 2,
    plans: 2,
    commands: 60,
};
/// More than there is of anything.
const ALL: i64 = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_equal_however_the_log_was_cut_and_say_what_it_says() {
    let ground = Ground::prepare().await;
    let seed = fastrand::u64(..);
    let events = history(&ground, seed, SIZE).await;
    assert!(events.len() > 1_000, "{} events", events.len());

    // One event at a time: nothing of a batch is folded.
    let one_by_one = Replica::empty().await;
    one_by_one.write(&events, 1).await;
    let tables = one_by_one.tables().await;
    assert!(tables.len() >= 13, "{tables:?}");
    let mut expected = BTreeMap::new();
    for table in &tables {
        let rows = one_by_one.rows(table).await;
        assert!(
            !rows.is_empty(),
            "the history leaves {table} empty, seed {seed}"
        );
        expected.insert(table, rows);
    }

    let by_stream = by_stream(&events);
    for batch in [3, 50, 1_000, events.len()] {
        let replica = Replica::empty().await;
        replica.write(&events, batch).await;
        for (table, rows) in &expected {
            let found = replica.rows(table).await;
            assert!(found == *rows, "{table} in batches of {batch}, seed {seed}");
        }
    }
    // As after a quarantine: some streams come long after the others.
    let (late, early): (Vec<_>, Vec<_>) = events
        .iter()
        .cloned()
        .partition(|event| event.aggregate_id.as_u128() % 3 == 0);
    let replica = Replica::empty().await;
    replica.write(&early, 100).await;
    replica.write(&late, 100).await;
    for (table, rows) in &expected {
        let found = replica.rows(table).await;
        assert!(found == *rows, "{table} with late streams, seed {seed}");
    }

    let mut snapshot = one_by_one.snapshot().await;
    for ((aggregate_type, id), events) in &by_stream {
        match aggregate_type.as_str() {
            Account::TYPE => account_says(&mut snapshot, *id, &fold(events)).await,
            Conversation::TYPE => conversation_says(&mut snapshot, *id, &fold(events)).await,
            Plan::TYPE => plan_says(&mut snapshot, *id, &fold(events)).await,
            unknown => panic!("nobody looks at {unknown}"),
        }
    }
}

fn by_stream(events: &[Recorded]) -> BTreeMap<(String, Uuid), Vec<Recorded>> {
    let mut streams = BTreeMap::<_, Vec<_>>::new();
    for event in events {
        let stream = (event.aggregate_type.clone(), event.aggregate_id);
        streams.entry(stream).or_default().push(event.clone());
    }
    streams
}

/// The whole of a stream, sealed as it is.
fn fold<F: FullFold>(events: &[Recorded]) -> F {
    let mut whole = F::default();
    for recorded in events {
        whole.evolve(&recorded.event().unwrap(), recorded.stamp());
    }
    whole
}

fn shown(content: impl serde::Serialize) -> Value {
    serde_json::to_value(content).unwrap()
}

async fn account_says(snapshot: &mut Snapshot, id: Uuid, log: &AccountRecord) {
    let row = account::profile(snapshot, id).await.unwrap().unwrap();
    assert_eq!(shown(&row.email), shown(&log.email));
    let profile = &log.profile;
    assert_eq!(shown(&row.display_name), shown(&profile.display_name));
    assert_eq!(shown(&row.company_name), shown(&profile.company_name));
    assert_eq!(shown(&row.business_type), shown(&profile.business_type));
    assert_eq!(shown(&row.company_size), shown(profile.company_size));
    assert_eq!(shown(&row.monthly_revenue), shown(&profile.monthly_revenue));
    assert_eq!(shown(&row.goals), shown(&profile.goals));
    let preferences = &log.preferences;
    assert_eq!(shown(&row.model), shown(&preferences.model));
    assert_eq!(
        shown(&row.response_style),
        shown(preferences.response_style)
    );
    assert_eq!(shown(&row.temperature), shown(preferences.temperature));
    assert_eq!(row.save_history, preferences.save_history);
    assert_eq!(json!(row.identities), shown(&log.identities));
    let consents = account::consents(snapshot, id).await.unwrap();
    assert_eq!(consents.len(), log.consents.len());
    for (row, (version, consent)) in consents.iter().zip(&log.consents) {
        assert_eq!(row.policy_version, version.as_str());
        assert_eq!(row.accepted, consent.accepted);
        assert_eq!(row.decided_at, consent.decided_at);
    }
    assert_eq!(json!(row.roles), shown(&log.roles));
    assert_eq!(Some(row.created_at), log.registered_at);
    assert_eq!(row.erased_at, log.erased_at);
    assert_eq!(row.sequence, log.sequence);
}

async fn conversation_says(snapshot: &mut Snapshot, id: Uuid, log: &Transcript) {
    let owner = log.account_id.unwrap();
    let row = conversation::one(snapshot, owner, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.copilot, log.copilot.unwrap().as_str());
    assert_eq!(shown(&row.goal), shown(&log.goal));
    assert_eq!(row.plan_id, log.plan_id);
    assert_eq!(row.status == "erased", log.erased_at.is_some());
    assert_eq!(row.sequence, log.sequence);
    assert_eq!(Some(row.created_at), log.created_at);
    assert_eq!(Some(row.last_activity_at), log.last_activity_at);
    let messages = transcript(snapshot, id, Order::Oldest, None, ALL)
        .await
        .unwrap();
    assert_eq!(messages.len(), log.messages.len());
    assert_eq!(row.message_count, messages.len() as i64);
    for (row, message) in messages.iter().zip(&log.messages) {
        assert_eq!(row.message_id, message.message_id);
        assert_eq!(row.role, message.speaker.as_str());
        assert_eq!(row.status, message.status.as_str());
        assert_eq!(shown(&row.text), shown(&message.text));
        assert_eq!(row.model, message.model);
        let usage = message.usage;
        assert_eq!(
            row.input_tokens,
            usage.map(|usage| usage.input_tokens.into())
        );
        assert_eq!(
            row.output_tokens,
            usage.map(|usage| usage.output_tokens.into())
        );
        assert_eq!(row.failure, message.failure);
        assert_eq!(row.created_at, message.created_at);
        assert_eq!(row.position, message.position);
    }
}

async fn plan_says(snapshot: &mut Snapshot, id: Uuid, log: &PlanDocument) {
    let owner = log.account_id.unwrap();
    let row = plan::one(snapshot, owner, id).await.unwrap().unwrap();
    let details = &log.details;
    assert_eq!(shown(&row.title), shown(&details.title));
    assert_eq!(shown(&row.business_name), shown(&details.business_name));
    assert_eq!(shown(&row.industry), shown(&details.industry));
    assert_eq!(shown(&row.location), shown(&details.location));
    assert_eq!(
        row.stage.as_deref(),
        details.stage.map(|stage| stage.as_str())
    );
    assert_eq!(shown(&row.summary), shown(&details.summary));
    assert_eq!(row.status, log.status.as_str());
    assert_eq!(
        i64::from(row.completion_percent()),
        i64::from(log.completion_percent())
    );
    assert_eq!(Some(row.created_at), log.created_at);
    assert_eq!(Some(row.updated_at), log.updated_at);
    assert_eq!(row.sequence, log.sequence);

    let sections = plan::sections(snapshot, id).await.unwrap();
    for section in Section::ALL {
        section_says(snapshot, id, section, sections[section].as_ref(), log).await;
    }

    let facts = plan::facts(snapshot, id, None, ALL).await.unwrap();
    assert_eq!(facts.len(), log.facts.len());
    for (row, (key, fact)) in facts.iter().zip(&log.facts) {
        assert_eq!(row.key, key.as_str());
        assert_eq!(shown(&row.value), shown(&fact.value));
        assert_eq!(row.source, fact.source.as_str());
        assert_eq!(row.conversation_id, fact.conversation_id);
        assert_eq!(row.recorded_at, fact.recorded_at);
    }
    generations_say(snapshot, id, log).await;
}

async fn section_says(
    snapshot: &mut Snapshot,
    id: Uuid,
    section: Section,
    row: Option<&plan::SectionRow>,
    log: &PlanDocument,
) {
    let log = &log.sections[section];
    let mut revisions = plan::revisions(snapshot, id, section, None, ALL)
        .await
        .unwrap();
    revisions.reverse();
    assert_eq!(revisions.len(), log.revisions.len());
    for (row, revision) in revisions.iter().zip(&log.revisions) {
        assert_eq!(i64::from(row.revision), i64::from(revision.revision));
        assert_eq!(row.written, revision.status.as_str());
        assert_eq!(row.source, revision.source.as_str());
        assert_eq!(shown(&row.text), shown(&revision.text));
        assert_eq!(i64::from(row.words), i64::from(revision.words));
        assert_eq!(i64::from(row.characters), i64::from(revision.characters));
        assert_eq!(row.model, revision.model);
        assert_eq!(json!(row.restored_from), json!(revision.restored_from));
        assert_eq!(row.generation_id, revision.generation_id);
        assert_eq!(row.conversation_id, revision.conversation_id);
        assert_eq!(row.recorded_at, revision.recorded_at);
        let by_number = plan::revision(snapshot, id, section, row.revision)
            .await
            .unwrap();
        assert_eq!(by_number.unwrap().recorded_at, row.recorded_at);
    }
    assert_eq!(row.is_some(), log.latest().is_some());
    if let (Some(row), Some(latest)) = (row, log.latest()) {
        assert_eq!(row.status, log.status.as_str());
        assert_eq!(i64::from(row.revision), i64::from(latest.revision));
        assert_eq!(shown(&row.text), shown(&latest.text));
        assert_eq!(row.source, latest.source.as_str());
        assert_eq!(Some(row.updated_at), log.updated_at);
    }
}

async fn generations_say(snapshot: &mut Snapshot, id: Uuid, log: &PlanDocument) {
    let mut generations = plan::generations(snapshot, id, None, ALL).await.unwrap();
    generations.reverse();
    assert_eq!(generations.len(), log.generations.len());
    for (row, generation) in generations.iter().zip(&log.generations) {
        assert_eq!(row.generation_id, generation.generation_id);
        assert_eq!(row.status, generation.status.as_str());
        assert_eq!(i64::from(row.attempt), i64::from(generation.attempt));
        assert_eq!(shown(&row.instructions), shown(&generation.instructions));
        assert_eq!(row.failure, generation.reason);
        assert_eq!(row.input_tokens, i64::from(generation.usage.input_tokens));
        assert_eq!(row.output_tokens, i64::from(generation.usage.output_tokens));
        assert_eq!(row.requested_at, generation.requested_at);
        assert_eq!(row.started_at, generation.started_at);
        assert_eq!(row.ended_at, generation.ended_at);
        let one = plan::generation(snapshot, id, row.generation_id)
            .await
            .unwrap();
        assert_eq!(one.unwrap().position, row.position);
        let sections = plan::generation_sections(snapshot, id, row.generation_id)
            .await
            .unwrap();
        assert_eq!(sections.len(), generation.sections.len());
        for section in &generation.sections {
            let row = sections.iter().find(|row| row.section == section.section);
            let row = row.unwrap();
            assert_eq!(row.outcome, section.outcome.as_str());
            assert_eq!(row.reason, section.reason);
        }
    }
}
