# What the steps of scripts/test add up, and what is told at the end.
# shellcheck shell=bash disable=SC2154
passed=0 failed=0 skipped=0

# check NAME COMMAND… : one pass or one failure.
check() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
    fi
}

skip() { echo "SKIP $1 $2" | tee -a "$stage/skips"; }

# count LOG: adds the totals that nextest or libtest printed.
count() {
    local numbers
    numbers=$(sed -E 's/\x1b\[[0-9;]*m//g' "$1" | awk '
        function n(word,   i) { for (i = 2; i <= NF; i++) if ($i ~ "^" word "[,;]?$") return $(i - 1); return 0 }
        /^test result:/ || /^ *Summary / { p += n("passed"); f += n("failed") + n("timed"); s += n("ignored") + n("skipped") }
        END { print p + 0, f + 0, s + 0 }')
    read -r p f s <<< "$numbers"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# Each line of the skips file is `SKIP <test> <what is missing>`.
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
        if [ -z "$found" ]; then
            echo "FAILED: this machine was expected to run it: $line"
            failed=$((failed + 1))
        fi
    done < "$stage/skips"
}
