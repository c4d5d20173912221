//! Which read replicas there are, and which of them a command is about.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::Addresses;

/// The name of a replica that was given without one.
pub const FIRST_REPLICA: &str = "replica1";

/// Where the read replicas are.
#[derive(Debug, Clone, Args)]
pub struct ReplicaArgs {
    /// A read replica as role fido_app, once for each (a physical standby of one is one too). NAME
    /// alone chooses one of those that are known anyway.
    #[arg(long = "replica", value_name = "NAME[=URL]", hide_env_values = true)]
    chosen: Vec<ReplicaArg>,
    /// All read replicas, separated by spaces.
    #[arg(
        long,
        env = "FIDO_REPLICAS",
        hide_env_values = true,
        value_name = "NAME=URL …"
    )]
    replicas: Option<ReplicaList>,
    /// The read replica, where there is one.
    #[arg(long, env = "FIDO_REPLICA_URL", hide_env_values = true)]
    replica_url: Option<String>,
    /// The name of that one.
    #[arg(long, env = "FIDO_REPLICA_NAME", default_value = FIRST_REPLICA)]
    replica_name: ReplicaName,
    /// The replica that is kept for analysts: no other query goes there.
    #[arg(long, env = "FIDO_ANALYST_REPLICA", value_name = "NAME")]
    analyst_replica: Option<ReplicaName>,
}

impl ReplicaArgs {
    /// The replicas that were given, or else those that `found` says are there.
    pub(super) fn resolve(
        &self,
        found: impl FnOnce() -> Result<Addresses>,
    ) -> Result<(Vec<ReplicaAddress>, Option<String>)> {
        let given = self.given();
        let (known, reserved) = if given.is_empty() {
            let found = found()?;
            (found.replicas, found.analyst_replica)
        } else {
            (given, None)
        };
        let reserved = self
            .analyst_replica
            .clone()
            .map(|ReplicaName(name)| name)
            .or(reserved);
        for (n, replica) in known.iter().enumerate() {
            if known[..n].iter().any(|other| other.name == replica.name) {
                bail!("there are two replicas named {}", replica.name);
            }
        }
        let named = |name: &str| known.iter().find(|replica| replica.name == name);
        let unknown =
            |name: &str| anyhow::anyhow!("there is no replica {name}; there is {}", names(&known));
        if let Some(name) = &reserved {
            named(name).ok_or_else(|| unknown(name))?;
        }
        let mut chosen = Vec::new();
        for ReplicaArg { name, .. } in &self.chosen {
            chosen.push(named(name).ok_or_else(|| unknown(name))?.clone());
        }
        Ok((if chosen.is_empty() { known } else { chosen }, reserved))
    }

    /// The replica `name`, whichever was chosen.
    pub(super) fn named(
        &self,
        name: &str,
        found: impl FnOnce() -> Result<Addresses>,
    ) -> Result<ReplicaAddress> {
        let mut known = self.given();
        if known.is_empty() {
            known = found()?.replicas;
        }
        let named = known.iter().find(|replica| replica.name == name);
        match named {
            Some(replica) => Ok(replica.clone()),
            None => bail!("there is no replica {name}; there is {}", names(&known)),
        }
    }

    /// Those of which the address was given.
    fn given(&self) -> Vec<ReplicaAddress> {
        let mut given: Vec<_> = self
            .chosen
            .iter()
            .filter_map(|ReplicaArg { name, url }| {
                Some(ReplicaAddress {
                    name: name.clone(),
                    url: url.clone()?,
                })
            })
            .collect();
        let listed = self
            .replicas
            .iter()
            .flat_map(|ReplicaList(list)| list.clone());
        let alone = self.replica_url.clone().map(|url| ReplicaAddress {
            name: self.replica_name.to_string(),
            url,
        });
        // What is on the command line comes before what the environment says.
        let otherwise = listed.chain(alone);
        let said: Vec<String> = given.iter().map(|replica| replica.name.clone()).collect();
        given.extend(otherwise.filter(|replica| !said.contains(&replica.name)));
        given
    }
}

/// A replica and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaAddress {
    /// Its name.
    pub name: String,
    /// Its database, as fido_app unless something else is said.
    pub url: String,
}

impl FromStr for ReplicaAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let arg: ReplicaArg = text.parse()?;
        let url = arg.url.ok_or("must be NAME=URL")?;
        Ok(Self {
            name: arg.name,
            url,
        })
    }
}

/// The only one of `replicas`, for what is about one.
///
/// # Errors
/// When there are several: one has to be chosen.
pub fn the_one(replicas: &[ReplicaAddress]) -> Result<&ReplicaAddress> {
    match replicas {
        [one] => Ok(one),
        several => bail!("choose one replica with --replica: {}", names(several)),
    }
}

