//! What mails say.

use fido_commands::auth::{RESET_LIFETIME, ResetMail};

/// A mail in plain text.
pub(super) struct Letter {
    pub(super) to: String,
    pub(super) subject: &'static str,
    pub(super) text: String,
}

/// How to set a new password, for whoever has forgotten theirs.
pub(super) fn password_reset(mail: &ResetMail, page: Option<&str>) -> Letter {
    let minutes = RESET_LIFETIME.whole_minutes();
    let token = mail.token.reveal();
    let how = match page {
        Some(page) => format!("open this page within {minutes} minutes:\n\n{page}#token={token}"),
        None => format!("enter this code within {minutes} minutes:\n\n{token}"),
    };
    Letter {
        to: mail.to.as_str().to_owned(),
        subject: "Set a new password for Fido",
        text: format!(
            "Somebody, most likely you, asked to set a new password for your account at Fido.\n\n\
             To set one, {how}\n\n\
             It works once. If it was not you, nothing has changed, and there is nothing to do.\n"
        ),
    }
}
