//! How long the pages of groups take over a history of many crashes, while crashes arrive and are analysed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::service::{self, Client, Process, Servers};
use super::{Chance, Options};
use crate::process;

/// What issue 6 asks for: 99 of 100 requests of the pages of groups are answered within this.
const P99: Duration = Duration::from_millis(50);
/// Crashes on each database, as issue 6 has them.
const CRASHES: [(Kind, u32); 2] = [(Kind::Sqlite, 200_000), (Kind::Postgres, 1_000_000)];
/// Who looks at pages at the same time, and how long they look at one, in milliseconds.
const CLIENTS: u64 = 8;
const LOOKS: std::ops::Range<u64> = 500..1500;
/// Between two crashes that arrive.
const ARRIVES: Duration = Duration::from_millis(500);
/// Requests before what takes long only once is over.
const WARM: Duration = Duration::from_secs(5);

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

/// Times of requests by what was asked.
type Times = BTreeMap<&'static str, Vec<Duration>>;

/// Measures on both databases.
pub(super) fn run(options: &Options, panicle: &Path) -> Result<()> {
    let mut slow = Vec::new();
    for (kind, crashes) in CRASHES {
        if options.database.is_some_and(|only| only != kind) {
            continue;
        }
        let crashes = options.crashes.unwrap_or(crashes);
        let mut servers = (kind == Kind::Postgres).then(Servers::start).transpose()?;
        let url = history(servers.as_mut(), crashes, options.groups)?;
        let times = measure(options, panicle, &url)?;
        println!("{crashes} crashes in {} groups, {kind:?}", options.groups);
        if !show(options, kind, &times)? {
            slow.push(kind);
        }
    }
    ensure!(slow.is_empty(), "pages of groups took more than {P99:?} on {slow:?}");
    Ok(())
}

/// The URL of a database with such a history, which is made if there is none.
fn history(servers: Option<&mut Servers>, crashes: u32, groups: u32) -> Result<String> {
    let name = format!("history_{crashes}_{groups}");
    if let Some(servers) = servers {
        let (url, made) = servers.database(&name)?;
        if made && let Err(error) = fill(&url, crashes, groups) {
            servers.remove(&name)?;
            return Err(error);
        }
        return Ok(url);
    }
    let file = service::folder()?.join(format!("{name}.db"));
    if !file.exists() {
        let part = file.with_extension("part");
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", part.display()));
        }
        fill(&format!("sqlite:{}", part.display()), crashes, groups)?;
        std::fs::rename(&part, &file)?;
    }
    Ok(format!("sqlite:{}", file.display()))
}

fn fill(url: &str, crashes: u32, groups: u32) -> Result<()> {
    let build = ["build", "--quiet", "--release", "--package", "panicle-store", "--example", "history"];
    process::run(process::cargo().args(build))?;
    let mut command = Command::new(service::example("history")?);
    process::run(command.arg(url).arg(crashes.to_string()).arg(groups.to_string()))
}

fn measure(options: &Options, panicle: &Path, url: &str) -> Result<Times> {
    let folder = tempfile::tempdir()?;
    let address = service::free_address()?;
    let data = folder.path().join("data");
    let arguments = ["serve", "--database", url, "--listen", &address, "--workers", "1", "--data"];
    let arguments = arguments.iter().map(std::ffi::OsStr::new).chain([data.as_os_str()]);
    let mut server = Process::start(panicle, arguments, &[], &folder.path().join("log"))?;
    let client = Client::new(&address);
    server.ready(&client)?;
    let groups = groups(&client)?;
    let times = Mutex::new(Times::new());
    let (started, whole) = (Instant::now(), WARM + Duration::from_secs(options.seconds));
    let result = std::thread::scope(|scope| {
        let arriving = scope.spawn(|| arrive(&address, started, whole));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn({
                    let (address, groups, times) = (&address, &groups, &times);
                    move || {
                        let mut visitor = Visitor {
                            client: Client::new(address),
                            groups,
                            times,
                            warm: false,
                            searches: !options.no_searches,
                            chance: Chance(number),
                        };
                        while started.elapsed() < whole {
                            visitor.warm = started.elapsed() > WARM;
                            visitor.visit()?;
                            let looks = LOOKS.start + visitor.chance.below(LOOKS.end - LOOKS.start);
                            std::thread::sleep(Duration::from_millis(looks));
                        }
                        Ok::<_, anyhow::Error>(())
                    }
                })
            })
            .collect();
        for client in clients {
            client.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        arriving.join().map_err(|_| anyhow::anyhow!("what sends crashes panicked"))?
    });
    if result.is_err() {
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        let slow = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR"));
        eprintln!(
            "{}",
            slow.map(|line| line.chars().take(200).collect::<String>() + "\n").collect::<String>()
        );
    }
    let arrived = result?;
    println!("{arrived} crashes arrived meanwhile");
    times.into_inner().map_err(|_| anyhow::anyhow!("a client panicked"))
}

