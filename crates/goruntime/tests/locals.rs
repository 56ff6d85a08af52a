//! Variables of frames, all the way from the core: unwound, looked up and read by the product itself.

#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping")]

use panicle_binary::Executable;
use panicle_fixtures::Arch;
use panicle_goruntime::{Options, reconstruct};
use panicle_image::Core;
use panicle_report::{Frame, Goroutine};

const VERSIONS: [&str; 8] = ["1.19", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"];

fn goroutines(version: &str, arch: Arch) -> Vec<Goroutine> {
    let fixture = panicle_fixtures::get_variant("values", version, arch, "default");
    let core = std::fs::read(&fixture.core).unwrap();
    let binary = std::fs::read(&fixture.binary).unwrap();
    let (core, _) = Core::parse(&core).unwrap();
    let (executable, _) = Executable::parse(&binary).unwrap();
    reconstruct(&core, &executable, &Options::default()).0.goroutines
}

/// The variables of the first frame of `function`, as `name type = value`.
fn locals(goroutines: &[Goroutine], function: &str) -> Vec<String> {
    let mut frames = goroutines.iter().flat_map(|goroutine| &goroutine.frames);
    let frame: &Frame = frames.find(|frame| frame.function == function).unwrap();
    let shown = frame.locals.iter().map(|local| {
        format!("{} {} = {}", local.name, local.type_name, local.value.as_deref().unwrap_or("-"))
    });
    shown.collect()
}

#[test]
fn arguments_are_found_in_their_spill_slots() {
    for (version, arch) in VERSIONS.into_iter().flat_map(|version| Arch::ALL.map(|arch| (version, arch))) {
        let found = goroutines(version, arch);
        assert_eq!(
            locals(&found, "main.structArg"),
            [
                r#"it store.Item = store.Item{Key: "arg", Val: []uint8 len=5 "bytes"}"#,
                "arr [2]int32 = [2]int32{-1, 2}",
                r#"p store.Pair[string,int] = store.Pair[string,int]{Key: "pk", Val: 9}"#,
            ],
            "Go {version} {arch:?}"
        );
        assert!(
            locals(&found, "main.inlined").contains(&r#"s string = "inl""#.to_owned()),
            "Go {version} {arch:?}"
        );
        assert!(locals(&found, "main.outer").contains(&"x int = 10".to_owned()), "Go {version} {arch:?}");
        let work = locals(&found, "main.work");
        for wanted in
            ["nums []int = []int len=3 [1, 2, 3]", "e error = *main.codeError(nil)", "escaped int = 200"]
        {
            assert!(
                work.iter().any(|local| local == wanted),
                "Go {version} {arch:?}: no {wanted} in {work:#?}"
            );
        }
    }
}
