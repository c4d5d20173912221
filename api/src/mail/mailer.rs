//! Who carries a mail: an SMTP server, or whoever looks at a terminal.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::letter::Letter;

/// How long an SMTP server may take for each answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Carries mails. Cheap to clone.
#[derive(Clone)]
pub struct Mailer(Way);

#[derive(Clone)]
enum Way {
    Smtp(Arc<Server>),
    Print(Arc<dyn Fn(&str) + Send + Sync>),
}

struct Server {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// A mail was not sent, or none ever could be.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The address of the server may hold a password, so it is not repeated.
    #[error("the address of the mail server must look like smtps://user:password@host")]
    Server,
    /// Nobody could answer to it.
    #[error("the sender of mails must look like Fido <fido@example.com>")]
    From,
    /// What was to be sent is no mail: its address is one that no mail server takes.
    #[error("there is no writing to this address")]
    Unwritable(#[source] lettre::error::Error),
    /// The address is none.
    #[error("there is no writing to this address")]
    Address,
    /// The server did not take it.
    #[error("the mail server did not take it")]
    Refused(#[source] smtp::Error),
}

impl MailerError {
    /// Whether it may be taken a little later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Refused(error) => !error.is_permanent(),
            Self::Server | Self::From | Self::Unwritable(_) | Self::Address => false,
        }
    }
}

impl Mailer {
    /// Mails go to the server at `url` (`smtps://user:password@host`, or
    /// `smtp://user:password@host:587?tls=required`) and come from `from`.
    ///
    /// # Errors
    /// [`MailerError::Server`] and [`MailerError::From`].
    pub fn smtp(url: &str, from: &str) -> Result<Self, MailerError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
        let transport = transport.map_err(|_| MailerError::Server)?;
        Ok(Self(Way::Smtp(Arc::new(Server {
            transport: transport.timeout(Some(PATIENCE)).build(),
            from: from.parse().map_err(|_| MailerError::From)?,
        }))))
    }

    /// Mails are handed to `print`, for a person at a terminal.
    pub fn printing(print: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Way::Print(Arc::new(print)))
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<(), MailerError> {
        let Letter { to, subject, text } = letter;
        match &self.0 {
            Way::Print(print) => {
                print(&format!("Mail to {to}: {subject}\n\n{text}"));
                Ok(())
            }
            Way::Smtp(server) => {
                let mail = Message::builder()
                    .from(server.from.clone())
                    .to(to.parse().map_err(|_| MailerError::Address)?)
                    .subject(*subject)
                    .message_id(None)
                    .header(ContentType::TEXT_PLAIN)
                    .body(text.clone())
                    .map_err(MailerError::Unwritable)?;
                let sent = server.transport.send(mail).await;
                sent.map(drop).map_err(MailerError::Refused)
            }
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailer(…)")
    }
}
