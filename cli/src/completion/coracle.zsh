#compdef coracle docker docker-compose
# Made by `coracle completion zsh`: asks the program what may follow.

_coracle() {
    local program=$words[1] line directive
    local -a lines names shown
    (( $+commands[$program] )) || [[ -x $program ]] || program=coracle
    lines=("${(@f)$("$program" __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2> /dev/null)}")
    directive=${lines[-1]#:}
    lines[-1]=()
    [[ $PREFIX == --*=* ]] && compset -P '--*='
    for line in $lines; do
        names+=("${line%%$'\t'*}")
        if [[ $line == *$'\t'* ]]; then
            shown+=("${line%%$'\t'*}  -- ${line#*$'\t'}")
        else
            shown+=("$line")
        fi
    done
    local -a blank=()
    (( directive & 2 )) && blank=(-S '')
    if (( $#names )); then
        compadd $blank -l -d shown -a names
    elif (( directive & 16 )); then
        _files -/
    elif ! (( directive & 4 )); then
        _files
    fi
}

# Read as a file of $fpath it is the function; sourced, it tells the shell of it.
if [[ $funcstack[1] == _coracle ]]; then
    _coracle "$@"
else
    compdef _coracle coracle docker docker-compose
fi
