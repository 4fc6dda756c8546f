"""`--query` and `-o` against the libraries that `az` uses for them: jmespath, and knack's output."""

import collections
import json
import os
import subprocess
import unittest

import jmespath
from knack import output
from knack.util import CommandResultItem

JOBS = [
    {
        "name": "brave_river",
        "display_name": "train x",
        "status": "Completed",
        "steps": {"total": 3, "failed": 0},
        "tags": {"owner": "ann", "team": "vision"},
        "score": 0.5,
        "ok": True,
        "parent": None,
        "pools": ["gpu", "cpu"],
    },
    {
        "name": "calm_sea",
        "display_name": "test",
        "status": "Failed",
        "steps": {"total": 1, "failed": 1},
        "tags": {},
        "score": 2,
        "ok": False,
        "parent": "brave_river",
        "pools": [],
    },
    {"name": "dry_wind", "display_name": None, "status": "Running", "steps": {"total": 2}, "score": -1.25, "pools": ["gpu"]},
]
JOB = JOBS[0]
DEEP = {
    "a": {"b": {"c": [1, [2, [3, 4]], {"d": "e"}]}, "x-y": 1},
    "n": [3, 1, 2],
    "w": ["b", "a", "c"],
    "e": "",
    "z": 0,
    "t": True,
    "f": False,
    "nil": None,
    "u": "žluť",
    "m": [{"k": {"v": 1}}, {"k": {"v": 2}}, {"k": None}],
    "o": {"p": {"q": 1}, "r": {"q": 2}, "s": 3},
}

# Documents and queries whose value is compared.
QUERIES = [
    (JOBS, q)
    for q in """
[].name | [0].name | [-1].name | [7].name | [0].steps.total | [].steps.failed | [*].tags.owner | [].{Name:name,Status:status}
[?name=='calm_sea'].display_name | [?name!='calm_sea'].name | [?contains(display_name || '', 'train')].name
[?status=='Failed' || status=='Running'].name | [?status=='Failed' && score > `1`].name | [?!ok].name | [?ok].name
[?score < `1`].name | [?score >= `0.5`].score | [?steps.failed == `0`].name | [?parent == null].name | [?parent == `null`].name
[?starts_with(name, 'b')] ~ [0].name | [?ends_with(name, 'wind')].name | length(@) | length([0].tags) | length([0].name)
sort_by(@, &score)[].name | sort_by(@, &name)[-1].name | max_by(@, &score).name | min_by(@, &score).name | reverse(@)[0].name
[].pools[] | [].pools[][] | [*].pools | [*].pools[0] | [].pools[0] | [*].pools[*] | [].[name, status] | [].[name, steps.total, ok]
[0:2].name | [::-1].name | [1:].name | [:-1].name | [::2].name | [-2:].name | [5:].name | [2:0:-1].name
keys([0].tags) | values([0].tags) | join(', ', [].name) | join('', [0].pools) | to_string([0].steps) | to_string([0].score)
[0].tags.* | [0].*.total | [*].steps.* | [].steps.*[] | [0].{n: name, s: steps.{t: total, f: failed}} | [].{n:name}[0] | [].name ~ [0]
[0].name || 'none' | [7].name || 'none' | [0].nothing.below | [].nothing | not_null([0].parent, [0].name) | map(&name, @)
map(&parent, @) | sum([].steps.total) | avg([].steps.total) | sum([].score) | avg([].score) | max([].score) | min([].name)
type([0].ok) | type([0].parent) | type([0].tags) | to_array([0].name) | [0].merge(tags, steps) | sort([].name) | [] | [*] | @
[?pools[?@ == 'gpu']].name | [?length(pools) > `1`].name | [?contains(pools, 'gpu')].name ~ [1] | [?tags.owner].name | [? name ].status
""".replace("\n", " | ").split(" | ")
    if q.strip()
]
QUERIES += [
    (DEEP, q)
    for q in r"""
a.b.c[0] @@ a.b.c[1][1][0] @@ a.b.c[] @@ a.b.c[][] @@ a.b.c[2].d @@ a."x-y" @@ "a"."b" @@ a.b | c @@ a.b.c[*].d
n[0] @@ n[?@ > `1`] @@ sort(n) @@ sort(w) @@ n[:2] @@ n[1:3:1] @@ e || 'x' @@ z || 'x' @@ t && 'x' @@ f && 'x' @@ nil || f || e
!z @@ !e @@ !t @@ !nil @@ !!t @@ a || b && c @@ (f || t) && n @@ f || t && e @@ !f && t @@ !(f && t) @@ n[0] == `3` @@ n[0] != `3`
z == `0` @@ z == f @@ t == `1` @@ nil == nil @@ n == `[3, 1, 2]` @@ n == `[3, 1]` @@ o.p == `{"q": 1}` @@ n < `1` @@ w[0] < w[1]
`"text"` @@ `text` @@ `{"a": [1, 2.5, null, true]}` @@ 'a\'b' @@ 'a\nb' @@ `1.0` @@ `-5` @@ `1e3` @@ '`' @@ `"a\`b"`
m[].k.v @@ m[*].k.v @@ m[?k].k.v @@ m[?k.v == `2`] @@ o.*.q @@ o.* @@ *.q @@ o.*.q | [0] @@ o.*[] @@ *[0] @@ *.*.q
{x: n[0], y: a.b.c[0], "z-z": t} @@ [n[0], w[0], nothing] @@ nothing.[a, b] @@ nothing.{a: b} @@ a.{b: b.c[0], x: "x-y"} @@ a.[b.c[0], "x-y"]
length(u) @@ reverse(u) @@ reverse(n) @@ contains(u, 'lu') @@ contains(n, `1`) @@ contains(w, 'z') @@ abs(`-3`) @@ abs(`-1.5`)
ceil(`1.2`) @@ floor(`-1.2`) @@ to_number('12') @@ to_number('1.5') @@ to_number('x') @@ to_number(nil) @@ to_string(n) @@ to_string('x')
type(n) @@ type(z) @@ type(e) @@ keys(o) @@ values(o) @@ merge(a, o).s @@ max(n) @@ min(w) @@ max(`[]`) @@ avg(`[]`) @@ sum(`[]`)
sort_by(m[?k], &k.v)[-1].k.v @@ max_by(m[?k], &k.v).k.v @@ n | @ @@ @.n @@ @ | n[0] @@ n | [0] @@ n[*] | [0] @@ [n, w][] @@ [n, w][*][0] @@ [n, w][][0]
a.b.c | [2] | d @@ join('-', w) @@ map(&[0], [n, w]) @@ not_null(nil, nothing, z) @@ {a: @.z, b: `[]`} @@ o.[*] @@ n[*].x @@ e[0] @@ n.x @@ n[::-1] @@ n[?f] @@ m[0:1].k
""".replace("\n", " @@ ").split(" @@ ")
    if q.strip()
]
# What is wrong, and the character to which the error must point.
WRONG = [
    ("a..b", 3),
    ("", 1),
    ("[", 2),
    ("[?a", 4),
    ("a b", 3),
    ("[?a=='b", 6),
    ("{a}", 3),
    ("a[b]", 3),
    ("foo(a)", 1),
    ("length()", 1),
    ("length(`1`)", 1),
    ("[].name | sort_by(@)", 11),
    ("[?a='b']", 4),
    ("a.#", 3),
    ("a | ", 5),
    ("'ž' || )", 8),
    ("'it''s'", 5),
    ("`{`x", 4),
    ("n[0](a)", 5),
    ("join(',', n)", 1),
    ("lenght(n)", 1),
    ("\"a\"(b)", 4),
    ("[0][1", 6),
    ("starts_with(w, 'a')", 1),
]
# What jmespath answers with nothing, or with a part of itself.
WRONG_HERE = [("[::0]", 2), ("&a", 1), ("a.b(c)", 3)]
FORMS = [
    "@",
    "[0]",
    "[].name",
    "[0].name",
    "[].{Name:name,Status:status}",
    "[].[name, score, ok]",
    "[].{zeta:name, alpha:score, Ok:ok, parent:parent, pools:pools, steps:steps, id:name, type:status}",
    "[?contains(display_name || '', 'x')].name",
    "[].steps",
    "[].pools",
    "[0].pools",
    "[0].ok",
    "[0].score",
    "[0].parent",
    "[].ok",
    "[*].parent",
    "[].[parent]",
    "[0].tags",
    "[?name=='none']",
    "[0].steps.total",
    "length(@)",
    "[].{Name:name, Tags:tags.owner}",
    "[0].{a:'x  ', b:` y`}",
    "[].score",
    "avg([].steps.total)",
    "`1e20`",
    "`0.00001`",
    "[].{e:''}",
    "[0].{z:name, a:name}",
]


