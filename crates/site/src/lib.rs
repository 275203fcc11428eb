//! A folder of static files over HTTP or HTTPS: for the person on this machine, or for everybody in the room.
//!
//! It does what static hosts do and the page relies on: content types, whole lengths, byte ranges,
//! and 404 for what is not there. It only reads, and only what lies in the folder. Nothing is cached
//! without asking, but what has its hash in its name: the other files keep their names from build to
//! build, so a browser that guessed would run yesterday's worker in today's page.

mod answer;
mod certificate;
mod listen;
mod secured;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use tokio::runtime;
use tokio::sync::Notify;

use crate::answer::Folder;
pub use crate::certificate::Certificate;
pub use crate::listen::{Reach, addresses, listen};
use crate::secured::Secured;

/// Why a folder is not served.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// All ports that were tried are in use: the first of them, and how many came after it.
    #[error("port {0} and the {1} after it are taken: choose another with --port N")]
    Taken(u16, u16),
    /// A port is not for this program.
    #[error("port {0} cannot be used: choose another with --port N ({1})")]
    Port(u16, #[source] io::Error),
    /// The listener cannot be used.
    #[error("the port cannot be used: {0}")]
    Listener(#[source] io::Error),
    /// The folder cannot be opened.
    #[error("{folder} cannot be read: {error}", folder = .folder.display())]
    Folder {
        /// Where it should be.
        folder: PathBuf,
        /// Why it cannot.
        #[source]
        error: io::Error,
    },
    /// No certificate could be made.
    #[error("the certificate for https cannot be made: {0}")]
    Certificate(String),
}

/// A server of one folder. It answers while [`run`](Self::run) runs.
#[derive(Clone)]
pub struct Site {
    listener: Arc<TcpListener>,
    root: PathBuf,
    certificate: Option<Certificate>,
    stopped: Arc<Notify>,
}

impl Site {
    /// A site of the files under `root`, reached through `listener` by plain HTTP. Requests that come
    /// before [`run`](Self::run) wait for it.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub fn new(listener: TcpListener, root: impl Into<PathBuf>) -> Result<Self, SiteError> {
        listener.set_nonblocking(true).map_err(SiteError::Listener)?;
        let (listener, root) = (Arc::new(listener), root.into());
        Ok(Self { listener, root, certificate: None, stopped: Arc::default() })
    }

    /// The same, by HTTPS. Who asks by HTTP is sent there.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub fn secured(
        listener: TcpListener,
        root: impl Into<PathBuf>,
        certificate: Certificate,
    ) -> Result<Self, SiteError> {
        Ok(Self { certificate: Some(certificate), ..Self::new(listener, root)? })
    }

    /// Where the site is reached.
    ///
    /// # Errors
    /// When the listener has been closed.
    pub fn address(&self) -> Result<SocketAddr, SiteError> {
        self.listener.local_addr().map_err(SiteError::Listener)
    }

    /// Answers requests until [`stop`](Self::stop).
    ///
    /// # Errors
    /// When the folder is not there or the listener cannot be used.
    pub fn run(&self) -> Result<(), SiteError> {
        let folder = Folder::open(&self.root)
            .map_err(|error| SiteError::Folder { folder: self.root.clone(), error })?;
        let router = Router::new()
            .fallback(move |request: Request| {
                let folder = folder.clone();
                async move { folder.answer(request).await }
            })
            .layer(answer::compression());
        let tls = self.certificate.as_ref().map(Certificate::config).transpose()?;
        let ended: io::Result<()> = (|| {
            let runtime =
                runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            let listener = self.listener.try_clone()?;
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                let serving = async {
                    match tls {
                        None => axum::serve(listener, router).await,
                        Some(tls) => axum::serve(Secured::start(listener, tls)?, router).await,
                    }
                };
                tokio::select! {
                    ended = serving => ended,
                    () = self.stopped.notified() => Ok(()),
                }
            })
        })();
        ended.map_err(SiteError::Listener)
    }

    /// Ends [`run`](Self::run), whichever clone it was called on.
    pub fn stop(&self) {
        self.stopped.notify_one();
    }
}

#[cfg(test)]
mod tests;
