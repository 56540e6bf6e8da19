#!/usr/bin/env python3
"""Compare two cgroup images, given as crit's JSON: equal up to the order of entries.

    compare.py [--by-path] [--no-prefix] [--own-root] THEIRS.json OURS.json

Sets are matched by id, members by name, controllers by their set of names, groups by dir_name,
properties by name. Prints one line for each difference; exits 1 if there is any. What may differ:

    --by-path    groups are matched by their whole path, whatever group they are written into: CRIU
                 writes a head that lies above an earlier head without that earlier one, cgraft puts
                 the earlier one inside
    --no-prefix  CRIU writes the length of a cgroup namespace's root into a set's members
                 (cgns_prefix), cgraft does not yet
    --own-root   of a hierarchy in whose root a task sits, CRIU writes all groups, cgraft the root alone
"""
import json
import sys


def keyed(entries, key, what, problems):
    """entries as a dict; a key that comes twice is a problem of its own."""
    out = {}
    for entry in entries:
        k = key(entry)
        if k in out:
            problems.append(f"{what} {k!r}: twice")
        out[k] = entry
    return out


def sets(image, options, problems):
    out = {}
    for number, entry in keyed(image.get("sets", []), lambda s: s["id"], "set", problems).items():
        members = keyed(entry.get("ctls", []), lambda m: m["name"], f"set {number} member", problems)
        for name, m in members.items():
            prefix = None if "--no-prefix" in options else m.get("cgns_prefix")
            out[f"set {number}", repr(name)] = (m["path"], prefix)
    return out


def properties(directory, where, problems):
    found = keyed(directory.get("properties", []), lambda p: p["name"], f"{where} property", problems)
    return {(where, name): (p["value"], perms(p.get("perms"))) for name, p in found.items()}


def perms(p):
    return p and (oct(p["mode"]), p["uid"], p["gid"])


def groups(directories, hierarchy, above, options, out, problems):
    names = keyed(directories, lambda d: d["dir_name"], f"{hierarchy} in {above!r} group", problems)
    for name, d in names.items():
        path = f"{above.rstrip('/')}/{name}"
        where = f"{hierarchy}:{path}" if "--by-path" in options else f"{hierarchy}:{above}[{name}]"
        if (where, "") in out:
            problems.append(f"{where}: twice")
        out[where, ""] = perms(d.get("dir_perms"))
        out.update(properties(d, where, problems))
        if name or "--own-root" not in options:
            below = path if "--by-path" in options else f"{above}[{name}]"
            groups(d.get("children", []), hierarchy, below, options, out, problems)


def controllers(image, options, problems):
    out = {}
    found = keyed(image.get("controllers", []), lambda c: tuple(sorted(c["cnames"])), "controller", problems)
    for names, c in found.items():
        hierarchy = ",".join(names) or "unified"
        out[hierarchy, "is_threaded"] = c.get("is_threaded")
        groups(c.get("dirs", []), hierarchy, "", options, out, problems)
    return out


def facts(file, options):
    """Everything an image says, as (place, detail) -> value."""
    with open(file, encoding="utf-8") as f:
        document = json.load(f)
    problems = []
    if document["magic"] != "CGROUP" or len(document["entries"]) != 1:
        problems.append(f"magic {document['magic']}, {len(document['entries'])} entries")
    image = document["entries"][0]
    return {**sets(image, options, problems), **controllers(image, options, problems)}, problems


def main(arguments):
    options = {a for a in arguments if a.startswith("--")}
    files = [a for a in arguments if a not in options]
    if len(files) != 2 or options - {"--by-path", "--no-prefix", "--own-root"}:
        sys.exit(__doc__)
    differences = []
    (theirs, p1), (ours, p2) = (facts(f, options) for f in files)
    for file, problems in zip(files, (p1, p2)):
        differences += [f"{file}: {p}" for p in problems]
    for place in sorted(theirs.keys() | ours.keys()):
        a, b = theirs.get(place, "absent"), ours.get(place, "absent")
        if a != b:
            differences.append(f"{' '.join(place).strip()}: theirs {a}, ours {b}")
    for line in differences[:200]:
        print(line)
    if len(differences) > 200:
        print(f"... and {len(differences) - 200} more")
    print(f"{len(theirs)} facts compared, {len(differences)} differences")
    return 1 if differences or not theirs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
