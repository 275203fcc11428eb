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
    let mut source = source(op).to_owned();
    let mut next_binding = operands(op).len() + 1;
    for (matrix, &form) in op.matrices().into_iter().zip(forms) {
        if form.is_plain() {
            continue;
        }
        let reads = op.reads();
        let Some((name, _)) = reads.iter().find(|(_, buf)| *buf == matrix) else { continue };
        let element = if form.halves { "u32" } else { "f32" };
        let plain = format!("var<storage, read> {name}: array<f32>;");
        let kept = format!("var<storage, read> {name}: array<{element}>;");
        let mut more = String::new();
        let mut body = String::new();
        for i in 0..form.buffers() {
            let buffer = if i == 0 { (*name).to_owned() } else { format!("{name}_{i}") };
            let split = form.split.map_or(0, |(split, _)| split);
            let at = if i == 0 {
                "n".to_owned()
            } else {
                format!("(n - {}u)", u64::from(split) * i as u64)
            };
            let read = if form.halves {
                format!(
                    "select(unpack2x16float({buffer}[{at} / 2u]).x, unpack2x16float({buffer}[{at} / 2u]).y, {at} % 2u == 1u)"
                )
            } else {
                format!("{buffer}[{at}]")
            };
            if i > 0 {
                let _ = writeln!(
                    more,
                    "@group(0) @binding({next_binding}) var<storage, read> {buffer}: array<{element}>;"
                );
                next_binding += 1;
            }
            let is_last = i + 1 == form.buffers();
            let end = u64::from(split) * (i as u64 + 1);
            let _ = if is_last {
                write!(body, "    return {read};")
            } else {
                writeln!(body, "    if (n < {end}u) {{ return {read}; }}")
            };
        }
        source = source.replace(&plain, &kept);
        source = source.replace(&format!("    return {name}[n];"), &body);
        source.push_str(&more);
    }
    source
}

fn source(op: &Op) -> &'static str {
    match op {
        Op::Embed { .. } => include_str!("../shaders/embed.wgsl"),
        Op::LayerNorm { .. } => include_str!("../shaders/layer_norm.wgsl"),
        Op::LayerNormGrad { .. } => include_str!("../shaders/layer_norm_grad.wgsl"),
        Op::Linear { .. } => include_str!("../shaders/linear.wgsl"),
        Op::LinearT { .. } => include_str!("../shaders/linear_t.wgsl"),
        Op::AttentionPattern { .. } => include_str!("../shaders/attention_pattern.wgsl"),
        Op::AttentionMix { .. } => include_str!("../shaders/attention_mix.wgsl"),
        Op::AttentionMixGradPattern { .. } => {
            include_str!("../shaders/attention_mix_grad_pattern.wgsl")
        }
        Op::AttentionMixGradV { .. } => include_str!("../shaders/attention_mix_grad_v.wgsl"),
        Op::SoftmaxGrad { .. } => include_str!("../shaders/softmax_grad.wgsl"),
        Op::AttentionScoresGrad { .. } => include_str!("../shaders/attention_scores_grad.wgsl"),
        Op::Gelu { .. } => include_str!("../shaders/gelu.wgsl"),
        Op::GeluGrad { .. } => include_str!("../shaders/gelu_grad.wgsl"),
        Op::Add { .. } => include_str!("../shaders/add.wgsl"),
        Op::Mul { .. } => include_str!("../shaders/mul.wgsl"),
        Op::LastRow { .. } => include_str!("../shaders/last_row.wgsl"),
        Op::LastRowGrad { .. } => include_str!("../shaders/last_row_grad.wgsl"),
        Op::GatherDot { .. } => include_str!("../shaders/gather_dot.wgsl"),
        Op::GatherDotGrad { .. } => include_str!("../shaders/gather_dot_grad.wgsl"),
        Op::DeltaDot { .. } => include_str!("../shaders/delta_dot.wgsl"),
        Op::Interpolate { .. } => include_str!("../shaders/interpolate.wgsl"),
        Op::AddRows { .. } => include_str!("../shaders/add_rows.wgsl"),
        Op::Splice { .. } => include_str!("../shaders/splice.wgsl"),
        Op::AttentionRows { .. } => include_str!("../shaders/attention_rows.wgsl"),
        Op::AppendMeans { .. } => include_str!("../shaders/append_means.wgsl"),
        Op::QkFix { .. } => include_str!("../shaders/qk_fix.wgsl"),
        Op::Metric { .. } => include_str!("../shaders/metric.wgsl"),
        Op::MetricGrad { .. } => include_str!("../shaders/metric_grad.wgsl"),
    }
}
