//! Against what was recorded elsewhere, and against what nobody would write.

#[cfg(test)]
mod anything;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod git;
#[cfg(test)]
mod http;
#[cfg(test)]
mod web;
