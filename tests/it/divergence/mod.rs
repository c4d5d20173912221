//! PostgreSQL loses the end of the log: Fido sees it, and goes on once an operator says how.

mod scene;

use fido::log::{ForkRequest, declare};
use fido_commands::fork::{ForkError, fork};
use fido_domain::Position;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::app::TestApp;
use crate::sse::Sse;
use scene::{
    Lost, Scene, caught_up, head, positions_in_the_log, positions_in_the_timeline, stream,
};

const FORK: [&str; 5] = ["log", "fork", "--json", "--reason", "a restore"];

#[tokio::test(flavor = "multi_thread")]
async fn after_a_fork_everything_goes_on_beyond_what_was_lost() {
    let scene = Scene::begin().await;
    // The second time the fork itself is lost too: the backup knows of one epoch only.
    for epoch in [2, 3] {
        let lost = scene.lose_the_tail().await;
        everything_stands_still(&scene, &lost).await;
        let declared = scene.fido(&FORK).await;
        assert_eq!(declared["epoch"], epoch, "{declared}");
        assert_eq!(declared["forked_after"], scene.backup.kept);
        let first = declared["first_position"].as_i64().unwrap();
        assert!(first > lost.seen, "{declared}");
        everything_goes_on(&scene, lost, first).await;
    }
}

/// Nothing is published or projected, and whoever looks learns why; reading goes on.
async fn everything_stands_still(scene: &Scene, lost: &Lost) {
    let end = scene.backup.kept;
    let why = format!("log diverged at {}", end + 1);
    scene.says(&["relay"], &why).await;
    scene.says(&["project"], &why).await;
    let status = scene.fido(&["status", "--json"]).await;
    assert_eq!(status["diverged_at"], end + 1, "{status}");
    assert_eq!(status["head"], end);
    assert_eq!(status["stream"]["last"], lost.seen);
    assert_eq!(status["replicas"][0]["position"], lost.seen);
    let Scene { app, ada, .. } = scene;
    app.get(ada, "/v1/conversations", lost.seen).await;
}

async fn everything_goes_on(scene: &Scene, mut lost: Lost, first: Position) {
    let Scene { app, ada, backup } = scene;
    // Whoever was connected is sent away, and told to read afresh when coming back.
    let goodbye = lost.watching.next_named("goodbye").await;
    assert_eq!(goodbye.data["reason"], "interrupted");
    let mut stream = scene.come_back(lost.seen).await;
    assert_eq!(stream.next().await.name, "hello");
    let reset = stream.next().await;
    assert_eq!(reset.name, "reset");
    assert_eq!(reset.data["reason"], "lost_range");
    assert!(reset.data["position"].as_i64().unwrap() >= first - 1);

    // The answer is lost, the question is not: it is answered again.
    let answered = scene.answered().await;
    assert!(answered > first, "at {answered}");

    a_chat_works(scene, &mut stream, first).await;

    let head = caught_up(app).await;
    the_stream_begins_at(app, first, head).await;
    let log = positions_in_the_log(app).await;
    let survived = |&position: &Position| position <= backup.kept || position >= first;
    assert!(log.iter().all(survived), "{log:?}");
    assert_eq!(positions_in_the_timeline(app).await, log);
    let listed = app.get(ada, "/v1/conversations", head).await;
    let listed = listed["items"].as_array().unwrap().len();
    assert_eq!(listed, 2, "what is lost is not shown");
    // Whoever asks for something lost gets what has come after it.
    app.get(ada, "/v1/conversations", lost.seen).await;

    let status = scene.fido(&["status", "--json"]).await;
    assert_eq!(status["diverged_at"], Value::Null, "{status}");
    assert_eq!(status["stream"]["epoch"], status["epoch"]);
    assert_eq!(status["replicas"][0]["epoch"], status["epoch"]);
}

async fn a_chat_works(scene: &Scene, stream: &mut Sse, first: Position) {
    let Scene { app, ada, backup } = scene;
    let path = format!("/v1/conversations/{}/messages", backup.silent);
    let (_, position) = app.post(ada, &path, json!({"text": "Hello"}), 202).await;
    assert!(position > first);
    let completed = loop {
        let completed = stream.next_named("conversation.reply_completed").await;
        if completed.data["aggregate_id"] == backup.silent.to_string() {
            break completed;
        }
    };
    assert!(completed.id.unwrap() > position);
    let transcript = app.get(ada, &path, completed.id.unwrap()).await;
    assert_eq!(transcript["items"][1]["status"], "complete", "{transcript}");
}

