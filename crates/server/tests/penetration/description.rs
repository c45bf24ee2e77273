//! The operations of the API, read from its description: whatever is added there is attacked without another word.

use crate::{
    stage::{Person, Stage, Tenant, Token},
    wire::Request,
};
use misy_testkit::program::BOOTSTRAP_SECRET;
use serde_json::{Value, json};

/// An operation of the description.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) queries: Vec<String>,
    pub(crate) headers: Vec<String>,
    /// Who may call it, by the first proof of each alternative.
    pub(crate) proofs: Vec<String>,
    /// A good body.
    pub(crate) example: Option<Value>,
    /// Every member that its schema names, with a value of its type.
    pub(crate) members: Vec<(String, Value)>,
}

/// All operations of the program that runs.
pub(crate) async fn operations(stage: &Stage) -> Vec<Operation> {
    let document = stage.send(Request::new("GET", "/openapi.json")).await.expect(200).json();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["operationId"].is_string() {
                operations.push(read(&document, path, method, operation));
            }
        }
    }
    assert!(operations.len() > 60, "the description has shrunk");
    operations
}

fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let named = |place: &str| -> Vec<String> {
        let here = parameters.iter().filter(|one| one["in"] == place);
        here.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let content = operation.pointer("/requestBody/content/application~1json");
    let proofs = operation["security"].as_array().into_iter().flatten();
    Operation {
        id: operation["operationId"].as_str().unwrap().to_owned(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        queries: named("query"),
        headers: named("header"),
        proofs: proofs.flat_map(|one| one.as_object().unwrap().keys().cloned()).collect(),
        example: content.map(|content| content["example"].clone()),
        members: content.map(|content| members(document, &content["schema"])).unwrap_or_default(),
    }
}

fn members(document: &Value, schema: &Value) -> Vec<(String, Value)> {
    let schema = match schema["$ref"].as_str() {
        Some(name) => document.pointer(name.trim_start_matches('#')).unwrap_or(schema),
        None => schema,
    };
    let members = schema["properties"].as_object().into_iter().flatten();
    members.map(|(name, schema)| (name.clone(), sample(schema))).collect()
}

/// A value of a schema's type, roughly.
fn sample(schema: &Value) -> Value {
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    match kinds[0].as_str() {
        Some("array") => json!(["x"]),
        Some("object") => json!({ "x": "x" }),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        _ => json!("x"),
    }
}

/// Ids that a path may name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids {
    pub(crate) known: Vec<(String, String)>,
}

impl Ids {
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.known.retain(|(known, _)| known != name);
        self.known.push((name.to_owned(), value.into()));
        self
    }

    /// The value of a parameter; for one that is not known, what looks like an id and is nobody's.
    fn value(&self, name: &str) -> String {
        let known = self.known.iter().find(|(known, _)| known == name);
        known.map_or_else(|| "key_00000000000000000000000000".to_owned(), |(_, value)| value.clone())
    }
}

impl Operation {
    /// The names of its path's parameters.
    pub(crate) fn places(&self) -> Vec<String> {
        let pieces = self.path.split('{').skip(1);
        pieces.map(|piece| piece.split('}').next().unwrap().to_owned()).collect()
    }

    pub(crate) fn fill(&self, ids: &Ids) -> String {
        let mut path = self.path.clone();
        for name in self.places() {
            path = path.replace(&format!("{{{name}}}"), &ids.value(&name));
        }
        path
    }

    /// A body that could have an effect, about this tenant.
    pub(crate) fn good_body(&self, ids: &Ids) -> Option<Value> {
        let mut body = self.example.clone()?;
        for (name, member) in body.as_object_mut().into_iter().flatten() {
            if ids.known.iter().any(|(known, _)| known == name) && member.is_string() {
                *member = json!(ids.value(name));
            }
        }
        Some(body)
    }

    /// The request with this path and body, without any proof.
    pub(crate) fn request(&self, target: String, body: Option<&Value>) -> Request {
        let request = Request::new(&self.method, target);
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }
}

/// Everybody who may call something of a tenant.
pub(crate) struct Callers {
    pub(crate) owner: Tenant,
    pub(crate) tenant: Tenant,
    pub(crate) visitor: Token,
    pub(crate) server: Token,
    /// Somebody of the owner.
    pub(crate) person: Option<Person>,
}

impl Callers {
    pub(crate) async fn of(stage: &Stage, tenant: &Tenant) -> Self {
        Self {
            owner: stage.owner.clone(),
            tenant: tenant.clone(),
            visitor: stage.browser(tenant).await,
            server: stage.server(tenant, &["tenant:manage"]).await,
            person: None,
        }
    }

    /// Proves a request as the one who may do most with it.
    pub(crate) fn prove(&self, operation: &Operation, request: Request) -> Request {
        let may = |proof: &str| operation.proofs.iter().any(|known| known == proof);
        if may("publishableKey") {
            return request.set("x-api-key", &self.tenant.publishable_key).set("origin", &self.tenant.origin);
        }
        if may("bootstrapSecret") {
            return request.bearer(BOOTSTRAP_SECRET);
        }
        // What a tenant has is its own; what the plan allows is the owner's to say.
        if may("tenantAccessToken") {
            return if may("administrator") { self.server.sign(request) } else { self.visitor.sign(request) };
        }
        match &self.person {
            Some(person) if may("session") => person.sends(request),
            _ if may("administrator") => request.bearer(&self.owner.administrator),
            _ => request,
        }
    }
}
