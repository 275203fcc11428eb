//! The shaders, put together of the files in `shaders/`, and the pipelines made of them.

use std::collections::HashMap;
use std::fmt::Write as _;

use relp_tape::Op;

use crate::product::{Epilogue, Prologue, Variant, without};
use crate::weights::Form;

/// The pipelines built so far, by their shaders.
#[derive(Debug, Default)]
pub(crate) struct Pipelines(HashMap<Shader, wgpu::ComputePipeline>);

impl Pipelines {
    /// The shader's pipeline, built the first time.
    pub(crate) fn get(&mut self, device: &wgpu::Device, shader: &Shader) -> &wgpu::ComputePipeline {
        self.0.entry(shader.clone()).or_insert_with(|| build(device, shader))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn build(device: &wgpu::Device, shader: &Shader) -> wgpu::ComputePipeline {
    let label = Some(shader.name);
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label,
        source: wgpu::ShaderSource::Wgsl(shader.source().into()),
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

/// Which shader, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shader {
    /// Of its file.
    pub(crate) name: &'static str,
    /// How its matrices are kept, by their names.
    pub(crate) matrices: Vec<(&'static str, Form)>,
    /// Of a shader that works on four elements at a time, which buffers hold whole quads.
    pub(crate) quads: Quads,
    pub(crate) attending: Option<Attending>,
    pub(crate) product: Option<Product>,
    /// Whether it computes the rows of a list.
    pub(crate) is_listed: bool,
}

/// Whether buffers can be read and written four elements at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Quads {
    /// The operand `x` of a product.
    pub(crate) x: bool,
    /// The weight `w` of a product.
    pub(crate) w: bool,
    /// All others.
    pub(crate) rest: bool,
}

/// Of a shader that attends to keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Attending {
    /// Whether the pattern is written.
    pub(crate) keeps: bool,
    /// How many keys' weights wait in workgroup memory.
    room: usize,
}

impl Attending {
    /// The most room: for all keys that GPT-2 has.
    const MOST: usize = 1024;

    /// For so many keys. As many workgroups run at once as their memory has room for.
    pub(crate) fn to(keys: usize, keeps: bool) -> Self {
        let room = [64, 256].into_iter().find(|room| keys <= *room).unwrap_or(Self::MOST);
        Self { keeps, room }
    }
}

/// Of `linear` and `linear_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Product {
    pub(crate) variant: Variant,
    pub(crate) prologue: Prologue,
    pub(crate) epilogue: Epilogue,
    /// Whether the product itself is written, beside what the epilogue makes of it.
    pub(crate) keeps: bool,
    /// Whether a quad may reach past the end of a row.
    pub(crate) is_ragged: bool,
}

impl Shader {
    /// Where the list of rows is bound: after all others, of which a product by itself has five, and only that may have
    /// weights in parts, which come then.
    pub(crate) fn list_binding(&self) -> Option<u32> {
        let is_alone = |product: Product| product.epilogue == Epilogue::None;
        self.is_listed.then_some(if self.product.is_some_and(is_alone) { 5 } else { 7 })
    }

    /// The whole source.
    pub(crate) fn source(&self) -> String {
        let mut source = file(self.name).to_owned();
        if let Some(Attending { keeps, room }) = self.attending {
            let _ = writeln!(source, "\nconst KEPT = {room}u;\n");
            if keeps {
                source.push_str(include_str!("../shaders/shared/keep_pattern.wgsl"));
            } else {
                source = without(&source, "    keep_pattern(");
                source = without(&source, "@group(0) @binding(2) var<storage, read_write> pattern");
            }
        }
        if let Some(product) = self.product {
            let mut epilogue = product.epilogue.wgsl();
            if !product.keeps {
                epilogue = without(&epilogue, "    put_out(");
                source = without(&source, "@group(0) @binding(4)");
            }
            source.push_str(&epilogue);
            source.push_str(&product.variant.wgsl());
            if product.variant.has_prologue() {
                source.push_str(&product.prologue.wgsl(product.variant));
            }
            source.push_str(kept(product.is_ragged));
        } else if source.contains("kept(") {
            source.push_str(kept(!self.quads.rest));
        }
        if finds_rows(self.name) {
            source.push_str(&self.rows());
        }
        let is_quad = |name: &str| match name {
            _ if self.product.is_none() => self.quads.rest,
            "x" | "gain" | "shift" => self.quads.x,
            "w" => self.quads.w,
            _ => self.quads.rest,
        };
        for (name, is_written) in storage(&source) {
            let matrix = self.matrices.iter().find(|(matrix, _)| *matrix == name);
            let form = matrix.map_or_else(Form::default, |(_, form)| *form);
            if source.contains(&format!("{name}_quad(")) {
                read_quads(&mut source, &name, form, is_quad(&name));
            } else if source.contains(&format!("put_{name}(")) && is_written {
                write_quads(&mut source, &name, is_quad(&name));
            } else if !form.is_plain() {
                read_elements(&mut source, &name, form);
            }
        }
        source
    }