/// Groups that people look at: the largest, the newest, and some from anywhere.
fn groups(client: &Client) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in [
        "sort=count&limit=50",
        "sort=last_seen&limit=100",
        "sort=first_seen&limit=50",
        "class=deadlock&limit=100",
    ] {
        let page = client.json(&format!("/api/v1/groups?{path}"))?;
        let items = page["items"].as_array().context("no groups")?;
        found.extend(items.iter().filter_map(|group| group["id"].as_str().map(str::to_owned)));
    }
    ensure!(!found.is_empty(), "there are no groups");
    Ok(found)
}

/// Sends texts of crashes; how many.
fn arrive(address: &str, started: Instant, whole: Duration) -> Result<u32> {
    let client = Client::new(address);
    let mut sent = 0;
    while started.elapsed() < whole {
        let id = uniquely(sent);
        let text = format!(
            "panic: request {id} failed\n\ngoroutine {} [running]:\nexample.com/shop/pkg{}.(*T).Handle(0xc000012345)\n\t\
             /src/handle.go:{} +0x1d\nmain.main()\n\t/src/main.go:12 +0x85\nexit status 2\n",
            sent + 7,
            sent % 40,
            sent % 40 + 10
        );
        let text = client.put("text", text.as_bytes())?;
        let body = json!({
            "texts": [text],
            "service": format!("service-{}", sent % 60),
            "hostname": format!("host-{}", sent % 300),
        });
        client.post("/api/v1/crashes", &body)?;
        sent += 1;
        std::thread::sleep(ARRIVES);
    }
    Ok(sent)
}

/// A number that no run before had.
fn uniquely(number: u32) -> u64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default() * 1000 + u64::from(number % 1000)
}

/// Somebody who looks at pages.
struct Visitor<'a> {
    client: Client,
    groups: &'a [String],
    times: &'a Mutex<Times>,
    warm: bool,
    searches: bool,
    chance: Chance,
}

