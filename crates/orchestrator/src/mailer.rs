//! Sends the mail that waits. Each is sent at least once: a mailer that dies between sending and noting it sends again.

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use misy_store::{
    Database, StoreError, Vault,
    credentials::keys_of,
    mails::{self, ClaimedMail, Mail},
};
use std::time::Duration;
use tokio::time;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How often mail is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Claimed at a time; they are sent one after the other within the lease.
const BATCH: i32 = 4;
/// The longest that sending one takes, so that a batch stays within its lease.
const LONGEST: Duration = Duration::from_secs(25);

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

/// Why a mail was not sent.
enum Failure {
    /// It may go another time.
    Later(String),
    /// It never will.
    Never(String),
}

impl Mailer {
    /// A mailer that hands its mail to this server: `smtps://user:password@host`, or `smtp://host:port?tls=required`.
    pub fn new(database: Database, vault: Vault, url: &str, from: &str) -> Result<Self, MailerError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?
            .timeout(Some(Duration::from_secs(20)))
            .build();
        Ok(Self { database, vault, transport, from: from.parse()? })
    }

    /// Sends until told to stop. What is being sent at that moment is sent to its end.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let sent = match self.round().await {
                Ok(sent) => sent,
                Err(error) => {
                    warn!(%error, "mail could not be looked for");
                    0
                }
            };
            if stop.is_cancelled() {
                return;
            }
            if sent == 0 && stop.run_until_cancelled(time::sleep(LOOK_AGAIN)).await.is_none() {
                return;
            }
        }
    }

    /// Sends what is due now; says how many it claimed.
    pub async fn round(&self) -> Result<usize, StoreError> {
        let claimed = self.database.claim_mails(BATCH).await?;
        for mail in &claimed {
            if let Err(error) = self.work_on(mail).await {
                // The lease runs out and another round tries again.
                warn!(%error, mailId = %mail.mail_id, "a mail could not be worked on");
            }
        }
        Ok(claimed.len())
    }

    async fn work_on(&self, claimed: &ClaimedMail) -> Result<(), StoreError> {
        let keys = keys_of(&self.vault, &self.database, &claimed.tenant).await?;
        let mut tx = self.database.tenant_work("mails.open", &claimed.tenant).await?;
        let mail = mails::open(&mut tx, &keys, claimed).await?;
        tx.commit().await?;
        let Some(mail) = mail else { return Ok(()) };
        let outcome = time::timeout(LONGEST, self.send(&mail)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Failure::Later("timed out".to_owned())));
        let mut tx = self.database.tenant_work("mails.end", &claimed.tenant).await?;
        match outcome {
            Ok(()) => {
                debug!(tenantId = %claimed.tenant, mailId = %claimed.mail_id, "sent a mail");
                mails::sent(&mut tx, claimed).await?;
            }
            Err(Failure::Later(error)) => {
                warn!(tenantId = %claimed.tenant, mailId = %claimed.mail_id, error, "a mail was not sent yet");
                mails::failed(&mut tx, claimed, &error, false).await?;
            }
            Err(Failure::Never(error)) => {
                warn!(tenantId = %claimed.tenant, mailId = %claimed.mail_id, error, "a mail cannot be sent");
                mails::failed(&mut tx, claimed, &error, true).await?;
            }
        }
        tx.commit().await
    }

    async fn send(&self, mail: &Mail) -> Result<(), Failure> {
        let to: Mailbox = mail.to.parse().map_err(|_| Failure::Never("the address cannot be used".into()))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(|_| Failure::Never("the mail cannot be written".into()))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(Failure::Never(error.to_string())),
            Err(error) => Err(Failure::Later(error.to_string())),
        }
    }
}
