//! Recording GPT-2's forward pass: learned positions, pre-LayerNorm, `gelu_new`, causal attention.
//!
//! Buffers are named as TransformerLens names its hooks, weights as the checkpoint names them.

use relp_tape::{Buf, Feed, Op, Tape};

use crate::{Config, Site};

/// The activations of one layer, each \[B,T,`d_model`\] unless it says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// The residual stream before the layer.
    pub resid_pre: Buf,
    /// Queries, keys and values side by side, \[B,T,3·`d_model`\].
    pub qkv: Buf,
    /// The attention pattern, \[B,H,T,T\].
    pub pattern: Buf,
    /// The heads' outputs side by side, before the output projection.
    pub z: Buf,
    /// What attention adds to the residual stream.
    pub attn_out: Buf,
    /// The residual stream between attention and MLP.
    pub resid_mid: Buf,
    /// The MLP's hidden layer after the activation function, \[B,T,`d_mlp`\].
    pub post: Buf,
    /// What the MLP adds to the residual stream.
    pub mlp_out: Buf,
    /// The residual stream after the layer.
    pub resid_post: Buf,
}

impl Layer {
    /// The buffer that an observation point lies in.
    pub fn site(&self, site: Site) -> Buf {
        match site {
            Site::Embed | Site::ResidPre => self.resid_pre,
            Site::Q | Site::K | Site::V => self.qkv,
            Site::Pattern => self.pattern,
            Site::Z => self.z,
            Site::AttnOut => self.attn_out,
            Site::ResidMid => self.resid_mid,
            Site::Post => self.post,
            Site::MlpOut => self.mlp_out,
            Site::ResidPost => self.resid_post,
        }
    }
}

/// A recorded forward pass, or the end of one.
#[derive(Clone, Debug)]
pub struct Forward {
    /// The layers, first to last.
    pub layers: Vec<Layer>,
    /// The final LayerNorm of the last position, \[B,`d_model`\].
    pub last_normed: Buf,
}

/// Records the forward pass of `batch` prompts of `positions` tokens, up to the final LayerNorm of
/// the last position; returns it with the buffer of the token ids, \[B,T\].
#[track_caller]
pub fn forward(tape: &mut Tape, config: &Config, batch: usize, positions: usize) -> (Buf, Forward) {
    let ids = tape.ids("tokens", &[batch, positions], config.n_vocab as u32);
    let tokens = token_embedding(tape, config);
    let places = position_embedding(tape, config);
    let resid = tape.embed("blocks.0.resid_pre", ids, tokens, places);
    (ids, forward_from(tape, config, 0, resid))
}

/// Bytes of activations that are kept for the next run. Keeping takes about a third more memory than a run
/// needs, which of long prompts a browser may not have.
const MOST_KEPT: usize = 512 << 20;

/// Records the [`forward`] pass and the logits \[B,`n_vocab`\], as the tape's [forward part](Tape::forward) unless it
/// is too large to be kept: the same for every metric, method, rule and site. Returns token ids, activations, logits.
#[track_caller]
pub(crate) fn kept_forward(
    tape: &mut Tape,
    config: &Config,
    batch: usize,
    positions: usize,
) -> (Buf, Forward, Buf) {
    let (ids, forward) = forward(tape, config, batch, positions);
    let logits = logits(tape, config, forward.last_normed);
    // Of a LayerNorm inside, what comes later reads the input and the statistics.
    let read_later = |op: &Op| match *op {
        Op::LayerNorm { stats, .. } => vec![stats],
        _ => op.writes(),
    };
    let kept: Vec<Buf> =
        tape.ops().iter().flat_map(read_later).chain([forward.last_normed]).collect();
    if kept.iter().map(|&buf| 4 * tape.info(buf).len()).sum::<usize>() <= MOST_KEPT {
        tape.keep(kept);
    }
    (ids, forward, logits)
}

