//! `model.safetensors` in Hugging Face layout: its header, checked against the configuration
//! before any tensor is read.

use std::collections::HashMap;
use std::ops::Range;

use half::{bf16, f16};
use relp_tape::{Content, Tape};

use crate::header::Header;
use crate::{Config, gpt2};

/// The number types that a checkpoint may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit IEEE float.
    F32,
    /// 16-bit IEEE float.
    F16,
    /// The upper half of a 32-bit float.
    BF16,
}

impl Dtype {
    /// Bytes a value.
    pub fn bytes(self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::BF16 => 2,
        }
    }

    /// Widens little-endian bytes to `f32`, exactly.
    // Compiled with who calls it: the page has this crate built for size, and the engine for speed.
    #[inline]
    pub fn to_f32(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Dtype::F32 => widen(bytes, f32::from_le_bytes),
            Dtype::F16 => widen(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => widen(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        }
    }

    /// The bits of the values rounded to IEEE binary16; `None` if one is too large for it, or no number.
    #[inline]
    pub fn to_f16(self, bytes: &[u8]) -> Option<Vec<u16>> {
        let bits: Vec<u16> = match self {
            Dtype::F32 => narrow(bytes, |b| f16::from_f32(f32::from_le_bytes(b))),
            Dtype::F16 => narrow(bytes, f16::from_le_bytes),
            Dtype::BF16 => narrow(bytes, |b| f16::from_f32(bf16::from_le_bytes(b).to_f32())),
        };
        let is_finite = |&bits: &u16| f16::from_bits(bits).is_finite();
        bits.iter().all(is_finite).then_some(bits)
    }
}

#[inline]
fn narrow<const N: usize>(bytes: &[u8], f: impl Fn([u8; N]) -> f16) -> Vec<u16> {
    bytes.as_chunks().0.iter().map(|&chunk| f(chunk).to_bits()).collect()
}

#[inline]
fn widen<const N: usize>(bytes: &[u8], f: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&chunk| f(chunk)).collect()
}

/// A tensor that the model needs, and where it lies.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorInfo {
    /// The name that the tape uses: without the `transformer.` prefix.
    pub name: String,
    /// How it is stored.
    pub dtype: Dtype,
    /// Its extents.
    pub shape: Vec<usize>,
    /// Its bytes in the file.
    pub bytes: Range<u64>,
}

/// The tensors of a checkpoint that fit a configuration, in file order.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Every tensor that the model needs, once, in file order.
    pub tensors: Vec<TensorInfo>,
}

/// Why a `model.safetensors` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages name the fields")]
pub enum CheckpointError {
    /// The header cannot be parsed.
    #[error("model.safetensors cannot be read: {0}. Download the file again.")]
    Header(String),
    /// The file ends too early or too late.
    #[error(
        "model.safetensors should have {expected} bytes and has {found}. Download the file again."
    )]
    Length { expected: u64, found: u64 },
    /// A tensor is absent.
    #[error(
        "model.safetensors lacks the tensor {name} {expected:?}. Is it a GPT-2 checkpoint, and does config.json belong to it?"
    )]
    Missing { name: String, expected: Vec<usize> },
    /// A tensor has another shape than the configuration says.
    #[error(
        "The tensor {name} should have the shape {expected:?} and has {found:?}: config.json does not belong to this checkpoint."
    )]
    Shape { name: String, expected: Vec<usize>, found: Vec<u64> },
    /// A tensor's numbers are of another type.
    #[error("The tensor {name} holds {found}; F32, F16 or BF16 is expected.")]
    Dtype { name: String, found: String },
}

/// Larger headers are refused: GPT-2 XL's is under 60 kB.
const MOST_HEADER_BYTES: usize = 16 << 20;

impl Checkpoint {
    /// Length of the JSON header, from the first 8 bytes of the file.
    ///
    /// # Errors
    /// If it is no plausible length.
    pub fn header_len(first: [u8; 8]) -> Result<usize, CheckpointError> {
        let len = u64::from_le_bytes(first);
        if len == 0 || len > MOST_HEADER_BYTES as u64 {
            return Err(CheckpointError::Header(format!("it announces a header of {len} bytes")));
        }
        Ok(len as usize)
    }

    /// Checks a whole file in memory.
    ///
    /// # Errors
    /// If it is not a checkpoint of a model of this configuration.
    pub fn from_file(file: &[u8], config: &Config) -> Result<Self, CheckpointError> {
        let too_short = || CheckpointError::Header("it ends within its header".to_owned());
        let (first, rest) = file.split_first_chunk::<8>().ok_or_else(too_short)?;
        let header_len = Self::header_len(*first)?;
        let header = rest.get(..header_len).ok_or_else(too_short)?;
        Self::from_header(header, file.len() as u64, config)
    }

