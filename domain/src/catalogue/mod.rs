//! What is stored, for those who read it without this code: every event with its versions and
//! fields. `docs/events.md` is [`markdown`], printed by `fido events`.

mod contract;
mod fields;
mod markdown;

pub use contract::{Contract, EventContract, Reread};
pub use fields::{Field, Wordless};
pub use markdown::markdown;

use crate::access::Access;
use crate::account::Account;
use crate::conversation::Conversation;
use crate::plan::Plan;

/// The contracts of all kinds of streams.
///
/// # Errors
/// [`Wordless`] when a field has a type for which the catalogue has no words.
pub fn contracts() -> Result<Vec<Contract>, Wordless> {
    Ok(vec![
        Contract::of::<Access>()?,
        Contract::of::<Account>()?,
        Contract::of::<Conversation>()?,
        Contract::of::<Plan>()?,
    ])
}
