//! Neurons, of which there are too many to show them all.

use serde::{Deserialize, Serialize};

/// A neuron of an MLP at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Neuron {
    /// The layer.
    pub layer: usize,
    /// The position.
    pub position: usize,
    /// Which of the layer's neurons.
    pub neuron: usize,
}

impl Neuron {
    /// The `k` of each layer with the largest scores by magnitude, largest first; of equal ones the
    /// first. `scores` is \[L,T,M\].
    pub fn largest(scores: &[f32], layers: usize, d_mlp: usize, k: usize) -> Vec<Self> {
        if layers == 0 || scores.is_empty() {
            return Vec::new();
        }
        let of_layer = |(layer, scores): (usize, &[f32])| {
            let mut order: Vec<usize> = (0..scores.len()).collect();
            let larger = |&a: &usize, &b: &usize| {
                scores[b].abs().total_cmp(&scores[a].abs()).then(a.cmp(&b))
            };
            if k < order.len() {
                order.select_nth_unstable_by(k, larger);
                order.truncate(k);
            }
            order.sort_unstable_by(larger);
            let neuron = |i| Self { layer, position: i / d_mlp, neuron: i % d_mlp };
            order.into_iter().map(neuron).collect::<Vec<_>>()
        };
        scores.chunks(scores.len() / layers).enumerate().flat_map(of_layer).collect()
    }

    /// Where its score lies in \[L,T,M\].
    pub(crate) fn place(self, positions: usize, d_mlp: usize) -> usize {
        (self.layer * positions + self.position) * d_mlp + self.neuron
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_each_layer_come_first() {
        // Two layers, two positions, three neurons.
        let scores = [0.0, -3.0, 1.0, 2.0, 0.0, 1.0, 0.5, 0.5, 0.0, 0.0, -0.5, 0.0];
        let named = Neuron::largest(&scores, 2, 3, 2);
        let named: Vec<_> = named.iter().map(|n| (n.layer, n.position, n.neuron)).collect();
        assert_eq!(named, [(0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1)]);
        let all = Neuron::largest(&scores, 2, 3, 100);
        assert_eq!(all.len(), scores.len());
        for (neuron, i) in all.iter().map(|n| (n, n.place(2, 3))) {
            assert_eq!((neuron.layer * 2 + neuron.position) * 3 + neuron.neuron, i);
        }
    }
}
