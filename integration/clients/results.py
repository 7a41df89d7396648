"""usage: results.py (junit|mocha|go) FILE… : what a test runner wrote, as lines `ok|fail|skip<TAB>NAME<TAB>WHY`."""
import json
import sys
import xml.etree.ElementTree as ElementTree


def junit(path):
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = ".".join(part for part in (case.get("classname"), case.get("name")) if part)
        bad = [one for one in case if one.tag in ("failure", "error")]
        skipped = any(one.tag == "skipped" for one in case)
        yield ("fail" if bad else "skip" if skipped else "ok", name, bad[0].get("message") or bad[0].text if bad else "")


def mocha(path):
    # What tests print comes before the report.
    text = open(path, encoding="utf-8").read()
    report = json.loads(text[text.index('{\n  "stats"'):])
    for kind, word in (("passes", "ok"), ("failures", "fail"), ("pending", "skip")):
        for test in report[kind]:
            yield (word, test["fullTitle"], test["err"].get("message"))


def go(path):
    words = {"pass": "ok", "fail": "fail", "skip": "skip"}
    output = {}
    for line in open(path, encoding="utf-8"):
        event = json.loads(line)
        name = event.get("Test")
        if name and event["Action"] == "output":
            output[name] = output.get(name, "") + event["Output"]
        elif name and event["Action"] in words:
            word = words[event["Action"]]
            yield (word, name, output.get(name, "") if word == "fail" else "")


for path in sys.argv[2:]:
    for word, name, why in {"junit": junit, "mocha": mocha, "go": go}[sys.argv[1]](path):
        print(word, name, " ".join((why or "").split())[:300], sep="\t")
