//! The words by which facts are recognised, and those that are mistaken for facts.

/// Before the article of a business to be.
pub(super) const FOUNDING_VERBS: [&str; 21] = [
    "open",
    "opening",
    "opened",
    "start",
    "starting",
    "started",
    "launch",
    "launching",
    "run",
    "running",
    "build",
    "building",
    "own",
    "plan",
    "planning",
    "create",
    "creating",
    "have",
    "grow",
    "growing",
    "am",
];
pub(super) const ARTICLES: [&str; 5] = ["a", "an", "my", "our", "the"];
/// A description of a business ends before these.
pub(super) const CONNECTIVES: [&str; 24] = [
    "in", "at", "near", "for", "called", "named", "that", "which", "who", "with", "to", "and",
    "but", "because", "where", "so", "from", "on", "by", "or", "selling", "as", "is", "of",
];
/// Ideas that say nothing.
pub(super) const EMPTY_IDEAS: [&str; 9] = [
    "business",
    "company",
    "plan",
    "business plan",
    "startup",
    "start-up",
    "idea",
    "question",
    "new business",
];
pub(super) const CAPITALISED_BUT_NO_PLACE: [&str; 17] = [
    "i",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "english",
    "excel",
    "q1",
    "i'm",
];
/// Words that may stand between "in" and a place.
pub(super) const BEFORE_PLACES: [&str; 12] = [
    "the",
    "rural",
    "downtown",
    "central",
    "greater",
    "north",
    "south",
    "east",
    "west",
    "northern",
    "southern",
    "beautiful",
];
pub(super) const PEOPLE: [&str; 4] = ["people", "children", "women", "men"];
/// Plurals after "for" that nobody sells to.
pub(super) const NO_CUSTOMERS: [&str; 20] = [
    "years",
    "months",
    "weeks",
    "days",
    "hours",
    "minutes",
    "reasons",
    "costs",
    "sales",
    "ideas",
    "funds",
    "this",
    "business",
    "customers",
    "clients",
    "investors",
    "grants",
    "loans",
    "options",
    "sources",
];
pub(super) const CURRENCIES: [char; 4] = ['$', '€', '£', '%'];
pub(super) const MONEY_WORDS: [&str; 13] = [
    "euro", "euros", "dollars", "pounds", "eur", "usd", "gbp", "chf", "percent", "€", "$", "£", "%",
];
