//! Where the vendors of channels are.

use super::declare::declare;
use misy_front_desk::settings::GRAPH_URL;

declare! {
    "Channels";
    open graph_url: String = GRAPH_URL.into(),
        "address of Meta's Graph API with its version, for WhatsApp, Messenger and Instagram [https://graph.facebook.com/v25.0]";
}

pub(super) fn check(written: &Written) -> anyhow::Result<String> {
    let url = written.graph_url.trim_end_matches('/');
    let is_address = url.starts_with("https://") || url.starts_with("http://127.0.0.1:");
    anyhow::ensure!(is_address, "graph_url must begin with https://");
    Ok(url.to_owned())
}
