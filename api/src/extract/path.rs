//! Several parameters of a path at once.

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::FromRequestParts;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::problem::{Kind, Problem};
use crate::{Answer, document};

/// The parameters of the path as the type they must have. What is of another type names nothing, so
/// it is not found.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(refusal(rejection)),
        }
    }
}

impl<T: JsonSchema> OperationInput for Path<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        document::path::<T>(context, operation);
    }
}

fn refusal(rejection: PathRejection) -> Problem {
    let problem = Problem::new(Kind::NotFound);
    let PathRejection::FailedToDeserializePathParams(error) = rejection else {
        return problem;
    };
    let kind = error.into_kind();
    if let ErrorKind::DeserializeError { key, message, .. } = kind {
        return problem.field(key, message);
    }
    if let ErrorKind::ParseErrorAtKey { key, .. } | ErrorKind::InvalidUtf8InPathParam { key } = kind
    {
        return problem.field(key, "is none that there could be");
    }
    problem
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use fido_domain::plan::{FactKey, Section};
    use serde::Deserialize;
    use tower::ServiceExt;
    use uuid::Uuid;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only whether it is accepted matters")]
    struct Parameters {
        id: Uuid,
        section: Section,
        key: FactKey,
        n: u32,
    }

    async fn status(path: &str) -> u16 {
        let handler = async |_: Path<Parameters>| ();
        let router: Router = Router::new().route("/{id}/{section}/{key}/{n}", get(handler));
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn what_names_nothing_is_not_found() {
        const ID: &str = "/0190b5a4-7c3e-7000-8000-000000000000";
        assert_eq!(status(&format!("{ID}/owner_bio/rent/1")).await, 200);
        for path in [
            "/7/owner_bio/rent/1".to_owned(),
            format!("{ID}/Owner%20bio/rent/1"),
            format!("{ID}/owner_bio/Rent/1"),
            format!("{ID}/owner_bio/rent/-1"),
            format!("{ID}/owner_bio/rent/one"),
            format!("{ID}/owner_bio/%ff/1"),
            format!("{ID}/%00/rent/1"),
        ] {
            assert_eq!(status(&path).await, 404, "{path}");
        }
    }
}
