//! Read models: rows that follow from the log alone, readers that say what the log says, and the plan
//! of every query.

mod equal;
mod history;
mod pages;
mod plans;
mod replica;
mod speed;
