//! Two people and what each of them has, somebody with every role, and tokens that open nothing.

use std::collections::BTreeMap;

use fido_commands::CommandContext;
use fido_commands::conversation::ConversationCommand;
use fido_commands::log::Log;
use fido_domain::Actor;
use fido_domain::conversation::{Conversation, Usage};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::document::Document;
use super::routes::Route;
use crate::app::{TestApp, TestUser};
use crate::case::Case;

/// Well-formed, and nobody's.
pub(super) const UNKNOWN: &str = "0190b5a4-7c3e-7000-8000-000000000000";

/// The same parameter of a path for ada and for bob.
struct Ids {
    of_ada: String,
    of_bob: String,
}

pub(super) struct Scene {
    pub(super) app: TestApp,
    pub(super) document: Document,
    pub(super) ada: TestUser,
    pub(super) staff: TestUser,
    /// Tokens of nobody who is signed in, each with why.
    pub(super) no_tokens: Vec<(&'static str, String)>,
    ids: BTreeMap<&'static str, Ids>,
    log: Log,
}

impl Scene {
    pub(super) async fn set() -> Self {
        let app = TestApp::start_quiet().await;
        let document = app.http.get(app.url("/openapi.json")).send().await.unwrap();
        let document = Document(document.json().await.unwrap());
        let (ada, bob) = (app.register("ada").await, app.register("bob").await);
        let staff = app.register("staff").await;
        for role in ["analyst", "auditor", "admin"] {
            let id = staff.account_id.to_string();
            let granted = app.ground.command(&["account", "grant", &id, role]);
            assert!({ granted }.status().await.unwrap().success());
        }
        let no_tokens = no_tokens(&app).await;
        let ids = ids(&app, &ada, &bob).await;
        let events = PgPool::connect(&app.ground.addresses.events_url);
        let log = Log::new(events.await.unwrap());
        let head = log.head().await.unwrap();
        // From now on the replica knows all of it.
        app.get(&ada, "/v1/me", head).await;
        Self {
            app,
            document,
            ada,
            staff,
            no_tokens,
            ids,
            log,
        }
    }

    /// How many events there are of what people do. That somebody was refused may be one, too.
    pub(super) async fn happened(&self) -> usize {
        let events = self.log.after(0, 10_000).await.unwrap();
        let deeds = events
            .iter()
            .filter(|event| event.aggregate_type != "access");
        deeds.count()
    }

    /// Who may ask this.
    pub(super) fn rightful(&self, route: &Route) -> &TestUser {
        // Ada has signed out by then, and afterwards there is nobody any more.
        if route.method == Method::DELETE && route.path == "/v1/me" {
            return &self.staff;
        }
        match self.document.operation(route).role() {
            Some(_) => &self.staff,
            None => &self.ada,
        }
    }

    /// The route, asked well by nobody in particular.
    pub(super) fn asked(&self, route: &Route) -> Case {
        self.at(route, |ids| &ids.of_ada)
    }

    /// The route, asked for what is bob's; none when nothing of it is anybody's.
    pub(super) fn asked_of_bob(&self, route: &Route) -> Option<Case> {
        self.is_of_somebody(route)
            .then(|| self.at(route, |ids| &ids.of_bob))
    }

    /// The route, asked for something called `id`; none when nothing of it is anybody's.
    pub(super) fn asked_of(&self, route: &Route, id: &str) -> Option<Case> {
        let id = id.to_owned();
        self.is_of_somebody(route).then(|| self.at(route, |_| &id))
    }

    fn is_of_somebody(&self, route: &Route) -> bool {
        let mut ids = self.ids.iter();
        ids.any(|(name, ids)| ids.of_ada != ids.of_bob && route.path.contains(&placeholder(name)))
    }

    fn at<'a>(&'a self, route: &Route, choose: impl Fn(&'a Ids) -> &'a String) -> Case {
        let mut path = route.path.to_owned();
        for (name, ids) in &self.ids {
            // What is nobody's stays as it is, so that only the id is wrong.
            let value = if ids.of_ada == ids.of_bob {
                &ids.of_ada
            } else {
                choose(ids)
            };
            path = path.replace(&placeholder(name), value);
        }
        assert!(
            !path.contains('{'),
            "{path}: a parameter without a value in the scene"
        );
        let mut case = Case::new(route.method.clone(), path);
        if let Some(seen) = route.seen {
            case = case.header("if-match", seen);
        }
        match &route.body {
            Some(body) => case.json(body),
            None => case,
        }
    }
}

fn placeholder(name: &str) -> String {
    format!("{{{name}}}")
}

/// What stands in paths.
async fn ids(app: &TestApp, ada: &TestUser, bob: &TestUser) -> BTreeMap<&'static str, Ids> {
    let shared = |value: &str| Ids {
        of_ada: value.to_owned(),
        of_bob: value.to_owned(),
    };
    let (of_ada, of_bob) = (Has::made(app, ada).await, Has::made(app, bob).await);
    let sessions = Ids {
        of_ada: another_session(app, "ada").await,
        of_bob: another_session(app, "bob").await,
    };
    BTreeMap::from([
        (
            "conversation_id",
            ids_of(&of_ada, &of_bob, |has| &has.conversation),
        ),
        ("reply_id", ids_of(&of_ada, &of_bob, |has| &has.reply)),
        ("plan_id", ids_of(&of_ada, &of_bob, |has| &has.plan)),
        (
            "generation_id",
            ids_of(&of_ada, &of_bob, |has| &has.generation),
        ),
        ("section", shared("owner_bio")),
        ("revision", shared("1")),
        ("key", shared("monthly_rent")),
        ("session_id", sessions),
        ("provider", shared("nobody")),
        ("view", shared("daily_actives")),
        // Whoever may grant roles may grant them to anybody.
        ("account_id", shared(&bob.account_id.to_string())),
        ("role", shared("auditor")),
    ])
}

