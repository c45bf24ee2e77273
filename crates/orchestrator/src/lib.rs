//! What goes on inside: conversations that are due are claimed, and each gets its turn.
//!
//! [`Worker`] claims, bounds, prolongs, retries and shuts down; it knows nothing of what is done with a conversation.
//! [`Turns`] does it: load, decide, commit. Both together are a [`ConversationWorker`].

mod held;
mod mailer;
mod round;
mod settings;
mod traced_turn;
mod turns;
mod worker;

pub use mailer::{Mailer, MailerError};
pub use settings::WorkerSettings;
pub use turns::Turns;
pub use worker::{Handler, WorkError, Worker};

/// Answers contacts.
pub type ConversationWorker = Worker<Turns>;
