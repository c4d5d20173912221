//! A small OpenID Connect provider on this machine, which does what a test tells it to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fido_commands::ambient;
use rsa::pkcs1v15::SigningKey;
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, sha2::Sha256};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Digest;
use tokio::net::TcpListener;

pub(super) const CLIENT: &str = "fido-at-test";
pub(super) const SECRET: &str = "between you and me";

/// Whom the provider lets in, and what it says of them.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) subject: &'static str,
    pub(super) email: &'static str,
    pub(super) email_verified: bool,
}

/// What is wrong with the ID tokens that it gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Forgery {
    None,
    WrongNonce,
    WrongAudience,
    WrongIssuer,
    Expired,
    /// Signed by nobody: `alg` is `none`.
    Unsigned,
    /// Signed with the client's secret: `alg` is `HS256`.
    SharedSecret,
    /// Signed with a key that the provider does not publish, under the name of one that it does.
    OtherKey,
    /// Somebody else's subject behind a signature that was made for this one.
    Tampered,
    NoToken,
}

/// The provider.
#[derive(Clone)]
pub(super) struct Provider(Arc<Mutex<Inner>>);

struct Inner {
    issuer: String,
    person: Person,
    forgery: Forgery,
    /// Which of the keys signs, and which are published.
    signs_with: usize,
    published: Vec<usize>,
    codes: HashMap<String, Asked>,
    /// How often its keys were asked for.
    keys_asked: usize,
}

/// What an authorization was asked for.
#[derive(Clone, Deserialize)]
struct Asked {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: String,
    nonce: String,
    code_challenge: String,
    code_challenge_method: String,
}

/// What a code is exchanged with.
struct Redemption(HashMap<String, String>);

impl Redemption {
    fn parse(form: &str) -> Self {
        let url = reqwest::Url::parse(&format!("http://localhost/?{form}")).unwrap();
        Self(url.query_pairs().into_owned().collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// Two keys, made once, and short: making them takes a while without optimisation.
fn keys() -> &'static [RsaPrivateKey; 2] {
    static KEYS: OnceLock<[RsaPrivateKey; 2]> = OnceLock::new();
    KEYS.get_or_init(|| {
        let new = || RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap();
        [new(), new()]
    })
}

impl Provider {
    pub(super) async fn start(person: Person) -> Self {
        tokio::task::spawn_blocking(keys).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self(Arc::new(Mutex::new(Inner {
            issuer,
            person,
            forgery: Forgery::None,
            signs_with: 0,
            published: vec![0],
            codes: HashMap::new(),
            keys_asked: 0,
        })));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(published))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub(super) fn issuer(&self) -> String {
        self.inner().issuer.clone()
    }

    pub(super) fn forges(&self, forgery: Forgery) {
        self.inner().forgery = forgery;
    }

    pub(super) fn lets_in(&self, person: Person) {
        self.inner().person = person;
    }

    /// Signs with the other key from now on.
    pub(super) fn rotates(&self) {
        let mut inner = self.inner();
        inner.signs_with = 1;
        inner.published = vec![1];
    }

    pub(super) fn keys_asked(&self) -> usize {
        self.inner().keys_asked
    }
}

async fn configuration(State(provider): State<Provider>) -> Json<Value> {
    let issuer = provider.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // As many do, it says that it would take what must not be taken.
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
    }))
}

async fn published(State(provider): State<Provider>) -> Json<Value> {
    let mut inner = provider.inner();
    inner.keys_asked += 1;
    let keys: Vec<Value> = inner.published.iter().map(|n| public(*n)).collect();
    Json(json!({ "keys": keys }))
}

fn public(n: usize) -> Value {
    let key = &keys()[n];
    json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": format!("key-{n}"),
        "n": URL_SAFE_NO_PAD.encode(key.n().to_bytes_be()),
        "e": URL_SAFE_NO_PAD.encode(key.e().to_bytes_be()),
    })
}

