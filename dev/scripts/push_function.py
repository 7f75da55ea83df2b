"""Packs the folder argv[1] and replaces the code of the function argv[2] with it.

The archive is not compressed: the program is most of it, and the archive stays on this machine.
"""

import io
import os
import sys
import zipfile

import boto3

folder, name = sys.argv[1], sys.argv[2]
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
    for file in sorted(os.listdir(folder)):
        with open(os.path.join(folder, file), "rb") as content:
            entry = zipfile.ZipInfo(file)
            entry.external_attr = (0o755 if file == "bootstrap" else 0o644) << 16
            archive.writestr(entry, content.read())
functions = boto3.client("lambda")
functions.update_function_code(FunctionName=name, ZipFile=packed.getvalue())
functions.get_waiter("function_updated_v2").wait(
    FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
)
