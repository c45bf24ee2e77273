//! The ways a contact can reach a tenant.

crate::words! {
    /// A channel of conversation.
    pub enum Channel {
        /// The chat on the tenant's own site.
        Web = "web",
        /// WhatsApp Business.
        Whatsapp = "whatsapp",
        /// Instagram direct messages.
        Instagram = "instagram",
        /// Facebook Messenger.
        Messenger = "messenger",
        /// E-mail.
        Email = "email",
        /// A program of the tenant.
        Api = "api",
        /// The tenant's customer relationship system.
        Crm = "crm",
    }
}
