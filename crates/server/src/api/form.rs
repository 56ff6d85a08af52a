//! Uploads by a form of a browser.

use std::{collections::BTreeMap, io};

use axum::{
    Json,
    body::HttpBody as _,
    extract::{
        DefaultBodyLimit, FromRequest as _, Multipart, Request, State,
        multipart::{Field, MultipartError},
    },
};
use futures_util::TryStreamExt;
use http::StatusCode;
use panicle_blobs::{Digest, Reservation};
use panicle_store::EvidenceKind;
use serde::Serialize;
use tokio_util::io::StreamReader;
use utoipa::ToSchema;

use super::crashes;
use crate::{
    AppState, Problem,
    access::{ProjectQuery, Target},
    shapes::{Crash, Evidence, NewCrash},
    upload::{self, Announced},
};

/// A field that is no file has no more than this.
const MAX_FIELD_BYTES: usize = 64 << 10;
/// Fields and files of one form.
const MAX_FIELDS: usize = 1000;

/// A form. Fields that are said to be about files stand before them.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is there for the document")]
pub(crate) struct UploadForm {
    /// Files, any number of them, under any name.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<String>,
    /// What the files after it are: a kind of evidence; `auto`, as without it: their first bytes tell.
    kind: Option<String>,
    /// SHA-256 that the next file has to have, in hexadecimal.
    sha256: Option<String>,
    /// `true`: what was sent is a crash. So it is, too, when anything is said about one.
    crash: Option<String>,
    /// The service that crashed.
    service: Option<String>,
    /// The host it ran on.
    hostname: Option<String>,
    /// Number of the process.
    pid: Option<String>,
    /// When it happened, RFC 3339.
    occurred_at: Option<String>,
    /// Version of the program.
    version: Option<String>,
    /// Labels of the crash: a JSON object of texts.
    labels: Option<String>,
    /// One label, `KEY=VALUE`; may be there several times.
    label: Option<String>,
}

/// What a form became.
#[derive(Serialize, ToSchema)]
pub(crate) struct Taken {
    /// The files, in their order.
    evidence: Vec<Evidence>,
    /// One for each core; without a core one for everything that is no executable.
    crashes: Vec<Crash>,
}

/// Store the files of a form, and make a crash of them.
///
/// Files stream; any size, any number. A file is stored when it has come whole, whatever becomes of those behind it.
/// Each core is a crash, with all other files of the form; without a core they are one crash together.
#[utoipa::path(post, operation_id = "uploadForm", path = "/uploads/form", tag = "evidence", params(ProjectQuery),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = Taken, description = "Something of it is new"),
        (status = 200, body = Taken, description = "All of it was there already"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(
    State(state): State<AppState>,
    project: Result<Target, Problem>,
    mut request: Request,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    let Target(project) = match project {
        Ok(project) => project,
        Err(problem) => {
            upload::discard(request.into_body()).await;
            return Err(problem);
        }
    };
    let room = match upload::reserve(&state, request.body().size_hint().exact()).await {
        Ok(room) => room,
        Err(problem) => {
            upload::discard(request.into_body()).await;
            return Err(problem);
        }
    };
    // Files go to the disk as they come, within the limits for evidence.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut multipart = Multipart::from_request(request, &()).await.map_err(|rejection| {
        let detail = format!("send a form as multipart/form-data: {}", rejection.body_text());
        let title = "The body is no form";
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", title, detail)
    })?;
    let mut form = Form { project: project.clone(), room: Some(room), ..Form::default() };
    if let Err(problem) = form.take(&state, &mut multipart).await {
        drain(&mut multipart).await;
        return Err(problem);
    }
    let mut new = form.new;
    let mut made = Vec::new();
    if form.wanted.unwrap_or(form.said) {
        for crash in form.crashes() {
            let (crash, is_new) = crashes::make(&state, project.clone(), crash, None).await?;
            new |= is_new;
            made.push(crash);
        }
    }
    let mut evidence = Vec::new();
    for (id, kind) in &form.files {
        evidence.push(Evidence { kind: *kind, ..state.store.evidence_in(&project, id).await?.into() });
    }
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Taken { evidence, crashes: made })))
}

#[derive(Default)]
struct Form {
    project: String,
    /// Kept on the disk for what has not come.
    room: Option<Reservation>,
    files: Vec<(String, EvidenceKind)>,
    new: bool,
    /// For the files that come.
    kind: Option<EvidenceKind>,
    sha256: Option<Digest>,
    facts: NewCrash,
    /// Something was said about a crash.
    said: bool,
    /// Whether a crash is wanted, where that was said.
    wanted: Option<bool>,
}

impl Form {
    async fn take(&mut self, state: &AppState, multipart: &mut Multipart) -> Result<(), Problem> {
        for taken in 0.. {
            let Some(field) = in_time(multipart.next_field()).await? else {
                let none = self.files.is_empty().then(|| Problem::bad_request("the form has no file"));
                return none.map_or(Ok(()), Err);
            };
            if taken == MAX_FIELDS {
                break;
            }
            match field.file_name().map(str::to_owned) {
                Some(name) => self.file(state, &name, field).await?,
                None => self.field(field).await?,
            }
        }
        Err(Problem::bad_request(format!("a form has at most {MAX_FIELDS} fields and files")))
    }

