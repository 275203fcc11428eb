//! The shader of each op, and the pipelines made of them.

use std::collections::HashMap;
use std::fmt::Write as _;

use relp_tape::Op;

use crate::kernel::operands;
use crate::weights::Form;

/// The pipelines built so far, by op and by how its weights are kept.
#[derive(Debug, Default)]
pub(crate) struct Pipelines(HashMap<(&'static str, Vec<Form>), wgpu::ComputePipeline>);

impl Pipelines {
    /// The op's pipeline for matrices of these forms, built the first time.
    pub(crate) fn get(
        &mut self,
        device: &wgpu::Device,
        op: &Op,
        forms: &[Form],
    ) -> wgpu::ComputePipeline {
        let key = (op.name(), forms.to_vec());
        self.0.entry(key).or_insert_with(|| build(device, op, forms)).clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn build(device: &wgpu::Device, op: &Op, forms: &[Form]) -> wgpu::ComputePipeline {
    let label = Some(op.name());
    let source = adapted(op, forms);
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label,
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        // Derived from the shader's bindings.
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    })
}

/// The shader for matrices of these forms. Each shader reads a matrix `w` through its function `w_of`
/// alone, so that only this function and the binding change.
fn adapted(op: &Op, forms: &[Form]) -> String {
    let mut source = wgsl(op).to_owned();
    let mut next_binding = operands(op).len() + 1;
    for (matrix, &form) in op.matrices().into_iter().zip(forms) {
        if form.is_plain() {
            continue;
        }
        let reads = op.reads();
        let Some(&(name, _)) = reads.iter().find(|(_, buf)| *buf == matrix) else { continue };
        let element = if form.halves { "u32" } else { "f32" };
        let plain = format!("var<storage, read> {name}: array<f32>;");
        source = source.replace(&plain, &plain.replace("f32", element));
        // Of each buffer, what is returned of it; of all but the last, if the element is there.
        let mut body = String::new();
        for i in 0..form.buffers() {
            let (mut buffer, mut at) = (name.to_owned(), "n".to_owned());
            if i > 0 {
                buffer = format!("{name}_{i}");
                at = format!("(n - {}u)", form.begin(i));
                let _ = write!(
                    source,
                    "\n@group(0) @binding({next_binding}) var<storage, read> {buffer}: array<{element}>;"
                );
                next_binding += 1;
            }
            let read = if form.halves {
                format!("unpack2x16float({buffer}[{at} / 2u])[{at} % 2u]")
            } else {
                format!("{buffer}[{at}]")
            };
            let _ = if i + 1 == form.buffers() {
                write!(body, "    return {read};")
            } else {
                writeln!(body, "    if (n < {}u) {{ return {read}; }}", form.begin(i + 1))
            };
        }
        source = source.replace(&format!("    return {name}[n];"), &body);
    }
    source
}

/// A shader that reduces over its workgroup, with what it calls.
macro_rules! with_group {
    ($file:literal) => {
        concat!(include_str!($file), include_str!("../shaders/shared/group.wgsl"))
    };
}

/// The op's shader as WGSL, for weights that are `f32` in one buffer.
pub fn wgsl(op: &Op) -> &'static str {
    match op {
        Op::Embed { .. } => include_str!("../shaders/embed.wgsl"),
        Op::LayerNorm { .. } => with_group!("../shaders/layer_norm.wgsl"),
        Op::LayerNormGrad { .. } => include_str!("../shaders/layer_norm_grad.wgsl"),
        Op::Linear { .. } => include_str!("../shaders/linear.wgsl"),
        Op::LinearT { .. } => include_str!("../shaders/linear_t.wgsl"),
        Op::AttentionPattern { .. } => with_group!("../shaders/attention_pattern.wgsl"),
        Op::AttentionMix { .. } => include_str!("../shaders/attention_mix.wgsl"),
        Op::AttentionMixGradPattern { .. } => {
            include_str!("../shaders/attention_mix_grad_pattern.wgsl")
        }
        Op::AttentionMixGradV { .. } => include_str!("../shaders/attention_mix_grad_v.wgsl"),
        Op::SoftmaxGrad { .. } => with_group!("../shaders/softmax_grad.wgsl"),
        Op::AttentionScoresGrad { .. } => include_str!("../shaders/attention_scores_grad.wgsl"),
        Op::Gelu { .. } => include_str!("../shaders/gelu.wgsl"),
        Op::GeluGrad { .. } => include_str!("../shaders/gelu_grad.wgsl"),
        Op::Add { .. } => include_str!("../shaders/add.wgsl"),
        Op::Mul { .. } => include_str!("../shaders/mul.wgsl"),
        Op::LastRow { .. } => include_str!("../shaders/last_row.wgsl"),
        Op::LastRowGrad { .. } => include_str!("../shaders/last_row_grad.wgsl"),
        Op::GatherDot { .. } => with_group!("../shaders/gather_dot.wgsl"),
        Op::GatherDotGrad { .. } => include_str!("../shaders/gather_dot_grad.wgsl"),
        Op::DeltaDot { .. } => with_group!("../shaders/delta_dot.wgsl"),
        Op::Interpolate { .. } => include_str!("../shaders/interpolate.wgsl"),
        Op::AddRows { .. } => include_str!("../shaders/add_rows.wgsl"),
        Op::Splice { .. } => include_str!("../shaders/splice.wgsl"),
        Op::AttentionRows { .. } => with_group!("../shaders/attention_rows.wgsl"),
        Op::AppendMeans { .. } => include_str!("../shaders/append_means.wgsl"),
        Op::QkFix { .. } => with_group!("../shaders/qk_fix.wgsl"),
        Op::Metric { .. } => with_group!("../shaders/metric.wgsl"),
        Op::MetricGrad { .. } => with_group!("../shaders/metric_grad.wgsl"),
    }
}
