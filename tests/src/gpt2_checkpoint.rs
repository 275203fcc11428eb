//! Checkpoints of GPT-2's shapes with generated weights, laid out as the published files are.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use half::f16;

/// GPT-2 small's `config.json`, to the byte.
pub const SMALL_CONFIG: &str = r#"{
  "activation_function": "gelu_new",
  "architectures": [
    "GPT2LMHeadModel"
  ],
  "attn_pdrop": 0.1,
  "bos_token_id": 50256,
  "embd_pdrop": 0.1,
  "eos_token_id": 50256,
  "initializer_range": 0.02,
  "layer_norm_epsilon": 1e-05,
  "model_type": "gpt2",
  "n_ctx": 1024,
  "n_embd": 768,
  "n_head": 12,
  "n_layer": 12,
  "n_positions": 1024,
  "resid_pdrop": 0.1,
  "summary_activation": null,
  "summary_first_dropout": 0.1,
  "summary_proj_to_labels": true,
  "summary_type": "cls_index",
  "summary_use_proj": true,
  "task_specific_params": {
    "text-generation": {
      "do_sample": true,
      "max_length": 50
    }
  },
  "vocab_size": 50257
}"#;

/// Sizes of a GPT-2.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Layers.
    pub n_layer: u64,
    /// Width.
    pub d_model: u64,
    /// Vocabulary.
    pub n_vocab: u64,
    /// Longest prompt.
    pub n_ctx: u64,
}

impl Shape {
    /// GPT-2 small.
    pub const SMALL: Self = Self { n_layer: 12, d_model: 768, n_vocab: 50257, n_ctx: 1024 };
    /// GPT-2 large.
    pub const LARGE: Self = Self { n_layer: 36, d_model: 1280, ..Self::SMALL };
    /// GPT-2 XL.
    pub const XL: Self = Self { n_layer: 48, d_model: 1600, ..Self::SMALL };

    /// A `config.json` of these sizes; every size of GPT-2 has heads of 64.
    pub fn config(self) -> String {
        let Self { n_layer, d_model, n_vocab, n_ctx } = self;
        let n_head = d_model / 64;
        format!(
            r#"{{"model_type": "gpt2", "activation_function": "gelu_new", "layer_norm_epsilon": 1e-05,
            "n_layer": {n_layer}, "n_embd": {d_model}, "n_head": {n_head}, "n_positions": {n_ctx},
            "vocab_size": {n_vocab}}}"#
        )
    }

    /// The tensors of the published files, by name, a mask in every layer among them.
    fn tensors(self) -> BTreeMap<String, Vec<u64>> {
        let (d, n) = (self.d_model, self.n_ctx);
        let mut tensors = BTreeMap::new();
        for layer in 0..self.n_layer {
            for (name, shape) in [
                ("attn.bias", vec![1, 1, n, n]),
                ("attn.c_attn.bias", vec![3 * d]),
                ("attn.c_attn.weight", vec![d, 3 * d]),
                ("attn.c_proj.bias", vec![d]),
                ("attn.c_proj.weight", vec![d, d]),
                ("ln_1.bias", vec![d]),
                ("ln_1.weight", vec![d]),
                ("ln_2.bias", vec![d]),
                ("ln_2.weight", vec![d]),
                ("mlp.c_fc.bias", vec![4 * d]),
                ("mlp.c_fc.weight", vec![d, 4 * d]),
                ("mlp.c_proj.bias", vec![d]),
                ("mlp.c_proj.weight", vec![4 * d, d]),
            ] {
                tensors.insert(format!("h.{layer}.{name}"), shape);
            }
        }
        for (name, shape) in [
            ("ln_f.bias", vec![d]),
            ("ln_f.weight", vec![d]),
            ("wpe.weight", vec![n, d]),
            ("wte.weight", vec![self.n_vocab, d]),
        ] {
            tensors.insert(name.to_owned(), shape);
        }
        tensors
    }

    /// Writes a checkpoint of this shape to a file of the folder for tests, unless it is there already.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn checkpoint(self, folder: &Path) -> io::Result<PathBuf> {
        let name = format!("gpt2-{}-{}-{}.safetensors", self.n_layer, self.d_model, self.n_vocab);
        let path = folder.join(name);
        if path.is_file() {
            return Ok(path);
        }
        // Another test may be writing the same.
        let part = folder.join(format!("{}.part", std::process::id()));
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&part)?);
        let (header, tensors) = self.header("F32", 4);
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        let mut random = Random(0x2545_F491_4F6C_DD1D);
        for (name, values) in tensors {
            let is_scale = is_scale(&name);
            for _ in 0..values {
                // As GPT-2 begins: nearly all about 0.02 in size, scales of a LayerNorm about 1.
                let value = random.next() * 0.035 + f32::from(u8::from(is_scale));
                out.write_all(&value.to_le_bytes())?;
            }
        }
        out.into_inner()?.sync_all()?;
        fs::rename(part, &path)?;
        Ok(path)
    }

    /// The header, and the values of each tensor in order.
    fn header(self, dtype: &str, bytes: u64) -> (String, Vec<(String, u64)>) {
        let mut header = r#"{"__metadata__":{"format":"pt"}"#.to_owned();
        let mut values = Vec::new();
        let mut end = 0;
        for (name, shape) in self.tensors() {
            let start = end;
            let count = shape.iter().product::<u64>();
            end += bytes * count;
            let shape = shape.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
            header += &format!(
                r#","{name}":{{"dtype":"{dtype}","shape":[{shape}],"data_offsets":[{start},{end}]}}"#
            );
            values.push((name, count));
        }
        (header + "}", values)
    }
}

