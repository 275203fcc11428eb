//! A safetensors file of `f32` as it comes, piece by piece, so that it is never whole in memory.

use relp_model::{Checkpoint, Config, Dtype};

/// What has come so far and is not handed on yet.
#[derive(Default)]
pub(crate) struct Loading {
    pending: Vec<u8>,
    /// Bytes of the file before what is pending.
    passed: u64,
    header: Option<Checkpoint>,
    /// The tensor that comes.
    tensor: usize,
}

/// Consecutive values of a tensor.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) at: usize,
    pub(crate) values: &'a [f32],
}

impl Loading {
    /// Takes the next bytes of a file of so many, and hands on the values that are whole, each with the
    /// tensor's name and how many values that has.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        length: u64,
        config: &Config,
        mut put: impl FnMut(&str, Place<'_>, usize) -> Result<(), String>,
    ) -> Result<(), String> {
        self.pending.extend_from_slice(bytes);
        if self.header.is_none() && !self.read_header(length, config)? {
            return Ok(());
        }
        let Some(header) = &self.header else { return Ok(()) };
        let mut used = 0;
        while let Some(tensor) = header.tensors.get(self.tensor) {
            if tensor.dtype != Dtype::F32 {
                return Err(format!("{} is not of f32.", tensor.name));
            }
            let place = self.passed + used as u64;
            let bytes = (tensor.bytes.end - place).min((self.pending.len() - used) as u64) & !3;
            let part = &self.pending[used..used + bytes as usize];
            let at = ((place - tensor.bytes.start) / 4) as usize;
            let all = ((tensor.bytes.end - tensor.bytes.start) / 4) as usize;
            put(&tensor.name, Place { at, values: &Dtype::F32.to_f32(part) }, all)?;
            used += bytes as usize;
            if place + bytes < tensor.bytes.end {
                break;
            }
            self.tensor += 1;
        }
        self.pending.drain(..used);
        self.passed += used as u64;
        Ok(())
    }

    /// Whether the header is there.
    fn read_header(&mut self, length: u64, config: &Config) -> Result<bool, String> {
        let Some((first, rest)) = self.pending.split_first_chunk::<8>() else { return Ok(false) };
        let len = Checkpoint::header_len(*first).map_err(|error| error.to_string())?;
        let Some(json) = rest.get(..len) else { return Ok(false) };
        let header = Checkpoint::from_header(json, length, config);
        self.header = Some(header.map_err(|error| error.to_string())?);
        self.pending.drain(..8 + len);
        self.passed = 8 + len as u64;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_whole_whatever_the_pieces() {
        let config = Config { n_layer: 0, ..relp_benches::PRIMER };
        let (d, n_vocab, n_ctx) = (config.d_model, config.n_vocab, config.n_ctx);
        let shapes = [
            ("wte.weight", n_vocab * d),
            ("wpe.weight", n_ctx * d),
            ("ln_f.weight", d),
            ("ln_f.bias", d),
        ];
        let mut place = 0;
        let mut lines = Vec::new();
        for (name, len) in shapes {
            let shape = if name.starts_with('w') { vec![len / d, d] } else { vec![d] };
            let end = place + 4 * len;
            lines.push(format!(
                "\"{name}\":{{\"dtype\":\"F32\",\"shape\":{shape:?},\"data_offsets\":[{place},{end}]}}"
            ));
            place = end;
        }
        let header = format!("{{{}}}", lines.join(","));
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(header.as_bytes());
        let values = (0..place / 4).map(|i| i as f32);
        file.extend(values.flat_map(f32::to_le_bytes));

        let mut found = Vec::new();
        let mut loading = Loading::default();
        for piece in file.chunks(99_991) {
            let put = |_: &str, place: Place<'_>, _: usize| {
                found.extend_from_slice(place.values);
                Ok(())
            };
            loading.push(piece, file.len() as u64, &config, put).expect("it is the model's");
        }
        assert_eq!(found.len(), place / 4);
        assert!(found.iter().enumerate().all(|(i, &value)| value == i as f32));
    }
}
