//! The shader of each op, and the pipelines made of them.

use std::collections::HashMap;

use relp_tape::Op;

/// The pipelines built so far, by op.
#[derive(Debug, Default)]
pub(crate) struct Pipelines(HashMap<&'static str, wgpu::ComputePipeline>);

impl Pipelines {
    /// The op's pipeline, built the first time.
    pub(crate) fn get(&mut self, device: &wgpu::Device, op: &Op) -> wgpu::ComputePipeline {
        self.0.entry(op.name()).or_insert_with(|| build(device, op)).clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn build(device: &wgpu::Device, op: &Op) -> wgpu::ComputePipeline {
    let label = Some(op.name());
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label,
        source: wgpu::ShaderSource::Wgsl(source(op).into()),
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
