//! What happened in a history: few bugs of many crashes and many of few, in services that release every week and run
//! on hosts or in pods.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use panicle_query::Facts;
use panicle_report::{BuildIds, Signature, SignatureStep};
use sha2::{Digest as _, Sha256};

use crate::{Analysed, CrashOutcome, EvidenceKind, NewBlob, NewCrash, NewEvidence, Part, ReportPart};

const CLASSES: [&str; 8] = [
    "nil-dereference",
    "error-panic",
    "index-out-of-range",
    "nil-map-write",
    "concurrent-map-write",
    "deadlock",
    "goroutine-leak",
    "out-of-memory",
];
const SERVICES: u64 = 60;
/// Fixed hosts of a service that has them, and pods of another one at a time.
const HOSTS: u64 = 40;
const PODS: u64 = 20;
const FRAMES: u64 = 6;
/// Of so many crashes, one came with its core.
const CORES: u32 = 4;
const DAYS: i64 = 90;
const DAY_MICROS: i64 = 86_400_000_000;

/// Which history. The same numbers are the same history.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many crashes, at even distances over 90 days.
    pub crashes: u32,
    /// Of how many bugs, at most as many as crashes.
    pub groups: u32,
    /// When the last one happened.
    pub until: Timestamp,
}

/// One crash: what was reported, and what its analysis came to.
#[derive(Clone, Debug)]
pub struct Planned {
    /// When it happened.
    pub seen_at: Timestamp,
    /// What was reported.
    pub new: NewCrash,
    /// Its evidence.
    pub blobs: Vec<NewBlob>,
    /// What the analysis came to.
    pub outcome: CrashOutcome,
}

/// A number that looks like chance and is the same each time.
fn chance(seed: u64, what: u64) -> u64 {
    // The finalizer of SplitMix64.
    let mut z =
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(what.wrapping_mul(0xbf58_476d_1ce4_e5b9));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// An identifier of this time, in microseconds.
pub(super) fn id(micros: i64, seed: u64) -> String {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&chance(seed, 1).to_be_bytes());
    random[8..].copy_from_slice(&chance(seed, 2).to_be_bytes()[..2]);
    let millis = u64::try_from(micros / 1000).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
}

/// The fingerprint of a bug.
pub(super) fn fingerprint(group: u64) -> String {
    digest(&format!("group {group}"))[..32].to_owned()
}

impl Plan {
    /// The bug of a crash. Half of all crashes are of few bugs, as in every service; and each bug has one.
    fn group(&self, n: u32) -> u32 {
        let each = (self.crashes / self.groups.max(1)).max(1);
        if n.is_multiple_of(each) && n / each < self.groups {
            return n / each;
        }
        let part = (chance(u64::from(n), 3) >> 11) as f64 / (1_u64 << 53) as f64;
        (f64::from(self.groups).powf(part) as u32).saturating_sub(1).min(self.groups.saturating_sub(1))
    }

