//! The process that does what one request asks for.

use std::io::Write as _;

use serde_json::Value;

use crate::answer::Answer;
use crate::channel::Channel;
use crate::error::ApiError;
use crate::host::Host;
use crate::line::ToWorker;
use crate::request::Request;
use crate::router::ROUTES;

/// What a route has to work with.
pub(crate) struct Call<'a> {
    pub(crate) host: &'a mut dyn Host,
    pub(crate) request: &'a Request,
    /// Method and path of the route.
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    pub(crate) channel: &'a mut Channel,
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("request", &self.request).finish_non_exhaustive()
    }
}

impl Call<'_> {
    /// Begins an answer whose body is a line of JSON after the other.
    pub(crate) fn begin_lines(&mut self) -> Result<(), ApiError> {
        self.begin_lines_as("application/json")
    }

    /// The same, under another name for lines of JSON.
    pub(crate) fn begin_lines_as(&mut self, media_type: &str) -> Result<(), ApiError> {
        Ok(self.channel.head(200, &[("content-type", media_type)])?)
    }

    /// Writes a line of such a body, with its end.
    pub(crate) fn line(&mut self, line: &Value, end: &str) -> Result<(), ApiError> {
        Ok(self.channel.out.write_all(format!("{line}{end}").as_bytes())?)
    }
}

/// Does what the service orders, and answers; the exit code of the process.
pub fn work(host: &mut dyn Host) -> u8 {
    let Ok(mut channel) = Channel::take() else { return 1 };
    let Ok(Some(ToWorker::Do(request))) = channel.next() else { return 1 };
    let Some(route) = ROUTES.get(request.route) else { return 1 };
    host.recover(request.parameters.first().map(String::as_str));
    let mut call = Call {
        host,
        request: &request,
        method: route.method,
        route: route.path,
        channel: &mut channel,
    };
    let outcome = (route.handler)(&mut call);
    // A client that is gone hears no answer.
    answer(&mut channel, outcome).map_or(1, |()| 0)
}

fn answer(channel: &mut Channel, outcome: Result<Answer, ApiError>) -> std::io::Result<()> {
    let outcome = outcome.unwrap_or_else(|error| match error.status {
        304 => Answer::Empty(304),
        status => Answer::Json(status, error.body()),
    });
    if channel.is_headed() {
        return Ok(());
    }
    match outcome {
        Answer::Json(status, document) => {
            text(channel, status, "application/json", &format!("{document}\n"))
        }
        Answer::Empty(status @ (204 | 304)) => channel.head(status, &[]),
        Answer::Empty(status) => channel.head(status, &[("content-length", "0")]),
        Answer::Sent => Ok(()),
    }
}

fn text(channel: &mut Channel, status: u16, media_type: &str, words: &str) -> std::io::Result<()> {
    let length = words.len().to_string();
    channel.head(status, &[("content-type", media_type), ("content-length", &length)])?;
    channel.out.write_all(words.as_bytes())
}