/// What somebody has.
struct Has {
    conversation: Uuid,
    /// In that conversation; it has come.
    reply: Uuid,
    /// With a text for the owner's bio.
    plan: Uuid,
    /// Of that plan; nobody has begun it.
    generation: Uuid,
}

fn ids_of(of_ada: &Has, of_bob: &Has, which: impl Fn(&Has) -> &Uuid) -> Ids {
    Ids {
        of_ada: which(of_ada).to_string(),
        of_bob: which(of_bob).to_string(),
    }
}

impl Has {
    async fn made(app: &TestApp, user: &TestUser) -> Self {
        let conversation = app.start_conversation(user).await;
        let messages = format!("/v1/conversations/{conversation}/messages");
        let text = json!({ "text": "Hello" });
        let (posted, _) = app.post(user, &messages, text, 202).await;
        let reply = id(&posted["reply"]);
        let store = app.ground.store().await;
        for command in [
            ConversationCommand::StartReply { reply_id: reply },
            ConversationCommand::RecordReply {
                reply_id: reply,
                attempt: 1,
                text: "Hello!".to_owned(),
                model: "m".to_owned(),
                usage: Usage::default(),
            },
        ] {
            let context = CommandContext::new(Actor::system("copilot"), user.account_id);
            let recorded = store.execute::<Conversation>(conversation, command, &context);
            recorded.await.unwrap();
        }
        let title = json!({ "title": "The bakery" });
        let (started, _) = app.post(user, "/v1/plans", title, 201).await;
        let plan = id(&started);
        let bio = format!("/v1/plans/{plan}/sections/owner_bio");
        let written = app.http.put(app.url(&bio)).bearer_auth(&user.token);
        let written = written
            .header("If-Match", "*")
            .json(&json!({ "text": "She bakes" }));
        assert_eq!(written.send().await.unwrap().status(), 200);
        let generations = format!("/v1/plans/{plan}/generations");
        let (asked, _) = app.post(user, &generations, json!({}), 202).await;
        Self {
            conversation,
            reply,
            plan,
            generation: id(&asked["generation"]),
        }
    }
}

fn id(of: &Value) -> Uuid {
    of["id"].as_str().unwrap().parse().unwrap()
}

async fn sign_in(app: &TestApp, name: &str) -> String {
    let credentials =
        json!({ "email": format!("{name}@example.com"), "password": "correct horse" });
    let request = app.http.post(app.url("/v1/sessions")).json(&credentials);
    let welcome: Value = request.send().await.unwrap().json().await.unwrap();
    welcome["token"].as_str().unwrap().to_owned()
}

/// The id of a session besides the one that a test uses.
async fn another_session(app: &TestApp, name: &str) -> String {
    let token = sign_in(app, name).await;
    let sessions = app.http.get(app.url("/v1/sessions")).bearer_auth(token);
    let sessions: Value = sessions.send().await.unwrap().json().await.unwrap();
    let sessions = sessions["items"].as_array().unwrap();
    let current = sessions.iter().find(|session| session["current"] == true);
    current.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn no_tokens(app: &TestApp) -> Vec<(&'static str, String)> {
    let (expired, revoked) = (sign_in(app, "ada").await, sign_in(app, "bob").await);
    let revoke = app
        .http
        .request(Method::DELETE, app.url("/v1/sessions/current"));
    let answer = revoke.bearer_auth(&revoked).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    expire_newest_session(app).await;
    vec![
        ("none", String::new()),
        ("garbage", "Bearer fido_AAAA".to_owned()),
        ("another scheme", "Basic YWRhOmFkYQ==".to_owned()),
        ("expired", format!("Bearer {expired}")),
        ("revoked", format!("Bearer {revoked}")),
    ]
}

/// Nobody can wait until a session ends, so its end is moved.
async fn expire_newest_session(app: &TestApp) {
    let owner = PgPool::connect(&app.ground.events_owner_url).await.unwrap();
    let expired = sqlx::query(
        "update auth.sessions set expires_at = now() - interval '1 second'
          where created_at = (select max(created_at) from auth.sessions)",
    );
    assert_eq!(expired.execute(&owner).await.unwrap().rows_affected(), 1);
}
