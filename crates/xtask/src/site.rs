//! A folder of static files over HTTP, for the person on this machine.
//!
//! It does what static hosts do and the page relies on: content types, whole lengths, byte ranges,
//! and 404 for what is not there. Nothing is cached without asking: the workers' files keep their
//! names from build to build, so a browser that guessed would run yesterday's worker in today's page.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
};

use anyhow::{Context, Result};
use axum::{
    Router,
    http::{HeaderValue, Response, header},
};
use tokio::{runtime, sync::Notify};
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

/// A server of one folder. It answers while [`run`](Self::run) runs.
#[derive(Clone)]
pub struct Site {
    listener: Arc<TcpListener>,
    root: PathBuf,
    stopped: Arc<Notify>,
}

impl Site {
    /// A site of the files under `root`, reached through `listener`. Requests that come before
    /// [`run`](Self::run) wait for it.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub fn new(listener: TcpListener, root: impl Into<PathBuf>) -> Result<Self> {
        listener.set_nonblocking(true).context("the port cannot be used")?;
        Ok(Self { listener: Arc::new(listener), root: root.into(), stopped: Arc::default() })
    }

    /// Where the site is reached.
    ///
    /// # Errors
    /// When the listener has been closed.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().context("the port is not open")
    }

    /// Answers requests until [`stop`](Self::stop).
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub fn run(&self) -> Result<()> {
        let runtime =
            runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = self.listener.try_clone()?;
        let header =
            |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
        let router = Router::new()
            .fallback_service(ServeDir::new(&self.root))
            .layer(SetResponseHeaderLayer::overriding(header::CONTENT_TYPE, in_utf8))
            .layer(header(header::CACHE_CONTROL, "no-cache"))
            .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
        let stopped = self.stopped.clone();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let serving = axum::serve(listener, router);
            tokio::select! {
                ended = serving.into_future() => ended?,
                () = stopped.notified() => {}
            }
            Ok(())
        })
    }

    /// Ends [`run`](Self::run), whichever clone it was called on.
    pub fn stop(&self) {
        self.stopped.notify_one();
    }
}

/// The type of a text with the encoding that it is in; Markdown as a text, which browsers show.
fn in_utf8<B>(response: &Response<B>) -> Option<HeaderValue> {
    let found = response.headers().get(header::CONTENT_TYPE)?;
    match found.to_str() {
        Ok("text/markdown") => Some(HeaderValue::from_static("text/plain; charset=utf-8")),
        Ok(text) if text.starts_with("text/") && !text.contains("charset") => {
            HeaderValue::try_from(format!("{text}; charset=utf-8")).ok()
        }
        _ => Some(found.clone()),
    }
}

#[cfg(test)]
mod tests;