    /// `rows`, `row_of` and `same_as`, by which it finds its rows.
    fn rows(&self) -> String {
        match self.list_binding() {
            None => format!("\n{}", include_str!("../shaders/shared/all_rows.wgsl")),
            Some(binding) => {
                let file = include_str!("../shaders/shared/some_rows.wgsl");
                format!(
                    "\n@group(0) @binding({binding}) var<storage, read> list: array<u32>; // [1+2R]\n\n{file}"
                )
            }
        }
    }
}

/// The names of the buffers of `f32`, and which of them are written.
fn storage(source: &str) -> Vec<(String, bool)> {
    let bound = source.lines().filter_map(|line| {
        let (_, rest) = line.split_once(" var<storage, read")?;
        let (access, rest) = rest.split_once("> ")?;
        let (name, _) = rest.split_once(": array<f32>;")?;
        Some((name.to_owned(), access == "_write"))
    });
    bound.collect()
}

/// `kept`, by which what lies past the end of a row counts as 0.
fn kept(is_ragged: bool) -> &'static str {
    if is_ragged {
        "\nfn kept(value: vec4<f32>, k: u32, end: u32) -> vec4<f32> {\n    \
         return select(vec4<f32>(), value, vec4<u32>(k, k + 1u, k + 2u, k + 3u) < vec4<u32>(end));\n}\n"
    } else {
        "\nfn kept(value: vec4<f32>, k: u32, end: u32) -> vec4<f32> {\n    return value;\n}\n"
    }
}

/// Binds a buffer as another type.
fn bind_as(source: &mut String, name: &str, element: &str) {
    let plain = format!("> {name}: array<f32>;");
    *source = source.replace(&plain, &format!("> {name}: array<{element}>;"));
}

/// The buffers of a weight in parts, each with the element that it begins with: the first is there
/// already.
fn bind_parts(source: &mut String, name: &str, form: Form, element: &str) -> Vec<(String, u64)> {
    bind_as(source, name, element);
    let mut parts = vec![(name.to_owned(), 0)];
    for i in 1..form.buffers() {
        let binding = source.matches("@binding(").count();
        let part = format!("{name}_{i}");
        let _ = write!(
            source,
            "\n@group(0) @binding({binding}) var<storage, read> {part}: array<{element}>; // [part]\n"
        );
        parts.push((part, form.begin(i)));
    }
    parts
}

/// What is returned of the part that element `n` lies in, by what reads `at` in a part.
fn of_parts(parts: &[(String, u64)], read: impl Fn(&str, &str) -> String) -> String {
    let mut body = String::new();
    for (i, (part, begin)) in parts.iter().enumerate() {
        let at = if *begin == 0 { "n".to_owned() } else { format!("(n - {begin}u)") };
        let read = read(part, &at);
        let _ = match parts.get(i + 1) {
            Some((_, end)) => writeln!(body, "    if (n < {end}u) {{ return {read}; }}"),
            None => writeln!(body, "    return {read};"),
        };
    }
    body
}

/// `NAME_quad(n)`, the four elements from `n` on.
fn read_quads(source: &mut String, name: &str, form: Form, is_quad: bool) {
    let signature = format!("fn {name}_quad(n: u32) -> vec4<f32> {{");
    if !is_quad {
        let element = if form.is_plain() {
            format!("    return {name}[n];\n")
        } else {
            let parts = bind_parts(source, name, form, element(form));
            of_parts(&parts, |part, at| read_element(form, part, at))
        };
        let _ = write!(
            source,
            "\nfn {name}_of(n: u32) -> f32 {{\n{element}}}\n\n{signature}\n    return vec4<f32>(\
             {name}_of(n), {name}_of(n + 1u), {name}_of(n + 2u), {name}_of(n + 3u));\n}}\n"
        );
        return;
    }
    let element = if form.halves { "vec2<u32>" } else { "vec4<f32>" };
    let parts = bind_parts(source, name, form, element);
    let body = of_parts(&parts, |part, at| {
        if form.halves {
            format!("halves({part}[{at} / 4u])")
        } else {
            format!("{part}[{at} / 4u]")
        }
    });
    let _ = write!(source, "\n{signature}\n{body}}}\n");
    if form.halves {
        source.push_str(
            "\nfn halves(pairs: vec2<u32>) -> vec4<f32> {\n    \
             return vec4<f32>(unpack2x16float(pairs.x), unpack2x16float(pairs.y));\n}\n",
        );
    }
}