    /// Checks the JSON header (without the 8 bytes before it) of a file of `file_len` bytes.
    ///
    /// # Errors
    /// If it is not a checkpoint of a model of this configuration.
    pub fn from_header(
        header: &[u8],
        file_len: u64,
        config: &Config,
    ) -> Result<Self, CheckpointError> {
        let data_start = 8 + header.len() as u64;
        let header = Header::parse(header)
            .map_err(|why| CheckpointError::Header(format!("its header: {why}")))?;
        let expected = data_start.saturating_add(header.data_len());
        if expected != file_len {
            return Err(CheckpointError::Length { expected, found: file_len });
        }

        let mut by_name = HashMap::with_capacity(header.0.len());
        for (name, line) in &header.0 {
            let name = name.strip_prefix("transformer.").unwrap_or(name);
            if by_name.insert(name, line).is_some() {
                return Err(CheckpointError::Header(format!(
                    "it holds {name} both with and without the prefix \"transformer.\""
                )));
            }
        }
        let mut tensors = Vec::new();
        for (name, shape) in required_tensors(config) {
            let Some(line) = by_name.get(name.as_str()).copied() else {
                return Err(CheckpointError::Missing { name, expected: shape });
            };
            if !line.shape.iter().copied().eq(shape.iter().map(|&extent| extent as u64)) {
                let found = line.shape.clone();
                return Err(CheckpointError::Shape { name, expected: shape, found });
            }
            let dtype = match line.dtype {
                safetensors::Dtype::F32 => Dtype::F32,
                safetensors::Dtype::F16 => Dtype::F16,
                safetensors::Dtype::BF16 => Dtype::BF16,
                other => {
                    return Err(CheckpointError::Dtype { name, found: format!("{other:?}") });
                }
            };
            let (start, end) = line.data_offsets;
            tensors.push(TensorInfo {
                name,
                dtype,
                shape,
                bytes: data_start + start..data_start + end,
            });
        }
        tensors.sort_by_key(|tensor| tensor.bytes.start);
        Ok(Self { tensors })
    }
}

