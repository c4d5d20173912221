//! The descriptions as a page of Markdown.

use sqlx::PgConnection;

use super::{Description, VIEWS, View, descriptions};

const INTRODUCTION: &str = "\
# Analytics

What analysts can see of Fido, view by view. This page is generated from the comments in the database; \
`cargo run -- analytics docs > docs/analytics.md` writes it anew, and a test compares the two.

The views are in schema `analytics` of every read replica. They show no message, no plan, no name and no \
address, and the role `analyst` can read them and nothing else. A rebuild of the replica leaves them in \
place, with what was granted on them and built on them.";

const RULES: &str = "\
## How to read them

- **Position.** `as_of_position` is the position of the log that a row belongs to. Two queries that give \
  the same one have seen the same events.
- **Time** is UTC: days begin at midnight UTC.
- **Few people.** A row that is about fewer than five accounts is there, but its figures are left out and \
  `suppressed` says so. Percentiles and the like need five accounts of their own.
- **Staff.** `audience` is `staff` for accounts that have one of the roles analyst, auditor and admin, and \
  `customers` for all others. Nothing in the log says that an account is there for tests only.
- **Not there yet:** money (costs and their projection), the figures of forecasts, and how lag and \
  quarantine were in the past. No event and no table has them so far.";

const SQL: &str = "\
## With SQL

Connect to a replica as `analyst`; where one is kept for analysts, to that one. The role is made without a \
password (`alter role analyst password '…'`), and people can have roles of their own that are granted \
`analyst`. For the role itself queries are read only and end after 60 seconds unless it asks for something \
else; what it may read does not depend on that.

Views of one's own need a schema of one's own, from the owner of the database; they survive rebuilds too:

```sql
create schema workbench authorization analyst;          -- as the owner
set default_transaction_read_only = off;                -- as the analyst
create view workbench.busy_days as
select day, messages from analytics.messages_by_day where messages > 1000;
```";

const HTTP: &str = "\
## Over HTTP

`GET /v1/analytics/{view}` answers accounts with the role `analyst` (`fido account grant <id> analyst`), \
from the replica that is kept for analysts where there is one.

| parameter | meaning |
|---|---|
| `from`, `to` | from this day on, and before this one, as `2026-01-31`; for views with a day or a month |
| `format` | `json` (a page of rows) or `csv` (all rows, with a line of names) |
| `limit`, `cursor` | JSON alone: 1 to 100 rows (50 unless told otherwise), and the `next` of the page before |

```sh
curl -s \"$fido/v1/analytics/model_usage?from=2026-01-01&to=2026-02-01&format=csv\" -H \"Authorization: Bearer $token\"
```";

/// The page, without a line break at its end.
///
/// # Errors
/// What the database says.
pub async fn markdown(replica: &mut PgConnection) -> Result<String, sqlx::Error> {
    let mut parts = [INTRODUCTION, RULES, SQL, HTTP].map(str::to_owned).to_vec();
    for (view, description) in VIEWS.iter().zip(descriptions(replica).await?) {
        parts.push(section(view, &description));
    }
    Ok(parts.join("\n\n"))
}

fn section(view: &View, described: &Description) -> String {
    let columns: Vec<_> = described
        .columns
        .iter()
        .map(|column| {
            let (name, data_type) = (&column.name, &column.data_type);
            format!("| `{name}` | {data_type} | {} |", column.meaning)
        })
        .collect();
    let by = match view.day {
        Some(day) => format!("`from` and `to` are about `{day}`."),
        None => "`from` and `to` are not for this view.".to_owned(),
    };
    format!(
        "## `{}`\n\n{}\n\n| column | type | meaning |\n|---|---|---|\n{}\n\n{by}\n\n```sql\n{};\n```",
        described.view,
        described.meaning,
        columns.join("\n"),
        described.example
    )
}
