//! Writes the offline model's answers: templates of each co-pilot, filled in with what the
//! person said. The same conversation always gets the same answer.

mod architect;
mod facts;
mod funding;
mod growth;
mod template;
mod trades;

use std::fmt::Write;

use fido_domain::conversation::Copilot;

use facts::Facts;
use template::{Question, Topic, Voice, fill};

/// Said first, so that nobody mistakes a template for advice.
const NOTICE: &str = "Offline model: no AI provider is connected, so this is a template filled in \
    with what you wrote. It understands little; amounts in [brackets] are for you to fill in.";

/// How `fido_copilot` begins the lines that name the co-pilot and the person's goal.
const COPILOT_KEY: &str = "co-pilot:";
const GOAL_KEY: &str = "What the person wants to achieve:";

const TOPICS_PER_ANSWER: usize = 4;
const QUESTIONS_PER_ANSWER: usize = 3;

/// The longest quotation of a message, in characters.
const LONGEST_QUOTE: usize = 160;

/// Below so many words, a message without a single fact is small talk.
const SMALL_TALK_WORDS: usize = 6;

/// What an answer depends on.
#[derive(Debug)]
pub(super) struct Brief {
    copilot: Copilot,
    goal: Option<String>,
    said: Vec<String>,
}

impl Brief {
    /// Reads the co-pilot and, if there is one, the goal from the lines of the instructions that
    /// begin with [`COPILOT_KEY`] and [`GOAL_KEY`].
    pub(super) fn new(instructions: &[String], said: Vec<String>) -> Self {
        let line = |key: &str| {
            instructions
                .iter()
                .flat_map(|text| text.lines())
                .find_map(|line| line.trim().strip_prefix(key))
                .map(str::trim)
        };
        let name = line(COPILOT_KEY);
        Self {
            copilot: Copilot::ALL
                .into_iter()
                .find(|copilot| name == Some(copilot.as_str()))
                .unwrap_or(Copilot::BusinessPlanArchitect),
            goal: line(GOAL_KEY).map(str::to_owned),
            said,
        }
    }

    fn voice(&self) -> &'static Voice {
        match self.copilot {
            Copilot::BusinessPlanArchitect => &architect::VOICE,
            Copilot::FundingNavigator => &funding::VOICE,
            Copilot::GrowthEngine => &growth::VOICE,
        }
    }
}

/// The whole answer, in Markdown.
pub(super) fn write(brief: &Brief) -> String {
    let latest = brief.said.last().map_or("", String::as_str);
    let facts = Facts::of(brief.goal.iter().chain(&brief.said));
    let voice = brief.voice();

    let mut parts = vec![NOTICE.to_owned()];
    if !latest.trim().is_empty() {
        parts.push(format!("> {}", quote(latest)));
    }
    if facts.is_empty() && latest.split_whitespace().count() < SMALL_TALK_WORDS {
        parts.push(voice.opening.to_owned());
        return parts.join("\n\n");
    }
    if let Some(known) = facts.listed() {
        parts.push(format!("**What I have so far**\n\n{known}"));
    }
    let turn = brief.said.len().saturating_sub(1);
    let outline = bullets(topics(voice, latest, turn), &facts);
    parts.push(format!("**{}**\n\n{outline}", voice.outline));
    let asked = numbered(&questions(voice, &facts, turn), &facts);
    parts.push(format!("**Next questions**\n\n{asked}"));
    parts.join("\n\n")
}

/// The topics to write about: first those that the message mentions, then, turn by turn, the
/// next ones in order.
fn topics(voice: &Voice, latest: &str, turn: usize) -> Vec<&'static Topic> {
    let heard = facts::padded(latest);
    let start = turn * TOPICS_PER_ANSWER % voice.topics.len();
    let (coming, past) = (&voice.topics[start..], &voice.topics[..start]);
    let mut topics: Vec<_> = coming.iter().chain(past).collect();
    topics.sort_by_key(|topic| !topic.words.iter().any(|word| heard.contains(word)));
    topics.truncate(TOPICS_PER_ANSWER);
    topics
}

/// The questions to ask: first those about what is missing, then, turn by turn, the deeper ones.
fn questions(voice: &Voice, facts: &Facts, turn: usize) -> Vec<&'static str> {
    let missing = voice
        .questions
        .iter()
        .filter(|Question { about, .. }| !facts.know(*about))
        .map(|question| question.text);
    let deeper = voice.deeper.iter().copied().cycle().skip(turn * 2);
    missing
        .take(QUESTIONS_PER_ANSWER - 1)
        .chain(deeper)
        .take(QUESTIONS_PER_ANSWER)
        .collect()
}

fn bullets(topics: Vec<&Topic>, facts: &Facts) -> String {
    let lines = topics
        .into_iter()
        .map(|topic| format!("- **{}:** {}", topic.heading, fill(topic.text, facts)));
    lines.collect::<Vec<_>>().join("\n")
}

fn numbered(questions: &[&str], facts: &Facts) -> String {
    let mut list = String::new();
    for (at, question) in questions.iter().enumerate() {
        let line_break = if at == 0 { "" } else { "\n" };
        let question = fill(question, facts);
        // Writing to a String cannot fail.
        let _ = write!(list, "{line_break}{}. {question}", at + 1);
    }
    list
}

/// The first words of a message on one line.
fn quote(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST_QUOTE {
        return line;
    }
    let beginning: String = line.chars().take(LONGEST_QUOTE).collect();
    let whole_words = beginning
        .rsplit_once(' ')
        .map_or(beginning.as_str(), |(words, _)| words);
    format!("{whole_words} …")
}

#[cfg(test)]
mod tests;
