//! The only door to the clock and to randomness; everything else is handed what it needs.

use time::OffsetDateTime;
use uuid::Uuid;

/// The time in UTC, cut to the microseconds that PostgreSQL keeps.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(now.nanosecond() / 1_000 * 1_000)
        .unwrap_or(now)
}

/// A new id (UUIDv7: ids sort by the time they were made).
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that makes ids"
)]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// `N` bytes nobody can guess, from the operating system.
pub fn random<const N: usize>() -> [u8; N] {
    use argon2::password_hash::rand_core::{OsRng, RngCore};
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}
