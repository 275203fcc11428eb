//! The shaders, checked without a GPU.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use naga::proc::GlobalCtx;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, GlobalVariable, Module, StorageAccess};
use relp_tape::Op;
use relp_tests::op_cases;

/// What WebGPU promises everywhere.
const MAX_WORKGROUP_BYTES: u32 = 16_384;
const MAX_INVOCATIONS: u32 = 256;
const MAX_STORAGE_BUFFERS: usize = 8;
/// With the norm before it, a product may have more, and is only built where that is allowed.
const MAX_STORAGE_BUFFERS_NORMED: usize = 9;

/// Source by the op's name, with all that it calls: of several that an op has, the first.
fn sources() -> BTreeMap<&'static str, String> {
    let mut sources = BTreeMap::new();
    for (name, _, source) in relp_gpu::shaders() {
        sources.entry(name).or_insert(source);
    }
    sources
}

/// What does several ops in one.
fn is_fused(name: &str) -> bool {
    !Op::NAMES.contains(&name)
}

/// The files of a folder, by name without the extension; other folders aside.
fn files(folder: &str) -> BTreeMap<String, String> {
    let shaders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/gpu/shaders");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(shaders.join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let folders = ["epilogues", "fused", "products", "prologues", "shared"];
            assert!(folders.iter().any(|name| path.ends_with(name)), "{}", path.display());
            continue;
        }
        assert_eq!(path.extension().unwrap(), "wgsl", "{}", path.display());
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        files.insert(name, fs::read_to_string(path).unwrap());
    }
    files
}

fn parse(name: &str, source: &str) -> Module {
    naga::front::wgsl::parse_str(source)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string_with_path(source, name)))
}

/// Every module that may be built, by its name and what is special about it.
fn modules() -> Vec<(String, Module)> {
    let of = |(name, about, source): (&str, String, String)| {
        (format!("{name} {about}"), parse(name, &source))
    };
    relp_gpu::shaders().into_iter().map(of).collect()
}

fn bytes_in(module: &Module, wanted: AddressSpace) -> u32 {
    let context = GlobalCtx {
        types: &module.types,
        constants: &module.constants,
        overrides: &module.overrides,
        global_expressions: &module.global_expressions,
    };
    module
        .global_variables
        .iter()
        .filter(|(_, variable)| variable.space == wanted)
        .map(|(_, variable)| module.types[variable.ty].inner.size(context))
        .sum()
}

/// The variables of group 0, by binding.
fn bindings(module: &Module) -> BTreeMap<u32, &GlobalVariable> {
    let bound = module.global_variables.iter().filter_map(|(_, variable)| {
        let binding = variable.binding.as_ref()?;
        assert_eq!(binding.group, 0);
        Some((binding.binding, variable))
    });
    bound.collect()
}

#[test]
fn every_op_has_its_shader_and_no_other_file_is_there() {
    let sources = sources();
    let of_ops: BTreeSet<String> = Op::NAMES.map(str::to_owned).into();
    assert_eq!(files("").into_keys().collect::<BTreeSet<_>>(), of_ops);
    assert_eq!(of_ops.len(), Op::NAMES.len());
    let fused: BTreeSet<&str> = sources.keys().copied().filter(|name| is_fused(name)).collect();
    assert!(files("fused").keys().eq(&fused));
    // Each op is given its own file.
    for (name, file) in files("").iter().chain(&files("fused")) {
        let comment = file.lines().next().unwrap();
        assert!(sources[name.as_str()].starts_with(comment), "{name}");
    }
}

#[test]
fn what_is_shared_is_used_and_written_nowhere_else() {
    for (name, file) in files("shared") {
        // Products have some of it in some of their variants.
        let shaders = relp_gpu::shaders();
        let users = shaders.iter().filter(|(_, _, source)| source.contains(file.as_str()));
        let users: BTreeSet<&str> = users.map(|(name, ..)| *name).collect();
        assert!(users.len() > 1, "{name}");
        let functions = file.lines().filter(|line| line.starts_with("fn "));
        for function in functions {
            for folder in ["", "epilogues", "fused", "products", "prologues"] {
                let copies = files(folder).values().filter(|file| file.contains(function)).count();
                assert_eq!(copies, 0, "{name}: {function}");
            }
        }
    }
}

#[test]
fn every_shader_is_valid_without_any_feature() {
    for (name, module) in modules() {
        // What naga calls a capability is `unpack2x16float`, which all of WebGPU has.
        let always = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
        Validator::new(ValidationFlags::all(), always)
            .validate(&module)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

#[test]
fn every_shader_keeps_the_limits_that_webgpu_promises() {
    for (name, module) in modules() {
        let [main] = &module.entry_points[..] else { panic!("{name} has one entry point") };
        assert_eq!(main.name, "main", "{name}");
        let invocations: u32 = main.workgroup_size.iter().product();
        assert!((1..=MAX_INVOCATIONS).contains(&invocations), "{name}: {invocations}");
        let bytes = bytes_in(&module, AddressSpace::WorkGroup);
        assert!(bytes <= MAX_WORKGROUP_BYTES, "{name}: {bytes} bytes of workgroup memory");
        let storage = bindings(&module).len() - 1;
        let is_normed = name.contains("LayerNorm");
        let most = if is_normed { MAX_STORAGE_BUFFERS_NORMED } else { MAX_STORAGE_BUFFERS };
        assert!(storage <= most, "{name}: {storage} storage buffers");
    }
}

#[test]
fn workgroup_memory_is_counted() {
    let modules = modules();
    let (_, module) = modules.iter().find(|(name, _)| name.contains("(Tile, None")).unwrap();
    // 32 rows of 5 quads, and 16 of 9.
    assert_eq!(bytes_in(module, AddressSpace::WorkGroup), (32 * 5 + 16 * 9) * 16);
}

/// `Params` first, then what the op reads, under the words of its listing, then what it writes.
#[test]
fn every_shader_binds_its_ops_operands_in_order() {
    let sources = sources();
    let cases = op_cases::all();
    for name in Op::NAMES {
        let uses = cases.iter().map(op_cases::Case::op).filter(|op| op.name() == name);
        let op = uses.max_by_key(|op| op.reads().len()).unwrap();
        let mut expected = vec![(Some("params"), AddressSpace::Uniform)];
        for (word, _) in op.reads() {
            expected.push((Some(word), AddressSpace::Storage { access: StorageAccess::LOAD }));
        }
        let access = StorageAccess::LOAD | StorageAccess::STORE;
        let written = op.writes().len();
        expected.extend(vec![(None, AddressSpace::Storage { access }); written]);

        let module = parse(name, &sources[name]);
        let found = bindings(&module);
        assert!(found.keys().copied().eq(0..expected.len() as u32), "{name}");
        for (variable, (word, space)) in found.values().zip(expected) {
            assert_eq!(variable.space, space, "{name}: {:?}", variable.name);
            assert!(word.is_none() || variable.name.as_deref() == word, "{name}: {word:?}");
        }
    }
}

#[test]
fn every_storage_binding_tells_its_shape() {
    for (name, _, source) in relp_gpu::shaders() {
        for line in source.lines().filter(|line| line.contains("var<storage")) {
            assert!(line.contains("; // ["), "{name}: {line}");
        }
    }
}
