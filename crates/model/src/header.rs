//! The header of a safetensors file, with places of 64 bits. The `safetensors` crate has those of the
//! machine, which on WebAssembly end at 4 GiB, below the size of GPT-2 XL; a test holds this reader to the
//! crate's.

use std::collections::{HashMap, HashSet};
use std::fmt;

use safetensors::Dtype;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// One tensor's line.
#[derive(Debug, Deserialize)]
pub(crate) struct Line {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<u64>,
    /// From the end of the header.
    pub(crate) data_offsets: (u64, u64),
}

/// All lines by name, in the order of their data, which they cover without a gap.
#[derive(Debug)]
pub(crate) struct Header(pub(crate) Vec<(String, Line)>);

impl Header {
    /// Reads the JSON.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        let mut header: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        header.0.sort_by_key(|(_, line)| line.data_offsets);
        let mut place = 0;
        for (name, line) in &header.0 {
            let (start, end) = line.data_offsets;
            if start != place || end < start {
                return Err(format!("the data of {name:?} overlap others, or leave a gap"));
            }
            if line.bytes() != Some(end - start) {
                return Err(format!("the data of {name:?} are not as long as its shape says"));
            }
            place = end;
        }
        Ok(header)
    }

    /// Bytes of all data.
    pub(crate) fn data_len(&self) -> u64 {
        self.0.last().map_or(0, |(_, line)| line.data_offsets.1)
    }
}

impl Line {
    /// Bytes that the shape takes; none if they are no whole number, or too many to count.
    fn bytes(&self) -> Option<u64> {
        let values = self.shape.iter().try_fold(1_u64, |all, &extent| all.checked_mul(extent))?;
        let bits = values.checked_mul(self.dtype.bitsize() as u64)?;
        bits.is_multiple_of(8).then_some(bits / 8)
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Lines)
    }
}

/// Refuses a name that is given twice, of which readers of JSON take the first or the last.
struct Lines;

impl<'de> Visitor<'de> for Lines {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let (mut names, mut lines) = (HashSet::new(), Vec::new());
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("it holds {name:?} twice")));
            }
            if name == "__metadata__" {
                let _about: Option<HashMap<String, String>> = map.next_value()?;
            } else {
                lines.push((name, map.next_value()?));
            }
        }
        Ok(Header(lines))
    }
}
