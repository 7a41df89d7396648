# Made by `coracle completion fish`: asks the program what may follow.

function __coracle_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l program $words[1]
    type -q $program; or set program coracle
    set -l lines ($program __complete $words[2..-1] "$typed" 2>/dev/null)
    set -q lines[1]; or return
    set -l directive (string sub -s 2 -- $lines[-1])
    set -e lines[-1]
    # What the value of a flag may be has the flag before it here.
    set -l flag (string match -r -- '^--[^=]*=' "$typed")
    if set -q lines[1]
        printf '%s\n' "$flag"$lines
    else if test (math "bitand($directive, 16)") -ne 0
        __fish_complete_directories "$typed"
    else if test (math "bitand($directive, 4)") -eq 0
        __fish_complete_path "$typed"
    end
end

for name in coracle docker docker-compose
    complete -c $name -e
    complete -c $name -f -a '(__coracle_complete)'
end
