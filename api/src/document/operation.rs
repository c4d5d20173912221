//! What is said of one operation.

use aide::generate::GenContext;
use aide::openapi::{
    Header, HeaderStyle, MediaType, Operation, Parameter, ParameterData, ParameterSchemaOrContent,
    PathStyle, ReferenceOr, Response, SchemaObject, SecurityRequirement, StatusCode,
};
use aide::operation::{ParamLocation, add_parameters, parameters_from_schema};
use aide::transform::TransformOperation;
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::Value;

use super::{problems, schemas};
use crate::problem::Kind;

/// What programs and people call an operation, and how it may end beyond what its signature says.
pub(crate) fn about(
    id: &'static str,
    summary: &'static str,
    ends_in: &'static [Kind],
) -> impl FnOnce(TransformOperation<'_>) -> TransformOperation<'_> {
    move |mut operation| {
        may_end_in(operation.inner_mut(), ends_in);
        operation.id(id).summary(summary)
    }
}

/// Notes that the operation may end in a problem of these kinds.
pub(crate) fn may_end_in(operation: &mut Operation, kinds: &[Kind]) {
    for kind in kinds {
        problems::note(operation, *kind);
    }
}

/// Notes that somebody must be signed in, with these roles.
pub(crate) fn needs(operation: &mut Operation, roles: &[&str]) {
    let roles: Vec<String> = roles.iter().map(|&role| role.to_owned()).collect();
    operation.security = ["bearer", "cookie"]
        .map(|scheme| SecurityRequirement::from_iter([(scheme.to_owned(), roles.clone())]))
        .into();
    may_end_in(operation, &[Kind::Unauthenticated]);
    if !roles.is_empty() {
        may_end_in(operation, &[Kind::Forbidden]);
    }
}

/// Notes the parameters behind `?`.
pub(crate) fn query<T: JsonSchema>(context: &mut GenContext, operation: &mut Operation) {
    let schema = schemas::parameters::<T>(context);
    let parameters = parameters_from_schema(context, schema, ParamLocation::Query);
    add_parameters(context, operation, parameters);
    may_end_in(operation, &[Kind::InvalidParameter]);
}

/// Notes the parameters of the path.
pub(crate) fn path<T: JsonSchema>(context: &mut GenContext, operation: &mut Operation) {
    let schema = schemas::parameters::<T>(context);
    let parameters = parameters_from_schema(context, schema, ParamLocation::Path);
    add_parameters(context, operation, parameters);
    may_end_in(operation, &[Kind::NotFound]);
}

/// Notes a parameter of the path that is no id.
pub(crate) fn path_parameter<T: JsonSchema>(
    context: &mut GenContext,
    operation: &mut Operation,
    name: &str,
    description: &str,
) {
    let schema = schemas::read::<T>(context);
    let parameter = in_path(name, description, schema);
    add_parameters(context, operation, [parameter]);
    may_end_in(operation, &[Kind::NotFound]);
}

/// Notes a header that may be sent.
pub(crate) fn header<T: JsonSchema>(
    context: &mut GenContext,
    operation: &mut Operation,
    name: &str,
    description: &str,
) {
    let schema = schemas::read::<T>(context);
    let parameter_data = data(name, description, schema);
    let style = HeaderStyle::Simple;
    let parameter = Parameter::Header {
        parameter_data,
        style,
    };
    add_parameters(context, operation, [parameter]);
    may_end_in(operation, &[Kind::InvalidParameter]);
}

/// A header of an answer, which is a text.
pub(crate) fn answered(description: &str, required: bool) -> Header {
    Header {
        description: Some(description.to_owned()),
        style: HeaderStyle::Simple,
        required,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(SchemaObject {
            json_schema: json_schema!({ "type": "string" }),
            external_docs: None,
            example: None,
        }),
        example: None,
        examples: Default::default(),
        extensions: Default::default(),
    }
}

/// `described` as the answer of an operation that has ended well.
pub(crate) fn ends_well(described: Option<Response>) -> Vec<(Option<StatusCode>, Response)> {
    described
        .map(|described| (Some(StatusCode::Code(200)), described))
        .into_iter()
        .collect()
}

/// An answer in a form that this document does not look into.
pub(crate) fn in_form(media_type: &str, description: &str) -> Response {
    let schema = match media_type {
        "application/json" => json_schema!({ "type": "object" }),
        _ => json_schema!({ "type": "string" }),
    };
    let media = MediaType {
        schema: Some(SchemaObject {
            json_schema: schema,
            external_docs: None,
            example: None,
        }),
        ..MediaType::default()
    };
    Response {
        description: description.to_owned(),
        content: [(media_type.to_owned(), media)].into_iter().collect(),
        ..Response::default()
    }
}

/// An answer without a body.
pub(crate) fn bodiless(description: &str) -> Response {
    Response {
        description: description.to_owned(),
        ..Response::default()
    }
}

/// A parameter of the path.
pub(super) fn in_path(name: &str, description: &str, schema: Schema) -> Parameter {
    let mut parameter_data = data(name, description, schema);
    parameter_data.required = true;
    Parameter::Path {
        parameter_data,
        style: PathStyle::Simple,
    }
}

/// Whether the operation has a parameter of this name.
pub(super) fn has_parameter(operation: &Operation, name: &str) -> bool {
    let parameters = operation.parameters.iter();
    parameters
        .filter_map(ReferenceOr::as_item)
        .any(|parameter| parameter.parameter_data_ref().name == name)
}

fn data(name: &str, description: &str, json_schema: Schema) -> ParameterData {
    ParameterData {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: false,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(SchemaObject {
            json_schema,
            external_docs: None,
            example: None,
        }),
        example: None::<Value>,
        examples: Default::default(),
        explode: None,
        extensions: Default::default(),
    }
}
