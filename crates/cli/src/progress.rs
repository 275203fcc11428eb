//! What is going on, on a terminal, once it takes longer than a second.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use relp_engine::{Cancelled, Control};

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
    async fn pause(&mut self, done: usize, total: usize) -> Result<(), Cancelled> {
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
