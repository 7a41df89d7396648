#!/bin/bash
# npm dockerfile-ast takes the blanks out of the strings of a JSON form, and the meaning out of their escapes.
#
# Expected: JSONArgument.getJSONValue() is what a JSON parser makes of the string, since Docker's reference calls the
# exec form a JSON array. The library is the base of the Dockerfile
# language server and of linters.
# Happens: every blank within the quotes is dropped, and of an escape the backslash with its letter: nothing is left
# of a tab's, and four digits of é's. Who rebuilds a command from it gets `echoa&&echob`.
# Versions: dockerfile-ast 0.7.1. Seen 2026-11-30:
#   ["sh","-c","echoa&&echob"]  ["xy","00e9"]  ["ab","/d"]
source "$(dirname "$(realpath "$0")")/common.sh"
npm_packages dockerfile-ast@0.7.1
cat > read.js << 'EOF'
const {DockerfileParser} = require('dockerfile-ast');
const instruction = DockerfileParser.parse('FROM scratch\n' + process.argv[2]).getInstructions()[1];
console.log(JSON.stringify(instruction.getJSONStrings().map(s => s.getJSONValue())));
EOF
seen 'CMD ["sh", "-c", "echo a && echo b"]' '["sh","-c","echoa&&echob"]' \
    "$(node read.js 'CMD ["sh", "-c", "echo a && echo b"]')"
seen 'CMD ["x\ty", "\u00e9"]' '["xy","00e9"]' "$(node read.js 'CMD ["x\ty", "\u00e9"]')"
seen 'COPY ["a b", "/d"]' '["ab","/d"]' "$(node read.js 'COPY ["a b", "/d"]')"
