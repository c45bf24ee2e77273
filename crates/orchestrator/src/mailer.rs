//! Sends the mail that waits. Each is sent at least once: a mailer that dies between sending and noting it sends again.

use crate::{
    Worker, WorkerSettings,
    worker::{Handler, WorkError},
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use misy_domain::Entropy;
use misy_store::{
    Database, StoreError, Vault,
    credentials::keys_of,
    leases::{Backoff, Lease, LeaseTerms, Trouble},
    mails::{self, Mail, Mails},
};
use std::{sync::Arc, time::Duration};
use tracing::{debug, warn};

/// The longest that the mail server may take for one step.
const PATIENCE: Duration = Duration::from_secs(20);

/// The settings of the mailer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The address of the server.
    #[error("the SMTP URL cannot be used: {0}")]
    Url(#[from] lettre::transport::smtp::Error),
    /// The address that mail comes from.
    #[error("the sender is no e-mail address: {0}")]
    From(#[from] lettre::address::AddressError),
}

/// Sends mail.
pub struct Mailer {
    database: Database,
    vault: Vault,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// A mailer that hands its mail to this server: `smtps://user:password@host`, or `smtp://host:port?tls=required`.
    pub fn new(database: Database, vault: Vault, url: &str, from: &str) -> Result<Self, MailerError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.timeout(Some(PATIENCE)).build();
        Ok(Self { database, vault, transport, from: from.parse()? })
    }

    /// A worker that sends with this mailer.
    pub fn worker(self, entropy: Arc<dyn Entropy>, settings: WorkerSettings) -> Worker<Self> {
        Worker::new(self.database.clone(), entropy, settings, self)
    }

    /// How mail is sent: a few at a time, and tried for about a day.
    pub fn settings() -> WorkerSettings {
        WorkerSettings {
            concurrency: 4,
            beside_others: None,
            batch: 4,
            terms: LeaseTerms { length: Duration::from_secs(30), most_attempts: 12 },
            heartbeat: Duration::from_secs(10),
            poll: Duration::from_secs(1),
            backoff: Backoff { first: Duration::from_secs(20), most: Duration::from_hours(4) },
            most_time: Duration::from_secs(25),
            grace: Duration::from_secs(25),
            ..WorkerSettings::default()
        }
    }

    async fn send(&self, mail: &Mail) -> Result<(), WorkError> {
        let unusable = |_| WorkError::Hopeless(Trouble::MailAddressUnusable);
        let to: Mailbox = mail.to.parse().map_err(unusable)?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(|_| WorkError::Hopeless(Trouble::MailAddressUnusable))?;
        let Err(error) = self.transport.send(message).await else { return Ok(()) };
        // Only the number: what the server says may quote the address.
        warn!(status = error.status().map(tracing::field::display), "the mail server did not take a mail");
        Err(if error.is_permanent() {
            WorkError::Hopeless(Trouble::MailRefused)
        } else if error.is_transient() {
            WorkError::Failed(Trouble::MailRefusedForNow)
        } else {
            WorkError::Failed(Trouble::MailServerUnreachable)
        })
    }
}

impl Handler for Mailer {
    type Kind = Mails;

    async fn handle(&self, lease: &Lease<Mails>) -> Result<(), WorkError> {
        let keys = keys_of(&self.vault, &self.database, &lease.tenant).await?;
        let mut tx = self.database.tenant_work("mails.open", &lease.tenant).await?;
        let mail = mails::open(&mut tx, &keys, lease).await?;
        tx.commit().await?;
        let mail = mail.ok_or(StoreError::LeaseLost)?;
        self.send(&mail).await?;
        debug!("sent a mail");
        let mut tx = self.database.tenant_work("mails.sent", &lease.tenant).await?;
        mails::sent(&mut tx, lease).await?;
        tx.commit().await?;
        Ok(())
    }
}
