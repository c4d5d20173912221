//! The hash of a table: sums of the hashes of its rows, by bucket.

use std::collections::BTreeMap;

use sqlx::{PgConnection, Row};

use super::{Table, rows_of};

/// The sums of one bucket. Sums, not exclusive ors, so that a row that is there twice does not cancel
/// itself; of 128 bits, so that two tables that differ have the same sums by chance once in 2¹²⁸.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bucket {
    rows: i64,
    high: i128,
    low: i128,
}

/// The hash of a table. Does not depend on the order of rows or columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digest(BTreeMap<i32, Bucket>);

impl Digest {
    /// How many rows there are.
    pub(super) fn rows(&self) -> u64 {
        let rows: i64 = self.0.values().map(|bucket| bucket.rows).sum();
        rows.unsigned_abs()
    }

    /// 32 hexadecimal digits.
    pub(super) fn hash(&self) -> String {
        let sum = |of: fn(&Bucket) -> i128| {
            let sum: i128 = self.0.values().map(of).sum();
            // The last 64 bits of the sum.
            sum.rem_euclid(1 << 64)
        };
        format!("{:016x}{:016x}", sum(|of| of.high), sum(|of| of.low))
    }

    /// The buckets that are not the same in `other`.
    pub(super) fn differing(&self, other: &Self) -> Vec<i32> {
        let all = self.0.keys().chain(other.0.keys());
        let mut differing: Vec<i32> = all
            .filter(|bucket| self.0.get(bucket) != other.0.get(bucket))
            .copied()
            .collect();
        differing.sort_unstable();
        differing.dedup();
        differing
    }
}

/// Hashes `table` of `schema`.
pub(super) async fn digest(
    replica: &mut PgConnection,
    schema: &str,
    table: &Table,
) -> Result<Digest, sqlx::Error> {
    // "offset 0" keeps PostgreSQL from computing each hash anew wherever it is named.
    let sql = format!(
        "select {bucket} as bucket, count(*) as rows, \
                sum(('x' || encode(substr(row_hash, 1, 8), 'hex'))::bit(64)::bigint)::text as high, \
                sum(('x' || encode(substr(row_hash, 9, 8), 'hex'))::bit(64)::bigint)::text as low \
           from (select {key} as key_hash, {row} as row_hash from {schema}.{table} offset 0) as hashed \
          group by 1",
        bucket = BUCKET,
        key = key_hash(table),
        row = row_hash(table),
        table = table.quoted(),
    );
    rows_of(replica, &sql)
        .await?
        .iter()
        .map(|row| {
            let sum = |column: &str| -> Result<i128, sqlx::Error> {
                let sum: String = row.try_get(column)?;
                sum.parse()
                    .map_err(|error| sqlx::Error::Decode(Box::new(error)))
            };
            let bucket = Bucket {
                rows: row.try_get("rows")?,
                high: sum("high")?,
                low: sum("low")?,
            };
            Ok((row.try_get("bucket")?, bucket))
        })
        .collect::<Result<_, _>>()
        .map(Digest)
}

/// One of 4,096 buckets, by the hash of the key.
pub(super) const BUCKET: &str = "(get_byte(key_hash, 0) * 16 + get_byte(key_hash, 1) / 16)";

/// The expression that hashes a row's key.
pub(super) fn key_hash(table: &Table) -> String {
    hash_of(table.key.iter().map(super::tables::Column::quoted))
}

/// The expression that hashes a whole row. Which columns there are was compared before.
pub(crate) fn row_hash(table: &Table) -> String {
    hash_of(table.columns.iter().map(super::tables::Column::quoted))
}

fn hash_of(columns: impl Iterator<Item = String>) -> String {
    let written: Vec<String> = columns.map(|column| written(&column)).collect();
    format!("sha256(convert_to({}, 'UTF8'))", written.join(" || "))
}

/// A value as text with its length before it, so that no two rows are written alike; a dash where
/// there is none.
fn written(column: &str) -> String {
    format!("coalesce(length({column}::text) || ':' || {column}::text, '-')")
}

/// The expression that hashes one column alone; none where it is null.
pub(super) fn column_hash(column: &str) -> String {
    format!("substr(sha256(convert_to({column}::text, 'UTF8')), 1, 16)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(buckets: &[(i32, i64, i128, i128)]) -> Digest {
        let bucket = |&(bucket, rows, high, low): &(i32, i64, i128, i128)| {
            (bucket, Bucket { rows, high, low })
        };
        Digest(buckets.iter().map(bucket).collect())
    }

    #[test]
    fn a_digest_names_the_buckets_that_differ() {
        let one = digest(&[(1, 1, 5, 6), (2, 1, 7, 8), (3, 1, 0, 0)]);
        let other = digest(&[(1, 1, 5, 6), (2, 2, 14, 16), (4, 1, 0, 0)]);
        assert_eq!(one.differing(&other), [2, 3, 4]);
        assert_eq!(one.differing(&one), [0; 0]);
    }

    #[test]
    fn a_hash_has_32_digits_also_of_negative_sums() {
        let hash = digest(&[(1, 1, -1, 1), (2, 1, -1, 0)]).hash();
        assert_eq!(hash, "fffffffffffffffe0000000000000001");
        assert_eq!(digest(&[]).hash(), "0".repeat(32));
    }
}
