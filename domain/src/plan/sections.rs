//! The nine sections of a plan, and the revisions of each.

use std::collections::BTreeMap;
use std::ops::{Index, IndexMut};

use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Imprint, Source};
use crate::Private;
use crate::text::Text;

/// What a section says.
pub type SectionText = Text<50_000>;

/// A part of a plan. Every plan has all nine.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// The whole plan on a page.
    ExecutiveSummary,
    /// What the business is and wants.
    BusinessDescription,
    /// Who buys, and who else sells.
    MarketAnalysis,
    /// What is sold.
    ProductsAndServices,
    /// How customers are found.
    MarketingPlan,
    /// How the work is done.
    OperationsPlan,
    /// What comes in and goes out.
    FinancialProjections,
    /// What money is needed, and for what.
    FundingRequest,
    /// Who stands behind it.
    OwnerBio,
}

impl Section {
    /// All nine, in the order of the plan.
    pub const ALL: [Self; 9] = [
        Self::ExecutiveSummary,
        Self::BusinessDescription,
        Self::MarketAnalysis,
        Self::ProductsAndServices,
        Self::MarketingPlan,
        Self::OperationsPlan,
        Self::FinancialProjections,
        Self::FundingRequest,
        Self::OwnerBio,
    ];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExecutiveSummary => "executive_summary",
            Self::BusinessDescription => "business_description",
            Self::MarketAnalysis => "market_analysis",
            Self::ProductsAndServices => "products_and_services",
            Self::MarketingPlan => "marketing_plan",
            Self::OperationsPlan => "operations_plan",
            Self::FinancialProjections => "financial_projections",
            Self::FundingRequest => "funding_request",
            Self::OwnerBio => "owner_bio",
        }
    }
}

/// How far a section has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionStatus {
    /// Nobody has written it.
    #[default]
    Empty,
    /// It is as a co-pilot wrote it.
    Drafted,
    /// It is as the person wrote it, or as they have chosen among earlier texts.
    Revised,
    /// The person is content with it.
    Approved,
}

impl SectionStatus {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Drafted => "drafted",
            Self::Revised => "revised",
            Self::Approved => "approved",
        }
    }
}

/// One thing for each of the nine sections; as JSON an object with nine members.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "Named<T>", bound = "T: Default + Deserialize<'de>")]
pub struct PerSection<T>([T; 9]);

/// A [`PerSection`] as it is read.
#[derive(Deserialize)]
#[serde(transparent, bound = "T: Deserialize<'de>")]
struct Named<T>(BTreeMap<Section, T>);

impl<T: Default> From<Named<T>> for PerSection<T> {
    fn from(mut named: Named<T>) -> Self {
        Self(Section::ALL.map(|section| named.0.remove(&section).unwrap_or_default()))
    }
}

impl<T: Serialize> Serialize for PerSection<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (section, of_it) in self.iter() {
            map.serialize_entry(section.as_str(), of_it)?;
        }
        map.end()
    }
}

impl<T> PerSection<T> {
    /// All nine, in the order of the plan.
    pub fn iter(&self) -> impl Iterator<Item = (Section, &T)> {
        Section::ALL.into_iter().zip(&self.0)
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Section, &mut T)> {
        Section::ALL.into_iter().zip(&mut self.0)
    }
}

impl<T> Index<Section> for PerSection<T> {
    type Output = T;

    fn index(&self, section: Section) -> &T {
        // The variants are numbered from 0, and there is one for each.
        &self.0[section as usize]
    }
}

impl<T> IndexMut<Section> for PerSection<T> {
    fn index_mut(&mut self, section: Section) -> &mut T {
        &mut self.0[section as usize]
    }
}

/// What decisions know of a revision.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Revision {
    /// What it made of the section: drafted or revised.
    pub status: SectionStatus,
    /// Who wrote its text.
    pub source: Source,
    /// How long the text is, in words.
    pub words: u32,
    /// How long the text is, in characters.
    pub characters: u32,
    /// The revision with which this text came; its own number unless it was restored.
    pub origin: u32,
    /// Tells whether the same text comes again.
    pub text: Imprint,
}

