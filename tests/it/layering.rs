//! Who may import whom: domain <- commands <- nats <- projections <- copilot, api <- the binary.

use std::process::Command;

use serde_json::Value;

/// What one crate may know.
struct Layer {
    name: &'static str,
    /// The crates of this workspace to its left.
    may_import: &'static [&'static str],
    /// The libraries that belong to other layers.
    never: &'static [&'static str],
    rule: &'static str,
}

const LAYERS: [Layer; 6] = [
    Layer {
        name: "fido-domain",
        may_import: &[],
        never: &[
            "tokio",
            "futures",
            "async-trait",
            "sqlx",
            "postgres-es",
            "async-nats",
            "reqwest",
            "axum",
            "async-openai",
            "getrandom",
            "rand",
        ],
        rule: "the domain is pure: no I/O, no async, no randomness",
    },
    Layer {
        name: "fido-commands",
        may_import: &["fido-domain"],
        never: &[
            "axum",
            "tower-http",
            "reqwest",
            "async-nats",
            "async-openai",
        ],
        rule: "commands decide and append; they know neither HTTP nor NATS nor a model provider",
    },
    Layer {
        name: "fido-nats",
        may_import: &["fido-domain", "fido-commands"],
        never: &[
            "sqlx",
            "postgres-es",
            "axum",
            "tower-http",
            "reqwest",
            "async-openai",
        ],
        rule: "nats carries events; it knows neither SQL nor HTTP",
    },
    Layer {
        name: "fido-projections",
        may_import: &["fido-domain", "fido-commands", "fido-nats"],
        never: &[
            "cqrs-es",
            "postgres-es",
            "axum",
            "tower-http",
            "reqwest",
            "async-openai",
        ],
        rule: "projections read the log and answer queries; they decide nothing and know no HTTP",
    },
    Layer {
        name: "fido-copilot",
        may_import: &[
            "fido-domain",
            "fido-commands",
            "fido-nats",
            "fido-projections",
        ],
        never: &["axum", "tower-http", "sqlx", "postgres-es"],
        rule: "the co-pilots read through projections and write through commands; they know no SQL and serve no HTTP",
    },
    Layer {
        name: "fido-api",
        may_import: &[
            "fido-domain",
            "fido-commands",
            "fido-nats",
            "fido-projections",
        ],
        never: &["sqlx", "postgres-es", "async-openai"],
        rule: "the api translates HTTP into commands and queries; it knows neither the co-pilots nor SQL",
    },
];

/// The package that puts it all together, and may therefore know everything.
const ROOT: &str = "fido";

#[test]
fn every_crate_imports_only_what_is_left_of_it() {
    let violations: Vec<String> = dependencies().iter().filter_map(violation).collect();
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

/// One line of a `[dependencies]` or `[build-dependencies]` table; tests may use what they like.
struct Dependency {
    importer: String,
    imported: String,
    is_ours: bool,
}

fn violation(dependency: &Dependency) -> Option<String> {
    let Dependency {
        importer,
        imported,
        is_ours,
    } = dependency;
    if importer == ROOT {
        return None;
    }
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == importer) else {
        return Some(format!(
            "{importer} has no layer yet; give it one in tests/it/layering.rs"
        ));
    };
    let is_allowed = if *is_ours {
        layer.may_import.contains(&imported.as_str())
    } else {
        !layer.never.contains(&imported.as_str())
    };
    (!is_allowed).then(|| format!("{importer} must not depend on {imported}: {}", layer.rule))
}

fn dependencies() -> Vec<Dependency> {
    let listed = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let metadata: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(
        packages.len(),
        LAYERS.len() + 1,
        "a crate came or went; tell tests/it/layering.rs"
    );
    let imports = |package: &Value| {
        let importer = text(&package["name"]);
        let dependencies = package["dependencies"].as_array().unwrap().clone();
        dependencies
            .into_iter()
            .filter(|found| found["kind"] != "dev")
            .map(move |found| Dependency {
                importer: importer.clone(),
                imported: text(&found["name"]),
                is_ours: found["path"].is_string(),
            })
    };
    packages.iter().flat_map(imports).collect()
}
