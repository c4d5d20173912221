//! Whoever tries to get in with something that is not theirs stays outside, and nothing is recorded.

use super::browser::Browser;
use super::provider::Forgery;
use super::{ADA, Scene};

const FAILED: (u16, &str) = (400, "sign-in-failed");

async fn is_kept_out(scene: &Scene, browser: &mut Browser, url: &str, what: &str) {
    let (status, problem) = browser.refused_by(url).await;
    assert_eq!((status, problem.as_str()), FAILED, "{what}");
    assert!(!browser.cookies.contains_key("fido"), "{what}");
    assert_eq!(scene.head().await, 0, "{what} was recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_right_lets_nobody_in() {
    let scene = Scene::set().await;
    for forgery in [
        Forgery::WrongNonce,
        Forgery::WrongAudience,
        Forgery::WrongIssuer,
        Forgery::Expired,
        Forgery::Unsigned,
        Forgery::SharedSecret,
        Forgery::OtherKey,
        Forgery::Tampered,
        Forgery::NoToken,
    ] {
        scene.provider.forges(forgery);
        let mut browser = Browser::new();
        let back = scene.way_back(&mut browser).await;
        is_kept_out(&scene, &mut browser, &back, &format!("{forgery:?}")).await;
    }
    scene.provider.forges(Forgery::None);
    scene.sign_in(&mut Browser::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_for_one_browser_is_of_no_use_to_another() {
    let scene = Scene::set().await;
    let mut victim = Browser::new();
    let back = scene.way_back(&mut victim).await;

    // Somebody who never was sent away, and somebody who was, for themselves.
    is_kept_out(&scene, &mut Browser::new(), &back, "without a cookie").await;
    let mut attacker = Browser::new();
    let own = scene.way_back(&mut attacker).await;
    is_kept_out(&scene, &mut attacker.clone(), &back, "another's answer").await;

    // The code of one with the state of the other: PKCE and nonce belong to the browser.
    let (code, state) = (parameter(&back, "code"), parameter(&own, "state"));
    let mixed = scene.app.url(&format!(
        "/v1/auth/oidc/small/callback?code={code}&state={state}"
    ));
    is_kept_out(&scene, &mut attacker, &mixed, "another's code").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_once() {
    let scene = Scene::set().await;
    let mut browser = Browser::new();
    let back = scene.way_back(&mut browser).await;
    let mut copy = browser.clone();
    browser.sent_by(&back).await;
    let head = scene.head().await;
    // Even by a browser that has kept its cookie.
    let (status, problem) = copy.refused_by(&back).await;
    assert_eq!((status, problem.as_str()), FAILED);
    assert_eq!(scene.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_made_up_is_refused() {
    let scene = Scene::set().await;
    let mut browser = Browser::new();
    let back = scene.way_back(&mut browser).await;
    let state = parameter(&back, "state");
    for other in ["", "x", &state[1..], &state.to_uppercase()] {
        let url = back.replace(&format!("state={state}"), &format!("state={other}"));
        is_kept_out(&scene, &mut browser, &url, "a made-up state").await;
    }
    // That did not use it up.
    browser.sent_by(&back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_no_or_comes_from_another_provider_stays_outside() {
    let scene = Scene::set().await;
    let mut browser = Browser::new();
    let back = scene.way_back(&mut browser).await;
    let state = parameter(&back, "state");
    let other = format!("{back}&iss=https://accounts.example");
    is_kept_out(&scene, &mut browser, &other, "another issuer").await;
    let path = format!("/v1/auth/oidc/small/callback?error=access_denied&state={state}");
    is_kept_out(&scene, &mut browser, &scene.app.url(&path), "a no").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_has_verified_opens_no_account() {
    let scene = Scene::set().await;
    let mut unverified = ADA;
    unverified.email_verified = false;
    scene.provider.lets_in(unverified);
    let mut browser = Browser::new();
    let back = scene.way_back(&mut browser).await;
    let refused = browser.refused_by(&back).await;
    assert_eq!(refused, (403, "email-unverified".to_owned()));
    assert_eq!(scene.head().await, 0);
}

/// The value of a parameter of `url`.
fn parameter(url: &str, name: &str) -> String {
    let (_, query) = url.split_once('?').unwrap();
    let mut parameters = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = parameters.find(|(found, _)| *found == name).unwrap();
    value.to_owned()
}
