//! The fields of a JSON object in words, from the schema of its Rust type.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::Value;

/// One field of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Where it stands: `text`, `usage.input_tokens`, `items[].name`.
    pub path: String,
    /// Its type, in words.
    pub words: String,
    /// Whether it is stored sealed.
    pub private: bool,
    /// Whether it is there in every event.
    pub required: bool,
    /// What it means.
    pub meaning: String,
}

/// A type for which the catalogue has no words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} has a type that domain/src/catalogue/fields.rs has no words for")]
pub struct Wordless(pub String);

/// As much of a JSON schema as the types of events make use of.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Node {
    #[serde(rename = "type")]
    kind: Kind,
    format: Option<String>,
    max_length: Option<u64>,
    pub(super) description: String,
    pub(super) properties: BTreeMap<String, Node>,
    required: Vec<String>,
    additional_properties: Option<Value>,
    items: Option<Box<Node>>,
    pub(super) one_of: Vec<Node>,
    any_of: Vec<Node>,
    #[serde(rename = "const")]
    constant: Option<String>,
    #[serde(rename = "enum")]
    names: Vec<Option<String>>,
    #[serde(rename = "x-private")]
    private: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Kind {
    One(String),
    Several(Vec<String>),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Node {
    /// The schema of `T`.
    pub(super) fn of<T: JsonSchema>() -> Result<Self, Wordless> {
        let schema = SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator()
            .into_root_schema_for::<T>();
        let named = T::schema_name().into_owned();
        Self::deserialize(schema.as_value()).map_err(|_| Wordless(named))
    }

    /// The fields of this object, with those of the objects in it; `owner` says whose they are.
    pub(super) fn fields(&self, owner: &str) -> Result<Vec<Field>, Wordless> {
        let mut fields = Vec::new();
        self.collect(owner, "", false, &mut fields)?;
        Ok(fields)
    }

    fn collect(
        &self,
        owner: &str,
        prefix: &str,
        private: bool,
        fields: &mut Vec<Field>,
    ) -> Result<(), Wordless> {
        for (name, field) in self.in_order() {
            let path = format!("{prefix}{name}");
            let content = field.content();
            let private = private || field.is_private();
            fields.push(Field {
                words: content
                    .words()
                    .ok_or_else(|| Wordless(format!("{owner}: {path}")))?,
                private,
                required: self.required.contains(name) && !field.is_nullable(),
                meaning: one_line(&field.description),
                path: path.clone(),
            });
            if let Some(items) = &content.items {
                items
                    .content()
                    .collect(owner, &format!("{path}[]."), private, fields)?;
            }
            content.collect(owner, &format!("{path}."), private, fields)?;
        }
        Ok(())
    }

    /// What is always there as it is declared, then the rest by name: a schema keeps no other order.
    fn in_order(&self) -> impl Iterator<Item = (&String, &Node)> {
        let required = self
            .required
            .iter()
            .filter_map(|name| self.properties.get_key_value(name));
        let optional = self
            .properties
            .iter()
            .filter(|(name, _)| !self.required.contains(name));
        required.chain(optional)
    }

    /// What is in it when something is, opened when it is private.
    fn content(&self) -> &Self {
        let present = self.present();
        if present.private {
            let open = present
                .one_of
                .iter()
                .find_map(|form| form.properties.get("open"));
            return open.unwrap_or(present);
        }
        present
    }

    /// This without the choice to be null.
    fn present(&self) -> &Self {
        match self.any_of.as_slice() {
            [present, null] | [null, present] if null.is_null() => present,
            _ => self,
        }
    }

    fn is_private(&self) -> bool {
        self.present().private
    }

    fn is_nullable(&self) -> bool {
        self.any_of.iter().any(Self::is_null) || self.kinds().any(|kind| kind == "null")
    }

    fn is_null(&self) -> bool {
        self.kinds().eq(["null"])
    }

    fn kinds(&self) -> impl Iterator<Item = &str> {
        match &self.kind {
            Kind::One(kind) => std::slice::from_ref(kind),
            Kind::Several(kinds) => kinds,
        }
        .iter()
        .map(String::as_str)
    }

    fn words(&self) -> Option<String> {
        if let Some(names) = self.choices() {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            return Some(match names.as_slice() {
                [only] => only.clone(),
                _ => format!("one of {}", names.join(", ")),
            });
        }
        let kind = self.kinds().find(|kind| *kind != "null")?;
        match (kind, self.format.as_deref()) {
            ("string", Some("uuid")) => Some("UUID".to_owned()),
            ("string", Some("date-time")) => Some("time (RFC 3339, UTC)".to_owned()),
            ("string", Some("email")) => Some("email address".to_owned()),
            ("string", None) => Some(match self.max_length {
                Some(most) => format!("text, at most {most} characters"),
                None => "text".to_owned(),
            }),
            ("integer", _) => Some("whole number".to_owned()),
            ("boolean", _) => Some("true or false".to_owned()),
            ("array", _) => {
                let items = self.items.as_ref()?.content().words()?;
                Some(format!("list: {items}"))
            }
            ("object", _) if !self.properties.is_empty() => Some("object".to_owned()),
            ("object", _) if self.additional_properties == Some(Value::Bool(true)) => {
                Some("object".to_owned())
            }
            _ => None,
        }
    }

    /// The texts that it can be, when it is one of a few.
    pub(super) fn choices(&self) -> Option<Vec<&str>> {
        if let Some(constant) = &self.constant {
            return Some(vec![constant]);
        }
        if !self.names.is_empty() {
            return Some(self.names.iter().flatten().map(String::as_str).collect());
        }
        if self.one_of.is_empty() {
            return None;
        }
        let choices: Option<Vec<_>> = self.one_of.iter().map(Self::choices).collect();
        choices.map(|choices| choices.concat())
    }
}

/// A doc comment as one line of Markdown, without the brackets of links to code.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace("[`", "`").replace("`]", "`")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::Private;
    use crate::conversation::{Copilot, Usage};
    use crate::text::{EmailAddress, Line};

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Everything {
        id: Uuid,
        yes: bool,
        /// In [`Usage`],
        /// line by line.
        calls: Vec<Usage>,
        name: Private<Line<9>>,
        people: Private<Vec<Person>>,
        letters: Option<Private<EmailAddress>>,
        maybe: Option<Copilot>,
        #[serde(default)]
        often: u32,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Person {
        name: String,
    }

    #[test]
    fn every_type_has_its_words() {
        let fields = Node::of::<Everything>().and_then(|node| node.fields("everything"));
        let fields = fields.unwrap();
        let told: Vec<_> = fields
            .iter()
            .map(|field| (&*field.path, &*field.words, field.private, field.required))
            .collect();
        let copilots = "one of `business_plan_architect`, `funding_navigator`, `growth_engine`";
        assert_eq!(
            told,
            [
                ("id", "UUID", false, true),
                ("yes", "true or false", false, true),
                ("calls", "list: object", false, true),
                ("calls[].input_tokens", "whole number", false, true),
                ("calls[].output_tokens", "whole number", false, true),
                ("name", "text, at most 9 characters", true, true),
                ("people", "list: object", true, true),
                ("people[].name", "text", true, true),
                ("letters", "text, at most 254 characters", true, false),
                ("maybe", copilots, false, false),
                ("often", "whole number", false, false),
            ]
        );
        assert_eq!(fields[2].meaning, "In `Usage`, line by line.");
    }

    #[test]
    fn a_type_without_words_is_named() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Loan {
            rate: f64,
        }
        let fields = Node::of::<Loan>().and_then(|node| node.fields("loan_taken"));
        assert_eq!(fields, Err(Wordless("loan_taken: rate".to_owned())));
    }
}
