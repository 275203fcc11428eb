//! A model's weights on their way to an executor.

use relp_model::{Checkpoint, Config, Precision};
use relp_tape::{Piece, Storage};
use sha2::{Digest, Sha256};

use crate::control::{Control, Pace};
use crate::executor::Executor;
use crate::{EngineError, Hashing, WeightSource};

/// Bytes read at once; whole pairs of values of every type.
const PIECE: u64 = 4 << 20;

/// Reads the whole file once, in order and in pieces; gives every tensor to the executor and returns
/// the SHA-256 of the file, computed here unless the source has it computed beside.
pub(crate) async fn load_weights(
    source: &mut impl WeightSource,
    (config, checkpoint): (&Config, &Checkpoint),
    precision: Precision,
    executor: &mut Executor,
    pace: &mut Pace<'_, impl Control>,
) -> Result<String, EngineError> {
    let are_reserved = executor.foresee((config, checkpoint), precision)?;
    let mut hash = source.hash().map_or_else(|| Hash::Here(Sha256::new()), Hash::Beside);
    let len = source.len();
    let mut at = 0;
    let mut tensors = checkpoint.tensors.iter().peekable();
    while at < len {
        // What the header does not name is only hashed.
        let tensor = tensors.next_if(|tensor| tensor.bytes.start == at);
        let end = match (tensor, tensors.peek()) {
            (Some(tensor), _) => tensor.bytes.end,
            (None, Some(tensor)) => tensor.bytes.start,
            (None, None) => len,
        };
        if let Some(tensor) = tensor.filter(|_| !are_reserved) {
            let elements = tensor.shape.iter().product();
            executor.reserve_weight(&tensor.name, elements, precision.storage(tensor))?;
        }
        let start = at;
        while at < end {
            let bytes = source.read(at..end.min(at + PIECE)).await.map_err(EngineError::Source)?;
            if bytes.is_empty() {
                return Err(EngineError::Source("they end too soon".to_owned()));
            }
            hash.update(&bytes);
            if let Some(tensor) = tensor {
                let first = (at - start) as usize / tensor.dtype.bytes();
                let name = &tensor.name;
                match precision.storage(tensor) {
                    Storage::F32 => {
                        let values = tensor.dtype.to_f32(&bytes);
                        executor.write_weight(name, first, Piece::F32(&values))?;
                    }
                    Storage::F16 => {
                        let bits = tensor.dtype.to_f16(&bytes);
                        let bits = bits.ok_or_else(|| EngineError::NotHalves(name.clone()))?;
                        executor.write_weight(name, first, Piece::F16(&bits))?;
                    }
                }
            }
            at += bytes.len() as u64;
            pace.step(at, len).await?;
        }
    }
    hash.finish().await
}

/// The SHA-256 of a file that is read.
enum Hash {
    /// Computed of what is read.
    Here(Sha256),
    /// Found out by something else.
    Beside(Hashing),
}

impl Hash {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Here(hash) => hash.update(bytes),
            Self::Beside(_) => {}
        }
    }

    /// In hexadecimal.
    async fn finish(self) -> Result<String, EngineError> {
        let hash = match self {
            Self::Here(hash) => hash.finalize().into(),
            Self::Beside(hash) => hash.await.map_err(EngineError::Source)?,
        };
        Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// What the file says of its tensors.
pub(crate) async fn read_header(
    source: &mut impl WeightSource,
    config: &Config,
) -> Result<Checkpoint, EngineError> {
    let len = source.len();
    let first = source.read(0..len.min(8)).await.map_err(EngineError::Source)?;
    let Ok(first) = <[u8; 8]>::try_from(first) else {
        return Err(relp_model::CheckpointError::Header("it is empty".to_owned()).into());
    };
    let end = (8 + Checkpoint::header_len(first)? as u64).min(len);
    let header = source.read(8..end).await.map_err(EngineError::Source)?;
    Ok(Checkpoint::from_header(&header, len, config)?)
}
