//! What is put in the place of a component.

use std::fmt;
use std::str::FromStr;

use relp_tape::{Buf, Feed, Tape};
use serde::{Deserialize, Serialize};

use crate::UnknownName;

/// What takes a component's place in the base run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replace {
    /// What it is in the source run: patching.
    #[default]
    Source,
    /// 0: zero ablation.
    Zero,
    /// Its mean over the positions of both runs but the first: mean ablation. At the first position
    /// GPT-2 keeps an activation of its own kind, whatever the token.
    Mean,
}

impl Replace {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Source, Self::Zero, Self::Mean];

    /// The name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Replace::Source => "source",
            Replace::Zero => "zero",
            Replace::Mean => "mean",
        }
    }

    /// The positions that a mean is over.
    pub(crate) fn averaged(positions: usize) -> std::ops::Range<usize> {
        1.min(positions - 1)..positions
    }
}

impl fmt::Display for Replace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Replace {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        UnknownName::find("replacement", text, Self::ALL, Replace::name)
    }
}

/// Id buffers whose content the recording itself gives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given(Vec<(Buf, Vec<u32>)>);

impl Given {
    /// An id buffer with this content.
    pub(crate) fn ids(
        &mut self,
        tape: &mut Tape,
        name: &str,
        shape: &[usize],
        below: usize,
        ids: Vec<u32>,
    ) -> Buf {
        let buf = tape.ids(name, shape, below as u32);
        self.0.push((buf, ids));
        buf
    }

    /// Gives the content.
    pub(crate) fn feed(&self, feed: &mut Feed) {
        for (buf, ids) in &self.0 {
            feed.ids(*buf, ids.clone());
        }
    }

    /// `act` \[2B,…\] of base runs and source runs, with what replaces the base in the place of the
    /// source.
    pub(crate) fn replaced(&mut self, tape: &mut Tape, act: Buf, replace: Replace) -> Buf {
        if replace == Replace::Source {
            return act;
        }
        let shape = tape.shape(act).to_vec();
        let (pairs, rows) = (shape[0] / 2, tape.info(act).rows());
        let name = format!("{replace} of {}", tape.name(act));
        let (from, mean) = match replace {
            Replace::Mean => {
                let t = shape[1];
                let of_run = |run: usize| Replace::averaged(t).map(move |s| (run * t + s) as u32);
                let ids: Vec<u32> =
                    (0..pairs).flat_map(|b| of_run(b).chain(of_run(pairs + b))).collect();
                let extent = [pairs, ids.len() / pairs];
                let ids = self.ids(tape, "averaged rows", &extent, rows, ids);
                (tape.append_means(&format!("{name} alone"), act, ids), true)
            }
            Replace::Zero | Replace::Source => (act, false),
        };
        let all = tape.info(from).rows();
        let half = rows / 2;
        let put = |row: usize| if mean { rows + row * pairs / half } else { all } as u32;
        let ids = (0..half).map(|row| row as u32).chain((0..half).map(put)).collect();
        let extent = &shape[..shape.len() - 1];
        let taken = self.ids(tape, "kept and put in", extent, all + 1, ids);
        let nothing = self.ids(tape, "nothing", extent, all + 1, vec![all as u32; rows]);
        tape.add_rows(&name, from, taken, from, nothing)
    }
}
