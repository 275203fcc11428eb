//! What can be wrong with one server.

use std::time::Duration;

/// Why a try failed. As text, a reason that follows "because".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages name the fields")]
pub enum Fault {
    /// There was no answer, or it broke off.
    #[error("{0}")]
    Network(String),
    /// The answer ended early.
    #[error("the connection was cut after {got} of {length} bytes")]
    Cut { got: u64, length: u64 },
    /// The server's answer was no.
    #[error("{}", of_status(*status, *retry_after))]
    Status { status: u16, retry_after: Option<u64> },
    /// A page came in its place.
    #[error("a web page came in its place, as from a network that asks to sign in first")]
    WebPage,
    /// A text came that is no JSON.
    #[error("what came in its place is not JSON")]
    NotJson,
    /// Another length than the file has.
    #[error("it has {found} bytes there and should have {expected}")]
    Length { expected: u64, found: u64 },
    /// More bytes than any such file has.
    #[error("it is longer than {most} bytes there, which no such file is")]
    TooLong { most: u64 },
    /// Other bytes than the file has.
    #[error("its SHA-256 there is {found} and should be {expected}")]
    Hash { expected: String, found: String },
    /// A range that was not asked for.
    #[error("the server sent bytes from {found} on where those from {expected} on were asked for")]
    Range { expected: u64, found: u64 },
}

fn of_status(status: u16, retry_after: Option<u64>) -> String {
    match (status, retry_after) {
        // The hub says 401 of models that do not exist, too.
        (401 | 403, _) => {
            format!("the server does not have it, or does not give it to everyone ({status})")
        }
        (404 | 410, _) => format!("the server does not have it ({status})"),
        (429, Some(seconds)) => {
            format!("the server has had too many requests (429) and asks to wait {seconds} seconds")
        }
        (429, None) => "the server has had too many requests (429)".to_owned(),
        (500.., _) => format!("the server has trouble of its own ({status})"),
        _ => format!("the server answered {status}"),
    }
}

/// Nobody waits longer than this for a server that asks for patience.
const LONGEST_WAIT: u64 = 60;

/// What to do about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Ask again after a wait.
    Again(Duration),
    /// Ask the next mirror: this one would answer the same.
    Elsewhere,
}

impl Fault {
    /// What to do after so many failures in a row.
    pub(crate) fn remedy(&self, failures: u32) -> Remedy {
        let back_off = Duration::from_secs(1 << failures.min(5));
        match self {
            Fault::Status { status: 429 | 503, retry_after: Some(seconds) } => {
                if *seconds > LONGEST_WAIT {
                    return Remedy::Elsewhere;
                }
                Remedy::Again(back_off.max(Duration::from_secs(*seconds)))
            }
            Fault::Network(_)
            | Fault::Cut { .. }
            | Fault::Status { status: 408 | 425 | 429 | 500.., .. } => Remedy::Again(back_off),
            _ => Remedy::Elsewhere,
        }
    }

    /// What a person can do about it, as a clause.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Fault::Network(_) | Fault::Cut { .. } => {
                "check the connection and try again: what has come is kept"
            }
            Fault::Status { status: 401 | 403, .. } => {
                "check the model's name, and if one has to sign in for it, download it in a browser and \
                 open the folder"
            }
            Fault::Status { status: 404 | 410, .. } => {
                "check the model's name, and that it has this file on the hub"
            }
            Fault::Status { .. } => "try again later, or name a mirror: what has come is kept",
            Fault::WebPage => "sign in to the network, or name another mirror, and try again",
            Fault::NotJson | Fault::Length { .. } | Fault::TooLong { .. } | Fault::Range { .. } => {
                "name another mirror"
            }
            Fault::Hash { .. } => "nothing of it is kept; try again, or name another mirror",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_what_cannot_is_not() {
        let again = |fault: &Fault| matches!(fault.remedy(0), Remedy::Again(_));
        let status = |status, retry_after| Fault::Status { status, retry_after };
        for fault in [Fault::Network(String::new()), status(500, None), status(429, Some(60))] {
            assert!(again(&fault), "{fault:?}");
        }
        for fault in [status(404, None), status(401, None), status(429, Some(61)), Fault::WebPage] {
            assert!(!again(&fault), "{fault:?}");
        }
        let patient = status(503, Some(30)).remedy(0);
        assert_eq!(patient, Remedy::Again(Duration::from_secs(30)));
        let waits = [0, 1, 2].map(|failures| Fault::Network(String::new()).remedy(failures));
        assert_eq!(waits, [1, 2, 4].map(|s| Remedy::Again(Duration::from_secs(s))));
    }
}