impl Visitor<'_> {
    /// Opens a page, and asks what the web UI asks for it (web/src/api/queries.ts).
    fn visit(&mut self) -> Result<()> {
        match self.chance.below(100) {
            0..25 => self.list()?,
            25..40 => self.filtered()?,
            40..88 => self.group()?,
            _ if self.searches => self.search()?,
            _ => self.group()?,
        }
        self.ask("stats", "/api/v1/stats").map(drop)
    }

    fn list(&mut self) -> Result<()> {
        let sort = ["last_seen", "last_seen", "count", "first_seen"][self.chance.below(4) as usize];
        let mut path = format!("/api/v1/groups?limit=50&sort={sort}");
        for _ in 0..=self.chance.below(3) {
            let page = self.ask("groups, sorted", &path)?;
            let Some(next) = page["next_cursor"].as_str() else { break };
            path = format!("/api/v1/groups?limit=50&sort={sort}&cursor={}", escaped(next));
        }
        Ok(())
    }

    fn filtered(&mut self) -> Result<()> {
        let service = self.chance.below(60);
        let filters = [
            format!("service=service-{service}"),
            "class=nil-map-write".to_owned(),
            "state=ongoing".to_owned(),
            format!("state=new&class=deadlock&service=service-{service}"),
            format!("owner=team-{}&sort=count", service % 12),
            format!("version=v1.{}.2", service % 12),
        ];
        let filter = &filters[self.chance.below(filters.len() as u64) as usize];
        self.ask("groups, filtered", &format!("/api/v1/groups?limit=50&{filter}")).map(drop)
    }

    fn group(&mut self) -> Result<()> {
        // The first ones are looked at most.
        let count = self.groups.len() as u64;
        let at = self.chance.below(count).min(self.chance.below(count));
        let id = self.groups[at as usize].clone();
        let id = id.as_str();
        let span = ["step=hour&steps=24", "step=hour&steps=168", "step=day&steps=30"];
        let span = span[self.chance.below(3) as usize];
        self.ask("a group", &format!("/api/v1/groups/{id}"))?;
        self.ask("its trend", &format!("/api/v1/groups/{id}/trend?{span}"))?;
        let page = self.ask("its crashes", &format!("/api/v1/crashes?group={id}&limit=50"))?;
        if let Some(next) = page["next_cursor"].as_str() {
            self.ask(
                "its crashes",
                &format!("/api/v1/crashes?group={id}&limit=50&cursor={}", escaped(next)),
            )?;
        }
        self.ask("its history", &format!("/api/v1/groups/{id}/history?limit=20")).map(drop)
    }

    fn search(&mut self) -> Result<()> {
        let (number, other) = (self.chance.below(60), self.chance.below(97));
        let queries = [
            format!("service:service-{number}"),
            "class:deadlock".to_owned(),
            format!("class:nil-map-write service:service-{number}"),
            format!("host:host-{}.example.com", number * 40 + 41),
            format!("frame:*pkg{other}.*"),
            format!("pkg{other}"),
            "since:24h".to_owned(),
            format!("version:v1.{}.2 state:new", number % 12),
            "-os:linux".to_owned(),
            "goroutines:>900".to_owned(),
        ];
        let at = self.chance.below(queries.len() as u64) as usize;
        let query = escaped(&queries[at]);
        let what = [
            "search service:",
            "search class:",
            "search class: service:",
            "search host:",
            "search frame:*",
            "search a word",
            "search since:24h",
            "search version: state:",
            "search -os:linux",
            "search goroutines:>",
        ][at];
        self.ask(what, &format!("/api/v1/groups?limit=50&q={query}")).map(drop)
    }

    /// Asks, and notes how long the whole answer took.
    fn ask(&mut self, what: &'static str, path: &str) -> Result<Value> {
        let started = Instant::now();
        let (status, text) = self.client.get(path)?;
        let took = started.elapsed();
        ensure!(status == 200, "{path}: {status}: {text}");
        if self.warm {
            let mut times = self.times.lock().map_err(|_| anyhow::anyhow!("a client panicked"))?;
            times.entry(what).or_default().push(took);
        }
        Ok(serde_json::from_str(&text)?)
    }
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Prints a table; whether the pages of groups were fast enough.
fn show(options: &Options, kind: Kind, times: &Times) -> Result<bool> {
    let mut pages: Vec<Duration> = Vec::new();
    let mut rows: Vec<(&str, Vec<Duration>)> = Vec::new();
    for (what, taken) in times {
        if !what.starts_with("search") {
            pages.extend(taken);
        }
        rows.push((what, taken.clone()));
    }
    rows.push(("all but searches", pages));
    let mut fast = true;
    println!("{:<24} {:>8} {:>9} {:>9} {:>9}", "", "requests", "p50", "p99", "max");
    for (what, mut taken) in rows {
        taken.sort();
        let part = |part: usize| taken.get((taken.len() * part / 100).min(taken.len().saturating_sub(1)));
        let at = |duration: Option<&Duration>| duration.map_or(0.0, |duration| duration.as_secs_f64() * 1e3);
        let (half, most, max) = (at(part(50)), at(part(99)), at(taken.last()));
        println!("{what:<24} {:>8} {half:>6.1} ms {most:>6.1} ms {max:>6.1} ms", taken.len());
        if options.json {
            let line = json!({"database": format!("{kind:?}"), "asked": what, "requests": taken.len(),
                "p50_ms": half, "p99_ms": most, "max_ms": max});
            println!("{}", serde_json::to_string(&line)?);
        }
        if what == "all but searches" {
            fast = Duration::from_secs_f64(most / 1e3) < P99;
        }
    }
    Ok(fast)
}
