//! The views: state in, elements out.

mod agreement;
mod answer;
mod controls;
mod footer;
mod grid;
mod header;
mod heads;
mod heatmap;
mod legend;
mod models;
mod notices;
mod predictions;
mod question;
mod readout;
mod status;
mod table;
mod tokens;

pub use answer::Answer;
pub use footer::Footer;
pub use header::Header;
pub use question::Question;
pub use status::Status;
