//! What has to be done, and why: wanted and seen are compared, nothing is touched.
//!
//! [`plan`] is pure. Its steps are in the order in which they are carried out: what is
//! missing is fetched and made, what has changed is made anew, then containers start; the
//! order of the starts is that of `depends_on` and is kept by whoever applies the plan.

mod containers;
mod desired;
mod difference;
mod error;
mod make;
mod objects;
mod observed;
mod resources;
mod step;
#[cfg(test)]
mod tests;

pub use desired::{Desired, Options, Recreate};
pub use difference::{changes, differences};
pub use error::PlanError;
pub use make::plan;
pub use observed::{Observed, Seen, SeenNetwork, SeenVolume};
pub use step::{Action, PLAN_VERSION, Plan, Step};
