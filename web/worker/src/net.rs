//! The network: `fetch`.

use std::rc::Rc;
use std::time::Duration;

use js_sys::{Date, Promise, Uint8Array};
use relp_hub::{Ask, Body, Cancelled, Response, Transport, TransportError, content_range};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, Headers, ReadableStreamDefaultReader, RequestInit};

use crate::ahead;
use crate::inbox::Inbox;
use crate::js;
use crate::scope;

/// Milliseconds without a byte after which a connection counts as broken.
const PATIENCE: i32 = 30_000;

/// Milliseconds after which a wait looks whether it is still wanted.
const GLANCE: i32 = 100;

/// Whose files are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// The page's own, as any other of its files.
    Own,
    /// A hub: it is sent no cookies, and what is stored is this program's to decide.
    Hub,
}

/// The browser's `fetch`, for as long as the command is wanted.
pub(crate) struct Net {
    pub(crate) server: Server,
    pub(crate) inbox: Rc<Inbox>,
}

impl Net {
    /// Asks, with what stops it.
    fn fetch(&self, ask: &Ask) -> Result<(Promise, AbortController), JsValue> {
        let init = RequestInit::new();
        let abort = AbortController::new()?;
        init.set_signal(Some(&abort.signal()));
        if self.server == Server::Hub {
            init.set_cache(web_sys::RequestCache::NoStore);
            init.set_credentials(web_sys::RequestCredentials::Omit);
        }
        if ask.from > 0 {
            let headers = Headers::new()?;
            headers.set("Range", &format!("bytes={}-", ask.from))?;
            init.set_headers(&headers);
        }
        Ok((scope().fetch_with_str_and_init(&ask.url, &init), abort))
    }

    /// What a promise comes to, unless it takes too long or is not wanted any more.
    async fn in_time(&self, promise: Promise) -> Result<JsValue, TransportError> {
        let network = |why: String| TransportError::Network(why);
        let timer = js::Timer::new(PATIENCE);
        match js::before(promise, timer.end()).await {
            _ if self.inbox.is_cancelled() => Err(TransportError::Cancelled),
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(network(js::reason(&error))),
            None => Err(network(format!("nothing came for {} seconds", PATIENCE / 1000))),
        }
    }
}

impl Transport for Net {
    type Body = Pieces;

    async fn open(&mut self, ask: &Ask) -> Result<Response<Pieces>, TransportError> {
        let (answer, abort) = match ahead::take(self.server, ask) {
            Some(ahead) => ahead,
            None => self.fetch(ask).map_err(|error| TransportError::Network(js::reason(&error)))?,
        };
        self.inbox.set_abort(abort.clone());
        let answer = self.in_time(answer).await;
        // What came too late would go on coming.
        let answer: web_sys::Response = answer.inspect_err(|_| abort.abort())?.unchecked_into();
        let text = |name: &str| answer.headers().get(name).ok().flatten();
        let status = answer.status();
        let (from, total) = match status {
            206 => match text("content-range") {
                Some(range) => content_range(&range).ok_or_else(|| {
                    let why = "the server sent a part and did not say which";
                    TransportError::Network(why.to_owned())
                })?,
                // A server that lets no one read it still sends what was asked for.
                None => (ask.from, None),
            },
            _ if text("content-encoding").is_some() => (0, None),
            _ => (0, text("content-length").and_then(|length| length.parse().ok())),
        };
        let reader = answer.body().map(|body| body.get_reader().unchecked_into());
        Ok(Response {
            status,
            from,
            total,
            etag: text("etag"),
            linked_etag: text("x-linked-etag").map(|etag| etag.trim_matches('"').to_owned()),
            commit: text("x-repo-commit"),
            content_type: text("content-type"),
            retry_after: text("retry-after").and_then(|after| after.parse().ok()),
            body: Pieces {
                net: Net { server: self.server, inbox: self.inbox.clone() },
                reader,
                abort,
            },
        })
    }

    async fn wait(&mut self, time: Duration) -> Result<(), Cancelled> {
        let end = self.now() + time;
        while self.now() < end {
            // The promise is never rejected.
            let timer = js::Timer::new(GLANCE);
            let _ = js::done(timer.end()).await;
            if self.inbox.is_cancelled() {
                return Err(Cancelled);
            }
        }
        Ok(())
    }

    fn now(&self) -> Duration {
        Duration::from_millis(Date::now() as u64)
    }
}

/// The body of an answer.
pub(crate) struct Pieces {
    net: Net,
    reader: Option<ReadableStreamDefaultReader>,
    abort: AbortController,
}

impl Body for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        let Some(reader) = &self.reader else { return Ok(None) };
        let piece = self.net.in_time(reader.read()).await?;
        if js::get(&piece, "done").is_truthy() {
            return Ok(None);
        }
        let piece: Uint8Array = js::get(&piece, "value").unchecked_into();
        Ok(Some(piece.to_vec()))
    }
}

impl Drop for Pieces {
    /// What is not read to its end would go on coming.
    fn drop(&mut self) {
        self.abort.abort();
    }
}
