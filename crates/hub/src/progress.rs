//! How far a download is, for a person to see, and whether it is still wanted.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use crate::ModelFile;

/// The person does not want the result any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The file that is being fetched.
    pub file: ModelFile,
    /// Its bytes that are there.
    pub done: u64,
    /// Its bytes in all, if that is known.
    pub total: Option<u64>,
    /// Bytes of all files that are there.
    pub done_of_all: u64,
    /// Bytes of all files, if that is known.
    pub total_of_all: Option<u64>,
    /// Bytes a second in the last seconds; none before there is something to tell.
    pub rate: Option<f64>,
    /// How long the rest of all files will take at this rate.
    pub left: Option<Duration>,
}

/// Who sees the progress.
pub trait Watch {
    /// Called with every piece that came, and before every try.
    ///
    /// # Errors
    /// [`Cancelled`] if the download is not wanted any more.
    fn pause(&mut self, progress: &Progress) -> impl Future<Output = Result<(), Cancelled>>;
}

impl<W: Watch> Watch for &mut W {
    async fn pause(&mut self, progress: &Progress) -> Result<(), Cancelled> {
        (**self).pause(progress).await
    }
}

/// For those who wait for the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    async fn pause(&mut self, _progress: &Progress) -> Result<(), Cancelled> {
        Ok(())
    }
}

/// Which part of a download of several files one file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Bytes of the files before it.
    pub before: u64,
    /// Bytes of all files, if that is known.
    pub of: Option<u64>,
}

/// The rate is that of this time: long enough to be steady, short enough to show a change.
const WINDOW: Duration = Duration::from_secs(5);

/// Less time than this says nothing about a rate.
const LEAST: Duration = Duration::from_millis(250);

/// Counts what comes and when.
#[derive(Debug)]
pub(crate) struct Meter {
    file: ModelFile,
    part: Part,
    /// Moments, and the bytes that had come from the network by then.
    seen: VecDeque<(Duration, u64)>,
    came: u64,
}

impl Meter {
    pub(crate) fn new(file: ModelFile, part: Part, now: Duration) -> Self {
        Self { file, part, seen: VecDeque::from([(now, 0)]), came: 0 }
    }

    /// Bytes came from the network.
    pub(crate) fn count(&mut self, bytes: usize, now: Duration) {
        self.came += bytes as u64;
        let last = self.seen.back().map_or(Duration::ZERO, |seen| seen.0);
        // A few entries a second are enough.
        if now.saturating_sub(last) >= LEAST / 2 {
            self.seen.push_back((now, self.came));
        }
        // The oldest is kept until the next one is as old as the window.
        while self.seen.get(1).is_some_and(|next| now.saturating_sub(next.0) >= WINDOW) {
            self.seen.pop_front();
        }
    }

    pub(crate) fn progress(&self, done: u64, total: Option<u64>, now: Duration) -> Progress {
        let rate = self.seen.front().and_then(|&(began, before)| {
            let time = now.saturating_sub(began);
            (time >= LEAST && self.came > before)
                .then(|| (self.came - before) as f64 / time.as_secs_f64())
        });
        let done_of_all = self.part.before.saturating_add(done);
        let total_of_all = self.part.of.filter(|&of| of >= done_of_all);
        let rest = total_of_all.map(|all| all - done_of_all);
        let rest = rest.or_else(|| total.map(|total| total.saturating_sub(done)));
        let left = rest
            .zip(rate)
            .and_then(|(rest, rate)| Duration::try_from_secs_f64(rest as f64 / rate).ok());
        Progress { file: self.file, done, total, done_of_all, total_of_all, rate, left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_follow_the_last_seconds() {
        let second = Duration::from_secs(1);
        let part = Part { before: 100, of: Some(10_100) };
        let mut meter = Meter::new(ModelFile::Weights, part, second);
        let first = meter.progress(0, Some(10_000), second);
        assert_eq!((first.rate, first.left), (None, None));
        assert_eq!((first.done_of_all, first.total_of_all), (100, Some(10_100)));
        for moment in 2..=4 {
            meter.count(1_000, moment * second);
        }
        let steady = meter.progress(3_000, Some(10_000), 4 * second);
        assert_eq!((steady.rate, steady.left), (Some(1_000.0), Some(7 * second)));
        // Long after, the fast beginning is forgotten.
        for moment in 5..=20 {
            meter.count(100, moment * second);
        }
        let slow = meter.progress(4_600, Some(10_000), 20 * second);
        assert!((slow.rate.unwrap() - 100.0).abs() < 1.0, "{slow:?}");
        // Nothing more comes: the rate falls.
        let stalled = meter.progress(4_600, Some(10_000), 60 * second);
        assert!(stalled.rate.unwrap() < 20.0, "{stalled:?}");
    }

    #[test]
    fn totals_that_are_wrong_or_not_known_are_none() {
        let part = Part { before: 100, of: Some(150) };
        let meter = Meter::new(ModelFile::Config, part, Duration::ZERO);
        let progress = meter.progress(60, None, Duration::ZERO);
        assert_eq!((progress.total, progress.total_of_all), (None, None));
        assert_eq!(progress.done_of_all, 160);
    }
}
