//! Which handler answers where.

use crate::{
    api::{health, jwks, messages, sessions, tokens},
    assets,
    desk::FrontDesk,
    edge,
    problem::Problem,
};
use axum::{
    Router, middleware,
    routing::{get, post},
};

impl FrontDesk {
    /// All routes. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`: limits per address and the
    /// protection of metrics look at the peer.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(operation())
            .merge(chat())
            .fallback(|| async { Problem::not_found() })
            .layer(middleware::from_fn_with_state(self.clone(), edge::serve))
            .with_state(self.clone())
    }
}

fn operation() -> Router<FrontDesk> {
    Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/.well-known/jwks.json", get(jwks::read))
        .route("/openapi.json", get(assets::openapi))
        .route("/docs", get(assets::docs))
        .route("/docs/{file}", get(assets::docs_file))
        .route("/enroll", get(assets::enroll))
        .route("/enroll/{file}", get(assets::docs_file))
        .route("/sdk/{*file}", get(assets::sdk))
}

fn chat() -> Router<FrontDesk> {
    Router::new()
        .route("/api/meta-agent/tokens", post(tokens::mint::mint))
        .route("/api/meta-agent/tokens/revoke", post(tokens::revoke::revoke))
        .route("/api/meta-agent/sessions", post(sessions::open::open))
        .route("/api/meta-agent/sessions/{sessionId}", get(sessions::read::read))
        .route("/api/meta-agent/sessions/{sessionId}/messages", get(sessions::history::list))
        .route("/api/meta-agent/sessions/{sessionId}/events", get(sessions::events::follow))
        .route("/api/meta-agent/messages", post(messages::write))
}
