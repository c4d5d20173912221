//! `/v1/me`: what is known about whoever asks, and what they want to be different about that.

mod asked;
mod erasure;
mod export;
mod usage;

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, patch_with, post_with};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use fido_commands::account::AccountCommand;
use fido_commands::vault::StreamId;
use fido_domain::Evolve;
use fido_domain::account as domain;
use fido_projections::account::{AccountProfile, consents, profile};

use crate::account::{Account, Consent, recorded};
use crate::answer::{At, Created, Done, Found};
use crate::document::about;
use crate::extract::{Json, MinPosition};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};
use asked::{ConsentDecision, PreferenceChoice, ProfileRevision};

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    let unproven = &[Kind::WrongCredentials, Kind::SignInAgain];
    ApiRouter::new()
        .api_route(
            "/v1/me",
            get_with(me, about("read_me", "Who I am", &[]))
                .patch_with(
                    revise,
                    about("revise_me", "Change what I say of myself", &[]),
                )
                .delete_with(
                    erasure::erase,
                    about("erase_me", "Erase everything about me for good", unproven),
                ),
        )
        .api_route(
            "/v1/me/preferences",
            patch_with(choose, about("choose", "How I want to be answered", &[])),
        )
        .api_route(
            "/v1/me/consents",
            post_with(decide, about("decide_consent", "Agree, or no longer", &[])),
        )
        .api_route(
            "/v1/me/usage",
            get_with(
                usage::usage,
                about("read_usage", "What I have used this month", &[]),
            ),
        )
        .api_route(
            "/v1/me/export",
            get_with(
                export::export,
                about("export_me", "Everything about me", &[]),
            ),
        )
        .with_path_items(|item| item.tag("accounts"))
}

async fn me(
    State(api): App,
    who: SignedIn,
    MinPosition(at_least): MinPosition,
) -> Answer<Found<Account>> {
    let account = who.account_id;
    let query = |mut snapshot| async move {
        let found = profile(&mut snapshot, account).await?;
        let consents = consents(&mut snapshot, account).await?;
        Ok(found.map(|profile| (profile, consents)))
    };
    let (position, found) = api.replicas.ask(at_least, query).await?;
    // Whoever has a session has an account: the replica has just not heard of it yet.
    let (mut profile, consents) = found.ok_or_else(|| Problem::new(Kind::ReplicaBehind))?;
    open(&api, &mut profile).await?;
    let account = Account::projected(profile, consents);
    let head = (At(position), etag(&account));
    Ok(Found::of(account).with(head))
}

async fn revise(
    State(api): App,
    who: SignedIn,
    Json(revision): Json<ProfileRevision>,
) -> Answer<Found<Account>> {
    let (done, account) = change(&api, &who, revision.command(), StatusCode::OK).await?;
    let head = (done, etag(&account));
    Ok(Found::of(account).with(head))
}

async fn choose(
    State(api): App,
    who: SignedIn,
    Json(choice): Json<PreferenceChoice>,
) -> Answer<Found<Account>> {
    let (done, account) = change(&api, &who, choice.command(), StatusCode::OK).await?;
    let head = (done, etag(&account));
    Ok(Found::of(account).with(head))
}

async fn decide(
    State(api): App,
    who: SignedIn,
    Json(decision): Json<ConsentDecision>,
) -> Answer<Created<Consent>> {
    let command = decision.command();
    let (done, account) = change(&api, &who, command, StatusCode::CREATED).await?;
    let decided = account.consent(decision.policy_version.as_str());
    let consent = decided.unwrap_or_else(|| Consent::never(decision.policy_version));
    let location = [(header::LOCATION, "/v1/me")];
    Ok(Created::of(consent).with((location, done)))
}

/// Records a change to the account of `who`, and says what it is from then on.
async fn change(
    api: &Api,
    who: &SignedIn,
    command: AccountCommand,
    status: StatusCode,
) -> Answer<(Done, Account)> {
    let context = who.command(status);
    let done = api
        .store
        .execute::<domain::Account>(who.account_id, command, &context);
    let done = Done::of(&done.await?);
    let (account, _) = recorded(api, who.account_id).await?;
    Ok((done, account))
}

/// Another state of the account has another tag.
fn etag(account: &Account) -> [(HeaderName, String); 1] {
    [(header::ETAG, format!("\"{}\"", account.sequence()))]
}

/// Opens what a person tells about themselves.
async fn open(api: &Api, profile: &mut AccountProfile) -> Answer<()> {
    let stream = StreamId::new(domain::Account::TYPE, profile.account_id);
    let optional = [
        &mut profile.company_name,
        &mut profile.business_type,
        &mut profile.monthly_revenue,
        &mut profile.goals,
    ];
    let given = optional.into_iter().filter_map(Option::as_mut);
    let contents = given.chain([&mut profile.email, &mut profile.display_name]);
    let sealed = contents.map(|content| (stream.clone(), content)).collect();
    Ok(api.store.vault().open_all(sealed).await?)
}
