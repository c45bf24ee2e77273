//! Files that come and go: how a form brings one, what it is, what it is called, and links to it.

pub(crate) mod form;
pub(crate) mod kind;
pub(crate) mod links;
pub(crate) mod name;
