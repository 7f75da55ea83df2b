#!/usr/bin/env python3
"""Sender names and e-mail addresses beside Python's email package (RFC 5322, RFC 2047) and the idna package.

A name that stands in a policy comes out of the `From` header as it went in, one header only and in ASCII. An address
that is pasted is stored as Python's parser and the idna package read it.
"""
import email
import json
import os
import random
import subprocess
import sys
import tempfile
from email.header import decode_header, make_header
from email.utils import getaddresses, parseaddr

import idna

CARILLON = os.environ.get("CARILLON", "target/local/carillon")

NAMES = [
    "Acme News", "Café Central", "Acme, Inc.", "O'Brien", "Muller & Sohne", "Support (Billing)", "日本支店",
    "St. Mary's", "Clínica São José", "a@b", "A; B", "A: B", 'The "Best" Shop', "back\\slash", "[brackets]", "1. FC",
    "Ünïcödé " * 8, "支" * 60, "🔔 Bell", "नमस्ते", "مرحبا", "a=?b", "x" * 100, "e\u0301", "-", ".", "'", "~!#$%^&*",
    "Ελληνικά, Ltd", "Zażółć gęślą jaźń", "Öffentlicher Gesundheitsdienst der Stadt Düsseldorf (Nord), Außenstelle",
]

ALPHABET = "abcXYZ 019.,;:@()[]<>\"\\'&!#$%*+-/=?^_`{|}~äßéñçøłžЖщ한글日本語عربעברनม🔔🚑€£—“”"


def check(folder):
    command = [CARILLON, "--json", "check", folder]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in (answer.stdout + answer.stderr).splitlines() if line.startswith("{")]
    return next((line["senders"] for line in lines if line.get("ok")), None), answer


def config(folder, names):
    os.makedirs(f"{folder}/rules")
    os.makedirs(f"{folder}/templates/t/en")
    for part in ("email.html", "email.subject.txt", "email.txt"):
        with open(f"{folder}/templates/t/en/{part}", "w", encoding="utf-8") as file:
            file.write("Hello\n")
    with open(f"{folder}/rules/r.yaml", "w", encoding="utf-8") as file:
        for index in range(len(names)):
            file.write(
                f"- {{ rule: r{index}, about: x, when: {{ detail-type: [a.b{index}] }}, category: c{index}, "
                "to: [{ user: $.data.to }], channels: [email], template: t }\n"
            )
    with open(f"{folder}/policy.yaml", "w", encoding="utf-8") as file:
        senders = {f"c{index}": f"{name} <o@example.com>" for index, name in enumerate(names)}
        file.write("zone: Europe/London\nemail:\n  senders:\n")
        for category, sender in senders.items():
            file.write(f"    {category}: {json.dumps(sender, ensure_ascii=False)}\n")


def plain(rng):
    """A name that a policy may write without quotes."""
    while True:
        name = "".join(rng.choice(ALPHABET) for _ in range(rng.randint(1, 60))).strip()
        # Address lists, quotes that are parsed as quotes, and encoded words are refused on purpose.
        if name and not any(c in name for c in "<>;\"\\") and "=?" not in name and not ("," in name and "@" in name):
            return name


def senders(small):
    rng = random.Random(7)
    names = [name for name in NAMES if len(name) <= 100 and ";" not in name and '"' not in name and "=?" not in name]
    names += [plain(rng) for _ in range(100 if small else 4000)]
    agree, wrong = 0, []
    for start in range(0, len(names), 400):
        some = names[start:start + 400]
        with tempfile.TemporaryDirectory() as folder:
            config(folder, some)
            headers, answer = check(folder)
        if headers is None:
            wrong.append(("a policy", answer.stdout[-600:] + answer.stderr[-600:]))
            continue
        for index, name in enumerate(some):
            header = headers[f"c{index}"]
            message = email.message_from_bytes(f"From: {header}\n\n".encode())
            # The newer parser of `email.policy.default` keeps the space between encoded words, against RFC 2047, 6.2.
            addresses = getaddresses([message["From"]])
            found = (str(make_header(decode_header(addresses[0][0]))), addresses[0][1]) if len(addresses) == 1 else None
            # White space within a phrase folds to one space.
            same = found and " ".join(found[0].split()) == " ".join(name.strip().split())
            if same and found[1] == "o@example.com" and header.isascii() and len(message.keys()) == 1:
                agree += 1
            else:
                wrong.append((name, header, found))
    return agree, len(names), wrong


def pasted(small):
    rng = random.Random(11)
    locals_ = ["ann", "ann.lee", "o'neil", "a+b", "x_y", "1"]
    domains = ["example.org", "exämple.org", "faß.de", "例え.jp", "пример.рф", "Bücher.example", "ελλάδα.gr", "مثال.com"]
    names = ["", "Ann Lee", '"Lee, Ann"', "Änn", "日本", "Dr. Ann", "Ann (work)"]
    spaces = ["", " ", "\t", "\u00a0", "\r\n", "\u200b", "\ufeff"]
    for _ in range(100 if small else 5000):
        local, domain, name = rng.choice(locals_), rng.choice(domains), rng.choice(names)
        plain_text = f"{local}@{domain}"
        text = f"{name} <{plain_text}>" if name else rng.choice([plain_text, f"<{plain_text}>", f"mailto:{plain_text}"])
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
        found = parseaddr(text.removeprefix("mailto:"))[1]
        assert found == plain_text, (found, plain_text)
        yield rng.choice(spaces) + text + rng.choice(spaces), f"{local}@{ascii_domain}"
    for text in ["", "nope", "a b@example.org", "a@b", "a@example.org, b@example.org", "a@example.org\nBcc: x@y.zz",
                 "Ann <a@example.org>, Ben <b@example.org>", "änn@example.org", "a@exa mple.org", "a@.org", "a@-b.org"]:
        yield text, None


def addresses(small):
    cases = list(dict(pasted(small)).items())
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False, encoding="utf-8") as file:
        for index, (text, _) in enumerate(cases):
            file.write(json.dumps({"id": f"n{index}", "tenants": ["*"], "email": text}) + "\n")
    command = [CARILLON, "--json", "people", "import", "--dry-run", "--config", "/nonexistent", file.name]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    os.unlink(file.name)
    people = [json.loads(line) for line in answer.stdout.splitlines()]
    stored = {person["id"]: person["email"] for person in people if "email" in person}
    found = [(text, wanted, stored.get(f"n{index}")) for index, (text, wanted) in enumerate(cases)]
    wrong = [case for case in found if case[1] != case[2]]
    return len(cases) - len(wrong), len(cases), wrong


def main():
    small = "--small" in sys.argv
    results = [senders(small), addresses(small)]
    for case in [case for result in results for case in result[2]][:40]:
        print(f"  {case}")
    agree, total = sum(result[0] for result in results), sum(result[1] for result in results)
    print(f"mailboxes: agree {agree} of {total}")
    return 0 if agree == total else 1


if __name__ == "__main__":
    sys.exit(main())
