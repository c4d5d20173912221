//! `fido openapi` prints the document that stands in `docs/`, and that every API process answers.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::app::TestApp;

fn committed() -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    fs::read(file).unwrap_or_default()
}

#[test]
fn the_document_that_is_printed_is_the_one_in_docs() {
    let printed = Command::new(env!("CARGO_BIN_EXE_fido"))
        .arg("openapi")
        .output()
        .unwrap();
    assert!(printed.status.success());
    assert!(
        printed.stdout == committed(),
        "docs/openapi.json is not up to date: cargo run -- openapi > docs/openapi.json"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn anyone_may_read_the_document_and_the_page_that_shows_it() {
    let app = TestApp::start_quiet().await;
    let get = async |path: &str| app.http.get(app.url(path)).send().await.unwrap();

    let document = get("/openapi.json").await;
    assert_eq!(document.status(), 200);
    assert_eq!(document.headers()["content-type"], "application/json");
    assert_eq!(document.headers()["cache-control"], "public, max-age=300");
    let document: Value = document.json().await.unwrap();
    let committed: Value = serde_json::from_slice(&committed()).unwrap();
    assert_eq!(document, committed);

    let page = get("/docs").await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(page.text().await.unwrap().contains("/openapi.json"));
}
