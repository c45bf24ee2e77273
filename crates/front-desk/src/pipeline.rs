//! The pipeline that every call of a tenant passes, in the one order of the security contract:
//!
//! ```text
//! size and syntax → token → tenant active → holder → origin → signature → replay → rate limits → permission → consent
//!   Received      Identified   Active        Held     AtOrigin   Signed         WithinLimits     Permitted  TenantContext
//! ```
//!
//! Each step consumes the value of the one before it, and a [`TenantContext`] is made by the last one only, so none can be
//! left out. Replay and rate limits are one question to one place: a request that is refused by either counts for neither.

mod context;
mod received;
mod steps;

pub use context::{Access, Subjects, TenantCall, TenantContext};
pub(crate) use received::Head;
pub use received::Received;
pub(crate) use steps::{SignatureHeaders, bearer, expect_credential};
