//! Every text that a section had.

use std::collections::BTreeMap;

use fido_domain::Private;
use fido_domain::plan::Section;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::query::{Query, column};
use crate::{ReadError, Snapshot, private};

/// A text that a section has or had.
#[derive(Debug, Clone)]
pub struct RevisionRow {
    /// Its number within the section: 1, 2, 3 …
    pub revision: i32,
    /// What it made of the section: `drafted` or `revised`.
    pub written: String,
    /// Who wrote it: `model` or `user`.
    pub source: String,
    /// What it says.
    pub text: Private<String>,
    /// How long it is, in words.
    pub words: i32,
    /// How long it is, in characters.
    pub characters: i32,
    /// The model that wrote it, if one did.
    pub model: Option<String>,
    /// The revision whose text it has, if it was restored.
    pub restored_from: Option<i32>,
    /// The generation that it belongs to.
    pub generation_id: Option<Uuid>,
    /// The conversation in which it was written.
    pub conversation_id: Option<Uuid>,
    /// Since when it is there.
    pub recorded_at: OffsetDateTime,
}

pub(super) const NEWEST: Query = Query::read(
    "sections.revisions",
    "select revision, written, source, text, words, characters, model, restored_from, \
            generation_id, conversation_id, recorded_at \
     from section_revisions where plan_id = $1 and section = $2 and revision < $3 \
     order by revision desc limit $4",
);

