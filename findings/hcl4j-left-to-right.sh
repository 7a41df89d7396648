#!/bin/bash
# hcl4j computes `2 + 3 * 4` as 20 and `true || false && false` as false.
#
# Expected: 14 and true: the HCL specification has six levels of operators, `*` before `+` and `&&` before `||`. hcl4j
# reads HCL for Java and evaluates expressions; 3 * 4 + 2 is 14 in it.
# Happens: operators are taken from the left to the right. `10 - 2` is refused. `1e3` is the text "e3", and a `<<-`
# heredoc, say a Dockerfile in a bake file, keeps the indentation that the `-` is there to take off. Except for the
# minus, all of this comes without an error.
# Versions: hcl4j 0.9.8, Java 17. Seen 2026-11-30: the lines below.
source "$(dirname "$(realpath "$0")")/common.sh"
maven_packages com.bertramlabs.plugins:hcl4j:0.9.8 org.slf4j:slf4j-nop:2.0.16
cat > Read.java << 'EOF'
import com.bertramlabs.plugins.hcl4j.HCLParser;

public class Read {
    public static void main(String[] expressions) {
        for (String expression : expressions) {
            String what;
            try {
                what = "" + new HCLParser().parse("a = " + expression + "\n").get("a");
            } catch (Exception e) {
                what = "refused";
            }
            System.out.println((expression + " -> " + what).replace("\n", "|"));
        }
    }
}
EOF
javac -cp "$jars" Read.java
seen 'expressions' '3 * 4 + 2 -> 14.0
2 + 3 * 4 -> 20.0
true || false && false -> false
10 - 2 -> refused
1e3 -> e3
<<-E|    FROM app|    E ->     FROM app|' "$(java -cp "$jars" Read '3 * 4 + 2' '2 + 3 * 4' 'true || false && false' '10 - 2' 1e3 $'<<-E\n    FROM app\n    E')"
