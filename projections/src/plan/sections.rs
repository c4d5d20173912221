//! The sections of a plan: which revision each has, and whether the person is content with it.

use std::collections::BTreeMap;

use fido_domain::Private;
use fido_domain::plan::{PerSection, Section};
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{revisions, section};
use crate::query::{Query, column};
use crate::{ReadError, Snapshot, private};

/// A section that has a text.
#[derive(Debug, Clone)]
pub struct SectionRow {
    /// `drafted`, `revised` or `approved`.
    pub status: String,
    /// The number of its text: 1, 2, 3 …
    pub revision: i32,
    /// What it says.
    pub text: Private<String>,
    /// Who wrote that: `model` or `user`.
    pub source: String,
    /// The model that wrote it, if one did.
    pub model: Option<String>,
    /// How long the text is, in words.
    pub words: i32,
    /// How long the text is, in characters.
    pub characters: i32,
    /// When it last changed, approval included.
    pub updated_at: OffsetDateTime,
}

pub(crate) const SECTION_QUERIES: &[Query] = &[
    ALL,
    WRITE,
    APPROVE,
    revisions::NEWEST,
    revisions::INSERT,
    revisions::RESTORE,
];

const ALL: Query = Query::read(
    "sections.all",
    // The limit keeps it nine look-ups, however many revisions there are.
    "select s.section, s.status, s.revision, r.text, r.source, r.model, r.words, r.characters, \
            s.updated_at \
     from plan_sections s \
          cross join lateral (select text, source, model, words, characters from section_revisions \
                              where plan_id = $1 and section = s.section and revision = s.revision \
                              limit 1) r \
     where s.plan_id = $1",
);

/// The nine sections of a plan; none for one that nobody has written.
///
/// Whose plan it is the caller has asked before ([`super::one`]).
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn sections(
    snapshot: &mut Snapshot,
    plan_id: Uuid,
) -> Result<PerSection<Option<SectionRow>>, ReadError> {
    let rows = ALL
        .ask()
        .bind(plan_id)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    let mut sections = PerSection::default();
    for row in &rows {
        sections[section(row)?] = Some(SectionRow {
            status: row.try_get("status")?,
            revision: row.try_get("revision")?,
            text: private(row, "text")?,
            source: row.try_get("source")?,
            model: row.try_get("model")?,
            words: row.try_get("words")?,
            characters: row.try_get("characters")?,
            updated_at: row.try_get("updated_at")?,
        });
    }
    Ok(sections)
}

const WRITE: Query = Query::write(
    "sections.write",
    "insert into plan_sections (plan_id, section, revision, written, approved_at, updated_at) \
     select * from unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::timestamptz[], \
                          $6::timestamptz[]) \
     on conflict (plan_id, section) do update \
     set revision = excluded.revision, written = excluded.written, \
         approved_at = excluded.approved_at, updated_at = excluded.updated_at",
);

const APPROVE: Query = Query::write(
    "sections.approve",
    "update plan_sections s set approved_at = t.approved_at, updated_at = t.updated_at \
     from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[]) \
          as t (plan_id, section, approved_at, updated_at) \
     where s.plan_id = t.plan_id and s.section = t.section",
);

/// What a batch changes in sections, by plan and section.
#[derive(Default)]
pub(super) struct Changes(BTreeMap<(Uuid, &'static str), Change>);

struct Change {
    /// The new text, if there is one: its revision, and what it made of the section.
    text: Option<(i32, &'static str)>,
    approved_at: Option<OffsetDateTime>,
    updated_at: OffsetDateTime,
}

impl Changes {
    /// A new text, which nobody has approved yet.
    pub(super) fn write_anew(
        &mut self,
        plan_id: Uuid,
        section: &'static str,
        revision: i32,
        written: &'static str,
        at: OffsetDateTime,
    ) {
        let change = Change {
            text: Some((revision, written)),
            approved_at: None,
            updated_at: at,
        };
        self.0.insert((plan_id, section), change);
    }

    /// The person is content since `approved_at`, or is not any more.
    pub(super) fn approve(
        &mut self,
        plan_id: Uuid,
        section: Section,
        approved_at: Option<OffsetDateTime>,
        at: OffsetDateTime,
    ) {
        let key = (plan_id, section.as_str());
        let change = Change {
            text: self.0.get(&key).and_then(|change| change.text),
            approved_at,
            updated_at: at,
        };
        self.0.insert(key, change);
    }

    pub(super) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (mut written, mut approved) = (Vec::new(), Vec::new());
        for ((plan_id, section), change) in &self.0 {
            match change.text {
                Some(text) => written.push((*plan_id, *section, text, change)),
                None => approved.push((*plan_id, *section, change)),
            }
        }
        if !written.is_empty() {
            WRITE
                .ask()
                .bind(column!(written, |(plan_id, ..)| *plan_id))
                .bind(column!(written, |(_, section, ..)| *section))
                .bind(column!(written, |(_, _, (revision, _), _)| *revision))
                .bind(column!(written, |(_, _, (_, written), _)| *written))
                .bind(column!(written, |(.., change)| change.approved_at))
                .bind(column!(written, |(.., change)| change.updated_at))
                .execute(&mut *replica)
                .await?;
        }
        if !approved.is_empty() {
            APPROVE
                .ask()
                .bind(column!(approved, |(plan_id, ..)| *plan_id))
                .bind(column!(approved, |(_, section, _)| *section))
                .bind(column!(approved, |(.., change)| change.approved_at))
                .bind(column!(approved, |(.., change)| change.updated_at))
                .execute(replica)
                .await?;
        }
        Ok(())
    }
}
