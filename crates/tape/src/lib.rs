//! What a computation means.
//!
//! A [`Tape`] is a flat list of [`Op`]s on named, shaped buffers ([`Buf`]). Recording order is
//! execution order. There is no graph, no scheduler and no dtype system: a buffer holds `f32`
//! values or `u32` ids, is written by exactly one op, and is never changed afterwards.
//!
//! Executors run a tape. The one in [`mod@reference`] is plain loops in `f64`; it *defines* what each
//! op means, and every other executor is compared with it.
//!
//! ```
//! use relp_tape::{Feed, Tape, reference};
//!
//! let mut tape = Tape::new();
//! let x = tape.input("x", &[2, 3]);
//! let w = tape.weight("w", &[3, 2]);
//! let y = tape.linear("y", x, w, None);
//! tape.output(y);
//!
//! let mut feed = Feed::new();
//! feed.values(x, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
//! feed.values(w, vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
//! let values = reference::run(&tape, &feed).unwrap();
//! assert_eq!(values.f64(y), &[4.0, 5.0, 10.0, 11.0]);
//! ```

mod buf;
mod feed;
mod forward;
mod needed;
mod op;
mod record;
pub mod reference;
mod slots;
mod tape;
mod weight;

pub use buf::{Buf, BufInfo, Content};
pub use feed::{Feed, FeedError, Outputs};
pub use forward::{Begun, Forward, Known};
pub use needed::{Beginnings, Needed, Rows};
pub use op::{Measure, Op, Slope};
pub use slots::Slots;
pub use tape::Tape;
pub use weight::{Piece, Storage};
