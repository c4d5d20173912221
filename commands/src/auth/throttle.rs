//! Keeps guessers away without locking anybody out: `docs/decisions/0020-who-guesses-waits.md`.
//!
//! Attempts are charged before a password is looked at, in the database, so that neither many at once
//! nor many instances get more of them; a right one gives its charge back.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use super::{Auth, AuthError};

/// How many attempts may be made at once, and how many for ever.
#[derive(Debug, Clone, Copy)]
struct Pace {
    burst: i32,
    pause: Duration,
}

/// At one account from one address.
const AT_ONE_ADDRESS: Pace = Pace {
    burst: 5,
    pause: Duration::from_secs(30),
};
/// At one account, from wherever its owner has not come in before.
const AT_THE_ACCOUNT: Pace = Pace {
    burst: 20,
    pause: Duration::from_secs(10),
};
/// From one address, at whichever accounts. Many people may be behind one.
const FROM_ONE_ADDRESS: Pace = Pace {
    burst: 100,
    pause: Duration::from_secs(1),
};
/// Mails with which to set a new password, to one account.
const MAILS_TO_ONE: Pace = Pace {
    burst: 3,
    pause: Duration::from_secs(10 * 60),
};
/// The same, asked for at one address.
const MAILS_FROM_ONE_ADDRESS: Pace = Pace {
    burst: 20,
    pause: Duration::from_secs(30),
};

/// An attempt that was let through, to be given back if it turns out right.
pub(super) struct Attempt {
    pair: Vec<u8>,
    account: Vec<u8>,
    address: Vec<u8>,
}

impl Auth {
    /// Charges an attempt to sign in to the account whose address is claimed under `claim`, whether
    /// or not there is one.
    ///
    /// # Errors
    /// [`AuthError::Throttled`]; then nothing was charged.
    pub(super) async fn charge_sign_in(
        &self,
        claim: &[u8],
        address: Option<&str>,
    ) -> Result<Attempt, AuthError> {
        let address = network(address);
        let hash = self.vault().pepper().await?;
        let attempt = Attempt {
            pair: hash.hash("attempt", &[b"pair", claim, address.as_bytes()]),
            account: hash.hash("attempt", &[b"account", claim]),
            address: hash.hash("attempt", &[b"address", address.as_bytes()]),
        };
        let paces = [
            (attempt.pair.clone(), AT_ONE_ADDRESS),
            (attempt.account.clone(), AT_THE_ACCOUNT),
            (attempt.address.clone(), FROM_ONE_ADDRESS),
        ];
        let (pair, account) = (attempt.pair.as_slice(), attempt.account.as_slice());
        self.charge(&paces, Some((pair, account))).await?;
        Ok(attempt)
    }

