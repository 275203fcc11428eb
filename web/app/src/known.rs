//! What is known of the exact answer: all of it, or what a long sweep has come to.

use std::collections::BTreeSet;
use std::sync::Arc;

use relp_model::{Cell, Figure, Site};

use crate::comparison;

/// An exact figure, of which something may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The figure, in which what is missing is 0.
    pub figure: Arc<Figure>,
    /// What is not computed yet.
    pub missing: Arc<BTreeSet<(Site, Cell)>>,
}

impl Known {
    /// A figure with nothing missing.
    pub fn whole(figure: Arc<Figure>) -> Self {
        Self { figure, missing: Arc::default() }
    }

    /// What is known of one pair out of a mean over several.
    pub fn of_pair(self, pair: Option<usize>) -> Self {
        Self { figure: comparison::of_pair(&self.figure, pair), ..self }
    }

    /// Whether a cell is computed.
    pub fn has(&self, site: Site, layer: usize, position: usize) -> bool {
        !self.missing.contains(&(site, Cell { layer, position }))
    }
}

/// Exact activation patching for the figure that is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Exact {
    /// Nobody has asked, or it was given up, with what had been found.
    Stopped(Option<Known>),
    /// It is on its way, with what has been found.
    Running(Option<Known>),
    /// It is here.
    Here(Arc<Figure>),
}

impl Default for Exact {
    fn default() -> Self {
        Self::Stopped(None)
    }
}

impl Exact {
    /// What is known.
    pub fn known(&self) -> Option<Known> {
        match self {
            Self::Stopped(known) | Self::Running(known) => known.clone(),
            Self::Here(figure) => Some(Known::whole(figure.clone())),
        }
    }

    /// Whether nothing is missing.
    pub fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }

    /// Takes what a sweep has found, unless more was known before it was interrupted.
    pub fn add(&mut self, part: Known) {
        let fewer = |known: &Known| known.missing.len() < part.missing.len();
        if matches!(self, Self::Running(known) if !known.as_ref().is_some_and(fewer)) {
            *self = Self::Running(Some(part));
        }
    }

    /// It is not on its way any more.
    pub fn stop(&mut self) {
        if let Self::Running(known) = self {
            *self = Self::Stopped(known.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn known(missing: &[(usize, usize)]) -> Known {
        let missing =
            missing.iter().map(|&(layer, position)| (Site::MlpOut, Cell { layer, position }));
        Known {
            missing: Arc::new(missing.collect()),
            ..Known::whole(Arc::new(testing::figure(2, 3)))
        }
    }

    #[test]
    fn what_was_found_is_kept_when_a_sweep_starts_again() {
        let (little, more) = (known(&[(0, 0), (1, 2)]), known(&[(1, 2)]));
        assert!(little.has(Site::AttnOut, 0, 0) && !little.has(Site::MlpOut, 0, 0));
        let mut exact = Exact::Running(None);
        exact.add(more.clone());
        exact.add(little.clone());
        assert_eq!(exact, Exact::Running(Some(more.clone())));
        exact.stop();
        assert_eq!(exact, Exact::Stopped(Some(more.clone())));
        exact.add(little);
        assert_eq!(exact.known(), Some(more), "a late part is not taken");
        assert!(!exact.is_here());
    }
}