/// What decisions know of a section.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SectionState {
    revisions: Vec<Revision>,
    approved: bool,
}

impl SectionState {
    /// The number of its latest revision; 0 while it is empty.
    pub fn revision(&self) -> u32 {
        u32::try_from(self.revisions.len()).unwrap_or(u32::MAX)
    }

    /// Its latest revision; none while it is empty.
    pub fn latest(&self) -> Option<Revision> {
        self.revisions.last().copied()
    }

    /// Its revision `number`, counted from 1.
    pub fn at(&self, number: u32) -> Option<Revision> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.revisions.get(index).copied()
    }

    /// How far it has come.
    pub fn status(&self) -> SectionStatus {
        match self.latest() {
            None => SectionStatus::Empty,
            Some(_) if self.approved => SectionStatus::Approved,
            Some(latest) => latest.status,
        }
    }

    /// Whether it is known to say just `text` now.
    pub fn says(&self, text: &str) -> bool {
        self.latest().is_some_and(|latest| latest.text.is_of(text))
    }

    pub(super) fn push(&mut self, revision: Revision) {
        self.revisions.push(revision);
        self.approved = false;
    }

    pub(super) fn approve(&mut self, approved: bool) {
        self.approved = approved;
    }
}

/// A revision, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevisionDocument {
    /// Its number within the section: 1, 2, 3 …
    pub revision: u32,
    /// What it made of the section: drafted or revised.
    pub status: SectionStatus,
    /// Who wrote its text.
    pub source: Source,
    /// What it says.
    pub text: Private<String>,
    /// How long the text is, in words.
    pub words: u32,
    /// How long the text is, in characters.
    pub characters: u32,
    /// The model that wrote the text, if one did.
    pub model: Option<String>,
    /// The revision whose text it has, if it was restored.
    pub restored_from: Option<u32>,
    /// The generation that it belongs to.
    pub generation_id: Option<Uuid>,
    /// The conversation in which it was written.
    pub conversation_id: Option<Uuid>,
    /// Since when it is there.
    #[serde(with = "time::serde::rfc3339")]
    pub recorded_at: OffsetDateTime,
}

/// A section, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SectionDocument {
    /// How far it has come.
    pub status: SectionStatus,
    /// Every text it had; the last is what it says.
    pub revisions: Vec<RevisionDocument>,
    /// When it last changed, approval included.
    #[serde(with = "time::serde::rfc3339::option")]
    pub updated_at: Option<OffsetDateTime>,
}

impl SectionDocument {
    /// What it says; none while it is empty.
    pub fn latest(&self) -> Option<&RevisionDocument> {
        self.revisions.last()
    }

    /// Its revision `number`, counted from 1.
    pub fn at(&self, number: u32) -> Option<&RevisionDocument> {
        self.revisions
            .iter()
            .find(|revision| revision.revision == number)
    }

    pub(super) fn push(&mut self, revision: RevisionDocument) {
        self.status = revision.status;
        self.updated_at = Some(revision.recorded_at);
        self.revisions.push(revision);
    }

    pub(super) fn approve(&mut self, approved: bool, at: OffsetDateTime) {
        self.status = match self.latest() {
            None => SectionStatus::Empty,
            Some(_) if approved => SectionStatus::Approved,
            Some(latest) => latest.status,
        };
        self.updated_at = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_section_is_found_under_its_own_name() {
        for (index, section) in Section::ALL.into_iter().enumerate() {
            assert_eq!(section as usize, index);
            assert_eq!(
                serde_json::to_value(section).unwrap(),
                section.as_str(),
                "{section:?}"
            );
        }
    }

    #[test]
    fn something_for_each_section_reads_back_as_itself() {
        let mut lengths = PerSection::<u32>::default();
        lengths[Section::OwnerBio] = 7;
        let written = serde_json::to_value(&lengths).unwrap();
        assert_eq!(written["owner_bio"], 7);
        assert_eq!(written.as_object().unwrap().len(), 9);
        let read: PerSection<u32> = serde_json::from_value(written).unwrap();
        assert_eq!(read, lengths);
    }
}
