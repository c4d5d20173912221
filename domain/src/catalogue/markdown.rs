//! The catalogue as a page of Markdown.

use super::fields::{Field, Node, Wordless, one_line};
use super::{Contract, EventContract, contracts};
use crate::{Metadata, Recorded};

const INTRODUCTION: &str = "\
# Events

What Fido stores, event by event. This page is generated from the code; \
`cargo run -- events > docs/events.md` writes it anew, and a test compares the two.

An **event** is a fact: something that has happened, named in the past tense. It is stored once, in \
the table `events` of the event store, and never changed or removed. The same event travels through \
JetStream to the replicas and the live streams. Its **position** is its place in the whole log: 1, 2, \
3 … dense, in commit order, and the same number everywhere. The events of one account, one \
conversation and so on are a **stream**, in the order of `sequence`.";

const CANONICAL: &str = "\
`payload` and `metadata` are stored as canonical JSON (RFC 8785) and hashed as those bytes. Numbers are \
whole and within ±2^53; other numbers are texts. A field that is *optional* is left out when there is \
nothing to say; it is never `null`. A field of an object (`usage.input_tokens`) is there when the object is.";

const PRIVATE: &str = "\
## Private fields

Personal content is *private*. In the event store, the broker and the replicas it is sealed:

```json
{\"sealed\":\"1:<event_type>.<path>:<base64>\"}
```

The text says in which form it is sealed, to which field it was written, and carries the ciphertext. \
The types below are those of the content. Whoever holds the key of the stream can open it; once that \
key is destroyed nobody can, and the content is read as `{\"erased\":true}` and shown as `[erased]`. \
The stored bytes stay as they are, so every proof over them holds. `{\"open\":…}`, the form in \
which Fido's processes work with it, is never stored.";

const VERSIONS: &str = "\
## Versions

An event keeps its stored name and its version for ever. An optional field may be added without a new \
version. Any other change of the fields gets a new version, and an upcaster that lifts what is stored \
under the older one when it is read. Readers do not guess: an event or a version that they do not know \
stops them with a message. Every version that was ever stored has a golden file in \
`domain/tests/golden/`.";

/// The catalogue, without a line break at its end.
///
/// # Errors
/// [`Wordless`] when a field has a type for which the catalogue has no words.
pub fn markdown() -> Result<String, Wordless> {
    let mut sections = vec![
        INTRODUCTION.to_owned(),
        "| column | type | meaning |\n|---|---|---|".to_owned() + &columns()?,
        CANONICAL.to_owned(),
        PRIVATE.to_owned(),
        VERSIONS.to_owned(),
    ];
    let metadata = Node::of::<Metadata>()?;
    sections.push("## Metadata".to_owned());
    sections.push(one_line(&metadata.description));
    sections.push(table(&metadata.fields("metadata")?));
    for contract in contracts()? {
        stream(&contract, &mut sections);
    }
    Ok(sections.join("\n\n"))
}

fn columns() -> Result<String, Wordless> {
    let mut rows = String::new();
    for column in Node::of::<Recorded>()?.fields("events")? {
        row(
            &mut rows,
            &[&code(&column.path), &column.words, &column.meaning],
        );
    }
    Ok(rows)
}

fn stream(contract: &Contract, sections: &mut Vec<String>) {
    sections.push(format!("## Stream `{}`", contract.aggregate_type));
    sections.push(contract.meaning.clone());
    for event in &contract.events {
        sections.push(format!("### `{}`", event.event_type));
        sections.push(event.meaning.clone());
        sections.push(versions(event));
        sections.push(table(&event.fields));
    }
}

fn versions(event: &EventContract) -> String {
    let mut text = format!("Version {}.", event.version);
    if !event.older.is_empty() {
        let older: Vec<String> = event
            .older
            .iter()
            .map(|shape| format!("`{}` version {}", shape.event_type, shape.version))
            .collect();
        text += &format!(" Lifted to it when read: {}.", older.join(", "));
    }
    text
}

fn table(fields: &[Field]) -> String {
    if fields.is_empty() {
        return "No fields.".to_owned();
    }
    let mut text =
        "| field | type | private | presence | meaning |\n|---|---|---|---|---|".to_owned();
    for field in fields {
        row(
            &mut text,
            &[
                &code(&field.path),
                &field.words,
                if field.private { "private" } else { "no" },
                if field.required {
                    "required"
                } else {
                    "optional"
                },
                &field.meaning,
            ],
        );
    }
    text
}

fn row(text: &mut String, cells: &[&str]) {
    text.push_str("\n|");
    for cell in cells {
        *text += &format!(" {} |", cell.replace('|', "\\|"));
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}
