//! Commands of `buildx` that there is nothing to do for.

use crate::commands::refused::refused;

refused! {
    Create, "buildx create", "there is one builder, \"default\", which is ready without being created";
    Dap, "buildx dap", "builds cannot be stepped through";
    DialStdio, "buildx dial-stdio", "there is no BuildKit to talk to";
    History, "buildx history", "no record is kept of builds; --metadata-file writes one";
    Imagetools, "buildx imagetools", "manifest lists are neither shown nor made; `pull` and `image inspect` show an image";
    Install, "buildx install", "`build` builds as `buildx build` does already";
    Policy, "buildx policy", "no policies of sources are applied";
    Uninstall, "buildx uninstall", "`build` builds as `buildx build` does, and there is no other builder";
}
