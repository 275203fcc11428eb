//! The views: state in, elements out.

mod agreement;
mod answer;
mod attention;
mod controls;
mod doctor;
mod files;
mod footer;
mod grid;
mod head;
mod header;
mod heads;
mod heatmap;
mod history;
mod kept_cells;
mod legend;
mod look;
mod models;
mod neurons;
mod new_version;
mod notices;
mod pin;
mod predictions;
mod question;
mod readout;
mod scores;
mod status;
mod table;
mod tokens;

pub use answer::Answer;
pub use footer::Footer;
pub use header::Header;
pub use new_version::NewVersion;
pub use question::Question;
pub use status::FailureNotice;
