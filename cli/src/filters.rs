//! What the client's configuration file adds to `--filter`, and moments as the user types them.

use coracle_runtime::model::Timestamp;
use coracle_view::filter::Filter;

use crate::app::App;
use crate::error::CliError;

/// The filters of a prune, and those that the client's configuration file adds to each of them.
/// What the command line says of a label wins over the contrary there.
pub(crate) fn for_prune(app: &App, given: &[Filter]) -> Vec<Filter> {
    let mut all = given.to_vec();
    for (key, value) in app.settings.client.prune_filters() {
        let contrary = match key {
            "label" => "label!",
            "label!" => "label",
            _ => "",
        };
        let has = |key: &str| all.iter().any(|f| f.key == key && f.value == value);
        if !has(key) && !has(contrary) {
            all.push(Filter { key: key.to_owned(), value: value.to_owned() });
        }
    }
    all
}

/// A moment as `--since` and `--until` take it: a time, unix seconds, or an age such as `42m`.
pub(crate) fn moment(text: &str) -> Result<Timestamp, CliError> {
    Ok(crate::app::now().moment(text)?)
}