/// Name and shape of every tensor that the forward pass reads. The recording itself is the list,
/// so that the two cannot differ.
fn required_tensors(config: &Config) -> Vec<(String, Vec<usize>)> {
    let mut tape = Tape::new();
    let (_, forward) = gpt2::forward(&mut tape, config, 1, 1);
    gpt2::logits(&mut tape, config, forward.last_normed);
    tape.bufs()
        .filter(|(_, info)| info.content == Content::Weight)
        .map(|(_, info)| (info.name.clone(), info.shape.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            n_layer: 1,
            n_head: 1,
            d_model: 2,
            d_mlp: 3,
            n_vocab: 5,
            n_ctx: 4,
            eps: 1e-5,
            tied: true,
        }
    }

    /// A file of zeros; each tensor's line may be changed or dropped.
    fn file(prefix: &str, dtype: &str, change: impl Fn(&str, &mut Vec<usize>) -> bool) -> Vec<u8> {
        let mut header = serde_json::Map::new();
        let bytes = if dtype == "F32" { 4 } else { 2 };
        let mut end = 0;
        for (name, mut shape) in required_tensors(&config()) {
            if change(&name, &mut shape) {
                let start = end;
                end += bytes * shape.iter().product::<usize>();
                let line = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": [start, end]});
                header.insert(format!("{prefix}{name}"), line);
            }
        }
        whole(&serde_json::Value::Object(header).to_string(), end)
    }

    fn whole(header: &str, data_len: usize) -> Vec<u8> {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.resize(file.len() + data_len, 0);
        file
    }

    #[test]
    fn a_checkpoint_is_read_with_and_without_prefix_in_every_dtype() {
        for prefix in ["", "transformer."] {
            for (name, dtype) in [("F32", Dtype::F32), ("F16", Dtype::F16), ("BF16", Dtype::BF16)] {
                let checkpoint =
                    Checkpoint::from_file(&file(prefix, name, |_, _| true), &config()).unwrap();
                assert_eq!(checkpoint.tensors.len(), 16);
                let wte = checkpoint.tensors.iter().find(|t| t.name == "wte.weight").unwrap();
                assert_eq!((wte.dtype, wte.shape.as_slice()), (dtype, [5, 2].as_slice()));
                assert_eq!(wte.bytes.end - wte.bytes.start, 10 * dtype.bytes() as u64);
            }
        }
    }

    #[test]
    fn faults_name_the_tensor() {
        let load = |file: Vec<u8>| Checkpoint::from_file(&file, &config()).unwrap_err();
        assert_eq!(
            load(file("", "F32", |name, _| name != "h.0.attn.c_attn.weight")),
            CheckpointError::Missing {
                name: "h.0.attn.c_attn.weight".into(),
                expected: vec![2, 6]
            }
        );
        let reshape = |name: &str, shape: &mut Vec<usize>| {
            if name == "wpe.weight" {
                *shape = vec![3, 2];
            }
            true
        };
        let error = load(file("", "F32", reshape));
        assert!(matches!(&error, CheckpointError::Shape { name, .. } if name == "wpe.weight"));
        assert!(error.to_string().contains("[4, 2]") && error.to_string().contains("[3, 2]"));
        let error = load(file("", "I16", |_, _| true));
        assert!(matches!(error, CheckpointError::Dtype { .. }), "{error}");
    }

    #[test]
    fn hostile_files_are_refused() {
        let load = |file: &[u8]| Checkpoint::from_file(file, &config()).unwrap_err();
        let good = file("", "F32", |_, _| true);
        for end in [0, 7, 8, 100, good.len() - 1] {
            load(&good[..end]);
        }
        let mut long = good.clone();
        long.push(0);
        assert!(matches!(load(&long), CheckpointError::Length { .. }));
        load(&u64::MAX.to_le_bytes());
        load(&[(1_u64 << 63).to_le_bytes().as_slice(), b"{}"].concat());
        load(&whole("<html>", 0));
        load(&whole(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8));
        load(&whole(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#, 8));
        load(&whole(
            r#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#,
            0,
        ));
        let twice = r#"{"wte.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
            "transformer.wte.weight":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
        assert!(load(&whole(twice, 8)).to_string().contains("wte.weight"));
    }

    #[test]
    fn a_file_may_be_longer_than_32_bits_can_count() {
        let xl = Config {
            n_layer: 48,
            n_head: 25,
            d_model: 1600,
            d_mlp: 6400,
            n_vocab: 50257,
            n_ctx: 1024,
            ..config()
        };
        let (mut header, mut end) = (serde_json::Map::new(), 0);
        for (name, shape) in required_tensors(&xl) {
            let start = end;
            end += 4 * shape.iter().map(|&extent| extent as u64).product::<u64>();
            let line =
                serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]});
            header.insert(name, line);
        }
        let header = serde_json::Value::Object(header).to_string();
        let whole = 8 + header.len() as u64 + end;
        let checkpoint = Checkpoint::from_header(header.as_bytes(), whole, &xl).unwrap();
        assert!(whole > 5 << 30);
        assert_eq!(checkpoint.tensors.last().map(|last| last.bytes.end), Some(whole));
    }

    #[test]
    fn an_unembedding_of_its_own_is_asked_for_and_read() {
        let own_config = Config { tied: false, ..config() };
        let tied = file("transformer.", "F32", |_, _| true);
        let error = Checkpoint::from_file(&tied, &own_config).unwrap_err();
        let expected = vec![5, 2];
        assert_eq!(error, CheckpointError::Missing { name: "lm_head.weight".into(), expected });
        // It has no prefix where the others have one.
        let (header, data) = parts(&tied);
        let end = data.len();
        let own = format!(
            r#","lm_head.weight":{{"dtype":"F32","shape":[5,2],"data_offsets":[{end},{}]}}}}"#,
            end + 40
        );
        let untied = whole(&(header[..header.len() - 1].to_owned() + &own), end + 40);
        let checkpoint = Checkpoint::from_file(&untied, &own_config).unwrap();
        assert_eq!(checkpoint.tensors.len(), 17);
        assert_eq!(
            checkpoint.tensors.last().map(|last| last.name.as_str()),
            Some("lm_head.weight")
        );
        // A tied model does not read it.
        let same = Checkpoint::from_file(&untied, &config()).unwrap();
        assert_eq!(same.tensors.len(), 16);
    }

    #[test]
    fn buffers_and_metadata_of_published_files_are_left_alone() {
        let plain = file("", "F16", |_, _| true);
        let (header, data) = parts(&plain);
        let end = data.len();
        let more = format!(
            r#","__metadata__":{{"format":"pt"}},"h.0.attn.bias":{{"dtype":"BOOL","shape":[1,1,4,4],"data_offsets":[{end},{}]}},"h.0.attn.masked_bias":{{"dtype":"F32","shape":[],"data_offsets":[{},{}]}}}}  "#,
            end + 16,
            end + 16,
            end + 20
        );
        let published = whole(&(header[..header.len() - 1].to_owned() + &more), end + 20);
        let checkpoint = Checkpoint::from_file(&published, &config()).unwrap();
        assert_eq!(checkpoint.tensors.len(), 16);
        assert!(checkpoint.tensors.is_sorted_by_key(|tensor| tensor.bytes.start));
    }

    fn parts(file: &[u8]) -> (String, &[u8]) {
        let len = usize::try_from(u64::from_le_bytes(*file.first_chunk().unwrap())).unwrap();
        (String::from_utf8(file[8..8 + len].to_vec()).unwrap(), &file[8 + len..])
    }

    #[test]
    fn headers_that_contradict_themselves_are_refused_with_what_is_wrong() {
        let line = |name: &str, shape: &str, start: u64, end: u64| {
            format!(r#""{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[{start},{end}]}}"#)
        };
        let load = |lines: &[String], len: usize| {
            let header = format!("{{{}}}", lines.join(","));
            Checkpoint::from_file(&whole(&header, len), &config()).unwrap_err().to_string()
        };
        let a = line("a", "[2]", 0, 8);
        let overlap = load(&[a.clone(), line("b", "[2]", 4, 12)], 12);
        assert!(overlap.contains("model.safetensors cannot be read"), "{overlap}");
        let gap = load(&[a.clone(), line("b", "[1]", 12, 16)], 16);
        assert!(gap.contains("cannot be read"), "{gap}");
        let outside = load(&[a.clone(), line("b", "[2]", 8, 16)], 8);
        assert!(outside.contains("should have") && outside.contains("and has"), "{outside}");
        let backwards = load(&[line("b", "[2]", 8, 0)], 8);
        assert!(backwards.contains("cannot be read"), "{backwards}");
        let twice = load(&[a.clone(), a.clone()], 8);
        assert!(twice.contains("\"a\" twice"), "{twice}");
        for (start, end) in [(0, u64::MAX), (1 << 63, u64::MAX), (u64::MAX, u64::MAX)] {
            load(&[line("a", "[2]", start, end)], 8);
            load(&[a.clone(), line("b", "[]", start, end)], 8);
        }
        let most = u64::MAX.to_string();
        load(&[line("a", &format!("[{most},{most}]"), 0, 8)], 8);
        load(&[line("a", "[0]", 0, 8)], 8);
        load(&[a.replace("F32", "F99")], 8);
        load(&[format!(r#""a":{}"#, "[".repeat(100_000))], 8);
        // A hundred megabytes are not waited for.
        let claim = [(100_u64 << 20).to_le_bytes().as_slice(), b"{}"].concat();
        let claim = Checkpoint::from_file(&claim, &config()).unwrap_err().to_string();
        assert!(claim.contains("header of 104857600 bytes"), "{claim}");
    }

    #[test]
    fn halves_widen_exactly() {
        let values = [1.0, -0.5, 65504.0, 6.1e-5_f32];
        let f16: Vec<u8> = values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect();
        let bf16: Vec<u8> = values.iter().flat_map(|&v| bf16::from_f32(v).to_le_bytes()).collect();
        let f32: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(Dtype::F32.to_f32(&f32), values);
        assert_eq!(Dtype::F16.to_f32(&f16)[..3], values[..3]);
        assert_eq!(Dtype::BF16.to_f32(&bf16)[..2], values[..2]);
        let exact = |found: Vec<f32>, at: usize, stored: f32| assert_eq!(found[at], stored);
        exact(Dtype::F16.to_f32(&f16), 3, f16::from_f32(values[3]).to_f32());
        exact(Dtype::BF16.to_f32(&bf16), 3, bf16::from_f32(values[3]).to_f32());
    }

    #[test]
    fn halves_are_rounded_and_what_they_cannot_hold_is_none() {
        let values = [1.0_f32, -0.1, 65_504.0, 1e-8];
        let f32: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let bits = Dtype::F32.to_f16(&f32).unwrap();
        let expected: Vec<u16> = values.iter().map(|&v| f16::from_f32(v).to_bits()).collect();
        assert_eq!(bits, expected);
        let f16: Vec<u8> = bits.iter().flat_map(|b| b.to_le_bytes()).collect();
        assert_eq!(Dtype::F16.to_f16(&f16), Some(bits));
        for large in [65_520.0_f32, -1e30, f32::NAN, f32::INFINITY] {
            assert_eq!(Dtype::F32.to_f16(&large.to_le_bytes()), None, "{large}");
            assert_eq!(Dtype::BF16.to_f16(&bf16::from_f32(large).to_le_bytes()), None, "{large}");
        }
    }
}
