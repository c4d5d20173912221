//! A plan as a document, to keep or to hand on.

use std::fmt::Write;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Described, StatusCode};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use fido_domain::Private;
use fido_domain::plan::Section as Name;
use fido_projections::plan::PlanSummary;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Sections, whole};
use crate::answer::{At, ETag, Found};
use crate::document::ends_well;
use crate::extract::{Id, MinPosition, Query};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, App};

/// The parameters of `GET /v1/plans/{plan_id}/export`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Exporting {
    /// In which format: `md` for Markdown, and that alone for now.
    #[schemars(with = "Option<FormatName>")]
    format: Option<String>,
}

/// The formats by their names.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "it describes what is sent")]
enum FormatName {
    #[schemars(rename = "md")]
    Markdown,
}

/// In what a plan can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Markdown,
}

impl Exporting {
    fn format(&self) -> Answer<Format> {
        match self.format.as_deref() {
            None | Some("md") => Ok(Format::Markdown),
            Some(_) => Err(Problem::new(Kind::UnknownFormat).field("format", "must be md")),
        }
    }
}

/// The plan in the format that was asked for.
pub(super) struct Document(Response);

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        self.0
    }
}

impl OperationOutput for Document {
    type Inner = String;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<Described> {
        let mut described = Found::<String>::operation_response(context, operation)?;
        let text = described.content.shift_remove("application/json")?;
        let markdown = "text/markdown; charset=utf-8".to_owned();
        described.content.insert(markdown, text);
        Some(described)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<StatusCode>, Described)> {
        ends_well(Self::operation_response(context, operation))
    }
}

pub(super) async fn download(
    State(api): App,
    who: SignedIn,
    Id(id): Id,
    MinPosition(at_least): MinPosition,
    Query(asked): Query<Exporting>,
) -> Answer<Document> {
    let Format::Markdown = asked.format()?;
    let (position, (plan, sections)) = whole(&api, who.account_id, id, at_least).await?;
    let name = format!("attachment; filename=\"plan-{id}.md\"");
    let head = [
        (
            header::CONTENT_TYPE,
            "text/markdown; charset=utf-8".to_owned(),
        ),
        (header::CONTENT_DISPOSITION, name),
    ];
    let etag = ETag::of_stream(plan.sequence);
    let document = (At(position), etag, head, markdown(&plan, &sections));
    Ok(Document(document.into_response()))
}

/// The plan in Markdown: what it says of the business, and the nine sections under their headings.
fn markdown(plan: &PlanSummary, sections: &Sections) -> String {
    let mut text = format!("# {}\n", plan.title.shown());
    let details = [
        ("Business", plan.business_name.as_ref()),
        ("Industry", plan.industry.as_ref()),
        ("Location", plan.location.as_ref()),
    ];
    let details = details.into_iter().filter_map(|(name, detail)| {
        let detail = detail.map(Private::shown)?;
        Some(format!("- **{name}:** {detail}\n"))
    });
    let details: String = details.collect();
    if !details.is_empty() {
        text.push('\n');
        text.push_str(&details);
    }
    let mut paragraph = |heading: Option<&str>, said: &str| {
        // Writing to a string cannot fail.
        let _ = match heading {
            Some(heading) => write!(text, "\n## {heading}\n\n{}\n", said.trim()),
            None => write!(text, "\n{}\n", said.trim()),
        };
    };
    if let Some(summary) = &plan.summary {
        paragraph(None, summary.shown());
    }
    for (name, row) in sections.iter() {
        let said = row
            .as_ref()
            .map_or("*Not written yet.*", |row| row.text.shown());
        paragraph(Some(heading(name)), said);
    }
    text
}

fn heading(section: Name) -> &'static str {
    match section {
        Name::ExecutiveSummary => "Executive summary",
        Name::BusinessDescription => "Business description",
        Name::MarketAnalysis => "Market analysis",
        Name::ProductsAndServices => "Products and services",
        Name::MarketingPlan => "Marketing plan",
        Name::OperationsPlan => "Operations plan",
        Name::FinancialProjections => "Financial projections",
        Name::FundingRequest => "Funding request",
        Name::OwnerBio => "Owner bio",
    }
}

#[cfg(test)]
mod tests {
    use fido_domain::plan::PerSection;
    use fido_projections::plan::SectionRow;
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_nine_sections_come_under_their_headings_in_order() {
        let at = OffsetDateTime::UNIX_EPOCH;
        let plan = PlanSummary {
            plan_id: Uuid::nil(),
            account_id: Uuid::nil(),
            title: Private::new("The bakery".to_owned()),
            business_name: None,
            industry: Some(Private::new("Bread".to_owned())),
            location: None,
            stage: None,
            summary: Some(Private::new("Rye for Graz.".to_owned())),
            status: "active".to_owned(),
            sections_written: 1,
            sequence: 2,
            created_at: at,
            updated_at: at,
        };
        let mut sections: Sections = PerSection::default();
        sections[Name::OwnerBio] = Some(SectionRow {
            status: "revised".to_owned(),
            revision: 1,
            text: Private::new("Ada bakes.\n".to_owned()),
            source: "user".to_owned(),
            model: None,
            words: 2,
            characters: 11,
            updated_at: at,
        });
        let text = markdown(&plan, &sections);
        let beginning = "# The bakery\n\n- **Industry:** Bread\n\nRye for Graz.\n\n\
                         ## Executive summary\n\n*Not written yet.*\n\n## Business description\n";
        assert!(text.starts_with(beginning), "{text}");
        assert!(text.ends_with("## Owner bio\n\nAda bakes.\n"), "{text}");
        assert_eq!(text.matches("\n## ").count(), 9);
    }
}
