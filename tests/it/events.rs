//! `fido events` prints the page that stands in `docs/`.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_catalogue_that_is_printed_is_the_page_in_docs() {
    let printed = Command::new(env!("CARGO_BIN_EXE_fido"))
        .arg("events")
        .output()
        .unwrap();
    assert!(printed.status.success());
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.md");
    assert!(
        printed.stdout == fs::read(page).unwrap_or_default(),
        "docs/events.md is not up to date: cargo run -- events > docs/events.md"
    );
}
