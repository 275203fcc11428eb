//! What is going on, on a terminal, once it takes longer than a second.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use relp_engine::{Cancelled, Control};
use relp_hub::Watch;
use relp_hub::preflight::Bytes;

/// Nothing is said of what is done sooner.
const PATIENCE: Duration = Duration::from_secs(1);

/// Time between two changes of the line.
const BETWEEN: Duration = Duration::from_millis(100);

/// One line on standard error that is written over and over, and wiped in the end.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    began: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let terminal = io::stderr().is_terminal();
        Self { what: String::new(), began: Instant::now(), shown: None, terminal }
    }

    /// What is done next.
    pub(crate) fn now(&mut self, what: String) {
        self.what = what;
    }

    /// Wipes the line.
    pub(crate) fn wipe(&mut self) {
        if self.shown.take().is_some() {
            let _unseen = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

impl Control for Progress {
    async fn pause(&mut self, done: u64, total: u64) -> Result<(), Cancelled> {
        let due = self.shown.is_none_or(|shown| shown.elapsed() >= BETWEEN);
        if self.terminal && self.began.elapsed() >= PATIENCE && due {
            let percent = 100 * done / total.max(1);
            let mut err = io::stderr().lock();
            let _unseen = write!(err, "\r\x1b[K{}: {percent} %", self.what);
            let _unseen = err.flush();
            self.shown = Some(Instant::now());
        }
        Ok(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// The line of a download.
#[derive(Debug)]
pub(crate) struct Download(Progress);

impl Download {
    pub(crate) fn new() -> Self {
        Self(Progress::new())
    }

    /// Tells a person who watches what is coming.
    pub(crate) fn say(what: &str) {
        let mut err = io::stderr().lock();
        if err.is_terminal() {
            let _unseen = writeln!(err, "{what}");
        }
    }
}

impl Watch for Download {
    async fn pause(&mut self, progress: &relp_hub::Progress) -> Result<(), relp_hub::Cancelled> {
        let line = &mut self.0;
        if line.terminal && line.shown.is_none_or(|shown| shown.elapsed() >= BETWEEN) {
            let mut err = io::stderr().lock();
            let _unseen = write!(err, "\r\x1b[K{}", words(progress));
            let _unseen = err.flush();
            line.shown = Some(Instant::now());
        }
        Ok(())
    }
}

/// A line such as "model.safetensors: 312 MB of 548 MB, 21 MB a second, 11 s left".
fn words(progress: &relp_hub::Progress) -> String {
    let mut words = format!("{}: {}", progress.file.name(), Bytes(progress.done));
    if let Some(total) = progress.total {
        words += &format!(" of {}", Bytes(total));
    }
    if let Some(rate) = progress.rate {
        // A rate is no more than a few gigabytes.
        words += &format!(", {} a second", Bytes(rate.round() as u64));
    }
    if let Some(left) = progress.left {
        let seconds = left.as_secs();
        words += &match seconds {
            0..60 => format!(", {seconds} s left"),
            60..3600 => format!(", {} min left", seconds.div_ceil(60)),
            _ => format!(", {} h {} min left", seconds / 3600, seconds % 3600 / 60),
        };
    }
    words
}

#[cfg(test)]
mod tests {
    use relp_hub::ModelFile;

    use super::*;

    #[test]
    fn a_download_is_told_in_one_line() {
        let mut progress = relp_hub::Progress {
            file: ModelFile::Weights,
            done: 312_000_000,
            total: Some(548_105_171),
            done_of_all: 312_000_000,
            total_of_all: None,
            rate: Some(2.1e7),
            left: Some(Duration::from_secs(11)),
        };
        let line = "model.safetensors: 312 MB of 548 MB, 21 MB a second, 11 s left";
        assert_eq!(words(&progress), line);
        progress.left = Some(Duration::from_secs(7260));
        assert!(words(&progress).ends_with("2 h 1 min left"));
        progress.left = Some(Duration::from_secs(61));
        assert!(words(&progress).ends_with("2 min left"));
        (progress.total, progress.rate, progress.left) = (None, None, None);
        assert_eq!(words(&progress), "model.safetensors: 312 MB");
    }
}
