//! Everything about somebody, and nothing about anybody else.

use fido_commands::plan::{Given, PlanCommand};
use fido_commands::{CommandContext, ambient};
use fido_domain::Actor;
use fido_domain::plan::{FactKey, FactValue, Plan, PlanTitle, Section, SectionText, Source};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{patch, send};
use crate::app::{TestApp, TestUser};

async fn exported(app: &TestApp, user: &TestUser) -> Value {
    let request = app.http.get(app.url("/v1/me/export"));
    let response = request.bearer_auth(&user.token).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    let disposition = response.headers()["content-disposition"].to_str().unwrap();
    assert!(
        disposition.starts_with("attachment; filename="),
        "{disposition}"
    );
    response.json().await.unwrap()
}

async fn plan_of(app: &TestApp, account_id: Uuid) -> Uuid {
    let store = app.ground.store().await;
    let plan_id = ambient::new_id();
    let section = Section::MarketAnalysis;
    let revise = |text: &str| PlanCommand::ReviseSection {
        account_id,
        section,
        expected: None,
        text: SectionText::parse(text).unwrap(),
    };
    for command in [
        PlanCommand::StartPlan {
            account_id,
            given: Given {
                title: PlanTitle::parse("The bakery").unwrap(),
                business_name: None,
                industry: None,
                location: None,
                stage: None,
                summary: None,
            },
        },
        revise("Students"),
        revise("Students and commuters"),
        PlanCommand::RecordFact {
            account_id,
            key: FactKey::parse("monthly_rent").unwrap(),
            value: FactValue::parse("900 EUR").unwrap(),
            source: Source::User,
            conversation_id: None,
        },
    ] {
        let context = CommandContext::new(Actor::user(account_id), account_id);
        store
            .execute::<Plan>(plan_id, command, &context)
            .await
            .unwrap();
    }
    plan_id
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_somebody_is_in_it_and_readable() {
    let app = TestApp::start_quiet().await;
    let (ada, bob) = (app.register("ada").await, app.register("bob").await);
    patch(&app, &ada, "/v1/me", json!({"goals": "A second shop"})).await;
    let consent = json!({"policy_version": "privacy-2026-01", "accepted": true});
    send(&app, &ada, Method::POST, "/v1/me/consents", consent).await;
    let (chat, of_bob) = (
        app.start_conversation(&ada).await,
        app.start_conversation(&bob).await,
    );
    for (user, chat, text) in [
        (&ada, chat, "Bread for Graz"),
        (&bob, of_bob, "Beer for Graz"),
    ] {
        let messages = format!("/v1/conversations/{chat}/messages");
        app.post(user, &messages, json!({"text": text}), 202).await;
    }
    let plan = plan_of(&app, ada.account_id).await;
    plan_of(&app, bob.account_id).await;

    let export = exported(&app, &ada).await;
    let account = &export["account"];
    assert_eq!(account["id"], ada.account_id.to_string());
    assert_eq!(account["email"], "ada@example.com");
    assert_eq!(account["goals"], "A second shop");
    assert_eq!(account["consents"]["privacy-2026-01"]["accepted"], true);
    assert_eq!(export["sessions"].as_array().unwrap().len(), 1);
    let conversations = export["conversations"].as_array().unwrap();
    assert_eq!(conversations.len(), 1);
    assert_eq!(conversations[0]["id"], chat.to_string());
    assert_eq!(conversations[0]["messages"][0]["text"], "Bread for Graz");
    let plans = export["plans"].as_array().unwrap();
    assert_eq!(plans.len(), 1);
    assert_eq!(plans[0]["id"], plan.to_string());
    assert_eq!(plans[0]["details"]["title"], "The bakery");
    assert_eq!(plans[0]["facts"]["monthly_rent"]["value"], "900 EUR");
    let text = export.to_string();
    assert!(text.contains("Students and commuters") && text.contains("\"Students\""));
    assert!(!text.contains("sealed") && !text.contains("Beer"), "{text}");
    assert!(!text.contains(&bob.account_id.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_exported_to_its_end() {
    let app = TestApp::start_quiet().await;
    let ada = app.register("ada").await;
    // More than a page of streams.
    for _ in 0..205 {
        app.start_conversation(&ada).await;
    }
    let export = exported(&app, &ada).await;
    assert_eq!(export["conversations"].as_array().unwrap().len(), 205);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_exports_without_being_signed_in() {
    let app = TestApp::start_quiet().await;
    let response = app.http.get(app.url("/v1/me/export")).send().await.unwrap();
    assert_eq!(response.status(), 401);
}
