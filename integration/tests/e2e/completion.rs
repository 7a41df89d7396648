//! What the keys of bash, zsh and fish offer: candidates recorded from Docker 29.7.2's own completion, with objects of
//! the same states, in three shells; and what goes beyond.

use std::collections::BTreeSet;

use coracle_integration::{TestEnv, skip};

/// What is typed, and what Docker's own completion offers for it.
const OFFERED: [(&str, &str); 20] = [
    ("stop ", "halted runs"),
    ("start ", "made"),
    ("rm ", "made"),
    ("rm -f ", "halted made runs"),
    ("exec ", "runs"),
    ("logs ", "halted made runs"),
    ("pause ", "runs"),
    ("unpause ", "halted"),
    ("kill h", "halted"),
    ("restart runs ", "halted made"),
    ("run --rm -it al", "alpine:3.20 alpine:latest"),
    ("run --restart=", "always no on-failure unless-stopped"),
    ("run --network ", "bridge host none own"),
    ("run --rm --re", "--read-only --restart"),
    ("network connect own ", "halted made runs"),
    ("volume rm ", "keep"),
    ("tag alpine:latest a", "alpine:3.20"),
    ("images al", "alpine alpine:3.20 alpine:latest"),
    ("inspect --type volume ", "keep"),
    ("run --ipc=container:ha", "container:halted"),
];

fn world() -> TestEnv {
    let env = TestEnv::new();
    let run = "docker run -d --network none --init --name";
    env.sh(&format!(
        "{run} runs alpine sleep 1000; {run} halted alpine sleep 1000; docker pause halted"
    ))
    .success();
    env.sh(
        "docker create --name made alpine; docker volume create keep; docker network create own",
    )
    .success();
    env.sh("docker tag alpine alpine:3.20").success();
    env
}

fn end(env: TestEnv) {
    env.sh("docker unpause halted; docker rm -f runs halted made; docker volume rm keep; docker network rm own")
        .success();
    env.assert_nothing_left();
}

fn set(words: &str) -> BTreeSet<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

/// Asks one shell for all of them; `ask` is a script for one, with the line in `$1`.
fn compare(env: &TestEnv, shell: &str, ask: &str) {
    env.write("ask", ask);
    for program in ["coracle", "docker"] {
        for (line, offered) in OFFERED {
            let seen = env.sh(&format!("{shell} ask '{program} {line}'")).success().stdout();
            assert_eq!(set(&seen), set(offered), "{shell}: {program} {line}");
        }
    }
}

#[test]
fn the_protocol_is_that_of_dockers_client() {
    let env = world();
    for (line, offered) in OFFERED {
        let words: Vec<&str> = line.split(' ').collect();
        let said = env.run([&["__complete"][..], &words].concat()).success().stdout();
        let (candidates, directive) = said.trim_end().rsplit_once('\n').expect("two lines");
        let seen: Vec<&str> =
            candidates.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(set(&seen.join(" ")), set(offered), "{line}: {said}");
        assert_eq!(directive, ":4", "{line}: {said}");
    }
    env.sh("docker __complete stop ''").success().stdout_has("runs\talpine, Up ");
    env.sh("docker __complete run --env-file ''").success().stdout_is(":0\n");
    env.sh("docker __complete run --ipc con")
        .success()
        .stdout_is("container:\tThat of another container\n:6\n");
    env.sh("docker __complete run alpine ''; docker __complete nosuch ''; docker __complete run --name ''")
        .success()
        .stdout_is(":4\n:4\n:4\n");
    env.sh("docker __complete container st | cut -f1")
        .success()
        .stdout_is("start\nstats\nstop\n:4\n");
    env.sh("docker __complete --log-level=w; docker __complete kill -s RTMIN+1 | head -2")
        .success()
        .stdout_is("warn\n:4\nRTMIN+1\nRTMIN+10\n");
    end(env);
}

#[test]
fn bash_offers_what_docker_offers() {
    let env = world();
    // As readline gives it: words are parted at `=` and `:` too.
    compare(
        &env,
        "bash",
        r#"source <(coracle completion bash)
           COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
           mapfile -t COMP_WORDS < <(sed 's/\([=:]\)/\n\1\n/g; s/ /\n/g' <<< "$1" | sed '$!{/^$/d}')
           COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
           _coracle_complete "${COMP_WORDS[0]}"
           start=; [[ $1 == *container:* ]] && start=container:
           for one in "${COMPREPLY[@]}"; do echo "$start${one%% *}"; done"#,
    );
    end(env);
}

#[test]
fn fish_offers_what_docker_offers() {
    if skip::program("fish").is_none() {
        skip!("fish is not installed");
    }
    let env = world();
    // Its candidates for the value of a flag begin with the flag.
    compare(
        &env,
        "fish --no-config",
        "coracle completion fish | source; complete -C $argv[1] | string replace -r '\\t.*' '' | string replace -r '^--[^=]*=' ''; true",
    );
    end(env);
}

