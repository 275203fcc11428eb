//! Exact activation patching: every component replaced in turn, in one walk over the layers.
//!
//! A patch at layer l and position p leaves the layers before l and the positions before p as they
//! are in the base run. So the walk carries, beside the base and the source run, only the rows that
//! can differ: patches join it where they take effect, and every weight is read once for all of them.
//! What cannot matter is not computed: its score is exactly 0.

use std::collections::BTreeMap;

use relp_tape::{Buf, Feed, Outputs, Tape};

use crate::{Config, Direction, Pair, Run, Site, gpt2};

/// One component that is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Patch {
    /// The activation.
    pub site: Site,
    /// Its layer.
    pub layer: usize,
    /// Its position.
    pub position: usize,
    /// Its head, for [`Site::Z`]; else 0.
    pub head: usize,
}

impl Patch {
    /// The patches that can have an effect on a pair of `positions` tokens which differ at these.
    pub fn all(
        config: &Config,
        positions: usize,
        differing: &[usize],
        sites: &[Site],
    ) -> Vec<Self> {
        let Some(&first) = differing.first() else { return Vec::new() };
        let mut patches = Vec::new();
        for &site in sites {
            for layer in 0..config.n_layer {
                // Before the first layer, what the prompts share is the same. Of what the last layer
                // computes, only the last position is read.
                let places: Vec<usize> = match site {
                    Site::ResidPre if layer == 0 => differing.to_vec(),
                    Site::ResidPre => (first..positions).collect(),
                    _ if layer + 1 == config.n_layer => vec![positions - 1],
                    _ => (first..positions).collect(),
                };
                for position in places {
                    let heads = 0..site.scores(config.n_head);
                    patches.extend(heads.map(|head| Self { site, layer, position, head }));
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

    /// Where its score lies in a map \[L,T\] or \[L,T,H\].
    fn place(&self, config: &Config, positions: usize) -> usize {
        let cell = self.layer * positions + self.position;
        cell * self.site.scores(config.n_head) + self.head
    }
}

/// A row that the walk carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    /// Position t of the base run.
    Base(usize),
    /// Position t of the source run.
    Source(usize),
    /// Position t of the base run with the n-th patch.
    Patched(usize, usize),
}

/// The recorded walk of one pair.
#[derive(Clone, Debug)]
pub struct Sweep {
    config: Config,
    positions: usize,
    sites: Vec<Site>,
    patches: Vec<Patch>,
    tape: Tape,
    /// Ids that the shape of the walk gives.
    rows: Vec<(Buf, Vec<u32>)>,
    /// The tokens of the first rows, and which run and position each is of.
    tokens: (Buf, Vec<Row>),
    /// \[2+N,2\]: the ids of answer and foil for base, source and every patch.
    targets: Buf,
    /// \[2+N,2\]: their logits.
    target_logits: Buf,
    /// The patch of each row past the first two of `target_logits`.
    scored: Vec<usize>,
    /// \[2,V\]: base and source.
    logits: Buf,
}

impl Sweep {
    /// Records the walk. Maps of `sites` come out of it, 0 where there is no patch.
    ///
    /// # Panics
    /// If a patch lies outside the model or the pair, or cannot have an effect.
    pub fn record(config: &Config, positions: usize, sites: &[Site], patches: Vec<Patch>) -> Self {
        let mut walk =
            Walk { tape: Tape::new(), config, positions, patches: &patches, ids: vec![] };
        let (tokens, mut at) = walk.embed();
        let first_rows = at.rows.clone();
        for l in 0..config.n_layer {
            at = walk.layer(l, &at);
        }
        // After the last layer only the last position is carried: of base, source and every patch.
        let ends = walk.ends(&at);
        let Walk { mut tape, ids, .. } = walk;
        let normed = gpt2::ln_final(&mut tape, config, "last.ln_final", at.resid);
        let unembedding = gpt2::unembedding(&mut tape, config);
        let count = at.rows.len();
        let targets = tape.ids("answer, foil", &[count, 2], config.n_vocab as u32);
        let target_logits = tape.gather_dot("target logits", normed, unembedding, targets);
        let ends = gpt2::ln_final(&mut tape, config, "ends.ln_final", ends);
        let logits = gpt2::logits(&mut tape, config, ends);
        tape.output(target_logits);
        tape.output(logits);
        let scored = at.rows[2..].iter().map(|row| match row {
            Row::Patched(patch, _) => *patch,
            Row::Base(_) | Row::Source(_) => unreachable!("the first two rows"),
        });
        let scored = scored.collect();
        Self {
            config: config.clone(),
            positions,
            sites: sites.to_vec(),
            tape,
            rows: ids,
            tokens: (tokens, first_rows),
            targets,
            target_logits,
            scored,
            logits,
            patches,
        }
    }

    /// The computation.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// The inputs of a run.
    ///
    /// # Panics
    /// If the pair's length is not what was recorded.
    pub fn feed(&self, pair: &Pair, direction: Direction) -> Feed {
        assert_eq!(pair.positions(), self.positions, "recorded for another length");
        let (base, source) = direction.prompts();
        let (base, source) = (pair.tokens(base), pair.tokens(source));
        let mut feed = Feed::new();
        for (buf, ids) in &self.rows {
            feed.ids(*buf, ids.clone());
        }
        let token = |row: &Row| match *row {
            Row::Base(t) => base[t].id,
            Row::Source(t) => source[t].id,
            Row::Patched(patch, _) => source[self.patches[patch].position].id,
        };
        feed.ids(self.tokens.0, self.tokens.1.iter().map(token).collect());
        let count = self.tape.info(self.targets).rows();
        feed.ids(self.targets, [pair.answer.id, pair.foil.id].repeat(count));
        feed
    }

    /// What a run found.
    pub fn read(&self, outputs: &Outputs, direction: Direction) -> Run {
        let target_logits = outputs.get(self.target_logits);
        let metric =
            |row: usize| f64::from(target_logits[2 * row]) - f64::from(target_logits[2 * row + 1]);
        let (base, source) = (metric(0), metric(1));
        let (metric_clean, metric_corrupted) = direction.clean_and_corrupted(base, source);
        let (base_logits, source_logits) = outputs.get(self.logits).split_at(self.config.n_vocab);
        let (clean, corrupted) = direction.clean_and_corrupted(base_logits, source_logits);
        let empty = |site: &Site| {
            let scores = site.scores(self.config.n_head);
            (*site, vec![0.0; self.config.n_layer * self.positions * scores])
        };
        let mut scores: BTreeMap<Site, Vec<f32>> = self.sites.iter().map(empty).collect();
        for (row, &patch) in self.scored.iter().enumerate() {
            let patch = &self.patches[patch];
            if let Some(map) = scores.get_mut(&patch.site) {
                let place = patch.place(&self.config, self.positions);
                map[place] = (metric(2 + row) - base) as f32;
            }
        }
        Run {
            metric_clean,
            metric_corrupted,
            logits_clean: clean.to_vec(),
            logits_corrupted: corrupted.to_vec(),
            scores,
            convergence_error: None,
        }
    }
}

/// Residual rows between two layers, and which they are.
struct At {
    resid: Buf,
    rows: Vec<Row>,
}

struct Walk<'a> {
    tape: Tape,
    config: &'a Config,
    positions: usize,
    patches: &'a [Patch],
    ids: Vec<(Buf, Vec<u32>)>,
}

/// Where each row lies.
struct Index(BTreeMap<Row, u32>);

impl Index {
    fn of(rows: &[Row]) -> Self {
        Self(rows.iter().zip(0..).map(|(&row, i)| (row, i)).collect())
    }

    /// The row itself, or where it does not differ from it, the base run's.
    fn get(&self, row: Row) -> u32 {
        let base = |t| self.0.get(&Row::Base(t)).copied();
        let found = self.0.get(&row).copied().or_else(|| match row {
            Row::Patched(_, t) => base(t),
            Row::Base(_) | Row::Source(_) => None,
        });
        let Some(found) = found else { unreachable!("{row:?} is not carried here") };
        found
    }
}

/// What a patch is made of: a row of the residual stream, and what is added to it.
type Parts = [Row; 2];

impl Walk<'_> {
    fn is_last(&self, l: usize) -> bool {
        l + 1 == self.config.n_layer
    }

    /// The patches of a site of a layer.
    fn patches_at(&self, site: Site, layer: usize) -> Vec<(usize, Patch)> {
        let of = |(_, patch): &(usize, &Patch)| patch.site == site && patch.layer == layer;
        self.patches.iter().enumerate().filter(of).map(|(n, patch)| (n, *patch)).collect()
    }

    /// An id buffer with content that the shape of the walk gives.
    fn given(&mut self, name: &str, shape: &[usize], below: usize, ids: Vec<u32>) -> Buf {
        let buf = self.tape.ids(name, shape, below as u32);
        self.ids.push((buf, ids));
        buf
    }

    /// The embeddings of both runs, and of what differs before the first layer; and the buffer of
    /// the token ids.
    fn embed(&mut self) -> (Buf, At) {
        let positions = self.positions;
        let mut rows: Vec<Row> = (0..positions).map(Row::Base).collect();
        rows.extend((0..positions).map(Row::Source));
        let patched = self.patches_at(Site::ResidPre, 0);
        rows.extend(patched.iter().map(|(n, patch)| Row::Patched(*n, patch.position)));
        let n_vocab = self.config.n_vocab;
        let tokens = self.tape.ids("tokens", &[rows.len()], n_vocab as u32);
        let places = rows.iter().map(|row| match *row {
            Row::Base(t) | Row::Source(t) | Row::Patched(_, t) => t as u32,
        });
        let places = places.collect();
        let places = self.given("positions", &[rows.len()], self.config.n_ctx, places);
        let wte = gpt2::token_embedding(&mut self.tape, self.config);
        let wpe = gpt2::position_embedding(&mut self.tape, self.config);
        let resid = self.tape.add_rows("blocks.0.resid_pre", wte, tokens, wpe, places);
        (tokens, At { resid, rows })
    }

    /// One layer.
    fn layer(&mut self, l: usize, before: &At) -> At {
        let qkv = gpt2::qkv(&mut self.tape, self.config, l, before.resid);
        let (z, mut rows) = self.attention(l, before, qkv);
        let z = self.splice_heads(l, z, &mut rows);
        let attn_out = gpt2::attn_out(&mut self.tape, self.config, l, z);

        let parts = rows.iter().map(|&row| (row, [row, row])).collect();
        let new = self.replaced(l, Site::AttnOut, Site::ResidMid);
        let mid = self.add(&gpt2::hook_name(l, "resid_mid"), before, (attn_out, &rows), parts, new);

        let (_, mlp_out) = gpt2::mlp(&mut self.tape, self.config, l, mid.resid);
        let parts = mid.rows.iter().map(|&row| (row, [row, row])).collect();
        let mut new = self.replaced(l, Site::MlpOut, Site::ResidPost);
        if !self.is_last(l) {
            let next = self.patches_at(Site::ResidPre, l + 1);
            new.extend(next.into_iter().map(|(n, patch)| {
                let source = Row::Source(patch.position);
                (Row::Patched(n, patch.position), [source, source])
            }));
        }
        self.add(&gpt2::hook_name(l, "resid_post"), &mid, (mlp_out, &mid.rows), parts, new)
    }

    /// The rows that a patch of `added` (what a sublayer adds) or of `sum` (the stream after it)
    /// begins with.
    fn replaced(&self, l: usize, added: Site, sum: Site) -> Vec<(Row, Parts)> {
        let row = |(n, patch): (usize, Patch), stream: fn(usize) -> Row| {
            let t = patch.position;
            (Row::Patched(n, t), [stream(t), Row::Source(t)])
        };
        let added = self.patches_at(added, l).into_iter().map(|patch| row(patch, Row::Base));
        added
            .chain(self.patches_at(sum, l).into_iter().map(|patch| row(patch, Row::Source)))
            .collect()
    }

    /// The rows that attention gives, and from what: all from the first patched position on, or in
    /// the last layer the last position alone.
    fn attention(&mut self, l: usize, before: &At, qkv: Buf) -> (Buf, Vec<Row>) {
        let positions = self.positions;
        let from = if self.is_last(l) { positions - 1 } else { 0 };
        let mut rows: Vec<Row> = (from..positions).map(Row::Base).collect();
        rows.extend((from..positions).map(Row::Source));
        let mut live: Vec<usize> = before
            .rows
            .iter()
            .filter_map(|row| match row {
                Row::Patched(n, _) => Some(*n),
                Row::Base(_) | Row::Source(_) => None,
            })
            .collect();
        live.sort_unstable();
        live.dedup();
        for n in live {
            let from = self.patches[n].position.max(from);
            rows.extend((from..positions).map(|t| Row::Patched(n, t)));
        }
        let index = Index::of(&before.rows);
        let none = before.rows.len() as u32;
        let queries: Vec<u32> = rows.iter().map(|&row| index.get(row)).collect();
        let mut keys = Vec::with_capacity(rows.len() * positions);
        for &row in &rows {
            let (t, at): (usize, &dyn Fn(usize) -> Row) = match row {
                Row::Base(t) => (t, &Row::Base),
                Row::Source(t) => (t, &Row::Source),
                Row::Patched(n, t) => (t, &move |s| Row::Patched(n, s)),
            };
            keys.extend((0..positions).map(|s| if s <= t { index.get(at(s)) } else { none }));
        }
        let queries = self.given("queries", &[rows.len()], none as usize, queries);
        let keys = self.given("keys", &[rows.len(), positions], none as usize + 1, keys);
        let name = gpt2::hook_name(l, "attn.z");
        let z = self.tape.attention_rows(&name, qkv, queries, keys, self.config.n_head);
        (z, rows)
    }

    /// Appends the rows in which one head is the source run's.
    fn splice_heads(&mut self, l: usize, z: Buf, rows: &mut Vec<Row>) -> Buf {
        let patched = self.patches_at(Site::Z, l);
        if patched.is_empty() {
            return z;
        }
        let index = Index::of(rows);
        let mut picked: Vec<u32> = (0..rows.len() as u32).flat_map(|row| [row, row]).collect();
        let mut heads = vec![0; rows.len()];
        for (n, patch) in patched {
            let t = patch.position;
            picked.extend([index.get(Row::Base(t)), index.get(Row::Source(t))]);
            heads.push(patch.head as u32);
            rows.push(Row::Patched(n, t));
        }
        let n_head = self.config.n_head;
        let below = index.0.len() + 1;
        let picked = self.given("spliced rows", &[rows.len(), 2], below, picked);
        let heads = self.given("spliced heads", &[rows.len()], n_head, heads);
        let width = self.config.d_model / n_head;
        self.tape.splice(&gpt2::hook_name(l, "attn.z spliced"), z, picked, heads, width)
    }

    /// The stream after a sublayer: the stream before it plus what it adds, row by row; first the rows
    /// that go on, then new ones. Where rows of `stream` are missing, they are the base run's.
    fn add(
        &mut self,
        name: &str,
        stream: &At,
        (added, added_rows): (Buf, &[Row]),
        on: Vec<(Row, Parts)>,
        new: Vec<(Row, Parts)>,
    ) -> At {
        let (stream_index, added_index) = (Index::of(&stream.rows), Index::of(added_rows));
        let all: Vec<(Row, Parts)> = on.into_iter().chain(new).collect();
        let ids = |index: &Index, part: usize| -> Vec<u32> {
            all.iter().map(|(_, parts)| index.get(parts[part])).collect()
        };
        let count = [all.len()];
        let (in_stream, in_added) = (ids(&stream_index, 0), ids(&added_index, 1));
        let in_stream = self.given("rows before", &count, stream.rows.len(), in_stream);
        let in_added = self.given("rows added", &count, added_rows.len(), in_added);
        let resid = self.tape.add_rows(name, stream.resid, in_stream, added, in_added);
        At { resid, rows: all.into_iter().map(|(row, _)| row).collect() }
    }

    /// Base and source alone, after the last layer, \[2,D\].
    fn ends(&mut self, after: &At) -> Buf {
        let t = self.positions - 1;
        let index = Index::of(&after.rows);
        let none = after.rows.len() as u32;
        let ends = vec![index.get(Row::Base(t)), index.get(Row::Source(t))];
        let ends = self.given("ends", &[2], none as usize, ends);
        let nothing = self.given("nothing", &[2], none as usize + 1, vec![none; 2]);
        self.tape.add_rows("ends", after.resid, ends, after.resid, nothing)
    }
}