def answers(asked) -> list[str]:
    lines = "".join(json.dumps(one) + "\n" for one in asked)
    tool = subprocess.run([os.environ["QUERY_TOOL"]], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in tool.stdout.decode().splitlines()]


def search(query: str, document):
    return jmespath.search(query, document, jmespath.Options(collections.OrderedDict))


def as_az_prints(query: str, form: str) -> str:
    found = search(query, JOBS)
    if found is None:
        return ""
    formatter = {"json": output.format_json, "tsv": output.format_tsv, "table": output.format_table}[form]
    return formatter(CommandResultItem(found, is_query_active=True))


class QueryOracleTest(unittest.TestCase):
    maxDiff = None

    def test_finds_what_jmespath_finds(self):
        queries = [(document, query.replace(" ~ ", " | ").strip()) for document, query in QUERIES]
        self.assertGreater(len(queries), 200)
        for (document, query), answer in zip(queries, answers([(*one, "value") for one in queries]), strict=True):
            with self.subTest(query=query):
                self.assertEqual(json.loads(answer), search(query, document))

    def test_refuses_what_jmespath_refuses_and_points_to_it(self):
        for query, _ in WRONG:
            with self.subTest(query=query), self.assertRaises((jmespath.exceptions.JMESPathError, ValueError)):
                jmespath.search(query, DEEP)
        asked = WRONG + WRONG_HERE
        for (query, column), answer in zip(asked, answers([(DEEP, query, "value") for query, _ in asked]), strict=True):
            with self.subTest(query=query):
                self.assertTrue(answer.startswith(f"error: --query: character {column}: "), answer)
                _, shown, mark = answer.split("\n")
                self.assertEqual((shown, mark), ("  " + query, " " * (column + 1) + "^"), answer)

    def test_prints_the_bytes_that_az_prints(self):
        asked = [(query, form) for query in FORMS for form in ("json", "tsv", "table")]
        # `az` has the keys of plain objects in the order of its own; Potok's are sorted.
        document = json.loads(json.dumps(JOBS, sort_keys=True))
        for (query, form), answer in zip(asked, answers([(document, *one) for one in asked]), strict=True):
            with self.subTest(query=query, form=form):
                try:
                    expected = as_az_prints(query, form)
                except Exception:  # knack: "Table output unavailable"
                    expected = "error: no columns"
                self.assertEqual(answer, expected)


JOBS = json.loads(json.dumps(JOBS, sort_keys=True))

if __name__ == "__main__":
    unittest.main()
