//! One level down in the tree and the table at once: what stages that look at every attribute share.

use crate::schema::Attr;
use crate::tree::{Node, Path, Result, Value};

/// What is done to a node, given what the table says of it and where it is.
pub(crate) type Each<'a> = dyn Fn(&mut Node, Option<&'static Attr>, &Path<'_>) -> Result<()> + 'a;

/// Does `each` to every entry of a map, or every item of a list.
pub(crate) fn descend(
    node: &mut Node,
    attr: Option<&'static Attr>,
    path: &Path<'_>,
    each: &Each<'_>,
) -> Result<()> {
    match &mut node.value {
        Value::Map(map) => map.iter_mut().try_for_each(|(key, value)| {
            each(value, attr.and_then(|attr| attr.entry(key)), &path.key(key))
        }),
        Value::List(items) => {
            let of_item = attr.and_then(Attr::item);
            items
                .iter_mut()
                .enumerate()
                .try_for_each(|(index, item)| each(item, of_item, &path.index(index)))
        }
        _ => Ok(()),
    }
}
