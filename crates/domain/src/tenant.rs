//! Tenants: who they are and in what state.

pub use crate::words::UnknownValue;

crate::words! {
    /// The kind of tenant.
    pub enum TenantType {
        /// The company that runs the platform; exactly one.
        Owner = "owner",
        /// A business that uses it.
        Standard = "standard",
    }
}

crate::words! {
    /// Where a tenant stands in its life.
    pub enum TenantStatus {
        /// In use.
        Active = "active",
        /// Answers `403 tenant_suspended` everywhere until it is activated again.
        Suspended = "suspended",
        /// Closed; its data goes when the grace period is over.
        Closed = "closed",
    }
}

crate::words! {
    /// What a tenant pays for.
    pub enum Plan {
        /// Free of charge, with small limits.
        Free = "FREE",
        /// Paid.
        Pro = "PRO",
        /// By contract.
        Enterprise = "ENTERPRISE",
    }
}
