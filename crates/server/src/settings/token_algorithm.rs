//! Tokens of visitors.

use super::declare::declare;
use anyhow::Context;
use misy_trust::Algorithm;

declare! {
    "Visitors' tokens";
    open token_algorithm: String = "ES256".into(),
        "algorithm of new token signing keys: RS256, ES256, EdDSA or HS256 [ES256]";
}

/// The algorithm of new signing keys.
pub(super) fn check(written: &Written) -> anyhow::Result<Algorithm> {
    written.token_algorithm.parse().context("token_algorithm")
}