/// `put_NAME(n, count, value)`, which writes at most four elements from `n` on.
fn write_quads(source: &mut String, name: &str, is_quad: bool) {
    let _ = writeln!(source, "\nfn put_{name}(n: u32, count: u32, value: vec4<f32>) {{");
    if is_quad {
        bind_as(source, name, "vec4<f32>");
        let _ = writeln!(source, "    {name}[n / 4u] = value;");
    } else {
        let _ = writeln!(source, "    {name}[n] = value.x;");
        for (i, lane) in [(1, "y"), (2, "z"), (3, "w")] {
            let _ =
                writeln!(source, "    if (count > {i}u) {{ {name}[n + {i}u] = value.{lane}; }}");
        }
    }
    source.push_str("}\n");
}

/// The function `NAME_of(n)` of a shader that reads single elements, for a weight that is kept otherwise
/// than as its file says.
fn read_elements(source: &mut String, name: &str, form: Form) {
    let parts = bind_parts(source, name, form, element(form));
    let body = of_parts(&parts, |part, at| read_element(form, part, at));
    *source = source.replace(&format!("    return {name}[n];\n"), &body);
}

fn element(form: Form) -> &'static str {
    if form.halves { "u32" } else { "f32" }
}

fn read_element(form: Form, part: &str, at: &str) -> String {
    if form.halves {
        format!("unpack2x16float({part}[{at} / 2u])[{at} % 2u]")
    } else {
        format!("{part}[{at}]")
    }
}

/// A shader that reduces over its workgroup, with what it calls.
macro_rules! with_group {
    ($file:literal) => {
        concat!(
            include_str!($file),
            "\nalias Value = f32;\n",
            include_str!("../shaders/shared/group.wgsl")
        )
    };
}

/// A shader that computes effects, with what it calls.
macro_rules! with_effect {
    ($file:literal) => {
        concat!(with_group!($file), "\n", include_str!("../shaders/shared/effect.wgsl"))
    };
}

/// A shader that finds the rows of heads, with what it calls.
macro_rules! with_heads {
    ($source:expr) => {
        concat!($source, "\n", include_str!("../shaders/shared/head_row.wgsl"))
    };
}

/// A shader that attends to keys, with what it calls.
macro_rules! attending {
    ($file:literal, $($shared:literal),+) => {
        concat!(
            with_group!($file),
            "\n",
            include_str!("../shaders/shared/attend.wgsl"),
            $("\n", include_str!(concat!("../shaders/shared/", $shared, ".wgsl"))),+
        )
    };
}

/// A shader that computes gelu, with what it calls.
macro_rules! with_gelu {
    ($file:literal) => {
        concat!(include_str!($file), "\n", include_str!("../shaders/shared/gelu.wgsl"))
    };
}

