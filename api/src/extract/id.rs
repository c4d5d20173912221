//! The id in a path.

use aide::OperationInput;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use uuid::Uuid;

use crate::Answer;
use crate::problem::{Kind, Problem};

/// The first parameter of the path. What is no id names nothing, so it is not found.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Kind::NotFound))?;
        let (name, text) = parameters
            .iter()
            .next()
            .ok_or_else(|| Problem::new(Kind::NotFound))?;
        text.parse()
            .map(Self)
            .map_err(|_| Problem::new(Kind::NotFound).field(name, "must be a UUID"))
    }
}

/// Ids of a path are documented with the path itself, which knows their names.
impl OperationInput for Id {}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn status(path: &str) -> u16 {
        let router: Router = Router::new().route("/{id}", get(async |_: Id| ()));
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn what_is_no_id_is_not_found() {
        assert_eq!(status("/0190b5a4-7c3e-7000-8000-000000000000").await, 200);
        for path in ["/1", "/%00", "/%ff", "/..%2f..%2fetc", "/'%20or%201=1"] {
            assert_eq!(status(path).await, 404, "{path}");
        }
    }
}
