//! What the document says before the first route: how to sign in, and what holds everywhere.

use aide::openapi::{
    ApiKeyLocation, Components, HeaderStyle, Info, License, OpenApi, Parameter, ParameterData,
    ParameterSchemaOrContent, ReferenceOr, SchemaObject, SecurityScheme, Tag,
};
use schemars::json_schema;

/// What is found under which heading.
const TAGS: [(&str, &str); 9] = [
    (
        "accounts",
        "Opening an account, and what is known about it.",
    ),
    (
        "sessions",
        "Signing in, where one is signed in, and signing out.",
    ),
    ("conversations", "Talking to a co-pilot."),
    (
        "plans",
        "The plan in nine sections, and what the co-pilots know about the business.",
    ),
    ("forecasts", "Figures: forecasts and financial functions."),
    ("stream", "What happens, as it happens."),
    ("analytics", "What analysts see: no personal content."),
    ("operators", "What auditors and administrators see and do."),
    (
        "health",
        "Whether this process lives, and whether it can do its work.",
    ),
];

const DESCRIPTION: &str = include_str!("introduction.md");

/// The document without its routes.
pub(super) fn introduce() -> OpenApi {
    OpenApi {
        info: Info {
            title: "Fido".to_owned(),
            summary: Some("Co-pilots for people who write business plans".to_owned()),
            description: Some(DESCRIPTION.to_owned()),
            license: Some(License {
                name: "Apache-2.0".to_owned(),
                identifier: Some("Apache-2.0".to_owned()),
                ..License::default()
            }),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Info::default()
        },
        tags: TAGS.map(tag).into(),
        components: Some(components()),
        ..OpenApi::default()
    }
}

fn tag((name, description): (&str, &str)) -> Tag {
    Tag {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        ..Tag::default()
    }
}

fn components() -> Components {
    let schemes = [
        (
            "bearer".to_owned(),
            ReferenceOr::Item(SecurityScheme::Http {
                scheme: "bearer".to_owned(),
                bearer_format: None,
                description: Some("The `token` of a sign-in, for programs.".to_owned()),
                extensions: Default::default(),
            }),
        ),
        (
            "cookie".to_owned(),
            ReferenceOr::Item(SecurityScheme::ApiKey {
                location: ApiKeyLocation::Cookie,
                name: "__Host-fido".to_owned(),
                description: Some(
                    "Set by a sign-in, for browsers (`fido` on http://localhost). With it, changes \
                     must come from the same origin."
                        .to_owned(),
                ),
                extensions: Default::default(),
            }),
        ),
    ];
    Components {
        security_schemes: schemes.into_iter().collect(),
        parameters: [(
            "Idempotency-Key".to_owned(),
            ReferenceOr::Item(idempotency_key()),
        )]
        .into_iter()
        .collect(),
        ..Components::default()
    }
}

fn idempotency_key() -> Parameter {
    Parameter::Header {
        parameter_data: ParameterData {
            name: "Idempotency-Key".to_owned(),
            description: Some(
                "A word of the client's choice. The same request under the same key has one effect \
                 and gets the first answer again, for 48 hours."
                    .to_owned(),
            ),
            required: false,
            deprecated: None,
            format: ParameterSchemaOrContent::Schema(SchemaObject {
                json_schema: json_schema!({
                    "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$",
                }),
                external_docs: None,
                example: None,
            }),
            example: None,
            examples: Default::default(),
            explode: None,
            extensions: Default::default(),
        },
        style: HeaderStyle::Simple,
    }
}
