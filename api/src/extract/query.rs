//! The parameters behind `?`; one that is not known is refused, so that a typing error shows.

use std::error::Error;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::FromRequestParts;
use axum::extract::rejection::QueryRejection;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::blamed;
use crate::Answer;
use crate::document;
use crate::problem::{Kind, Problem};

/// Parameters as the type they must have.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(refusal(&rejection)),
        }
    }
}

impl<T: JsonSchema> OperationInput for Query<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        document::query::<T>(context, operation);
    }
}

fn refusal(rejection: &QueryRejection) -> Problem {
    let problem = Problem::new(Kind::InvalidParameter);
    let Some(error) = located(rejection) else {
        return problem.detail("the query cannot be read");
    };
    let message = error.inner().to_string();
    match blamed(&message) {
        Some((parameter, message)) => problem.field(parameter, message),
        None => problem.field(error.path().to_string(), message),
    }
}

/// The error inside, which knows the parameter: axum tells of it in words only.
fn located(
    rejection: &QueryRejection,
) -> Option<&serde_path_to_error::Error<serde::de::value::Error>> {
    let error: &(dyn Error + 'static) = rejection;
    std::iter::successors(Some(error), |&error| error.source())
        .find_map(|error| error.downcast_ref())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use serde::Deserialize;

    use super::*;
    use crate::answer::Limit;
    use crate::cursor::Cursor;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[expect(dead_code, reason = "only whether it is accepted matters")]
        #[serde(default)]
        limit: Limit,
        #[expect(dead_code, reason = "only whether it is accepted matters")]
        cursor: Option<Cursor<i64>>,
    }

    async fn refused(uri: &str) -> Option<String> {
        let (mut parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
        let refused = Query::<Asked>::from_request_parts(&mut parts, &()).await;
        let problem = refused.err()?;
        problem.named_fields().next().map(str::to_owned)
    }

    #[tokio::test]
    async fn each_refusal_names_the_parameter() {
        for (uri, parameter) in [
            ("/?limit=0", "limit"),
            ("/?limit=101", "limit"),
            ("/?limit=ten", "limit"),
            ("/?limit=", "limit"),
            ("/?limit=1&limit=2", "limit"),
            ("/?cursor=garbage", "cursor"),
            ("/?plan=1", "plan"),
        ] {
            assert_eq!(refused(uri).await.as_deref(), Some(parameter), "{uri}");
        }
    }

    #[tokio::test]
    async fn what_fits_is_accepted() {
        for uri in ["/", "/?", "/?limit=100&cursor=NDI"] {
            assert_eq!(refused(uri).await, None, "{uri}");
        }
    }
}
