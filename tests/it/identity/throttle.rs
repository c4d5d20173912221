//! Who guesses waits, at whichever instance; whose account it is comes in all the same.

use super::{PASSWORD, client_at, try_to_sign_in};
use crate::app::TestApp;
use crate::processes::Served;

const ADA: &str = "ada@example.com";
const WRONG: &str = "battery staple";

#[tokio::test(flavor = "multi_thread")]
async fn after_five_wrong_passwords_even_the_right_one_waits_at_every_instance() {
    let app = TestApp::start_quiet().await;
    app.register("ada").await;
    let other = Served::start(&app.ground).await;
    let bases = [app.url(""), other.base.clone()];
    for email in [ADA, "nobody@example.com"] {
        for n in 0..5 {
            let (status, problem, _) = try_to_sign_in(&app.http, &bases[n % 2], email, WRONG).await;
            assert_eq!(status, 401, "{email}: {problem}");
        }
        for base in &bases {
            let (status, problem, wait) = try_to_sign_in(&app.http, base, email, PASSWORD).await;
            assert_eq!(status, 429, "{email}: {problem}");
            assert_eq!(problem["type"], "/problems/too-many-attempts");
            let wait = wait.expect("Retry-After");
            assert!((1..=30).contains(&wait), "{wait}");
        }
    }
    // At another address the owner does not have to wait.
    let elsewhere = client_at([127, 0, 0, 2]);
    let (status, problem, _) = try_to_sign_in(&elsewhere, &bases[0], ADA, PASSWORD).await;
    assert_eq!(status, 201, "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_attempts_at_once_no_more_are_looked_at() {
    let app = TestApp::start_quiet().await;
    app.register("ada").await;
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let (http, base) = (app.http.clone(), app.url(""));
        attempts.spawn(async move { try_to_sign_in(&http, &base, ADA, WRONG).await.0 });
    }
    let statuses = attempts.join_all().await;
    let looked_at = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(looked_at, 5, "{statuses:?}");
    assert!(statuses.iter().all(|status| [401, 429].contains(status)));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_everywhere_slow_each_other_down_and_not_the_owner_at_home() {
    let app = TestApp::start_quiet().await;
    app.register("ada").await;
    let base = app.url("");
    let home = client_at([127, 0, 0, 9]);
    assert_eq!(try_to_sign_in(&home, &base, ADA, PASSWORD).await.0, 201);
    let mut strangers = tokio::task::JoinSet::new();
    for n in 1..=20 {
        let (stranger, base) = (client_at([127, 0, 1, n]), base.clone());
        strangers.spawn(async move { try_to_sign_in(&stranger, &base, ADA, WRONG).await.0 });
    }
    assert_eq!(strangers.join_all().await, [401; 20]);
    let stranger = client_at([127, 0, 2, 1]);
    let (status, _, wait) = try_to_sign_in(&stranger, &base, ADA, PASSWORD).await;
    assert_eq!(
        status, 429,
        "not even with the right one, where nobody has come in before"
    );
    assert!((1..=10).contains(&wait.unwrap()), "and not for long");
    assert_eq!(try_to_sign_in(&home, &base, ADA, PASSWORD).await.0, 201);
}
