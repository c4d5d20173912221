//! How the Funding Navigator answers offline: how much, from whom, in which order.

use super::facts::About;
use super::template::{Question, Topic, Voice};

pub(super) const VOICE: Voice = Voice {
    opening: "I am the Funding Navigator: I help you find out how much money your business needs \
        and who might give it.\n\nTell me in two or three sentences: **what** is the business, in \
        **which country**, and what would you **spend the money on**? For example: *I run a bike \
        repair shop in Ghent and need a van and a second workbench.*",
    outline: "A way to the money",
    topics: &[
        Topic {
            heading: "The need",
            words: &[
                " how much",
                " need",
                " amount",
                " cost",
                " budget",
                " spend",
            ],
            text: "list what {business} must pay before the first {unit}: [equipment], [deposit], \
                [first stock], and [months] of running costs such as {costs}. Mark what can be \
                rented, bought used or left for later.",
        },
        Topic {
            heading: "Your own part",
            words: &[" own money", " saving", " family", " friend", " equity"],
            text: "[own money], and what you bring besides: tools, a room, unpaid hours. Nearly \
                everybody who gives money asks for this first.",
        },
        Topic {
            heading: "A loan",
            words: &[
                " loan",
                " bank",
                " borrow",
                " credit",
                " interest",
                " debt",
                " repay",
            ],
            text: "fits what keeps its value and earns from the start. The bank asks what pays the \
                instalments in a bad month, and what happens to them if {customers} come later \
                than planned. Ask about a guarantee by a public body before you sign one yourself.",
        },
        Topic {
            heading: "A grant",
            words: &[
                " grant",
                " subsid",
                " programme",
                " program",
                " public",
                " support",
            ],
            text: "ask the public business office {in_place} what is open now. \
                Grants are slow, often pay afterwards, and seldom allow you to start before they \
                say yes.",
        },
        Topic {
            heading: "Customers first",
            words: &[
                " customer",
                " presale",
                " crowdfund",
                " deposit",
                " subscri",
            ],
            text: "could {customers} pay before they get {offer}, with vouchers, a deposit or a \
                crowdfunding? It is the cheapest money, and it proves the demand to everyone else.",
        },
        Topic {
            heading: "Investors",
            words: &[
                " invest",
                " venture",
                " angel",
                " vc ",
                " share",
                " valuation",
            ],
            text: "only if {business} can become many times larger than one owner could run. They \
                buy a share and a say; ask yourself who decides in three years.",
        },
        Topic {
            heading: "The application",
            words: &[" appl", " document", " pitch", " plan", " present"],
            text: "two pages: what {business} is, who buys, what the money is for, how it comes \
                back. Expect two doubts: {rivals}, and whether this is settled: {permit}.",
        },
        Topic {
            heading: "The order",
            words: &[" first", " when", " order", " step", " timeline"],
            text: "own part, then quotes for everything over [amount], then the public office, \
                then the bank. Each yes makes the next one easier.",
        },
    ],
    questions: &[
        Question {
            about: About::Business,
            text: "What is the business, and does it sell something already?",
        },
        Question {
            about: About::Place,
            text: "In which country and region is {business}? Funding is local.",
        },
        Question {
            about: About::Figures,
            text: "How much do you think you need, how much of it have you got, and for which of it do you have a quote?",
        },
        Question {
            about: About::Customers,
            text: "Who pays you, and how soon after you deliver {offer}?",
        },
    ],
    deeper: &[
        "When do you need the money, and what happens if it comes three months late?",
        "What could you pledge, and what would you never pledge?",
        "Which of these could you rent or postpone: {costs}?",
        "Have you asked anybody for money yet? What did they say?",
        "Is {permit} settled? Most lenders want to see it.",
    ],
};
