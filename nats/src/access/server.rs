//! The permissions as nats-server reads them, and as a person does.

use std::fmt::Write;

use super::{Permissions, Role};

/// The part of nats-server's configuration that lets in each of `users`, given by public key, for what
/// its role does, and nobody else.
pub fn authorization(users: &[(Role, String)], replicas: &[String]) -> String {
    let users = users.iter().map(|(role, public_key)| {
        let permissions = Permissions::of(*role, replicas);
        user(*role, public_key, &permissions)
    });
    let users: String = users.collect();
    format!("authorization {{\n  users: [\n{users}  ]\n}}\n")
}

fn user(role: Role, public_key: &str, permissions: &Permissions) -> String {
    let Permissions {
        publish,
        publish_not,
        subscribe,
        answers,
    } = permissions;
    let mut text = format!(
        "    # {role}: {}\n    {{\n      nkey: {public_key}\n      permissions: {{\n        \
         publish: {{ allow: {}",
        role.purpose(),
        list(publish)
    );
    if !publish_not.is_empty() {
        text.push_str(", deny: ");
        text.push_str(&list(publish_not));
    }
    text.push_str(" }\n        subscribe: { allow: ");
    text.push_str(&list(subscribe));
    text.push_str(" }\n");
    if *answers {
        text.push_str("        allow_responses: true\n");
    }
    text.push_str("      }\n    }\n");
    text
}

/// No subject holds a quotation mark or a backslash.
fn list(subjects: &[String]) -> String {
    let lines = subjects
        .iter()
        .map(|subject| format!("\n          \"{subject}\""));
    format!("[{}\n        ]", lines.collect::<String>())
}

/// What each role may do, as a Markdown table, where replicas have no names yet.
pub fn table() -> String {
    let mut text =
        "| role | what it does | may publish | may hear |\n|---|---|---|---|\n".to_owned();
    for role in Role::ALL {
        let permissions = Permissions::of(role, &[]);
        let code = |subjects: &[String]| {
            let subjects = subjects.iter().map(|subject| format!("`{subject}`"));
            subjects.collect::<Vec<_>>().join("<br>")
        };
        let mut publish = code(&permissions.publish);
        if !permissions.publish_not.is_empty() {
            publish.push_str("<br>except<br>");
            publish.push_str(&code(&permissions.publish_not));
        }
        if permissions.answers {
            publish.push_str("<br>answers to what it is asked");
        }
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {role} | {} | {publish} | {} |",
            role.purpose(),
            code(&permissions.subscribe)
        );
    }
    text
}
