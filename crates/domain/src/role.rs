//! What people are to a tenant.

crate::words! {
    /// A role that every tenant has. What each may do stands in the access policies.
    pub enum BuiltInRole {
        /// Runs the platform; only in the owner tenant.
        Owner = "owner",
        /// Everything within its tenant.
        Admin = "admin",
        /// Runs the business day to day: sites, content, people's work.
        Manager = "manager",
        /// A human agent: answers conversations.
        Agent = "agent",
        /// Reads figures.
        Analyst = "analyst",
        /// Connects sites and servers: sites, keys, secrets, webhooks.
        Developer = "developer",
        /// Answers for personal data.
        PrivacyOfficer = "privacy_officer",
        /// Reads everything that proves what was done, changes nothing.
        Auditor = "auditor",
    }
}

impl BuiltInRole {
    /// Whether nobody may hold it without a second factor.
    pub fn needs_second_factor(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}
