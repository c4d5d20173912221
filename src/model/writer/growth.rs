//! How the Growth Engine answers offline: the first customers, one experiment at a time.

use super::facts::About;
use super::template::{Question, Topic, Voice};

pub(super) const VOICE: Voice = Voice {
    opening: "I am the Growth Engine: I help you win the first customers and keep them.\n\nTell me \
        in two or three sentences: **what** do you sell, **who** buys it or should, and **how** do \
        they find you today? For example: *I have a yoga studio in Porto for beginners; most come \
        through friends.*",
    outline: "Where the growth can come from",
    topics: &[
        Topic {
            heading: "The first customer",
            words: &[
                " customer",
                " target",
                " audience",
                " who ",
                " persona",
                " segment",
            ],
            text: "among {customers}, who needs {offer} this month? Describe one person whom you \
                know by name, and what happened on the day they looked for help.",
        },
        Topic {
            heading: "The promise",
            words: &[
                " brand",
                " message",
                " position",
                " differ",
                " unique",
                " name",
            ],
            text: "one sentence that says why {business} is better than {rivals}, in words that a \
                customer used, not you.",
        },
        Topic {
            heading: "The channel",
            words: &[
                " channel",
                " market",
                " advert",
                " social",
                " instagram",
                " ads ",
                " seo",
                " promot",
            ],
            text: "begin with one: {channel}. Leave the others until it works or has clearly \
                failed.",
        },
        Topic {
            heading: "The experiment",
            words: &[" test", " try", " experiment", " launch", " start", " idea"],
            text: "in the next two weeks, offer {offer} {in_place} to twenty people. Write down \
                before what counts as a yes: [how many pay].",
        },
        Topic {
            heading: "The price",
            words: &[
                " price",
                " pricing",
                " cheap",
                " expensive",
                " discount",
                " package",
            ],
            text: "name a price per {unit} to the next five people who ask, and watch what they \
                say. [price per {unit}] must leave something after {costs}.",
        },
        Topic {
            heading: "The return",
            words: &[
                " retain", " return", " loyal", " repeat", " churn", " regular",
            ],
            text: "what makes somebody come back for a second {unit}? Arrange it before they leave \
                the first time.",
        },
        Topic {
            heading: "The recommendation",
            words: &[
                " referr",
                " recommend",
                " review",
                " word of mouth",
                " partner",
            ],
            text: "ask each happy customer for one name, on the same day. Find a business that \
                already serves {customers} and has no reason to compete.",
        },
        Topic {
            heading: "The count",
            words: &[
                " measur",
                " metric",
                " kpi",
                " number",
                " analytic",
                " track",
                " sale",
            ],
            text: "three numbers on one sheet, every Friday: new enquiries, new customers, \
                customers who came back. [this week's] is enough to begin.",
        },
    ],
    questions: &[
        Question {
            about: About::Business,
            text: "What do you sell, and what does a customer have afterwards that they lacked before?",
        },
        Question {
            about: About::Customers,
            text: "Who bought last, or would buy first, and how did they find you?",
        },
        Question {
            about: About::Place,
            text: "Where are these customers: in one street, in a whole country, online?",
        },
        Question {
            about: About::Figures,
            text: "What does a {unit} cost today, and how many do you sell in a week?",
        },
    ],
    deeper: &[
        "How many hours a week can you spend on winning customers?",
        "Whom have you talked to who decided against {business}, and why?",
        "What do {customers} search for, or whom do they ask, when they need {offer}?",
        "What have you tried already, and what came of it?",
        "If you could have only ten customers, which ten?",
    ],
};
