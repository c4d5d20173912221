//! Lists are read page by page, and the pages together are the list: nothing twice, nothing missing.

use std::collections::BTreeMap;

use fido_domain::conversation::Copilot;
use fido_domain::plan::PlanStatus;
use fido_domain::{Position, Recorded};
use fido_projections::Snapshot;
use fido_projections::audit::{self, AuditEntry, AuditFilter};
use fido_projections::conversation::{
    self, ActivityCursor, ConversationFilter, ConversationSummary, Order, open_requests, transcript,
};
use fido_projections::plan::{self, PlanCursor};
use fido_projections::usage::{self, PLAN_GENERATION};
use time::Duration;
use uuid::Uuid;

use super::history::{Size, history};
use super::replica::Replica;
use crate::ground::Ground;

const SIZE: Size = Size {
    people: 2,
    conversations: 12,
    plans: 5,
    commands: 25,
};
const ALL: i64 = 10_000;

/// Some rows, from a log that is known.
struct Scene {
    events: Vec<Recorded>,
    snapshot: Snapshot,
    somebody: Uuid,
}

async fn scene() -> Scene {
    let ground = Ground::prepare().await;
    let events = history(&ground, 11, SIZE).await;
    let replica = Replica::empty().await;
    replica.write(&events, 1_000).await;
    let snapshot = replica.snapshot().await;
    let somebody = events[0].metadata().unwrap().subject;
    Scene {
        events,
        snapshot,
        somebody,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_conversations_are_the_list() {
    let Scene {
        mut snapshot,
        somebody,
        ..
    } = scene().await;
    let all = conversation::list(
        &mut snapshot,
        somebody,
        &ConversationFilter::default(),
        None,
        ALL,
    )
    .await
    .unwrap();
    assert_eq!(all.len(), SIZE.conversations);
    assert!(all.is_sorted_by(|a, b| a.last_activity_at >= b.last_activity_at));

    let about = all.iter().find_map(|row| row.plan_id);
    assert!(about.is_some());
    for filter in [
        ConversationFilter::default(),
        ConversationFilter {
            status: Some("active".to_owned()),
            ..ConversationFilter::default()
        },
        ConversationFilter {
            copilot: Some(Copilot::GrowthEngine),
            ..ConversationFilter::default()
        },
        ConversationFilter {
            plan_id: about,
            ..ConversationFilter::default()
        },
    ] {
        let matching = |row: &&ConversationSummary| {
            filter
                .status
                .as_ref()
                .is_none_or(|status| *status == row.status)
                && filter
                    .copilot
                    .is_none_or(|copilot| copilot.as_str() == row.copilot)
                && (filter.plan_id.is_none() || filter.plan_id == row.plan_id)
        };
        let expected: Vec<Uuid> = all
            .iter()
            .filter(matching)
            .map(|row| row.conversation_id)
            .collect();
        assert!(!expected.is_empty(), "{filter:?}");
        let mut found = Vec::new();
        let mut before = None;
        loop {
            let page = conversation::list(&mut snapshot, somebody, &filter, before, 2)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            before = Some(ActivityCursor {
                last_activity_at: last.last_activity_at,
                conversation_id: last.conversation_id,
            });
            found.extend(page.iter().map(|row| row.conversation_id));
        }
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_messages_plans_and_generations_are_the_lists() {
    let Scene {
        mut snapshot,
        somebody,
        ..
    } = scene().await;
    let filter = ConversationFilter::default();
    let chats = conversation::list(&mut snapshot, somebody, &filter, None, ALL)
        .await
        .unwrap();
    let chat = chats.iter().max_by_key(|chat| chat.message_count).unwrap();
    for (order, step) in [(Order::Oldest, 1), (Order::Newest, -1)] {
        let mut positions: Vec<Position> = Vec::new();
        loop {
            let after = positions.last().copied();
            let page = transcript(&mut snapshot, chat.conversation_id, order, after, 3)
                .await
                .unwrap();
            if page.is_empty() {
                break;
            }
            positions.extend(page.iter().map(|row| row.position));
        }
        assert_eq!(positions.len() as i64, chat.message_count);
        assert!(positions.is_sorted_by(|a, b| (b - a) * step > 0));
    }

    let plans = plan::list(&mut snapshot, somebody, None, None, ALL)
        .await
        .unwrap();
    assert_eq!(plans.len(), SIZE.plans);
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let page = plan::list(&mut snapshot, somebody, None, before, 2)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        before = Some(PlanCursor {
            created_at: last.created_at,
            plan_id: last.plan_id,
        });
        found.extend(page);
    }
    let ids =
        |plans: &[plan::PlanSummary]| plans.iter().map(|plan| plan.plan_id).collect::<Vec<_>>();
    assert_eq!(ids(&found), ids(&plans));
    for status in [PlanStatus::Active, PlanStatus::Archived] {
        let of_status = plan::list(&mut snapshot, somebody, Some(status), None, ALL)
            .await
            .unwrap();
        let expected = plans.iter().filter(|plan| plan.status == status.as_str());
        assert_eq!(of_status.len(), expected.count());
    }
    let stranger = Uuid::from_u128(1);
    assert!(
        plan::one(&mut snapshot, stranger, plans[0].plan_id)
            .await
            .unwrap()
            .is_none()
    );

    let mut open = 0;
    for plan in &plans {
        let all = plan::generations(&mut snapshot, plan.plan_id, None, ALL)
            .await
            .unwrap();
        let mut found = Vec::new();
        let mut before = None;
        loop {
            let page = plan::generations(&mut snapshot, plan.plan_id, before, 1)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.position);
            found.push(last.generation_id);
        }
        assert_eq!(
            found,
            all.iter().map(|row| row.generation_id).collect::<Vec<_>>()
        );
        open += all.iter().filter(|row| row.ended_at.is_none()).count();
    }
    let everybodys = plan::open_generations(&mut snapshot, Position::MAX)
        .await
        .unwrap();
    assert!(everybodys.is_sorted() && everybodys.len() >= open);
    assert!(
        open_requests(&mut snapshot, Position::MAX)
            .await
            .unwrap()
            .is_sorted()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_timeline_is_the_log_by_whatever_is_asked() {
    let Scene {
        events,
        mut snapshot,
        somebody,
    } = scene().await;
    let stream = events[events.len() / 2].aggregate_id;
    let (from, to) = (
        events[events.len() / 4].recorded_at,
        events[events.len() / 2].recorded_at,
    );
    let none = AuditFilter::default;
    for filter in [
        none(),
        AuditFilter {
            aggregate_id: Some(stream),
            ..none()
        },
        AuditFilter {
            subject: Some(somebody),
            ..none()
        },
        AuditFilter {
            actor: Some(somebody),
            event_type: Some("message_posted".to_owned()),
            ..none()
        },
        AuditFilter {
            event_type: Some("section_revised".to_owned()),
            ..none()
        },
        AuditFilter {
            subject: Some(somebody),
            from: Some(from),
            to: Some(to),
            ..none()
        },
        AuditFilter {
            to: Some(events.last().unwrap().recorded_at + Duration::SECOND),
            ..none()
        },
    ] {
        let matches = |event: &&Recorded| {
            let metadata = event.metadata().unwrap();
            filter
                .aggregate_id
                .is_none_or(|id| id == event.aggregate_id)
                && filter
                    .subject
                    .is_none_or(|subject| subject == metadata.subject)
                && (filter.actor.is_none() || filter.actor == metadata.actor.account)
                && filter
                    .event_type
                    .as_ref()
                    .is_none_or(|name| *name == event.event_type)
                && filter.from.is_none_or(|from| event.recorded_at >= from)
                && filter.to.is_none_or(|to| event.recorded_at < to)
        };
        let expected: Vec<&Recorded> = events.iter().rev().filter(matches).collect();
        assert!(!expected.is_empty(), "{filter:?}");
        let mut found: Vec<AuditEntry> = Vec::new();
        loop {
            let before = found.last().map(|entry| entry.position);
            let page = audit::list(&mut snapshot, &filter, before, 100)
                .await
                .unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found.len(), expected.len(), "{filter:?}");
        for (entry, event) in found.iter().zip(expected) {
            let metadata = event.metadata().unwrap();
            assert_eq!(entry.position, event.position);
            assert_eq!(entry.recorded_at, event.recorded_at);
            assert_eq!(entry.actor, metadata.actor.account);
            assert_eq!(entry.actor_role, metadata.actor.role);
            assert_eq!(entry.subject, metadata.subject);
            assert_eq!(entry.aggregate_type, event.aggregate_type);
            assert_eq!(entry.aggregate_id, event.aggregate_id);
            assert_eq!(entry.sequence, event.sequence);
            assert_eq!(entry.event_type, event.event_type);
            assert_eq!(entry.command_id, metadata.command_id);
        }
    }
    let later = AuditFilter {
        from: Some(events.last().unwrap().recorded_at + Duration::SECOND),
        ..none()
    };
    assert!(
        audit::list(&mut snapshot, &later, None, ALL)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_adds_up_to_what_the_events_say() {
    let Scene {
        events,
        mut snapshot,
        somebody,
    } = scene().await;
    let (first, last) = (
        events[0].recorded_at.date(),
        events.last().unwrap().recorded_at.date(),
    );
    let after = last.next_day().unwrap();
    // What the payloads say, whichever event it is that says so.
    let mut tokens = BTreeMap::<bool, (i64, i64, i64)>::new();
    let mut messages = 0;
    for event in &events {
        if event.metadata().unwrap().subject != somebody {
            continue;
        }
        messages += i64::from(event.event_type == "message_posted");
        let payload: serde_json::Value = serde_json::from_str(event.payload.get()).unwrap();
        if let Some(usage) = payload.get("usage") {
            let sum = tokens.entry(event.aggregate_type == "plan").or_default();
            sum.0 += 1;
            sum.1 += usage["input_tokens"].as_i64().unwrap();
            sum.2 += usage["output_tokens"].as_i64().unwrap();
        }
    }
    assert_eq!(tokens.len(), 2, "chats and plans both used something");
    let mut found = BTreeMap::<bool, (i64, i64, i64)>::new();
    for row in usage::models(&mut snapshot, somebody, first, after)
        .await
        .unwrap()
    {
        let sum = found.entry(row.copilot == PLAN_GENERATION).or_default();
        sum.0 += row.answers;
        sum.1 += row.input_tokens;
        sum.2 += row.output_tokens;
    }
    assert_eq!(found, tokens);
    let counted = usage::messages(&mut snapshot, somebody, first, after)
        .await
        .unwrap();
    assert_eq!(
        counted.iter().map(|row| row.messages).sum::<i64>(),
        messages
    );
    let none = usage::models(&mut snapshot, somebody, after, after)
        .await
        .unwrap();
    assert!(none.is_empty());
}