#[test]
fn zsh_offers_what_docker_offers() {
    if skip::program("zsh").is_none() {
        skip!("zsh is not installed");
    }
    let env = world();
    // An interactive shell on a terminal of its own, whose `compadd` tells what it is given.
    compare(
        &env,
        "zsh -f",
        r#"zmodload zsh/zpty
           zpty shell zsh -f -i
           zpty -w shell 'PS1= PS2= RPS1=; autoload -Uz compinit; compinit -u -D; source <(coracle completion zsh)'
           zpty -w shell 'compadd() { local at=${@[(i)-a]}
               if [[ $1 == -[ODA] || $at -gt $# ]] { builtin compadd "$@"; return }
               local -a matching; builtin compadd -O matching -a "${@[at+1]}"; print -r -- "<${(j:> <:)matching}>" }'
           zpty -w shell "ask() { zle complete-word; print -r -- '<e''nd>'; exit }; zle -N ask; bindkey '^I' ask"
           zpty -w shell "print '<be''gin>'"
           zpty -r shell seen $'*<begin>*'
           zpty -w -n shell "$1"$'\t'
           zpty -r shell seen $'*<end>*'
           print -r -- "$seen" | grep -oE '<[^<>]+>' | tr -d '<>' | grep -v '^end$'; true"#,
    );
    end(env);
}

#[test]
fn cp_knows_the_files_of_containers_and_of_this_machine() {
    let env = world();
    env.write("note.txt", "x");
    env.sh("mkdir folder; docker cp note.txt made:/mnt/own.txt").success();
    let asked = |word: &str| env.run(["__complete", "cp", word]).success().stdout();
    for name in ["runs", "made", "halted"] {
        assert!(asked(&format!("{name}:/et")).starts_with(&format!("{name}:/etc/\n")), "{name}");
    }
    assert_eq!(asked("made:/mnt/o"), "made:/mnt/own.txt\n:4\n");
    assert_eq!(asked("runs:/etc/host"), "runs:/etc/hostname\nruns:/etc/hosts\n:4\n");
    assert_eq!(asked("runs:/nosuch/"), ":4\n");
    assert_eq!(asked("no"), "note.txt\n:4\n");
    assert_eq!(asked("m"), "made:\talpine, Created\n:6\n");
    assert_eq!(asked("fol"), "folder/\n:6\n");
    // The other side is of this machine.
    let second = env.run(["__complete", "cp", "made:/etc/hosts", ""]).success().stdout();
    assert!(second.contains("note.txt\n") && !second.contains("runs:"), "{second}");
    end(env);
}

#[test]
fn compose_knows_services_profiles_and_projects() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services: {web: {image: alpine}, job: {image: bb, profiles: [now, later]}, own: {build: .}}\n",
    );
    let asked =
        |line: &str| env.sh(&format!("coracle __complete compose {line}")).success().stdout();
    let services = "job\tbb\nown\tbuilt here\nweb\talpine\n:4\n";
    assert_eq!(asked("up ''"), services);
    assert_eq!(asked("logs -f web ''"), "job\tbb\nown\tbuilt here\n:4\n");
    assert_eq!(asked("--profile ''"), "later\tjob\nnow\tjob\n:4\n");
    assert_eq!(asked("-f nosuch.yaml up ''"), ":4\n");
    assert_eq!(asked("exec web ''"), ":4\n");
    assert!(asked("up --pul").starts_with("--pull\t"), "{}", asked("up --pul"));
    // The name that the old program had.
    env.sh("ln -s $(command -v coracle) docker-compose; ./docker-compose __complete restart ''")
        .success()
        .stdout_is(services);
    env.sh("coracle compose -p seen create web").success();
    assert_eq!(asked("-p ''"), "seen\t1 container\n:4\n");
    env.sh("coracle compose -p seen down").success();
    env.assert_nothing_left();
}

#[test]
fn scripts_are_installed_and_removed() {
    let env = TestEnv::new();
    env.sh("SHELL=/usr/bin/fish coracle completion --install")
        .success()
        .stdout_has("A new shell has it.\n");
    env.sh("cd $HOME/.config/fish/completions && ls && grep -h '^for name' *.fish")
        .success()
        .stdout_is(
            "coracle.fish\ndocker-compose.fish\ndocker.fish\n\
             for name in coracle\nfor name in docker-compose\nfor name in docker\n",
        );
    env.sh("cd $HOME/.config/fish/completions && echo mine > docker.fish; coracle completion --install fish")
        .success()
        .stderr_has("docker.fish is not ours, and stays as it is");
    env.sh("coracle completion --remove fish; cat $HOME/.config/fish/completions/*")
        .success()
        .stdout_has("mine\n");
    env.sh(
        "coracle completion --install zsh; head -1 $HOME/.local/share/zsh/site-functions/_coracle",
    )
    .success()
    .stdout_has("~/.zshrc")
    .stdout_has("#compdef coracle docker docker-compose\n");
    env.sh("coracle completion --install bash && coracle completion --remove bash; ls $HOME/.local/share/bash-completion/completions")
        .success()
        .stdout_has("/bash-completion/completions/docker-compose\n");
    env.sh("SHELL=/bin/dash coracle completion --install")
        .code(1)
        .stderr_has("for the shell \"dash\"");
    env.sh("coracle completion tcsh")
        .code(1)
        .stderr_has("the shells are bash, zsh, fish, elvish and powershell");
    env.sh("coracle completion elvish").success().stdout_has("edit:completion");
    env.assert_nothing_left();
}
