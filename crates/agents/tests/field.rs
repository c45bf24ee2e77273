//! Small conversations that went wrong at businesses: what an answer must hold, for the reported line and for others of its kind.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail the test")]

use misy_agents::{
    CompiledPack,
    eval::{Report, read_all, score_conversations},
};
use misy_domain::ContextPack;
use std::collections::BTreeMap;

const PACKS: [&str; 4] = [
    include_str!("../../../seeds/businesses/andina.json"),
    include_str!("../../../seeds/businesses/colombiatic.json"),
    include_str!("../../../seeds/businesses/northwind-bikes.json"),
    include_str!("../../../seeds/businesses/verde-cafe.json"),
];

fn compile(json: &str) -> (String, CompiledPack) {
    let mut value: serde_json::Value = serde_json::from_str(json).unwrap();
    let tenant = value.as_object_mut().unwrap().remove("tenantId").unwrap();
    let pack = ContextPack::parse(&value).unwrap();
    (tenant.as_str().unwrap().to_owned(), CompiledPack::new(pack).unwrap())
}

#[test]
fn every_conversation_of_every_kind_ends_well() {
    let (_, conversations) = read_all(&include_bytes!("../dev/field.jsonl")[..]).unwrap();
    assert!(conversations.len() >= 87);
    let packs: BTreeMap<String, CompiledPack> = PACKS.into_iter().map(compile).collect();
    let mut report = Report::default();
    score_conversations(&conversations, &packs, &mut report).unwrap();
    let wrong: Vec<String> =
        report.missed.iter().map(|(at, what)| format!("{at}: {}", what.join(" "))).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), conversations.len(), wrong.join("\n"));
}