/// Up to `limit` texts of a section, those before revision `before`, the latest first.
///
/// Whose plan it is the caller has asked before ([`super::one`]).
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn revisions(
    snapshot: &mut Snapshot,
    plan_id: Uuid,
    section: Section,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<RevisionRow>, ReadError> {
    let rows = NEWEST
        .ask()
        .bind(plan_id)
        .bind(section.as_str())
        .bind(before.unwrap_or(i32::MAX))
        .bind(limit)
        .fetch_all(&mut *snapshot.transaction)
        .await?;
    rows.iter().map(|row| Ok(read(row)?)).collect()
}

/// One text of a section, by its number.
///
/// # Errors
/// [`ReadError::Unavailable`].
pub async fn revision(
    snapshot: &mut Snapshot,
    plan_id: Uuid,
    section: Section,
    number: i32,
) -> Result<Option<RevisionRow>, ReadError> {
    let before = Some(number.saturating_add(1));
    let latest = revisions(snapshot, plan_id, section, before, 1).await?;
    Ok(latest.into_iter().find(|row| row.revision == number))
}

fn read(row: &PgRow) -> Result<RevisionRow, sqlx::Error> {
    Ok(RevisionRow {
        revision: row.try_get("revision")?,
        written: row.try_get("written")?,
        source: row.try_get("source")?,
        text: private(row, "text")?,
        words: row.try_get("words")?,
        characters: row.try_get("characters")?,
        model: row.try_get("model")?,
        restored_from: row.try_get("restored_from")?,
        generation_id: row.try_get("generation_id")?,
        conversation_id: row.try_get("conversation_id")?,
        recorded_at: row.try_get("recorded_at")?,
    })
}

pub(super) const INSERT: Query = Query::write(
    "sections.revise",
    "insert into section_revisions (plan_id, section, revision, written, source, text, words, \
                                    characters, model, restored_from, generation_id, \
                                    conversation_id, recorded_at) \
     select plan_id, section, revision, written, source, text::json, words, characters, model, \
            restored_from, generation_id, conversation_id, recorded_at \
     from unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], \
                 $7::integer[], $8::integer[], $9::text[], $10::integer[], $11::uuid[], $12::uuid[], \
                 $13::timestamptz[]) \
          as t (plan_id, section, revision, written, source, text, words, characters, model, \
                restored_from, generation_id, conversation_id, recorded_at)",
);

// The earlier text is there, or the row has none and is refused.
pub(super) const RESTORE: Query = Query::write(
    "sections.restore",
    "insert into section_revisions (plan_id, section, revision, written, source, text, words, \
                                    characters, model, restored_from, recorded_at) \
     select t.plan_id, t.section, t.revision, t.written, t.source, r.text, t.words, t.characters, \
            r.model, t.restored_from, t.recorded_at \
     from unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::text[], $6::text[], \
                 $7::integer[], $8::integer[], $9::integer[], $10::timestamptz[]) \
          as t (plan_id, section, revision, of_revision, written, source, words, characters, \
                restored_from, recorded_at) \
          left join section_revisions r \
          on r.plan_id = t.plan_id and r.section = t.section and r.revision = t.of_revision",
);

/// What a batch adds to the texts of sections, by plan, section and revision.
#[derive(Default)]
pub(super) struct Changes(BTreeMap<(Uuid, &'static str, i32), NewRevision>);

/// A text that came with the batch.
pub(super) struct NewRevision {
    pub(super) written: &'static str,
    pub(super) source: &'static str,
    pub(super) text: Text,
    pub(super) words: i32,
    pub(super) characters: i32,
    pub(super) restored_from: Option<i32>,
    pub(super) generation_id: Option<Uuid>,
    pub(super) conversation_id: Option<Uuid>,
    pub(super) recorded_at: OffsetDateTime,
}

/// What a new revision says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Text {
    /// This, written by this model if by one.
    Known { text: String, model: Option<String> },
    /// What this revision of an earlier batch says.
    Of(i32),
}

impl Changes {
    pub(super) fn add(
        &mut self,
        plan_id: Uuid,
        section: &'static str,
        revision: i32,
        new: NewRevision,
    ) {
        self.0.insert((plan_id, section, revision), new);
    }

    /// What `revision` of a section says, as far as the batch knows.
    pub(super) fn text(&self, plan_id: Uuid, section: &'static str, revision: i32) -> Text {
        match self.0.get(&(plan_id, section, revision)) {
            Some(known) => known.text.clone(),
            None => Text::Of(revision),
        }
    }

    pub(super) async fn write(&self, replica: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (mut known, mut restored) = (Vec::new(), Vec::new());
        for (key, new) in &self.0 {
            match &new.text {
                Text::Known { text, model } => {
                    known.push((key, text.as_str(), model.as_deref(), new));
                }
                Text::Of(revision) => restored.push((key, *revision, new)),
            }
        }
        if !known.is_empty() {
            INSERT
                .ask()
                .bind(column!(known, |((plan_id, ..), ..)| *plan_id))
                .bind(column!(known, |((_, section, _), ..)| *section))
                .bind(column!(known, |((.., revision), ..)| *revision))
                .bind(column!(known, |(.., new)| new.written))
                .bind(column!(known, |(.., new)| new.source))
                .bind(column!(known, |(_, text, ..)| *text))
                .bind(column!(known, |(.., new)| new.words))
                .bind(column!(known, |(.., new)| new.characters))
                .bind(column!(known, |(_, _, model, _)| *model))
                .bind(column!(known, |(.., new)| new.restored_from))
                .bind(column!(known, |(.., new)| new.generation_id))
                .bind(column!(known, |(.., new)| new.conversation_id))
                .bind(column!(known, |(.., new)| new.recorded_at))
                .execute(&mut *replica)
                .await?;
        }
        if !restored.is_empty() {
            RESTORE
                .ask()
                .bind(column!(restored, |((plan_id, ..), ..)| *plan_id))
                .bind(column!(restored, |((_, section, _), ..)| *section))
                .bind(column!(restored, |((.., revision), ..)| *revision))
                .bind(column!(restored, |(_, of_revision, _)| *of_revision))
                .bind(column!(restored, |(.., new)| new.written))
                .bind(column!(restored, |(.., new)| new.source))
                .bind(column!(restored, |(.., new)| new.words))
                .bind(column!(restored, |(.., new)| new.characters))
                .bind(column!(restored, |(.., new)| new.restored_from))
                .bind(column!(restored, |(.., new)| new.recorded_at))
                .execute(replica)
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: Text) -> NewRevision {
        NewRevision {
            written: "revised",
            source: "user",
            text,
            words: 1,
            characters: 1,
            restored_from: None,
            generation_id: None,
            conversation_id: None,
            recorded_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_text_is_taken_from_the_batch_however_often_it_was_restored() {
        let plan_id = Uuid::from_u128(1);
        let mut changes = Changes::default();
        let known = Text::Known {
            text: "x".to_owned(),
            model: Some("m".to_owned()),
        };
        changes.add(plan_id, "owner_bio", 3, new(known.clone()));
        let again = changes.text(plan_id, "owner_bio", 3);
        changes.add(plan_id, "owner_bio", 4, new(again));
        assert_eq!(changes.text(plan_id, "owner_bio", 4), known);
    }

    #[test]
    fn a_text_of_an_earlier_batch_is_looked_up_where_it_came_from() {
        let plan_id = Uuid::from_u128(1);
        let mut changes = Changes::default();
        let earlier = changes.text(plan_id, "owner_bio", 2);
        assert_eq!(earlier, Text::Of(2));
        changes.add(plan_id, "owner_bio", 5, new(earlier));
        assert_eq!(changes.text(plan_id, "owner_bio", 5), Text::Of(2));
    }
}
