"""Turns two listings of callgrind_annotate into instructions a message, by where they are spent."""

import re
import sys

# The first that matches a function's name or file takes it.
PLACES = [
    ("SQLite", r"sqlite3|\bpager|\bbtree|vdbe|unixWrite|walIndex|balance_nonroot|moveTo(Root|Child|LeftmostChild)"),
    ("store-sqlite", r"\bstore_sqlite::|rusqlite|hashlink"),
    ("hyper and axum", r"hyper|axum|httparse|\bhttp::|tower|matchit"),
    ("web", r"\bweb::"),
    ("app", r"\bapp::"),
    ("dispatch and smpp", r"\bdispatch::|\bsmpp::"),
    ("domain", r"\bdomain::"),
    ("tokio", r"tokio|mio::"),
    ("metrics and tracing", r"metrics|tracing"),
    ("memory and strings of libc", r"malloc|free|realloc|calloc|_int_|memcpy|memmove|memset|memcmp|memchr|strlen"),
]
LINE = re.compile(r"^\s*([\d,]+)(?: \([ \d.]+%\))?\s+(\S.*)$")


def place_of(name):
    for place, pattern in PLACES:
        if re.search(pattern, name):
            return place
    return "the rest"


def read(path):
    """Instructions of each function, and of all."""
    functions, total = {}, 0
    with open(path, encoding="utf-8", errors="replace") as listing:
        for line in listing:
            found = LINE.match(line)
            if not found:
                continue
            count, name = int(found[1].replace(",", "")), found[2]
            if re.search(r"\(\d[\d,]*x\)|events annotated", name):
                continue
            if "PROGRAM TOTALS" in name:
                total = count
            else:
                functions[name] = functions.get(name, 0) + count
    return functions, total


def main(name, small, small_size, large, large_size):
    before, total_before = read(small)
    after, total_after = read(large)
    messages = int(large_size) - int(small_size)
    print(f"{name}: {(total_after - total_before) / messages:,.0f} instructions a message")
    places, functions = {}, []
    for function, count in after.items():
        grown = (count - before.get(function, 0)) / messages
        place = place_of(function)
        places[place] = places.get(place, 0) + grown
        functions.append((grown, function))
    for place, count in sorted(places.items(), key=lambda pair: -pair[1]):
        print(f"  {count:>10,.0f}  {place}")
    print("  of these the largest functions:")
    for count, function in sorted(functions, reverse=True)[:12]:
        short = re.sub(r" \[.*\]$", "", function.split(":", 1)[-1])
        print(f"  {count:>10,.0f}  {short[:100]}")


main(*sys.argv[1:])
