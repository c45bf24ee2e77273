//! What goes on inside: work that is due is claimed and done, once.
//!
//! [`Worker`] claims, bounds, prolongs, retries and shuts down; it knows nothing of what is done. A [`Handler`] knows one
//! kind of work: [`Turns`] answers conversations (load, decide, commit), [`Mailer`] sends mails, [`Courier`] delivers on channel accounts, and
//! [`rotations`] seals anew what is under an old key.

mod agents;
mod booking;
mod courier;
mod held;
mod mailer;
mod rotations;
mod round;
mod settings;
mod traced_turn;
mod turns;
mod worker;

pub use agents::Agents;
pub use courier::{Courier, Signs};
pub use held::{Aside, Places};
pub use mailer::{Mailer, MailerError};
pub use rotations::rotations;
pub use settings::WorkerSettings;
pub use turns::Turns;
pub use worker::{Handler, WorkError, Worker};
