# What the steps of scripts/test add up: passes, failures with their names, skips, and what is told at the end.
# shellcheck shell=bash disable=SC2154
passed=0 failed=0 skipped=0 failures=()

# fail NAME : one failure, told now and again at the end.
fail() {
    failed=$((failed + 1))
    failures+=("$1")
    echo "FAILED: $1"
}

# check NAME COMMAND… : one pass or one failure.
check() {
    local name=$1
    shift
    if "$@"; then passed=$((passed + 1)); else fail "$name"; fi
}

skip() { echo "SKIP $1 $2" | tee -a "$stage/skips"; }

# count STEP LOG STATUS : adds the totals that nextest or libtest printed, and the names of what failed. A run that
# ended badly without counting a failure (it was not built, or was cut short) is one.
count() {
    local step=$1 text=$stage/plain.log names name p f s
    sed -E 's/\x1b\[[0-9;]*m//g' "$2" > "$text"
    read -r p f s < <(awk '
        function n(word,   i) { for (i = 2; i <= NF; i++) if ($i ~ "^" word "[,;]?$") return $(i - 1); return 0 }
        /^test result:/ || /^ *Summary / { p += n("passed"); f += n("failed") + n("timed"); s += n("ignored") + n("skipped") }
        END { print p + 0, f + 0, s + 0 }' "$text")
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    # libtest: `test NAME ... FAILED`; nextest: `FAIL [ 0.1s] (1/9) CRATE NAME`, once more at its end.
    mapfile -t names < <(sed -nE -e 's/^test (.*) \.\.\. FAILED$/\1/p' \
        -e 's/^ *(FAIL|TIMEOUT|SIG[A-Z]+|ABORT) \[[^]]*\] (\([^)]*\) )?//p' "$text" | sort -u)
    for name in "${names[@]}"; do failures+=("$step $name"); done
    [ "$3" = 0 ] || [ "$f" -gt 0 ] || fail "$step"
}

# Each line of the skips file is `SKIP <test> <what is missing>`. One that was not expected is a failure.
report_skips() {
    sort -u -o "$stage/skips" "$stage/skips"
    skipped=$((skipped + $(wc -l < "$stage/skips")))
    cat "$stage/skips"
    [ -n "$expected" ] || return 0
    local line pattern found
    while IFS= read -r line; do
        found=
        while IFS= read -r pattern; do
            # shellcheck disable=SC2053 # the file holds patterns
            [[ $line == $pattern ]] && found=1
        done < <(grep -v '^#' "$expected")
        [ -n "$found" ] || fail "this machine was expected to run it: $line"
    done < "$stage/skips"
}

# The names of all failures, which stand among all that was printed, once more together; then the closing line.
report() {
    report_skips
    local name
    for name in "${failures[@]}"; do echo "FAILED: $name"; done
    echo "$passed passed, $failed failed, $skipped skipped"
}
