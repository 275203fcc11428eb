//! The adapter and its device: what they are, what they allow, and how they fail.

use std::sync::{Arc, Mutex, PoisonError};

use crate::GpuError;
use crate::run::{Counts, Pace};
use crate::shader::Pipelines;
use crate::tuning::Tuning;
use crate::weights::Weights;

/// A GPU, the pipelines built so far, and a model's weights.
///
/// For the weights of another model, drop it and request a new one: that frees the memory.
#[derive(Debug)]
pub struct Gpu {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    pub(crate) faults: Faults,
    pub(crate) pipelines: Pipelines,
    pub(crate) weights: Weights,
    pub(crate) counts: Counts,
    pub(crate) pace: Pace,
    pub(crate) tuning: Tuning,
    adapter: AdapterSummary,
    split_at: Option<u64>,
    most_buffers: u32,
}

/// How many buffers a shader may have wherever WebGPU is.
const PROMISED_BUFFERS: u32 = 8;
/// How many a shader here has at most, where more are allowed.
const MOST_BUFFERS: u32 = 9;

/// What is known of the adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterSummary {
    /// What the driver calls it; browsers tell little.
    pub name: String,
    /// The interface behind it, such as `vulkan` or `webgpu`.
    pub backend: String,
    /// It computes on the CPU, slower than an executor made for that.
    pub is_software: bool,
    /// The bytes of the largest tensor it can work with.
    pub max_tensor_bytes: u64,
}

impl Gpu {
    /// The fastest adapter, with all the tensor size it allows.
    ///
    /// # Errors
    /// If there is no adapter, or it gives no device.
    pub async fn request() -> Result<Self, GpuError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapter = instance
            .request_adapter(&wgpu::RequestAdapterOptions {
                power_preference: wgpu::PowerPreference::HighPerformance,
                ..Default::default()
            })
            .await
            .map_err(|error| GpuError::NoAdapter(error.to_string()))?;
        // Above the defaults, a limit is only granted if asked for.
        let offered = adapter.limits();
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                required_limits: wgpu::Limits {
                    max_buffer_size: offered.max_buffer_size,
                    max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
                    max_storage_buffers_per_shader_stage: offered
                        .max_storage_buffers_per_shader_stage
                        .clamp(PROMISED_BUFFERS, MOST_BUFFERS),
                    ..wgpu::Limits::default()
                },
                ..Default::default()
            })
            .await
            .map_err(|error| GpuError::NoDevice(error.to_string()))?;
        let summary = AdapterSummary::of(&adapter, &device);
        Ok(Self {
            faults: Faults::of(&device),
            pace: Pace::new(summary.is_software),
            tuning: Tuning::usual(summary.is_software),
            adapter: summary,
            split_at: None,
            most_buffers: device.limits().max_storage_buffers_per_shader_stage,
            pipelines: Pipelines::default(),
            weights: Weights::default(),
            counts: Counts::default(),
            device,
            queue,
        })
    }

    /// What is known of the adapter.
    pub fn adapter(&self) -> &AdapterSummary {
        &self.adapter
    }

    /// The most bytes of a weight that a shader sees through one binding.
    pub(crate) fn max_weight_bytes(&self) -> u64 {
        self.split_at.unwrap_or(self.adapter.max_tensor_bytes)
    }

    /// Keeps weights of more bytes in several buffers, as if the GPU allowed no more: so a large GPU
    /// can show what happens on a small one.
    pub fn split_weights_at(&mut self, bytes: u64) {
        self.split_at = Some(bytes.min(self.adapter.max_tensor_bytes));
    }

    /// The most buffers that a shader may have.
    pub(crate) fn most_buffers(&self) -> usize {
        self.most_buffers as usize
    }

    /// Has shaders of no more buffers than WebGPU promises, as if the GPU allowed no more.
    pub fn promise_buffers_alone(&mut self) {
        self.most_buffers = PROMISED_BUFFERS;
    }

    pub(crate) fn check_size(&self, name: &str, elements: usize) -> Result<u64, GpuError> {
        let (bytes, limit) = (4 * elements as u64, self.adapter.max_tensor_bytes);
        if bytes <= limit {
            Ok(bytes)
        } else {
            Err(GpuError::TooLarge { name: name.to_owned(), bytes, limit })
        }
    }
}

impl Drop for Gpu {
    /// In a browser, dropping a handle frees nothing before the next garbage collection, which
    /// knows nothing of the GPU's memory.
    fn drop(&mut self) {
        self.device.destroy();
    }
}

impl AdapterSummary {
    fn of(adapter: &wgpu::Adapter, device: &wgpu::Device) -> Self {
        let info = adapter.get_info();
        let limits = device.limits();
        let words = [info.name, info.driver, info.driver_info, web_words(device)];
        let words = words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            is_software: info.device_type == wgpu::DeviceType::Cpu || names_software(&words),
            name: if words.is_empty() { "unnamed".to_owned() } else { words },
            backend: info.backend.to_string(),
            // The shaders count elements in 32 bits.
            max_tensor_bytes: limits
                .max_storage_buffer_binding_size
                .min(limits.max_buffer_size)
                .min(u64::from(u32::MAX)),
        }
    }
}

/// Whether one of the known software adapters is named: browsers before 2025 do not say otherwise.
fn names_software(words: &str) -> bool {
    let words = words.to_lowercase();
    ["swiftshader", "llvmpipe", "lavapipe"].iter().any(|name| words.contains(name))
}

