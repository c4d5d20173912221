//! How people are written to: by the mail server in the environment, or not.

use anyhow::{Context, Result};
use fido_api::{MailConfig, Mailer};

use crate::config::{self, MailArgs};

/// The mail server of the environment; without one nothing is sent.
///
/// # Errors
/// When its address or the sender's is none.
pub fn config(args: &MailArgs) -> Result<MailConfig> {
    let mailer = config::smtp_url()?.map(|url| Mailer::smtp(&url, &args.mail_from));
    Ok(MailConfig {
        mailer: mailer
            .transpose()
            .context("mails cannot be sent (FIDO_SMTP_URL, FIDO_MAIL_FROM)")?,
        reset_page: args.password_reset_page.clone(),
    })
}

/// The same, or a mailer that prints to stdout: log lines are no place for what stands in a mail.
///
/// # Errors
/// Those of [`config()`].
pub fn config_or_print(args: &MailArgs, print: fn(&str)) -> Result<MailConfig> {
    let mut config = config(args)?;
    config.mailer = config.mailer.or_else(|| Some(Mailer::printing(print)));
    Ok(config)
}
