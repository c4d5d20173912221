//! Fido for one test: every role in this process, on databases and a nats-server of its own.

use std::collections::HashMap;

use fido::model::{self, OfflineModel};
use fido::roles;
use fido_api::{ApiConfig, MailConfig, Oidc, SessionCookie};
use fido_nats::access::Role;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::ground::Ground;

/// An offline model that writes as fast as it can.
pub(crate) const UNPACED: model::Options = model::Options {
    first_token_ms: 0,
    tokens_per_second: 0,
};

/// A client, once the process can do TLS (reqwest asks for that even where none is used).
pub(crate) fn http_client() -> reqwest::Client {
    // Only an error when another test has done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// A projector that runs.
struct Projecting {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// All of Fido, listening on a free port.
pub(crate) struct TestApp {
    pub(crate) ground: Ground,
    pub(crate) http: reqwest::Client,
    base: String,
    shutdown: CancellationToken,
    projectors: Mutex<HashMap<String, Projecting>>,
}

/// Somebody who has registered.
pub(crate) struct TestUser {
    pub(crate) account_id: Uuid,
    pub(crate) token: String,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(UNPACED).await
    }

    /// Without co-pilots: nothing happens that the test does not do.
    pub(crate) async fn start_quiet() -> Self {
        Self::start_on(Ground::prepare().await).await
    }

    /// The same on a ground that was prepared otherwise, with a projector for each replica of it.
    pub(crate) async fn start_on(ground: Ground) -> Self {
        Self::serve(http_client(), ground, MailConfig::default()).await
    }

    /// Without co-pilots, and with mail that goes where `mail` says.
    pub(crate) async fn start_mailing(mail: MailConfig) -> Self {
        Self::serve(http_client(), Ground::prepare().await, mail).await
    }

    /// With an offline model that writes as `offline` says.
    pub(crate) async fn start_with(offline: model::Options) -> Self {
        let (http, ground) = (http_client(), Ground::prepare().await);
        let app = Self::serve(http, ground, MailConfig::default()).await;
        app.start_copilots(offline).await;
        app
    }

    /// Lets co-pilots listen, with an offline model that writes as `offline` says.
    pub(crate) async fn start_copilots(&self, offline: model::Options) {
        let shutdown = self.shutdown.clone();
        let (model, serve) =
            OfflineModel::bind(([127, 0, 0, 1], 0).into(), offline, shutdown.clone())
                .await
                .unwrap();
        tokio::spawn(serve);
        let gateway = roles::gateway(
            &fido::config::ModelArgs {
                model_url: format!("http://{model}/v1"),
                model: model::NAME.to_owned(),
                concurrency: 16,
            },
            "test",
        )
        .unwrap();
        let system = self.ground.system_as(Role::Copilot).await;
        let vault = self.ground.vault().await;
        tokio::spawn(system.copilot(gateway, vault, 16, shutdown));
    }

    /// With a provider that people can sign in with; without co-pilots.
    pub(crate) async fn start_with_provider(oidc: impl FnOnce(&str) -> Oidc) -> Self {
        let (http, ground) = (http_client(), Ground::prepare().await);
        Self::serve_with(http, ground, MailConfig::default(), oidc).await
    }

    async fn serve(http: reqwest::Client, ground: Ground, mail: MailConfig) -> Self {
        Self::serve_with(http, ground, mail, |_| Oidc::default()).await
    }

    /// `oidc` is told where the API is reached.
    async fn serve_with(
        http: reqwest::Client,
        ground: Ground,
        mail: MailConfig,
        oidc: impl FnOnce(&str) -> Oidc,
    ) -> Self {
        let shutdown = CancellationToken::new();
        let relay = ground.system_as(Role::Relay).await;
        tokio::spawn(relay.relay(shutdown.clone()));
        let projectors = Mutex::default();
        let base = listen(&ground, shutdown.clone(), mail, oidc).await;
        let app = Self {
            ground,
            http,
            base,
            shutdown,
            projectors,
        };
        for replica in &app.ground.addresses.replicas {
            app.project(&replica.name).await;
        }
        app
    }

    /// Another instance of the API; answers with where it is reached.
    pub(crate) async fn another_instance(&self, oidc: impl FnOnce(&str) -> Oidc) -> String {
        let mail = MailConfig::default();
        listen(&self.ground, self.shutdown.clone(), mail, oidc).await
    }

    /// Lets the projector of `replica` run.
    pub(crate) async fn project(&self, replica: &str) {
        let stop = self.shutdown.child_token();
        let system = self.ground.system_as(Role::Projector).await;
        let projector = system.projector(replica).unwrap();
        let task = tokio::spawn(projector.run(stop.clone()));
        let mut projectors = self.projectors.lock().await;
        projectors.insert(replica.to_owned(), Projecting { stop, task });
    }

    /// Stops the projector of `replica`, which serves on where it is.
    pub(crate) async fn stop_projecting(&self, replica: &str) {
        let running = self.projectors.lock().await.remove(replica);
        let Projecting { stop, task } = running.expect("a projector that runs");
        stop.cancel();
        task.await.unwrap();
    }

    /// The address of `path` in this app.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Somebody new, with an address made of `name`.
    pub(crate) async fn register(&self, name: &str) -> TestUser {
        let response = self
            .http
            .post(self.url("/v1/accounts"))
            .json(&json!({
                "email": format!("{name}@example.com"),
                "password": "correct horse",
                "display_name": name,
            }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 201, "{:?}", response.text().await);
        let body: Value = response.json().await.unwrap();
        TestUser {
            account_id: body["account"]["id"].as_str().unwrap().parse().unwrap(),
            token: body["token"].as_str().unwrap().to_owned(),
        }
    }

    /// POSTs as `user`, expects `status`, answers with the body and the position.
    pub(crate) async fn post(
        &self,
        user: &TestUser,
        path: &str,
        body: Value,
        status: u16,
    ) -> (Value, i64) {
        let response = self
            .http
            .post(self.url(path))
            .bearer_auth(&user.token)
            .json(&body)
            .send()
            .await
            .unwrap();
        let found = response.status();
        let position = response
            .headers()
            .get("fido-position")
            .map_or(0, |position| position.to_str().unwrap().parse().unwrap());
        let body = response.json().await.unwrap();
        assert_eq!(found, status, "{path}: {body}");
        (body, position)
    }

    /// GETs as `user` what the log was at `position` or later, expects success.
    pub(crate) async fn get(&self, user: &TestUser, path: &str, position: i64) -> Value {
        let response = self
            .http
            .get(self.url(path))
            .bearer_auth(&user.token)
            .header("Fido-Min-Position", position)
            .send()
            .await
            .unwrap();
        let found = response.status();
        let body = response.json().await.unwrap();
        assert_eq!(found, 200, "{path}: {body}");
        body
    }

    /// A new conversation of `user`.
    pub(crate) async fn start_conversation(&self, user: &TestUser) -> Uuid {
        let (conversation, _) = self
            .post(
                user,
                "/v1/conversations",
                json!({"copilot": "business_plan_architect"}),
                201,
            )
            .await;
        conversation["id"].as_str().unwrap().parse().unwrap()
    }
}

/// Lets an API serve; answers with where it is reached.
async fn listen(
    ground: &Ground,
    shutdown: CancellationToken,
    mail: MailConfig,
    oidc: impl FnOnce(&str) -> Oidc,
) -> String {
    let system = ground.system().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let config = ApiConfig {
        cookie: SessionCookie::PlainLocalhost,
        mail,
        oidc: oidc(&base),
    };
    let vault = ground.vault().await;
    let register = Some(ground.register());
    tokio::spawn(system.serve(listener, vault, register, config, shutdown));
    base
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