fn names(replicas: &[ReplicaAddress]) -> String {
    let names: Vec<_> = replicas.iter().map(|replica| &*replica.name).collect();
    names.join(", ")
}

/// A name that also fits into a subject of NATS.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ReplicaName(String);

impl FromStr for ReplicaName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if (1..=64).contains(&text.len()) && text.chars().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a replica's name is made of 1 to 64 letters, digits, - and _")
        }
    }
}

impl fmt::Display for ReplicaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `NAME`, or `NAME=URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ReplicaArg {
    name: String,
    url: Option<String>,
}

impl FromStr for ReplicaArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, url) = match text.split_once('=') {
            Some((name, url)) => (name, Some(url.to_owned())),
            None => (text, None),
        };
        let ReplicaName(name) = name.parse()?;
        Ok(Self { name, url })
    }
}

/// `NAME=URL NAME=URL …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReplicaList(pub(super) Vec<ReplicaAddress>);

impl FromStr for ReplicaList {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let list: Result<_, _> = text.split_whitespace().map(str::parse).collect();
        list.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        replicas: ReplicaArgs,
    }

    fn found() -> Result<Addresses> {
        let replica = |n: u32| ReplicaAddress {
            name: format!("found{n}"),
            url: format!("postgres://found/{n}"),
        };
        Ok(Addresses {
            events_url: String::new(),
            replicas: vec![replica(1), replica(2)],
            analyst_replica: None,
            nats_url: String::new(),
            nats_seeds: None,
            nats_seed: None,
            events_owner_url: None,
            vault_url: None,
            erasure_register: None,
        })
    }

    fn resolve(arguments: &[&str]) -> Result<(Vec<ReplicaAddress>, Option<String>)> {
        let arguments = [&["fido"], arguments].concat();
        Command::try_parse_from(arguments)?.replicas.resolve(found)
    }

    fn resolved(arguments: &[&str]) -> String {
        let (replicas, _) = resolve(arguments).unwrap();
        let said: Vec<_> = replicas
            .iter()
            .map(|replica| format!("{}={}", replica.name, replica.url))
            .collect();
        said.join(" ")
    }

    #[test]
    fn replicas_are_given_one_by_one_or_all_at_once() {
        assert_eq!(
            resolved(&["--replica", "a=u1?x=1", "--replica", "b=u2"]),
            "a=u1?x=1 b=u2"
        );
        assert_eq!(resolved(&["--replicas", " a=u1\n b=u2 "]), "a=u1 b=u2");
        assert_eq!(resolved(&["--replica-url", "u"]), "replica1=u");
        assert_eq!(
            resolved(&["--replica-url", "u", "--replica-name", "a"]),
            "a=u"
        );
    }

    #[test]
    fn without_any_those_that_are_found_count() {
        assert_eq!(
            resolved(&[]),
            "found1=postgres://found/1 found2=postgres://found/2"
        );
        assert_eq!(
            resolved(&["--replica", "found2"]),
            "found2=postgres://found/2"
        );
    }

    #[test]
    fn a_name_alone_chooses() {
        let list = "a=u1 b=u2 c=u3";
        assert_eq!(resolved(&["--replicas", list, "--replica", "b"]), "b=u2");
        let refused = resolve(&["--replicas", list, "--replica", "d"]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "there is no replica d; there is a, b, c"
        );
        let (replicas, _) = resolve(&["--replicas", list]).unwrap();
        assert!(the_one(&replicas).is_err());
        assert_eq!(the_one(&replicas[1..2]).unwrap().name, "b");
    }

    #[test]
    fn the_command_line_has_the_last_word_on_an_address() {
        assert_eq!(
            resolved(&["--replicas", "a=u1 b=u2", "--replica", "b=u9"]),
            "b=u9"
        );
    }

    #[test]
    fn one_can_be_kept_for_analysts() {
        let (_, reserved) = resolve(&["--analyst-replica", "found2"]).unwrap();
        assert_eq!(reserved.as_deref(), Some("found2"));
        assert!(resolve(&["--analyst-replica", "other"]).is_err());
    }

    #[test]
    fn what_cannot_be_a_replica_is_refused() {
        for wrong in ["a.b=u", "=u", "a b=u"] {
            assert!(resolve(&["--replica", wrong]).is_err(), "{wrong}");
        }
        assert!(resolve(&["--replicas", "a"]).is_err());
        assert!(resolve(&["--replicas", "a=u1 a=u2"]).is_err());
    }
}
