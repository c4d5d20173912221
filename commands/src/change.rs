//! What becomes of a detail that need not be given.

/// What becomes of a detail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is no longer given.
    Clear,
    /// It is this from now on.
    To(T),
}

impl<T> Change<T> {
    /// The new value, if it is not the same as is `known`; a detail that is known and no longer given
    /// joins `cleared` under its name.
    pub(crate) fn against<K, N>(
        &self,
        known: Option<&K>,
        same: impl Fn(&K, &T) -> bool,
        name: N,
        cleared: &mut Vec<N>,
    ) -> Option<&T> {
        match self {
            Self::Keep => None,
            Self::Clear => {
                if known.is_some() {
                    cleared.push(name);
                }
                None
            }
            Self::To(value) => (!known.is_some_and(|known| same(known, value))).then_some(value),
        }
    }
}
