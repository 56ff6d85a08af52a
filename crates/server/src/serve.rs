use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, middleware};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::wire::{self, Handlers, Problems};

/// How long requests under way may take to their end after a shutdown began.
const GRACE: Duration = Duration::from_secs(20);

/// Why nothing can be served at an address.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Other machines could reach it, and there is nothing that would keep them out.
    #[error(
        "{0} can be reached from other machines, and there are no access tokens yet to keep strangers \
         out; make one first (panicle admin token create --name NAME --scopes all, with the same --data or \
         --database), or listen on a loopback address (127.0.0.1 or [::1])"
    )]
    NotLoopback(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
}

/// Listens on a loopback address; elsewhere only when it `needs_token` from everybody.
pub async fn bind(address: SocketAddr, needs_token: bool) -> Result<TcpListener, ListenError> {
    if !address.ip().is_loopback() && !needs_token {
        return Err(ListenError::NotLoopback(address));
    }
    TcpListener::bind(address).await.map_err(|source| ListenError::Bind { address, source })
}

/// Serves until `shutdown`, and then for a while what is under way.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> io::Result<()> {
    let stop = shutdown.clone();
    // Outside of everything else: whatever answers a request is known to the connection.
    let service =
        router.layer(middleware::from_fn(wire::tell)).into_make_service_with_connect_info::<Handlers>();
    let serving = axum::serve(Problems(listener), service).with_graceful_shutdown(stop.cancelled_owned());
    tokio::select! {
        ended = serving => ended,
        () = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GRACE).await;
        } => {
            tracing::warn!("some requests did not come to their end in time");
            Ok(())
        }
    }
}
