//! One replica can be kept for analysts, whose questions take long: no ordinary query goes there.

use super::endpoint::Endpoint;
use super::{Purpose, Replicas};

impl Replicas {
    /// The same for analysts' questions: to the replica that is kept for them, or to all of them
    /// when none is.
    #[must_use]
    pub fn for_analysts(&self) -> Self {
        Self {
            purpose: Purpose::Analysis,
            ..self.clone()
        }
    }

    /// Whether questions of this kind may go there.
    pub(super) fn may_ask(&self, endpoint: &Endpoint) -> bool {
        match self.purpose {
            Purpose::Ordinary => !endpoint.is_reserved(),
            Purpose::Analysis => endpoint.is_reserved() || !self.shared.has_reserved(),
        }
    }
}
