//! Which streams are somebody's, a page at a time, in the order in which they began.

use std::collections::VecDeque;

use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::vault::StreamId;

/// Streams that are asked for at a time.
const PAGE: i64 = 200;

/// The streams of a person that began at `up_to` or before.
pub(super) struct Streams {
    subject: Uuid,
    kinds: Vec<String>,
    /// Whether those are wanted, or all others.
    of_these: bool,
    after: i64,
    up_to: i64,
    page: VecDeque<StreamId>,
    is_last: bool,
}

impl Streams {
    pub(super) fn of_kind(subject: Uuid, kind: &str, up_to: i64) -> Self {
        Self::new(subject, &[kind], true, up_to)
    }

    pub(super) fn of_other_kinds(subject: Uuid, kinds: &[&str], up_to: i64) -> Self {
        Self::new(subject, kinds, false, up_to)
    }

    fn new(subject: Uuid, kinds: &[&str], of_these: bool, up_to: i64) -> Self {
        Self {
            subject,
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            of_these,
            after: 0,
            up_to,
            page: VecDeque::new(),
            is_last: false,
        }
    }

    pub(super) async fn next(&mut self, pool: &PgPool) -> Result<Option<StreamId>, sqlx::Error> {
        if self.page.is_empty() && !self.is_last {
            self.turn(pool).await?;
        }
        Ok(self.page.pop_front())
    }

    async fn turn(&mut self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let rows = sqlx::query(
            "select aggregate_type, aggregate_id::uuid as id, first_position from streams \
             where subject = $1 and first_position > $2 and first_position <= $3 \
               and (aggregate_type = any($4)) = $5 \
             order by first_position limit $6",
        )
        .bind(self.subject)
        .bind(self.after)
        .bind(self.up_to)
        .bind(&self.kinds)
        .bind(self.of_these)
        .bind(PAGE)
        .fetch_all(pool)
        .await?;
        self.is_last = i64::try_from(rows.len()).is_ok_and(|rows| rows < PAGE);
        for row in &rows {
            let kind: String = row.try_get("aggregate_type")?;
            self.page.push_back(StreamId::new(kind, row.try_get("id")?));
            self.after = row.try_get("first_position")?;
        }
        Ok(())
    }
}
