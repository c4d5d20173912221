//! Whoever may do more than look after their own data.

use std::sync::Arc;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use fido_domain::account::Role;

use super::SignedIn;
use crate::document::needs;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api};

/// Somebody who has signed in and has the role analyst now.
pub(crate) struct Analyst;

impl OperationInput for Analyst {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        needs(operation, &[Role::Analyst.as_str()]);
    }
}

impl FromRequestParts<Arc<Api>> for Analyst {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Answer<Self> {
        let who = SignedIn::from_request_parts(parts, api).await?;
        let is_analyst = api.auth.has_role(who.account_id, Role::Analyst).await?;
        is_analyst.then_some(Self).ok_or_else(|| {
            Problem::new(Kind::Forbidden).detail("The role `analyst` is needed here.")
        })
    }
}