    /// The attempt was right: it does not count, and from that address the owner is known.
    pub(super) async fn forgive(&self, attempt: Attempt) -> Result<(), AuthError> {
        sqlx::query(
            "update auth.attempts a \
                set due = case when a.key = $1 then clock_timestamp() else a.due - t.pause end, \
                    known_at = case when a.key = $1 then clock_timestamp() else a.known_at end \
               from unnest($2::bytea[], $3::interval[]) as t (key, pause) \
              where a.key = t.key",
        )
        .bind(attempt.pair.as_slice())
        .bind(vec![
            attempt.pair.as_slice(),
            &attempt.account,
            &attempt.address,
        ])
        .bind(vec![
            interval(AT_ONE_ADDRESS),
            interval(AT_THE_ACCOUNT),
            interval(FROM_ONE_ADDRESS),
        ])
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Lets the owner of the account claimed under `claim`, who has proved to be that otherwise, in
    /// from `address` whatever was tried there before.
    pub(super) async fn vouch(&self, claim: &[u8], address: Option<&str>) -> Result<(), AuthError> {
        let address = network(address);
        let hash = self.vault().pepper().await?;
        let pair = hash.hash("attempt", &[b"pair", claim, address.as_bytes()]);
        sqlx::query(
            "insert into auth.attempts (key, due, known_at) \
             values ($1, clock_timestamp(), clock_timestamp()) \
             on conflict (key) do update set due = excluded.due, known_at = excluded.known_at",
        )
        .bind(pair)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Charges somebody who is signed in, and is asked for the password all the same.
    pub(super) async fn charge_confirmation(&self, account_id: Uuid) -> Result<(), AuthError> {
        let key = self.confirmation(account_id).await?;
        self.charge(&[(key, AT_ONE_ADDRESS)], None).await
    }

    /// They knew it.
    pub(super) async fn forgive_confirmation(&self, account_id: Uuid) -> Result<(), AuthError> {
        let key = self.confirmation(account_id).await?;
        sqlx::query("delete from auth.attempts where key = $1")
            .bind(key)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    async fn confirmation(&self, account_id: Uuid) -> Result<Vec<u8>, AuthError> {
        let hash = self.vault().pepper().await?;
        Ok(hash.hash("attempt", &[b"confirmation", account_id.as_bytes()]))
    }

    /// Charges a mail to the account claimed under `claim`.
    pub(super) async fn charge_mail(
        &self,
        claim: &[u8],
        address: Option<&str>,
    ) -> Result<(), AuthError> {
        let address = network(address);
        let hash = self.vault().pepper().await?;
        let to = hash.hash("attempt", &[b"mail to", claim]);
        let from = hash.hash("attempt", &[b"mail from", address.as_bytes()]);
        let paces = [(to, MAILS_TO_ONE), (from, MAILS_FROM_ONE_ADDRESS)];
        self.charge(&paces, None).await
    }

    async fn charge(
        &self,
        paces: &[(Vec<u8>, Pace)],
        pair_spares: Option<(&[u8], &[u8])>,
    ) -> Result<(), AuthError> {
        let keys: Vec<&[u8]> = paces.iter().map(|(key, _)| key.as_slice()).collect();
        let pauses: Vec<PgInterval> = paces.iter().map(|(_, pace)| interval(*pace)).collect();
        let bursts: Vec<i32> = paces.iter().map(|(_, pace)| pace.burst).collect();
        let wait: f64 = sqlx::query_scalar(
            "select extract(epoch from auth.attempt($1, $2, $3, $4, $5))::double precision",
        )
        .bind(keys)
        .bind(pauses)
        .bind(bursts)
        .bind(pair_spares.map(|(pair, _)| pair))
        .bind(pair_spares.map(|(_, spared)| spared))
        .fetch_one(self.pool())
        .await?;
        if wait > 0.0 {
            let retry_after = Duration::from_secs_f64(wait.ceil());
            return Err(AuthError::Throttled { retry_after });
        }
        Ok(())
    }

    /// Deletes what is over: sessions, tokens from mails, attempts that no longer count.
    ///
    /// # Errors
    /// What the database says; the next sweep goes on.
    pub async fn sweep(&self) -> Result<u64, AuthError> {
        let mut swept = 0;
        for over in [
            "delete from auth.sessions where expires_at < clock_timestamp()",
            "delete from auth.password_resets where expires_at < clock_timestamp()",
            "delete from auth.attempts where due < clock_timestamp() - interval '1 hour' \
             and coalesce(known_at, '-infinity') < clock_timestamp() - interval '90 days'",
        ] {
            swept += sqlx::query(over)
                .execute(self.pool())
                .await?
                .rows_affected();
        }
        Ok(swept)
    }
}

fn interval(pace: Pace) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(pace.pause.as_micros()).unwrap_or(i64::MAX),
    }
}

/// What one customer of a network provider has: an IPv4 address, or the first 64 bits of an IPv6 one.
fn network(address: Option<&str>) -> String {
    let Some(address) = address else {
        return "unknown".to_owned();
    };
    match address.parse() {
        Ok(std::net::IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        },
        Ok(std::net::IpAddr::V4(v4)) => v4.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn who_has_many_addresses_is_one_all_the_same() {
        let of = |address: &str| network(Some(address));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
        assert_eq!(network(None), "unknown");
    }
}
