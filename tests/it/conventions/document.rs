//! What the API's document says of a route, as far as the conventions follow from it.

use reqwest::Method;
use serde_json::Value;

use super::routes::Route;

/// The document, as an API process answers it.
pub(super) struct Document(pub(super) Value);

/// What is said of one route.
pub(super) struct Operation<'a> {
    document: &'a Value,
    operation: &'a Value,
}

impl Document {
    /// Every route in it.
    pub(super) fn routes(&self) -> Vec<(Method, String)> {
        let mut routes = Vec::new();
        for (path, item) in self.0["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                routes.push((method, path.clone()));
            }
        }
        routes
    }

    pub(super) fn operation(&self, route: &Route) -> Operation<'_> {
        let method = route.method.as_str().to_lowercase();
        Operation {
            document: &self.0,
            operation: &self.0["paths"][route.path][method],
        }
    }
}

impl Operation<'_> {
    /// Whether somebody must be signed in.
    pub(super) fn needs_a_session(&self) -> bool {
        self.operation["security"].is_array()
    }

    /// The role that is needed besides, if one is.
    pub(super) fn role(&self) -> Option<&str> {
        self.operation["security"][0]["bearer"][0].as_str()
    }

    /// Whether it takes a parameter or a header of this name.
    pub(super) fn takes(&self, name: &str) -> bool {
        let parameters = self.operation["parameters"].as_array();
        parameters.into_iter().flatten().any(|parameter| {
            let parameter = match parameter["$ref"].as_str() {
                Some(reference) => self.document.pointer(&reference[1..]).unwrap(),
                None => parameter,
            };
            parameter["name"] == name
        })
    }

    /// Whether it takes any parameters behind `?`.
    pub(super) fn takes_a_query(&self) -> bool {
        let parameters = self.operation["parameters"].as_array();
        parameters
            .into_iter()
            .flatten()
            .any(|parameter| parameter["in"] == "query")
    }

    /// Whether it takes a body.
    pub(super) fn takes_a_body(&self) -> bool {
        self.operation["requestBody"].is_object()
    }

    /// Whether it says that it may answer this.
    pub(super) fn may_answer(&self, status: u16) -> bool {
        self.operation["responses"][status.to_string()].is_object()
    }
}
