//! The network: HTTP by `ureq`, blocking, since a command has nothing else to do meanwhile.

use std::env;
use std::io::{self, Read};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use relp_hub::{Ask, Body, Cancelled, Response, Transport, TransportError, content_range};
use rustls::crypto::ring;
use ureq::http::HeaderMap;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Timeout};
use url::Url;

/// Hubs answer with one redirect or two.
const MOST_REDIRECTS: usize = 5;

/// Bytes taken from the connection at once.
const PIECE: usize = 256 << 10;

/// Seconds without a byte after which a connection counts as broken.
const PATIENCE: u64 = 30;

/// The variable by which the hub's own client is told another number of seconds.
const PATIENCE_VARIABLE: &str = "HF_HUB_DOWNLOAD_TIMEOUT";

/// Connections to hubs.
#[derive(Debug)]
pub(crate) struct Net {
    agent: Agent,
    patience: u64,
    began: Instant,
}

impl Net {
    pub(crate) fn new() -> Self {
        let asked = env::var(PATIENCE_VARIABLE).ok().and_then(|value| value.trim().parse().ok());
        let patience = asked.filter(|&seconds| seconds > 0).unwrap_or(PATIENCE);
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build();
        let time = Some(Duration::from_secs(patience));
        let config = Agent::config_builder()
            .tls_config(tls)
            // Redirects are followed here, since those of a hub tell what its answer does not.
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("relp/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(time)
            .timeout_recv_response(time)
            .timeout_per_read(time)
            .build();
        Self { agent: config.into(), patience, began: Instant::now() }
    }

    fn get(
        &self,
        url: &Url,
        ask: &Ask,
    ) -> Result<ureq::http::Response<ureq::Body>, TransportError> {
        let mut request = self.agent.get(url.as_str()).header("Accept-Encoding", "identity");
        if ask.from > 0 {
            request = request.header("Range", format!("bytes={}-", ask.from));
            if let Some(validator) = &ask.if_range {
                request = request.header("If-Range", validator);
            }
        }
        request.call().map_err(|error| TransportError::Network(reason(&error, self.patience)))
    }
}

impl Transport for Net {
    type Body = Pieces;

    async fn open(&mut self, ask: &Ask) -> Result<Response<Pieces>, TransportError> {
        let network = |why: &str| TransportError::Network(why.to_owned());
        let mut url = Url::parse(&ask.url).map_err(|error| network(&error.to_string()))?;
        let (mut linked_etag, mut commit) = (None, None);
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.get(&url, ask)?;
            let status = answer.status().as_u16();
            let headers = answer.headers();
            linked_etag = linked_etag.or_else(|| text(headers, "x-linked-etag"));
            commit = commit.or_else(|| text(headers, "x-repo-commit"));
            if matches!(status, 301 | 302 | 303 | 307 | 308)
                && let Some(place) = text(headers, "location")
            {
                let next = url.join(&place).map_err(|_| network("it redirects to no address"))?;
                if next.scheme() != "https" && next.scheme() != url.scheme() {
                    return Err(network("the server redirects to an address that is not secure"));
                }
                url = next;
                continue;
            }
            let encoding = text(headers, "content-encoding");
            if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
                return Err(network("the server sends it compressed, which was not asked for"));
            }
            let range = text(headers, "content-range").and_then(|range| content_range(&range));
            let (from, total) = match status {
                206 => {
                    range.ok_or_else(|| network("the server sent a part and did not say which"))?
                }
                _ => (0, text(headers, "content-length").and_then(|length| length.parse().ok())),
            };
            return Ok(Response {
                status,
                from,
                total,
                etag: text(headers, "etag"),
                linked_etag: linked_etag.map(|etag| etag.trim_matches('"').to_owned()),
                commit,
                content_type: text(headers, "content-type"),
                retry_after: text(headers, "retry-after").and_then(|after| after.parse().ok()),
                body: Pieces {
                    reader: Box::new(answer.into_body().into_reader()),
                    patience: self.patience,
                },
            });
        }
        Err(network("the server redirects in circles"))
    }

    async fn wait(&mut self, time: Duration) -> Result<(), Cancelled> {
        thread::sleep(time);
        Ok(())
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

/// The body of an answer.
pub(crate) struct Pieces {
    reader: Box<dyn Read>,
    patience: u64,
}

impl Body for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        let mut bytes = vec![0; PIECE];
        let got = self.reader.read(&mut bytes).map_err(|error| {
            let reason = match io_error(&error) {
                Some(error) => reason(error, self.patience),
                None => of_io(&error, self.patience),
            };
            TransportError::Network(reason)
        })?;
        bytes.truncate(got);
        Ok((got > 0).then_some(bytes))
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// `ureq` wraps its own errors where a reader may only have errors of input and output.
fn io_error(error: &io::Error) -> Option<&ureq::Error> {
    error.get_ref()?.downcast_ref()
}

/// Why a connection failed, to follow "because".
fn reason(error: &ureq::Error, patience: u64) -> String {
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            format!("the server could not be reached within {patience} seconds")
        }
        ureq::Error::Timeout(_) => format!("nothing came for {patience} seconds"),
        ureq::Error::HostNotFound => "there is no such server, or no connection".to_owned(),
        ureq::Error::Io(error) => of_io(error, patience),
        other => format!("the connection failed ({other})"),
    }
}

fn of_io(error: &io::Error, patience: u64) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "the server refuses connections".to_owned(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            format!("nothing came for {patience} seconds")
        }
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => "the connection was cut".to_owned(),
        _ => format!("the connection failed ({error})"),
    }
}
