//! What the state of an aggregate keeps of a private text instead of the text itself.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Private;

/// That there is a text, and enough of a digest (SHA-1, as in a UUID of version 5) to notice when the
/// very same text comes again.
///
/// A digest of a short text gives the text away, so it lives in memory only: written down, an imprint
/// is empty. An empty one, and that of a text that could not be opened, is like no text, and then the
/// same text may be recorded a second time, which does no harm.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Imprint {
    #[serde(skip)]
    digest: Option<Uuid>,
}

impl Imprint {
    pub(crate) fn of<T: AsRef<str>>(text: &Private<T>) -> Self {
        Self {
            digest: text.reveal().map(|text| digest(text.as_ref())),
        }
    }

    /// Whether it is known to be the imprint of `text`.
    pub fn is_of(self, text: &str) -> bool {
        self.digest == Some(digest(text))
    }
}

fn digest(text: &str) -> Uuid {
    Uuid::new_v5(&Uuid::nil(), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_noticed_and_another_is_not() {
        let imprint = Imprint::of(&Private::new("A bakery".to_owned()));
        assert!(imprint.is_of("A bakery"));
        assert!(!imprint.is_of("A brewery"));
    }

    #[test]
    fn a_text_that_cannot_be_read_is_like_no_other() {
        for unreadable in [Private::<String>::stored("1:a.b:c"), Private::Erased] {
            assert!(!Imprint::of(&unreadable).is_of("A bakery"));
        }
    }

    #[test]
    fn nothing_of_the_text_is_written_down() {
        let imprint = Imprint::of(&Private::new("A bakery".to_owned()));
        let written = serde_json::to_string(&imprint).unwrap();
        assert_eq!(written, "{}");
        let read: Imprint = serde_json::from_str(&written).unwrap();
        assert!(!read.is_of("A bakery"));
    }
}
