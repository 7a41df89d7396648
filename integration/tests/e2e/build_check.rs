//! `build --check`.

use coracle_integration::TestEnv;

const LINT: &str = "FROM alpine AS Base\nENV A b\nRUN echo $HOME\nWORKDIR /$A\nCMD x\n";

#[test]
fn findings_are_told_as_docker_tells_them() {
    let env = TestEnv::new();
    env.sh("mkdir b").success();
    env.write("b/Dockerfile", LINT);
    let said = env.sh("docker build --check b");
    assert_eq!(said.status(), 1);
    said.stderr_is("").stdout_is(
        "Check complete, 3 warnings have been found!\n\
         \n\
         WARNING: StageNameCasing - https://docs.docker.com/go/dockerfile/rule/stage-name-casing/\n\
         Stage name 'Base' should be lowercase\n\
         b/Dockerfile:1\n\
         --------------------\n   \
            1 | >>> FROM alpine AS Base\n   \
            2 |     ENV A b\n   \
            3 |     RUN echo $HOME\n\
         --------------------\n\
         \n\
         WARNING: LegacyKeyValueFormat - https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/\n\
         \"ENV key=value\" should be used instead of legacy \"ENV key value\" format\n\
         b/Dockerfile:2\n\
         --------------------\n   \
            1 |     FROM alpine AS Base\n   \
            2 | >>> ENV A b\n   \
            3 |     RUN echo $HOME\n   \
            4 |     WORKDIR /$A\n\
         --------------------\n\
         \n\
         WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/\n\
         JSON arguments recommended for CMD to prevent unintended behavior related to OS signals\n\
         b/Dockerfile:5\n\
         --------------------\n   \
            3 |     RUN echo $HOME\n   \
            4 |     WORKDIR /$A\n   \
            5 | >>> CMD x\n   \
            6 |     \n\
         --------------------\n",
    );
    // The other names of the command, other places of the file, and flags of a build.
    env.sh("for words in 'image build' 'builder build' 'buildx build'; do \
            docker $words --check --progress plain -t x/y -f b/Dockerfile . > out; [ $? = 1 ] && grep -c WARNING: out; done; \
            docker buildx build --check -f - b < b/Dockerfile | grep -c stdin:; docker build --check - < b/Dockerfile | grep -c Dockerfile:")
        .success()
        .stdout_is("3\n3\n3\n3\n3\n");
    env.sh("docker build --call=check,format=json,ignorestatus b | grep -c ruleName")
        .success()
        .stdout_is("3\n");
    env.sh("printf 'FROM alpine\\n' | docker build --check -")
        .success()
        .stdout_is("Check complete, no warnings found.\n");
    env.assert_nothing_left();
}

#[test]
fn what_a_file_can_be_given() {
    let env = TestEnv::new();
    env.sh("mkdir b").success();
    env.write(
        "b/Dockerfile",
        "# V of the thing\nARG V=1\n# base is needed\nFROM scratch AS base\nARG V\n\
         RUN --mount=type=secret,id=key true\nFROM base AS end\nARG W\n",
    );
    env.sh("docker build --call=outline b").success().stdout_is(
        "TARGET: end\n\nBUILD ARG   VALUE   DESCRIPTION\nV           1       of the thing\nW                   \n\n\
         SECRET   REQUIRED\nkey      \n\n",
    );
    env.sh("docker build --call=targets b")
        .success()
        .stdout_is("TARGET        DESCRIPTION\nbase          is needed\nend (default) \n");
    env.sh("docker build --call=outline,format=json --target base b | grep -c '\"name\"'; \
            docker build --call=targets,format=json b | grep -c base")
        .success()
        .stdout_is("3\n3\n");
    env.assert_nothing_left();
}

#[test]
fn an_outline_tells_what_was_found_on_the_way() {
    let env = TestEnv::new();
    env.sh("mkdir b").success();
    env.write("b/Dockerfile", "FROM alpine as one\nENV a b\nCMD echo hi\n");
    env.sh("docker build --call=outline b").success().stdout_is("TARGET: one\n\n").stderr_is(
        "\n 3 warnings found (use docker build --debug to expand):\n \
         - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)\n \
         - LegacyKeyValueFormat: \"ENV key=value\" should be used instead of legacy \"ENV key value\" format (line 2)\n \
         - JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals \
         (line 3)\n",
    );
    env.assert_nothing_left();
}

#[test]
fn what_cannot_be_built_is_an_error() {
    let env = TestEnv::new();
    env.sh("mkdir b empty").success();
    env.write("b/Dockerfile", "FROM alpine\nCMD x\nRUNN y\n");
    env.write("b/other", "# syntax=me/frontend\nFROM alpine\n");
    let said = env.sh("docker build --check b");
    assert_eq!(said.status(), 1);
    said.stdout_is("").stderr_is(
        "ERROR: dockerfile parse error on line 3: unknown instruction: RUNN (did you mean RUN?)\n\
         b/Dockerfile:3\n--------------------\n   1 |     FROM alpine\n   2 |     CMD x\n   3 | >>> RUNN y\n   \
         4 |     \n--------------------\n",
    );
    for (line, why) in [
        (
            "build --check empty",
            "ERROR: failed to build: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory",
        ),
        (
            "build --check nosuch",
            "ERROR: failed to build: unable to prepare context: path \"nosuch\" not found",
        ),
        ("build --check -f - -", "can't use stdin for both build context and dockerfile"),
        ("build --check -f b/other b", "# syntax=me/frontend: not supported"),
        ("build --check --target no -f - b", "target stage \"no\" could not be found"),
        ("build --call=bogus b", "unsupported request frontend.bogus"),
    ] {
        let said = env.sh(&format!("printf 'FROM alpine\\n' | docker {line}"));
        assert_eq!(said.status(), 1, "{line}");
        said.stderr_has(why);
    }
    env.assert_nothing_left();
}

#[test]
fn the_image_says_what_it_sets() {
    let env = TestEnv::new();
    env.sh("docker create --name maker alpine; docker commit -c 'ENV LANG=C' -c 'ONBUILD LABEL a=$SRC' maker rich; docker rm maker").success();
    let check = |text: &str| env.sh(&format!("printf '{text}' | docker build --check -"));
    let said = check("FROM rich\\nLABEL b=$LANG\\n");
    assert_eq!(said.status(), 1);
    let said = said.stdout_has("Usage of undefined variable '$SRC'").stderr_is("");
    assert!(!said.stdout().contains("$LANG'"));
    check("FROM nosuch.example/x\\nLABEL b=$LANG\\n")
        .success()
        .stderr_is("WARNING: nosuch.example/x:latest is not here, so variables that it may set are not known\n");
    env.sh("docker rmi rich").success();
    env.assert_nothing_left();
}
