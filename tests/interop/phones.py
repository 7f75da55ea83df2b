#!/usr/bin/env python3
"""Phone numbers beside libphonenumber: what `carillon people import --dry-run` would store is what libphonenumber dials.

Numbers of every region and kind are written in the notations that people use. `--small` takes some of the regions.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata

import phonenumbers
from phonenumbers import PhoneNumberFormat

CARILLON = os.environ.get("CARILLON", "target/local/carillon")

# Allowed differences from libphonenumber, by country code and kind. Numbers beginning with 0 that can be dialled only
# within the country: toll-free `0800` lines and international free numbers. They receive no messages, and a 0 behind
# these country codes is usually a trunk prefix typed by habit.
FREE_NUMBERS_WITH_ZERO = {62, 66, 81, 82, 91, 267, 268, 359, 501, 507, 598, 676, 679, 687, 853, 974}
# Shorter than 7 digits with the country code: E.164 numbers of a few local exchanges that receive no messages.
TOO_SHORT = "shorter than 7 digits"
# Longer than 15 digits: libphonenumber accepts domestic free numbers that exceed E.164.
TOO_LONG = "longer than 15 digits"


def spaced(number):
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def national(number):
    return phonenumbers.national_significant_number(number)


def notations(number, region):
    """The number in many notations. Each is one that libphonenumber reads without a default region."""
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    code, rest = f"+{number.country_code}", national(number)
    pretty = spaced(number)
    yield e164
    yield pretty
    yield phonenumbers.format_number(number, PhoneNumberFormat.RFC3966)
    yield "  " + pretty + " \n"
    yield pretty.replace("-", " ").replace(" ", ".")
    yield pretty.replace("-", " ").replace(" ", "/")
    for dash in "\u2010\u2011\u2012\u2013\u2014\u2212\uff0d":
        yield pretty.replace(" ", dash)
    for space in "\u00a0\u2009\u202f\u3000":
        yield pretty.replace(" ", space)
    yield "\u202a" + pretty + "\u202c"
    yield "\u200e" + pretty + "\u200e"
    yield "\u2068" + pretty + "\u2069"
    yield "".join(chr(0xFF10 + ord(c) - 48) if c.isdigit() else c for c in pretty).replace("+", "\uff0b")
    yield "+" + "".join(chr(0x660 + ord(c) - 48) for c in e164[1:])
    yield "tel:" + e164
    yield "tel:" + pretty.replace(" ", "-") + ";ext=5"
    yield pretty + " ext. 5"
    yield pretty + " x123"
    yield pretty + "#7"
    yield pretty + ";ext=77"
    yield f"({code}) {rest}"
    yield f"{code}({rest[:2]}){rest[2:]}"
    yield f"{code} [{rest[:2]}] {rest[2:]}"
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    prefix = metadata.national_prefix if metadata else None
    if prefix and prefix.isdigit():
        yield f"{code} ({prefix}) {rest}"
        yield f"{code} ({prefix}){rest}"
        yield f"{code}({prefix}){rest}"
        yield f"{code} {prefix}{rest}"
        yield f"{code} ({prefix}{rest[:2]}) {rest[2:]}"
        yield f"{code}-{prefix}-{rest}"


def digits(text):
    return [c for c in text if c.isdigit()]


def oracle(text):
    try:
        number = phonenumbers.parse(text.replace("whatsapp:", ""), None)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def numbers(rng, regions, each):
    """Valid numbers: the examples of every kind, and random ones that libphonenumber holds for valid."""
    for region in regions:
        found = {}
        for kind in range(0, 11):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None:
                found[phonenumbers.format_number(example, PhoneNumberFormat.E164)] = example
        base = list(found.values())
        for _ in range(each * 20):
            if len(found) >= len(base) + each or not base:
                break
            text = list(phonenumbers.format_number(rng.choice(base), PhoneNumberFormat.E164))
            for place in range(-min(5, len(text) - 4), 0):
                text[place] = rng.choice("0123456789")
            candidate = phonenumbers.parse("".join(text), None)
            if phonenumbers.is_valid_number(candidate):
                found[phonenumbers.format_number(candidate, PhoneNumberFormat.E164)] = candidate
        for number in found.values():
            yield region, number


def cases(small):
    rng = random.Random(20261130)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    if small:
        regions = rng.sample(regions, 40) + ["GB", "DE", "IT", "US", "RU", "HU", "BY", "LT", "CI", "GA"]
    seen = {}
    for region, number in numbers(rng, regions, 1 if small else 12):
        for text in notations(number, region):
            seen.setdefault(text, oracle(text))
    # Unassigned country codes, and strings that are not numbers.
    assigned = set(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    for code in range(200, 1000):
        if code not in assigned and code // 10 not in assigned and code // 100 not in assigned:
            seen.setdefault(f"+{code}12345678", None)
    for text in ["", "+", "hello", "020 7946 0102", "0044 20 7946 0102", "+44", "+0123456789"]:
        seen.setdefault(text, oracle(text))
    # libphonenumber cuts a number at a letter. A letter O typed instead of a 0 would lead to another number.
    seen["+44 20 7946 000O"] = None
    return seen


def ours(texts):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False, encoding="utf-8") as file:
        for index, text in enumerate(texts):
            file.write(json.dumps({"id": f"n{index}", "tenants": ["*"], "phone": text}) + "\n")
    try:
        command = [CARILLON, "--json", "people", "import", "--dry-run", "--config", "/nonexistent", file.name]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        os.unlink(file.name)
    if answer.returncode not in (0, 1):
        sys.exit(f"phones: {command} said {answer.stderr}")
    people = [json.loads(line) for line in answer.stdout.splitlines()]
    stored = {person["id"]: person["phone"] for person in people if "phone" in person}
    return [stored.get(f"n{index}") for index in range(len(texts))]


def justified(text, theirs, found):
    """Why a difference is right, or None."""
    if theirs is None and found is not None:
        # Thin and narrow spaces, and directional marks: libphonenumber reads the number without them.
        plain = "".join(" " if c.isspace() else c for c in text if unicodedata.category(c) != "Cf")
        return "white space or a mark that libphonenumber does not read" if found == oracle(plain) else None
    if found is not None and theirs == found.replace("+57", "+570", 1):
        return "libphonenumber takes a digit for a Colombian carrier and keeps the 0, which nobody can dial"
    if found is not None or theirs is None:
        return None
    count = len(digits(theirs))
    if count < 7:
        return TOO_SHORT
    if count > 15:
        return TOO_LONG
    number = phonenumbers.parse(theirs, None)
    if not phonenumbers.is_possible_number(number):
        return "libphonenumber itself says that the number is impossible"
    if number.country_code in FREE_NUMBERS_WITH_ZERO and national(number).startswith("0"):
        return "a free number that only the country itself dials"
    return None


def main():
    expected = cases("--small" in sys.argv)
    texts = list(expected)
    agree, wrong, reasons = 0, [], {}
    for text, found in zip(texts, ours(texts)):
        theirs = expected[text]
        reason = None if found == theirs else justified(text, theirs, found)
        if found == theirs:
            agree += 1
        elif reason:
            reasons[reason] = reasons.get(reason, 0) + 1
        else:
            wrong.append((text, theirs, found))
    for text, theirs, found in wrong[:50]:
        print(f"  {text!r}: libphonenumber {theirs}, carillon {found}")
    for reason, count in sorted(reasons.items()):
        print(f"  justified: {count} × {reason}")
    print(f"phones: agree {agree} of {len(texts)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
