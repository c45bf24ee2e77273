//! What replicas share limits and news through.

use super::declare::{declare, set};
use anyhow::Context;
use misy_store::shared::Address;
use std::path::Path;

declare! {
    "Redis";
    secret redis_url: String = String::new(),
        "Redis 6.2 or newer that several replicas share limits and live events through: rediss://host:6379/0 [one replica]";
    open redis_ca_file: String = String::new(),
        "PEM file with the certificate authorities of that Redis, which are then the only ones [the machine's own]";
}

pub(super) fn check(written: &Written) -> anyhow::Result<Option<Address>> {
    let authorities = set(&written.redis_ca_file).map(Path::new);
    set(&written.redis_url).map(|url| Address::parse(url, authorities)).transpose().context("redis_url")
}
