//! Schemas of what is sent and of what is answered: the same type may differ in the two (a field
//! that may be left out is still always answered), but not under the same name.

use aide::generate::{GenContext, in_context, reset_context};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::map::Entry;

/// Begins a document.
pub(super) fn begin() {
    reset_context();
    in_context(|context| context.schema = settings().into_generator());
}

/// As OpenAPI 3.1 wants it.
fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "#/components/schemas".into();
        settings.meta_schema = None;
    })
}

/// What a client may send as a `T`.
pub(crate) fn read<T: JsonSchema>(context: &mut GenContext) -> Schema {
    generate(context, settings().for_deserialize(), |generator| {
        generator.subschema_for::<T>()
    })
}

/// What a client gets as a `T`.
pub(crate) fn written<T: JsonSchema>(context: &mut GenContext) -> Schema {
    generate(context, settings().for_serialize(), |generator| {
        generator.subschema_for::<T>()
    })
}

/// An object whose properties are parameters; it is no component itself.
pub(super) fn parameters<T: JsonSchema>(context: &mut GenContext) -> Schema {
    generate(context, settings().for_deserialize(), T::json_schema)
}

fn generate(
    context: &mut GenContext,
    settings: SchemaSettings,
    schema: impl FnOnce(&mut SchemaGenerator) -> Schema,
) -> Schema {
    let mut generator = settings.into_generator();
    let schema = schema(&mut generator);
    for (name, definition) in generator.take_definitions(true) {
        let clash = match context.schema.definitions_mut().entry(name) {
            Entry::Vacant(place) => {
                place.insert(definition);
                None
            }
            Entry::Occupied(place) if *place.get() == definition => None,
            Entry::Occupied(place) => Some(format!("two schemas are called {}", place.key())),
        };
        if let Some(clash) = clash {
            let clash: Box<dyn std::error::Error + Send + Sync> = clash.into();
            context.error(aide::Error::Other(clash));
        }
    }
    schema
}
