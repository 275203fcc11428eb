//! Progress and cancellation of long work.

use std::future::Future;

use relp_model::Part;
use web_time::{Duration, Instant};

/// The person does not want the result any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

/// How long work reports, and gives way to, whoever asked for it.
pub trait Control {
    /// Called every few milliseconds with the parts done and the parts in all. In a worker this is
    /// where messages are let in.
    ///
    /// # Errors
    /// [`Cancelled`] if the work is not wanted any more.
    fn pause(&mut self, done: u64, total: u64) -> impl Future<Output = Result<(), Cancelled>>;

    /// Called with what is there so far of work that is done in several parts.
    fn part(&mut self, _part: Part) {}
}

/// One of several runs, whose progress is a share of the whole.
pub(crate) struct Share<'a, C> {
    pub(crate) control: &'a mut C,
    pub(crate) at: u64,
    pub(crate) of: u64,
}

impl<C: Control> Control for Share<'_, C> {
    async fn pause(&mut self, done: u64, total: u64) -> Result<(), Cancelled> {
        self.control.pause(self.at * total + done, self.of * total).await
    }

    fn part(&mut self, part: Part) {
        // Of several pairs, one is not part of the answer.
        if self.of == 1 {
            self.control.part(part);
        }
    }
}

/// For those who wait for the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uncontrolled;

impl Control for Uncontrolled {
    async fn pause(&mut self, _done: u64, _total: u64) -> Result<(), Cancelled> {
        Ok(())
    }
}

/// Work goes on for this long between two pauses: shorter than a frame of the screen.
const BETWEEN_PAUSES: Duration = Duration::from_millis(12);

/// Calls a [`Control`] no more often than makes sense.
pub(crate) struct Pace<'a, C> {
    control: &'a mut C,
    last: Instant,
    /// Parts of the work, each of which counts its own progress, and those that are done.
    parts: u64,
    done: u64,
}

impl<'a, C: Control> Pace<'a, C> {
    pub(crate) fn new(control: &'a mut C, parts: u64) -> Self {
        Self { control, last: Instant::now(), parts, done: 0 }
    }

    /// Tells what is there so far.
    pub(crate) fn part(&mut self, part: Part) {
        self.control.part(part);
    }

    /// What is counted from now on belongs to the next part.
    pub(crate) fn next_part(&mut self) {
        self.done += 1;
    }

    /// Pauses, if the last pause is long enough ago.
    pub(crate) async fn step(&mut self, done: u64, total: u64) -> Result<(), Cancelled> {
        if self.last.elapsed() >= BETWEEN_PAUSES {
            self.now(done, total).await?;
        }
        Ok(())
    }

    /// Pauses.
    pub(crate) async fn now(&mut self, done: u64, total: u64) -> Result<(), Cancelled> {
        self.control.pause(self.done * total + done, self.parts * total).await?;
        self.last = Instant::now();
        Ok(())
    }
}
