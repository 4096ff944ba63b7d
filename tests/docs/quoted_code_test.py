"""The code on a page is the fixture's code: all of it, in its order, to the letter.

Usage: quoted_code_test.py PAGE FIXTURE

A block of the page that begins with ```LANGUAGE FILE is a part of FIXTURE/FILE; the blocks of a
file, with an empty line between each and the next, are the whole file.
"""

import pathlib
import re
import sys

BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main():
    page, fixture = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    quoted = {}
    for name, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        quoted.setdefault(name, []).append(code)
    files = {str(path.relative_to(fixture)): path.read_text(encoding="utf-8")
             for path in fixture.rglob("*") if path.is_file()}
    failures = [f"{name}: on the page, but not in {fixture}"
                for name in quoted.keys() - files.keys()]
    for name, text in sorted(files.items()):
        on_page = "\n".join(quoted.get(name, []))
        if on_page == text:
            continue
        lines = zip(on_page.splitlines() + ["(the end)"], text.splitlines() + ["(the end)"])
        at, (theirs, ours) = next((number, pair) for number, pair in enumerate(lines, 1)
                                  if pair[0] != pair[1] or "(the end)" in pair)
        failures.append(f"{name}, line {at}: the page has\n  {theirs}\nand the file\n  {ours}")
    if not files:
        failures.append(f"{fixture} is empty")
    for failure in failures:
        print(f"FAILED: {failure}")
    if failures:
        sys.exit(1)
    print(f"{page.name} quotes {len(files)} files completely")


if __name__ == "__main__":
    main()
