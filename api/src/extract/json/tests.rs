//! Bodies that are refused, and what the refusal says.

use fido_domain::text::Text;
use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    #[expect(dead_code, reason = "only whether it is accepted matters")]
    text: Text<5>,
    #[expect(dead_code, reason = "only whether it is accepted matters")]
    size: Option<Size>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Size {
    #[expect(dead_code, reason = "only whether it is accepted matters")]
    width: u8,
}

/// The name of the problem, and the field that it names.
fn refused(body: &[u8]) -> (String, Option<String>) {
    let problem = parse::<Note>(body).unwrap_err();
    let debug = format!("{problem:?}");
    let kind = debug.split(['{', ',']).nth(1).unwrap_or_default();
    let kind = kind.trim().trim_start_matches("kind: ").to_owned();
    (kind, problem.named_fields().next().map(str::to_owned))
}

#[test]
fn each_refusal_names_the_field() {
    let cases: [(&[u8], &str, Option<&str>); 21] = [
        (b"", "MalformedBody", None),
        (b"not json", "MalformedBody", None),
        (br#"{"text": "a""#, "MalformedBody", None),
        (br#"{"text": "a"} trailing"#, "MalformedBody", None),
        (br#"{"text": "\ud800"}"#, "MalformedBody", Some("text")),
        (b"{\"text\": \"\xff\"}", "MalformedBody", Some("text")),
        (b"{\"text\": \"a\0\"}", "MalformedBody", Some("text")),
        (br#"{"text": tru}"#, "MalformedBody", Some("text")),
        (b"[", "MalformedBody", None),
        (br#"{"text": 7, "#, "MalformedBody", None),
        (b"null", "InvalidBody", None),
        (br#"["a", null]"#, "InvalidBody", None),
        (b"{}", "InvalidBody", Some("text")),
        (br#"{"text": 1}"#, "InvalidBody", Some("text")),
        (br#"{"text": "a\u0000"}"#, "InvalidBody", Some("text")),
        (br#"{"text": "  "}"#, "InvalidBody", Some("text")),
        (br#"{"text": "abcdef"}"#, "InvalidBody", Some("text")),
        (
            br#"{"text": "a", "text": "b"}"#,
            "InvalidBody",
            Some("text"),
        ),
        (
            br#"{"text": "a", "colour": 1}"#,
            "InvalidBody",
            Some("colour"),
        ),
        (
            br#"{"text": "a", "size": {}}"#,
            "InvalidBody",
            Some("size.width"),
        ),
        (
            br#"{"text": "a", "size": {"width": 256}}"#,
            "InvalidBody",
            Some("size.width"),
        ),
    ];
    for (body, kind, field) in cases {
        let found = refused(body);
        let shown = String::from_utf8_lossy(body);
        assert_eq!(
            (found.0.as_str(), found.1.as_deref()),
            (kind, field),
            "{shown}"
        );
    }
}

#[test]
fn what_fits_is_accepted() {
    assert!(parse::<Note>(br#" {"text": "abcde", "size": {"width": 255}} "#).is_ok());
    assert!(parse::<Note>(br#"{"text": "\ud83d\ude00"}"#).is_ok());
}

#[test]
fn messages_say_what_not_where_in_the_bytes() {
    let problem = parse::<Note>(br#"{"text": "abcdef"}"#).unwrap_err();
    assert!(format!("{problem:?}").contains("must have at most 5 characters, has 6\""));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_taken_in() {
    let request = |length: usize| {
        Request::post("/")
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .body(Body::from(vec![b' '; length]))
            .unwrap()
    };
    let refused = |length| async move {
        let problem = Json::<Note>::from_request(request(length), &())
            .await
            .err()
            .unwrap();
        problem.into_response().status().as_u16()
    };
    assert_eq!(refused(LIMIT + 1).await, 413);
    assert_eq!(refused(LIMIT).await, 400);
}

#[tokio::test]
async fn only_json_is_read() {
    for content_type in ["text/plain", "application/jsonp", ""] {
        let request = Request::post("/")
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from("{}"))
            .unwrap();
        let problem = Json::<Note>::from_request(request, &())
            .await
            .err()
            .unwrap();
        assert_eq!(
            problem.into_response().status().as_u16(),
            415,
            "{content_type}"
        );
    }
}
