//! Recording the scores of a site of a layer from what the backward pass left there.

use relp_lrp::{Block, Gradients};
use relp_tape::{Buf, Outputs, Tape};

use crate::{Config, Grain, Site};

/// Where the scores of a site of a layer lie among the outputs of a tape.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scores {
    /// Nothing reaches it: a coefficient of 0.
    Zero,
    /// Columns `first..` of \[N,T,G\], as many as there are components a position.
    Columns { buf: Buf, first: usize },
    /// \[N,H,T,1\]
    OfHeads { buf: Buf },
}

/// An activation of base runs and what replaces them, \[2B,…\], and the buffer whose coefficients
/// `gradients` has.
pub(crate) struct Moved<'a> {
    pub(crate) act: Buf,
    pub(crate) of: Buf,
    pub(crate) gradients: &'a Gradients,
}

impl Scores {
    /// Records `(replaced − base) · coefficient`, summed over each component (arXiv 2508.21258, eq. 4).
    pub(crate) fn record(
        tape: &mut Tape,
        config: &Config,
        (site, l): (Site, usize),
        moved: &Moved<'_>,
    ) -> Self {
        let name = format!("score blocks.{l}.{site}");
        let blocks = moved.gradients.blocks(moved.of);
        let heads = config.n_head;
        // q, k and v share a buffer, and q and k a block of its coefficients.
        let (first_col, groups, first) = match site {
            Site::Q => (0, 2 * heads, 0),
            Site::K => (0, 2 * heads, heads),
            Site::V => (2 * config.d_model, heads, 0),
            Site::Pattern => (0, 1, 0),
            _ => (0, site.components(config), 0),
        };
        let Some(&Block { buf: grad, .. }) = blocks.iter().find(|b| b.first_col == first_col)
        else {
            return Scores::Zero;
        };
        let buf = tape.delta_dot(&name, moved.act, grad, first_col, groups);
        tape.output(buf);
        match site {
            Site::Pattern => Scores::OfHeads { buf },
            _ => Scores::Columns { buf, first },
        }
    }

    /// Records what AtP\*'s fix gives for queries and keys instead (Kramár et al. 2024, §3.1); `of` is
    /// the pattern.
    pub(crate) fn record_fixed(
        tape: &mut Tape,
        config: &Config,
        (site, l): (Site, usize),
        moved: &Moved<'_>,
    ) -> Self {
        let Some(dp) = moved.gradients.get(moved.of) else { return Scores::Zero };
        let buf = tape.qk_fix(&format!("score blocks.{l}.{site}"), moved.act, dp);
        tape.output(buf);
        Scores::Columns { buf, first: if site == Site::K { config.n_head } else { 0 } }
    }

    /// The scores of the n-th sequence, \[T\] or \[T,components\].
    pub(crate) fn read(
        self,
        tape: &Tape,
        config: &Config,
        site: Site,
        outputs: &Outputs,
        n: usize,
    ) -> Option<Vec<f64>> {
        let components = site.components(config);
        let (Scores::Columns { buf, .. } | Scores::OfHeads { buf }) = self else { return None };
        let (values, shape) = (outputs.get(buf), tape.shape(buf));
        let len = values.len() / shape[0];
        let values = &values[n * len..][..len];
        let wide = |&score: &f32| f64::from(score);
        Some(match self {
            Scores::OfHeads { .. } => {
                debug_assert_eq!(site.grain(), Grain::Head);
                let t = shape[2];
                let of = |position: usize| values[position..].iter().step_by(t).map(wide);
                (0..t).flat_map(of).collect()
            }
            Scores::Columns { first, .. } => {
                let rows = values.chunks(shape[2]);
                rows.flat_map(|row| row[first..first + components].iter().map(wide)).collect()
            }
            Scores::Zero => return None,
        })
    }
}
