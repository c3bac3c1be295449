//! Rules of the specifications that a document can be held to without knowing what it describes.

use std::collections::HashSet;

use serde_json::Value;

/// All references of a document.
pub(crate) struct References<'a> {
    document: &'a Value,
    found: Vec<&'a str>,
}

impl<'a> References<'a> {
    pub(crate) fn of(document: &'a Value) -> Self {
        let mut found = Vec::new();
        collect(document, &mut found);
        Self { document, found }
    }

    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Those that lead nowhere.
    pub(crate) fn dangling(&self) -> Vec<String> {
        self.found
            .iter()
            .filter(|reference| resolve(self.document, reference).is_none())
            .map(|&reference| reference.to_owned())
            .collect()
    }
}

fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(reference) if key == "$ref" => found.push(reference),
                    _ => collect(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn resolve<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

/// What of an OpenAPI 3.1 document breaks the rules for its objects.
pub(crate) fn faults(document: &Value) -> Vec<String> {
    let mut faults = Faults {
        document,
        found: Vec::new(),
    };
    faults.top();
    faults.components();
    for (path, item) in members(&document["paths"]) {
        faults.check(path.starts_with('/'), path, "starts with no slash");
        faults.check(
            !path.contains(['{', '}']),
            path,
            "has an undeclared parameter",
        );
        for (method, operation) in members(item) {
            faults.operation(&format!("{method} {path}"), operation);
        }
    }
    faults.schemas(document, "");
    faults.found
}

struct Faults<'a> {
    document: &'a Value,
    found: Vec<String>,
}

impl<'a> Faults<'a> {
    fn check(&mut self, holds: bool, place: &str, fault: &str) {
        if !holds {
            self.found.push(format!("{place}: {fault}"));
        }
    }

    /// The object itself, or what it refers to.
    fn resolved(&self, value: &'a Value) -> &'a Value {
        value["$ref"]
            .as_str()
            .and_then(|reference| resolve(self.document, reference))
            .unwrap_or(value)
    }

    fn top(&mut self) {
        let document = self.document;
        let version = document["openapi"].as_str().unwrap_or_default();
        self.check(
            version.starts_with("3.1."),
            "openapi",
            "is of another version",
        );
        for member in ["title", "version"] {
            self.check(document["info"][member].is_string(), "info", member);
        }
        for server in document["servers"].as_array().into_iter().flatten() {
            self.check(server["url"].is_string(), "servers", "no URL");
        }
        let known = [
            "openapi",
            "info",
            "externalDocs",
            "servers",
            "paths",
            "components",
            "security",
            "tags",
        ];
        for (member, _) in members(document) {
            self.check(known.contains(&&**member), member, "is unknown");
        }
    }

    fn components(&mut self) {
        let document = self.document;
        for (kind, components) in members(&document["components"]) {
            for (key, component) in members(components) {
                let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                self.check(key.chars().all(allowed), key, "is no key");
                match kind.as_str() {
                    "parameters" => self.parameter(key, component),
                    "responses" => self.response(key, component),
                    "requestBodies" => self.content(key, component, true),
                    "schemas" => {}
                    "securitySchemes" => {
                        self.check(component["type"].is_string(), key, "has no type");
                    }
                    _ => self.found.push(format!("{kind}: unknown kind")),
                }
            }
        }
    }

    fn operation(&mut self, place: &str, operation: &'a Value) {
        let mut names = HashSet::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = self.resolved(parameter);
            self.parameter(place, parameter);
            let name = (parameter["name"].to_string(), parameter["in"].to_string());
            self.check(names.insert(name), place, "parameter named twice");
        }
        if let Some(body) = operation.get("requestBody") {
            self.content(place, self.resolved(body), true);
        }
        let mut count = 0;
        for (status, response) in members(&operation["responses"]) {
            let is_status = status == "default" || status.parse::<u16>().is_ok();
            self.check(is_status, place, "no status");
            self.response(place, self.resolved(response));
            count += 1;
        }
        self.check(count > 0, place, "has no response");
    }

    fn parameter(&mut self, place: &str, parameter: &Value) {
        let has_name = parameter["name"]
            .as_str()
            .is_some_and(|name| !name.is_empty());
        self.check(has_name, place, "parameter without name");
        let is_placed = ["query", "header"]
            .iter()
            .any(|place| parameter["in"] == **place);
        self.check(is_placed, place, "parameter without place");
        self.check(
            parameter["schema"].is_object(),
            place,
            "parameter without schema",
        );
    }

    fn response(&mut self, place: &str, response: &Value) {
        self.check(
            response["description"].is_string(),
            place,
            "response undescribed",
        );
        self.content(place, response, false);
    }

    fn content(&mut self, place: &str, value: &Value, is_required: bool) {
        let content = value.get("content");
        self.check(content.is_some() || !is_required, place, "has no content");
        for (media_type, body) in content.into_iter().flat_map(members) {
            self.check(media_type.contains('/'), place, "no media type");
            self.check(body["schema"].is_object(), place, "content without schema");
        }
    }

    /// Types of JSON Schema wherever a schema says one.
    fn schemas(&mut self, value: &Value, place: &str) {
        const TYPES: [&str; 7] = [
            "string", "number", "integer", "boolean", "array", "object", "null",
        ];
        for item in value.as_array().into_iter().flatten() {
            self.schemas(item, place);
        }
        for (key, member) in members(value) {
            let is_scheme = place == "securitySchemes";
            if key == "type" && place != "properties" && !is_scheme {
                let types = match member {
                    Value::Array(types) => types.clone(),
                    one => vec![one.clone()],
                };
                let known = types
                    .iter()
                    .all(|one| TYPES.iter().any(|known| one == known));
                self.check(known && !types.is_empty(), place, "unknown type");
            }
            if place != "securitySchemes" {
                self.schemas(member, key);
            }
        }
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
