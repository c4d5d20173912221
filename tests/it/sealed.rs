//! Personal content is sealed wherever it is kept, and gone for good once it is erased.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fido_commands::plan::{Given, PlanCommand};
use fido_commands::secrets::MasterKey;
use fido_commands::{CommandContext, EventStore, Vault, ambient};
use fido_domain::Actor;
use fido_domain::plan::{Plan, PlanTitle, Section, SectionText};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::process::Command;
use uuid::Uuid;

use crate::app::http_client;
use crate::dev::Dev;
use crate::ground::cluster;

/// Stands in every text that a person can write.
const MARKER: &str = "Zanzibar-marker-58213";

/// Every file below `folder` that holds `needle`, links followed.
fn files_with(folder: &Path, needle: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // What a running server has just removed, and its sockets.
            let Ok(kind) = std::fs::metadata(&path) else {
                continue;
            };
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file()
                && let Ok(bytes) = std::fs::read(&path)
                && bytes
                    .windows(needle.len())
                    .any(|window| window == needle.as_bytes())
            {
                found.push(path);
            }
        }
    }
    found
}

async fn written_out(dev: &Dev) {
    let mut owner = PgConnection::connect(&dev.events_owner_url())
        .await
        .unwrap();
    sqlx::raw_sql("checkpoint")
        .execute(&mut owner)
        .await
        .unwrap();
    owner.close().await.unwrap();
}

