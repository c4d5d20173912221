//! One changed value, of every column of every table, is found and named.

use fido_projections::verify::{Comparison, Difference, RowDifference, against};

use crate::flips::Flips;
use crate::replica_scene::{CaughtUp, Replica, untold};

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_value_is_found_in_every_column_of_every_table() {
    let CaughtUp {
        app,
        replica: one,
        head,
        ..
    } = CaughtUp::begin().await;
    let other = Replica::another().await;
    let projecting = other.project(&app.ground).await;
    other.reaches(head).await;
    // Nothing moves any more, so rows can be changed and changed back.
    projecting.end().await;

    let mut flips = Flips::of(&other).await;
    let columns = flips.columns();
    for table in ["accounts", "conversations", "messages", "timeline"] {
        assert!(
            columns.iter().any(|(name, ..)| name == table),
            "{table} has rows"
        );
    }
    for (table, column, data_type, in_key) in columns {
        flips.flip(&table, &column, &data_type).await;
        let compared = compare(&one, &other).await;
        let (name, difference) = compared.first_difference().expect("a difference");
        assert_eq!(name, table, "{column}");
        let differing = compared
            .tables
            .iter()
            .filter(|table| table.difference.is_some());
        assert_eq!(differing.count(), 1, "{table}.{column}: and only there");
        match difference {
            Difference::Row {
                how: RowDifference::Columns(columns),
                ..
            } if !in_key => {
                // A column that is computed from it changes with it.
                assert!(
                    columns.contains(&column) && columns.len() <= 2,
                    "{table}: {columns:?}"
                );
            }
            Difference::Row {
                how: RowDifference::OnlyInOne | RowDifference::OnlyInOther,
                ..
            } if in_key => {}
            difference @ (Difference::Row { .. }
            | Difference::OnlyInOne
            | Difference::OnlyInOther
            | Difference::Columns { .. }) => panic!("{table}.{column}: {difference:?}"),
        }
        flips.undo(&table).await;
    }
    assert!(compare(&one, &other).await.is_equal());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_or_a_table_too_many_is_found() {
    let CaughtUp {
        app,
        ada,
        replica: one,
        head,
        ..
    } = CaughtUp::begin().await;
    let other = Replica::another().await;
    let projecting = other.project(&app.ground).await;
    other.reaches(head).await;
    projecting.end().await;

    let mut owner = other.as_owner().await;
    let mut first: Vec<i64> =
        sqlx::query_scalar("delete from fido.timeline where position <= 2 returning position")
            .fetch_all(&mut owner)
            .await
            .unwrap();
    first.sort_unstable();
    assert_eq!(first, [1, 2]);
    let compared = compare(&one, &other).await;
    let Some(("timeline", Difference::Row { key, how })) = compared.first_difference() else {
        panic!("{compared:?}");
    };
    assert_eq!(*how, RowDifference::OnlyInOne);
    assert_eq!(
        key[0],
        ("account_id".to_owned(), ada.account_id.to_string())
    );
    assert_eq!(
        key[1],
        ("position".to_owned(), "1".to_owned()),
        "the first by key"
    );

    sqlx::raw_sql("create table fido.extra (id bigint primary key)")
        .execute(&mut owner)
        .await
        .unwrap();
    let compared = compare(&one, &other).await;
    let extra = compared.tables.iter().find(|table| table.name == "extra");
    assert_eq!(extra.unwrap().difference, Some(Difference::OnlyInOther));
}

async fn compare(one: &Replica, other: &Replica) -> Comparison {
    against(&one.place(), &other.owner(), &untold)
        .await
        .unwrap()
}