/// Vendor and architecture, all that a browser says by default and wgpu does not pass on.
#[cfg(target_arch = "wasm32")]
fn web_words(device: &wgpu::Device) -> String {
    let Some(device) = device.as_webgpu() else { return String::new() };
    let Ok(info) = js_sys::Reflect::get(device.as_ref(), &"adapterInfo".into()) else {
        return String::new();
    };
    // Not every browser has `adapterInfo`: then `Reflect` gives an error where a getter throws.
    let word = |key: &str| {
        let word = js_sys::Reflect::get(&info, &key.into()).ok();
        word.and_then(|word| word.as_string()).unwrap_or_default()
    };
    format!("{} {}", word("vendor"), word("architecture"))
}

#[cfg(not(target_arch = "wasm32"))]
fn web_words(_: &wgpu::Device) -> String {
    String::new()
}

/// What went wrong outside of [`Scopes`]: the device's loss, a failed upload or readback. The first
/// stays, since nothing on the device can be trusted from then on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<Option<GpuError>>>);

impl Faults {
    fn of(device: &wgpu::Device) -> Self {
        let faults = Self::default();
        let (on_loss, on_error) = (faults.clone(), faults.clone());
        device.set_device_lost_callback(move |reason, message| {
            on_loss.report(GpuError::Lost(format!("{reason:?}: {message}")));
        });
        // wgpu's own handler panics.
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            on_error.report(error.into());
        }));
        faults
    }

    pub(crate) fn report(&self, fault: GpuError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
    }

    /// wgpu's own comparison takes devices of different instances for equal.
    pub(crate) fn same_device(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn check(&self) -> Result<(), GpuError> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(fault) => Err(fault.clone()),
            None => Ok(()),
        }
    }
}

/// Catches what the device reports of the commands given between `open` and `close`.
#[must_use]
pub(crate) struct Scopes {
    out_of_memory: wgpu::ErrorScopeGuard,
    validation: wgpu::ErrorScopeGuard,
    internal: wgpu::ErrorScopeGuard,
}

impl Scopes {
    pub(crate) fn open(device: &wgpu::Device) -> Self {
        Self {
            out_of_memory: device.push_error_scope(wgpu::ErrorFilter::OutOfMemory),
            validation: device.push_error_scope(wgpu::ErrorFilter::Validation),
            internal: device.push_error_scope(wgpu::ErrorFilter::Internal),
        }
    }

    /// Closes at once; the reports come with the future.
    pub(crate) fn close(self) -> impl Future<Output = Result<(), GpuError>> {
        let (internal, validation, out_of_memory) =
            (self.internal.pop(), self.validation.pop(), self.out_of_memory.pop());
        async move {
            // Memory first: a buffer that was not allocated also makes its uses invalid.
            match out_of_memory.await.or(validation.await).or(internal.await) {
                Some(error) => Err(error.into()),
                None => Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_adapters_are_known_by_name() {
        assert!(names_software("google swiftshader"));
        assert!(names_software("llvmpipe (LLVM 15.0.6, 256 bits)"));
        assert!(!names_software("NVIDIA H100"));
        assert!(!names_software(""));
    }
}

#[cfg(test)]
mod gpu {
    use pollster::block_on;

    use super::*;

    fn request() -> Gpu {
        block_on(Gpu::request()).unwrap_or_else(|error| {
            panic!("{error}. To test without a GPU: cargo xtask test --without gpu")
        })
    }

    /// A command that no device accepts.
    fn misuse(device: &wgpu::Device) {
        let _ = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("too large"),
            size: 1 << 60,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
    }

    #[test]
    fn what_is_refused_in_a_scope_is_an_error_there() {
        let gpu = request();
        let scopes = Scopes::open(&gpu.device);
        misuse(&gpu.device);
        let error = block_on(scopes.close()).unwrap_err();
        assert!(
            matches!(&error, GpuError::Refused(words) if words.contains("too large")),
            "{error}"
        );
        block_on(Scopes::open(&gpu.device).close()).unwrap();
        gpu.faults.check().unwrap();
    }

    #[test]
    fn what_is_refused_elsewhere_is_an_error_from_then_on() {
        let mut gpu = request();
        misuse(&gpu.device);
        for _ in 0..2 {
            let error = block_on(gpu.plan(&relp_tape::Tape::new())).unwrap_err();
            assert!(matches!(error, GpuError::Refused(_)), "{error}");
        }
    }

    #[test]
    fn a_loss_is_an_error_from_then_on() {
        let (mut tape, mut feed) = (relp_tape::Tape::new(), relp_tape::Feed::new());
        let x = tape.input("x", &[3]);
        let y = tape.add("y", x, x);
        tape.output(y);
        feed.values(x, vec![1.0; 3]);
        let mut gpu = request();
        let mut plan = block_on(gpu.plan(&tape)).unwrap();
        block_on(gpu.run(&mut plan, &feed)).unwrap();

        gpu.device.destroy();
        for _ in 0..2 {
            let error = block_on(gpu.run(&mut plan, &feed)).unwrap_err();
            assert!(matches!(error, GpuError::Lost(_)), "{error}");
        }
        let error = block_on(gpu.plan(&tape)).unwrap_err();
        assert!(matches!(error, GpuError::Lost(_)), "{error}");
        // A plan may outlive its GPU.
        drop(gpu);
        drop(plan);
    }
}
