use std::borrow::Cow;
use std::path::PathBuf;

use object::{Object as _, ObjectSection as _};

use super::{DwarfIndex, TypeKind};

const VERSIONS: [&str; 7] = ["1.21.13", "1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3"];

fn probe(version: &str) -> Vec<u8> {
    let path = PathBuf::from("/tmp/dwarf-work/out").join(version).join("prog");
    std::fs::read(path).unwrap()
}

fn index(bytes: &[u8]) -> DwarfIndex<'_> {
    let file = object::File::parse(bytes).unwrap();
    let (index, diagnostics) = DwarfIndex::load(|name| {
        let section = file.section_by_name(name)?;
        Some(Cow::Owned(section.uncompressed_data().unwrap().into_owned()))
    })
    .unwrap();
    assert_eq!(diagnostics, []);
    index.unwrap()
}

#[test]
fn lays_out_the_runtime() {
    for version in VERSIONS {
        let bytes = probe(version);
        let start = std::time::Instant::now();
        let index = index(&bytes);
        println!("{version} loaded in {:?}", start.elapsed());
        let g = index.struct_layout("runtime.g").unwrap();
        let goid = g.field("goid").unwrap();
        println!("g.goid {} {} size {}", goid.offset, goid.size, g.size);
        for name in ["runtime.m", "runtime.moduledata", "internal/abi.Type", "runtime._type", "runtime._panic", "runtime.hmap", "internal/runtime/maps.Map", "runtime.hchan", "runtime.itab", "internal/abi.ITab"] {
            println!("{name} {:?}", index.struct_layout(name).map(|l| (l.size, l.fields.len())));
        }
        println!("allgs {:?} {:?}", index.variable("runtime.allgs"), index.variable("runtime.allgs").map(|v| index.ty(v.type_id)));
        println!("_Gwaiting {:?}", index.constant("runtime._Gwaiting"));
        println!("{:?}", index.variables().count());
        let t = index.type_named("main.User").unwrap();
        let t = index.ty(t);
        let TypeKind::Struct { fields } = &t.kind else { panic!() };
        for field in fields {
            println!("  {} {} {:?}", field.name, field.offset, index.ty(field.type_id));
        }
        println!("{:?}", t.runtime_type.and_then(|o| index.type_by_runtime_offset(o)).map(|t| index.ty(t).name.clone()));
    }
}