/// Records the forward pass from the residual stream before layer `first` on, \[B,T,`d_model`\].
#[track_caller]
pub fn forward_from(tape: &mut Tape, config: &Config, first: usize, mut resid: Buf) -> Forward {
    let mut layers = Vec::with_capacity(config.n_layer - first);
    for l in first..config.n_layer {
        let layer = record_layer(tape, config, l, resid);
        resid = layer.resid_post;
        layers.push(layer);
    }
    let last = tape.last_row("last.resid_post", resid);
    Forward { layers, last_normed: ln_final(tape, config, "last.ln_final", last) }
}

/// Records the logits of normalised residual rows \[…,`d_model`\], as \[…,`n_vocab`\].
#[track_caller]
pub fn logits(tape: &mut Tape, config: &Config, normed: Buf) -> Buf {
    let unembedding = unembedding(tape, config);
    tape.linear_t("logits", normed, unembedding, 0, None)
}

/// Rows of the token embedding, as they are: with no position added.
#[derive(Clone, Copy, Debug)]
pub struct Embeddings {
    /// \[N,1,D\].
    pub embedded: Buf,
    /// \[1,D\], the position that is none.
    nowhere: Buf,
}

impl Embeddings {
    /// Gives the input that makes the position none.
    pub fn feed(&self, feed: &mut Feed, config: &Config) {
        feed.values(self.nowhere, vec![0.0; config.d_model]);
    }
}

/// Records the token embeddings of `count` ids; returns them with the buffer of the ids, \[N,1\].
#[track_caller]
pub fn embeddings(tape: &mut Tape, config: &Config, count: usize) -> (Buf, Embeddings) {
    let ids = tape.ids("tokens", &[count, 1], config.n_vocab as u32);
    let tokens = token_embedding(tape, config);
    let nowhere = tape.input("no position", &[1, config.d_model]);
    let embedded = tape.embed("hook_embed", ids, tokens, nowhere);
    (ids, Embeddings { embedded, nowhere })
}

/// Records the dot products of rows \[…,D\] with every token embedding, \[…,V\].
#[track_caller]
pub fn embedding_dots(tape: &mut Tape, config: &Config, rows: Buf) -> Buf {
    let tokens = token_embedding(tape, config);
    tape.linear_t("dots", rows, tokens, 0, None)
}

/// The token embedding, \[V,D\].
pub fn token_embedding(tape: &mut Tape, config: &Config) -> Buf {
    tape.weight("wte.weight", &[config.n_vocab, config.d_model])
}

/// The unembedding, \[V,D\]: the token embedding, unless the checkpoint unties them.
pub fn unembedding(tape: &mut Tape, config: &Config) -> Buf {
    if config.tied {
        return token_embedding(tape, config);
    }
    tape.weight("lm_head.weight", &[config.n_vocab, config.d_model])
}

/// The position embedding, \[P,D\].
pub(crate) fn position_embedding(tape: &mut Tape, config: &Config) -> Buf {
    tape.weight("wpe.weight", &[config.n_ctx, config.d_model])
}

/// The final LayerNorm.
pub(crate) fn ln_final(tape: &mut Tape, config: &Config, name: &str, resid: Buf) -> Buf {
    layer_norm(tape, config, name, "ln_f", resid)
}

fn record_layer(tape: &mut Tape, config: &Config, l: usize, resid_pre: Buf) -> Layer {
    let qkv = qkv(tape, config, l, resid_pre);
    let pattern = pattern(tape, config, l, qkv);
    let z = z(tape, l, pattern, qkv);
    let attn_out = attn_out(tape, config, l, z);
    let resid_mid = tape.add(&hook_name(l, "resid_mid"), resid_pre, attn_out);
    let post = post(tape, config, l, resid_mid);
    let mlp_out = mlp_out(tape, config, l, post);
    let resid_post = tape.add(&hook_name(l, "resid_post"), resid_mid, mlp_out);
    Layer { resid_pre, qkv, pattern, z, attn_out, resid_mid, post, mlp_out, resid_post }
}

