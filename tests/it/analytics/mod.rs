//! The views for analysts: what they show, what they keep to themselves, and what survives a rebuild.

mod api;
mod docs;
mod few;
mod privacy;
mod rebuild;
mod tour;

use fido_projections::analytics::ROLE;
use sqlx::{Connection, PgConnection};

use crate::ground::Ground;
use crate::replica_scene::{Replica, log};

/// A replica's database, as the role for analysts.
async fn as_analyst(replica: &Replica) -> PgConnection {
    let place = replica.owner().username(ROLE);
    PgConnection::connect_with(&place).await.unwrap()
}

/// Waits until the replica shows all that has happened.
async fn shows_all(ground: &Ground, replica: &Replica) -> i64 {
    let head = log(ground).await.head().await.unwrap();
    replica.reaches(head).await;
    head
}
