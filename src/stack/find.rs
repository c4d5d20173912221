//! Finds `postgres` and `nats-server` on this machine, and says how to install what is missing or too old.

use std::fmt;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::error::StackError;

const OLDEST_POSTGRES: Version = Version(14, 0);
const OLDEST_NATS: Version = Version(2, 14);

const INSTALL_POSTGRES: &str = if cfg!(target_os = "macos") {
    "`make setup` (or `brew install postgresql@17`)"
} else {
    "`make setup` (or `sudo apt-get install postgresql`)"
};
const INSTALL_NATS: &str = if cfg!(target_os = "macos") {
    "`make setup` (or `brew install nats-server`)"
} else {
    "`make setup` (or a release from https://github.com/nats-io/nats-server/releases)"
};

/// A program's version: major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// Reads what `--version` prints, such as `postgres (PostgreSQL) 15.18 (Debian)` or `nats-server: v2.15.1`.
    fn parse(printed: &str) -> Option<Self> {
        printed.split_whitespace().find_map(|word| {
            let (major, rest) = leading_number(word.trim_start_matches('v'))?;
            let minor = rest.strip_prefix('.').and_then(leading_number);
            Some(Self(major, minor.map_or(0, |(minor, _)| minor)))
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// A program that is installed and new enough.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) version: Version,
}

/// Where `postgres` and `nats-server` are looked for.
#[derive(Debug, Clone)]
pub struct Programs {
    folders: Vec<PathBuf>,
    nats_server: Option<PathBuf>,
}

impl Programs {
    /// Looks on `PATH`, in this project's `.tools`, and where the usual packages put them.
    pub fn of_this_machine() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "PATH is the machine's list of programs, not Fido's configuration"
        )]
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<_> = std::env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .collect();
        folders.extend(std::env::current_dir().map(|here| here.join(".tools/nats/bin")));
        folders.extend(newest_first("/usr/lib/postgresql", ""));
        folders.extend(newest_first("/opt/homebrew/opt", "postgresql@"));
        folders.extend(newest_first("/usr/local/opt", "postgresql@"));
        folders.extend(
            [
                "/Applications/Postgres.app/Contents/Versions/latest/bin",
                "/opt/homebrew/bin",
                "/usr/local/bin",
                "/usr/sbin",
            ]
            .map(PathBuf::from),
        );
        Self::in_folders(folders)
    }

    /// Looks in these folders only, the first ones first.
    pub fn in_folders(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            folders: folders.into_iter().collect(),
            nats_server: None,
        }
    }

    /// Uses exactly this `nats-server`, where one is named.
    #[must_use]
    pub fn with_nats_server(mut self, path: Option<PathBuf>) -> Self {
        self.nats_server = path.or(self.nats_server);
        self
    }

    /// A `nats-server` of 2.14 or later.
    pub(super) async fn nats_server(&self) -> Result<Program, StackError> {
        let chosen = match &self.nats_server {
            Some(path) => vec![path.clone()],
            None => self.named("nats-server"),
        };
        first_new_enough("nats-server", chosen, OLDEST_NATS, INSTALL_NATS).await
    }

    /// A `postgres` of 14 or later with `initdb` beside it; of exactly the major version that wrote `cluster`, if one did.
    pub(super) async fn postgres(&self, cluster: &Path) -> Result<Program, StackError> {
        let mut chosen = self.named("postgres");
        chosen.retain(|postgres| postgres.with_file_name("initdb").is_file());
        let written_by = std::fs::read_to_string(cluster.join("PG_VERSION")).ok();
        let Some((major, _)) = written_by.as_deref().and_then(leading_number) else {
            return first_new_enough("postgres", chosen, OLDEST_POSTGRES, INSTALL_POSTGRES).await;
        };
        for path in chosen {
            if let Some(program) = probe(path)
                .await
                .filter(|program| program.version.0 == major)
            {
                return Ok(program);
            }
        }
        Err(StackError::OtherMajor {
            cluster: cluster.to_owned(),
            major,
        })
    }

    fn named(&self, program: &str) -> Vec<PathBuf> {
        let candidates = self.folders.iter().map(|folder| folder.join(program));
        candidates.filter(|path| path.is_file()).collect()
    }
}

async fn first_new_enough(
    program: &'static str,
    candidates: Vec<PathBuf>,
    needed: Version,
    install: &'static str,
) -> Result<Program, StackError> {
    let mut newest: Option<Program> = None;
    for path in candidates {
        let Some(found) = probe(path).await else {
            continue;
        };
        if found.version >= needed {
            return Ok(found);
        }
        if newest
            .as_ref()
            .is_none_or(|newest| newest.version < found.version)
        {
            newest = Some(found);
        }
    }
    Err(match newest {
        None => StackError::Missing { program, install },
        Some(Program { path, version }) => StackError::TooOld {
            program,
            path,
            found: version,
            needed,
            install,
        },
    })
}

/// Asks a program for its version; nothing when it cannot be run.
async fn probe(path: PathBuf) -> Option<Program> {
    let path = std::path::absolute(path).ok()?;
    let printed = Command::new(&path)
        .arg("--version")
        .output()
        .await
        .ok()?
        .stdout;
    let version = Version::parse(&String::from_utf8_lossy(&printed))?;
    Some(Program { path, version })
}

/// The `bin` folders of `<parent>/<prefix><version>`, the newest version first.
fn newest_first(parent: &str, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (major, _) = leading_number(name.strip_prefix(prefix)?)?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    found.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_are_read_from_what_programs_print() {
        let parse = Version::parse;
        assert_eq!(
            parse("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some(Version(15, 18))
        );
        assert_eq!(parse("postgres (PostgreSQL) 18beta1"), Some(Version(18, 0)));
        assert_eq!(parse("nats-server: v2.9.10"), Some(Version(2, 9)));
        assert_eq!(parse("command not found"), None);
    }

    #[test]
    fn a_later_minor_is_newer_although_its_text_sorts_before() {
        assert!(Version(2, 14) > Version(2, 9));
    }
}
