#!/bin/bash
# One line `ARG A=1 B` keeps the Python package dockerfile-parse from reading the labels of the whole file.
#
# Expected: the labels. Docker's reference: `ARG <name>[=<default value>] [<name>[=<default value>]...]`, so several
# names, each with or without a value, may stand in one instruction; and `labels` is about LABEL.
# Happens: ValueError, for `labels` and `envs` alike. `ARG B` alone and `ARG A=1` alone are read.
# Versions: dockerfile-parse 2.0.1, Python 3.11. Seen 2026-11-30:
#   ValueError: Syntax error - can't find = in "B". Must be of the form: name=value
source "$(dirname "$(realpath "$0")")/common.sh"
pip_packages dockerfile-parse==2.0.1
cat > read.py << 'EOF'
import io, sys
from dockerfile_parse import DockerfileParser
text = 'FROM scratch\n' + sys.argv[1] + '\nLABEL app=web\n'
try:
    print(dict(DockerfileParser(fileobj=io.BytesIO(text.encode())).labels))
except ValueError as error:
    print('ValueError:', error)
EOF
seen 'two lines' "{'app': 'web'}" "$("$python" read.py $'ARG A=1\nARG B')"
seen 'one line' "ValueError: Syntax error - can't find = in \"B\". Must be of the form: name=value" "$("$python" read.py 'ARG A=1 B')"