/// The event stream begins at `first` and has come to `last`.
async fn the_stream_begins_at(app: &TestApp, first: Position, last: Position) {
    let carried = stream(app).await.unwrap();
    let [first, last] = [first, last].map(|position| u64::try_from(position).unwrap());
    assert_eq!(carried.config.first_sequence, Some(first));
    assert_eq!(carried.state.last_sequence, last);
    assert_eq!(carried.state.messages, last + 1 - first, "dense");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_to_a_log_that_has_lost_its_tail() {
    let scene = Scene::begin().await;
    let lost = scene.lose_the_tail().await;
    let Scene { app, ada, backup } = &scene;
    // By those who were there before, nor by those who begin now.
    for base in [app.url(""), scene.another_process().await] {
        let request = app.http.post(format!("{base}/v1/conversations"));
        let request = request.bearer_auth(&ada.token);
        let copilot = json!({"copilot": "growth_engine"});
        let response = request.json(&copilot).send().await.unwrap();
        assert_eq!(response.status(), 503);
        assert!(!response.headers().contains_key("retry-after"));
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["type"], "/problems/log-diverged");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("fido log fork"), "{problem}");
    }
    assert_eq!(head(app).await, backup.kept, "nothing was written");
    scene.fido(&FORK).await;
    let copilot = json!({"copilot": "growth_engine"});
    let (_, position) = app.post(ada, "/v1/conversations", copilot, 201).await;
    assert!(position > lost.seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_holds_everything_is_forked_only_by_whoever_insists() {
    let scene = Scene::begin().await;
    let Scene { app, ada, backup } = &scene;
    scene.answered().await;
    let end = caught_up(app).await;
    assert_eq!(end, backup.kept + 2);
    let mut request = ForkRequest {
        reason: "for practice".to_owned(),
        beyond: None,
        force: false,
    };
    let declare = async |request: &ForkRequest| {
        let ground = &app.ground;
        declare(&ground.events_owner_url, &ground.addresses, request).await
    };
    let refused = declare(&request).await.unwrap_err().to_string();
    assert!(refused.contains("has not diverged"), "{refused}");
    assert_eq!(head(app).await, end);

    request.force = true;
    let mut watching = scene.come_back(end).await;
    let forked = declare(&request).await.unwrap().epoch;
    assert_eq!((forked.epoch, forked.forked_after), (2, end));
    assert_eq!(forked.first_position, end + 2);
    // Nothing is lost, so nobody begins again: the replica passes the gap, and so does a client.
    assert_eq!(caught_up(app).await, end + 1);
    app.get(ada, "/v1/conversations", end + 1).await;
    watching.next_named("goodbye").await;
    let mut events = scene.come_back(end).await;
    assert_eq!(events.next().await.name, "hello");
    app.start_conversation(ada).await;
    assert_eq!(events.next().await.id, Some(end + 2));

    // Beyond what somebody is known to have seen; segments are made on the way.
    request.force = false;
    request.beyond = Some(40_000_000);
    let first = declare(&request).await.unwrap().epoch.first_position;
    assert_eq!(first, 40_000_002);
    app.start_conversation(ada).await;
    assert_eq!(caught_up(app).await, first);
    let log = positions_in_the_log(app).await;
    assert_eq!(log, [(1..=end).collect(), vec![end + 2, first]].concat());
    assert_eq!(positions_in_the_timeline(app).await, log);

    // A stream that is wiped begins again where the epoch does.
    let broker = app.ground.jetstream().await;
    broker.delete_stream("FIDO_EVENTS").await.unwrap();
    app.start_conversation(ada).await;
    assert_eq!(caught_up(app).await, first + 1);
    the_stream_begins_at(app, first, first + 1).await;

    request.beyond = Some(Position::MAX / 2);
    let refused = format!("{:#}", declare(&request).await.unwrap_err());
    assert!(refused.contains("too far beyond"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_forks_and_nobody_takes_it_back() {
    let app = TestApp::start_quiet().await;
    let connect = async |url: &str| PgConnection::connect(url).await.unwrap();
    let mut as_app = connect(&app.ground.addresses.events_url).await;
    let refused = fork(&mut as_app, 100, 1, "no right").await;
    assert!(
        matches!(refused, Err(ForkError::NotOwner(_))),
        "{refused:?}"
    );
    let mut owner = connect(&app.ground.events_owner_url).await;
    for change in [
        "delete from log_epochs",
        "update log_epochs set forked_after = 7",
        "truncate log_epochs",
    ] {
        let refused = sqlx::raw_sql(change).execute(&mut owner).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{change}: {refused}");
    }
    let unreasoned = fork(&mut owner, 100, 1, " ").await;
    assert!(matches!(unreasoned, Err(ForkError::Database(_))));
    assert_eq!(head(&app).await, 0);
}
