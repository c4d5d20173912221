//! A mail server: as much of SMTP (RFC 5321) as it takes to be handed a mail.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::until::PATIENCE;

/// A mail as it was handed over.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) to: String,
    /// Headers and body, unfolded as they came.
    pub(super) text: String,
}

/// Takes mails, after refusing the first `refusals` of them for now.
pub(super) struct MailServer {
    pub(super) address: SocketAddr,
    mails: mpsc::UnboundedReceiver<Mail>,
}

impl MailServer {
    pub(super) async fn start(refusals: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (deliver, mails) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut refusals = refusals;
            while let Ok((line, _)) = listener.accept().await {
                let refuse = refusals > 0;
                refusals = refusals.saturating_sub(1);
                tokio::spawn(serve(line, refuse, deliver.clone()));
            }
        });
        Self { address, mails }
    }

    /// The next mail.
    pub(super) async fn mail(&mut self) -> Mail {
        let mail = timeout(PATIENCE, self.mails.recv()).await;
        mail.expect("a mail in time").unwrap()
    }

    /// Whether nothing has come that was not taken.
    pub(super) fn is_empty(&mut self) -> bool {
        self.mails.try_recv().is_err()
    }
}

async fn serve(line: TcpStream, refuse: bool, deliver: mpsc::UnboundedSender<Mail>) -> Option<()> {
    let mut line = BufReader::new(line);
    let mut to = String::new();
    say(&mut line, "220 test").await?;
    loop {
        let command = hear(&mut line).await?;
        let verb = command.split(':').next().unwrap().trim().to_uppercase();
        let answer = match verb.as_str() {
            "MAIL FROM" if refuse => "451 not now",
            "RCPT TO" => {
                to = command[8..].trim_matches(['<', '>', ' ', ':']).to_owned();
                "250 fine"
            }
            "DATA" => {
                say(&mut line, "354 go on").await?;
                let mut text = String::new();
                loop {
                    let next = hear(&mut line).await?;
                    if next == "." {
                        break;
                    }
                    text.push_str(&next);
                    text.push('\n');
                }
                let mail = Mail {
                    to: to.clone(),
                    text,
                };
                deliver.send(mail).ok()?;
                "250 taken"
            }
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        say(&mut line, answer).await?;
    }
}

async fn say(line: &mut BufReader<TcpStream>, what: &str) -> Option<()> {
    let what = format!("{what}\r\n");
    line.write_all(what.as_bytes()).await.ok()
}

async fn hear(line: &mut BufReader<TcpStream>) -> Option<String> {
    let mut heard = String::new();
    let bytes = line.read_line(&mut heard).await.ok()?;
    (bytes > 0).then(|| heard.trim_end_matches(['\r', '\n']).to_owned())
}