/// Lets the person in at once, as if they were signed in already.
async fn authorize(State(provider): State<Provider>, Query(asked): Query<Asked>) -> Response {
    let is_right = asked.response_type == "code"
        && asked.client_id == CLIENT
        && asked.code_challenge_method == "S256"
        && asked.scope.split(' ').any(|scope| scope == "openid");
    if !is_right {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let code = ambient::new_id().to_string();
    let back = format!("{}?code={code}&state={}", asked.redirect_uri, asked.state);
    provider.inner().codes.insert(code, asked);
    Redirect::to(&back).into_response()
}

async fn token(
    State(provider): State<Provider>,
    headers: axum::http::HeaderMap,
    form: String,
) -> Response {
    let redemption = Redemption::parse(&form);
    let mut inner = provider.inner();
    let refused =
        |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response();
    let proof = format!(
        "Basic {}",
        STANDARD.encode(format!("{CLIENT}:{}", escaped(SECRET)))
    );
    let proven = headers
        .get("authorization")
        .is_some_and(|given| given == proof.as_str());
    if !proven || redemption.get("grant_type") != "authorization_code" {
        return refused("invalid_client");
    }
    // A code is good once.
    let Some(asked) = inner.codes.remove(redemption.get("code")) else {
        return refused("invalid_grant");
    };
    let verifier = redemption.get("code_verifier").as_bytes();
    let challenge = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier));
    if challenge != asked.code_challenge || redemption.get("redirect_uri") != asked.redirect_uri {
        return refused("invalid_grant");
    }
    let mut answer = json!({"access_token": "unused", "token_type": "Bearer", "expires_in": 60});
    if inner.forgery != Forgery::NoToken {
        answer["id_token"] = inner.id_token(&asked).into();
    }
    Json(answer).into_response()
}

/// As `application/x-www-form-urlencoded` (RFC 6749 2.3.1).
fn escaped(text: &str) -> String {
    text.replace(' ', "+")
}

impl Inner {
    /// What the token says of its signature, and which key makes it.
    fn signature(&self) -> (&'static str, Option<usize>) {
        if self.forgery == Forgery::Unsigned {
            ("none", None)
        } else if self.forgery == Forgery::SharedSecret {
            ("HS256", None)
        } else if self.forgery == Forgery::OtherKey {
            ("RS256", Some(1 - self.signs_with))
        } else {
            ("RS256", Some(self.signs_with))
        }
    }

    fn id_token(&self, asked: &Asked) -> String {
        let now = ambient::now().unix_timestamp();
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": self.person.subject,
            "iat": now, "exp": now + 60, "nonce": asked.nonce,
            "email": self.person.email, "email_verified": self.person.email_verified,
            "name": "Ada Lovelace",
        });
        match self.forgery {
            Forgery::WrongNonce => claims["nonce"] = "another".into(),
            Forgery::WrongAudience => claims["aud"] = "somebody-else".into(),
            Forgery::WrongIssuer => claims["iss"] = "https://accounts.example".into(),
            Forgery::Expired => {
                claims["iat"] = (now - 7_200).into();
                claims["exp"] = (now - 3_600).into();
            }
            Forgery::None
            | Forgery::Unsigned
            | Forgery::SharedSecret
            | Forgery::OtherKey
            | Forgery::Tampered
            | Forgery::NoToken => {}
        }
        let (algorithm, key) = self.signature();
        let header =
            json!({"alg": algorithm, "typ": "JWT", "kid": format!("key-{}", self.signs_with)});
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = match (algorithm, key) {
            ("HS256", _) => hmac(&signed),
            (_, Some(key)) => sign(key, &signed),
            (_, None) => Vec::new(),
        };
        let signature = URL_SAFE_NO_PAD.encode(signature);
        if self.forgery == Forgery::Tampered {
            claims["sub"] = "somebody-else".into();
            return format!("{}.{}.{signature}", encoded(&header), encoded(&claims));
        }
        format!("{signed}.{signature}")
    }
}

fn encoded(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn sign(key: usize, text: &str) -> Vec<u8> {
    let key = SigningKey::<Sha256>::new(keys()[key].clone());
    key.sign(text.as_bytes()).to_vec()
}

/// HMAC-SHA-256 with the client's secret (RFC 2104).
fn hmac(text: &str) -> Vec<u8> {
    let mut key = [0_u8; 64];
    key[..SECRET.len()].copy_from_slice(SECRET.as_bytes());
    let pad = |byte: u8| key.map(|k| k ^ byte);
    let inner = sha2::Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(text)
        .finalize();
    let outer = sha2::Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner);
    outer.finalize().to_vec()
}
