//! Serving: the listener, the hub behind event streams, and an orderly end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::behind::Behind;
use crate::{Api, router};

/// How long requests in progress may take once the end has come.
const DRAIN: Duration = Duration::from_secs(10);

/// Answers requests on `listener` until `shutdown`; then event streams say goodbye, and requests in
/// progress get ten seconds to end.
///
/// # Errors
/// When the listener fails.
pub async fn serve(api: Api, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
    let api = Arc::new(api);
    let following = tokio::spawn(api.hub.clone().follow(shutdown.clone()));
    let behind = Behind::begin(&api, &shutdown);
    let listener = listener.tap_io(|connection| {
        // A token is a small packet, and must not wait for the next one.
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(error = %error, "a connection keeps its delay");
        }
    });
    let service = router(api).into_make_service_with_connect_info::<SocketAddr>();
    let server =
        axum::serve(listener, service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let overdue = async {
        shutdown.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = server.into_future() => served?,
        () = overdue => tracing::warn!("some requests did not end in time and are cut off"),
    }
    behind.end().await;
    following.await.map_err(io::Error::other)
}
