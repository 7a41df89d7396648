# Sourced: checks of commands, each a line of $RESULTS.
# shellcheck shell=bash
: > "$RESULTS"
# shellcheck disable=SC2034 # for who sources this
work=$(mktemp -d)

# attempt COMMAND… : its output in $output, its exit status in $status. One word is a line for the shell.
attempt() {
    local command=("$@")
    [ $# -gt 1 ] || command=(bash -c "$1")
    output=$(timeout 120 "${command[@]}" 2>&1 < /dev/null)
    status=$?
}

# told NAME WHETHER-IT-HELD
told() {
    if [ "$2" = 0 ]; then
        printf 'ok\t%s\t\n' "$1" >> "$RESULTS"
    else
        printf 'fail\t%s\texit %s: %s\n' "$1" "$status" "$(tail -1 <<< "$output" | tr '\t' ' ' | cut -c1-300)" >> "$RESULTS"
    fi
}

# ends NAME STATUS COMMAND…
ends() {
    local name=$1 wanted=$2
    shift 2
    attempt "$@"
    [ "$status" = "$wanted" ]
    told "$name" $?
}

# works NAME COMMAND…
works() {
    local name=$1
    shift
    ends "$name" 0 "$@"
}

# says NAME PATTERN COMMAND… : it works, and prints that.
says() {
    local name=$1 pattern=$2
    shift 2
    attempt "$@"
    [ "$status" = 0 ] && grep -qE -- "$pattern" <<< "$output"
    told "$name" $?
}

# refuses NAME PATTERN COMMAND… : it fails, and says why.
refuses() {
    local name=$1 pattern=$2
    shift 2
    attempt "$@"
    [ "$status" != 0 ] && grep -qE -- "$pattern" <<< "$output"
    told "$name" $?
}
