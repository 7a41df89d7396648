//! Against what was recorded elsewhere.

#[cfg(test)]
mod corpus;
