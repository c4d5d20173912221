//! Mail to people: by SMTP, or printed where there is none. Nobody who asks for one waits for it, so
//! that an answer says nothing about who has an account, not even by the time it takes.

mod letter;
mod mailer;

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fido_commands::Origin;
use fido_commands::auth::{Auth, ResetMail};
use fido_domain::text::EmailAddress;
use futures::StreamExt;
use tokio::sync::mpsc;

use crate::problem::describe;

pub use mailer::{Mailer, MailerError};

/// Requests that may wait.
const WAITING: usize = 1_000;
/// Mails that are under way at a time.
const AT_A_TIME: usize = 4;
/// The pauses after which a mail is tried again.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// How people are written to.
#[derive(Debug, Clone, Default)]
pub struct MailConfig {
    /// Who carries the mail; without one nothing is sent.
    pub mailer: Option<Mailer>,
    /// The page on which a new password is set; the token is put behind a `#`, where no server sees it.
    pub reset_page: Option<String>,
}

/// A mail that somebody has asked for.
struct Order {
    email: EmailAddress,
    origin: Origin,
}

/// Takes orders, and sends mails while it [runs](Self::run).
pub(crate) struct PostOffice {
    auth: Auth,
    config: MailConfig,
    orders: mpsc::Sender<Order>,
    taken: Mutex<Option<mpsc::Receiver<Order>>>,
}

impl PostOffice {
    pub(crate) fn new(auth: Auth, config: MailConfig) -> Self {
        let (orders, taken) = mpsc::channel(WAITING);
        Self {
            auth,
            config,
            orders,
            taken: Mutex::new(Some(taken)),
        }
    }

    /// Has a mail sent to the owner of `email`, if there is one. Never waits.
    pub(crate) fn ask_for_reset(&self, email: EmailAddress, origin: Origin) {
        if self.orders.try_send(Order { email, origin }).is_err() {
            tracing::warn!("too many mails wait to be sent; one was not taken");
        }
    }

    /// Sends what is asked for, until `shutdown`. What was not sent by then is asked for again by
    /// whoever waits for it.
    pub(crate) async fn run(&self, shutdown: impl Future<Output = ()>) {
        let taken = self
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(taken) = taken else {
            return;
        };
        let orders = futures::stream::unfold(taken, |mut taken| async move {
            taken.recv().await.map(|order| (order, taken))
        });
        let sending = orders.for_each_concurrent(AT_A_TIME, |order| self.fulfil(order));
        tokio::select! {
            () = shutdown => {}
            () = sending => {}
        }
    }

    async fn fulfil(&self, Order { email, origin }: Order) {
        let Some(mailer) = &self.config.mailer else {
            tracing::warn!(
                "somebody has forgotten a password, and there is no mail server (FIDO_SMTP_URL)"
            );
            return;
        };
        match self.auth.begin_reset(&email, &origin).await {
            Ok(Some(mail)) => self.send(mailer, &mail).await,
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = describe(&error), "a mail could not be prepared");
            }
        }
    }

    async fn send(&self, mailer: &Mailer, mail: &ResetMail) {
        let letter = letter::password_reset(mail, self.config.reset_page.as_deref());
        let mut pauses = PAUSES.iter();
        loop {
            let Err(error) = mailer.send(&letter).await else {
                tracing::info!("sent a mail with which to set a new password");
                return;
            };
            match pauses.next().filter(|_| error.may_pass()) {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => {
                    tracing::error!(error = describe(&error), "a mail could not be sent");
                    return;
                }
            }
        }
    }
}
