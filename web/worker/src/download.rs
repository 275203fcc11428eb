//! Fetching a file of the page's own server.

use js_sys::{Date, Uint8Array};
use relp_engine::{Control, EngineError};
use relp_hub::{Ask, Body, Transport, TransportError};

use crate::control::PageControl;
use crate::js;
use crate::net::{Net, Server};

/// Milliseconds between two pauses: shorter than a frame of the screen.
const BETWEEN_PAUSES: f64 = 12.0;

/// Fetches `url` into JavaScript's memory; `control` hears of every piece.
pub(crate) async fn download(
    control: &mut PageControl,
    url: String,
) -> Result<Uint8Array, EngineError> {
    let mut net = Net { server: Server::Own, inbox: control.inbox.clone() };
    let failed = |error| match error {
        TransportError::Cancelled => EngineError::Cancelled,
        TransportError::Network(why) => refused(&url, &why),
    };
    let ask = Ask { url: url.clone(), from: 0, if_range: None };
    let mut answer = net.open(&ask).await.map_err(failed)?;
    match answer.status {
        200..300 => {}
        404 => return Err(refused(&url, "the server does not have it (404)")),
        status => return Err(refused(&url, &format!("the server answered {status}"))),
    }
    let mut pieces = Vec::new();
    let mut done: u64 = 0;
    let mut told = 0.0;
    while let Some(piece) = answer.body.next().await.map_err(failed)? {
        done += piece.len() as u64;
        pieces.push(js::bytes(&piece));
        // A total that is not true is none.
        let total = answer.total.filter(|&total| total >= done);
        // What the browser keeps comes in many pieces at once.
        if Date::now() - told >= BETWEEN_PAUSES {
            control.pause(done, total.unwrap_or(0)).await?;
            told = Date::now();
        }
    }
    let file = Uint8Array::new_with_length(done as u32);
    let mut at = 0;
    for piece in pieces {
        file.set(&piece, at);
        at += piece.length();
    }
    Ok(file)
}

fn refused(url: &str, why: &str) -> EngineError {
    EngineError::Source(format!(
        "{url} cannot be fetched, because {why}; check the connection and try again"
    ))
}
