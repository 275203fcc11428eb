//! What exact activation patching replaces, and what of it can matter.

use crate::{Cell, Config, Grain, Neuron, Recipe, Site};

/// One component that is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Patch {
    /// The activation.
    pub site: Site,
    /// Its layer.
    pub layer: usize,
    /// Its position.
    pub position: usize,
    /// Which head or neuron; 0 where there is one component a position.
    pub component: usize,
}

impl Patch {
    /// The patches of a recipe that can have an effect.
    pub fn all(config: &Config, recipe: &Recipe) -> Vec<Self> {
        let positions = recipe.positions;
        let Some(&first) = recipe.differing.first() else { return Vec::new() };
        let mut patches = Vec::new();
        for &site in &recipe.sites {
            for layer in 0..config.n_layer {
                let last = layer + 1 == config.n_layer;
                let places: Vec<usize> = match site {
                    // What is computed of one token alone is the same where the prompts are.
                    Site::ResidPre | Site::Q | Site::K | Site::V if layer == 0 => {
                        recipe.differing.clone()
                    }
                    Site::ResidPre | Site::K | Site::V => (first..positions).collect(),
                    // Of what the last layer computes, only the last position is read.
                    _ if last => vec![positions - 1],
                    _ => (first..positions).collect(),
                };
                // The query of an earlier position is not read in the last layer.
                let read =
                    |&position: &usize| site != Site::Q || !last || position == positions - 1;
                let asked = |&position: &usize| {
                    recipe.cell.is_none_or(|cell| cell == Cell { layer, position })
                };
                for position in places.into_iter().filter(read).filter(asked) {
                    let components: Vec<usize> = match site.grain() {
                        Grain::Position => vec![0],
                        Grain::Head => (0..config.n_head).collect(),
                        Grain::Neuron => {
                            let named = recipe.neurons.iter();
                            let here = |n: &&Neuron| n.layer == layer && n.position == position;
                            named.filter(here).map(|n| n.neuron).collect()
                        }
                    };
                    let patch = |component| Self { site, layer, position, component };
                    patches.extend(components.into_iter().map(patch));
                }
            }
        }
        patches
    }

    /// Puts patches into parts that each carry at most about `most_rows` rows, at least one patch a
    /// part.
    pub fn parts(patches: Vec<Self>, positions: usize, most_rows: usize) -> Vec<Vec<Self>> {
        let mut parts: Vec<Vec<Self>> = Vec::new();
        let mut rows = 0;
        for patch in patches {
            rows += positions - patch.position;
            match parts.last_mut() {
                Some(part) if rows <= most_rows => part.push(patch),
                _ => {
                    rows = positions - patch.position;
                    parts.push(vec![patch]);
                }
            }
        }
        parts
    }

    /// Its layer and position.
    pub fn cell(&self) -> Cell {
        Cell { layer: self.layer, position: self.position }
    }

    /// Where its score lies in a map \[L,T\] or \[L,T,components\].
    pub(crate) fn place(&self, config: &Config, positions: usize) -> usize {
        let cell = self.layer * positions + self.position;
        cell * self.site.components(config) + self.component
    }
}