/// The file of an op, or of several in one, with what it calls.
fn file(name: &str) -> &'static str {
    match name {
        "embed" => include_str!("../shaders/embed.wgsl"),
        "layer_norm" => with_group!("../shaders/layer_norm.wgsl"),
        "layer_norm_grad" => with_group!("../shaders/layer_norm_grad.wgsl"),
        "linear" => include_str!("../shaders/linear.wgsl"),
        "linear_t" => include_str!("../shaders/linear_t.wgsl"),
        "attention" => with_heads!(attending!("../shaders/fused/attention.wgsl", "causal", "mix")),
        "attention_grad" => with_heads!(with_group!("../shaders/fused/attention_grad.wgsl")),
        "attention_pattern" => {
            with_heads!(attending!("../shaders/attention_pattern.wgsl", "causal"))
        }
        "attention_mix" => with_heads!(include_str!("../shaders/attention_mix.wgsl")),
        "attention_mix_grad_pattern" => {
            with_heads!(include_str!("../shaders/attention_mix_grad_pattern.wgsl"))
        }
        "attention_mix_grad_v" => with_heads!(include_str!("../shaders/attention_mix_grad_v.wgsl")),
        "softmax_grad" => with_heads!(with_group!("../shaders/softmax_grad.wgsl")),
        "attention_scores_grad" => {
            with_heads!(include_str!("../shaders/attention_scores_grad.wgsl"))
        }
        "gelu" => with_gelu!("../shaders/gelu.wgsl"),
        "gelu_grad" => with_gelu!("../shaders/gelu_grad.wgsl"),
        "add" => include_str!("../shaders/add.wgsl"),
        "mul" => include_str!("../shaders/mul.wgsl"),
        "last_row" => include_str!("../shaders/last_row.wgsl"),
        "last_row_grad" => include_str!("../shaders/last_row_grad.wgsl"),
        "gather_dot" => with_group!("../shaders/gather_dot.wgsl"),
        "gather_dot_grad" => include_str!("../shaders/gather_dot_grad.wgsl"),
        "delta_dot" => with_effect!("../shaders/delta_dot.wgsl"),
        "delta_dots" => with_effect!("../shaders/fused/delta_dots.wgsl"),
        "interpolate" => include_str!("../shaders/interpolate.wgsl"),
        "add_rows" => include_str!("../shaders/add_rows.wgsl"),
        "splice" => include_str!("../shaders/splice.wgsl"),
        "attention_rows" => attending!("../shaders/attention_rows.wgsl", "mix"),
        "append_means" => include_str!("../shaders/append_means.wgsl"),
        "qk_fix" => with_group!("../shaders/qk_fix.wgsl"),
        "metric" => with_group!("../shaders/metric.wgsl"),
        "metric_grad" => with_group!("../shaders/metric_grad.wgsl"),
        other => unreachable!("there is no shader {other}"),
    }
}

/// Whether an op's shader looks up which rows it computes, so that it can leave some out.
pub(crate) fn finds_rows(name: &str) -> bool {
    file(name).contains("row_of(")
}

/// The names of the shaders that do several ops in one; those of single ops are in
/// [`Op::NAMES`](relp_tape::Op::NAMES), and products are [`Variant`]s of their own.
const FUSED: [&str; 3] = ["attention", "attention_grad", "delta_dots"];

/// Every shader that may be built for weights in one buffer, as WGSL, with the op's name and what is
/// special about it: for checks without a GPU.
pub fn shaders() -> Vec<(&'static str, String, String)> {
    let mut shaders = Vec::new();
    let all = Quads { x: true, w: true, rest: true };
    for name in Op::NAMES.into_iter().chain(FUSED) {
        let is_product = matches!(name, "linear" | "linear_t");
        for quads in [Quads::default(), all] {
            if !is_product {
                let attending = |keeps| Some(Attending::to(Attending::MOST, keeps));
                let all_attending = match name {
                    "attention" => vec![attending(true), attending(false)],
                    "attention_pattern" => vec![attending(true)],
                    "attention_rows" => vec![attending(false)],
                    _ => vec![None],
                };
                for (attending, is_listed) in
                    all_attending.into_iter().flat_map(|it| [(it, false), (it, true)])
                {
                    let (matrices, product) = (Vec::new(), None);
                    let shader = Shader { name, matrices, quads, attending, product, is_listed };
                    let source = shader.source();
                    let about = format!("{quads:?} {attending:?} {is_listed}");
                    // Of most shaders there is one.
                    if shaders.last().is_none_or(|(_, _, last)| *last != source) {
                        shaders.push((name, about, source));
                    }
                }
                continue;
            }
            let prologues = |variant: Variant| {
                let has_any = variant.has_prologue() && name == "linear";
                Prologue::ALL.into_iter().take(if has_any { Prologue::ALL.len() } else { 1 })
            };
            for (variant, prologue, epilogue) in Variant::ALL.into_iter().flat_map(|variant| {
                prologues(variant).flat_map(move |prologue| {
                    let all = Epilogue::ALL.into_iter();
                    all.filter(move |end| prologue == Prologue::None || end.follows_norm())
                        .map(move |epilogue| (variant, prologue, epilogue))
                })
            }) {
                for (keeps, halves, is_listed) in [
                    (true, false, false),
                    (false, false, false),
                    (true, true, false),
                    (true, false, true),
                    (false, true, true),
                ] {
                    if !keeps && epilogue == Epilogue::None {
                        continue;
                    }
                    let is_ragged = !quads.x;
                    let product = Product { variant, prologue, epilogue, keeps, is_ragged };
                    let matrices = vec![("w", Form { halves, split: None })];
                    let product = Some(product);
                    let attending = None;
                    let shader = Shader { name, matrices, quads, attending, product, is_listed };
                    let about = (variant, prologue, epilogue, keeps, halves, is_listed, quads.x);
                    shaders.push((name, format!("{about:?}"), shader.source()));
                }
            }
        }
    }
    shaders
}
