#!/usr/bin/env python3
"""The rules of the house that a compiler does not check.

Reads every source of the repository and fails on: an include against the module table of
CMakeLists.txt, a third-party library outside the folder it belongs to, floating point in the
money path, unfinished work, and files that have grown past what a reader holds in mind.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ("schemas", "ledger", "ingest", "billing", "exporters")
# A library, and the only folders whose sources may include it.
HOMES = {
    r"rocksdb/": ("ledger",),
    r"librdkafka/": ("ingest",),
    r"boost/(beast|asio)": ("exporters",),
    r"prometheus/": ("exporters",),
    r"CLI/": ("tools",),
}
# Headers that other folders include must not show these.
HIDDEN = r"rocksdb/|librdkafka/|zstd\.h|openssl/|yaml-cpp/|simdjson"
LINES_MAX = 550
TEST_LINES_MAX = 650
FLOAT = re.compile(r"\b(float|double|strtod|stod|cpp_dec_float\w*)\b")
UNFINISHED = re.compile(r"\b(TODO|FIXME|HACK)\b")


def module_table():
    """{module: set of modules it may include} from CMakeLists.txt."""
    table = {}
    text = (ROOT / "CMakeLists.txt").read_text()
    for name, uses in re.findall(r"gauger_module\((\w+)(?:\s+USES\s+([\w ]+))?\)", text):
        table[name] = {name, *uses.split()}
    return table


def without_comments(line):
    return re.sub(r'"(\\.|[^"\\])*"', '""', line.split("//")[0])


def public_headers(sources):
    """The headers that another folder includes."""
    public = set()
    for path in sources:
        folder = path.relative_to(ROOT).parts[0]
        for header in re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE):
            if header.split("/")[0] != folder and folder != "tests":
                public.add(header)
    return public


def findings(path, table, public):
    relative = path.relative_to(ROOT)
    folder = relative.parts[0]
    lines = path.read_text().splitlines()
    limit = TEST_LINES_MAX if folder == "tests" else LINES_MAX
    if len(lines) > limit:
        yield f"{relative}: {len(lines)} lines; split it (at most {limit})"
    for number, line in enumerate(lines, 1):
        where = f"{relative}:{number}"
        included = re.match(r'#include\s+["<]([^">]+)[">]', line)
        if included:
            header = included.group(1)
            target = header.split("/")[0]
            if folder in table and target in MODULES and target not in table[folder]:
                yield f"{where}: {folder} must not include {target}"
            for library, homes in HOMES.items():
                if folder in (*MODULES, "tools") and re.match(library, header) and folder not in homes:
                    yield f"{where}: {header} belongs to {' and '.join(homes)}"
            if folder in MODULES and str(relative) in public and re.match(HIDDEN, header):
                yield f"{where}: a public header shows {header}"
        elif folder in ("ledger", "billing") and FLOAT.search(without_comments(line)):
            yield f"{where}: floating point in the money path"
        if folder != "tests" and UNFINISHED.search(line):
            yield f"{where}: unfinished work"


def main():
    table = module_table()
    sources = [
        path
        for folder in (*MODULES, "tools", "tests")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".h", ".cpp")
    ]
    if len(table) != len(MODULES) or len(sources) < 40:
        sys.exit("tidy: the module table or the sources were not found")
    public = public_headers(sources)
    bad = [finding for path in sources for finding in findings(path, table, public)]
    print("\n".join(bad) if bad else f"tidy: {len(sources)} files")
    sys.exit(bool(bad))


main()
