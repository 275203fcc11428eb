//! What a [`crate::Fetch`] needs of a network and of a clock.

use std::future::Future;
use std::time::Duration;

use crate::Cancelled;

/// What is asked of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The address.
    pub url: String,
    /// The first byte that is wanted. With 0 no range is asked for.
    pub from: u64,
    /// The validator for `If-Range`. A transport may leave it out, as in a browser, which would have to ask
    /// for leave to send it: the answer is compared with what is known in any case.
    pub if_range: Option<String>,
}

/// The head of an answer, and its body.
#[derive(Clone, Debug)]
pub struct Response<B> {
    /// The status after all redirects.
    pub status: u16,
    /// The first byte of the body: of `Content-Range` if the status is 206, otherwise 0.
    pub from: u64,
    /// Bytes of the whole file: of `Content-Range`, or `Content-Length` if the status is 200. None if the
    /// server does not say, or says it of a compressed body.
    pub total: Option<u64>,
    /// `ETag`, as it stands.
    pub etag: Option<String>,
    /// `X-Linked-Etag` of this answer or of the redirect that led here, without quotes. Of a large file
    /// the hub's is its SHA-256.
    pub linked_etag: Option<String>,
    /// `X-Repo-Commit` of this answer or of the redirect that led here.
    pub commit: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// Seconds in `Retry-After`.
    pub retry_after: Option<u64>,
    /// What follows.
    pub body: B,
}

/// Why there is no answer, or no more of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// It is not wanted any more.
    Cancelled,
    /// The network's reason, to follow "because".
    Network(String),
}

impl From<Cancelled> for TransportError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// A network and a clock.
pub trait Transport {
    /// What an answer comes in.
    type Body: Body;

    /// Asks for a file, following redirects. Any status is an answer.
    ///
    /// # Errors
    /// If there is no answer.
    fn open(
        &mut self,
        ask: &Ask,
    ) -> impl Future<Output = Result<Response<Self::Body>, TransportError>>;

    /// Waits before the next try.
    ///
    /// # Errors
    /// If that is not wanted any more.
    fn wait(&mut self, time: Duration) -> impl Future<Output = Result<(), Cancelled>>;

    /// The time since any fixed moment.
    fn now(&self) -> Duration;
}

/// The body of an answer. Dropping it ends the connection.
pub trait Body {
    /// The next bytes, of any number but 0; none at the end. A body that ends before its announced
    /// length may do so as an end or as an error.
    ///
    /// # Errors
    /// If the connection breaks, or nothing comes for long.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, TransportError>>;
}

impl<T: Transport> Transport for &mut T {
    type Body = T::Body;

    async fn open(&mut self, ask: &Ask) -> Result<Response<T::Body>, TransportError> {
        (**self).open(ask).await
    }

    async fn wait(&mut self, time: Duration) -> Result<(), Cancelled> {
        (**self).wait(time).await
    }

    fn now(&self) -> Duration {
        (**self).now()
    }
}

/// The first byte and the bytes in all that a `Content-Range` tells; none if it makes no sense.
pub fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let (from, _) = range.split_once('-')?;
    let total = total.trim();
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    Some((from.trim().parse().ok()?, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read_and_nonsense_is_not() {
        assert_eq!(content_range("bytes 10-19/100"), Some((10, Some(100))));
        assert_eq!(content_range("bytes 0-0/*"), Some((0, None)));
        for nonsense in ["", "bytes", "bytes */100", "bytes -1-2/3", "bytes 1-2/x", "pages 1-2/3"] {
            assert_eq!(content_range(nonsense), None, "{nonsense}");
        }
    }
}
