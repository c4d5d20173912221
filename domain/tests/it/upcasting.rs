//! Older shapes arrive at the one that is written now; everything else is refused.

use cqrs_es::DomainEvent;
use fido_domain::recorded::{decode, decode_value, encode};
use fido_domain::upcast::{Shape, Upcaster};
use fido_domain::{StoredEvent, knows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::guests::GuestsEvent;

/// Both ways of reading, which must agree.
fn read(event_type: &str, version: &str, payload: &Value) -> Result<GuestsEvent, String> {
    let from_text: Result<GuestsEvent, _> = decode(event_type, version, &payload.to_string());
    let from_value: Result<GuestsEvent, _> = decode_value(event_type, version, payload.clone());
    assert_eq!(from_text.as_ref().ok(), from_value.as_ref().ok());
    from_text.map_err(|error| error.to_string())
}

fn welcomed(names: &[&str]) -> GuestsEvent {
    GuestsEvent::GuestsWelcomed {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        count: u32::try_from(names.len()).unwrap(),
        remark: None,
    }
}

#[test]
fn every_older_shape_arrives_at_the_newest() {
    for (event_type, version, payload) in [
        ("guest_came", "1", json!({"name": "Ada"})),
        ("guest_came", "2", json!({"names": ["Ada"]})),
        ("guests_welcomed", "1", json!({"names": ["Ada"]})),
        (
            "guests_welcomed",
            "2",
            json!({"names": ["Ada"], "count": 1}),
        ),
    ] {
        let event = read(event_type, version, &payload);
        assert_eq!(event, Ok(welcomed(&["Ada"])), "{event_type} {version}");
    }
}

#[test]
fn older_shapes_are_known_and_later_ones_are_not() {
    for (event_type, versions, unknown) in [
        ("guest_came", ["1", "2"], "3"),
        ("guests_welcomed", ["1", "2"], "3"),
        ("guests_left", ["1", "1"], "2"),
    ] {
        for version in versions {
            assert!(
                knows::<GuestsEvent>(event_type, version),
                "{event_type} {version}"
            );
        }
        assert!(
            !knows::<GuestsEvent>(event_type, unknown),
            "{event_type} {unknown}"
        );
    }
}

#[test]
fn the_newest_shape_is_taken_as_it_is() {
    let payload = json!({"names": ["Ada", "Bob"], "count": 9});
    let Ok(GuestsEvent::GuestsWelcomed { count, .. }) = read("guests_welcomed", "2", &payload)
    else {
        panic!("not read");
    };
    assert_eq!(count, 9, "no step may count again");
}

#[test]
fn an_event_is_written_under_the_version_that_its_last_step_leads_to() {
    assert_eq!(welcomed(&["Ada"]).event_version(), "2");
    assert_eq!(GuestsEvent::GuestsLeft {}.event_version(), "1");
    let written = encode(&welcomed(&["Ada"])).unwrap();
    assert_eq!(
        read("guests_welcomed", "2", &written),
        Ok(welcomed(&["Ada"]))
    );
}

#[test]
fn an_event_without_fields_is_read() {
    assert_eq!(
        read("guests_left", "1", &json!({})),
        Ok(GuestsEvent::GuestsLeft {})
    );
}

#[test]
fn an_optional_field_can_be_there_or_not() {
    let said =
        json!({"names": [], "count": 0, "remark": {"sealed": "1:guests_welcomed.remark:AAAA"}});
    let Ok(GuestsEvent::GuestsWelcomed { remark, .. }) = read("guests_welcomed", "2", &said) else {
        panic!("not read");
    };
    let sealed = remark.as_ref().and_then(|remark| remark.sealed());
    assert_eq!(sealed.unwrap().as_str(), "1:guests_welcomed.remark:AAAA");
}

#[test]
fn what_is_unknown_is_not_guessed_at() {
    let newest = json!({"names": ["Ada"], "count": 1});
    for (event_type, version, why) in [
        (
            "guests_welcomed",
            "3",
            "unknown version 3 of guests_welcomed",
        ),
        ("guests_welcomed", "", "unknown version  of guests_welcomed"),
        ("guest_came", "3", "unknown version 3 of guest_came"),
        (
            "guest_bit_the_host",
            "1",
            "unknown variant `guest_bit_the_host`",
        ),
        (
            "guest_bit_the_host",
            "2",
            "unknown version 2 of guest_bit_the_host",
        ),
    ] {
        let error = read(event_type, version, &newest).unwrap_err();
        assert!(error.contains(why), "{event_type} {version}: {error}");
    }
}

#[test]
fn what_does_not_have_the_fields_of_its_shape_is_refused() {
    for (event_type, version, payload, why) in [
        (
            "guest_came",
            "1",
            json!({"names": ["Ada"]}),
            "there is no name",
        ),
        (
            "guests_welcomed",
            "1",
            json!({"names": "Ada"}),
            "there is no names",
        ),
        (
            "guest_came",
            "1",
            json!(["Ada"]),
            "the payload is not an object",
        ),
        (
            "guests_welcomed",
            "2",
            json!({"names": ["Ada"]}),
            "missing field `count`",
        ),
        (
            "guests_welcomed",
            "2",
            json!({"names": [1], "count": 1}),
            "expected a string",
        ),
    ] {
        let error = read(event_type, version, &payload).unwrap_err();
        assert!(error.contains(why), "{event_type} {version}: {error}");
    }
}

#[test]
fn a_payload_is_one_json_value() {
    for broken in [
        r#"{"names":[],"count":0} {}"#,
        r#"{"names":[],"count":0"#,
        "",
    ] {
        for version in ["1", "2"] {
            let event = decode::<GuestsEvent>("guests_welcomed", version, broken);
            assert!(event.is_err(), "{broken} {version}");
        }
    }
}

/// Its steps go round in a circle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
enum CircleEvent {
    #[serde(rename = "turned")]
    Turned { times: u32 },
}

impl DomainEvent for CircleEvent {
    fn event_type(&self) -> String {
        "turned".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

const fn turn(from: &'static str, to: &'static str) -> Upcaster {
    Upcaster {
        from: Shape::new("turned", from),
        to: Shape::new("turned", to),
        lift: |fields| {
            let times = fields.get("times").and_then(Value::as_u64).unwrap_or(0);
            fields.insert("times".to_owned(), (times + 1).into());
            Ok(())
        },
    }
}

impl StoredEvent for CircleEvent {
    const UPCASTERS: &'static [Upcaster] = &[turn("1", "2"), turn("2", "1"), turn("2", "2")];
}

#[test]
fn steps_that_go_round_in_a_circle_end() {
    let once = |version| decode::<CircleEvent>("turned", version, r#"{"times":0}"#);
    let error = once("1").unwrap_err().to_string();
    assert!(error.contains("unknown version 1 of turned"), "{error}");
    let error = once("2").unwrap_err().to_string();
    assert!(error.contains("unknown version 1 of turned"), "{error}");
}
