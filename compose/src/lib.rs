//! Compose: from files to a checked project, and from a project to running containers.
