//! A stream lasts as long as the session that it was opened with.

use fido_commands::auth::Watch;
use futures::{Stream, StreamExt};

use super::frame::{self, Frame};
use super::rooms::Farewell;

/// `frames` until the session of `watch` ends, and then goodbye.
pub(super) fn while_signed_in(
    watch: Watch,
    frames: impl Stream<Item = Frame> + Send,
) -> impl Stream<Item = Frame> + Send {
    let open = Some((Box::pin(frames), watch));
    futures::stream::unfold(open, async |open| {
        let (mut frames, mut watch) = open?;
        tokio::select! {
            biased;
            () = watch.ended() => Some((frame::goodbye(Farewell::SignedOut), None)),
            frame = frames.next() => frame.map(|frame| (frame, Some((frames, watch)))),
        }
    })
}