/// Asks until the answer is what is waited for.
async fn eventually(
    dev: &Dev,
    http: &reqwest::Client,
    path: &str,
    token: &str,
    until: impl Fn(&Value) -> bool,
) -> Value {
    let asking = async {
        loop {
            let (_, body) = dev.ask(http, Method::GET, path, token, None).await;
            if until(&body) {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking)
        .await
        .unwrap()
}

/// A plan with the marker in every text of it; the API has no routes for plans yet.
async fn write_a_plan(dev: &Dev, folder: &Path, account_id: Uuid) {
    let key = std::fs::read_to_string(folder.join("master.key")).unwrap();
    let pool = PgPool::connect(&dev.addresses().events_url).await.unwrap();
    let vault = Vault::new(pool.clone(), MasterKey::parse(&key).unwrap());
    let store = EventStore::new(pool, vault);
    let id = ambient::new_id();
    for command in [
        PlanCommand::StartPlan {
            account_id,
            given: Given {
                title: PlanTitle::parse(MARKER).unwrap(),
                business_name: Some(MARKER.to_owned().try_into().unwrap()),
                industry: Some(MARKER.to_owned().try_into().unwrap()),
                location: Some(MARKER.to_owned().try_into().unwrap()),
                stage: None,
                summary: Some(MARKER.to_owned().try_into().unwrap()),
            },
        },
        PlanCommand::ReviseSection {
            account_id,
            section: Section::MarketAnalysis,
            expected: Some(0),
            text: SectionText::parse(MARKER).unwrap(),
        },
        PlanCommand::RequestGeneration {
            account_id,
            generation_id: ambient::new_id(),
            sections: None,
            instructions: Some(MARKER.to_owned().try_into().unwrap()),
        },
    ] {
        let context = CommandContext::new(Actor::user(account_id), account_id);
        store.execute::<Plan>(id, command, &context).await.unwrap();
    }
}

async fn postgres(program: &str, arguments: &[&str]) {
    let output = Command::new(cluster().await.program(program))
        .args(arguments)
        .output()
        .await
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn content_stands_in_no_file_and_an_erased_one_stays_erased_when_a_backup_returns() {
    let folder = tempfile::tempdir().unwrap();
    let http = reqwest::Client::builder().user_agent(MARKER);
    drop(http_client());
    let http = http.build().unwrap();
    let dev = Dev::start(folder.path()).await;

    let registration = json!({
        "email": format!("{MARKER}@example.com"), "password": MARKER, "display_name": MARKER,
    });
    let (status, account) = dev
        .ask(
            &http,
            Method::POST,
            "/v1/accounts",
            "",
            Some(registration.clone()),
        )
        .await;
    assert_eq!(status, 201);
    let token = account["token"].as_str().unwrap();
    let account_id: Uuid = account["account"]["id"].as_str().unwrap().parse().unwrap();
    let mut conversations = Vec::new();
    for _ in 0..2 {
        let new = json!({"copilot": "growth_engine", "goal": MARKER});
        let (_, started) = dev
            .ask(&http, Method::POST, "/v1/conversations", token, Some(new))
            .await;
        let path = format!("/v1/conversations/{}", started["id"].as_str().unwrap());
        let text = json!({"text": format!("My business is called {MARKER}. {MARKER}!")});
        let (status, _) = dev
            .ask(
                &http,
                Method::POST,
                &format!("{path}/messages"),
                token,
                Some(text),
            )
            .await;
        assert_eq!(status, 202);
        let replied = |body: &Value| body["items"][1]["status"] == "complete";
        eventually(&dev, &http, &format!("{path}/messages"), token, replied).await;
        conversations.push(path);
    }
    write_a_plan(&dev, folder.path(), account_id).await;

    // Its owner reads it, nobody else does.
    let (_, me) = dev.ask(&http, Method::GET, "/v1/me", token, None).await;
    assert_eq!(me["display_name"], MARKER);
    let (_, one) = dev
        .ask(&http, Method::GET, &conversations[0], token, None)
        .await;
    assert_eq!(one["goal"], MARKER);
    let (_, devices) = dev
        .ask(&http, Method::GET, "/v1/sessions", token, None)
        .await;
    assert_eq!(devices["items"][0]["user_agent"], MARKER);
    for aggregate in [
        ("account", account_id.to_string()),
        ("conversation", conversations[0][18..].to_owned()),
    ] {
        for form in [&[][..], &["--json"]] {
            let export = dev
                .run(&[&["audit", "show", aggregate.0, &aggregate.1], form].concat())
                .await;
            assert!(!export.contains(MARKER), "{export}");
        }
    }
    written_out(&dev).await;
    assert_eq!(files_with(folder.path(), MARKER), Vec::<PathBuf>::new());

    // Looking like this does find what is there.
    let mut owner = PgConnection::connect(&dev.events_owner_url())
        .await
        .unwrap();
    sqlx::raw_sql(&format!(
        "create table control as select 'control-{MARKER}' as text"
    ))
    .execute(&mut owner)
    .await
    .unwrap();
    written_out(&dev).await;
    let found = files_with(folder.path(), &format!("control-{MARKER}"));
    assert!(
        found
            .iter()
            .any(|file| file.iter().any(|part| part == "pg_wal")),
        "{found:?}"
    );
    sqlx::raw_sql("drop table control")
        .execute(&mut owner)
        .await
        .unwrap();

    let backup = folder.path().join("backup");
    postgres(
        "pg_dump",
        &[
            "-Fc",
            "-f",
            backup.to_str().unwrap(),
            &dev.events_owner_url(),
        ],
    )
    .await;

    // One conversation, by its owner.
    let (status, erasure) = dev
        .ask(&http, Method::DELETE, &conversations[0], token, None)
        .await;
    assert_eq!(status, 202, "{erasure}");
    let erased = |body: &Value| body["status"] == "erased" && body["goal"] == "[erased]";
    eventually(&dev, &http, &conversations[0], token, erased).await;
    let (_, said) = dev
        .ask(
            &http,
            Method::GET,
            &format!("{}/messages", conversations[0]),
            token,
            None,
        )
        .await;
    assert_eq!(said["items"][0]["text"], "[erased]");
    assert_eq!(said["items"][1]["text"], "[erased]");
    let (_, sibling) = dev
        .ask(&http, Method::GET, &conversations[1], token, None)
        .await;
    assert_eq!(sibling["goal"], MARKER);

    // Everything, by an operator; the address is free again.
    let said = dev
        .run(&["account", "erase", &account_id.to_string()])
        .await;
    assert!(said.contains("is erased"), "{said}");
    let (status, _) = dev.ask(&http, Method::GET, "/v1/me", token, None).await;
    assert_eq!(status, 401);
    let (status, _) = dev
        .ask(&http, Method::POST, "/v1/accounts", "", Some(registration))
        .await;
    assert_eq!(status, 201);

    // The backup knows neither the erasures nor that the keys are gone. The register does.
    sqlx::raw_sql("drop database if exists other")
        .execute(&mut owner)
        .await
        .unwrap();
    owner.close().await.unwrap();
    let maintenance = dev
        .events_owner_url()
        .replace("/fido_events?", "/postgres?");
    let mut maintenance = PgConnection::connect(&maintenance).await.unwrap();
    for statement in [
        "drop database fido_events with (force)",
        "create database fido_events",
    ] {
        sqlx::raw_sql(statement)
            .execute(&mut maintenance)
            .await
            .unwrap();
    }
    postgres(
        "pg_restore",
        &["-d", &dev.events_owner_url(), backup.to_str().unwrap()],
    )
    .await;
    dev.stop().await;
    let dev = Dev::start(folder.path()).await;
    for path in &conversations {
        let (status, one) = dev.ask(&http, Method::GET, path, token, None).await;
        assert_eq!((status, &one["goal"]), (200, &json!("[erased]")), "{one}");
    }
    let (_, me) = dev.ask(&http, Method::GET, "/v1/me", token, None).await;
    assert_eq!(me["display_name"], "[erased]");
    written_out(&dev).await;
    assert_eq!(
        files_with(&folder.path().join("nats"), MARKER),
        Vec::<PathBuf>::new()
    );
    dev.stop().await;
}
