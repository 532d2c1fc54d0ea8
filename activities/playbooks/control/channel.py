"""Hands on what the connection `sluice` asks for: a line to the worker, and its answer back.

Argument: the socket to listen on. The worker reads requests from standard output and writes answers to standard input.
"""

import itertools
import json
import os
import queue
import socket
import sys
import threading

waiting = {}
numbers = itertools.count(1)
writing = threading.Lock()


def say(message):
    with writing:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def serve(connection):
    with connection, connection.makefile("rw", encoding="utf-8") as stream:
        request = json.loads(stream.readline())
        number = next(numbers)
        answer = waiting[number] = queue.SimpleQueue()
        say({**request, "id": number})
        stream.write(answer.get())


def listen(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    os.chmod(path, 0o666)
    server.listen(64)
    say({"ready": True})
    while True:
        connection, _ = server.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def main():
    path = sys.argv[1]
    if os.path.exists(path):
        os.unlink(path)
    threading.Thread(target=listen, args=(path,), daemon=True).start()
    for line in sys.stdin:
        waiting.pop(json.loads(line)["id"]).put(line)
    os.unlink(path)


if __name__ == "__main__":
    main()
