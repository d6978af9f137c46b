"""Counts single test cases in the reports of Google Test and pytest; the last line of ./skiff test.

usage: count_tests.py FOLDER     exit code 1 if a test failed, 2 if there was none
"""
import pathlib
import sys
import xml.etree.ElementTree as xml


def count_cases(report):
    """(passed, failed, skipped) of one report, either dialect; disabled tests are not counted."""
    passed = failed = skipped = 0
    for case in xml.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            skipped += 1
        elif case.get("status") != "notrun":
            passed += 1
    return passed, failed, skipped


def count(folder):
    """Totals over a folder. A program that ended without a report of its failure failed once."""
    counts = {r.stem: count_cases(r) for r in sorted(pathlib.Path(folder).glob("*.xml"))}
    passed, failed, skipped = (sum(column) for column in zip((0, 0, 0), *counts.values()))
    programs = pathlib.Path(folder) / "programs.junit"
    if programs.exists():
        for case in xml.parse(programs).iter("testcase"):
            name = case.get("name")
            if case.get("status") == "fail" and counts.get(name, (0, 0, 0))[1] == 0:
                print(f"{name} did not come to its end")
                failed += 1
    return passed, failed, skipped


def main():
    passed, failed, skipped = count(sys.argv[1])
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 0 if passed or skipped else 2)


if __name__ == "__main__":
    main()
