#!/usr/bin/env python3
"""Speaks to an xDS server as a client would, with official messages, and checks the rules of the xDS protocol.

The server must give the node at least two listeners and two clusters whose endpoints go by EDS, and must not change them meanwhile.
Each check bears the title of the section of the xDS protocol document that it checks
(https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol), or of the service beside it. Prints one line a check; exits 1
on a failure.
"""

import argparse
import os
import sys

from checks import changes, incremental, services, sotw  # noqa: F401: they register their checks.
from checks.client import CHECKS, Server


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="the server, host:port")
    parser.add_argument("node", help="a node id that the server knows")
    parser.add_argument("--manifests", metavar="DIR", help="the directory that the server follows: checks of changes write into it")
    parser.add_argument("--replica", metavar="ADDRESS", help="another server of the same objects: its versions must be the same")
    parser.add_argument("--only", metavar="TEXT", default="", help="only checks whose title or name contains this")
    options = parser.parse_args()
    passed = failed = left_out = 0
    for section, name, function, needs in CHECKS:
        if options.only not in f"{section}: {name}":
            continue
        if needs and getattr(options, needs) is None:
            left_out += 1
            print(f"left out  {section}: {name} (needs --{needs})", flush=True)
            continue
        server = Server(options.address, options.node, options.manifests, options.replica)
        try:
            function(server)
            passed += 1
            print(f"ok        {section}: {name}", flush=True)
        except Exception as error:  # noqa: BLE001: whatever is wrong with a check, the others run.
            failed += 1
            print(f"FAILED    {section}: {name}: {type(error).__name__} {str(error)[:2000]}", flush=True)
        finally:
            server.close()
            server.channel.close()
    print(f"{passed} of {passed + failed} checks passed, {left_out} left out")
    # Threads of open streams must not keep the program.
    sys.stdout.flush()
    os._exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