/// Whether a tensor multiplies what a LayerNorm has normalised.
fn is_scale(name: &str) -> bool {
    ["ln_1.weight", "ln_2.weight", "ln_f.weight"].iter().any(|scale| name.ends_with(scale))
}

/// A checkpoint of halves that lies nowhere: its bytes are made when they are read.
pub struct Generated {
    header: Vec<u8>,
    /// Where the data of each scale lie in the file.
    scales: Vec<Range<u64>>,
    length: u64,
    /// Weights, which are used again and again.
    weights: Vec<u8>,
}

impl Generated {
    /// Of these sizes.
    pub fn new(shape: Shape) -> Self {
        let (json, tensors) = shape.header("F16", 2);
        let header = [&(json.len() as u64).to_le_bytes()[..], json.as_bytes()].concat();
        let (mut scales, mut place) = (Vec::new(), header.len() as u64);
        for (name, values) in tensors {
            let end = place + 2 * values;
            if is_scale(&name) {
                scales.push(place..end);
            }
            place = end;
        }
        let mut random = Random(0x2545_F491_4F6C_DD1D);
        let halves = (0..1_000_003).map(|_| f16::from_f32(random.next() * 0.035));
        let weights = halves.flat_map(f16::to_le_bytes).collect();
        Self { header, scales, length: place, weights }
    }

    /// Bytes in all.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The bytes of a range that lies within it.
    pub fn read(&self, range: Range<u64>) -> Vec<u8> {
        let header = self.header.len() as u64;
        let of_header = range.start.min(header) as usize..range.end.min(header) as usize;
        let mut bytes = self.header[of_header].to_vec();
        let from = range.start.max(header) - header;
        let count = (range.end - range.start) as usize;
        if self.scales.iter().any(|scale| scale.start <= range.start && range.end <= scale.end) {
            return f16::ONE.to_le_bytes().repeat(count / 2);
        }
        let mut from = (from % self.weights.len() as u64) as usize;
        while bytes.len() < count {
            let most = (count - bytes.len()).min(self.weights.len() - from);
            bytes.extend_from_slice(&self.weights[from..from + most]);
            from = 0;
        }
        bytes
    }
}

/// Numbers that look random and are the same every time (xorshift64*).
struct Random(u64);

impl Random {
    /// From -1 to 1.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        // 24 bits fit an `f32` exactly.
        bits as f32 / 8_388_608.0 - 1.0
    }
}
