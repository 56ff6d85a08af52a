//! A PostgreSQL server whose data stay in a folder, and an S3 server with an empty bucket, for `cargo xtask bench`: says in
//! one line of JSON where they are, does what it is asked on standard input (`database NAME`, `remove NAME`), and ends
//! with it.

use std::{io::BufRead, path::PathBuf};

use panicle_backends::{LastingServer, S3Server};

fn main() {
    let folder: PathBuf = std::env::args_os().nth(1).expect("the folder of PostgreSQL's data").into();
    let postgres = LastingServer::start(&folder);
    let s3 = S3Server::new();
    let [access, secret] = s3.environment();
    println!(
        r#"{{"s3":"{}","environment":{{"{}":"{}","{}":"{}"}}}}"#,
        s3.url("bench"),
        access.0,
        access.1,
        secret.0,
        secret.1
    );
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match line.split_once(' ') {
            Some(("database", name)) => {
                let (url, made) = postgres.database(name);
                println!(r#"{{"url":"{url}","made":{made}}}"#);
            }
            Some(("remove", name)) => {
                postgres.remove(name);
                println!("{{}}");
            }
            _ => break,
        }
    }
}