    async fn file(&mut self, state: &AppState, name: &str, mut field: Field<'_>) -> Result<(), Problem> {
        if name.is_empty() {
            // What a browser sends where no file was chosen.
            while let Some(piece) = in_time(field.chunk()).await? {
                if !piece.is_empty() {
                    return Err(Problem::bad_request("a file of the form has no name"));
                }
            }
            return Ok(());
        }
        let announced = Announced {
            project: &self.project,
            kind: self.kind,
            name: Some(name),
            sha256: self.sha256.take(),
            // Room is kept for the form as a whole.
            size: None,
        };
        let mut reader = Box::pin(StreamReader::new(field.map_err(io::Error::other)));
        let received = upload::take(state, &announced, &mut reader).await;
        let received = received.map_err(|problem| problem.about(name))?;
        if let Some(room) = &mut self.room {
            room.came(received.size_bytes);
        }
        self.new |= received.new;
        self.files.push((received.id, received.kind));
        Ok(())
    }

    async fn field(&mut self, mut field: Field<'_>) -> Result<(), Problem> {
        let name = field.name().unwrap_or_default().to_owned();
        let mut value = Vec::new();
        while let Some(piece) = in_time(field.chunk()).await? {
            value.extend_from_slice(&piece);
            if value.len() > MAX_FIELD_BYTES {
                return Err(Problem::bad_request(format!("{name} has more than {MAX_FIELD_BYTES} bytes")));
            }
        }
        let value = String::from_utf8(value).ok().filter(|value| !value.contains('\0'));
        let value = value.ok_or_else(|| Problem::bad_request(format!("{name} is no text")))?;
        // Forms send all their fields, also those that nobody filled in.
        let value = value.trim();
        if value.is_empty() {
            return Ok(());
        }
        self.say(&name, value)
    }

    fn say(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let bad = |detail: &str| Problem::bad_request(format!("{name}: {detail}"));
        match name {
            "kind" => {
                let kind = || value.parse().map_err(|_| bad(&format!("there is no kind {value:?}")));
                self.kind = if value == "auto" { None } else { Some(kind()?) };
                return Ok(());
            }
            "sha256" => {
                self.sha256 = Some(value.parse().map_err(|_| bad("it has to be 64 hexadecimal digits"))?);
                return Ok(());
            }
            "crash" => {
                self.wanted = Some(match value {
                    "true" | "on" | "1" => true,
                    "false" | "off" | "0" => false,
                    _ => return Err(bad("it is true or false")),
                });
                return Ok(());
            }
            "service" => self.facts.service = Some(value.to_owned()),
            "hostname" => self.facts.hostname = Some(value.to_owned()),
            "version" => self.facts.version = Some(value.to_owned()),
            "pid" => self.facts.pid = Some(value.parse().map_err(|_| bad("it is a number"))?),
            "occurred_at" => {
                self.facts.occurred_at = Some(value.parse().map_err(|_| bad("it is no time of RFC 3339"))?);
            }
            "labels" => {
                let labels: BTreeMap<String, String> =
                    serde_json::from_str(value).map_err(|_| bad("it is no JSON object of texts"))?;
                self.facts.labels.extend(labels);
            }
            "label" => {
                let (key, value) = value.split_once('=').ok_or_else(|| bad("it is written KEY=VALUE"))?;
                self.facts.labels.insert(key.to_owned(), value.to_owned());
            }
            _ => return Err(Problem::bad_request(format!("a form has no field {name:?}"))),
        }
        self.said = true;
        Ok(())
    }

    /// Which files belong to which crash.
    fn crashes(&self) -> Vec<NewCrash> {
        let mut along = self.facts.clone();
        let mut cores = Vec::new();
        for (id, kind) in &self.files {
            let ids = match kind {
                EvidenceKind::Core => &mut cores,
                EvidenceKind::Binary => &mut along.binaries,
                EvidenceKind::Text => &mut along.texts,
                EvidenceKind::Trace => &mut along.traces,
                EvidenceKind::Profile => &mut along.profiles,
                EvidenceKind::Race => &mut along.races,
            };
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        if cores.is_empty() {
            return vec![along];
        }
        cores.into_iter().map(|core| NewCrash { core: Some(core), ..along.clone() }).collect()
    }
}

/// What comes of waiting for a form, which may stop in the middle.
async fn in_time<T>(coming: impl Future<Output = Result<T, MultipartError>>) -> Result<T, Problem> {
    let title = "The upload broke off";
    match tokio::time::timeout(upload::IDLE_TIME, coming).await {
        Ok(Ok(came)) => Ok(came),
        Ok(Err(error)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "body-incomplete",
            title,
            format!("the form could not be read to its end: {}", error.body_text()),
        )),
        Err(_) => {
            let detail = format!("nothing came for {} seconds", upload::IDLE_TIME.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-idle", title, detail))
        }
    }
}

/// Takes a little more of a form that was refused: browsers send all before they read the answer.
async fn drain(multipart: &mut Multipart) {
    let draining = async {
        let mut left = upload::DRAIN_BYTES;
        while let Ok(Some(mut field)) = multipart.next_field().await {
            while let Ok(Some(piece)) = field.chunk().await {
                left = left.saturating_sub(piece.len() as u64);
                if left == 0 {
                    return;
                }
            }
        }
    };
    let _ = tokio::time::timeout(upload::DRAIN_TIME, draining).await;
}
