"""Writes a new RSA key (PKCS #8, DER) to the file argv[1]. ring signs with RSA keys and cannot generate them."""

import os
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

path = sys.argv[1]
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
der = key.private_bytes(
    serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
with os.fdopen(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
    file.write(der)
os.rename(path + ".new", path)
