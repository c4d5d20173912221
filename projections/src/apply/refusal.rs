//! Whether rows were not written because of the events, or because of the circumstances.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::rows::WriteError;

/// SQLSTATE classes that speak of what was to be written: cardinality, data exception, integrity
/// constraint, program limit, an exception raised by a trigger. What else a database says (no
/// connection, no space, no such table, a deadlock) would meet any event.
const ABOUT_THE_DATA: [&str; 5] = ["21", "22", "23", "54", "P0"];

/// Why the events were refused; none when it was not because of them. Names what refused them, never
/// a row.
pub(super) fn of(error: &WriteError) -> Option<String> {
    match error {
        WriteError::Undecodable(undecodable) => {
            Some(format!("{undecodable}: {}", undecodable.source))
        }
        WriteError::UnknownAggregate { .. } | WriteError::Panicked(_) => Some(error.to_string()),
        WriteError::Database(sqlx::Error::Database(refused)) => {
            let code = refused.code().unwrap_or_default();
            ABOUT_THE_DATA
                .iter()
                .any(|class| code.starts_with(class))
                .then(|| format!("SQLSTATE {code}: {}", refused.message()))
        }
        WriteError::Database(sqlx::Error::Encode(source)) => {
            Some(format!("a value cannot be stored: {source}"))
        }
        WriteError::Database(_) => None,
    }
}

/// A projection that panics is one that cannot apply an event, no reason to end the projector.
pub(super) async fn caught(
    writing: impl Future<Output = Result<(), WriteError>>,
) -> Result<(), WriteError> {
    let caught = AssertUnwindSafe(writing).catch_unwind().await;
    caught.unwrap_or_else(|panic| Err(WriteError::Panicked(words(&*panic))))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a word").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_projection_that_panics_refuses_its_events() {
        let error = caught(async { panic!("index {} of 3", 7) })
            .await
            .unwrap_err();
        assert_eq!(
            of(&error).unwrap(),
            "the projection broke off: index 7 of 3"
        );
    }

    #[test]
    fn a_lost_connection_is_nobodys_fault() {
        assert_eq!(of(&WriteError::Database(sqlx::Error::PoolTimedOut)), None);
    }
}
