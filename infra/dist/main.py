"""Writes the files of a release into a folder: `make dist` runs this program.

    .local/dist/bin/python infra/dist/main.py --binary target/release/carillon --target x86_64-unknown-linux-gnu

The same inputs give the same bytes: entries are sorted and have the time SOURCE_DATE_EPOCH, by default that of the last
commit. The folder gets the CLI, one zip for each function, the template, the bill of materials and SHA256SUMS.
"""

import argparse
import datetime
import gzip
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import sbom

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Zip files know no earlier time.
FIRST_ZIP_TIME = 315_532_800


class Refused(Exception):
    """The release cannot be packed, for this reason."""


def version():
    """The version of the programs: [workspace.package] in Cargo.toml."""
    text = (ROOT / "Cargo.toml").read_text()
    return re.search(r'\[workspace\.package\]\s*version = "([^"]+)"', text).group(1)


def epoch():
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        command = ["git", "log", "-1", "--format=%ct"]
        given = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(given)


def function_zip(folder, path, moment):
    """A function's files in a zip. Lambda needs the program to be executable."""
    program = folder / "bootstrap"
    if not program.is_file():
        raise Refused(f"{program} is missing: `make release` builds it")
    time = datetime.datetime.fromtimestamp(max(moment, FIRST_ZIP_TIME), datetime.timezone.utc).timetuple()[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(part for part in folder.rglob("*") if part.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), time)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            entry.external_attr = (0o100755 if file == program else 0o100644) << 16
            archive.writestr(entry, file.read_bytes(), compresslevel=9)


def tarball(path, moment, files):
    """A gzip archive of (name, content, mode), without owners."""
    with open(path, "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=moment) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, content, mode in sorted(files):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode, entry.mtime = len(content), mode, moment
                archive.addfile(entry, io.BytesIO(content))


def packaged(template, functions):
    """The template with the functions' zips as their code."""
    named = set(re.findall(r"CodeUri: \.\./target/lambda/([a-z]+)/", template))
    unknown = set(functions) - named
    if unknown:
        raise Refused(f"the template has no function {', '.join(sorted(unknown))}")
    return re.sub(r"CodeUri: \.\./target/lambda/([a-z]+)/", r"CodeUri: functions/\1.zip", template), named


def pack(args):
    number, moment = args.version or version(), epoch()
    out = pathlib.Path(args.out)
    shutil.rmtree(out, ignore_errors=True)
    (out / "functions").mkdir(parents=True)
    template, named = packaged((ROOT / "infra/template.yaml").read_text(), args.functions)
    (out / "template.yaml").write_text(template)
    for function in sorted(args.functions or named):
        function_zip(pathlib.Path(args.lambda_folder) / function, out / "functions" / f"{function}.zip", moment)
    top = f"carillon-{number}-{args.target}"
    shared = [(f"{top}/{name}", (ROOT / name).read_bytes(), 0o644) for name in ("LICENSE", "CHANGELOG.md")]
    program = (f"{top}/carillon", pathlib.Path(args.binary).read_bytes(), 0o755)
    tarball(out / f"{top}.tar.gz", moment, [program, *shared])
    time = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
    bill = sbom.bill(ROOT, number, [args.target, args.lambda_target], time)
    (out / f"carillon-{number}.cdx.json").write_text(bill)
    sums = []
    for file in sorted(part for part in out.rglob("*") if part.is_file()):
        sums.append(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(out).as_posix()}\n")
    (out / "SHA256SUMS").write_text("".join(sums))
    left = sorted(named - set(args.functions)) if args.functions else []
    if left:
        print(f"not a release: these functions are left out: {', '.join(left)}", file=sys.stderr)
    print(f"{out}: carillon {number}, {len(sums)} files; check them with `sha256sum -c SHA256SUMS`")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--target", required=True, help="the target of the CLI")
    parser.add_argument("--lambda-target", default="aarch64-unknown-linux-gnu")
    parser.add_argument("--lambda-folder", default="target/lambda")
    parser.add_argument("--out", default="dist")
    parser.add_argument("--version")
    parser.add_argument("--functions", type=str.split, default=[], help="for a trial: only these functions")
    args = parser.parse_args()
    try:
        pack(args)
    except (Refused, OSError, subprocess.CalledProcessError) as error:
        print(f"the release was not packed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