/// The name of an activation of layer `l`.
pub(crate) fn hook_name(l: usize, name: &str) -> String {
    format!("blocks.{l}.{name}")
}

/// The first LayerNorm of layer `l` and what follows it: queries, keys and values of residual rows.
pub(crate) fn qkv(tape: &mut Tape, config: &Config, l: usize, resid_pre: Buf) -> Buf {
    let d = config.d_model;
    let normed = layer_norm(tape, config, &hook_name(l, "ln1"), &format!("h.{l}.ln_1"), resid_pre);
    linear(tape, &hook_name(l, "attn.qkv"), &format!("h.{l}.attn.c_attn"), normed, [d, 3 * d])
}

/// The attention pattern of layer `l`.
pub(crate) fn pattern(tape: &mut Tape, config: &Config, l: usize, qkv: Buf) -> Buf {
    tape.attention_pattern(&hook_name(l, "attn.pattern"), qkv, config.n_head)
}

/// The heads' outputs of layer `l`.
pub(crate) fn z(tape: &mut Tape, l: usize, pattern: Buf, qkv: Buf) -> Buf {
    tape.attention_mix(&hook_name(l, "attn.z"), pattern, qkv)
}

/// The output projection of layer `l`'s attention.
pub(crate) fn attn_out(tape: &mut Tape, config: &Config, l: usize, z: Buf) -> Buf {
    let d = config.d_model;
    linear(tape, &hook_name(l, "attn_out"), &format!("h.{l}.attn.c_proj"), z, [d, d])
}

/// The second LayerNorm of layer `l` and the neurons of its MLP, of residual rows.
pub(crate) fn post(tape: &mut Tape, config: &Config, l: usize, resid_mid: Buf) -> Buf {
    let shape = [config.d_model, config.d_mlp];
    let normed = layer_norm(tape, config, &hook_name(l, "ln2"), &format!("h.{l}.ln_2"), resid_mid);
    let pre = linear(tape, &hook_name(l, "mlp.pre"), &format!("h.{l}.mlp.c_fc"), normed, shape);
    tape.gelu(&hook_name(l, "mlp.post"), pre)
}

/// What the MLP of layer `l` adds, of rows of neurons.
pub(crate) fn mlp_out(tape: &mut Tape, config: &Config, l: usize, post: Buf) -> Buf {
    let shape = [config.d_mlp, config.d_model];
    linear(tape, &hook_name(l, "mlp_out"), &format!("h.{l}.mlp.c_proj"), post, shape)
}

fn layer_norm(tape: &mut Tape, config: &Config, name: &str, weight: &str, x: Buf) -> Buf {
    let gain = tape.weight(&format!("{weight}.weight"), &[config.d_model]);
    let bias = tape.weight(&format!("{weight}.bias"), &[config.d_model]);
    tape.layer_norm(name, x, gain, bias, config.eps).0
}

fn linear(tape: &mut Tape, name: &str, weight: &str, x: Buf, shape: [usize; 2]) -> Buf {
    let w = tape.weight(&format!("{weight}.weight"), &shape);
    let bias = tape.weight(&format!("{weight}.bias"), &shape[1..]);
    tape.linear(name, x, w, Some(bias))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_usual_prompt_computes_is_kept_and_what_a_long_one_does_is_not() {
        let (n_layer, n_head, d_model, d_mlp) = (12, 12, 768, 3072);
        let (n_vocab, n_ctx, eps, tied) = (50_257, 1024, 1e-5, true);
        let config = Config { n_layer, n_head, d_model, d_mlp, n_vocab, n_ctx, eps, tied };
        for (positions, is_kept) in [(15, true), (64, true), (1024, false)] {
            let mut tape = Tape::new();
            let (_, forward, logits) = kept_forward(&mut tape, &config, 2, positions);
            assert_eq!(tape.forward().kept().contains(&logits), is_kept, "{positions} tokens");
            // Either way, what comes later may read it.
            let later = tape.gelu("later", forward.layers[0].resid_pre);
            tape.output(later);
        }
    }
}
