# Made by `coracle completion bash`: asks the program what may follow. Needs bash 4.4, and no other file.

_coracle_complete() {
    local at word rest=$COMP_LINE known glued last typed out directive line width shown
    local -a words=() ask=() lines=() names=() abouts=()
    rest=${rest:0:COMP_POINT}
    # Words that readline parted at `=` and `:` are one again.
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        glued=yes
        [[ $rest == [[:blank:]]* || $at == 0 ]] && glued=
        rest=${rest#"${rest%%[![:blank:]]*}"}
        [[ $at == "$COMP_CWORD" ]] && word=$rest
        rest=${rest#"$word"}
        if [[ $glued ]]; then words[${#words[@]} - 1]+=$word; else words+=("$word"); fi
    done
    for word in "${words[@]}"; do ask+=("${word//[\'\"\\]/}"); done

    # An alias for this program has what it stands for in its place.
    known=${BASH_ALIASES[${ask[0]}]-}
    [[ $known == *coracle* ]] && { read -ra words <<< "$known"; ask=("${words[@]}" "${ask[@]:1}"); }
    type -P "${ask[0]}" > /dev/null || ask[0]=coracle
    out=$("${ask[0]}" __complete "${ask[@]:1}" 2> /dev/null) || return
    mapfile -t lines <<< "$out"
    directive=${lines[-1]#:}
    unset 'lines[-1]'

    # Readline replaces what stands after the last of its separators.
    typed=${ask[-1]}
    [[ $typed == --*=* ]] && typed=${typed#*=}
    last=
    for at in = :; do
        [[ $COMP_WORDBREAKS == *"$at"* && $typed == *"$at"* ]] || continue
        word=${typed%"${typed##*"$at"}"}
        ((${#word} > ${#last})) && last=$word
    done
    width=0
    for line in "${lines[@]}"; do
        word=${line%%$'\t'*}
        [[ $word == "$typed"* ]] || continue
        word=${word#"$last"}
        names+=("$word")
        [[ $line == *$'\t'* ]] && abouts+=("${line#*$'\t'}") || abouts+=("")
        ((${#word} > width)) && width=${#word}
    done
    COMPREPLY=()
    for at in "${!names[@]}"; do
        shown=${names[at]}
        # What it says stands behind it in a list, and not when words are put into the line.
        if ((${#names[@]} > 1 && COMP_TYPE != 37 && COMP_TYPE != 42)) && [[ ${abouts[at]} ]]; then
            printf -v shown '%-*s  (%s)' "$width" "${names[at]}" "${abouts[at]}"
            shown=${shown:0:${COLUMNS:-80}}
        fi
        COMPREPLY+=("$shown")
    done
    ((directive & 2)) && compopt -o nospace 2> /dev/null
    if ((directive & 16)); then
        compopt -o dirnames 2> /dev/null
    elif ! ((directive & 4)); then
        compopt -o default 2> /dev/null
    fi
}

complete -F _coracle_complete coracle docker docker-compose
