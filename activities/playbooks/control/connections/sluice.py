"""Reaches the nodes of the job by the worker that has lent them, over the socket that SLUICE_NODES names."""

import base64
import json
import os
import shlex
import socket

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: sluice
short_description: nodes of a job
description: Runs programs on the nodes of this job, as nobody or as root.
options:
  node:
    description: The node's name in the lease.
    vars: [{name: sluice_node}]
extends_documentation_fragment: [connection_pipelining]
"""

# Bytes of a file that travel at once.
PIECE = 1 << 20

# What a program prints comes back as it is, and its two outputs apart: lines of base64 after O and E.
RUN = """d=$(mktemp -d /tmp/.sluice-XXXXXX) || exit 125
base64 -d | ( {command}
) >"$d/out" 2>"$d/err"; code=$?
base64 "$d/out" | sed s/^/O/; base64 "$d/err" | sed s/^/E/; rm -rf "$d"; exit $code"""


class Connection(ConnectionBase):
    transport = "sluice"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def close(self):
        self._connected = False

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        # What the become plugin has wrapped is root's: it goes on from there.
        root = bool(self.become and self.become.success and self.become.success in cmd)
        return self._run(cmd, in_data or b"", root)

    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        there = shlex.quote(out_path)
        with open(in_path, "rb") as file:
            piece, way = file.read(PIECE), ">"
            while piece or way == ">":
                self._must(f"cat {way}{there}", piece, f"copy to {out_path}")
                piece, way = file.read(PIECE), ">>"

    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        there = shlex.quote(in_path)
        with open(out_path, "wb") as file:
            piece = b" " * PIECE
            while len(piece) == PIECE:
                piece = self._must(f"tail -c +{file.tell() + 1} {there} | head -c {PIECE}", b"", f"fetch {in_path}")
                file.write(piece)

    def _must(self, cmd, given, what):
        code, out, err = self._run(cmd, given, False)
        if code != 0 or err:
            raise AnsibleError(f"cannot {what}: {err.decode(errors='replace').strip()}")
        return out

    def _run(self, cmd, given, root):
        script = RUN.replace("{command}", cmd)
        code, output = self._ask({"script": script, "input": base64.encodebytes(given).decode(), "root": root})
        streams = {"O": [], "E": []}
        for line in output.splitlines():
            streams.get(line[:1], []).append(line[1:])
        out, err = (base64.b64decode("".join(lines)) for lines in streams.values())
        return code, out, err

    def _ask(self, request):
        node = self.get_option("node") or self._play_context.remote_addr
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(os.environ["SLUICE_NODES"])
                with connection.makefile("rw", encoding="utf-8") as stream:
                    stream.write(json.dumps({**request, "node": node}) + "\n")
                    stream.flush()
                    answer = json.loads(stream.readline())
        except (OSError, KeyError, ValueError) as error:
            raise AnsibleConnectionFailure(f"no worker answers for {node}: {error}") from error
        if "lost" in answer:
            raise AnsibleConnectionFailure(f"{node}: {answer['lost']}")
        return answer["code"], answer["output"]
