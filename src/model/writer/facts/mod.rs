//! Picks facts about the business out of what the person wrote, by simple rules: wrong now and
//! then, but about their business. What was said first stands.

mod phrases;
mod vocabulary;

use std::borrow::Cow;

use super::trades::{self, Trade};
use phrases::Word;

/// Something worth knowing about a business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// What it does.
    Business,
    /// Where it is.
    Place,
    /// Whom it is for.
    Customers,
    /// Amounts that the person gave.
    Figures,
}

/// What is known of a business.
#[derive(Debug, Default)]
pub(super) struct Facts {
    trade: Option<&'static Trade>,
    idea: Option<String>,
    name: Option<String>,
    place: Option<String>,
    customers: Option<String>,
    figures: Vec<String>,
}

impl Facts {
    /// Reads the messages of a person, oldest first.
    pub(super) fn of<'a>(messages: impl IntoIterator<Item = &'a String>) -> Self {
        let mut facts = Self::default();
        for message in messages {
            let words = Word::all(message);
            let heard = padded(message);
            facts.trade = facts.trade.or_else(|| trades::find(&heard));
            facts.idea = facts.idea.or_else(|| phrases::idea(&words));
            facts.name = facts.name.or_else(|| phrases::name(message, &words));
            facts.place = facts.place.or_else(|| phrases::place(&words));
            facts.customers = facts.customers.or_else(|| phrases::customers(&words));
            for figure in phrases::figures(&words) {
                if !facts.figures.contains(&figure) {
                    facts.figures.push(figure);
                }
            }
        }
        facts
    }

    /// Whether nothing at all is known.
    pub(super) fn is_empty(&self) -> bool {
        self.listed().is_none()
    }

    /// Whether a question `about` this has been answered.
    pub(super) fn know(&self, about: About) -> bool {
        match about {
            About::Business => self.trade.is_some() || self.idea.is_some(),
            About::Place => self.place.is_some(),
            About::Customers => self.customers.is_some(),
            About::Figures => !self.figures.is_empty(),
        }
    }

    /// Everything that is known as a Markdown list; none when that is nothing.
    pub(super) fn listed(&self) -> Option<String> {
        let business = self.idea.as_deref().or(self.trade.map(|trade| trade.noun));
        let figures = (!self.figures.is_empty()).then(|| self.figures.join(", "));
        let lines: Vec<String> = [
            ("Business", business),
            ("Name", self.name.as_deref()),
            ("Place", self.place.as_deref()),
            ("Customers", self.customers.as_deref()),
            ("Your figures", figures.as_deref()),
        ]
        .into_iter()
        .filter_map(|(label, fact)| Some(format!("- {label}: {}", fact?)))
        .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// What a template's placeholder stands for; a general word for what is not known.
    pub(super) fn word_for(&self, placeholder: &str) -> Cow<'_, str> {
        let trade = self.trade.unwrap_or(&trades::ANY);
        match placeholder {
            "business" => self.business(),
            "in_place" => match &self.place {
                Some(place) => format!("in {place}").into(),
                None => "where you start".into(),
            },
            "customers" => self
                .customers
                .as_deref()
                .unwrap_or("your first customers")
                .into(),
            "offer" => trade.offer.into(),
            "unit" => trade.unit.into(),
            "rivals" => trade.rivals.into(),
            "costs" => trade.costs.into(),
            "permit" => trade.permit.into(),
            "channel" => trade.channel.into(),
            unknown => format!("{{{unknown}}}").into(),
        }
    }

    fn business(&self) -> Cow<'_, str> {
        let noun = self.idea.as_deref().or(self.trade.map(|trade| trade.noun));
        match (&self.name, noun) {
            (Some(name), _) => name.as_str().into(),
            (None, Some(noun)) => format!("your {noun}").into(),
            (None, None) => "your business".into(),
        }
    }
}

/// The words of a text in small letters, one blank around each, to look for words in.
pub(super) fn padded(text: &str) -> String {
    let small = text.to_lowercase();
    let words = small.split(|letter: char| !letter.is_alphanumeric());
    let mut padded = String::from(" ");
    for word in words.filter(|word| !word.is_empty()) {
        padded.push_str(word);
        padded.push(' ');
    }
    padded
}
