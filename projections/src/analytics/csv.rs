//! A whole view as CSV, written by the database (RFC 4180 but for the line ends: `\n`) and handed on as
//! it comes.

use std::collections::VecDeque;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc;

use super::{SCHEMA, View, Window, as_analyst, rows};
use crate::{ReadError, Snapshot};

/// A query that takes longer has failed, in milliseconds.
const TIMEOUT: u32 = 60_000;
/// A snapshot is not kept longer for somebody who reads slowly: it is in the way of a rebuild's switch.
const READ_WITHIN: Duration = Duration::from_secs(120);
/// How many pieces may wait for the reader.
const WAITING: usize = 16;

/// A piece of a view; none is its end, so that a view that breaks off is not taken for a whole one.
type Piece = Result<Option<Vec<u8>>, ReadError>;

/// A view as CSV, on its way.
#[derive(Debug)]
pub struct Csv {
    first: VecDeque<Piece>,
    pieces: mpsc::Receiver<Piece>,
}

/// The rows of `view` with a line of names before them. `snapshot` is held until all is read.
///
/// # Errors
/// [`ReadError::Unavailable`] when the query fails before there is a row. Later it is the last thing
/// that the stream says.
pub async fn csv(
    snapshot: Snapshot,
    view: &'static View,
    window: Window,
) -> Result<Csv, ReadError> {
    let (sender, mut pieces) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let copied = tokio::time::timeout(READ_WITHIN, copy(snapshot, view, window, &sender)).await;
        let last = match copied {
            Ok(Ok(())) => Ok(None),
            Ok(Err(error)) => Err(error.into()),
            // Whoever reads so slowly is told by the end of the channel.
            Err(_elapsed) => return,
        };
        // Nobody reads any more, then.
        let _ = sender.send(last).await;
    });
    let mut first = VecDeque::new();
    // The names come before the query has done anything.
    for _ in 0..2 {
        match pieces.recv().await {
            Some(Err(error)) => return Err(error),
            Some(piece) => first.push_back(piece),
            None => break,
        }
    }
    Ok(Csv { first, pieces })
}

impl Csv {
    /// The pieces, in order. One that is an error is the last, and then the whole is not there.
    pub fn into_stream(self) -> impl Stream<Item = Result<Vec<u8>, ReadError>> + Send + 'static {
        stream::unfold(Some(self), async |csv| {
            let mut csv = csv?;
            let piece = match csv.first.pop_front() {
                Some(piece) => Some(piece),
                None => csv.pieces.recv().await,
            };
            match piece {
                Some(Ok(Some(piece))) => Some((Ok(piece), Some(csv))),
                Some(Ok(None)) => None,
                Some(Err(error)) => Some((Err(error), None)),
                None => Some((Err(ReadError::NoneAlive), None)),
            }
        })
    }
}

async fn copy(
    mut snapshot: Snapshot,
    view: &View,
    window: Window,
    reader: &mpsc::Sender<Piece>,
) -> Result<(), sqlx::Error> {
    as_analyst(&mut snapshot.transaction, TIMEOUT).await?;
    let statement = statement(view, window);
    let mut pieces = snapshot.transaction.copy_out_raw(&statement).await?;
    while let Some(piece) = pieces.next().await {
        if reader.send(Ok(Some(piece?.to_vec()))).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// `copy` takes no arguments; a date that was parsed is written as digits and hyphens.
fn statement(view: &View, window: Window) -> String {
    let (name, key) = (view.name, rows::key(view));
    let bound = |operator, date: Option<time::Date>| match (view.day, date) {
        (Some(day), Some(date)) => format!(" and v.{day} {operator} date '{date}'"),
        _ => String::new(),
    };
    let (from, to) = (bound(">=", window.from), bound("<", window.to));
    format!(
        "copy (select v.* from {SCHEMA}.{name} v where true{from}{to} order by {key}) \
         to stdout (format csv, header)"
    )
}
