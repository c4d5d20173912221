//! Everything about somebody made unreadable, for good.

use axum::extract::State;
use axum::http::StatusCode;
use fido_commands::CommandContext;
use fido_commands::auth::Revocation;

use super::asked::Farewell;
use crate::answer::{Accepted, At};
use crate::conversation::Erasure;
use crate::extract::Json;
use crate::identity::SignedIn;
use crate::{Answer, App};

pub(super) async fn erase(
    State(api): App,
    who: SignedIn,
    Json(farewell): Json<Farewell>,
) -> Answer<Accepted<Erasure>> {
    api.auth
        .prove_again(who.session(), farewell.password)
        .await?;
    // Nobody can ask again: with the account goes its session, so a receipt would be one too many.
    let context = CommandContext {
        receipt: None,
        ..who.command(StatusCode::ACCEPTED)
    };
    let erasure = api.eraser.erase_account(who.account_id, context).await?;
    // Its sessions are gone; whoever remembers them, or is being served for one, is told.
    api.auth.revoked(Revocation::All {
        account_id: who.account_id,
    });
    let head = (api.config.cookie.forget(), At(erasure.position));
    Ok(Accepted::of(Erasure::from(erasure)).with(head))
}
