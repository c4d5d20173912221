//! How the Business Plan Architect answers offline: the plan, section by section.

use super::facts::About;
use super::template::{Question, Topic, Voice};

pub(super) const VOICE: Voice = Voice {
    opening: "I am the Business Plan Architect: together we write a plan that a bank or a partner \
        can believe.\n\nTell me in two or three sentences: **what** do you want to sell, **to \
        whom**, and **where**? For example: *I want to open a bakery in Leeds for office workers. \
        I have saved some money and found a shop.*",
    outline: "A first outline of the plan",
    topics: &[
        Topic {
            heading: "Business description",
            words: &[
                " descri", " mission", " vision", " story", " legal", " company",
            ],
            text: "what {business} does {in_place}, for whom, and why you are the one to do it, in \
                one sentence that a stranger can repeat.",
        },
        Topic {
            heading: "Market analysis",
            words: &[
                " market ",
                " compet",
                " rival",
                " demand",
                " customer",
                " analys",
            ],
            text: "who buys {offer} {in_place} today, and from whom: {rivals}. Write down what \
                {customers} dislike about that, in their words, and count them: [number of \
                possible customers].",
        },
        Topic {
            heading: "Products and services",
            words: &[
                " product", " service", " price", " pricing", " offer", " menu", " sell",
            ],
            text: "{offer}: what is in the first version and what can wait. Give one price: [price \
                per {unit}].",
        },
        Topic {
            heading: "Operations plan",
            words: &[
                " operat",
                " staff",
                " team",
                " hire",
                " supplier",
                " equip",
                " permit",
                " licen",
            ],
            text: "a normal week of {business}, hour by hour, and what it takes: {costs}. To clear \
                up early: {permit}.",
        },
        Topic {
            heading: "Marketing plan",
            words: &[" advert", " promot", " social", " brand", " launch"],
            text: "how {customers} hear of {business} before the first day. A good beginning: \
                {channel}.",
        },
        Topic {
            heading: "Financial projections",
            words: &[
                " financ",
                " forecast",
                " revenue",
                " profit",
                " cost",
                " cash",
                " budget",
                " break",
            ],
            text: "a line for each of these costs: {costs}. Against them [price per {unit}] and \
                [how many a week]. The forecast does the sums.",
        },
        Topic {
            heading: "Funding request",
            words: &[" fund", " loan", " grant", " invest", " money", " bank"],
            text: "what {business} needs before the first {unit}, item by item, and what you put \
                in yourself: [own money]. The Funding Navigator helps with where to get the rest.",
        },
        Topic {
            heading: "Owner bio",
            words: &[
                " about me",
                " experience",
                " background",
                " owner",
                " bio",
                " cv ",
            ],
            text: "the three things in your life that make {business} likely to work, with names \
                and dates.",
        },
    ],
    questions: &[
        Question {
            about: About::Business,
            text: "What exactly do you sell, in a sentence that a neighbour would understand?",
        },
        Question {
            about: About::Customers,
            text: "Who are the first ten people that would pay for {offer}, and what do they do today instead?",
        },
        Question {
            about: About::Place,
            text: "Where will {business} work, in which town or on which site, and why there?",
        },
        Question {
            about: About::Figures,
            text: "Which figures do you know already: savings, rent, a quote, a price per {unit}?",
        },
    ],
    deeper: &[
        "What have you tried or sold already, and what did people say?",
        "Who runs {business} with you, and who stands in when you are ill?",
        "What would have to be true in a year for you to call {business} a success?",
        "Which of these costs do you know least about: {costs}?",
        "What would {rivals} do if {business} went well?",
    ],
};
