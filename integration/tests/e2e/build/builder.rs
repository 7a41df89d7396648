//! The cache of builds, and the builder of `buildx`.

use coracle_integration::TestEnv;

#[test]
fn the_cache_is_shown_and_emptied() {
    let env = TestEnv::new();
    env.write(
        "b/Dockerfile",
        "FROM alpine AS one\nRUN --mount=type=cache,target=/c head -c 20000 /dev/zero > /c/f\n\
         FROM alpine\nRUN head -c 10000 /dev/zero > /f\n\
         COPY --from=one /etc/passwd /p\n",
    );
    env.run(["builder", "du"]).success().stdout_is(
        "ID        RECLAIMABLE   SIZE      LAST ACCESSED\nReclaimable:\t0B\nTotal:\t\t0B\n",
    );
    env.run(["build", "-q", "-t", "b", "b"]).success();
    let table = env.run(["buildx", "du"]).success().stdout();
    assert!(table.contains("\nShared:\t\t") && table.contains("\nReclaimable:\t"), "{table}");
    let mounts = env.run(["builder", "du", "--filter", "type=exec.cachemount", "--verbose"]);
    let mounts = mounts.success().stdout();
    assert!(mounts.contains("\nMutable:      true\n"), "{mounts}");
    assert!(!mounts.contains("Total:"), "{mounts}");
    let rows = env.run(["builder", "du", "--format", "json"]).success().lines();
    assert_eq!(rows.len(), 4, "three steps and a mount: {rows:?}");
    env.run(["builder", "du", "--filter", "bogus=1"]).code(1).stderr_has("bogus");
    let df = env.run(["system", "df", "--format", "{{.Type}} {{.TotalCount}}"]).success();
    df.stdout_has("Build Cache 4\n");

    env.sh("docker buildx prune < /dev/null").success().stdout_has("all dangling build cache");
    env.run(["builder", "prune", "-f", "--filter", "until=24h"])
        .success()
        .stdout_is("Total:\t0B\n");
    env.run(["builder", "prune", "-f", "--max-used-space", "1gb"])
        .success()
        .stdout_is("Total:\t0B\n");
    // What the image has stays, and the next build takes it.
    env.run(["builder", "prune", "-f"]).success().stdout_has("RECLAIMABLE");
    assert_eq!(env.run(["builder", "du", "--format", "json"]).success().lines().len(), 2);
    let again = env.run(["build", "b"]).success().stderr();
    assert!(again.contains("[stage-1 2/3] RUN head -c 10000 /dev/zero > /f\n"), "{again}");
    env.run(["builder", "prune", "-af"]).success();
    env.run(["builder", "du", "--format", "json"]).success().stdout_is("");
    env.run(["run", "--rm", "b", "wc", "-c", "/f"]).success().stdout_has("10000 /f");
    let cold = env.run(["build", "b"]).success().stderr();
    assert!(!cold.contains("RUN head -c 10000 /dev/zero > /f\n#4 CACHED"), "{cold}");
    env.run(["system", "prune", "-af"]).success().stdout_has("Deleted build cache objects:\n");
    env.assert_nothing_left();
}

#[test]
fn there_is_one_builder() {
    let env = TestEnv::bare();
    env.run(["buildx", "ls"]).success().stdout_has("default*").stdout_has("running");
    env.run(["buildx", "ls", "--format", "{{.Name}}"]).success().stdout_has("default*");
    assert_eq!(env.run(["buildx", "ls", "--format", "json"]).success().json()["Current"], true);
    env.run(["buildx", "inspect", "--bootstrap"]).success().stdout_has("Status:");
    env.run(["buildx", "inspect", "nosuch"]).code(1).stderr_has("no builder \"nosuch\" found");
    env.run(["buildx", "version"]).success().stdout_has("buildx v0.36");
    env.run(["buildx", "use", "default"]).success();
    env.run(["buildx", "stop"]).success();
    env.run(["buildx", "rm", "default"]).code(1).stderr_has("failed to remove default: ");
    for words in ["create --use", "history ls", "imagetools inspect a", "dial-stdio", "policy eval"]
    {
        let line = format!("docker buildx {words}");
        env.sh(&line).code(1).stderr_has("not supported");
    }
    env.assert_nothing_left();
}
