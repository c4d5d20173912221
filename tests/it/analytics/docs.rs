//! The page in `docs/`, and the queries on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fido_projections::analytics::{VIEWS, descriptions, markdown};
use sqlx::Row;

use super::{as_analyst, shows_all, tour};
use crate::app::TestApp;
use crate::replica_scene::Replica;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_in_docs_is_what_the_database_says_of_itself_and_leaves_nothing_out() {
    let app = TestApp::start_quiet().await;
    let mut owner = Replica::first(&app.ground).as_owner().await;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/analytics.md");
    let written = format!("{}\n", markdown(&mut owner).await.unwrap());
    assert!(
        written == fs::read_to_string(page).unwrap_or_default(),
        "docs/analytics.md is not up to date: cargo run -- analytics docs > docs/analytics.md"
    );
    for (view, described) in VIEWS.iter().zip(descriptions(&mut owner).await.unwrap()) {
        let name = view.name;
        assert!(!described.meaning.is_empty(), "{name}");
        let columns: BTreeMap<_, _> = described
            .columns
            .iter()
            .map(|column| (column.name.as_str(), column.meaning.as_str()))
            .collect();
        assert!(columns.contains_key("as_of_position"), "{name}");
        for column in view.key.iter().chain(&view.day) {
            assert!(columns.contains_key(column), "{name}.{column}");
        }
        for (column, meaning) in columns {
            assert!(!meaning.is_empty(), "{name}.{column}");
        }
    }
    let views: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'analytics'::regnamespace order by 1",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    let mut known = VIEWS.each_ref().map(|view| view.name.to_owned());
    known.sort();
    assert_eq!(views, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_runs_as_the_analyst_and_brings_rows_after_a_tour() {
    let app = TestApp::start_quiet().await;
    let store = app.ground.store().await;
    tour::people(&store, 5).await;
    let replica = Replica::first(&app.ground);
    let head = shows_all(&app.ground, &replica).await;
    let mut analyst = as_analyst(&replica).await;
    let described = descriptions(&mut analyst).await.unwrap();
    assert_eq!(described.len(), VIEWS.len());
    let readme = include_str!("../../../README.md");
    let of_readme = readme.split("```sql\n").skip(1).map(|rest| {
        let (query, _) = rest.split_once("```").unwrap();
        query
    });
    let mut queries = 0;
    for query in of_readme {
        let rows = sqlx::raw_sql(query).fetch_all(&mut analyst).await.unwrap();
        assert!(!rows.is_empty(), "{query}");
        queries += 1;
    }
    assert!(queries > 0, "the README has an example");
    for view in described {
        let rows = sqlx::raw_sql(&view.example)
            .fetch_all(&mut analyst)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", view.view));
        assert!(!rows.is_empty(), "{}", view.view);
        if rows[0].try_get_raw("suppressed").is_ok() {
            assert!(!rows[0].get::<bool, _>("suppressed"), "{}", view.view);
        }
        let at = format!(
            "select coalesce(max(as_of_position), {head}) from analytics.{}",
            view.view
        );
        let at: i64 = sqlx::query_scalar(&at)
            .fetch_one(&mut analyst)
            .await
            .unwrap();
        assert_eq!(at, head, "{}", view.view);
    }
}
