use std::{
    fs::{self, File, Permissions},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// `nobody`: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;

/// Runs the server, and ends it and its data a while after the last who uses it: each holds `users`
/// shared, and nobody gets it while the server is being ended.
const KEEPER: &str = "\
    exec 9<\"$1/users\"
    postgres -D \"$1/data\" -k \"$1\" -c listen_addresses= -c fsync=off -c max_connections=400 9<&- &
    while sleep 5; do
        if flock -x -n 9; then break; fi
        kill -0 $! || exit
    done
    kill -INT $!
    wait $!
    rm -rf \"$1/data\"";

/// The folder of the server's programs: on the path, or where Debian puts them.
fn programs() -> &'static str {
    static PROGRAMS: OnceLock<String> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let debian =
            versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists());
        let found = on_path
            .or_else(|| debian.max())
            .expect("PostgreSQL has to be installed (apt-get install postgresql)");
        found.to_str().unwrap().to_owned()
    })
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", format!("{}:{}", programs(), std::env::var("PATH").unwrap()));
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn psql(sockets: &Path, statement: &str) -> bool {
    let mut psql = Command::new("psql");
    psql.args(["-q", "-U", "panicle", "-d", "postgres", "-c", statement, "-h"]).arg(sockets);
    psql.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    psql.status().expect("psql has to be on the path").success()
}

/// The folder with the socket of a server that all test programs of this user share.
fn server() -> &'static Path {
    static SERVER: OnceLock<PathBuf> = OnceLock::new();
    SERVER.get_or_init(|| {
        let user = rustix::process::geteuid().as_raw();
        let directory = std::env::temp_dir().join(format!("panicle-postgres-{user}"));
        fs::create_dir_all(&directory).unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(0o777)).unwrap();
        let open = |name: &str| {
            let path = directory.join(name);
            let file =
                File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            file
        };
        let users = open("users");
        users.lock_shared().unwrap();
        // For as long as this program runs.
        std::mem::forget(users);
        let starting = open("starting");
        starting.lock().unwrap();
        if !psql(&directory, "select 1") {
            start(&directory);
        }
        directory
    })
}

fn start(directory: &Path) {
    let data = directory.join("data");
    let _ = fs::remove_dir_all(&data);
    make_data(&data);
    // In a session of its own, since it outlives the test that starts it.
    let mut keeper = command("setsid");
    keeper.args(["--fork", "sh", "-c", KEEPER, "sh"]).arg(directory);
    assert!(keeper.status().expect("setsid has to be on the path").success());
    wait_for(directory);
}

/// Makes the folder of a server, for a user `panicle` who needs no password.
fn make_data(data: &Path) {
    let made = command("initdb").args(["-A", "trust", "-U", "panicle", "--no-sync", "-D"]).arg(data).status();
    assert!(made.expect("initdb has to be on the path").success(), "initdb failed");
}

/// Waits until the server of this folder answers.
fn wait_for(sockets: &Path) {
    for _ in 0..300 {
        if psql(sockets, "select 1") {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("postgres does not answer");
}

fn url_of(sockets: &Path, name: &str) -> String {
    let host = sockets.to_str().unwrap().replace('/', "%2F");
    format!("postgres://panicle@{host}/{name}")
}

/// The URL of a new, empty database. Its server starts with the first and ends by itself.
///
/// # Panics
///
/// When PostgreSQL's programs are not on the path, or do not do it.
pub fn database() -> String {
    let server = server();
    let name = format!("t{}", uuid::Uuid::new_v4().simple());
    assert!(psql(server, &format!("create database {name}")), "no database could be made");
    url_of(server, &name)
}

/// A PostgreSQL server of one's own, to be stopped and started again. It ends, and its data with it, when this is
/// dropped.
pub struct PostgresServer {
    directory: TempDir,
    running: Option<Child>,
}

impl PostgresServer {
    /// Starts one with an empty database.
    ///
    /// # Panics
    ///
    /// When PostgreSQL's programs are not on the path, or do not do it.
    #[expect(clippy::new_without_default, reason = "it starts a server")]
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("panicle-postgres-").tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
        make_data(&directory.path().join("data"));
        let mut server = Self { directory, running: None };
        server.start();
        server
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        url_of(self.directory.path(), "postgres")
    }

    /// Ends it at once, without a word to those who are connected, as a loss of power would.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.running.take() {
            // SIGQUIT: its own processes are killed, too; SIGKILL would leave them.
            let pid = rustix::process::Pid::from_child(&process);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
            let _ = process.wait();
        }
    }

    /// Starts it again with what it had.
    ///
    /// # Panics
    ///
    /// When it does not answer after that.
    pub fn start(&mut self) {
        if self.running.is_none() {
            let folder = self.directory.path();
            let mut postgres = command("postgres");
            postgres.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
            postgres.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"]);
            self.running = Some(postgres.spawn().unwrap());
            wait_for(folder);
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the database at `url` answers to a query of one value.
///
/// # Panics
///
/// When it does not.
pub fn ask(url: &str, query: &str) -> String {
    let output = Command::new("psql").args(["-Atq", "-c", query]).arg(url).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A PostgreSQL server of its own whose data stay, for measurements: what was written survives a power cut, as it does
/// in service. It ends when this is dropped.
pub struct LastingServer {
    folder: PathBuf,
    process: Child,
}

impl LastingServer {
    /// Starts one on the data in this folder, which it makes if there are none. Others have to be able to reach the folder
    /// when this is root, since PostgreSQL refuses to run as root.
    ///
    /// # Panics
    ///
    /// When it cannot be started, and when there is one on these data already.
    pub fn start(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
        assert!(!psql(folder, "select 1"), "there is a server in {} already", folder.display());
        let data = folder.join("data");
        if !data.exists() {
            make_data(&data);
        }
        let mut server = command("postgres");
        server.arg("-D").arg(&data).arg("-k").arg(folder);
        for setting in ["listen_addresses=", "max_connections=200", "shared_buffers=1GB", "max_wal_size=4GB"]
        {
            server.args(["-c", setting]);
        }
        let server = Self { folder: folder.to_owned(), process: server.spawn().unwrap() };
        wait_for(folder);
        server
    }

    /// The URL of a database of this name, and whether it was made just now.
    ///
    /// # Panics
    ///
    /// When it is not there and cannot be made.
    pub fn database(&self, name: &str) -> (String, bool) {
        let known = format!("select count(*) from pg_database where datname = '{name}'");
        let made = ask(&url_of(&self.folder, "postgres"), &known) == "0";
        if made {
            assert!(psql(&self.folder, &format!("create database {name}")), "no database could be made");
        }
        (url_of(&self.folder, name), made)
    }

    /// Removes a database.
    ///
    /// # Panics
    ///
    /// When it is in use.
    pub fn remove(&self, name: &str) {
        assert!(psql(&self.folder, &format!("drop database if exists {name}")), "{name} is in use");
    }
}

impl Drop for LastingServer {
    fn drop(&mut self) {
        // SIGINT: without waiting for whoever is connected.
        let pid = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let _ = self.process.wait();
    }
}
