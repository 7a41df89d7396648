//! How many containers of a service are asked for on the command line.

use std::collections::BTreeMap;

use super::place::{File, error};
use crate::error::CliError;

/// `SERVICE=NUMBER`.
pub(crate) fn scale(given: &[String], file: &File) -> Result<BTreeMap<String, u32>, CliError> {
    let mut all = BTreeMap::new();
    for text in given {
        let wrong = || CliError::plain(format!("invalid scale specifier: {text}"));
        let (name, number) = text.split_once('=').ok_or_else(wrong)?;
        let number = number.parse().map_err(|_| wrong())?;
        file.project.service(name).map_err(error)?;
        all.insert(name.to_owned(), number);
    }
    Ok(all)
}
