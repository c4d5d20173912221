//! schemathesis against everything that the document says, as each role. What it leaves out stands
//! with its reason in `tests/schemathesis/config.toml`.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::app::{TestApp, TestUser};

/// Somebody for each role, which they have besides `user`.
const ROLES: [&str; 4] = ["user", "analyst", "auditor", "admin"];

async fn somebody(app: &TestApp, role: &str, n: u32) -> TestUser {
    let user = app.register(&format!("{role}{n}")).await;
    if role != "user" {
        let id = user.account_id.to_string();
        let mut grant = app.ground.command(&["account", "grant", &id, role]);
        assert!(grant.status().await.unwrap().success());
    }
    user
}

/// Runs it as `user`; what it found is in its output, which is shown when it found something.
async fn run(app: &TestApp, user: &TestUser, arguments: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bearer = format!("Authorization: Bearer {}", user.token);
    let output = Command::new(root.join("scripts/schemathesis"))
        .args(["run", &app.url("/openapi.json"), "--header", &bearer])
        .args(arguments)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).replace(&user.token, "…");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_run_as_each_role_finds_nothing() {
    let app = TestApp::start().await;
    for role in ROLES {
        let user = somebody(&app, role, 0).await;
        let short = ["--max-examples", "3", "--generation-deterministic"];
        run(&app, &user, &short).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes FIDO_FUZZ_MINUTES (10); make fuzz"]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "whoever runs it says for how long, and wants to see how far it is"
)]
async fn soak() {
    let minutes = std::env::var("FIDO_FUZZ_MINUTES").map_or(10, |text| text.parse().unwrap());
    let until = Instant::now() + Duration::from_secs(60 * minutes);
    let app = TestApp::start().await;
    let mut rounds = 0;
    while Instant::now() < until {
        for role in ROLES {
            let user = somebody(&app, role, rounds + 1).await;
            let seed = fastrand::u32(..).to_string();
            println!("round {rounds} as {role}, seed {seed}");
            run(&app, &user, &["--max-examples", "50", "--seed", &seed]).await;
        }
        rounds += 1;
    }
    println!("{rounds} rounds as each role found nothing");
}
