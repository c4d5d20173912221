//! Projectors on real servers: killed, stopped, doubled, starved and contradicted. Whatever happens, a
//! replica is in the end what a fresh replay of the log is.

mod contents;
mod history;
mod holes;
mod kills;
mod pause;
mod quarantine;
mod scene;
mod standby;
mod upgrade;
