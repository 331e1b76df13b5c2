"""Texts that act where they are not escaped: in PromQL, templates, Markdown, HTML, YAML, paths and terminals."""

from __future__ import annotations

from random import Random

PROMQL = (
    '"} or vector(1) #',
    '"}[5m]) or up{a="',
    '\\"} or vector(1)',
    "\\",
    '"',
    "'",
    "`",
    "`} or vector(1) or x{a=`",
    "[5m]",
    "$__rate_interval",
)
TEMPLATES = (
    "{{ $labels.x }}",
    '{{ printf "%s" "acted" }}',
    '{{ query "up" }}',
    "{{",
    "}}",
    "{{{",
    "{",
    "{{{{",
    "{{/* gone */}}",
    '{{ "{{" }}',
    "{{- -}}",
    '{{ template "x" }}',
    "{{.window}}",
    "[{{ .window }}]",
    "{{ end }}",
    "{% for x in y %}",
    "{% raw %}",
    "{# gone #}",
    "{{ 7 * 7 }}",
    "{0}",
    "{path}",
    "%s%n%(name)s",
    "${HOME}",
    "$(id)",
    "$value",
)
MARKUP = (
    "<script>acted()</script>",
    '"><img src=x onerror=acted()>',
    "</script>",
    "&lt;b&gt;&amp;",
    "<!-- -->",
    "[link](javascript:acted())",
    "![x](http://x)",
    "| a | b |",
    "# heading",
    "```",
    "**bold** _under_ ~~x~~",
)
YAML = (
    "!!python/object/apply:os.system [id]",
    "!tag x",
    "&anchor x",
    "*alias",
    "- item",
    "? key",
    "key: value",
    "text # no comment",
    "#x",
    "---",
    "...",
    "%TAG ! x",
    "|",
    ">-",
    "@x",
    ",",
    "[",
    "]",
    "{a: b}",
    "yes",
    "NO",
    "null",
    "~",
    "0x1f",
    "012",
    "1e3",
    "1_000",
    ".inf",
    ".NaN",
    "12:30:45",
    "2027-03-01",
    "<<",
    "=",
    " leading",
    "trailing ",
    ":",
    "a:",
    "-",
    "''",
    "it's",
    "true",
    "0.10",
    "",
)
PATHS = (
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "a/b",
    "C:\\x",
    "\\\\host\\x",
    "con",
    "~root",
    "-rf",
    "--help",
    "*",
)
CONTROLS = (
    "a\0b",
    "\x07",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://x\x07",
    "\x7f",
    "a\x85b",
    "a\u2028b\u2029c",
    "\ufeff",
    "\u202eright\u202c to left",
    "\u200b\u200d",
    "\ufffe\uffff",
    "\U0001f600\U0010ffff",
    "e\u0301\u0301\u0301",
    "\u5e73\u4eee\u540d",
    "line\nbreak",
    "line\r\nbreak",
    "line\rbreak",
    "\n",
    "\n\n  indented\n",
    "\ttab\t",
    "  ",
    "\u00a0",
    "::error file=x::acted",
)
ALL = (*PROMQL, *TEMPLATES, *MARKUP, *YAML, *PATHS, *CONTROLS)
# What must not be found as it stands in a page that a browser or a reader shows.
MARKS = ("<script>acted()", "onerror=acted()>")


def text(random: Random) -> str:
    """One of them, two in a row, or a very long one."""
    draw = random.random()
    if draw < 0.7:
        return random.choice(ALL)
    if draw < 0.97:
        return random.choice(ALL) + random.choice(("", " ", "x")) + random.choice(ALL)
    return random.choice(("a", "{{", '"', "\\", "<b>", "é", "a.")) * random.choice((300, 3_000, 20_000))
