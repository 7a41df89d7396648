//! Tasks as lists show them.

use chrono::{DateTime, Utc};
use coracle_view::service::task_ports;
use coracle_view::task::{TaskSummary, shown_image};

use crate::format::{Columns, Row, units};

/// A cut error has this many characters.
const ERROR_WIDTH: usize = 30;

pub(crate) const COLUMNS: Columns = Columns {
    titles: &[
        ("ID", "ID"),
        ("Name", "NAME"),
        ("Image", "IMAGE"),
        ("Node", "NODE"),
        ("DesiredState", "DESIRED STATE"),
        ("CurrentState", "CURRENT STATE"),
        ("Error", "ERROR"),
        ("Ports", "PORTS"),
    ],
    table: "ID Name Image Node DesiredState CurrentState Error Ports",
    quiet: "ID",
    raw: "id: {{.ID}}\nname: {{.Name}}\nimage: {{.Image}}\nnode: {{.Node}}\ndesired_state: {{.DesiredState}}\n\
          current_state: {{.CurrentState}}\nerror: {{.Error}}\nports: {{.Ports}}\n",
};

/// How much of a task is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    /// Nothing is cut.
    pub(crate) full: bool,
    /// Earlier tasks stand under the one that took their place.
    pub(crate) indent: bool,
    pub(crate) now: DateTime<Utc>,
}

pub(crate) fn row(one: &TaskSummary<'_>, shown: Shown) -> Row {
    let task = one.task;
    let (id, image) = match shown.full {
        true => (task.id.as_str(), task.spec.container_spec.image.clone()),
        false => (units::short_id(&task.id), shown_image(&task.spec.container_spec.image)),
    };
    let indent = if one.is_previous && shown.indent { " \\_ " } else { "" };
    let since = units::ago(task.status.timestamp.datetime(), shown.now).to_lowercase();
    let error = match task.status.err.as_str() {
        "" => String::new(),
        error if shown.full => format!("\"{error}\""),
        error => format!("\"{}\"", units::ellipsis(error, ERROR_WIDTH)),
    };
    let mut row = Row::new("*task.taskContext");
    row.set("ID", id)
        .set("Name", format!("{indent}{}", one.name))
        .set("Image", image)
        .set("Node", one.node.as_str())
        .set("DesiredState", capital(&task.desired_state.to_string()))
        .set("CurrentState", format!("{} {since}", capital(&task.status.state.to_string())))
        .set("Error", error)
        .set("Ports", task_ports(&task.status.port_status.ports));
    row
}

/// With a capital in front.
pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use coracle_swarm::model::{Task, TaskState};
    use coracle_words::template::Fields as _;

    use super::*;
    use crate::format::Listing;

    fn task(id: &str, desired: TaskState, state: TaskState, since: &str, err: &str) -> Task {
        let mut task =
            Task { id: id.to_owned(), desired_state: desired, slot: 1, ..Task::default() };
        task.spec.container_spec.image = "alpine:latest".to_owned();
        task.status.state = state;
        task.status.timestamp = since.parse().unwrap();
        task.status.err = err.to_owned();
        task
    }

    fn summary<'a>(task: &'a Task, name: &str, is_previous: bool) -> TaskSummary<'a> {
        TaskSummary { task, name: name.to_owned(), node: "host1".to_owned(), is_previous }
    }

    fn shown(full: bool, indent: bool) -> Shown {
        Shown { full, indent, now: "2026-11-20T23:50:57Z".parse().unwrap() }
    }

    #[test]
    fn the_table_is_the_recorded_one() {
        let new = task(
            "77xrw95jd0nlxwjui2rgqzvm1",
            TaskState::Ready,
            TaskState::Rejected,
            "2026-11-20T23:50:56Z",
            "NanoCPUs can not be set, as your kernel",
        );
        let old = task(
            "6d3gg909m6r8ejn0h7048uchg",
            TaskState::Shutdown,
            TaskState::Complete,
            "2026-11-20T23:50:57Z",
            "",
        );
        let listing = Listing::new(&COLUMNS, None, false).unwrap();
        let rows = [summary(&new, "lc.1", false), summary(&old, "lc.1", true)]
            .map(|one| row(&one, shown(false, true)));
        assert_eq!(
            listing.render(&rows).unwrap(),
            "ID             NAME       IMAGE           NODE      DESIRED STATE   CURRENT STATE                     ERROR                              PORTS\n\
             77xrw95jd0nl   lc.1       alpine:latest   host1     Ready           Rejected 1 second ago             \"NanoCPUs can not be set, as y…\"   \n\
             6d3gg909m6r8    \\_ lc.1   alpine:latest   host1     Shutdown        Complete less than a second ago                                      \n"
        );
    }

    #[test]
    fn the_json_line_is_the_recorded_one() {
        let task = task(
            "z6uvo6lhjiyzsl4aqandv6fye",
            TaskState::Running,
            TaskState::Running,
            "2026-11-20T23:50:39Z",
            "",
        );
        assert_eq!(
            row(&summary(&task, "s1.1", false), shown(false, false)).json(),
            r#"{"CurrentState":"Running 18 seconds ago","DesiredState":"Running","Error":"","ID":"z6uvo6lhjiyz","Image":"alpine:latest","Name":"s1.1","Node":"host1","Ports":""}"#
        );
        let full = row(&summary(&task, "s1.1", false), shown(true, false)).json();
        assert!(full.contains("z6uvo6lhjiyzsl4aqandv6fye"));
    }
}
