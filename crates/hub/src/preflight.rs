//! What a model will take, in plain words, before it is fetched; and whether that is there.

use std::{fmt, iter};

use crate::Known;

/// Where the model computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In GPU memory.
    Gpu,
    /// In the memory of this program.
    Cpu,
}

/// What a model takes, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// To be downloaded.
    pub download: u64,
    /// Of GPU memory.
    pub gpu: u64,
    /// Of this program's memory.
    pub memory: u64,
}

/// What there is, in bytes; none where that is not known, which then is no obstacle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Room for files.
    pub storage: Option<u64>,
    /// GPU memory.
    pub gpu: Option<u64>,
    /// Memory of this program. In a browser, WebAssembly can have 4 GiB.
    pub memory: Option<u64>,
}

/// Runs take about so much beside the weights, and so does a tensor on its way to a GPU.
const WORK: u64 = 64 << 20;

/// What a model takes whose weights are kept in so many bytes each, and of which `stored` bytes are
/// there already.
pub fn needs(model: &Known, place: Place, bytes_a_weight: u64, stored: u64) -> Needs {
    let weights = model.sizes.parameters() * bytes_a_weight;
    let (gpu, memory) = match place {
        Place::Gpu => (weights + WORK, WORK),
        // Kernels keep some weights in an order of their own for a while.
        Place::Cpu => (0, weights + weights * 15 / 100 + WORK),
    };
    let download = model.download().saturating_sub(stored);
    Needs { download, gpu, memory }
}

impl Needs {
    /// What is not there, as clauses.
    fn lacking(self, limits: Limits) -> Vec<String> {
        let pairs = [
            ("room for files", self.download, limits.storage),
            ("GPU memory", self.gpu, limits.gpu),
            ("memory", self.memory, limits.memory),
        ];
        let lacking = pairs.into_iter().filter_map(|(what, takes, there)| {
            let there = there.filter(|&there| there < takes)?;
            Some(format!("it takes {} of {what} and there are {}", Bytes(takes), Bytes(there)))
        });
        lacking.collect()
    }
}

/// Whether a model can be used here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preflight {
    /// What it takes.
    pub needs: Needs,
    /// Whether all of it is there, as far as that is known.
    pub fits: bool,
    /// The largest model that is smaller and does fit.
    pub instead: Option<&'static Known>,
    /// All of this for a person.
    pub words: String,
}

/// Compares what a model takes (see [`needs`]) with what there is.
pub fn preflight(
    model: &Known,
    place: Place,
    bytes_a_weight: u64,
    stored: u64,
    limits: Limits,
) -> Preflight {
    let needs_of = needs(model, place, bytes_a_weight, stored);
    let lacking = needs_of.lacking(limits);
    let (memory, of) = match place {
        Place::Gpu => (needs_of.gpu, "GPU memory"),
        Place::Cpu => (needs_of.memory, "memory"),
    };
    // No browser tells.
    let unknown = match (place, limits.gpu) {
        (Place::Gpu, None) => " Whether the GPU has that much shows when it is loaded.",
        _ => "",
    };
    let (title, download) = (model.title, needs_of.download);
    if lacking.is_empty() {
        let fetch = if download == 0 {
            "is stored here already and takes".to_owned()
        } else {
            format!("is {} to download and takes", Bytes(download))
        };
        let words = format!("{title} {fetch} {} of {of}.{unknown}", Bytes(memory));
        return Preflight { needs: needs_of, fits: true, instead: None, words };
    }
    let smaller = iter::successors(model.next_smaller(), |other| other.next_smaller());
    let mut that_fit =
        smaller.filter(|other| needs(other, place, bytes_a_weight, 0).lacking(limits).is_empty());
    let instead = that_fit.next();
    let offer = instead.map_or_else(
        || "no known model is small enough".to_owned(),
        |other| format!("{} would fit", other.title),
    );
    let words = format!("{title} does not fit here: {}; {offer}.", lacking.join(", and "));
    Preflight { needs: needs_of, fits: false, instead, words }
}

/// A number of bytes for a person, in decimal units as download pages and disks have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
        let Some((unit, name)) = UNITS.into_iter().find(|&(unit, _)| self.0 >= unit) else {
            return write!(f, "{} bytes", self.0);
        };
        let value = self.0 as f64 / unit as f64;
        if value < 10.0 { write!(f, "{value:.1} {name}") } else { write!(f, "{value:.0} {name}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F32: u64 = 4;
    const F16: u64 = 2;

    fn of(name: &str, place: Place, bytes_a_weight: u64, limits: Limits) -> Preflight {
        preflight(Known::find(name).unwrap(), place, bytes_a_weight, 0, limits)
    }

    #[test]
    fn what_fits_is_said_with_its_sizes() {
        let small = of("gpt2", Place::Gpu, F32, Limits::default());
        assert!(small.fits && small.instead.is_none());
        assert_eq!(
            small.words,
            "GPT-2 small is 549 MB to download and takes 565 MB of GPU memory. Whether the GPU has \
             that much shows when it is loaded."
        );
        let model = Known::find("gpt2").unwrap();
        let stored = preflight(model, Place::Cpu, F16, u64::MAX, Limits::default());
        assert_eq!(stored.words, "GPT-2 small is stored here already and takes 353 MB of memory.");
    }

    #[test]
    fn what_does_not_fit_is_refused_and_the_next_smaller_that_fits_is_offered() {
        let wasm = Limits { memory: Some(4 << 30), ..Limits::default() };
        let xl = of("gpt2-xl", Place::Cpu, F32, wasm);
        assert!(!xl.fits);
        assert_eq!(
            xl.words,
            "GPT-2 XL does not fit here: it takes 7.2 GB of memory and there are 4.3 GB; GPT-2 large would fit."
        );
        assert!(of("gpt2-xl", Place::Cpu, F16, wasm).fits);
        let tiny = Limits { storage: Some(1 << 20), gpu: Some(1 << 20), ..Limits::default() };
        let none = of("gpt2", Place::Gpu, F32, tiny);
        assert!(none.instead.is_none());
        assert!(none.words.contains("room for files") && none.words.contains("GPU memory"));
        assert!(none.words.ends_with("no known model is small enough."), "{}", none.words);
    }

    #[test]
    fn bytes_are_written_as_people_read_them() {
        let written = [0, 999, 1_000, 9_940, 3_400_000, 548_105_171, 6_431_829_964]
            .map(|n| Bytes(n).to_string());
        let expected = ["0 bytes", "999 bytes", "1.0 kB", "9.9 kB", "3.4 MB", "548 MB", "6.4 GB"];
        assert_eq!(written, expected);
    }
}
