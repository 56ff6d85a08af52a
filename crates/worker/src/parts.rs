use panicle_report::Report;
use panicle_sandbox::Answer;
use panicle_store::{Part, ReportPart};
use serde::Serialize;

use crate::join::Stacks;

/// zstd's level for reports: they are written once and are small beside the evidence.
const LEVEL: i32 = 3;

/// A report as it comes out of a child, piece by piece.
#[derive(Default)]
pub(crate) struct Pieces {
    pub(crate) head: Option<Box<Report>>,
    /// Without the head, which is still to be added to.
    parts: Vec<ReportPart>,
    chunks: u32,
    goroutines: u64,
    /// What the other half of this crash's evidence would have, too.
    pub(crate) stacks: Stacks,
    ended: bool,
    pub(crate) failed: Option<(String, String)>,
}

impl Pieces {
    pub(crate) fn take(&mut self, answer: Answer) -> Result<(), String> {
        if self.ended {
            return Err("something after the end".to_owned());
        }
        match answer {
            Answer::Head(head) => self.head = Some(head),
            Answer::Rows(rows) => {
                self.goroutines = rows.rows.len() as u64;
                self.parts.push(part(Part::Rows, 0, &rows)?);
            }
            Answer::Goroutines(goroutines) => {
                self.goroutines = self
                    .goroutines
                    .checked_sub(goroutines.len() as u64)
                    .ok_or("more goroutines than rows")?;
                self.stacks.take(&goroutines);
                self.parts.push(part(Part::Goroutines, self.chunks, &goroutines)?);
                self.chunks += 1;
            }
            Answer::Failed { input, reason } => self.failed = Some((input, reason)),
            Answer::End => self.ended = true,
            Answer::Identity(_) | Answer::Unpacked(_) | Answer::Answer(_) | Answer::Refused(_) => {
                return Err("something else instead of a report".to_owned());
            }
        }
        Ok(())
    }

    /// The head, and all parts but the head, if nothing is missing.
    pub(crate) fn whole(self) -> Result<(Box<Report>, Vec<ReportPart>), String> {
        match self.head {
            Some(head) if self.ended && self.goroutines == 0 => Ok((head, self.parts)),
            _ => Err("a report without its end".to_owned()),
        }
    }
}

pub(crate) fn part(part: Part, seq: u32, value: &impl Serialize) -> Result<ReportPart, String> {
    let json = serde_json::to_vec(value).map_err(|error| error.to_string())?;
    let body = zstd::bulk::compress(&json, LEVEL).map_err(|error| error.to_string())?;
    Ok(ReportPart { part, seq, body })
}
