//! What can go wrong, for the person who asked.

use crate::{AddressError, Cancelled, Fault, StoreError};

/// Why a file could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It is not wanted any more.
    #[error("Cancelled.")]
    Cancelled,
    /// No server gave it.
    #[error("{file} of {repo} cannot be fetched, because {}.", reasons(.faults))]
    Unreachable {
        /// The file.
        file: &'static str,
        /// The model.
        repo: String,
        /// The servers that were asked, and what was wrong with each in the end. Never empty.
        faults: Vec<(String, Fault)>,
    },
    /// It became another file on the way.
    #[error(
        "{file} of {repo} changed on the server while it was read, so nothing of it is used; try again."
    )]
    Changed {
        /// The file.
        file: &'static str,
        /// The model.
        repo: String,
    },
    /// What was kept is not what was fetched.
    #[error(
        "The stored {file} of {repo} is damaged, so it was removed and is not used; fetch it again."
    )]
    Damaged {
        /// The file.
        file: &'static str,
        /// The model.
        repo: String,
    },
    /// It cannot be kept.
    #[error("{file} of {repo} cannot be stored, because {error}; {}.", room(.error))]
    Store {
        /// The file.
        file: &'static str,
        /// The model.
        repo: String,
        /// Why.
        error: StoreError,
    },
    /// Not a name or an address.
    #[error("{0}.")]
    Address(#[from] AddressError),
}

impl From<Cancelled> for FetchError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// What each server did, and what to do about the first.
fn reasons(faults: &[(String, Fault)]) -> String {
    let of_one = |(server, fault): &(String, Fault)| format!("{fault} ({server})");
    let all = faults.iter().map(of_one).collect::<Vec<_>>().join(", and ");
    let advice = faults.first().map_or("try again", |(_, fault)| fault.advice());
    format!("{all}; {advice}")
}

fn room(error: &StoreError) -> &'static str {
    match error {
        StoreError::Full(_) => "make room, or choose a smaller model: what has come is kept",
        StoreError::Failed(_) => "check that the place can be written, and try again",
    }
}
