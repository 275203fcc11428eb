//! Fetching a file piece by piece.

use std::rc::Rc;

use js_sys::{Array, Reflect, Uint8Array};
use relp_engine::{Control, EngineError};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStreamDefaultReader, RequestInit, Response};

use crate::control::PageControl;
use crate::inbox::Inbox;
use crate::scope;

/// Why a file could not be fetched, for the sentence "The file … cannot be fetched: …".
enum Fault {
    /// The server's answer was no.
    Status(u16),
    /// There was no answer, or it broke off.
    Network(String),
}

/// Fetches `url`; `control` hears of every piece.
pub(crate) async fn download(
    inbox: &Rc<Inbox>,
    control: &mut PageControl,
    url: &str,
) -> Result<Uint8Array, EngineError> {
    let fetched = fetch(inbox, control, url).await?;
    fetched.map_err(|fault| {
        let why = match fault {
            Fault::Status(404) => "the server does not have it (404)".to_owned(),
            Fault::Status(status) => format!("the server answered {status}"),
            Fault::Network(why) => why,
        };
        EngineError::Source(format!(
            "{url} cannot be fetched, because {why}; check the connection and try again"
        ))
    })
}

async fn fetch(
    inbox: &Rc<Inbox>,
    control: &mut PageControl,
    url: &str,
) -> Result<Result<Uint8Array, Fault>, EngineError> {
    // A failed promise of a fetch that was given up is no fault of the network.
    macro_rules! network {
        ($result:expr) => {
            match $result {
                Ok(value) => value,
                Err(_) if inbox.is_cancelled() => return Err(EngineError::Cancelled),
                Err(error) => return Ok(Err(Fault::Network(sentence(&error)))),
            }
        };
    }
    let init = RequestInit::new();
    let abort = network!(AbortController::new());
    init.set_signal(Some(&abort.signal()));
    inbox.set_abort(abort);
    let response = JsFuture::from(scope().fetch_with_str_and_init(url, &init)).await;
    let response: Response = network!(response).unchecked_into();
    if !response.ok() {
        return Ok(Err(Fault::Status(response.status())));
    }
    let total = announced_length(&response);
    let pieces = Array::new();
    let mut done = 0;
    if let Some(body) = response.body() {
        let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
        loop {
            let result = network!(JsFuture::from(reader.read()).await);
            let field = |name: &str| Reflect::get(&result, &JsValue::from_str(name));
            if network!(field("done")).is_truthy() {
                break;
            }
            let piece: Uint8Array = network!(field("value")).unchecked_into();
            done += piece.length();
            pieces.push(&piece);
            // A total that is not known, or not true, is none.
            let total = if total < done { 0 } else { total };
            control.pause(done as usize, total as usize).await?;
        }
    }
    let file = Uint8Array::new_with_length(done);
    let mut at = 0;
    for piece in pieces.iter() {
        let piece: Uint8Array = piece.unchecked_into();
        file.set(&piece, at);
        at += piece.length();
    }
    Ok(Ok(file))
}

/// What the server says the length is; 0 if it does not say, or if it says that of a compressed
/// file.
fn announced_length(response: &Response) -> u32 {
    let header = |name: &str| response.headers().get(name).ok().flatten();
    if header("content-encoding").is_some() {
        return 0;
    }
    header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// The browser's words for a failed promise.
fn sentence(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => format!("the browser says \"{}\"", String::from(error.message())),
        None => "the connection failed".to_owned(),
    }
}
