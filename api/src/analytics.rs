//! The analysts' views: pages of JSON, or a whole one as CSV.

mod described;

use std::borrow::Cow;
use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use fido_domain::Position;
use fido_projections::Replicas;
use fido_projections::analytics::{self, Row, View, Window};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Date;
use time::macros::format_description;

use crate::answer::{At, Limit, Page};
use crate::cursor::Cursor;
use crate::document::about;
use crate::extract::{Json, MinPosition, Query};
use crate::identity::Analyst;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};
use described::Rows;

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    ApiRouter::new()
        .api_route(
            "/v1/analytics/{view}",
            get_with(show, about("read_view", "One of the analysts' views", &[])),
        )
        .with_path_items(|item| item.tag("analytics"))
}

/// What of a view is asked for, and how.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// From this day on (UTC).
    from: Option<Day>,
    /// Before this day.
    to: Option<Day>,
    /// JSON page by page, or all of it as CSV.
    #[serde(default)]
    format: Format,
    limit: Option<Limit>,
    cursor: Option<Cursor<Vec<String>>>,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// Pages.
    #[default]
    Json,
    /// The whole view.
    Csv,
}

async fn show(
    State(api): App,
    _: Analyst,
    Viewed(view): Viewed,
    Query(asked): Query<Asked>,
    MinPosition(at_least): MinPosition,
) -> Answer<Rows> {
    let window = asked.window(view)?;
    let replicas = api.replicas.for_analysts();
    match asked.format {
        Format::Json => page(&replicas, view, window, asked, at_least)
            .await
            .map(Rows),
        Format::Csv => whole(&replicas, view, window, &asked, at_least)
            .await
            .map(Rows),
    }
}

async fn page(
    replicas: &Replicas,
    view: &'static View,
    window: Window,
    asked: Asked,
    at_least: Option<Position>,
) -> Answer<Response> {
    let limit = asked.limit.unwrap_or_default();
    let after = asked.cursor.map(|Cursor(key)| key);
    let query = |mut snapshot| {
        let after = after.clone();
        async move { analytics::rows(&mut snapshot, view, window, after.as_deref(), limit.rows()).await }
    };
    let (position, rows) = replicas.ask(at_least, query).await?;
    let page = Page::<Item>::of(rows, limit, |row| row.key.clone())?;
    Ok((At(position), Json(page)).into_response())
}

async fn whole(
    replicas: &Replicas,
    view: &'static View,
    window: Window,
    asked: &Asked,
    at_least: Option<Position>,
) -> Answer<Response> {
    asked.is_not_of_a_page()?;
    let snapshot = replicas.read(at_least).await?;
    let position = At(snapshot.position());
    let csv = analytics::csv(snapshot, view, window).await?;
    let names = format!("attachment; filename=\"{}.csv\"", view.name);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, names),
    ];
    Ok((position, headers, Body::from_stream(csv.into_stream())).into_response())
}

impl Asked {
    /// The days, if they are some, and the view has days.
    fn window(&self, view: &View) -> Answer<Window> {
        let wrong = |name: &str, message: &str| {
            Err(Problem::new(Kind::InvalidParameter).field(name, message))
        };
        let (from, to) = (self.from.map(|Day(day)| day), self.to.map(|Day(day)| day));
        for (name, day) in [("from", from), ("to", to)] {
            if day.is_some() && view.day.is_none() {
                return wrong(name, "is not for this view: its rows are about now");
            }
        }
        match (from, to) {
            (Some(from), Some(to)) if from >= to => wrong("to", "must be after `from`"),
            (from, to) => Ok(Window { from, to }),
        }
    }

    /// CSV has no pages.
    fn is_not_of_a_page(&self) -> Answer<()> {
        let given = [
            ("limit", self.limit.is_some()),
            ("cursor", self.cursor.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Problem::new(Kind::InvalidParameter)
                .field(name, "is for JSON alone; CSV is the whole view")),
            None => Ok(()),
        }
    }
}

/// A day as a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Day(Date);

impl JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

impl TryFrom<String> for Day {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
        let day = Date::parse(&text, format_description!("[year]-[month]-[day]"));
        day.ok()
            .filter(|day| digits && text.len() == 10 && day.year() > 0)
            .map(Self)
            .ok_or("must be a day such as 2026-01-31")
    }
}

/// The view that the path names.
struct Viewed(&'static View);

impl<S: Send + Sync> FromRequestParts<S> for Viewed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let unknown = || Problem::new(Kind::NotFound);
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| unknown())?;
        let (_, name) = parameters.iter().next().ok_or_else(unknown)?;
        analytics::view(name).map(Self).ok_or_else(unknown)
    }
}

/// A row, as shown.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Item(Value);

impl JsonSchema for Item {
    fn schema_name() -> Cow<'static, str> {
        "Row".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "The columns of the view by name; see `fido analytics docs`.",
        })
    }
}

impl From<Row> for Item {
    fn from(row: Row) -> Self {
        Self(row.columns)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_day_is_ten_characters_and_exists() {
        assert_eq!(
            Day::try_from("2026-02-28".to_owned()),
            Ok(Day(date!(2026 - 02 - 28)))
        );
        for text in [
            "",
            "2026-02-29",
            "2026-2-8",
            "+2026-02-08",
            "-002-02-08",
            "0000-01-01",
            "2026-02-28T00:00:00Z",
            "yesterday",
            "infinity",
        ] {
            assert!(Day::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