    /// The crash of this number, from 0, the oldest first.
    pub fn crash(&self, n: u32) -> Planned {
        let group = u64::from(self.group(n));
        let seed = u64::from(n);
        let ago = DAYS * DAY_MICROS / i64::from(self.crashes.max(1)) * i64::from(self.crashes - n);
        let seen = self.until.as_microsecond() - ago;
        let seen_at = Timestamp::from_microsecond(seen).unwrap_or_default();
        let day = (DAYS - 1 - ago / DAY_MICROS).max(0) as u64;
        // Most bugs are in one service, some in a library that several have.
        let spread = if group % 10 == 0 { 4 } else { 1 };
        let service = (group * 7 + chance(seed, 4) % spread) % SERVICES;
        let name = format!("service-{service}");
        let module = format!("example.com/shop/{name}");
        // Not all of them are at the newest version.
        let week = (day / 7).saturating_sub(u64::from(chance(seed, 5).is_multiple_of(8)));
        let version = format!("v1.{week}.{}", service % 5);
        let go = format!("go1.{}.{}", 24 + (week + service) / 10 % 4, (week + service) % 10);
        let arch = ["amd64", "arm64"][usize::from(service.is_multiple_of(5))];
        let host = if service.is_multiple_of(4) {
            format!("{name}-{}", &digest(&format!("{service} {day} {}", chance(seed, 6) % PODS))[..10])
        } else {
            format!("host-{}.example.com", service * HOSTS + chance(seed, 6) % HOSTS)
        };
        let build = digest(&format!("{name} {version} {go}"))[..40].to_owned();
        let class = CLASSES[(group % CLASSES.len() as u64) as usize];
        let function = |at: u64| {
            format!("{module}/pkg{}.(*T{}).F{}", (group + at) % 97, (group / 7 + at) % 13, group % 50 + at)
        };
        let title = format!("{class} in {}", function(0));
        let message = format!("something about {} went wrong", group % 4000);
        let core = n.is_multiple_of(CORES);

        let kinds = [(EvidenceKind::Text, 9_000, 2_100), (EvidenceKind::Core, 48 << 20, 3 << 20)];
        let blobs: Vec<NewBlob> = kinds[..=usize::from(core)]
            .iter()
            .map(|(kind, size, stored)| NewBlob {
                id: digest(&format!("{} {n}", kind.as_str())),
                kind: *kind,
                name: Some(format!("{name}.{}", kind.as_str())),
                size_bytes: *size,
                stored_bytes: *stored,
            })
            .collect();
        let new = NewCrash {
            evidence: blobs.iter().map(|blob| NewEvidence { id: blob.id.clone(), kind: blob.kind }).collect(),
            service: Some(name),
            hostname: Some(host),
            labels: BTreeMap::from([
                ("env".to_owned(), ["prod", "staging"][usize::from(seed.is_multiple_of(9))].to_owned()),
                ("region".to_owned(), format!("region-{}", chance(seed, 7) % 5)),
            ]),
            occurred_at: Some(seen_at),
            pid: Some((chance(seed, 8) % 30_000 + 2) as i64),
            version: None,
            idempotency_key: None,
            project: None,
        };

        let goroutines = 5 + chance(seed, 9) % 50 * (chance(seed, 10) % 20);
        let frames: Vec<String> = (0..FRAMES).map(function).collect();
        let mut facts = Facts::new()
            .with("class", class)
            .with("title", &title)
            .with("confidence", "certain")
            .with("fingerprint", &fingerprint(group))
            .with("family", &digest(&format!("family {}", group / 3))[..32])
            .with("message", &message)
            .with("arch", arch)
            .with("os", "linux")
            .with("go", &go)
            .with("module", &module)
            .with("version", &version)
            .with("build", &build);
        for frame in &frames {
            facts.add("frame", frame);
        }
        facts.set_number("goroutines", goroutines);
        facts.add_count("goroutines.status", "waiting", goroutines - 3);
        facts.add_count("goroutines.status", "chan receive", goroutines / 2);
        facts.add_count("goroutines.status", "running", 1);
        let explain = frames
            .iter()
            .map(|frame| SignatureStep {
                step: "keep".to_owned(),
                input: frame.clone(),
                output: Some(frame.clone()),
                rule: "a function of the program".to_owned(),
            })
            .collect();
        let outcome = CrashOutcome {
            analysed: Analysed {
                class: class.to_owned(),
                title: format!("{title}: {message}"),
                confidence: "certain".to_owned(),
                go_version: Some(go),
                module: Some(module),
                module_version: Some(version.clone()),
                vcs_revision: Some(digest(&version)[..40].to_owned()),
                pid: None,
                hostname: None,
                occurred_at: None,
                executable: Some(format!("/app/service-{service}")),
                build_ids: BuildIds { gnu: Some(build), ..BuildIds::default() },
                diagnostics: Vec::new(),
            },
            parts: vec![ReportPart { part: Part::Head, seq: 0, body: digest(&message).into_bytes() }],
            facts,
            signature: Some(Signature {
                version: 1,
                fingerprint: fingerprint(group),
                family: digest(&format!("family {}", group / 3))[..32].to_owned(),
                title,
                frames,
                population: Vec::new(),
                explain,
            }),
            matched: Vec::new(),
            waits_for_binary: None,
            wants_debug: None,
            join: None,
        };
        Planned { seen_at, new, blobs, outcome }
    }

    /// A plan that ends two minutes ago: nothing of it is ahead of the clock.
    pub fn until_now(crashes: u32, groups: u32) -> Self {
        Self { crashes, groups, until: super::now() - 2.minutes() }
    }
}
