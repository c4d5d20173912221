//! Takes in what a client still sends when its request is refused early. Closing the line instead
//! would reset it, and the client would see a broken pipe where the refusal should be.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use futures::{Stream, StreamExt};

/// How much is taken in, thrown away as it comes.
const MOST: usize = 16 * 1024 * 1024;
/// For how long.
const LONGEST: Duration = Duration::from_secs(5);

/// Makes the request's body one that is read to its end even when the handler does not want it.
pub(crate) async fn linger(request: Request) -> Request {
    request.map(|body| {
        if body.is_end_stream() {
            body
        } else {
            Body::from_stream(Lingering {
                body: Some(body.into_data_stream()),
            })
        }
    })
}

/// A body that outlives its reader; `None` once it has been read to the end.
struct Lingering {
    body: Option<BodyDataStream>,
}

impl Stream for Lingering {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let item = ready!(body.poll_next_unpin(context));
        if !matches!(item, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(item)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let (Some(body), Ok(runtime)) = (self.body.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(tokio::time::timeout(LONGEST, drain(body)));
        }
    }
}

async fn drain(mut body: BodyDataStream) {
    let mut taken = 0;
    while let Some(Ok(bytes)) = body.next().await {
        taken += bytes.len();
        if taken > MOST {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_the_handler_leaves_is_read_to_the_end() {
        let pieces = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&pieces);
        let body = Body::from_stream(futures::stream::iter(0..100).map(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(Bytes::from_static(b"piece"))
        }));
        let request = linger(Request::new(body)).await;
        drop(request);
        while pieces.load(Ordering::SeqCst) < 100 {
            tokio::task::yield_now().await;
        }
    }
}
