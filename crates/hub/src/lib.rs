//! Models from a hub: which there are, how they are fetched, resumed, checked and kept.
//!
//! [`KNOWN`] lists the models by name, [`Mirrors`] where files are, [`preflight`](mod@preflight) what a model will
//! take. A [`Fetch`] brings one file from a [`Transport`] into a [`Store`], takes up again what was
//! cut, and hands out no file whose length or hash is wrong. Nothing here does input or output:
//! the command line and the page's worker bring their own transport and store.

mod address;
mod error;
mod fault;
mod fetch;
pub mod here;
mod known;
mod memory;
pub mod preflight;
mod progress;
mod store;
mod transport;

pub use address::{AddressError, HUB, Mirrors, ModelId, Repo, Revision};
pub use error::FetchError;
pub use fault::Fault;
pub use fetch::{Fetch, Wanted};
pub use known::{Expected, KNOWN, Known, ModelFile, Sizes};
pub use memory::MemoryStore;
pub use progress::{Cancelled, Part, Progress, Unwatched, Watch};
pub use store::{Entry, Record, Store, StoreError, Trust};
pub use transport::{Ask, Body, Response, Transport, TransportError, content_range};
