//! Replies: phrases, facts written in the reply's language, and the form of the channel.

pub(crate) mod hours;
pub(crate) mod money;
pub(crate) mod phrases;
pub(crate) mod write;
