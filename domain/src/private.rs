//! Marks content that belongs to a person: it may be stored and shown to its owner, never logged.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Personal content. Serializes as the content itself; `Debug` hides it, so that no log line
/// and no error message can carry it by accident.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Declares `content` private.
    pub fn new(content: T) -> Self {
        Self(content)
    }

    /// The content, for its owner, a co-pilot that works for its owner, or the store.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(…)")
    }
}

impl<T> From<T> for Private<T> {
    fn from(content: T) -> Self {
        Self(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_content() {
        let name = Private::new("Ada Lovelace".to_owned());
        assert_eq!(format!("{name:?}"), "Private(…)");
    }
}
