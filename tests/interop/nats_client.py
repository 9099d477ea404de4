"""Logs in to a server of NATS on this machine with nats-py: `nats_client.py PORT TOKEN SEED`.

Signs the nonce as nats-py does with the package `nkeys`, which has no wheel.
"""

import asyncio
import base64
import sys

import nats
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


async def main(port, token, seed):
    # Two bytes of the role, the key, and a checksum.
    private = base64.b32decode(seed + "=" * (-len(seed) % 8))[2:34]
    key = Ed25519PrivateKey.from_private_bytes(private)

    def sign(nonce):
        return base64.b64encode(key.sign(nonce.encode()))

    async def ignore(error):
        pass

    try:
        client = await nats.connect(
            f"nats://127.0.0.1:{port}",
            user_jwt_cb=lambda: token.encode(),
            signature_cb=sign,
            allow_reconnect=False,
            connect_timeout=5,
            error_cb=ignore,
        )
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
    else:
        await client.close()


asyncio.run(main(*sys.argv[1:]))
