//! Why a replica was not rebuilt.

use fido_commands::log::LogError;

use super::replay::ReplayError;
use crate::verify::VerifyError;

/// Why a replica was not rebuilt. The live schema is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// One at a time.
    #[error("another rebuild of this replica is under way")]
    UnderWay,
    /// Nothing was switched yet.
    #[error("there is no schema fido_previous to go back to")]
    NothingBefore,
    /// What it would be switched to was made by a build with other migrations.
    #[error(
        "the schema {schema} was made by a build with other migrations than this one; use that build"
    )]
    OtherMigrations {
        /// Which schema.
        schema: &'static str,
    },
    /// Somebody has removed the shadow.
    #[error("the schema that was being built is gone")]
    Gone,
    /// Something outside hangs on the live tables and would stay with the old ones.
    #[error(
        "{object} depends on the tables of the replica and cannot be moved to rebuilt ones: only views can; drop it first"
    )]
    InTheWay {
        /// What it is.
        object: String,
    },
    /// A view does not fit the rebuilt tables.
    #[error("the view {view} cannot be moved to the rebuilt tables")]
    View {
        /// Which.
        view: String,
        /// What PostgreSQL says.
        #[source]
        source: sqlx::Error,
    },
    /// Readers held the live schema all the time.
    #[error(
        "somebody was reading the live schema at each of {attempts} attempts to switch; the rebuilt one is kept, run it again"
    )]
    Busy {
        /// How often it was tried.
        attempts: u32,
    },
    /// An event could not be applied.
    #[error(transparent)]
    Replay(#[from] Box<ReplayError>),
    /// The schemas could not be compared.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The migrations of the replica could not be applied to the shadow.
    #[error("the tables of the replica could not be made")]
    Migrations(#[from] sqlx::migrate::MigrateError),
    /// The replica's database refused or was not there.
    #[error("the replica's database refused")]
    Database(#[from] sqlx::Error),
}

impl From<ReplayError> for RebuildError {
    fn from(error: ReplayError) -> Self {
        Self::Replay(Box::new(error))
    }
}
